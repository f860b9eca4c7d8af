//! How a customer stands beside its name: in a list, as a large number, in the fewest words.

use crate::notify::message::budget_status::{BudgetStatus, Margin, whole_hours};
use crate::notify::message::telling::AlertWording;
use crate::text::amounts::{ahead, amount, percent};
use crate::text::times;

/// A number with what stands before and after it, for a place where it is large.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Figure {
    /// `heading for`, mostly nothing.
    pub lead: &'static str,
    /// `129 %`.
    pub number: String,
    /// `of budget`.
    pub unit: String,
}

impl AlertWording<'_> {
    /// The number beside the name in a list, where the alert is about one: `900 %`,
    /// `heading for 129 %`.
    pub(crate) fn badge(&self) -> Option<String> {
        Some(match self.budget_status() {
            BudgetStatus::Over(_) | BudgetStatus::Left(_) => percent(self.percent_used()?),
            BudgetStatus::Heading(value) => format!("heading for {}", percent(self.about(value))),
            BudgetStatus::Ahead(value) => ahead(self.about(value)),
            BudgetStatus::Rising(value) => format!("+{} a day", self.money(value)),
            BudgetStatus::RisingShare(value) => format!("+{} of budget a day", percent(value)),
            BudgetStatus::Spike(spike) => Self::times_the_usual(&spike)?,
            BudgetStatus::Stale(hours) => format!("no usage for {}", whole_hours(hours)),
            BudgetStatus::Security(hours) => {
                format!("security alert {}", Self::unanswered_for(hours))
            }
            BudgetStatus::OverZero
            | BudgetStatus::Cost
            | BudgetStatus::UsdCost(_)
            | BudgetStatus::Unbudgeted => return None,
        })
    }

    /// The same where it is large.
    pub(crate) fn figure(&self) -> Option<Figure> {
        let (lead, number, unit) = match self.budget_status() {
            BudgetStatus::Over(_) | BudgetStatus::Left(_) => {
                ("", percent(self.percent_used()?), "of budget".to_owned())
            }
            BudgetStatus::Heading(value) => {
                ("heading for", percent(self.about(value)), "of budget".to_owned())
            }
            BudgetStatus::Ahead(value) => {
                let (number, unit) = self.ahead(value);
                ("", number, unit)
            }
            BudgetStatus::Rising(value) => {
                ("", format!("+{}", self.money(value)), "a day".to_owned())
            }
            BudgetStatus::RisingShare(value) => {
                ("", format!("+{}", percent(value)), "of budget a day".to_owned())
            }
            BudgetStatus::Spike(spike) => {
                ("", format!("{} times", amount(spike.times?)), "the usual".to_owned())
            }
            BudgetStatus::Stale(hours) => ("", whole_hours(hours), "without new usage".to_owned()),
            BudgetStatus::Security(hours) => ("", whole_hours(hours), "not answered".to_owned()),
            BudgetStatus::OverZero
            | BudgetStatus::Cost
            | BudgetStatus::UsdCost(_)
            | BudgetStatus::Unbudgeted => return None,
        };
        Some(Figure { lead, number, unit })
    }

    /// How it stands in the fewest words, to be compared with how it stood: `900 %`, `45,000 SEK`.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others have a badge, or a cost")]
    pub(crate) fn short(&self) -> String {
        match self.budget_status() {
            BudgetStatus::UsdCost(usd) => format!("{} USD", amount(usd)),
            BudgetStatus::Over(over) if self.percent_used().is_none() => {
                format!("{} over", self.money(over))
            }
            BudgetStatus::Left(left) if self.percent_used().is_none() => {
                format!("{} left", self.money(left))
            }
            _ => self.badge().unwrap_or_else(|| self.money(self.alert.cost.amount)),
        }
    }

    /// How cost and budget differ, whatever the metric: `40,000 over`, `175 left`; none without a
    /// budget.
    pub(crate) fn over_or_left(&self) -> Option<String> {
        Some(match self.against_budget()? {
            Margin::Over(over) => format!("{} over", amount(over)),
            Margin::OverZero => format!("{} over", amount(self.alert.cost.amount)),
            Margin::Left(left) => format!("{} left", amount(left)),
        })
    }

    /// What follows the name in a list: `45,000 of 5,000 SEK, 40,000 over`.
    pub(crate) fn brief(&self) -> String {
        let cost = self.alert.cost.amount;
        match self.budget_status() {
            BudgetStatus::Over(over) => format!("{}, {} over", self.cost_of_budget(), amount(over)),
            BudgetStatus::Left(left) => format!("{}, {} left", self.cost_of_budget(), amount(left)),
            BudgetStatus::OverZero => format!("{} with a budget of 0", self.money(cost)),
            BudgetStatus::Cost => format!("{} {}", self.money(cost), self.period.cost),
            BudgetStatus::UsdCost(usd) => {
                format!("{} USD {}{}", amount(usd), self.period.cost, self.own_currency())
            }
            BudgetStatus::Unbudgeted => {
                format!("{} {}, no budget", self.money(cost), self.period.cost)
            }
            BudgetStatus::Heading(_) | BudgetStatus::Ahead(_) => {
                format!("{}{}", self.cost_of_budget(), self.after(" %"))
            }
            BudgetStatus::Rising(_) | BudgetStatus::RisingShare(_) => {
                let was = self.rise().map(|told| {
                    format!(
                        ", was {} on {}",
                        self.money(told.from),
                        times::brief_moment(told.since, self.as_of(), self.zone)
                    )
                });
                format!("{}{}", self.cost_of_budget(), was.unwrap_or_default())
            }
            BudgetStatus::Spike(spike) => self.spent_on_day(&spike),
            BudgetStatus::Stale(_) => format!("{} so far", self.cost_of_budget()),
            BudgetStatus::Security(_) => self.security_brief(),
        }
    }
}
