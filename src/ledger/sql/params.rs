//! Values that are bound to a statement: by position or by name.

use rusqlite::ToSql;
use rusqlite::types::ToSqlOutput;

/// What a value is written as.
pub(in crate::ledger) type ToSqlResult<'a> = rusqlite::Result<ToSqlOutput<'a>>;

/// Values as they are bound.
#[derive(Clone, Copy)]
pub(in crate::ledger) enum Bound<'a> {
    /// To `?1`, `?2` …
    ByPosition(&'a [&'a dyn ToSql]),
    /// To `:name` …
    ByName(&'a [(&'a str, &'a dyn ToSql)]),
}

/// What can be bound to a statement.
pub(in crate::ledger) trait Params {
    /// Hands the values to `work`.
    fn with<R>(self, work: impl FnOnce(Bound<'_>) -> R) -> R;
}

impl Params for () {
    fn with<R>(self, work: impl FnOnce(Bound<'_>) -> R) -> R {
        work(Bound::ByPosition(&[]))
    }
}

impl<T: ToSql, const N: usize> Params for [T; N] {
    fn with<R>(self, work: impl FnOnce(Bound<'_>) -> R) -> R {
        work(Bound::ByPosition(&self.each_ref().map(|value| {
            let value: &dyn ToSql = value;
            value
        })))
    }
}

impl Params for &[&dyn ToSql] {
    fn with<R>(self, work: impl FnOnce(Bound<'_>) -> R) -> R {
        work(Bound::ByPosition(self))
    }
}

impl Params for &[(&str, &dyn ToSql)] {
    fn with<R>(self, work: impl FnOnce(Bound<'_>) -> R) -> R {
        work(Bound::ByName(self))
    }
}
