//! A digest as it is told: its subject, its first lines and its customers in one line each. Amounts
//! of different currencies are never added.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::{
    Alert, AlertSnapshot, CustomerKey, Digest, DigestTotals, Ended, Occasion, PeriodSource,
    Severity,
};
use crate::notify::message::columns::table;
use crate::notify::message::member::Member;
use crate::notify::message::reasons::{as_told, reason, shown};
use crate::notify::message::rows::{Row, known, lateness};
use crate::notify::message::totals::totals;
use crate::text::amounts::{in_subject, money};
use crate::text::names;
use crate::text::names::{Name, SHORTEST};
use crate::text::{capitalized, times};

/// Why alerts are over, in words that go with a number of them.
const ENDINGS: [(Ended, &str); 8] = [
    (Ended::Budget, "the budget was changed"),
    (Ended::Period, "the billing period is over"),
    (Ended::Answered, "the security alert was answered"),
    (Ended::Unlisted, "the security alert is no longer listed"),
    (Ended::Usual, "the spending is usual again"),
    (Ended::Expected, "the spike was expected"),
    (Ended::NewNormal, "the spending counts as usual now"),
    (Ended::NewSeries, "the currency or the plan has changed"),
];

/// How many customers a subject names.
const NAMED: usize = 5;

/// A digest as it is told.
pub(crate) struct DigestText<'a> {
    digest: &'a Digest,
    /// Why it is told.
    pub occasion: Occasion,
    /// The members with the numbers they are told with, worst first.
    alerts: Vec<Cow<'a, AlertSnapshot>>,
    /// Each alert in words, likewise.
    pub each: Vec<Member>,
    /// Each customer in words, by its worst alert, with its other ones as further reasons.
    pub members: Vec<Member>,
    zone: &'a TimeZone,
    sent: Timestamp,
}

impl<'a> DigestText<'a> {
    /// Tells `digest`, sent at `sent`, with times in `zone`.
    pub(crate) fn new(
        occasion: Occasion,
        digest: &'a Digest,
        zone: &'a TimeZone,
        sent: Timestamp,
    ) -> Self {
        let mut raised: Vec<_> = digest.alerts.iter().collect();
        raised.sort_by(|a, b| a.alert.worst_first(&b.alert));
        let mut alerts: Vec<_> =
            raised.iter().map(|snapshot| as_told(occasion, snapshot, sent)).collect();
        tell_apart(&mut alerts);
        let pairs = || raised.iter().zip(&alerts);
        let each: Vec<Member> =
            pairs().map(|(raised, now)| Member::new(occasion, raised, now, zone, sent)).collect();
        let mut members: Vec<Member> = Vec::new();
        let mut places: HashMap<&CustomerKey, usize> = HashMap::new();
        for (one, (raised, now)) in each.iter().zip(pairs()) {
            if let Some(member) = places.get(&one.about).and_then(|place| members.get_mut(*place)) {
                member.also.push(reason(occasion, raised, now, zone, sent));
            } else {
                places.insert(&one.about, members.len());
                members.push(one.clone());
            }
        }
        for member in &mut members {
            member.also = shown(&member.also);
        }
        Self { digest, occasion, alerts, each, members, zone, sent }
    }

    /// `[12 alerts, 3 CRITICAL] Contoso Nord 900 %, Fabrikam 300 %, Wingtip 120 %`.
    pub(crate) fn subject(&self) -> String {
        let Digest { total, criticals, baseline, .. } = *self.digest;
        let criticals =
            if criticals == 0 { String::new() } else { format!(", {criticals} CRITICAL") };
        let part = self.part().map(|part| format!(", {part}")).unwrap_or_default();
        let (alerts, worst) = (plural(total, "alert", "alerts"), self.worst_named());
        match self.occasion {
            Occasion::New if baseline => {
                format!("[{total} {alerts}{criticals}{part}] First look: {worst}")
            }
            Occasion::New => format!("[{total} {alerts}{criticals}{part}] {worst}"),
            Occasion::Reminder => {
                format!("REMINDER [{total} {alerts} still open{criticals}{part}] {worst}")
            }
            Occasion::Resolved => format!("RESOLVED [{total} {alerts}{part}] {worst}"),
        }
    }

    /// The criticals by name, each once; without any, the worst one.
    fn worst_named(&self) -> String {
        let each = &self.members;
        let criticals = each.iter().filter(|member| member.severity == Severity::Critical).count();
        let name = |member: &Member| {
            let badge = member
                .badge
                .as_ref()
                .map(|badge| format!(" {}", in_subject(badge)))
                .unwrap_or_default();
            format!("{}{badge}", member.called.cut(SHORTEST))
        };
        let mut names: Vec<_> = each.iter().take(criticals.clamp(1, NAMED)).map(name).collect();
        let unnamed = each.len().saturating_sub(names.len());
        if unnamed > 0 {
            names.push(format!("{unnamed} more"));
        }
        names.join(", ")
    }

    /// What stands large above a mail: `12 alerts, 3 critical`.
    pub(crate) fn title(&self) -> String {
        let Digest { total, criticals, .. } = *self.digest;
        let alerts = plural(total, "alert", "alerts");
        let critical =
            if criticals == 0 { String::new() } else { format!(", {criticals} critical") };
        match self.occasion {
            Occasion::New => format!("{total} {alerts}{critical}"),
            Occasion::Reminder => format!("{total} {alerts} still open{critical}"),
            Occasion::Resolved => format!("{total} {alerts} resolved"),
        }
    }

    /// `part 1 of 3`, where there are several.
    pub(crate) fn part(&self) -> Option<String> {
        (self.digest.parts > 1)
            .then(|| format!("part {} of {}", self.digest.part, self.digest.parts))
    }

    /// `First look: 14 alerts about 12 customers, 3 critical.`
    pub(crate) fn first_line(&self) -> String {
        let Digest { total, criticals, .. } = *self.digest;
        let critical = if criticals == 0 {
            "none critical".to_owned()
        } else {
            format!("{criticals} critical")
        };
        let part =
            self.part().map(|part| format!(" This is {part}, worst first.")).unwrap_or_default();
        let (alerts, are) = (plural(total, "alert", "alerts"), are(total));
        match self.occasion {
            Occasion::New => self.came_up(&critical, &part),
            Occasion::Reminder => format!(
                "Reminder: {total} {alerts} {are} still open and not acknowledged, \
                    {critical}.{part}"
            ),
            Occasion::Resolved => {
                format!("{total} {alerts} {are} resolved.{}{part}", self.endings())
            }
        }
    }

    /// One part knows its own members only, so that it cannot count the customers of all.
    fn came_up(&self, critical: &str, part: &str) -> String {
        let Digest { total, baseline, parts, .. } = *self.digest;
        let alerts = plural(total, "alert", "alerts");
        let first = if baseline { "First look: " } else { "" };
        if parts > 1 {
            let together = if baseline { "" } else { " in one poll" };
            return format!("{first}{total} {alerts}{together}, {critical}.{part}");
        }
        let customers = self.customers(|_| true);
        format!(
            "{first}{total} {alerts} about {customers} {}, {critical}.",
            plural(customers, "customer", "customers")
        )
    }

    /// How many customers have a member such as this.
    fn customers(&self, meant: impl Fn(&Alert) -> bool) -> u32 {
        let alerts = self.alerts.iter().map(|member| &member.alert).filter(|alert| meant(alert));
        let customers: HashSet<_> = alerts.map(|alert| alert.customer.id.key()).collect();
        u32::try_from(customers.len()).unwrap_or(u32::MAX)
    }

    /// The customers that have a member such as this by name, the first of many; none where there
    /// is none.
    fn named(&self, meant: impl Fn(&Alert) -> bool) -> Option<String> {
        let mut seen = HashSet::new();
        let pairs = self.alerts.iter().zip(&self.each).filter(|(one, _)| meant(&one.alert));
        let each: Vec<&Member> = pairs
            .filter(|(one, _)| seen.insert(one.alert.customer.id.key()))
            .map(|(_, member)| member)
            .collect();
        let more = each.len().saturating_sub(NAMED);
        let names: Vec<String> =
            each.iter().take(NAMED).map(|member| member.called.cut(SHORTEST)).collect();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!names.is_empty()).then(|| format!("{}{more}", names.join(", ")))
    }

    /// ` The budget was changed for 3 of them, the billing period is over for 9.`, of the members of
    /// this part.
    fn endings(&self) -> String {
        let count = |ended: Ended| {
            self.alerts
                .iter()
                .filter(|one| one.context.latest.as_ref().and_then(|l| l.ended) == Some(ended))
                .count()
        };
        let kinds = ENDINGS.iter().map(|(ended, words)| (count(*ended), *words));
        let kinds = kinds.filter(|(number, _)| *number > 0);
        let kinds: Vec<_> = kinds
            .enumerate()
            .map(|(place, (number, words))| {
                let of_them = if place == 0 { " of them" } else { "" };
                format!("{words} for {number}{of_them}")
            })
            .collect();
        if kinds.is_empty() {
            return String::new();
        }
        format!(" {}.", capitalized(&kinds.join(", ")))
    }

    /// How old the data is, and what comes next.
    pub(crate) fn second_line(&self) -> String {
        let next = match self.occasion {
            Occasion::New if self.digest.baseline => " From now on, each new step is told once.",
            Occasion::New => " All about one: budget-alertd explain CUSTOMER",
            Occasion::Reminder => " To end the reminders of one: budget-alertd ack REF",
            Occasion::Resolved => " Nothing to do.",
        };
        format!("{}{next}", self.age())
    }

    /// How old the usage is, where any is known.
    fn age(&self) -> String {
        let with_usage = self.alerts.iter().filter(|member| member.alert.has_usage());
        let dates = with_usage.map(|member| member.alert.usage_as_of.instant());
        let (oldest, newest) = (dates.clone().min(), dates.max());
        let raised = self.alerts.iter().map(|member| member.alert.raised_at).max();
        let seen = if self.occasion == Occasion::New { raised } else { Some(self.sent) };
        let span = |at: Timestamp, seen: Timestamp| times::span(times::seconds_between(at, seen));
        match (oldest, newest, seen) {
            (Some(oldest), Some(newest), Some(seen)) if oldest != newest => {
                let (newest, oldest, seen_at) =
                    (span(newest, seen), span(oldest, seen), times::moment(seen, seen, self.zone));
                format!("Usage between {newest} and {oldest} old, seen {seen_at}.")
            }
            (Some(date), Some(_), Some(seen)) if self.occasion == Occasion::New => {
                format!(
                    "Usage as of {} ({} old).",
                    times::as_of_and_seen(date, seen, self.zone),
                    span(date, seen)
                )
            }
            (Some(date), Some(_), Some(seen)) => {
                format!(
                    "Usage as of {} ({} old).",
                    times::moment(date, seen, self.zone),
                    span(date, seen)
                )
            }
            (None, None, Some(seen)) => {
                format!("Seen {}.", times::moment(seen, self.sent, self.zone))
            }
            _ => String::new(),
        }
    }

    /// What the members come to.
    pub(crate) fn totals(&self) -> Vec<Row> {
        if self.occasion == Occasion::Resolved {
            return Vec::new();
        }
        let mut rows =
            totals(&self.alerts.iter().map(|member| &member.alert), self.digest.parts > 1);
        rows.extend(self.digest.totals.iter().flat_map(|all| self.all(all)));
        rows
    }

    /// What all alerts come to where some are in no part, and how to see those.
    fn all(&self, all: &DigestTotals) -> Vec<Row> {
        let severities = all
            .by_severity
            .iter()
            .map(|(severity, count)| format!("{count} {}", severity.as_str()));
        let currencies = all.by_currency.iter().map(|(currency, count, over)| match currency {
            Some(currency) => {
                format!("{count} in {currency}, {} over", money(*over, Some(*currency)))
            }
            None => format!("{count} in an unknown currency"),
        });
        let since = self.alerts.iter().map(|member| member.alert.raised_at).min();
        let list = since
            .map(|since| format!("{} more: budget-alertd alerts --since {since}", all.left_out));
        let all = [
            severities.collect::<Vec<_>>().join(" · "),
            currencies.collect::<Vec<_>>().join(" · "),
        ]
        .join("; ");
        known([("In all", Some(all)), ("Not listed", list)])
    }

    /// The members as lines of plain text.
    pub(crate) fn table(&self) -> Vec<String> {
        table(&self.members)
    }

    /// What must be known to read the numbers right, for the digest as a whole.
    pub(crate) fn note(&self) -> Option<String> {
        if self.occasion == Occasion::Resolved {
            return None;
        }
        // A security alert belongs to no billing period.
        let named = |meant: fn(&Self, &Alert) -> bool| {
            self.named(|alert| alert.security.is_none() && meant(self, alert))
        };
        let over = named(|text, alert| text.sent >= alert.billing_period.end);
        let over = over.map(|names| format!("The billing period of {names} is over by now."));
        let assumed = named(|_, alert| alert.billing_period.source == PeriodSource::Assumed);
        let assumed = assumed.map(|names| format!("The billing period of {names} is assumed."));
        let raised = self.alerts.iter().map(|member| member.alert.raised_at).max();
        let late = raised
            .filter(|_| self.occasion == Occasion::New)
            .and_then(|seen| lateness(seen, self.sent));
        let notes: Vec<_> = [over, assumed, late].into_iter().flatten().collect();
        (!notes.is_empty()).then(|| notes.join(" "))
    }
}

/// Marks those that read like another customer's in the same message, cut as short as its shortest
/// list shows them.
fn tell_apart(alerts: &mut [Cow<'_, AlertSnapshot>]) {
    let named = |one: &Cow<'_, AlertSnapshot>| {
        (Name::of(&one.alert.customer, false), one.alert.customer.id.key())
    };
    let alike = names::alike(alerts.iter().map(named));
    for one in alerts.iter_mut().filter(|one| alike.contains(&one.alert.customer.id.key())) {
        one.to_mut().context.has_namesake = true;
    }
}

fn plural(count: u32, one: &'static str, many: &'static str) -> &'static str {
    if count == 1 { one } else { many }
}

fn are(count: u32) -> &'static str {
    plural(count, "is", "are")
}
