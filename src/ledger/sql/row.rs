//! What a statement finds: rows, and the values in them.

use std::vec;

use rusqlite::RowIndex;
use rusqlite::types::{FromSql, ValueRef};
use tokio_postgres::Column;

use crate::ledger::sql::error::{Error, Result};
use crate::ledger::sql::postgres::Found;

/// A column, by its position or its name.
pub(in crate::ledger) trait Index: RowIndex + Copy {
    /// Where it is among these.
    fn position(self, columns: &[Column]) -> Option<usize>;
}

impl Index for usize {
    fn position(self, _: &[Column]) -> Option<usize> {
        Some(self)
    }
}

impl Index for &str {
    fn position(self, columns: &[Column]) -> Option<usize> {
        columns.iter().position(|column| column.name() == self)
    }
}

/// A row.
pub(in crate::ledger) enum Row<'a> {
    /// Of SQLite.
    Sqlite(&'a rusqlite::Row<'a>),
    /// Of PostgreSQL.
    Postgres(&'a tokio_postgres::Row),
}

impl Row<'_> {
    /// The value in a column.
    pub(in crate::ledger) fn get<I: Index, T: FromSql>(&self, column: I) -> Result<T> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            Self::Postgres(row) => Ok(T::column_result(found(row, column)?)?),
        }
    }

    /// The value in a column as it is, without a copy of it.
    pub(in crate::ledger) fn get_ref<I: Index>(&self, column: I) -> Result<ValueRef<'_>> {
        match self {
            Self::Sqlite(row) => Ok(row.get_ref(column)?),
            Self::Postgres(row) => found(row, column),
        }
    }
}

fn found<I: Index>(row: &tokio_postgres::Row, column: I) -> Result<ValueRef<'_>> {
    let position = column.position(row.columns()).ok_or_else(|| Error::value("no such column"))?;
    row.try_get::<_, Found<'_>>(position).map(|found| found.0).map_err(Error::value)
}

/// The rows that a statement finds, one after another.
pub(in crate::ledger) enum Rows<'s> {
    /// Of SQLite.
    Sqlite(rusqlite::Rows<'s>),
    /// Of PostgreSQL: all that are left, and the one that is looked at.
    Postgres(vec::IntoIter<tokio_postgres::Row>, Option<tokio_postgres::Row>),
}

impl<'s> Rows<'s> {
    /// The next row.
    pub(in crate::ledger) fn next(&mut self) -> Result<Option<Row<'_>>> {
        match self {
            Self::Sqlite(rows) => Ok(rows.next()?.map(Row::Sqlite)),
            Self::Postgres(rows, current) => {
                *current = rows.next();
                Ok(current.as_ref().map(Row::Postgres))
            }
        }
    }

    /// What `map` makes of each row.
    pub(in crate::ledger) fn map<T, F>(self, map: F) -> Mapped<'s, F>
    where
        F: FnMut(&Row<'_>) -> Result<T>,
    {
        Mapped { rows: self, map }
    }
}

/// What is made of each row.
pub(in crate::ledger) struct Mapped<'s, F> {
    rows: Rows<'s>,
    map: F,
}

impl<T, F: FnMut(&Row<'_>) -> Result<T>> Iterator for Mapped<'_, F> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.rows.next().transpose()?;
        Some(row.and_then(|row| (self.map)(&row)))
    }
}
