//! PostgreSQL as an engine of the ledger: a connection that answers in the caller's thread, in the
//! words that SQLite knows.

mod connection;
mod dialect;
mod driver;
mod statement;
mod tls;
mod value;
mod wait;

pub(in crate::ledger) use connection::Database;
pub(in crate::ledger::sql) use connection::Prepared;
pub(in crate::ledger::sql) use value::Found;
