//! Further reasons why a message tells of a customer: each alert but the worst in a line of its own.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::{AlertSnapshot, Metric, Occasion};
use crate::notify::message::later::{Later, brought_up_to_date, released};
use crate::notify::message::rows::Row;
use crate::notify::message::telling::AlertWording;
use crate::text::amounts::percent;

/// What stands before a further reason.
pub(crate) const ALSO: &str = "Also";
/// So many further reasons are written out; of more, only the references are named.
const MOST: usize = 8;
/// So many references are named.
const MOST_REFERENCES: usize = 20;

/// Each of these alerts in a line, sent at `sent`, with times in `zone`.
pub(super) fn reasons(
    occasion: Occasion,
    alerts: &[AlertSnapshot],
    zone: &TimeZone,
    sent: Timestamp,
) -> Vec<String> {
    alerts
        .iter()
        .map(|raised| reason(occasion, raised, &as_told(occasion, raised, sent), zone, sent))
        .collect()
}

/// The alert with the numbers that it is told with on this occasion.
pub(super) fn as_told(
    occasion: Occasion,
    raised: &AlertSnapshot,
    sent: Timestamp,
) -> Cow<'_, AlertSnapshot> {
    match occasion {
        Occasion::New if raised.context.latest.is_some() => Cow::Owned(released(raised, sent)),
        Occasion::New => Cow::Borrowed(raised),
        Occasion::Reminder | Occasion::Resolved => Cow::Owned(brought_up_to_date(raised)),
    }
}

/// `WARNING 160 % of its November budget: 3,200 of 2,000 EUR · spend ≥ 100 % · Nov · 7A2B33C1`.
pub(super) fn reason(
    occasion: Occasion,
    raised: &AlertSnapshot,
    now: &AlertSnapshot,
    zone: &TimeZone,
    sent: Timestamp,
) -> String {
    let telling = AlertWording::new(now, zone);
    let origin = telling.origin();
    let severity = telling.alert.severity.as_str().to_ascii_uppercase();
    if occasion == Occasion::Resolved {
        let later = Later::new(raised, now, zone, sent);
        return format!(
            "was {severity} · {}. {} · {origin}",
            later.ended_by(),
            later.course_since()
        );
    }
    let change = telling.budget_change().map(|change| format!(" · budget {change}"));
    format!("{severity} {}{} · {origin}", telling.reason(), change.unwrap_or_default())
}

/// The references alone, as one line, where there is no room for more.
pub(crate) fn references(shown: &[String]) -> Vec<String> {
    let all: Vec<&str> = shown.iter().filter_map(|reason| reason.rsplit(" · ").next()).collect();
    if all.is_empty() { Vec::new() } else { vec![all.join(", ")] }
}

/// What is shown of further reasons: the first of them, and of the others the references.
pub(super) fn rows(reasons: &[String]) -> Vec<Row> {
    shown(reasons).into_iter().map(|text| Row { label: ALSO, text }).collect()
}

/// The same as lines.
pub(super) fn shown(reasons: &[String]) -> Vec<String> {
    let (written, others) = reasons.split_at_checked(MOST).unwrap_or((reasons, &[]));
    let references = others.iter().filter_map(|reason| reason.rsplit(" · ").next());
    let named: Vec<&str> = references.take(MOST_REFERENCES).collect();
    let more = (!others.is_empty()).then(|| format!("{} more: {}", others.len(), named.join(", ")));
    written.iter().cloned().chain(more).collect()
}

impl AlertWording<'_> {
    /// How the customer stands by this alert alone, in one phrase.
    fn reason(&self) -> String {
        let brief = self.brief();
        match (self.alert.metric, self.percent_used(), self.badge()) {
            (Metric::PercentUsed, Some(used), _) if self.alert.budget.is_some() => {
                format!("{} of {}: {}", percent(used), self.period.budget, self.cost_of_budget())
            }
            (_, _, Some(badge)) => format!("{badge}: {brief}"),
            (_, _, None) => brief,
        }
    }
}
