//! The rule that suits best, as it is written into a configuration, and budgets for customers that
//! have none.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use crate::alerting::{CustomerState, NewSample};
use crate::analysis::calibration::FLOOR_PERCENT;
use crate::analysis::whole_periods;
use crate::budgets;
use crate::cli::calibrate::sample::Sample;
use crate::cli::calibrate::{AllTried, Tried};
use crate::cli::text::count;
use crate::domain::{Metric, percent_of, rounded};
use crate::ledger::{LedgerError, Reader};
use crate::rules::Rules;

/// A budget leaves so much room above the dearest of the last periods, in percent of it.
const ROOM: Decimal = Decimal::from_parts(125, 0, 0, false, 0);
/// So many periods are looked at.
const PERIODS: usize = 3;

/// What is proposed.
pub(super) struct Proposal {
    /// The place of the candidate in the list of those tried.
    pub(super) chosen: usize,
    /// How many false alarms a week are bearable.
    pub(super) bearable: Decimal,
    /// Whether it raises no more than that.
    pub(super) is_bearable: bool,
}

impl Proposal {
    /// Of those that raise few enough alarms the one that finds most attacks; if none does, the one
    /// that raises the fewest.
    pub(super) fn choose(tried: &[Tried], bearable: Decimal) -> Self {
        let fits = |one: &Tried| one.alarms_per_week <= bearable;
        let found = |one: &Tried| (one.tally.by_second_date, one.tally.on_first_date);
        let order = |(_, a): &(usize, &Tried), (_, b): &(usize, &Tried)| {
            let fewer = || b.alarms_per_week.cmp(&a.alarms_per_week);
            let nearer = || distance(b).cmp(&distance(a));
            if fits(a) && fits(b) {
                return found(a).cmp(&found(b)).then_with(fewer).then_with(nearer);
            }
            fits(a).cmp(&fits(b)).then_with(fewer).then_with(nearer)
        };
        let best = tried.iter().enumerate().max_by(order);
        Self {
            chosen: best.map_or(0, |(place, _)| place),
            bearable,
            is_bearable: best.is_some_and(|(_, one)| fits(one)),
        }
    }

    /// The rule in TOML.
    pub(super) fn rule(&self, present: &Rules, sample: &Sample, tried: &AllTried) -> String {
        let Some(one) = tried.list.get(self.chosen) else { return String::new() };
        let (name, notify) = place_of(present);
        let floor: Vec<_> = one
            .candidate
            .floor
            .iter()
            .map(|(currency, amount)| format!("{currency} = {amount}"))
            .collect();
        let attacks = tried.replayed.attacks;
        let mut lines = vec![
            format!(
                "# Proposed from what {} of {} used from {} to {}.",
                sample.customers.len(),
                count(sample.of_customers, "customer"),
                sample.first,
                sample.last
            ),
            format!(
                "# False alarms a week: {}; {} since {}, which was held out.",
                one.alarms_per_week,
                one.held_out_per_week,
                sample.held_out.strftime("%-d %B %Y")
            ),
            format!(
                "# Of attacks added there, {} found on the first date of the data, {} by the 2nd.",
                share(one.tally.on_first_date, attacks),
                share(one.tally.by_second_date, attacks)
            ),
        ];
        lines.extend(sample.unknown_rates.iter().map(|currency| {
            format!("# No record says what a US dollar is in {currency}: check its floor.")
        }));
        let critical = (one.candidate.times * Decimal::TWO).max(Decimal::TEN);
        lines.extend([
            format!("[rules.{name}]"),
            "description = \"A day that costs far more than usual\"".to_owned(),
            "metric = \"spike\"".to_owned(),
            format!("notify = [{}]", notify.join(", ")),
        ]);
        if !floor.is_empty() {
            lines.push(format!("floor = {{ {} }}", floor.join(", ")));
        }
        lines.push(format!("floor_percent = {FLOOR_PERCENT}"));
        lines.push(format!(
            "steps = [{{ at = {} }}, {{ at = {critical}, severity = \"critical\" }}]",
            one.candidate.times
        ));
        lines.join("\n") + "\n"
    }
}

/// A part of a number in percent, to one digit; a dash where there is none.
pub(super) fn share(part: u64, whole: u64) -> String {
    percent_of(part.into(), whole.into())
        .map_or_else(|| "–".to_owned(), |percent| format!("{:.1} %", rounded(percent, 1)))
}

/// How far it is from the shipped rule: three times the usual, 100 US dollars.
fn distance(one: &Tried) -> (Decimal, Decimal) {
    let three = Decimal::ONE + Decimal::TWO;
    let floor = one.candidate.floor_usd - Decimal::ONE_HUNDRED;
    ((one.candidate.times - three).abs(), floor.abs())
}

/// The name, and the notifiers, of the rule that it would take the place of.
fn place_of(present: &Rules) -> (String, Vec<String>) {
    let spikes = present.facts().find(|rule| rule.metric == Metric::Spike);
    let name = spikes.map_or("spike", |rule| &*rule.name);
    let own = present.notifiers().find(|(rule, _)| *rule == name);
    let told = own.or_else(|| present.notifiers().next()).map(|(_, told)| told);
    let written = |text: &str| toml_edit::Value::from(text).to_string();
    let is_bare = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    let key = if name.chars().all(is_bare) { name.to_owned() } else { written(name) };
    (key, told.unwrap_or_default().into_iter().map(written).collect())
}

/// A budget for each customer that has none and has used something in a whole period: the dearest
/// of the last three, with room above it.
pub(super) fn budgets(
    reader: &Reader,
    local: &budgets::Config,
) -> Result<Vec<(CustomerState, Decimal)>, LedgerError> {
    let mut without = Vec::new();
    reader.each_seen(|seen| {
        if seen.subscription.is_none() && seen.budget.is_none() && may_be_written(&seen, local) {
            without.push(seen);
        }
    })?;
    without.sort_by_cached_key(|seen| (seen.name.to_lowercase(), seen.key()));
    let mut proposed = Vec::new();
    for seen in without {
        if let Some(budget) = budget(&seen, &reader.history(&seen.key())?) {
            proposed.push((seen, budget));
        }
    }
    Ok(proposed)
}

/// Whether an import of the sheet would replace nothing that somebody has written: a local budget
/// in another currency is none, and yet it stands there.
fn may_be_written(seen: &CustomerState, local: &budgets::Config) -> bool {
    local.customers.get(&seen.key()).is_none_or(|local| {
        local.budget.is_none() && local.currency.is_none_or(|own| Some(own) == seen.currency)
    })
}

fn budget(seen: &CustomerState, history: &[NewSample]) -> Option<Decimal> {
    let dearest = whole_periods(seen, history).into_iter().rev().take(PERIODS).max();
    let dearest = dearest.filter(|cost| *cost >= Decimal::ONE)?;
    Some(rounded_up(dearest.checked_mul(ROOM)?.checked_div(Decimal::ONE_HUNDRED)?))
}

/// Up to two digits: 1,234.56 is 1,300.
fn rounded_up(amount: Decimal) -> Decimal {
    let digits = amount.trunc().to_u128().map_or(0, |whole| whole.max(1).ilog10());
    let unit = (1..digits).fold(Decimal::ONE, |unit, _| unit.saturating_mul(Decimal::TEN));
    let times = amount.checked_div(unit).unwrap_or(amount).ceil();
    times.saturating_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_has_two_digits_and_is_never_below_the_cost() {
        let up = |text: &str| rounded_up(text.parse().unwrap()).to_string();
        assert_eq!(up("1234.56"), "1300");
        assert_eq!(up("1300"), "1300");
        assert_eq!(up("99.01"), "100");
        assert_eq!(up("12.5"), "13");
        assert_eq!(up("1.25"), "2");
        assert_eq!(up("987654321"), "990000000");
    }
}
