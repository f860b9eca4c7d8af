//! Reminds the operator of claims that must be filed: what is marked as fraud, 30, 50 and 57
//! days after its first day, until somebody has gathered the evidence or takes the mark back. Each
//! reminder is a finding, so that it is told once, whatever becomes of the process.

use jiff::Timestamp;
use jiff::ToSpan as _;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use crate::alerting::{CustomerState, DailyCosts, Misuse, SignSource};
use crate::delivery::{FindingClosure, OperatorFindings};
use crate::domain::{CustomerKey, FindingCode, OperatorFinding, utc_day};
use crate::ledger::{LedgerError, OpenFinding, Reader};
use crate::text::{clean, money};

/// How far back marks are looked for: beyond the last day on which anybody is reminded, so that it
/// is known why a reminder ends.
const LOOK_BACK: jiff::SignedDuration = jiff::SignedDuration::from_hours(150 * 24);

/// What reminds of claims.
#[derive(Clone)]
pub struct ClaimReminders {
    /// Where they are told.
    pub findings: OperatorFindings,
    /// At what time of the day.
    pub at: Time,
    /// In which time zone.
    pub zone: TimeZone,
}

/// What a look has found.
struct Looked {
    /// What is marked as fraud.
    misuses: Vec<Misuse>,
    /// What is due.
    due: Vec<OperatorFinding>,
    /// What has been told before, each with what the customer is called.
    open: Vec<(OpenFinding, String)>,
}

impl Looked {
    /// Whether a later reminder of the same misuse is due, or one of misuse that is dated anew.
    fn is_replaced(&self, subject: &str) -> bool {
        let is_known = self.misuses.iter().any(|misuse| told_after(subject, misuse).is_some());
        self.due.iter().any(|due| {
            start_of(&due.subject) == start_of(subject)
                || (!is_known && customer_of(&due.subject) == customer_of(subject))
        })
    }
}

impl ClaimReminders {
    /// Tells what has become due, and ends what is due no more.
    pub async fn step(&self) -> Result<(), LedgerError> {
        let (now, at, zone) = (self.findings.clock.now(), self.at, self.zone.clone());
        let looked = self.findings.ledger.read(move |reader| look(reader, now, at, &zone)).await?;
        for (open, name) in &looked.open {
            let subject = &open.finding.subject;
            if looked.due.iter().any(|due| due.subject == *subject) {
                continue;
            }
            if looked.is_replaced(subject) {
                self.findings.give_way(FindingCode::ClaimDue, subject).await?;
            } else {
                let ending = ending(subject, name, &looked.misuses);
                self.findings.clear(FindingCode::ClaimDue, subject, ending).await?;
            }
        }
        for due in looked.due {
            self.findings.report(due).await?;
        }
        Ok(())
    }
}

fn look(reader: &Reader, now: Timestamp, at: Time, zone: &TimeZone) -> Result<Looked, LedgerError> {
    let since = now.saturating_sub(LOOK_BACK).unwrap_or(Timestamp::MIN);
    let signs = reader.fraud_since(since)?;
    let left = signs.iter().filter(|sign| sign.evidence.is_none()).cloned().collect();
    // What begins anew beside misuse whose evidence was gathered is a claim of its own.
    let left = Misuse::group(left);
    let misuses = Misuse::group(signs);
    let mut open = Vec::new();
    for told in reader.findings()? {
        if told.finding.code == FindingCode::ClaimDue {
            let customer = CustomerKey::of(customer_of(&told.finding.subject));
            let name = name_of(state_of(reader, &customer)?.as_ref(), &customer);
            open.push((told, name));
        }
    }
    let mut due = Vec::new();
    for misuse in &left {
        let told = open.iter().filter_map(|(open, _)| told_after(&open.finding.subject, misuse));
        if let Some(days) = misuse.reminder(now, (at, zone), told.max()) {
            due.push(Claim::of(reader, misuse)?.finding(days, utc_day(now)));
        }
    }
    Ok(Looked { misuses, due, open })
}

/// `{customer}, {first day}, day 30`.
fn subject(misuse: &Misuse, days: i64) -> String {
    format!("{}, day {days}", start(misuse))
}

fn start(misuse: &Misuse) -> String {
    format!("{}, {}", misuse.customer.as_str(), misuse.first_day)
}

/// After how many days a finding with this subject was told; none of another misuse.
fn told_after(subject: &str, misuse: &Misuse) -> Option<i64> {
    subject.strip_prefix(&start(misuse))?.strip_prefix(", day ")?.parse().ok()
}

/// Customer and first day.
fn start_of(subject: &str) -> &str {
    subject.rsplit_once(", ").map_or(subject, |(start, _)| start)
}

fn customer_of(subject: &str) -> &str {
    let mut parts = subject.rsplitn(3, ", ");
    parts.nth(2).unwrap_or(subject)
}

/// Why nobody is reminded any more.
fn ending(subject: &str, name: &str, misuses: &[Misuse]) -> FindingClosure {
    let same = misuses.iter().find(|misuse| told_after(subject, misuse).is_some());
    FindingClosure::of(match (same, same.and_then(Misuse::evidence)) {
        (Some(_), Some((_, by))) => {
            format!("{} has gathered the evidence about {name}", clean(by, 100))
        }
        (Some(_), None) => format!("the time to file a claim for {name} is over"),
        (None, _) => format!("what happened at {name} is no longer marked as fraud"),
    })
}

/// A claim that must be filed.
struct Claim<'a> {
    misuse: &'a Misuse,
    name: String,
    /// What was spent since, in words.
    spent: Option<String>,
}

impl<'a> Claim<'a> {
    fn of(reader: &Reader, misuse: &'a Misuse) -> Result<Self, LedgerError> {
        let seen = state_of(reader, &misuse.customer)?;
        let spent = match &seen {
            Some(seen) => {
                spent(seen, &DailyCosts::of(seen, &reader.history(&misuse.customer)?), misuse)
            }
            None => None,
        };
        Ok(Self { misuse, name: name_of(seen.as_ref(), &misuse.customer), spent })
    }

    fn finding(&self, days: i64, today: Date) -> OperatorFinding {
        let Self { misuse, name, spent } = self;
        let by = misuse.marked().and_then(|mark| mark.by.as_deref());
        let by = by.map(|by| format!(", marked by {}", clean(by, 60))).unwrap_or_default();
        let spent = spent.as_ref().map(|spent| format!(", {spent}")).unwrap_or_default();
        let (first, last) = (written(misuse.first_day), written(misuse.file_by()));
        let (must, left) = left(today, misuse.file_by());
        OperatorFinding {
            code: FindingCode::ClaimDue,
            subject: subject(misuse, days),
            summary: format!(
                "{name}: the claim for fraud {must} be filed with Microsoft by {last}, {left}; \
                    misuse since {first} (estimate){spent}{by}"
            ),
            action: self.action(),
        }
    }

    fn action(&self) -> String {
        let of_run = |source: &SignSource| matches!(source, SignSource::Spikes { .. });
        let run = self.misuse.fraud().find(|sign| of_run(&sign.source));
        let named = run.or(self.misuse.fraud().next()).map(|sign| &*sign.reference);
        let reference = clean(named.unwrap_or_default(), 80);
        let undo = run.map(|_| format!(", as does budget-alertd ack {reference} --undo"));
        format!(
            "budget-alertd evidence --incident {reference} gathers what the claim needs, and ends \
                these reminders{}",
            undo.unwrap_or_default()
        )
    }
}

/// `1,200 EUR more than usual so far`.
fn spent(seen: &CustomerState, costs: &DailyCosts, misuse: &Misuse) -> Option<String> {
    let (from, until) = (misuse.first_day, misuse.covered_until().saturating_sub(1.day()));
    let amount = |value: Decimal| money(value, seen.currency);
    match costs.usual_before(from) {
        Some(usual) => {
            let above = costs.above(usual, from, until)?;
            Some(format!("{} more than usual so far", amount(above)))
        }
        None => Some(format!("{} spent since", amount(costs.spent(from, until)?))),
    }
}

fn state_of(reader: &Reader, customer: &CustomerKey) -> Result<Option<CustomerState>, LedgerError> {
    Ok(reader.current(customer)?.map(|remembered| remembered.seen))
}

/// What the customer is called.
fn name_of(seen: Option<&CustomerState>, customer: &CustomerKey) -> String {
    let name = seen.map(|seen| seen.label.as_deref().unwrap_or(&seen.name));
    clean(name.filter(|name| !name.trim().is_empty()).unwrap_or(customer.as_str()), 80)
}

fn written(day: Date) -> String {
    day.strftime("%a %-d %b %Y").to_string()
}

fn left(today: Date, last: Date) -> (&'static str, String) {
    match today.until(last).map_or(0, |span| span.get_days()) {
        days if days < 0 => ("was to", format!("{} days ago", days.unsigned_abs())),
        0 => ("must", "today".to_owned()),
        1 => ("must", "tomorrow".to_owned()),
        days => ("must", format!("in {days} days")),
    }
}
