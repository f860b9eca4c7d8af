//! The subject and the first two lines of an alert: who, how bad, how fast, how old the data is, what to do. That is all
//! a lock screen shows.

use rust_decimal::Decimal;

use crate::domain::{Metric, Severity};
use crate::notify::render::amounts::{amount, percent, percentage};
use crate::notify::render::telling::{Standing, Telling};
use crate::notify::render::{clean, times};

impl Telling<'_> {
    /// `CRITICAL Contoso Nord 900% of budget: 45,000 of 5,000 SEK (+44,400 in 24 h)`.
    pub(crate) fn subject(&self) -> String {
        let severity = self.alert.severity.as_str().to_ascii_uppercase();
        let speed = self.speed().map(|speed| format!(" ({speed})")).unwrap_or_default();
        format!("{severity} {} {}{speed}", self.who, self.measure())
    }

    fn measure(&self) -> String {
        let cost = self.alert.cost.amount;
        match (self.standing(), self.percent_used()) {
            (Standing::Over(_) | Standing::Left(_), Some(value)) => {
                format!("{}% of budget: {}", percentage(value), self.cost_of_budget())
            }
            (Standing::Over(over), None) => format!("{} over budget: {}", self.money(over), self.cost_of_budget()),
            (Standing::Left(left), None) => format!("{} left of budget: {}", self.money(left), self.cost_of_budget()),
            (Standing::OverZero, _) => format!("{} with a budget of 0", self.money(cost)),
            (Standing::Cost, _) => format!("{} {}", self.money(cost), self.period.cost),
            (Standing::UsdCost(usd), _) => format!("{} USD {}", amount(usd), self.period.cost),
            (Standing::Unbudgeted, _) => format!("{} without a budget", self.money(cost)),
        }
    }

    /// `+44,400 in 24 h`: the rise since the data seen before.
    fn speed(&self) -> Option<String> {
        let (seconds, previous) = (self.since_previous()?, self.context.previous.as_ref()?);
        let rise = self.alert.cost.amount.checked_sub(previous.cost)?;
        // The amount before it names the currency already, unless that was in US dollars.
        let rise = match self.standing() {
            _ if rise <= Decimal::ZERO => return None,
            Standing::UsdCost(_) => self.money(rise),
            _ => amount(rise),
        };
        Some(format!("+{rise} in {}", times::about(seconds)))
    }

    /// `Contoso Nord is 40,000 SEK over its November budget (about 4,290 USD). 24 h before, it was at 12 %.`
    pub(crate) fn first_line(&self) -> String {
        let before = self.before().map(|(span, value)| match self.alert.metric {
            Metric::PercentUsed if !self.alert.over_zero => format!(" {span} before, it was at {value}."),
            _ => format!(" {span} before, it had cost {value}."),
        });
        format!("{} {}.{}", self.who, self.predicate(), before.unwrap_or_default())
    }

    fn predicate(&self) -> String {
        let period = &self.period;
        let in_usd = |usd| self.about_usd(usd).map(|usd| format!(" ({usd})")).unwrap_or_default();
        let cost = || format!("{}{}", self.money(self.alert.cost.amount), in_usd(self.alert.cost.usd));
        match (self.standing(), self.percent_used()) {
            (Standing::Over(over), _) => format!("is {} over {}{}", self.money(over), period.budget, in_usd(self.alert.usd_over())),
            (Standing::Left(left), _) if left.is_zero() => format!("has used all of {}", period.budget),
            (Standing::Left(left), Some(value)) => {
                format!("has used {} of {}; {} is left", percent(value), period.budget, self.money(left))
            }
            (Standing::Left(left), None) => format!("has {} left of {}", self.money(left), period.budget),
            (Standing::OverZero, _) => format!("has cost {} {} with a budget of 0", cost(), period.cost),
            (Standing::Cost, _) => format!("has cost {} {}", cost(), period.cost),
            (Standing::UsdCost(usd), _) => format!("has cost {} USD {}{}", amount(usd), period.cost, self.own_currency()),
            (Standing::Unbudgeted, _) => format!("has cost {} {} and has no budget", cost(), period.cost),
        }
    }

    /// The cost in the customer's currency beside one in US dollars: ` (12,000 SEK)`.
    fn own_currency(&self) -> String {
        match self.alert.cost.currency {
            Some(currency) if currency.as_str() != "USD" => format!(" ({})", self.money(self.alert.cost.amount)),
            _ => String::new(),
        }
    }

    /// How long before what value was seen: (`24 h`, `12 %`).
    fn before(&self) -> Option<(String, String)> {
        let (seconds, previous) = (self.since_previous()?, self.context.previous.as_ref()?);
        let value = match (self.alert.metric, previous.value) {
            (Metric::PercentUsed, Some(value)) if !self.alert.over_zero => percent(value),
            (Metric::PercentUsed, None) => return None,
            _ => self.money(previous.cost),
        };
        Some((times::about(seconds), value))
    }

    /// `Usage as of Sat 14 Nov 18:08, seen 22:41 CET (4 h 33 min old). If this is not expected, treat it as stolen credentials.`
    pub(crate) fn second_line(&self) -> String {
        let age = self.age().map(|age| format!(" ({age})")).unwrap_or_default();
        format!("Usage as of {}{age}.{}", times::as_of_and_seen(self.as_of(), self.alert.raised_at, self.zone), self.advice())
    }

    fn advice(&self) -> &'static str {
        match self.alert.severity {
            Severity::Critical => " If this is not expected, treat it as stolen credentials.",
            Severity::Warning => " If this is not expected, find out today what is running.",
            Severity::Info => "",
        }
    }

    /// The number in bold beside the name, where the alert is about a percentage: `900 %`.
    pub(crate) fn badge(&self) -> Option<String> {
        match self.standing() {
            Standing::Over(_) | Standing::Left(_) => self.percent_used().map(percent),
            _ => None,
        }
    }

    /// What follows the name in a list: `45,000 of 5,000 SEK, 40,000 over`.
    pub(crate) fn brief(&self) -> String {
        let cost = self.alert.cost.amount;
        match self.standing() {
            Standing::Over(over) => format!("{}, {} over", self.cost_of_budget(), amount(over)),
            Standing::Left(left) => format!("{}, {} left", self.cost_of_budget(), amount(left)),
            Standing::OverZero => format!("{} with a budget of 0", self.money(cost)),
            Standing::Cost => format!("{} {}", self.money(cost), self.period.cost),
            Standing::UsdCost(usd) => format!("{} USD {}{}", amount(usd), self.period.cost, self.own_currency()),
            Standing::Unbudgeted => format!("{} {}, no budget", self.money(cost), self.period.cost),
        }
    }

    /// The second line of a chat: `12 % → 900 % in 24 h, data Sat 14 Nov 18:08 CET (4 h 33 min old), most of it in "Prod"`.
    pub(crate) fn chat_line(&self) -> String {
        let now = self.badge().unwrap_or_else(|| self.money(self.alert.cost.amount));
        let rise = self.before().map(|(span, value)| format!("{value} → {now} in {span}"));
        let age = self.age().map(|age| format!(" ({age})")).unwrap_or_default();
        let data = format!("data {}{age}", times::moment(self.as_of(), self.alert.raised_at, self.zone));
        let most = self.alert.subscriptions.first().map(|first| clean(&first.name, 60)).filter(|name| !name.is_empty());
        let most = most.filter(|_| self.alert.subscriptions.len() > 1).map(|name| format!("most of it in \"{name}\""));
        let line = rise.into_iter().chain([data]).chain(most).collect::<Vec<_>>().join(", ");
        let mut letters = line.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    }
}
