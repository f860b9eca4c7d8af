//! What narrows a statement, put together from what is asked for: a condition that is not there
//! keeps the planner from no index.

use rusqlite::ToSql;

use crate::ledger::sql::params::{Bound, Params};

/// Conditions, and the values that they compare with.
#[derive(Default)]
pub(in crate::ledger) struct Conditions<'v> {
    all: Vec<String>,
    values: Vec<(&'static str, Box<dyn ToSql + 'v>)>,
}

impl<'v> Conditions<'v> {
    /// Also this condition on a value, by the name that it is bound to; nothing without a value.
    pub(in crate::ledger) fn on(
        mut self,
        name: &'static str,
        value: Option<impl ToSql + 'v>,
        condition: &str,
    ) -> Self {
        if let Some(value) = value {
            self.all.push(condition.to_owned());
            self.values.push((name, Box::new(value)));
        }
        self
    }

    /// Also that a column holds a word of ours. It stands in the statement itself: an index of the
    /// rows with one word is found by it.
    pub(in crate::ledger) fn is(mut self, column: &str, word: Option<&'static str>) -> Self {
        self.all.extend(word.map(|word| format!("{column} = '{word}'")));
        self
    }

    /// Also this one, where there is one.
    pub(in crate::ledger) fn also(mut self, condition: Option<&str>) -> Self {
        self.all.extend(condition.map(ToOwned::to_owned));
        self
    }

    /// As they stand in a statement, behind `WHERE`.
    pub(in crate::ledger) fn sql(&self) -> String {
        if self.all.is_empty() { "TRUE".to_owned() } else { self.all.join(" AND ") }
    }
}

impl Params for &Conditions<'_> {
    fn with<R>(self, work: impl FnOnce(Bound<'_>) -> R) -> R {
        let values: Vec<(&str, &dyn ToSql)> =
            self.values.iter().map(|(name, value)| (*name, &**value)).collect();
        work(Bound::ByName(&values))
    }
}
