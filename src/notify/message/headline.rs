//! The subject and the first two lines of a new alert: who, how bad, how fast, how old the data is,
//! what to do. That is all a lock screen shows.

use rust_decimal::Decimal;

use crate::domain::Metric;
use crate::notify::message::budget_status::BudgetStatus;
use crate::notify::message::telling::AlertWording;
use crate::text::amounts::{ahead, amount, percent};
use crate::text::{capitalized, times};

impl AlertWording<'_> {
    /// `CRITICAL Contoso Nord 900% of budget: 45,000 of 5,000 SEK (+44,400 in 24 h)`.
    pub(crate) fn subject(&self) -> String {
        if let Some(subject) = self.security_subject() {
            return subject;
        }
        let severity = self.alert.severity.as_str().to_ascii_uppercase();
        let speed = self.speed().map(|speed| format!(" ({speed})")).unwrap_or_default();
        let (link, measure) = self.measure();
        format!("{severity} {}{link} {measure}{speed}", self.who)
    }

    /// `+44,400 in 24 h`: the rise since the data seen before.
    fn speed(&self) -> Option<String> {
        let (seconds, previous) = (self.since_previous()?, self.context.previous.as_ref()?);
        let rise = self.alert.cost.amount.checked_sub(previous.cost)?;
        // The amount before it names the currency already, unless that was in US dollars.
        let rise = match self.budget_status() {
            _ if rise <= Decimal::ZERO => return None,
            // These say how fast it goes in their own words.
            BudgetStatus::Heading(_)
            | BudgetStatus::Ahead(_)
            | BudgetStatus::Rising(_)
            | BudgetStatus::RisingShare(_)
            | BudgetStatus::Spike(_)
            | BudgetStatus::Stale(_)
            | BudgetStatus::Security(_) => return None,
            BudgetStatus::UsdCost(_) => self.money(rise),
            BudgetStatus::Over(_)
            | BudgetStatus::OverZero
            | BudgetStatus::Left(_)
            | BudgetStatus::Cost
            | BudgetStatus::Unbudgeted => amount(rise),
        };
        Some(format!("+{rise} in {}", times::about(seconds)))
    }

    /// `Contoso Nord is 40,000 SEK over its November budget (about 4,290 USD). 24 h before, it was at 12 %.`
    pub(crate) fn first_line(&self) -> String {
        if let Some(line) = self.security_line() {
            return line;
        }
        if let BudgetStatus::Spike(spike) = self.budget_status() {
            return self.spike_line(&spike);
        }
        let before =
            self.before().map(|(span, was, value)| format!(" {span} before, it {was} {value}."));
        format!("{} {}.{}", self.who, self.predicate(), before.unwrap_or_default())
    }

    /// How long before what value was seen: (`24 h`, `was at`, `12 %`).
    fn before(&self) -> Option<(String, &'static str, String)> {
        let (seconds, previous) = (self.since_previous()?, self.context.previous.as_ref()?);
        let is_number = !self.alert.is_over_zero();
        let (was, value) = match (self.alert.metric, previous.value) {
            (Metric::PercentUsed, Some(value)) if is_number => ("was at", percent(value)),
            (Metric::ForecastPercent, Some(value)) if is_number => {
                ("was heading for", percent(value))
            }
            (Metric::Pace, Some(value)) if is_number => ("was", ahead(value)),
            (Metric::PercentUsed | Metric::ForecastPercent | Metric::Pace, None)
            | (Metric::StaleHours | Metric::SecurityAlertHours, _) => return None,
            (metric, _) if metric.is_daily() => return None,
            _ => ("had cost", self.money(previous.cost)),
        };
        Some((times::about(seconds), was, value))
    }

    /// `Usage as of Sat 14 Nov 18:08, seen 22:41 CET (4 h 33 min old). If this is not expected, treat it as stolen credentials.`
    pub(crate) fn second_line(&self) -> String {
        if self.alert.security.is_some() {
            return self.security_second();
        }
        let age = self.age().map(|age| format!(" ({age})")).unwrap_or_default();
        format!(
            "Usage as of {}{age}.{}",
            times::as_of_and_seen(self.as_of(), self.alert.raised_at, self.zone),
            self.advice()
        )
    }

    /// The second line of a chat:
    /// `12 % → 900 % in 24 h, data Sat 14 Nov 18:08 CET (4 h 33 min old), most of it in "Prod"`.
    pub(crate) fn chat_line(&self) -> String {
        if let Some(line) = self.security_line() {
            return format!("{line} {}", self.security_second());
        }
        let age = self.age().map(|age| format!(" ({age})")).unwrap_or_default();
        let data =
            format!("data {}{age}", times::moment(self.as_of(), self.alert.raised_at, self.zone));
        let most = self.most_of_it().map(|name| format!("most of it in \"{name}\""));
        capitalized(
            &self.change().into_iter().chain([data]).chain(most).collect::<Vec<_>>().join(", "),
        )
    }

    /// What has changed since the data before: `12 % → 900 % in 24 h`.
    pub(super) fn change(&self) -> Option<String> {
        let rise = match (self.rise(), self.before()) {
            (Some(told), _) => {
                Some((amount(told.from), self.money(self.alert.cost.amount), told.span))
            }
            (None, Some((span, _, value))) => Some((value, self.now_beside(), span)),
            (None, None) => None,
        };
        rise.map(|(value, now, span)| format!("{value} → {now} in {span}"))
    }

    /// What [`AlertWording::before`] is compared with.
    fn now_beside(&self) -> String {
        if let BudgetStatus::Heading(value) = self.budget_status() {
            return percent(self.about(value));
        }
        self.badge().unwrap_or_else(|| self.money(self.alert.cost.amount))
    }
}
