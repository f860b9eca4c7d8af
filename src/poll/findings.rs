//! What a poll says of the daemon itself: each kind of trouble becomes a finding, open until a good
//! poll is without it.

use jiff::{SignedDuration, Timestamp};

use crate::alerting::PollMemory;
use crate::delivery::OperatorFindings;
use crate::delivery::operator_findings::FindingClosure;
use crate::domain::{Alert, FindingCode, OperatorFinding};
use crate::ledger::{Ledger, LedgerError, Reader};
use crate::poll::candidate::Tally;
use crate::poll::crossing::CrossingCustomers;
use crate::poll::report::CycleReport;
use crate::text::{Name, money, seconds_between, span};

/// Microsoft's data is about a day behind; older than this, it stands still.
const STALE: SignedDuration = SignedDuration::from_hours(36);
/// The ages of a sign-in, in days of its 90, at which the operator is told; the last one first.
const AGES: [i64; 3] = [87, 76, 60];

/// The subject of the finding on budgets that may be of no subscription at all.
const NEVER_SEEN: &str = "never seen";
/// The subject of the finding on patterns that fit nobody.
const PATTERNS: &str = "match";

/// What a poll found, for the operator.
pub(crate) struct PollFindings<'a> {
    pub(crate) findings: &'a OperatorFindings,
    pub(crate) ledger: &'a Ledger,
    pub(crate) now: Timestamp,
    /// When the sign-in that the source uses was issued, where that is known.
    pub(crate) signed_in_at: Option<Timestamp>,
    pub(crate) memory: &'a PollMemory,
    pub(crate) report: &'a CycleReport,
    pub(crate) tally: &'a Tally,
    /// Whether the source answered without any item where that is no good poll.
    pub(crate) unexpectedly_empty: bool,
}

impl PollFindings<'_> {
    /// Opens and closes the findings that a poll decides about. Returns how many customers can
    /// never alert, or fewer: what the next poll measures a growth against.
    pub(crate) async fn tell(&self) -> Result<Option<u64>, LedgerError> {
        self.tell_failures().await?;
        self.tell_sign_in().await?;
        self.findings.tell_overdue().await?;
        self.tell_crossings().await?;
        if !self.report.good {
            return Ok(self.memory.uncovered);
        }
        self.tell_oddities().await?;
        self.tell_unread().await?;
        self.tell_unknown().await?;
        self.tell_age().await?;
        self.tell_coverage().await
    }

    /// Why nothing could be read, or that it can be read again: only a good poll ends that.
    async fn tell_failures(&self) -> Result<(), LedgerError> {
        let Self { report, memory, unexpectedly_empty, .. } = *self;
        if let Some(failure) = &report.failure {
            self.findings.report(failure.clone()).await?;
        }
        if unexpectedly_empty {
            let action = "check the account; if it is true, run: budget-alertd poll --accept-empty";
            self.findings
                .report(finding(FindingCode::UsageEmpty, empty(memory).to_owned(), action))
                .await?;
        }
        if !report.good {
            return Ok(());
        }
        let items = if report.records + report.skipped > 0 {
            "the source has items again"
        } else {
            "the empty answer was accepted as true"
        };
        for (code, what) in [
            (FindingCode::SourceFailing, "usage is read again"),
            (FindingCode::SignInRefused, "the sign-in is accepted again"),
            (FindingCode::MfaRequired, "the sign-in is accepted again"),
            (FindingCode::RoleMissing, "Partner Center grants access again"),
            (FindingCode::UsageEmpty, items),
        ] {
            let more = lateness(report.raised, memory.last_good_at, self.now);
            self.findings.clear(code, "", FindingClosure { what: what.to_owned(), more }).await?;
        }
        Ok(())
    }

    /// A sign-in that is not renewed ends after 90 days.
    async fn tell_sign_in(&self) -> Result<(), LedgerError> {
        let (report, issued) = (self.report, self.signed_in_at);
        if issued.is_none() && !report.good {
            return Ok(());
        }
        let days = issued.map_or(0, |issued| self.now.duration_since(issued).as_hours() / 24);
        let reached = AGES.into_iter().find(|age| days >= *age);
        if let Some(age) = reached {
            let finding = OperatorFinding {
                code: FindingCode::SignInExpiring,
                subject: format!("{age} days"),
                summary: format!(
                    "the sign-in to Partner Center is {age} of its 90 days old and \
                    was not renewed since"
                ),
                action: "sign in again (`budget-alertd login`, or a new token where \
                    source.refresh_token reads it) before it expires"
                    .to_owned(),
            };
            self.findings.report(finding).await?;
        }
        for age in AGES.into_iter().filter(|age| reached != Some(*age)) {
            let subject = format!("{age} days");
            if reached.is_some() {
                self.findings.replace(FindingCode::SignInExpiring, &subject).await?;
            } else {
                self.findings
                    .clear(
                        FindingCode::SignInExpiring,
                        &subject,
                        FindingClosure::of("the sign-in was renewed"),
                    )
                    .await?;
            }
        }
        Ok(())
    }

    /// Records and budgets that could not be used.
    async fn tell_oddities(&self) -> Result<(), LedgerError> {
        let Self { report, tally, .. } = *self;
        let skipped = format!("{} usage records could not be used", report.skipped);
        let words = (skipped, "see the errors of the last poll in budget-alertd status");
        let ending = FindingClosure::of("all usage records can be used again");
        self.findings
            .report_if(report.skipped > 0, FindingCode::RecordsUnusable, words, ending)
            .await?;
        let clashes = format!(
            "local budgets in another currency than the usage are not used: {}",
            first_of(&tally.clashes)
        );
        let words = (clashes, "set the budgets in the currency of the usage");
        let ending = FindingClosure::of("all local budgets are in the currency of the usage again");
        self.findings
            .report_if(!tally.clashes.is_empty(), FindingCode::CurrencyClash, words, ending)
            .await
    }

    /// Subscriptions that could not be asked about. A failed poll asks about none of them.
    async fn tell_unread(&self) -> Result<(), LedgerError> {
        let tally = self.tally;
        let unread = format!(
            "budgets of subscriptions could not be judged, their usage could not be read: {}",
            first_of(&tally.unread)
        );
        let ending =
            FindingClosure::of("the usage of all subscriptions with a budget can be read again");
        let words = (unread, "nothing if it passes, each poll asks again; the log says why");
        self.findings
            .report_if(!tally.unread.is_empty(), FindingCode::SubscriptionsUnread, words, ending)
            .await?;
        if tally.never_seen.is_empty() {
            let ending = FindingClosure::of("usage was found of every subscription with a budget");
            return self.findings.clear(FindingCode::SubscriptionsUnread, NEVER_SEEN, ending).await;
        }
        let never_seen = OperatorFinding {
            code: FindingCode::SubscriptionsUnread,
            subject: NEVER_SEEN.to_owned(),
            summary: format!(
                "no usage was ever found of subscriptions that have a budget: {}",
                first_of(&tally.never_seen)
            ),
            action:
                "check customer_id and subscription_id in the spreadsheet; a subscription that \
                was never used needs nothing"
                    .to_owned(),
        };
        self.findings.report(never_seen).await
    }

    /// Customers and patterns of the configuration that are nobody's, as far as it is known.
    async fn tell_unknown(&self) -> Result<(), LedgerError> {
        let Self { report, tally, .. } = *self;
        if report.records == 0 {
            return Ok(());
        }
        let of = text_of_number(
            tally.unknown.len(),
            "customer that is described here",
            "customers that are described here",
        );
        let summary = format!("no usage was ever seen of {of}: {}", first_of(&tally.unknown));
        let action = "check the ids in [customers] and in the spreadsheet: budget-alertd coverage \
            says who may be meant; a customer that has used nothing yet needs nothing";
        let ending = FindingClosure::of("usage was seen of every customer that is described here");
        self.findings
            .report_if(
                !tally.unknown.is_empty(),
                FindingCode::CustomersUnknown,
                (summary, action),
                ending,
            )
            .await?;
        if tally.idle.is_empty() {
            let ending = FindingClosure::of("every pattern in match.customers fits a customer");
            return self.findings.clear(FindingCode::CustomersUnknown, PATTERNS, ending).await;
        }
        let idle = OperatorFinding {
            code: FindingCode::CustomersUnknown,
            subject: PATTERNS.to_owned(),
            summary: format!(
                "patterns in match.customers fit no customer: {}",
                first_of(&tally.idle)
            ),
            action: "check the names: budget-alertd coverage says who may be meant".to_owned(),
        };
        self.findings.report(idle).await
    }

    /// The age of the whole collection: one finding, not one for each customer.
    async fn tell_age(&self) -> Result<(), LedgerError> {
        let Some(newest) = self.report.newest else { return Ok(()) };
        let date = newest.strftime("%-d %b %Y %H:%M UTC");
        let summary = format!(
            "the newest usage data is of {date}, more than 36 h old: overspends since then are not \
                seen"
        );
        let action = "nothing is to do if it passes: Microsoft's data is usually about 24 h \
            behind. Else check the health of Partner Center.";
        let stale = self.now.duration_since(newest) > STALE;
        self.findings
            .report_if(
                stale,
                FindingCode::UsageStale,
                (summary, action),
                FindingClosure::of("newer usage data came"),
            )
            .await
    }

    /// Suspiciously many customers at once.
    async fn tell_crossings(&self) -> Result<(), LedgerError> {
        let report = self.report;
        let held = self.ledger.read(Reader::held).await?;
        let suspicious = report.crossing.is_suspicious(report.records);
        if !suspicious && held > 0 {
            return self.tell_held(held).await;
        }
        if !report.good && held == 0 {
            return Ok(());
        }
        if suspicious {
            return self
                .findings
                .report(crossing_finding(&report.crossing, report.records, held))
                .await;
        }
        self.findings
            .clear(
                FindingCode::MassCrossing,
                "",
                FindingClosure::of("the next poll raised no such number of alerts"),
            )
            .await
    }

    /// What an earlier poll held is news until it is released: whoever held it may have been killed
    /// before saying so, or before knowing whether it had to be held.
    async fn tell_held(&self, held: u64) -> Result<(), LedgerError> {
        let open = self.ledger.read(Reader::findings).await?;
        if open.iter().any(|open| open.finding.code == FindingCode::MassCrossing) {
            return Ok(());
        }
        let summary = format!(
            "{}: suspiciously many customers reached a step in one poll, or a poll ended before it \
                knew",
            are_held(held)
        );
        self.findings.report(finding(FindingCode::MassCrossing, summary, RELEASE)).await
    }

    /// Customers that can never alert: a growth is told, against a number that stays until it is
    /// reached again.
    async fn tell_coverage(&self) -> Result<Option<u64>, LedgerError> {
        let Self { report, tally, memory, .. } = *self;
        let now: u64 =
            tally.uncovered.values().map(|count| u64::try_from(*count).unwrap_or_default()).sum();
        let before = memory.uncovered.unwrap_or(now);
        let reasons: Vec<String> = crate::metrics::COVERAGE_REASONS
            .into_iter()
            .filter_map(|reason| {
                Some(format!(
                    "{} {reason}",
                    tally.uncovered.get(reason).filter(|count| **count > 0)?
                ))
            })
            .collect();
        let summary =
            format!("{now} customers can never alert, {before} before: {}", reasons.join(", "));
        let action = "run budget-alertd coverage: it lists them and says what to do";
        let ending = FindingClosure::of("no more customers than before are without coverage");
        self.findings
            .report_if(now > before, FindingCode::CoverageGrew, (summary, action), ending)
            .await?;
        // Customers that are missing from this answer may be in the next one.
        let fewer_items =
            memory.last_good_items.is_some_and(|items| report.records + report.skipped < items);
        Ok(Some(if fewer_items { before } else { now.min(before) }))
    }
}

/// What to do with messages to customers that are held.
const RELEASE: &str = "to send what is held: budget-alertd deliveries release; to drop it: \
    budget-alertd deliveries release --discard";

fn are_held(held: u64) -> String {
    if held == 1 {
        "1 message to a customer is held".to_owned()
    } else {
        format!("{held} messages to customers are held")
    }
}

/// That suspiciously many of so many customers crossed, and so many messages to them are held.
pub(crate) fn crossing_finding(
    crossing: &CrossingCustomers,
    records: u64,
    held: u64,
) -> OperatorFinding {
    let held_too = if held == 0 { String::new() } else { format!("; {}", are_held(held)) };
    let summary = format!(
        "{} of {records} customers reached a step in one poll, suspiciously many{held_too}; the \
            most money: {}",
        crossing.customers,
        costliest(&crossing.costliest)
    );
    let look = "look at a few of them in Partner Center before acting: prices, a currency or an \
        incident at Microsoft may be behind it";
    let action = if held == 0 { look.to_owned() } else { format!("{look}; {RELEASE}") };
    finding(FindingCode::MassCrossing, summary, &action)
}

/// What is said of an answer without items that nobody has called the truth.
pub(crate) fn empty(memory: &PollMemory) -> &'static str {
    match memory.last_good_items {
        Some(_) => {
            "the source answered without any item where the last good poll had some; nothing is \
                concluded from that"
        }
        None => {
            "the source answered without any item, and no poll has been good yet: it may be the \
                wrong account, or no answer of Partner Center"
        }
    }
}

fn finding(code: FindingCode, summary: String, action: &str) -> OperatorFinding {
    OperatorFinding { code, subject: String::new(), summary, action: action.to_owned() }
}

/// How late alerts may be that a poll raised after a time without good ones.
fn lateness(alerts: u64, last_good: Option<Timestamp>, now: Timestamp) -> String {
    let Some(last_good) = last_good else { return String::new() };
    let seconds = seconds_between(last_good, now).max(0);
    let hours = (seconds / 3600 + i64::from(seconds % 3600 > 0)).max(1);
    let gap = format!("; nothing was read for {}", span(seconds));
    match alerts {
        0 => format!("{gap}, and no new alert came of it"),
        1 => format!("{gap}; 1 alert may be up to {hours} h late"),
        _ => format!("{gap}; {alerts} alerts may be up to {hours} h late"),
    }
}

/// What some alerts cost.
fn costliest(alerts: &[Alert]) -> String {
    let one = |alert: &Alert| {
        let name = Name::of(&alert.customer, false).cut(60);
        format!("{name} ({})", money(alert.cost.amount, alert.cost.currency))
    };
    alerts.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// `1 customer`, `2 customers`.
fn text_of_number(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn first_of(texts: &[String]) -> String {
    let shown: Vec<&str> = texts.iter().take(3).map(String::as_str).collect();
    let more = texts.len().saturating_sub(shown.len());
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", shown.join(", "))
}
