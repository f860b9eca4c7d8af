//! A connection to a PostgreSQL server, made again when it was lost.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use std::vec;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use crate::clock::boot_time;
use crate::ledger::leadership::Seat;
use crate::ledger::server::Server;
use crate::ledger::sql::error::Result;
use crate::ledger::sql::failure::{Failure, Kind};
use crate::ledger::sql::params::Bound;
use crate::ledger::sql::postgres::dialect::translate;
use crate::ledger::sql::postgres::driver;
use crate::ledger::sql::postgres::statement::Ready;
use crate::ledger::sql::postgres::value::Parameter;
use crate::ledger::sql::postgres::wait::wait;

/// How long nothing may be heard of a statement: longer than the server lets one run.
const PATIENCE: Duration = Duration::from_secs(40);
/// How long a server that was away is left alone.
const REST: Duration = Duration::from_secs(2);

/// A connection.
pub(in crate::ledger) struct Database {
    server: Server,
    client: RefCell<Option<Client>>,
    ready: RefCell<HashMap<Box<str>, Ready>>,
    in_transaction: Cell<bool>,
    /// Whether it is of no use any more, though it is open: an answer is still to come that nobody
    /// waits for, or the server takes no writes.
    stuck: Cell<bool>,
    pub(in crate::ledger) seat: Arc<Seat>,
    /// When connecting failed last, by the boot clock, and why.
    failed: RefCell<Option<(Duration, Failure)>>,
    /// How long nothing may be heard of a statement.
    patience: Duration,
}

/// A prepared statement.
pub(in crate::ledger) struct Prepared<'c> {
    database: &'c Database,
    ready: Ready,
}

impl Prepared<'_> {
    /// Runs it; returns how many rows it changed.
    pub(in crate::ledger::sql) fn execute(&self, bound: Bound<'_>) -> Result<usize> {
        let (values, statement) = (self.ready.values(bound)?, &self.ready.statement);
        let values = references(&values);
        let changed = self.database.ask(async |client| client.execute(statement, &values).await)?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    /// Runs it; returns the rows it finds.
    pub(in crate::ledger::sql) fn query(&self, bound: Bound<'_>) -> Result<vec::IntoIter<Row>> {
        let (values, statement) = (self.ready.values(bound)?, &self.ready.statement);
        let values = references(&values);
        Ok(self.database.ask(async |client| client.query(statement, &values).await)?.into_iter())
    }
}

impl Database {
    /// A connection that is made when it is first needed.
    pub(in crate::ledger) fn of(server: &Server, seat: Arc<Seat>) -> Self {
        Self {
            server: server.clone(),
            client: RefCell::default(),
            ready: RefCell::default(),
            in_transaction: Cell::default(),
            stuck: Cell::default(),
            seat,
            failed: RefCell::default(),
            patience: PATIENCE,
        }
    }

    /// The same, but nothing may be heard of a statement for no longer than this.
    pub(in crate::ledger) fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Makes a statement ready, and keeps it for the next time.
    pub(in crate::ledger::sql) fn prepare(&self, sql: &str) -> Result<Prepared<'_>> {
        self.connect()?;
        let known = self.ready.borrow().get(sql).cloned();
        let ready = if let Some(ready) = known {
            ready
        } else {
            let translated = translate(sql);
            let statement = self.ask(async |client| client.prepare(&translated.sql).await)?;
            let ready = Ready { statement, names: translated.names };
            self.ready.borrow_mut().insert(sql.into(), ready.clone());
            ready
        };
        Ok(Prepared { database: self, ready })
    }

    /// Runs statements that bind nothing, as they are.
    pub(in crate::ledger) fn batch(&self, sql: &str) -> Result<()> {
        self.connect()?;
        Ok(self.ask(async |client| client.batch_execute(sql).await)?)
    }

    /// Does all of `work` in one transaction, begun by `begin`, or nothing of it.
    pub(in crate::ledger) fn transaction<T>(
        &self,
        begin: &str,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        self.batch(begin)?;
        self.in_transaction.set(true);
        let worked = work();
        let end = if worked.is_ok() { "COMMIT" } else { "ROLLBACK" };
        let ended = if self.stuck.get() {
            // The server undoes it when the connection ends.
            Err(Failure::away("the connection was lost"))
        } else {
            self.ask(async |client| client.batch_execute(end).await)
        };
        self.in_transaction.set(false);
        if ended.is_err() {
            self.hang_up();
        }
        let value = worked?;
        ended?;
        Ok(value)
    }

    /// Connects where there is no connection. One that is lost within a transaction stays so until
    /// that has ended.
    fn connect(&self) -> std::result::Result<(), Failure> {
        let usable = |client: &Client| !client.is_closed() && !self.stuck.get();
        if self.client.borrow().as_ref().is_some_and(usable) {
            return Ok(());
        }
        if self.in_transaction.get() {
            return Err(Failure::away("the connection was lost"));
        }
        let now = boot_time();
        let rests = |(at, _): &(Duration, Failure)| now.saturating_sub(*at) < REST;
        if let Some((_, why)) = self.failed.borrow().as_ref().filter(|failed| rests(failed)) {
            return Err(why.clone());
        }
        self.hang_up();
        let connected = driver::connect(&self.server);
        *self.failed.borrow_mut() = connected.as_ref().err().map(|why| (boot_time(), why.clone()));
        *self.client.borrow_mut() = Some(connected?);
        Ok(())
    }

    /// Drops the connection: what the server still does for it is undone there.
    fn hang_up(&self) {
        *self.client.borrow_mut() = None;
        self.ready.borrow_mut().clear();
        self.stuck.set(false);
    }

    /// Asks the server, and waits for its answer.
    fn ask<T>(
        &self,
        question: impl AsyncFnOnce(&Client) -> std::result::Result<T, tokio_postgres::Error>,
    ) -> std::result::Result<T, Failure> {
        let client = self.client.borrow();
        let client = client.as_ref().ok_or_else(|| Failure::away("the connection was lost"))?;
        let Some(answer) = wait(question(client), self.patience) else {
            self.stuck.set(true);
            return Err(Failure::away("it does not answer"));
        };
        answer.map_err(|error| {
            let mut failure = Failure::from(error);
            if client.is_closed() {
                failure.kind = Kind::Away;
            }
            // A server that takes no writes any more is left for the one that does.
            self.stuck.set(failure.kind == Kind::Away);
            failure
        })
    }
}

fn references<'v>(values: &'v [Parameter<'v>]) -> Vec<&'v (dyn ToSql + Sync)> {
    let reference = |value: &'v Parameter<'v>| {
        let value: &(dyn ToSql + Sync) = value;
        value
    };
    values.iter().map(reference).collect()
}
