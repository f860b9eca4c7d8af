//! One alert as it is told: what every sentence about it is made of.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use crate::domain::{Alert, AlertContext, AlertSnapshot, Metric};
use crate::notify::render::amounts::{money, percent};
use crate::notify::render::clean::{NAME_CHARS, clean};
use crate::notify::render::times::{self, PeriodWords};

/// An alert as it is told.
pub(crate) struct Telling<'a> {
    pub alert: &'a Alert,
    pub context: &'a AlertContext,
    /// The customer's name, cleaned.
    pub who: String,
    pub period: PeriodWords,
    pub zone: &'a TimeZone,
}

/// How cost and budget stand to each other, in the words of the rule's metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Above the budget, by so much.
    Over(Decimal),
    /// Above a budget of zero.
    OverZero,
    /// Within the budget, with so much left.
    Left(Decimal),
    /// A cost that is judged without looking at the budget.
    Cost,
    /// A cost in US dollars, likewise.
    UsdCost(Decimal),
    /// A cost without any budget.
    Unbudgeted,
}

impl<'a> Telling<'a> {
    /// Tells `snapshot` with times in `zone`.
    pub(crate) fn new(snapshot: &'a AlertSnapshot, zone: &'a TimeZone) -> Self {
        let alert = &snapshot.alert;
        let called = [alert.customer.called(), alert.customer.name.as_str(), alert.customer.id.as_str()];
        let cleaned = called.into_iter().map(|name| clean(name, NAME_CHARS)).find(|name| !name.is_empty());
        Self {
            alert,
            context: &snapshot.context,
            who: cleaned.unwrap_or_else(|| "a customer without a name".into()),
            period: PeriodWords::of(&alert.billing_period, alert.raised_at),
            zone,
        }
    }

    /// The alert's short reference.
    pub(crate) fn reference(&self) -> String {
        clean(&self.alert.reference, 16)
    }

    /// An amount in the customer's currency.
    pub(crate) fn money(&self, value: Decimal) -> String {
        money(value, self.alert.cost.currency)
    }

    /// How cost and budget stand.
    pub(crate) fn standing(&self) -> Standing {
        let (alert, cost) = (self.alert, self.alert.cost.amount);
        match (alert.metric, &alert.budget) {
            (Metric::PercentUsed | Metric::AmountOver | Metric::AmountLeft, Some(budget)) => {
                if budget.amount.is_zero() && cost > Decimal::ZERO {
                    Standing::OverZero
                } else {
                    alert.over().map_or_else(|| Standing::Left(budget.amount.saturating_sub(cost)), Standing::Over)
                }
            }
            (Metric::UsdTotalCost, _) => alert.cost.usd.map_or(Standing::Cost, Standing::UsdCost),
            (Metric::UnbudgetedCost, _) => Standing::Unbudgeted,
            _ => Standing::Cost,
        }
    }

    /// The percentage that the alert is about; none for other metrics and over a budget of zero.
    pub(crate) fn percent_used(&self) -> Option<Decimal> {
        if self.alert.metric == Metric::PercentUsed { self.alert.value } else { None }
    }

    /// A number on the scale of the rule's steps: `100 %`, `5,000 SEK`, `1,290 USD`.
    pub(crate) fn on_scale(&self, value: Decimal) -> String {
        match self.alert.metric {
            Metric::PercentUsed => percent(value),
            Metric::UsdTotalCost => format!("{} USD", money(value, None)),
            _ => self.money(value),
        }
    }

    /// `45,000 of 5,000 SEK`; the cost alone without a budget.
    pub(crate) fn cost_of_budget(&self) -> String {
        let cost = self.alert.cost.amount;
        match &self.alert.budget {
            Some(budget) => format!("{} of {}", money(cost, None), self.money(budget.amount)),
            None => self.money(cost),
        }
    }

    /// An amount in US dollars, unless the cost is in them anyway or there is none: `about 4,290 USD`.
    pub(crate) fn about_usd(&self, usd: Option<Decimal>) -> Option<String> {
        let dollars_anyway = self.alert.cost.currency.is_some_and(|currency| currency.as_str() == "USD");
        usd.filter(|_| !dollars_anyway).map(|usd| format!("about {} USD", money(usd, None)))
    }

    /// Seconds from the data seen before to this one; none without it.
    pub(crate) fn since_previous(&self) -> Option<i64> {
        let previous = self.context.previous.as_ref()?;
        let seconds = times::seconds_between(previous.usage_as_of, self.as_of());
        (seconds >= 60).then_some(seconds)
    }

    /// The date of the data.
    pub(crate) fn as_of(&self) -> Timestamp {
        self.alert.usage_as_of.instant()
    }

    /// How old the data was when the alert was raised; none for data dated ahead.
    pub(crate) fn age(&self) -> Option<String> {
        let seconds = times::seconds_between(self.as_of(), self.alert.raised_at);
        (seconds >= 0).then(|| format!("{} old", times::span(seconds)))
    }
}
