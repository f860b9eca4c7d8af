//! An alert as every destination shows it, new, told again or over: the texts; their form is each
//! destination's.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::Serialize;

use crate::domain::{AlertLinks, AlertSnapshot, Occasion, Severity};
use crate::notify::message::brief::Figure;
use crate::notify::message::budget_status::{BudgetStatus, Margin};
use crate::notify::message::chart::Chart;
use crate::notify::message::later::{Later, brought_up_to_date, released};
use crate::notify::message::reasons;
use crate::notify::message::rows::Row;
use crate::notify::message::telling::AlertWording;
use crate::text::amounts::percent;
use crate::text::times;

/// An alert in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct AlertText {
    pub occasion: Occasion,
    pub severity: Severity,
    /// What stands above all: `CRITICAL`, `RESOLVED · period over`.
    pub label: String,
    /// What stands above that, where it is told again.
    pub banner: Option<String>,
    pub subject: String,
    /// The customer.
    pub name: String,
    /// The number beside the name in a line.
    pub badge: Option<String>,
    /// The same where it is large.
    pub figure: Option<Figure>,
    /// What follows the name in a line.
    pub brief: String,
    /// The first two lines.
    pub first: String,
    pub second: String,
    /// The second line of a chat.
    pub chat: String,
    /// The date of the data as that line has it, for a chat that shows each reader their own time.
    pub dated: Dated,
    /// What a chat says in small letters, the alert's origin last.
    pub small: Vec<String>,
    pub bar: Option<Bar>,
    /// How the cost went, for destinations that show pictures.
    pub chart: Option<Chart>,
    pub rows: Vec<Row>,
    /// Further reasons why the customer is told of, in a line each; the rows have them too.
    pub also: Vec<String>,
    /// The customer's page in Partner Center.
    pub partner_center: Option<String>,
    /// Where somebody acts by a link: the customer in Partner Center is among them.
    pub links: Vec<NamedLink>,
}

/// A link with what it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct NamedLink {
    pub name: &'static str,
    pub url: String,
}

/// A moment, and the words for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Dated {
    pub at: Timestamp,
    pub words: String,
}

/// The budget as a bar, in whole percent of its width: what is used, then what is over or left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Bar {
    used: u32,
    rest: u32,
    over: bool,
    /// What stands below its two ends.
    legend: (String, String),
}

impl Bar {
    /// A bar of so many percent of the budget, without amounts.
    pub(crate) fn of_share(used: Decimal) -> Self {
        let whole = |number: Decimal| number.round().to_u32().unwrap_or(u32::MAX);
        let over = used > Decimal::ONE_HUNDRED;
        let width = if over {
            Decimal::ONE_HUNDRED
                .saturating_mul(Decimal::ONE_HUNDRED)
                .checked_div(used)
                .unwrap_or_default()
        } else {
            used
        };
        let width = if used == Decimal::ONE_HUNDRED { 100 } else { whole(width).clamp(2, 98) };
        let rest = Decimal::ONE_HUNDRED.saturating_sub(used);
        let legend = if over {
            ("budget".to_owned(), format!("{} over", percent(rest.abs())))
        } else {
            (format!("{} used", percent(used)), format!("{} left", percent(rest)))
        };
        Self { used: width, rest: 100_u32.saturating_sub(width), over, legend }
    }
}

impl AlertText {
    /// The words for `snapshot`, sent at `sent`, with times in `zone`.
    pub(crate) fn new(
        occasion: Occasion,
        snapshot: &AlertSnapshot,
        zone: &TimeZone,
        sent: Timestamp,
    ) -> Self {
        match occasion {
            Occasion::New if snapshot.context.latest.is_some() => {
                Self::released(snapshot, zone, sent)
            }
            Occasion::New => Self::raised(&AlertWording::new(snapshot, zone), sent),
            Occasion::Reminder | Occasion::Resolved => Self::later(occasion, snapshot, zone, sent),
        }
    }

    /// The words for the worst of several alerts about one customer, with the others as further
    /// reasons.
    pub(crate) fn of_reasons(
        occasion: Occasion,
        worst: &AlertSnapshot,
        others: &[AlertSnapshot],
        zone: &TimeZone,
        sent: Timestamp,
    ) -> Self {
        Self::new(occasion, worst, zone, sent)
            .with_reasons(&reasons::reasons(occasion, others, zone, sent))
    }

    /// The same with further reasons why the customer is told of.
    #[must_use]
    pub(super) fn with_reasons(mut self, reasons: &[String]) -> Self {
        self.rows.splice(0..0, reasons::rows(reasons));
        self.also = reasons::shown(reasons);
        self
    }

    fn raised(telling: &AlertWording<'_>, sent: Timestamp) -> Self {
        let notes = telling
            .budget_news()
            .map(|news| format!("Budget {news}."))
            .into_iter()
            .chain(telling.notes(sent));
        Self {
            subject: telling.subject(),
            first: telling.first_line(),
            second: telling.second_line(),
            chat: telling.chat_line(),
            small: small(notes, telling, Some(telling.advice())),
            dated: dated(telling, telling.alert.raised_at),
            chart: telling.chart(sent),
            rows: telling.rows(sent),
            ..Self::outline(Occasion::New, telling)
        }
    }

    fn released(snapshot: &AlertSnapshot, zone: &TimeZone, sent: Timestamp) -> Self {
        let now = released(snapshot, sent);
        let why = Later::new(snapshot, &now, zone, sent).silenced_until_now();
        let mut text = Self::raised(&AlertWording::new(&now, zone), sent);
        text.small.insert(0, why.clone());
        text.rows.insert(0, Row { label: "Silence", text: why });
        text
    }

    fn later(
        occasion: Occasion,
        snapshot: &AlertSnapshot,
        zone: &TimeZone,
        sent: Timestamp,
    ) -> Self {
        let now = brought_up_to_date(snapshot);
        let (later, telling) =
            (Later::new(snapshot, &now, zone, sent), AlertWording::new(&now, zone));
        let outline = Self::outline(occasion, &telling);
        if occasion == Occasion::Resolved {
            return Self {
                label: later.resolved_label().to_owned(),
                subject: later.resolved_subject(),
                first: later.resolved_first(),
                second: later.resolved_second(),
                chat: later.resolved_first(),
                small: small(std::iter::once(later.course_since() + "."), &telling, None),
                dated: dated(&telling, sent),
                rows: later.resolved_rows(),
                ..outline
            };
        }
        let change = later.change().map(|change| format!("Budget {change}."));
        Self {
            banner: Some(later.reminder_banner()),
            subject: later.reminder_subject(),
            first: later.reminder_first(),
            second: later.reminder_second(),
            chat: later.reminder_chat(),
            small: small(
                change.into_iter().chain(telling.doubts(sent)),
                &telling,
                Some("To end the reminders:"),
            ),
            dated: dated(&telling, sent),
            chart: telling.chart(sent),
            rows: later.reminder_rows(),
            ..outline
        }
    }

    /// What says how the customer stands; the rest is empty.
    fn outline(occasion: Occasion, telling: &AlertWording<'_>) -> Self {
        Self {
            occasion,
            severity: telling.alert.severity,
            label: telling.alert.severity.as_str().to_ascii_uppercase(),
            banner: None,
            name: telling.who.clone(),
            badge: telling.badge(),
            figure: telling.figure(),
            brief: telling.brief(),
            bar: bar(telling),
            chart: None,
            subject: String::new(),
            first: String::new(),
            second: String::new(),
            chat: String::new(),
            dated: dated(telling, telling.alert.raised_at),
            small: Vec::new(),
            rows: Vec::new(),
            also: Vec::new(),
            partner_center: telling.in_partner_center().filter(|_| occasion != Occasion::Resolved),
            links: links(occasion, telling),
        }
    }
}

/// The links to act by, of what is not over.
fn links(occasion: Occasion, telling: &AlertWording<'_>) -> Vec<NamedLink> {
    let links = telling.context.links.as_ref().filter(|_| occasion != Occasion::Resolved);
    let all = links.into_iter().flat_map(AlertLinks::named);
    all.map(|(name, url)| NamedLink { name, url: url.to_owned() }).collect()
}

/// The date of the data, with its year where that is not the one of `beside`.
fn dated(telling: &AlertWording<'_>, beside: Timestamp) -> Dated {
    Dated { at: telling.as_of(), words: times::moment(telling.as_of(), beside, telling.zone) }
}

/// What a chat says in small letters: `notes` together, whom to ask, what to do where there is
/// anything, and where the alert comes from.
fn small(
    notes: impl Iterator<Item = String>,
    telling: &AlertWording<'_>,
    advice: Option<&str>,
) -> Vec<String> {
    let notes = notes.collect::<Vec<_>>().join(" ");
    let to_do = advice.map(|advice| {
        format!("{} {}", advice.trim(), telling.commands().unwrap_or_default()).trim().to_owned()
    });
    let people = advice.and_then(|_| telling.people());
    [notes, people.unwrap_or_default(), to_do.unwrap_or_default(), telling.origin()]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect()
}

fn bar(telling: &AlertWording<'_>) -> Option<Bar> {
    if matches!(
        telling.budget_status(),
        BudgetStatus::Cost
            | BudgetStatus::UsdCost(_)
            | BudgetStatus::Unbudgeted
            | BudgetStatus::Spike(_)
            | BudgetStatus::Stale(_)
            | BudgetStatus::Security(_)
    ) {
        return None;
    }
    let (cost, budget) = (telling.alert.cost.amount, telling.alert.budget.as_ref()?.amount);
    let share = |part: Decimal, whole: Decimal| {
        let percent =
            part.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(whole)?.round().to_u32()?;
        Some(percent.clamp(2, 98))
    };
    let (used, over, difference) = match telling.against_budget()? {
        Margin::Over(over) => (share(budget, cost)?, true, over),
        Margin::Left(left) if cost >= budget => (100, false, left),
        Margin::Left(left) => (share(cost.max(Decimal::ZERO), budget)?, false, left),
        Margin::OverZero => return None,
    };
    let legend = if over {
        (format!("budget {}", telling.money(budget)), format!("{} over", telling.money(difference)))
    } else {
        (
            format!("used {}", telling.beside(cost, budget)),
            format!("{} left", telling.money(difference)),
        )
    };
    Some(Bar { used, rest: 100_u32.saturating_sub(used), over, legend })
}
