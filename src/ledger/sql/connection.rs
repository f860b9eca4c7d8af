//! A connection to the database that holds a ledger.

use std::time::Duration;

use rusqlite::{Transaction, TransactionBehavior};
use uuid::Uuid;

use crate::clock::boot_time;
use crate::ledger::sql::error::Result;
use crate::ledger::sql::failure::{Failure, Kind};
use crate::ledger::sql::params::Params;
use crate::ledger::sql::postgres::Database;
use crate::ledger::sql::row::Row;
use crate::ledger::sql::statement::Statement;

/// The columns that PostgreSQL numbers.
const NUMBERED: &str =
    "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns
    WHERE table_schema = current_schema() AND is_identity = 'YES'";
/// Locks the head of the chain, which is one row.
const LOCK: &str = "SELECT leader, epoch FROM file FOR UPDATE";
/// How long to wait for others who use the file.
pub(in crate::ledger) const PATIENCE: Duration = Duration::from_secs(5);

/// An open connection.
pub(in crate::ledger) enum Connection {
    /// To an SQLite file.
    Sqlite(rusqlite::Connection),
    /// To a PostgreSQL server.
    Postgres(Box<Database>),
}

impl Connection {
    /// Makes a statement ready, and keeps it for the next time.
    pub(in crate::ledger) fn prepare_cached(&self, sql: &str) -> Result<Statement<'_>> {
        match self {
            Self::Sqlite(file) => Ok(Statement::Sqlite(file.prepare_cached(sql)?)),
            Self::Postgres(server) => Ok(Statement::Postgres(server.prepare(sql)?)),
        }
    }

    /// Runs a statement; returns how many rows it changed.
    pub(in crate::ledger) fn execute(&self, sql: &str, params: impl Params) -> Result<usize> {
        self.prepare_cached(sql)?.execute(params)
    }

    /// Runs a statement; returns what `map` makes of the first row it finds.
    pub(in crate::ledger) fn query_row<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        self.prepare_cached(sql)?.query_row(params, map)
    }

    /// Does all of `work` in one transaction, or nothing of it; it is on disk when this returns. Of
    /// several hosts only the one that leads may.
    pub(in crate::ledger) fn write<T>(&self, work: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        self.transaction(|| {
            self.check_term()?;
            work(self)
        })
    }

    /// The same for what a person orders, on any host.
    pub(in crate::ledger) fn order<T>(&self, work: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        self.transaction(|| {
            self.lock()?;
            work(self)
        })
    }

    /// How many rows are asked for at once where not all of them may be needed: SQLite hands them
    /// over one by one.
    pub(in crate::ledger) fn piece(&self) -> i64 {
        match self {
            Self::Sqlite(_) => i64::MAX,
            Self::Postgres(_) => 200,
        }
    }

    /// What `visit` makes of each row of a table, a piece at a time, within a transaction.
    pub(in crate::ledger) fn each(
        &self,
        table: &str,
        sql: &str,
        mut visit: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        if let Self::Sqlite(_) = self {
            let mut statement = self.prepare_cached(sql)?;
            return statement.query_map((), visit)?.collect();
        }
        self.batch(&format!("DECLARE each_{table} NO SCROLL CURSOR FOR {sql}"))?;
        let mut statement = self.prepare_cached(&format!("FETCH 1000 FROM each_{table}"))?;
        loop {
            let rows: Vec<()> = statement.query_map((), &mut visit)?.collect::<Result<_>>()?;
            if rows.is_empty() {
                return self.batch(&format!("CLOSE each_{table}"));
            }
        }
    }

    /// Lets the numbers of new rows follow those that are there; SQLite does so by itself.
    pub(in crate::ledger) fn go_on_counting(&self) -> Result<()> {
        let Self::Postgres(_) = self else { return Ok(()) };
        let mut statement = self.prepare_cached(NUMBERED)?;
        let numbered = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
        for (table, column) in numbered.collect::<Result<Vec<(String, String)>>>()? {
            let sql = format!(
                "SELECT setval(pg_get_serial_sequence('{table}', '{column}'), coalesce(max({column}), 0) + 1, false) FROM {table}"
            );
            self.query_row(&sql, (), |_| Ok(()))?;
        }
        Ok(())
    }

    /// Runs statements that bind nothing.
    pub(in crate::ledger) fn batch(&self, sql: &str) -> Result<()> {
        match self {
            Self::Sqlite(file) => Ok(file.execute_batch(sql)?),
            Self::Postgres(server) => server.batch(sql),
        }
    }

    /// Does all of `work` in one transaction, or nothing of it.
    pub(in crate::ledger) fn transaction<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        match self {
            Self::Sqlite(file) => {
                let transaction = Transaction::new_unchecked(file, TransactionBehavior::Immediate)?;
                let value = work()?;
                transaction.commit()?;
                Ok(value)
            }
            Self::Postgres(server) => server.transaction("BEGIN", work),
        }
    }

    /// Reads within `work` see the ledger as it is at one moment, and nothing is written.
    pub(in crate::ledger) fn snapshot<T>(
        &self,
        work: impl FnOnce(&Self) -> Result<T>,
    ) -> Result<T> {
        match self {
            Self::Sqlite(file) => {
                let _transaction = file.unchecked_transaction()?;
                work(self)
            }
            Self::Postgres(server) => server
                .transaction("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", || work(self)),
        }
    }

    /// Makes a transaction the only one that writes, of all hosts; returns who leads in which
    /// epoch. SQLite has none but one.
    fn lock(&self) -> Result<Option<(Option<Uuid>, i64)>> {
        match self {
            Self::Sqlite(_) => Ok(None),
            Self::Postgres(_) => self.query_row(LOCK, (), |row| {
                let leader = row.get_ref(0)?.as_blob_or_null()?;
                let leader = leader.and_then(|bytes| Uuid::from_slice(bytes).ok());
                Ok(Some((leader, row.get(1)?)))
            }),
        }
    }

    /// Fails where another host leads, or may lead by now. No other one can begin to until the
    /// transaction is over.
    fn check_term(&self) -> Result<()> {
        let Self::Postgres(server) = self else { return Ok(()) };
        let not_leading = |leader: Option<String>| {
            let what = leader.as_ref().map_or_else(
                || "this host does not lead".to_owned(),
                |leader| format!("{leader} leads"),
            );
            Failure::new(Kind::NotLeading(leader), what)
        };
        let epoch = server.seat.epoch(boot_time()).map_err(not_leading)?;
        if self.lock()? == Some((Some(server.seat.holder), epoch)) {
            Ok(())
        } else {
            Err(not_leading(server.seat.leader()).into())
        }
    }

    /// Brings what lies beside the database into it, where there is such a thing.
    pub(in crate::ledger) fn checkpoint(&self) -> Result<()> {
        match self {
            Self::Sqlite(file) => Ok(checkpoint(file)?),
            Self::Postgres(_) => Ok(()),
        }
    }
}

/// Moves the write-ahead log into the file and empties it, so that damage to it rarely undoes what
/// was told. Waits for nobody: what readers still need stays.
pub(in crate::ledger) fn checkpoint(file: &rusqlite::Connection) -> rusqlite::Result<()> {
    file.busy_timeout(Duration::ZERO)?;
    let moved = file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    file.busy_timeout(PATIENCE)?;
    moved
}
