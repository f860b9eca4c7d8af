//! What can go wrong with a statement.

use rusqlite::types::FromSqlError;

use crate::ledger::sql::failure::Failure;

/// What comes of a statement.
pub(in crate::ledger) type Result<T> = std::result::Result<T, Error>;

/// Why a statement failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// SQLite reports it.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// A PostgreSQL server reports it, or does not answer.
    #[error(transparent)]
    Postgres(#[from] Failure),
    /// A value that makes no sense: a column as it is read, or what was to be written.
    #[error(transparent)]
    Value(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// The error of a value that makes no sense.
    pub(in crate::ledger) fn value(
        why: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Value(why.into())
    }

    /// The same failure once more, for another who waited for it.
    pub(in crate::ledger) fn again(&self) -> Self {
        match self {
            Self::Sqlite(rusqlite::Error::SqliteFailure(code, text)) => {
                Self::Sqlite(rusqlite::Error::SqliteFailure(*code, text.clone()))
            }
            Self::Postgres(failure) => Self::Postgres(failure.clone()),
            Self::Sqlite(_) | Self::Value(_) => Self::value(self.to_string()),
        }
    }
}

impl From<FromSqlError> for Error {
    fn from(error: FromSqlError) -> Self {
        Self::value(error)
    }
}

/// A row that need not be there.
pub(in crate::ledger) trait Optional<T> {
    /// None where there is no such row.
    fn optional(self) -> Result<Option<T>>;
}

impl<T> Optional<T> for Result<T> {
    fn optional(self) -> Result<Option<T>> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(Error::Sqlite(rusqlite::Error::QueryReturnedNoRows)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
