//! A statement that is ready to be run, any number of times.

use crate::ledger::sql::error::{Error, Result};
use crate::ledger::sql::params::{Bound, Params};
use crate::ledger::sql::postgres::Prepared;
use crate::ledger::sql::row::{Mapped, Row, Rows};

/// A prepared statement.
pub(in crate::ledger) enum Statement<'c> {
    /// Of SQLite.
    Sqlite(rusqlite::CachedStatement<'c>),
    /// Of PostgreSQL.
    Postgres(Prepared<'c>),
}

impl Statement<'_> {
    /// Runs it; returns how many rows it changed.
    pub(in crate::ledger) fn execute(&mut self, params: impl Params) -> Result<usize> {
        match self {
            Self::Sqlite(statement) => Ok(params.with(|bound| match bound {
                Bound::ByPosition(values) => statement.execute(values),
                Bound::ByName(values) => statement.execute(values),
            })?),
            Self::Postgres(statement) => params.with(|bound| statement.execute(bound)),
        }
    }

    /// Runs it; returns the rows it finds.
    pub(in crate::ledger) fn query(&mut self, params: impl Params) -> Result<Rows<'_>> {
        match self {
            Self::Sqlite(statement) => Ok(Rows::Sqlite(params.with(|bound| match bound {
                Bound::ByPosition(values) => statement.query(values),
                Bound::ByName(values) => statement.query(values),
            })?)),
            Self::Postgres(statement) => {
                Ok(Rows::Postgres(params.with(|bound| statement.query(bound))?, None))
            }
        }
    }

    /// Runs it; returns what `map` makes of each row it finds.
    pub(in crate::ledger) fn query_map<T, F>(
        &mut self,
        params: impl Params,
        map: F,
    ) -> Result<Mapped<'_, F>>
    where
        F: FnMut(&Row<'_>) -> Result<T>,
    {
        Ok(self.query(params)?.map(map))
    }

    /// Runs it; returns what `map` makes of the first row it finds.
    pub(in crate::ledger) fn query_row<T>(
        &mut self,
        params: impl Params,
        map: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut rows = self.query(params)?;
        let row = rows.next()?.ok_or(Error::Sqlite(rusqlite::Error::QueryReturnedNoRows))?;
        map(&row)
    }
}
