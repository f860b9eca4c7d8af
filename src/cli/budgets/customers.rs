//! The customers that a row of a spreadsheet may be about: by id, by name, by label. What the row
//! says of them is left to the import.

use std::collections::HashMap;

use crate::alerting::{CustomerState, RememberedCustomer};
use crate::budgets::sheet::Row;
use crate::cli::text::clean;
use crate::config::{Config, hint};
use crate::domain::CustomerKey;
use crate::domain::name_key;
use crate::ledger::Reader;

/// More rows than this without a customer get no hint each: every hint looks at every name.
const HINTED: usize = 20;

/// Every customer that is known.
pub(super) struct Customers<'c> {
    config: &'c Config,
    /// None before the first poll.
    reader: Option<&'c Reader>,
    seen: Vec<CustomerState>,
    by_id: HashMap<CustomerKey, usize>,
    /// By name and by label, lower case.
    by_name: HashMap<String, Vec<usize>>,
    hints: usize,
}

/// Whom a row is about.
pub(super) struct Match {
    pub(super) key: CustomerKey,
    /// The id as received, else as written.
    pub(super) id: String,
    /// What it was found by.
    pub(super) by: &'static str,
}

/// Why it is not known whom a row is about.
pub(super) enum Unmatched {
    Unknown(String),
    Ambiguous(String),
}

impl<'c> Customers<'c> {
    /// Reads every last seen state.
    pub(super) fn read(config: &'c Config, reader: Option<&'c Reader>) -> anyhow::Result<Self> {
        let mut seen =
            reader.map_or(Ok(Vec::new()), |reader| reader.customers_worst_first(usize::MAX))?;
        seen.retain(|seen| seen.subscription.is_none());
        seen.sort_by_cached_key(|seen| (seen.name.to_lowercase(), seen.customer.key()));
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        let mut by_id = HashMap::with_capacity(seen.len());
        for (index, customer) in seen.iter().enumerate() {
            let key = customer.customer.key();
            let label =
                config.budgets.customers.get(&key).and_then(|local| local.profile.label.as_ref());
            for name in [Some(&customer.name), customer.label.as_ref(), label]
                .into_iter()
                .flatten()
                .map(|name| name_key(name))
            {
                let same = by_name.entry(name).or_default();
                if !same.contains(&index) {
                    same.push(index);
                }
            }
            by_id.insert(key, index);
        }
        Ok(Self { config, reader, seen, by_id, by_name, hints: 0 })
    }

    /// The last seen state of a customer.
    pub(super) fn seen(&self, key: &CustomerKey) -> Option<&CustomerState> {
        self.by_id.get(key).and_then(|index| self.seen.get(*index))
    }

    /// All that is remembered of a customer.
    pub(super) fn remembered(
        &self,
        key: &CustomerKey,
    ) -> anyhow::Result<Option<RememberedCustomer>> {
        Ok(self.reader.map_or(Ok(None), |reader| reader.current(key))?)
    }

    /// The customer that a row is about: the one with its id, else the only one with its name or
    /// its label.
    pub(super) fn find(&mut self, row: &Row<'_>) -> Result<Match, Unmatched> {
        if let Some(id) = &row.customer_id {
            let key = CustomerKey::written(&id.value);
            let seen = self.seen(&key).map(|seen| seen.customer.to_string());
            let described = || {
                self.config
                    .budgets
                    .customers
                    .contains_key(&key)
                    .then(|| id.value.clone().into_owned())
            };
            return match seen.or_else(described) {
                Some(id) => Ok(Match { key, id, by: "customer_id" }),
                None => Err(Unmatched::Unknown(format!(
                    "no usage of a customer with the id \"{}\" was ever read",
                    clean(&id.value)
                ))),
            };
        }
        let mut names = Vec::new();
        for (by, cell) in [("name", &row.name), ("label", &row.label)] {
            let Some(cell) = cell else { continue };
            match self.by_name.get(&name_key(&cell.value)).map(Vec::as_slice) {
                None | Some([]) => names.push(clean(&cell.value)),
                Some([only]) => return self.matched(*only, by),
                Some(several) => {
                    return Err(Unmatched::Ambiguous(self.ambiguous(&cell.value, several)));
                }
            }
        }
        Err(Unmatched::Unknown(self.unknown(&names)))
    }

    fn matched(&self, index: usize, by: &'static str) -> Result<Match, Unmatched> {
        let seen = self.seen.get(index).ok_or_else(|| Unmatched::Unknown(String::new()))?;
        Ok(Match { key: seen.customer.key(), id: seen.customer.to_string(), by })
    }

    fn ambiguous(&self, name: &str, several: &[usize]) -> String {
        let ids: Vec<String> = several
            .iter()
            .filter_map(|index| self.seen.get(*index))
            .map(|seen| clean(seen.customer.as_str()))
            .collect();
        format!(
            "{} customers are called \"{}\"; give the customer_id of one: {}",
            ids.len(),
            clean(name),
            ids.join(", ")
        )
    }

    fn unknown(&mut self, names: &[String]) -> String {
        let Some(name) = names.first() else {
            return "the row has neither customer_id nor name".to_owned();
        };
        self.hints += 1;
        let near = if self.hints <= HINTED {
            hint(name, self.seen.iter().map(|seen| seen.name.as_str()))
        } else {
            String::new()
        };
        format!("no customer is called \"{}\"{near}", names.join("\" or \""))
    }
}
