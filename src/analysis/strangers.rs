//! What a configuration says of nobody: customers of whom no usage was ever seen, and patterns that
//! fit no customer. Each is ignored in every poll, so that a budget with one digit wrong would
//! never alert.

use std::collections::HashSet;

use crate::alerting::CustomerState;
use crate::analysis::Guess;
use crate::budgets;
use crate::domain::{CustomerKey, Glob};
use crate::ledger::{LedgerError, Reader};
use crate::rules::Rules;
use crate::text::clean;

/// Of no more of each it is said whom they may mean.
const GUESSED: usize = 20;
/// How much of a name is shown.
const SHOWN: usize = 60;

/// What is said of nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Strangers {
    /// Customers of whom no usage was ever seen, in words, in the order of their ids.
    pub customers: Vec<String>,
    /// Patterns of rules that fit no customer, in words.
    pub patterns: Vec<String>,
}

impl Strangers {
    /// Compares a configuration with every customer that the ledger knows; nothing as long as no
    /// poll was good.
    pub fn find(
        budgets: &budgets::Config,
        rules: &Rules,
        reader: &Reader,
    ) -> Result<Self, LedgerError> {
        let mut unseen: HashSet<&CustomerKey> = budgets.customers.keys().collect();
        let mut idle: Vec<(&str, &Glob)> = rules.patterns().collect();
        if (unseen.is_empty() && idle.is_empty()) || reader.poll_memory()?.last_good_at.is_none() {
            return Ok(Self::default());
        }
        reader.each_seen(|seen| {
            let key = seen.customer.key();
            idle.retain(|(_, pattern)| !fits(pattern, budgets, &key, &seen));
            unseen.remove(&key);
        })?;
        let mut unseen: Vec<&CustomerKey> = unseen.into_iter().collect();
        unseen.sort_unstable();
        let label = |key: &CustomerKey| {
            budgets.customers.get(key).and_then(|local| local.profile.label.as_deref())
        };
        let by_id = guesses(unseen.iter().map(|key| key.as_str()), reader)?;
        let by_label = guesses(unseen.iter().map(|key| label(key).unwrap_or_default()), reader)?;
        let patterns = guesses(idle.iter().map(|(_, pattern)| pattern.as_str()), reader)?;
        let customer = |(index, key): (usize, &&CustomerKey)| {
            let called =
                label(key).map(|label| format!(" ({})", clean(label, SHOWN))).unwrap_or_default();
            format!(
                "{}{called}{}",
                clean(key.as_str(), SHOWN),
                hint(&[by_id.get(index), by_label.get(index)])
            )
        };
        let pattern = |(index, (rule, pattern)): (usize, &(&str, &Glob))| {
            format!(
                "\"{}\" of rule \"{}\"{}",
                clean(pattern.as_str(), SHOWN),
                clean(rule, SHOWN),
                hint(&[patterns.get(index)])
            )
        };
        Ok(Self {
            customers: unseen.iter().enumerate().map(customer).collect(),
            patterns: idle.iter().enumerate().map(pattern).collect(),
        })
    }
}

fn fits(
    pattern: &Glob,
    budgets: &budgets::Config,
    key: &CustomerKey,
    seen: &CustomerState,
) -> bool {
    let label = budgets.customers.get(key).and_then(|local| local.profile.label.as_deref());
    pattern.fits_any([Some(key.as_str()), Some(seen.name.as_str()), label])
}

/// Whom the first of these texts may mean.
fn guesses<'t>(
    texts: impl Iterator<Item = &'t str>,
    reader: &Reader,
) -> Result<Vec<Guess>, LedgerError> {
    let mut guesses: Vec<Guess> = texts.take(GUESSED).map(Guess::of).collect();
    if !guesses.is_empty() {
        reader.each_seen(|seen| guesses.iter_mut().for_each(|guess| guess.consider(&seen)))?;
    }
    Ok(guesses)
}

fn hint(guesses: &[Option<&Guess>]) -> String {
    let meant = guesses.iter().flatten().find_map(|guess| guess.meant());
    meant
        .map(|(id, name)| format!("; did you mean {}, {}?", clean(id, SHOWN), clean(name, SHOWN)))
        .unwrap_or_default()
}
