//! One alert as it is told: what every sentence about it is made of. The words for each metric are
//! in `budget_status`.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use crate::domain::{Alert, AlertContext, AlertSnapshot, Metric, Unit, percent_of, rounded};
use crate::text::amounts::{amount, amount_beside, estimate, money, percent, percentage, points};
use crate::text::clean::clean;
use crate::text::names::Name;
use crate::text::times;
use crate::text::times::PeriodWords;

/// What is said in the place of a cost that nobody knows.
const NO_USAGE: &str = "usage not known";

/// An alert as it is told.
pub(crate) struct AlertWording<'a> {
    pub alert: &'a Alert,
    pub context: &'a AlertContext,
    /// What the customer is called, with the subscription where the alert is about one only.
    pub name: Name,
    /// The same as one text.
    pub who: String,
    pub period: PeriodWords,
    pub zone: &'a TimeZone,
}

/// The rise that a `daily_…` alert is about.
pub(crate) struct Rise {
    /// The date of the data it rose from.
    pub since: Timestamp,
    /// The cost it rose from.
    pub from: Decimal,
    /// By how much.
    pub by: Decimal,
    /// In what time: `24 h`.
    pub span: String,
}

impl<'a> AlertWording<'a> {
    /// Tells `snapshot` with times in `zone`.
    pub(crate) fn new(snapshot: &'a AlertSnapshot, zone: &'a TimeZone) -> Self {
        let AlertSnapshot { alert, context } = snapshot;
        let mut period = PeriodWords::of(&alert.billing_period, alert.raised_at);
        if alert.subscription.is_some() {
            period.budget = period.budget.replacen("its", "the subscription's", 1);
        }
        let name = name(alert, context);
        Self { alert, context, who: name.whole(), name, period, zone }
    }

    /// What the customer is called, for machines.
    pub(crate) fn customer(&self) -> String {
        Name::of(&self.alert.customer, self.context.has_namesake).bare()
    }

    /// The alert's short reference.
    pub(crate) fn reference(&self) -> String {
        clean(&self.alert.reference, 16)
    }

    /// An amount in the customer's currency.
    pub(crate) fn money(&self, value: Decimal) -> String {
        money(value, self.alert.cost.currency)
    }

    /// An amount in the customer's currency that is looked at beside another.
    pub(crate) fn beside(&self, value: Decimal, other: Decimal) -> String {
        let shown = amount_beside(value, other);
        self.alert
            .cost
            .currency
            .map_or_else(|| shown.clone(), |currency| format!("{shown} {currency}"))
    }

    /// An amount that is reckoned, likewise.
    pub(crate) fn estimate(&self, value: Decimal) -> String {
        self.alert
            .cost
            .currency
            .map_or_else(|| estimate(value), |currency| format!("{} {currency}", estimate(value)))
    }

    /// The percentage that the alert is about; none for other metrics and over a budget of zero.
    pub(crate) fn percent_used(&self) -> Option<Decimal> {
        if self.alert.metric == Metric::PercentUsed { self.alert.number() } else { None }
    }

    /// A number on the scale of the rule's steps: `100 %`, `20 points`, `48 h`, `5,000 SEK`,
    /// `1,290 USD`.
    pub(crate) fn on_scale(&self, value: Decimal) -> String {
        match self.alert.metric.unit() {
            Unit::Percent => percent(value),
            Unit::Points => points(value),
            Unit::Times => times_the_usual(value),
            Unit::Hours => format!("{} h", percentage(value)),
            Unit::UsDollars => format!("{} USD", money(value, None)),
            Unit::Money => self.money(value),
        }
    }

    /// The value on that scale, where cost and budget beside it do not say it already; none over a
    /// budget of zero.
    pub(crate) fn value_beside_cost(&self) -> Option<String> {
        let said = match self.alert.metric {
            Metric::AmountOver
            | Metric::AmountLeft
            | Metric::TotalCost
            | Metric::UnbudgetedCost => true,
            Metric::UsdTotalCost => self.about_usd(self.alert.number()).is_none(),
            Metric::PercentUsed
            | Metric::ForecastPercent
            | Metric::Pace
            | Metric::DailyCost
            | Metric::DailyPercent
            | Metric::Spike
            | Metric::StaleHours
            | Metric::SecurityAlertHours => false,
        };
        self.alert.number().filter(|_| !said).map(|value| self.on_scale(value))
    }

    /// `45,000 of 5,000 SEK`; the cost alone without a budget.
    pub(crate) fn cost_of_budget(&self) -> String {
        if !self.alert.has_usage() {
            return NO_USAGE.to_owned();
        }
        let cost = self.alert.cost.amount;
        match &self.alert.budget {
            Some(budget) => {
                format!("{} of {}", amount_beside(cost, budget.amount), self.money(budget.amount))
            }
            None => self.money(cost),
        }
    }

    /// The cost alone, in a place with the budget beside it.
    pub(crate) fn cost_beside_budget(&self) -> String {
        if !self.alert.has_usage() {
            return NO_USAGE.to_owned();
        }
        let cost = self.alert.cost.amount;
        self.alert
            .budget
            .as_ref()
            .map_or_else(|| self.money(cost), |budget| self.beside(cost, budget.amount))
    }

    /// An amount in US dollars, unless the cost is in them anyway or there is none:
    /// `about 4,290 USD`.
    pub(crate) fn about_usd(&self, usd: Option<Decimal>) -> Option<String> {
        let dollars_anyway =
            self.alert.cost.currency.is_some_and(|currency| currency.as_str() == "USD");
        usd.filter(|_| !dollars_anyway).map(|usd| format!("about {} USD", estimate(usd)))
    }

    /// Seconds from the data seen before to this one; none without it.
    pub(crate) fn since_previous(&self) -> Option<i64> {
        let previous = self.context.previous.as_ref()?;
        let seconds = times::seconds_between(previous.usage_as_of, self.as_of());
        (seconds >= 60).then_some(seconds)
    }

    /// The rise that the alert is about, where that is one.
    pub(crate) fn rise(&self) -> Option<Rise> {
        let inputs = self.alert.inputs.as_ref()?;
        let (since, from) = inputs.since.zip(inputs.since_cost)?;
        let by = self.alert.cost.amount.checked_sub(from)?;
        Some(Rise {
            since,
            from,
            by,
            span: times::about(times::seconds_between(since, self.as_of())),
        })
    }

    /// How much of the period was over at the date of the data, in whole percent; none outside of
    /// it.
    pub(crate) fn elapsed_share(&self) -> Option<Decimal> {
        let period = &self.alert.billing_period;
        let (elapsed, length) = (
            times::seconds_between(period.start, self.as_of()),
            times::seconds_between(period.start, period.end),
        );
        let share = percent_of(Decimal::from(elapsed), Decimal::from(length))
            .filter(|_| elapsed >= 0 && elapsed <= length)?;
        Some(rounded(share, 0))
    }

    /// The date of the data.
    pub(crate) fn as_of(&self) -> Timestamp {
        self.alert.usage_as_of.instant()
    }

    /// How old the data was when the alert was raised; none for data dated ahead.
    pub(crate) fn age(&self) -> Option<String> {
        self.age_at(self.alert.raised_at)
    }

    /// How old the data is at `seen`; none for data dated ahead.
    pub(crate) fn age_at(&self, seen: Timestamp) -> Option<String> {
        let seconds = times::seconds_between(self.as_of(), seen);
        (seconds >= 0).then(|| format!("{} old", times::span(seconds)))
    }
}

/// `31 times the usual`.
fn times_the_usual(times: Decimal) -> String {
    format!("{} times the usual", amount(times))
}

/// `Contoso Nord`; `Contoso Nord / Prod` where the alert is about a subscription.
fn name(alert: &Alert, context: &AlertContext) -> Name {
    let customer = Name::of(&alert.customer, context.has_namesake);
    if alert.subscription.is_none() {
        return customer;
    }
    let subscription = context
        .subscription_name
        .as_deref()
        .map(|name| clean(name, 60))
        .filter(|name| !name.is_empty());
    customer.within(subscription.as_deref().unwrap_or("a subscription"))
}
