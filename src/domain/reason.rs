//! Why something was decided: one closed type that the log, the metrics, `check`, `status` and
//! `explain` speak from.

use std::fmt;

use rust_decimal::Decimal;
use serde::Serialize;
use strum::{IntoStaticStr, VariantArray};

use crate::domain::spike::{Learning, NoRate, NoReading};
use crate::domain::{MetricValue, MissingInput};

/// The reason of a decision about one customer and one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[derive(IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Reason {
    /// The customer's `mute_rules` names the rule.
    Muted,
    /// No pattern of `match.customers` fits.
    CustomerNotSelected,
    /// A pattern of `match.exclude` fits.
    CustomerExcluded,
    /// The customer has none of `match.tags`.
    TagNotSelected,
    /// `match.plan` is the other kind of customer.
    PlanNotSelected,
    /// `match.currency` does not hold the customer's currency.
    CurrencyNotSelected,
    /// `match.budget` does not hold the customer's budget.
    BudgetNotSelected,
    /// `match.usd_cost` asks for more.
    UsdCostTooSmall,
    /// A subscription is judged by its own budget only, and the metric reads none.
    NotForSubscriptions,
    /// The metric is about security alerts, not about usage.
    ForSecurityAlerts,
    /// The metric needs a budget and there is none.
    NoBudget,
    /// The metric is for customers without a budget and there is one.
    HasBudget,
    /// The steps are by currency and the customer's is unknown.
    CurrencyUnknown,
    /// The steps are by currency and none is in the customer's.
    CurrencyWithoutStep,
    /// The metric needs a USD cost and the record has none.
    NoUsdCost,
    /// Less than 48 hours of the period are over.
    TooEarly,
    /// The data is dated in the next period but taken for late data of this one.
    TurnOfPeriod,
    /// The period has no earlier date of the data.
    NoEarlierDate,
    /// The last two dates of the data are less than an hour apart.
    DatesTooClose,
    /// The last two dates of the data are more than 72 hours apart.
    GapInData,
    /// The cost fell since the date before.
    CostFell,
    /// The cost is not above what it was before a correction downwards.
    AfterCorrection,
    /// No floor is given in the customer's currency, and there is no budget to take one of.
    NoFloor,
    /// Fewer than 7 usable days are known: so many.
    Learning(usize),
    /// The last two dates of the data are less than 12 hours apart.
    HalfADayApart,
    /// The cost is the same as before: the data of the day is late.
    DataLate,
    /// A later date of the data is known.
    NotNewestDate,
    /// It is not enough above the usual to matter.
    BelowFloor,
    /// As much above the usual was seen before.
    SeenBefore,
    /// An earlier day of its weekday, of the one or two that are known, was nearly as high.
    BusyWeekday,
    /// The whole collection is old, or nobody has looked at its age.
    CollectionAge,
    /// The value has not reached the first step.
    BelowFirstStep,
    /// The value reached a step: a new alert.
    NewStep,
    /// The value reached a step again, under a budget above every one it alerted under.
    BudgetRaised,
    /// The highest step reached was raised before in this period.
    AlreadyRaised,
    /// The highest step reached was passed by a higher alert before in this period.
    AlreadyPassed,
    /// The spike was told when it began, and has not grown by more than 10 % since.
    ToldBefore,
    /// It alerted before; the budget has been raised, but the customer was not seen below the step
    /// under it.
    NotSeenBelow,
    /// It alerted before; the budget has been raised, but the rule says `rearm = "never"`.
    RearmNever,
    /// A lower step of the same jump, recorded as passed.
    PassedByHigher,
}

/// The three ways in which a crossing stays silent, as `poll` and the metric count them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[derive(IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Suppression {
    /// The highest crossed step was raised or passed before.
    Duplicate,
    /// A step recorded as passed.
    Passed,
    /// An alert recorded as silenced.
    Silenced,
}

impl Suppression {
    /// Every way.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The metric's label.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Reason {
    /// The stable word for logs and JSON.
    pub fn code(self) -> &'static str {
        self.into()
    }

    /// Whether it keeps the highest step reached silent, since that was raised or passed before.
    pub fn is_duplicate(self) -> bool {
        matches!(
            self,
            Self::AlreadyRaised
                | Self::AlreadyPassed
                | Self::ToldBefore
                | Self::NotSeenBelow
                | Self::RearmNever
        )
    }

    /// Whether it says that the rule does not apply to the customer at all.
    pub fn is_not_applicable(self) -> bool {
        !matches!(
            self,
            Self::BelowFirstStep
                | Self::BelowFloor
                | Self::SeenBefore
                | Self::BusyWeekday
                | Self::ToldBefore
                | Self::NewStep
                | Self::BudgetRaised
                | Self::AlreadyRaised
                | Self::AlreadyPassed
                | Self::NotSeenBelow
                | Self::RearmNever
                | Self::PassedByHigher
        )
    }
}

impl From<MissingInput> for Reason {
    fn from(missing: MissingInput) -> Self {
        match missing {
            MissingInput::Budget => Self::NoBudget,
            MissingInput::NoBudget => Self::HasBudget,
            MissingInput::UsdCost => Self::NoUsdCost,
            MissingInput::TooEarly => Self::TooEarly,
            MissingInput::TurnOfPeriod => Self::TurnOfPeriod,
            MissingInput::EarlierDate => Self::NoEarlierDate,
            MissingInput::DatesTooClose => Self::DatesTooClose,
            MissingInput::Gap => Self::GapInData,
            MissingInput::CostFell => Self::CostFell,
            MissingInput::AfterCorrection => Self::AfterCorrection,
            MissingInput::CollectionAge => Self::CollectionAge,
            MissingInput::SecurityAlert => Self::ForSecurityAlerts,
        }
    }
}

impl From<NoReading> for Reason {
    fn from(missing: NoReading) -> Self {
        match missing {
            NoReading::NotNewest => Self::NotNewestDate,
            NoReading::Learning(Learning { days }) => Self::Learning(days),
            NoReading::NoRate(NoRate::First) => Self::NoEarlierDate,
            NoReading::NoRate(NoRate::TooClose) => Self::HalfADayApart,
            NoReading::NoRate(NoRate::Corrected) => Self::AfterCorrection,
            NoReading::NoRate(NoRate::Late) => Self::DataLate,
            NoReading::NoRate(NoRate::Hole) => Self::GapInData,
        }
    }
}

impl fmt::Display for Reason {
    /// A sentence fragment that fits after "because".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Muted => "the customer's mute_rules names this rule",
            Self::CustomerNotSelected => "no pattern of match.customers fits the customer",
            Self::CustomerExcluded => "a pattern of match.exclude fits the customer",
            Self::TagNotSelected => "the customer has none of the tags of match.tags",
            Self::PlanNotSelected => "match.plan is for the other kind of customer",
            Self::CurrencyNotSelected => "match.currency does not list the customer's currency",
            Self::BudgetNotSelected => "match.budget does not hold the customer's budget",
            Self::UsdCostTooSmall => "the cost in USD is below match.usd_cost",
            Self::NotForSubscriptions => {
                "a subscription is judged by its own budget only, and the \
                metric reads none"
            }
            Self::ForSecurityAlerts => {
                "the rule is about Microsoft's security alerts, not about usage: budget-alertd \
                security list"
            }
            Self::NoBudget => "the customer has no budget, in Partner Center or locally",
            Self::HasBudget => "the customer has a budget, and the metric is for those without",
            Self::CurrencyUnknown => {
                "the steps are by currency and the customer's currency is \
                unknown"
            }
            Self::CurrencyWithoutStep => "no step is given in the customer's currency",
            Self::NoUsdCost => "the record has no cost in USD",
            Self::TooEarly => {
                "less than 48 hours of the billing period are over, and a forecast \
                from that would be a guess"
            }
            Self::TurnOfPeriod => {
                "the data is dated in the next billing period but taken for late \
                data of this one"
            }
            Self::NoEarlierDate => {
                "this billing period has no earlier date of the customer's data \
                to compare with"
            }
            Self::DatesTooClose => "the last two dates of the data are less than an hour apart",
            Self::GapInData => "the last two dates of the data are more than 72 hours apart",
            Self::CostFell => "the cost fell since the date of the data before",
            Self::AfterCorrection => {
                "the cost is not above what it was before a correction \
                downwards"
            }
            Self::NoFloor => {
                "no floor is given in the customer's currency, and there is no budget to take \
                floor_percent of"
            }
            Self::Learning(days) => return write!(f, "it is learning, {days} of 7 days"),
            Self::HalfADayApart => "the last two dates of the data are less than 12 hours apart",
            Self::DataLate => "the cost has not changed: the data of the day is late",
            Self::NotNewestDate => "only the newest date of the data is judged",
            Self::BelowFloor => "it is not above the usual by as much as the floor",
            Self::SeenBefore => {
                "it is not more than 10 % above the highest excess of the last 35 days"
            }
            Self::BusyWeekday => {
                "an earlier day of this weekday was nearly as high, and there are too few of \
                them to know what is usual"
            }
            Self::ToldBefore => "the spike was told before, and is not more than 10 % above that",
            Self::CollectionAge => {
                "the age of the data is judged against the whole collection, \
                which is old itself"
            }
            Self::BelowFirstStep => "the value has not reached the first step",
            Self::NewStep => "the value reached a step that had not alerted in this billing period",
            Self::BudgetRaised => "the value reached the step again under a raised budget",
            Self::AlreadyRaised => "this step was raised before in this billing period",
            Self::AlreadyPassed => "a higher step was raised before in this billing period",
            Self::NotSeenBelow => {
                "the budget was raised, but the customer has not been below the \
                step under it"
            }
            Self::RearmNever => "the step alerted before and the rule says rearm = \"never\"",
            Self::PassedByHigher => "a higher step of the same jump alerts",
        })
    }
}

/// What a rule says about one customer, before anything is remembered: its value and the steps it
/// reached, or why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The rule does not apply.
    NotApplicable(Reason),
    /// The rule applies and no step is reached.
    Below {
        /// The value; never absent, since a cost over a zero budget is over every step.
        value: Decimal,
        /// The first step of the ladder for this customer.
        next_at: Decimal,
    },
    /// At least one step is reached.
    Crossed {
        /// The value.
        value: MetricValue,
        /// The steps.
        crossing: crate::domain::Crossing,
    },
}
