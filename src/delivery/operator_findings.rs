//! The operator's findings: a finding becomes a line in the log, a row in the ledger (which keeps
//! its metric) and, once it has been open for long enough, one message to each of the operator's
//! notifiers; its end becomes another. What the messages look like is `notify`'s, and delivering
//! them is [`crate::delivery::DeliveryWorker`]'s.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use uuid::Uuid;

use crate::alerting::{Content, NewMessage};
use crate::clock::Clock;
use crate::domain::{
    Audience, FindingCode, OperatorFinding, OperatorNews, Origin, Route, Severity, has_passed,
    is_ahead,
};
use crate::ledger::{GivenUp, Ledger, LedgerError, OpenFinding, Reader};
use crate::text::{seconds_between, span};

/// A notifier that failed once is probed again after 4 seconds or more: what that mends is no news.
const PROBED_AGAIN: Duration = Duration::from_secs(4);

/// How long a loss stands for those that follow it.
const ANOTHER_DAY: Duration = Duration::from_hours(24);

/// How long it takes at most to say that something was given up.
const SAYS_SO_WITHIN: Duration = Duration::from_mins(1);

/// Where findings are told. Cloning shares it.
#[derive(Clone)]
pub struct OperatorFindings {
    pub(crate) ledger: Ledger,
    pub(crate) clock: Arc<dyn Clock>,
    telling: AlertWording,
    owed: watch::Sender<u64>,
}

/// Who is told, and when.
#[derive(Clone)]
struct AlertWording {
    routes: Arc<[Route]>,
    source_failing_after: Duration,
    from: Option<Origin>,
    /// The ledger that messages belong to.
    ledger: Uuid,
}

/// How a finding ended, in words: `{what} after 3 h 5 min{more}`.
pub(crate) struct FindingClosure {
    pub(crate) what: String,
    pub(crate) more: String,
}

impl FindingClosure {
    /// An ending about which there is no more to say.
    pub(crate) fn of(what: impl Into<String>) -> Self {
        Self { what: what.into(), more: String::new() }
    }
}

impl OperatorFindings {
    /// A findings that tells the operator by these routes; `None`: only the log, the metric and
    /// `status`.
    pub fn new(
        ledger: Ledger,
        clock: Arc<dyn Clock>,
        routes: Vec<Route>,
        source_failing_after: Duration,
    ) -> Self {
        let telling = AlertWording {
            routes: routes.into(),
            source_failing_after,
            from: None,
            ledger: ledger.identity(),
        };
        Self { ledger, clock, telling, owed: watch::Sender::new(0) }
    }

    /// The same findings, which says whose news it tells.
    #[must_use]
    pub fn at(self, origin: Origin) -> Self {
        Self { telling: AlertWording { from: Some(origin), ..self.telling }, ..self }
    }

    /// Which daemon its news are of, where that is known.
    pub(crate) fn origin(&self) -> Option<Origin> {
        self.telling.from.clone()
    }

    /// The same findings, bumping this when it owes something new, so that it is delivered at once.
    #[must_use]
    pub fn calling(self, owed: watch::Sender<u64>) -> Self {
        Self { owed, ..self }
    }

    /// What is bumped when the findings owes something new.
    pub fn owed(&self) -> &watch::Sender<u64> {
        &self.owed
    }

    /// Opens a finding; one that is open already is only brought up to date.
    pub(crate) async fn report(&self, finding: OperatorFinding) -> Result<(), LedgerError> {
        if self.record(finding.clone()).await? {
            log(&finding);
        }
        Ok(())
    }

    /// What is owed for a finding that is opened now.
    pub(crate) fn news(&self, finding: &OperatorFinding) -> Vec<NewMessage> {
        let now = self.clock.now();
        self.telling.raised(finding, now, now)
    }

    /// The same without a line in the log; returns whether the finding is new.
    pub(crate) async fn record(&self, finding: OperatorFinding) -> Result<bool, LedgerError> {
        let (now, telling, told) = (self.clock.now(), self.telling.clone(), finding.clone());
        let reported = self
            .ledger
            .report(finding, now, move |since| telling.raised(&told, since, now))
            .await?;
        self.wake_if(reported.told);
        Ok(reported.new)
    }

    /// The same for what is another loss each time: a finding that has been open for a day gives
    /// way to a new one, so that it is told again.
    pub(crate) async fn report_again(&self, finding: OperatorFinding) -> Result<(), LedgerError> {
        let open = self.ledger.read(Reader::findings).await?;
        let same = open.iter().find(|open| {
            (open.finding.code, &open.finding.subject) == (finding.code, &finding.subject)
        });
        if same.is_some_and(|open| has_passed(ANOTHER_DAY, open.since, self.clock.now())) {
            self.replace(finding.code, &finding.subject).await?;
        }
        self.report(finding).await
    }

    /// Closes a finding, if it is open.
    pub(crate) async fn clear(
        &self,
        code: FindingCode,
        subject: &str,
        ending: FindingClosure,
    ) -> Result<(), LedgerError> {
        let (now, telling) = (self.clock.now(), self.telling.clone());
        let Some(closed) = self
            .ledger
            .clear(code, subject, now, move |open| telling.over(open, &ending, now))
            .await?
        else {
            return Ok(());
        };
        tracing::info!(
            finding.code = code.as_str(),
            finding.subject = notifier_of(subject),
            "over: {code}"
        );
        self.wake_if(closed.told);
        Ok(())
    }

    /// Keeps a finding that is over, of which the ledger could not be told before, and tells its
    /// end if it was told.
    pub(crate) async fn keep_past(
        &self,
        open: OpenFinding,
        ending: &FindingClosure,
    ) -> Result<(), LedgerError> {
        let now = self.clock.now();
        let messages = if open.told { self.telling.over(&open, ending, now) } else { Vec::new() };
        let owes = !messages.is_empty();
        self.ledger.keep_past_finding(open, now, messages).await?;
        self.wake_if(owes);
        Ok(())
    }

    /// Closes a finding that another one takes the place of: nobody is told that it is over.
    pub(crate) async fn replace(
        &self,
        code: FindingCode,
        subject: &str,
    ) -> Result<(), LedgerError> {
        self.ledger.clear(code, subject, self.clock.now(), |_| Vec::new()).await.map(drop)
    }

    /// Closes a finding whose place another one takes: only who keeps incidents is told, so that
    /// none of them stays open.
    pub(crate) async fn give_way(
        &self,
        code: FindingCode,
        subject: &str,
    ) -> Result<(), LedgerError> {
        let (now, telling) = (self.clock.now(), self.telling.with_incidents());
        let ending = FindingClosure::of("a later one has taken its place");
        let over = move |open: &OpenFinding| telling.over(open, &ending, now);
        let closed = self.ledger.clear(code, subject, now, over).await?;
        self.wake_if(closed.is_some_and(|closed| closed.told));
        Ok(())
    }

    /// Reports a finding without a subject while `open`, else closes it.
    pub(crate) async fn report_if(
        &self,
        open: bool,
        code: FindingCode,
        words: (String, &str),
        ending: FindingClosure,
    ) -> Result<(), LedgerError> {
        let (summary, action) = words;
        if open {
            self.report(OperatorFinding {
                code,
                subject: String::new(),
                summary,
                action: action.to_owned(),
            })
            .await
        } else {
            self.clear(code, "", ending).await
        }
    }

    /// Tells what has been open for long enough and was not told yet, also because there was nobody
    /// to tell.
    pub async fn tell_overdue(&self) -> Result<(), LedgerError> {
        let (now, telling) = (self.clock.now(), self.telling.clone());
        let told = self
            .ledger
            .tell_findings(now, move |open| telling.raised(&open.finding, open.since, now))
            .await?;
        self.wake_if(told);
        Ok(())
    }

    /// Closes the findings of given up deliveries where none is given up any more, because they
    /// were owed again; and tells what was given up by somebody who was killed before saying so.
    pub async fn forget_revived(&self) -> Result<(), LedgerError> {
        let mut findings = self.ledger.read(Reader::findings).await?;
        findings.retain(|open| open.finding.code == FindingCode::DeliveryDead);
        let given_up = self.ledger.read(Reader::given_up).await?;
        for OpenFinding { finding, .. } in &findings {
            if given_up.iter().all(|given_up| given_up.notifier != finding.subject) {
                let ending = FindingClosure::of(format!(
                    "what notifier \"{}\" had given up is owed again",
                    finding.subject
                ));
                self.clear(finding.code, &finding.subject, ending).await?;
            }
        }
        for GivenUp { notifier, dead, last } in given_up {
            let open = findings.iter().find(|open| open.finding.subject == notifier);
            if self.is_untold(last, open) {
                let summary =
                    format!("notifier \"{notifier}\" has given up deliveries; all in all {dead}");
                let action = format!(
                    "see budget-alertd deliveries; to send them again, run: budget-alertd \
                        deliveries retry --notifier {notifier}"
                );
                self.report_again(OperatorFinding {
                    code: FindingCode::DeliveryDead,
                    subject: notifier,
                    summary,
                    action,
                })
                .await?;
            }
        }
        Ok(())
    }

    /// Whether what was given up last is in no finding, though whoever gave it up has had the time
    /// to say so. An open one stands for what follows it for a day.
    fn is_untold(&self, last: Option<Timestamp>, open: Option<&OpenFinding>) -> bool {
        let Some(last) = last else { return false };
        let now = self.clock.now();
        // Nothing follows a finding of the future: the clock was ahead when it was opened.
        let after = |since| Duration::try_from(last.duration_since(since)).unwrap_or_default();
        let follows =
            |open: &OpenFinding| is_ahead(open.since, now) || after(open.since) >= ANOTHER_DAY;
        has_passed(SAYS_SO_WITHIN, last, now) && open.is_none_or(follows)
    }

    /// Something new is owed.
    pub(crate) fn wake(&self) {
        self.owed.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Whether the operator is told through this notifier.
    pub(crate) fn tells(&self, notifier: &str) -> bool {
        self.telling.routes.iter().any(|route| *route.notifier == *notifier)
    }

    /// Whether a finding has been open for long enough to be news.
    pub(crate) fn is_news(&self, open: &OpenFinding) -> bool {
        self.telling.is_news(&open.finding, open.since, self.clock.now())
    }

    fn wake_if(&self, told: bool) {
        if told {
            self.wake();
        }
    }
}

impl AlertWording {
    /// What is owed for an open finding now: nothing while it is young.
    fn raised(
        &self,
        finding: &OperatorFinding,
        since: Timestamp,
        now: Timestamp,
    ) -> Vec<NewMessage> {
        if self.is_news(finding, since, now) {
            self.messages(&OperatorNews::raised(finding, since, self.from.clone()))
        } else {
            Vec::new()
        }
    }

    fn is_news(&self, finding: &OperatorFinding, since: Timestamp, now: Timestamp) -> bool {
        has_passed(self.delay(finding), since, now)
    }

    /// What is owed for the end of a finding that was told.
    /// The same for those only who keep incidents.
    fn with_incidents(&self) -> Self {
        let routes = self.routes.iter().filter(|route| route.has_incidents()).cloned().collect();
        Self { routes, ..self.clone() }
    }

    fn over(&self, open: &OpenFinding, ending: &FindingClosure, now: Timestamp) -> Vec<NewMessage> {
        let OpenFinding { finding, since, .. } = open;
        let lasted = seconds_between(*since, now);
        let lasted = if lasted < 60 { "less than a minute".to_owned() } else { span(lasted) };
        let summary = format!("{} after {lasted}{}", ending.what, ending.more);
        let raised = OperatorNews::raised(finding, *since, self.from.clone());
        self.messages(&OperatorNews { summary, action: String::new(), over: true, ..raised })
    }

    /// How long a finding must have been open before it is news.
    fn delay(&self, finding: &OperatorFinding) -> Duration {
        let code = finding.code;
        let may_pass = code == FindingCode::SecuritySourceFailing && finding.subject.is_empty();
        if may_pass || matches!(code, FindingCode::SourceFailing | FindingCode::SubscriptionsUnread)
        {
            self.source_failing_after
        } else if code == FindingCode::NotifierFailing {
            PROBED_AGAIN
        } else {
            Duration::ZERO
        }
    }

    /// One message for each route, but never through the notifier that it is about.
    fn messages(&self, news: &OperatorNews) -> Vec<NewMessage> {
        let about = about(news.code, &news.subject);
        let routes =
            self.routes.iter().filter(|route| route.is_owed() && about != Some(&*route.notifier));
        // Nor to the recipient that it is about.
        let meant = |route: &Route| {
            let is_about = |recipient: &str| news.subject == subject_of(&route.notifier, recipient);
            route.recipients.only(|recipient| !is_about(recipient))
        };
        let message = |route: &Route| NewMessage {
            identity: Uuid::nil(),
            notifier: route.notifier.clone(),
            audience: Audience::Partner,
            held: false,
            recipients: meant(route),
            content: Content::Operator(news.clone()),
            severity: Severity::Warning,
        };
        let messages = routes.map(|route| message(route).identified(self.ledger));
        messages.filter(|message| message.recipients.count() > 0).collect()
    }
}

/// A new finding as a line in the log.
pub(crate) fn log(finding: &OperatorFinding) {
    let OperatorFinding { code, subject, summary, action } = finding;
    tracing::error!(
        finding.code = code.as_str(),
        finding.subject = subject,
        "{}; {action}",
        summary.trim_end_matches('.')
    );
}

/// The subject of a finding about one recipient of a notifier.
pub(crate) fn subject_of(notifier: &str, recipient: &str) -> String {
    format!("{notifier}: {recipient}")
}

/// Whether a finding is about a notifier, or about one of its recipients.
pub(crate) fn is_about(subject: &str, notifier: &str) -> bool {
    subject.strip_prefix(notifier).is_some_and(|rest| rest.is_empty() || rest.starts_with(": "))
}

/// The notifier of such a subject, or all of another one: addresses go into no log.
pub(crate) fn notifier_of(subject: &str) -> &str {
    subject.split_once(": ").map_or(subject, |(notifier, _)| notifier)
}

/// The notifier that a finding is about, through which it is not told then.
pub(crate) fn about(code: FindingCode, subject: &str) -> Option<&str> {
    matches!(code, FindingCode::NotifierFailing | FindingCode::DeliveryDead).then_some(subject)
}
