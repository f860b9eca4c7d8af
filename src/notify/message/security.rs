//! How a security alert of Microsoft is told: what was seen, of whom, how long ago, what was spent
//! since, and the command that answers it.

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::domain::{
    ANSWER_WITHIN, Began, SecurityEnd, SecuritySource, SecuritySummary, SecurityView, SpentOf,
};
use crate::notify::message::budget_status::whole_hours;
use crate::notify::message::rows::{Row, known};
use crate::notify::message::telling::AlertWording;
use crate::text::amounts::{amount, percentage};
use crate::text::{capitalized, clean, times};

/// How much of a word of Microsoft's is shown, and of a sentence.
const WORD: usize = 60;
const SENTENCE: usize = 300;
/// So many resources are named.
const RESOURCES: usize = 3;
/// The types that Microsoft documents, in small letters without marks, in words.
const KINDS: [(&str, &str); 13] = [
    ("cryptomining", "crypto mining"),
    ("networkconnectionstocryptominingpools", "connections to crypto mining pools"),
    ("armanomalousresourceconsumption", "an anomalous use of resources"),
    ("armsuspiciousoperations", "suspicious operations"),
    ("vmanomalousdeployment", "an anomalous deployment of virtual machines"),
    ("virtualmachinedeploymentanomaly", "an anomalous deployment of virtual machines"),
    (
        "multiregionvirtualmachinescalesetdeploymentanomaly",
        "an anomalous deployment of virtual machines in several regions",
    ),
    ("azurebatchanomalousdeployment", "an anomalous deployment of Azure Batch"),
    ("azurecontainerinstancesanomalousdeployment", "an anomalous deployment of containers"),
    ("azuremachinelearninganomalousdeployment", "an anomalous deployment of machine learning"),
    ("multiregionmachinelearningusageanomaly", "an anomalous use of machine learning"),
    ("usageanomalydetection", "anomalous usage"),
    ("servicehealthsecurityadvisory", "something that its security advisory is about"),
];

impl AlertWording<'_> {
    /// `CRITICAL Microsoft security alert not answered for 12 h: Fabrikam, CryptoMining (high)`.
    pub(super) fn security_subject(&self) -> Option<String> {
        let security = self.alert.security.as_ref()?;
        let severity = self.alert.severity.as_str().to_ascii_uppercase();
        let (who, what) = (&self.who, kind_and_severity(security));
        let hours = self.alert.number().unwrap_or_default();
        Some(match () {
            () if security.is_test => {
                format!("{severity} TEST of a Microsoft security alert: {who}, {what}")
            }
            () if hours < Decimal::ONE => {
                format!("{severity} New Microsoft security alert: {who}, {what}")
            }
            () => {
                let unanswered = Self::unanswered_for(hours);
                format!("{severity} Microsoft security alert {unanswered}: {who}, {what}")
            }
        })
    }

    /// `not answered for 12 h`.
    pub(super) fn unanswered_for(hours: Decimal) -> String {
        if hours < Decimal::ONE {
            "not answered yet".to_owned()
        } else {
            format!("not answered for {}", whole_hours(hours))
        }
    }

    /// `CryptoMining (high), not answered for 12 h`.
    pub(super) fn security_measure(&self) -> String {
        let what = self.alert.security.as_ref().map(kind_and_severity).unwrap_or_default();
        let hours = self.alert.number().unwrap_or_default();
        format!("{what}, {}", Self::unanswered_for(hours))
    }

    /// `CryptoMining (high), spent since: 890 EUR (usually 40 a day)`.
    pub(super) fn security_brief(&self) -> String {
        let what = self.alert.security.as_ref().map(kind_and_severity).unwrap_or_default();
        match self.spent_since() {
            Some(spent) => format!("{what}, spent since: {spent}"),
            None => what,
        }
    }

    /// `Microsoft saw crypto mining in subscription "Prod" of Fabrikam at 10:14 CET, 12 h ago; it must be answered within 24 h.`
    pub(super) fn security_line(&self) -> Option<String> {
        let (security, context) = (self.alert.security.as_ref()?, self.context.security.as_ref()?);
        let told_at = self.alert.raised_at;
        let what = if security.is_test {
            "has made a test of".to_owned()
        } else {
            match context.began {
                Began::Detected => "saw".to_owned(),
                Began::FirstObserved => "first observed".to_owned(),
                Began::FirstSeen => "tells, without saying since when, of".to_owned(),
            }
        };
        let seconds = times::seconds_between(context.since, told_at).max(0);
        let ago = if seconds < 60 { "just now".to_owned() } else { times::span(seconds) + " ago" };
        let at = times::moment(context.since, told_at, self.zone);
        let first_read = if context.began == Began::FirstSeen { "first read here " } else { "at " };
        let within = if security.is_test {
            "nobody needs to do anything".to_owned()
        } else if seconds > ANSWER_WITHIN * 3600 {
            format!("it should have been answered within {ANSWER_WITHIN} h")
        } else {
            format!("it must be answered within {ANSWER_WITHIN} h")
        };
        let (kind, place, who) = (kind_in_words(&security.kind), self.within(), &self.who);
        Some(format!("Microsoft {what} {kind} {place} of {who} {first_read}{at}, {ago}; {within}."))
    }

    /// `in subscription "Prod"`.
    fn within(&self) -> String {
        let context = self.context.security.as_ref();
        let name = context.and_then(|context| context.subscription_name.as_deref());
        let name = name.map(|name| clean(name, WORD)).filter(|name| !name.is_empty());
        let number = self.alert.security.as_ref().map(|security| security.subscriptions().len());
        match (name, number.unwrap_or_default()) {
            (Some(name), _) => format!("in subscription \"{name}\""),
            (None, 0 | 1) => "in a subscription".to_owned(),
            (None, more) => format!("in {more} subscriptions"),
        }
    }

    /// `Spent there since: 890 EUR (usually 40 a day). Answer: budget-alertd security resolve 5F0C1C3E --reason fraud | legitimate | ignore`
    pub(super) fn security_second(&self) -> String {
        let there = self.context.security.as_ref().and_then(|security| security.spent);
        let there = match there.map(|spent| spent.of) {
            Some(SpentOf::Subscription) => "there",
            Some(SpentOf::Customer) | None => "by the customer",
        };
        let spent = self.spent_since().map(|spent| format!("Spent {there} since: {spent}."));
        let gap = self
            .last_seen()
            .map(|at| format!("Last seen at {at}: security alerts could not be read since."));
        let answer = self.to_answer().map(|command| format!("Answer: {command}"));
        let back = self.context.security.as_ref().filter(|security| security.reopened);
        let back = back.map(|_| "It was over, and is active again.".to_owned());
        let advice = Some(self.advice().trim().to_owned()).filter(|advice| !advice.is_empty());
        [back, spent, gap, advice, answer].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    fn last_seen(&self) -> Option<String> {
        let at = self.context.security.as_ref()?.last_listed?;
        Some(times::moment(at, self.alert.raised_at, self.zone))
    }

    /// `890 EUR (usually 40 a day)`.
    fn spent_since(&self) -> Option<String> {
        let spent = self.context.security.as_ref()?.spent?;
        let usual = spent.usual.map(|usual| format!(" (usually {} a day)", amount(usual)));
        Some(format!("{}{}", self.money(spent.since), usual.unwrap_or_default()))
    }

    /// The command that answers it; none for other alerts and for tests.
    pub(super) fn to_answer(&self) -> Option<String> {
        let security = self.alert.security.as_ref().filter(|security| !security.is_test)?;
        let reasons = match security.source {
            SecuritySource::Graph => "fraud | legitimate | ignore",
            SecuritySource::PartnerCenter => "fraud | ignore",
        };
        let reference = self.reference();
        Some(format!("budget-alertd security resolve {reference} --reason {reasons}"))
    }

    /// Whether it is about a test.
    pub(super) fn is_security_test(&self) -> bool {
        self.alert.security.as_ref().is_some_and(|security| security.is_test)
    }

    /// The details below a security alert, new or told again.
    pub(super) fn security_rows(&self, sent: Timestamp) -> Vec<Row> {
        let Some(security) = &self.alert.security else { return Vec::new() };
        let moment = |at: Timestamp| times::moment(at, sent, self.zone);
        let context = self.context.security.as_ref();
        let said = context.map(|context| clean(&context.display_name, SENTENCE));
        let unknown_time = context.and_then(|context| match context.began {
            Began::Detected => None,
            Began::FirstObserved => Some("Microsoft does not say when it was detected"),
            Began::FirstSeen => Some("Microsoft says neither when it was detected nor observed"),
        });
        let observed = [
            unknown_time.map(str::to_owned),
            security.detected_at.map(|at| format!("detected {}", moment(at.instant()))),
            security.first_observed.map(|at| format!("first {}", moment(at.instant()))),
            security.last_observed.map(|at| format!("last {}", moment(at.instant()))),
        ];
        let cost = self.alert.has_usage().then(|| {
            let as_of = times::moment(self.as_of(), sent, self.zone);
            format!("{}, usage as of {as_of}", self.cost_of_budget())
        });
        known([
            ("What", Some(what(security))),
            ("Said", said),
            ("Where", Some(place(security))),
            ("Seen", Some(observed.into_iter().flatten().collect::<Vec<_>>().join(" · "))),
            ("Cost", cost),
            ("Note", Some(self.notes(sent).join(" "))),
            ("Do", self.commands()),
            ("Contact", self.contact()),
            ("Owner", self.owner()),
            ("Why you", Some(self.why())),
            ("Ref", Some(self.reference())),
        ])
    }

    fn end(&self) -> Option<&SecurityEnd> {
        self.context.latest.as_ref()?.security.as_ref()
    }

    /// `CryptoMining (high) answered as fraud after 3 h`.
    pub(super) fn security_end(&self) -> String {
        let what = self.alert.security.as_ref().map(kind_and_severity).unwrap_or_default();
        let Some(end) = self.end() else { return format!("{what} is over") };
        let after = if end.hours < Decimal::ONE {
            "within an hour".to_owned()
        } else {
            format!("after {}", whole_hours(end.hours))
        };
        match (&end.reason, end.unlisted) {
            (_, true) => format!("{what} is no longer listed, {after}"),
            (Some(reason), false) => format!("{what} answered as {} {after}", clean(reason, WORD)),
            (None, false) => format!("{what} answered {after}"),
        }
    }

    /// `the security alert CryptoMining (high) of Fabrikam was answered as fraud by anna@partner.example at Sat 14 Nov 11:02 CET`.
    pub(super) fn security_ended(&self, who: &str) -> String {
        let what = self.alert.security.as_ref().map(kind_and_severity).unwrap_or_default();
        let Some(end) = self.end() else {
            return format!("the security alert {what} of {who} is over");
        };
        let at = times::moment(end.at, end.at, self.zone);
        if end.unlisted {
            return format!(
                "Microsoft no longer lists the security alert {what} of {who}, since {at}"
            );
        }
        let reason = end.reason.as_deref().map(|reason| format!(" as {}", clean(reason, WORD)));
        let by = end.by.as_deref().map(|by| format!(" by {}", clean(by, WORD)));
        let (reason, by) = (reason.unwrap_or_default(), by.unwrap_or_default());
        format!("the security alert {what} of {who} was answered{reason}{by} at {at}")
    }

    /// What stands below that.
    pub(super) fn security_resolved_second(&self) -> Option<String> {
        self.alert.security.as_ref()?;
        let is_fraud = self.end().is_some_and(|end| {
            end.reason.as_deref().is_some_and(|reason| reason.eq_ignore_ascii_case("fraud"))
        });
        let what = if is_fraud {
            "An answer stops nothing in Azure: make sure that the resources are stopped and the \
                credentials changed."
        } else {
            "Nothing to do."
        };
        Some(what.to_owned())
    }

    /// The details below a security alert that is over.
    pub(super) fn security_resolved_rows(&self) -> Vec<Row> {
        let Some(security) = &self.alert.security else { return Vec::new() };
        known([
            ("What", Some(what(security))),
            ("Where", Some(place(security))),
            ("Now", Some(capitalized(&self.security_end()))),
            ("Why you", Some(self.why_alone())),
            ("Ref", Some(self.reference())),
        ])
    }
}

/// `2 security alerts not answered, the oldest for 5 h; those of 30 days answered in 3.2 h on average, 31.5 h by Microsoft's count (too slow)`.
pub(crate) fn security_in_words(summary: &SecuritySummary) -> String {
    let hours = |hours: Decimal| format!("{} h", percentage(hours));
    let open = match (summary.open, summary.oldest_hours) {
        (0, _) | (_, None) => "every security alert is answered".to_owned(),
        (1, Some(oldest)) => format!("1 security alert not answered for {}", hours(oldest)),
        (more, Some(oldest)) => {
            format!("{more} security alerts not answered, the oldest for {}", hours(oldest))
        }
    };
    let ours = summary
        .answered_in_hours
        .map(|mean| format!("; those of 30 days answered in {} on average", hours(mean)));
    let theirs = summary.microsoft_hours.map(|mean| {
        let slow = if summary.microsoft_compliant == Some(false) { " (too slow)" } else { "" };
        format!("; {} by Microsoft's count{slow}", hours(mean))
    });
    format!("{open}{}{}", ours.unwrap_or_default(), theirs.unwrap_or_default())
}

/// `CryptoMining (high)`.
fn kind_and_severity(security: &SecurityView) -> String {
    let kind = Some(clean(&security.kind, WORD)).filter(|kind| !kind.is_empty());
    let kind = kind.unwrap_or_else(|| "of no type".to_owned());
    match clean(&security.severity, WORD) {
        severity if severity.is_empty() => kind,
        severity => format!("{kind} ({severity})"),
    }
}

/// `crypto mining`; a type that nobody knows in quotes.
fn kind_in_words(kind: &str) -> String {
    let letters = kind.chars().filter(char::is_ascii_alphanumeric);
    let plain: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
    match KINDS.iter().find(|(known, _)| *known == plain) {
        Some((_, words)) => (*words).to_owned(),
        None if plain.is_empty() => "something suspicious".to_owned(),
        None => format!("\"{}\"", clean(kind, WORD)),
    }
}

/// `CryptoMining, severity high, confidence medium, status active`.
fn what(security: &SecurityView) -> String {
    let named = |name: &str, word: &str| {
        let word = clean(word, WORD);
        (!word.is_empty()).then(|| format!("{name}{word}"))
    };
    let parts = [
        named("", &security.kind),
        named("severity ", &security.severity),
        named("confidence ", &security.confidence),
        named("status ", &security.status),
        security.is_test.then(|| "a test".to_owned()),
        named("Microsoft's id ", &security.id),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The subscriptions by their ids, and the resources by their names.
fn place(security: &SecurityView) -> String {
    let all = security.subscriptions();
    let ids: Vec<String> = all.iter().take(RESOURCES).map(|id| clean(id, WORD)).collect();
    let more = all.len().saturating_sub(RESOURCES);
    let subscriptions = match ids.as_slice() {
        [] => "Microsoft does not say in which subscription".to_owned(),
        [id] => format!("subscription {id}"),
        ids if more > 0 => format!("subscriptions {} and {more} more", ids.join(", ")),
        ids => format!("subscriptions {}", ids.join(", ")),
    };
    let name = |id: &String| clean(id.rsplit('/').next().unwrap_or(id), WORD);
    let named: Vec<String> = security.resources.iter().take(RESOURCES).map(name).collect();
    let more = security.resources.len().saturating_sub(RESOURCES);
    let more = (more > 0).then(|| format!("and {more} more resources"));
    std::iter::once(subscriptions).chain(named).chain(more).collect::<Vec<_>>().join(" · ")
}
