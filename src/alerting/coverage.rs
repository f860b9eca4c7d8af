//! Which customers can never alert, and why: one word for each reason, in the metric and in
//! `coverage`. How it is told is the command's.

use std::collections::BTreeSet;

use strum::{IntoStaticStr, VariantArray};

use crate::alerting::CustomerState;
use crate::alerting::judging::record;
use crate::budgets;
use crate::domain::{Assessed, Audience, Reason, Route};
use crate::rules::Rules;

/// Why nobody would be told about a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[derive(IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Gap {
    /// The rules for it need a budget and it has none.
    NoBudget,
    /// No rule is for it.
    NoRule,
    /// The rules for it tell of spikes above a floor, and it has none.
    NoFloor,
    /// The rules for it have steps by currency and its currency is unknown.
    CurrencyUnknown,
    /// Its own configuration mutes the rules for it.
    Muted,
    /// Rules are for it, but no notifier they tell takes messages now.
    DeadNotifier,
}

impl Gap {
    /// Every reason. All but the last are the metric's: that a notifier fails is told on its own.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The gap that a reason of the rules makes.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the others say that a rule is not for it")]
    pub(crate) fn of(reason: Reason) -> Self {
        match reason {
            Reason::NoBudget => Self::NoBudget,
            Reason::NoFloor => Self::NoFloor,
            Reason::CurrencyUnknown => Self::CurrencyUnknown,
            Reason::Muted => Self::Muted,
            _ => Self::NoRule,
        }
    }

    /// The word for JSON and the metric's label.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// What to do about it.
    pub fn action(self) -> &'static str {
        match self {
            Self::NoBudget => {
                "set a budget in Partner Center or in [customers.\"ID\"], or add a rule that needs \
                    none: metric = \"unbudgeted_cost\" or \"usd_total_cost\""
            }
            Self::NoFloor => {
                "add its currency to the floor of a rule about spikes, or set a budget that \
                    floor_percent is a part of"
            }
            Self::NoRule => {
                "widen the match of a rule, add steps in its currency, or add a rule; explain \
                    CUSTOMER says why each does not apply"
            }
            Self::CurrencyUnknown => {
                "set [source] legacy_currency, or currency in [customers.\"ID\"]"
            }
            Self::Muted => {
                "take the rules out of its mute_rules, unless nobody should ever hear of it"
            }
            Self::DeadNotifier => {
                "fix the notifiers that its rules tell, or name another one; status says what \
                    they answer"
            }
        }
    }
}

/// Why nobody would be told about a customer as it was last seen, under a configuration; `failing`
/// are the notifiers that take no messages now. None when somebody would.
pub fn gap(
    budgets: &budgets::Config,
    rules: &Rules,
    seen: &CustomerState,
    failing: &BTreeSet<Box<str>>,
) -> Option<Gap> {
    let unplaced = budgets.join(record(seen)).unplaced();
    let assessed: &Assessed = unplaced.assessed();
    if let Some(reason) = rules.uncovered(assessed) {
        return Some(Gap::of(reason));
    }
    let silent =
        !failing.is_empty() && rules.told(assessed).iter().all(|name| failing.contains(*name));
    silent.then_some(Gap::DeadNotifier)
}

/// The notifiers that a customer would read and that tell nobody about it: no address of its own is
/// known.
pub fn silent<'a>(rules: &Rules, assessed: &Assessed, routes: &'a [Route]) -> Vec<&'a str> {
    let (told, customer) = (rules.told(assessed), assessed.record.customer.key());
    let is_silent = |route: &&Route| {
        let reads =
            route.readers.audience() == Audience::Customer && told.contains(&*route.notifier);
        reads && route.recipients_about(&customer, &assessed.profile.contacts).count() == 0
    };
    routes.iter().filter(is_silent).map(|route| &*route.notifier).collect()
}

/// The same about a customer as it was last seen, under a configuration.
pub fn silent_about<'a>(
    budgets: &budgets::Config,
    rules: &Rules,
    seen: &CustomerState,
    routes: &'a [Route],
) -> Vec<&'a str> {
    silent(rules, budgets.join(record(seen)).unplaced().assessed(), routes)
}
