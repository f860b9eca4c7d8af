//! How a customer stands as a subject and as a first line say it.

use rust_decimal::Decimal;

use crate::domain::percent_of;
use crate::notify::message::budget_status::{BudgetStatus, Margin, whole_hours};
use crate::notify::message::telling::AlertWording;
use crate::text::amounts::{amount, percent, percentage};
use crate::text::times;

impl AlertWording<'_> {
    /// What a subject says after the name: the word between, then how it stands.
    pub(crate) fn measure(&self) -> (&'static str, String) {
        let (cost, of_budget) = (self.alert.cost.amount, self.cost_of_budget());
        let phrase = match (self.budget_status(), self.percent_used()) {
            (BudgetStatus::Over(_) | BudgetStatus::Left(_), Some(value)) => {
                format!("{}% of budget: {of_budget}", percentage(value))
            }
            (BudgetStatus::Over(over), None) => {
                format!("{} over budget: {of_budget}", self.money(over))
            }
            (BudgetStatus::Left(left), None) => {
                format!("{} left of budget: {of_budget}", self.money(left))
            }
            (BudgetStatus::OverZero, _) => format!("{} with a budget of 0", self.money(cost)),
            (BudgetStatus::Cost, _) => format!("{} {}", self.money(cost), self.period.cost),
            (BudgetStatus::UsdCost(usd), _) => format!("{} USD {}", amount(usd), self.period.cost),
            (BudgetStatus::Unbudgeted, _) => format!("{} without a budget", self.money(cost)),
            (BudgetStatus::Heading(value), _) => {
                return (
                    " is",
                    format!(
                        "heading for {}% of budget: {of_budget}{}",
                        percentage(self.about(value)),
                        self.after("%")
                    ),
                );
            }
            (BudgetStatus::Ahead(value), _) => {
                let (points, ahead) = self.ahead(value);
                return (" is", format!("{points} {ahead}: {of_budget}{}", self.after("%")));
            }
            (BudgetStatus::Rising(value), _) => {
                self.rising(&self.money(value), |rise| self.money(rise))
            }
            (BudgetStatus::RisingShare(value), _) => self
                .rising(&format!("{}% of budget", percentage(value)), |rise| {
                    self.share_of_budget(rise)
                }),
            (BudgetStatus::Spike(spike), _) => return (" spent", self.spike_measure(&spike)),
            (BudgetStatus::Security(_), _) => return (":", self.security_measure()),
            (BudgetStatus::Stale(hours), _) => {
                return (
                    ":",
                    format!("no new usage for {}: {} so far", whole_hours(hours), of_budget),
                );
            }
        };
        ("", phrase)
    }

    /// `+44,400 SEK in a day: 45,000 of 5,000 SEK (was 600 SEK on Fri 13 Nov 18:08)`.
    fn rising(&self, per_day: &str, shown: impl Fn(Decimal) -> String) -> String {
        let of_budget = self.cost_of_budget();
        let Some(told) = self.rise() else { return format!("+{per_day} a day: {of_budget}") };
        let was = format!(
            "(was {} on {})",
            self.money(told.from),
            times::brief_moment(told.since, self.as_of(), self.zone)
        );
        let rise = shown(told.by);
        if told.span == "24 h" {
            format!("+{rise} in a day: {of_budget} {was}")
        } else {
            format!("+{rise} in {}, {per_day} a day: {of_budget} {was}", told.span)
        }
    }

    /// A rise as a share of the budget: `22% of budget`.
    fn share_of_budget(&self, rise: Decimal) -> String {
        let share = self.alert.budget.as_ref().and_then(|budget| percent_of(rise, budget.amount));
        share.map_or_else(|| self.money(rise), |share| format!("{}% of budget", percentage(share)))
    }

    /// What a first line says after the name.
    pub(crate) fn predicate(&self) -> String {
        let period = &self.period;
        let in_usd = |usd| self.about_usd(usd).map(|usd| format!(" ({usd})")).unwrap_or_default();
        let cost =
            || format!("{}{}", self.money(self.alert.cost.amount), in_usd(self.alert.cost.usd));
        match (self.budget_status(), self.percent_used()) {
            (BudgetStatus::Over(over), _) => format!(
                "is {} over {}{}",
                self.money(over),
                period.budget,
                in_usd(self.alert.usd_over())
            ),
            (BudgetStatus::Left(left), _) if left.is_zero() => {
                format!("has used all of {}", period.budget)
            }
            (BudgetStatus::Left(left), Some(value)) => {
                format!(
                    "has used {} of {}; {} is left",
                    percent(value),
                    period.budget,
                    self.money(left)
                )
            }
            (BudgetStatus::Left(left), None) => {
                format!("has {} left of {}", self.money(left), period.budget)
            }
            (BudgetStatus::OverZero, _) => {
                format!("has cost {} {} with a budget of 0", cost(), period.cost)
            }
            (BudgetStatus::Cost, _) => format!("has cost {} {}", cost(), period.cost),
            (BudgetStatus::UsdCost(usd), _) => {
                format!("has cost {} USD {}{}", amount(usd), period.cost, self.own_currency())
            }
            (BudgetStatus::Unbudgeted, _) => {
                format!("has cost {} {} and has no budget", cost(), period.cost)
            }
            (BudgetStatus::Heading(value), _) => {
                let end = self
                    .forecast_cost()
                    .map(|end| format!(": {} by {}", self.estimate(end), period.last_day))
                    .unwrap_or_default();
                format!(
                    "is heading for {} of {}{end} if it goes on as so far",
                    percent(self.about(value)),
                    period.budget
                )
            }
            (BudgetStatus::Ahead(value), _) => {
                let used = self
                    .alert
                    .inputs
                    .as_ref()
                    .and_then(|inputs| inputs.percent_used)
                    .or(self.alert.computed_percent);
                let used = used.map(|used| {
                    format!(
                        "has used {} of {}{}: ",
                        percent(used),
                        period.budget,
                        self.after_period()
                    )
                });
                let (points, ahead) = self.ahead(value);
                format!("{}{points} {ahead}", used.unwrap_or_else(|| "is ".to_owned()))
            }
            (BudgetStatus::Rising(value), _) => {
                self.went(&format!("{} a day", self.money(value)), &period.budget)
            }
            (BudgetStatus::RisingShare(value), _) => {
                self.went(&format!("{} of {} a day", percent(value), period.budget), "it")
            }
            (BudgetStatus::Spike(spike), _) => self.spike_predicate(&spike),
            (BudgetStatus::Security(_), _) => {
                format!("has a security alert of Microsoft: {}", self.security_measure())
            }
            (BudgetStatus::Stale(hours), _) => {
                let since = times::moment(self.as_of(), self.alert.raised_at, self.zone);
                format!(
                    "has had no new usage for {}, since {since}; it stands at {}",
                    whole_hours(hours),
                    self.cost_of_budget()
                )
            }
        }
    }

    /// `went from 600 to 45,000 SEK in 24 h, 44,400 SEK a day; the cost is 40,000 SEK over its November budget`.
    fn went(&self, per_day: &str, budget: &str) -> String {
        let cost = self.money(self.alert.cost.amount);
        let went = match self.rise() {
            Some(told) => {
                format!("went from {} to {cost} in {}, {per_day}", amount(told.from), told.span)
            }
            None => format!("rises by {per_day} and has cost {cost} {}", self.period.cost),
        };
        match self.against_budget() {
            Some(Margin::Over(over)) => {
                format!("{went}; the cost is {} over {budget}", self.money(over))
            }
            Some(Margin::Left(left)) => format!("{went}; {} of {budget} is left", self.money(left)),
            Some(Margin::OverZero) | None => went,
        }
    }

    pub(crate) fn own_currency(&self) -> String {
        match self.alert.cost.currency {
            Some(currency) if currency.as_str() != "USD" => {
                format!(" ({})", self.money(self.alert.cost.amount))
            }
            _ => String::new(),
        }
    }
}
