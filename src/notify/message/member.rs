//! A member of a digest in one line. How the lines stand together is left to `digest` and `columns`.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::domain::{AlertSnapshot, CustomerKey, Occasion, Severity};
use crate::notify::message::later::Later;
use crate::notify::message::telling::AlertWording;
use crate::text::amounts::amount;
use crate::text::names::Name;

/// One member in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Member {
    pub severity: Severity,
    /// `CRITICAL`, `was CRITICAL`.
    pub label: String,
    /// The customer.
    pub name: String,
    /// The same, to be cut.
    #[serde(skip)]
    pub called: Name,
    /// What it is about, by key.
    #[serde(skip)]
    pub about: CustomerKey,
    /// The number beside the name.
    pub badge: Option<String>,
    /// What follows the name.
    pub brief: String,
    /// The cost, `45,000 SEK`.
    pub cost: String,
    /// The budget, `5,000`.
    pub budget: Option<String>,
    /// Both, `45,000 of 5,000 SEK`.
    pub cost_of_budget: String,
    /// `40,000 over`, `175 left`.
    pub over: Option<String>,
    /// Which rule, step and period, and the reference.
    pub origin: String,
    /// The reference alone.
    pub reference: String,
    /// What else must be known of it.
    pub news: Option<String>,
    /// Further reasons why the customer is told of, in a line each: where one member stands for all
    /// alerts of a customer.
    pub also: Vec<String>,
}

impl Member {
    /// Tells the alert as it was `raised` and is `now`, sent at `sent`, with times in `zone`.
    pub(super) fn new(
        occasion: Occasion,
        raised: &AlertSnapshot,
        now: &AlertSnapshot,
        zone: &TimeZone,
        sent: Timestamp,
    ) -> Self {
        let (telling, later) = (AlertWording::new(now, zone), Later::new(raised, now, zone, sent));
        let news = match occasion {
            Occasion::New if raised.context.latest.is_some() => Some(later.silenced_until_now()),
            Occasion::New => telling.change().map(|change| format!("{change}.")),
            Occasion::Reminder => Some(format!("{}.", later.course_since())),
            Occasion::Resolved => Some(format!("{}. {}.", later.ended_by(), later.course_since())),
        };
        let budget = telling
            .budget_news()
            .filter(|_| occasion == Occasion::New)
            .map(|news| format!("Budget {news}."));
        let owner = telling
            .owner()
            .filter(|_| occasion != Occasion::Resolved)
            .map(|owner| format!("Owner: {owner}."));
        let news: Vec<_> = [news, budget, owner].into_iter().flatten().collect();
        let news = (!news.is_empty()).then(|| news.join(" "));
        let was = if occasion == Occasion::Resolved { "was " } else { "" };
        Self {
            severity: telling.alert.severity,
            label: format!("{was}{}", telling.alert.severity.as_str().to_ascii_uppercase()),
            badge: telling.badge(),
            brief: telling.brief(),
            cost: telling.cost_beside_budget(),
            cost_of_budget: telling.cost_of_budget(),
            budget: telling.alert.budget.as_ref().map(|budget| amount(budget.amount)),
            over: telling.over_or_left(),
            origin: telling.origin(),
            reference: telling.reference(),
            news,
            also: Vec::new(),
            name: telling.who,
            called: telling.name,
            about: telling.alert.key(),
        }
    }
}
