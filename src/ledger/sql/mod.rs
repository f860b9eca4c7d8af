//! SQL as the tables use it, whatever database answers: connection, statement, row, error. What is
//! asked is the tables'.

mod conditions;
mod connection;
mod error;
mod failure;
mod params;
mod postgres;
mod row;
mod statement;

pub(super) use conditions::Conditions;
pub(super) use connection::{Connection, PATIENCE, checkpoint};
pub(super) use error::Error;
pub(super) use error::{Optional, Result};
pub(super) use failure::{Failure, Kind};
pub(super) use params::{Params, ToSqlResult};
pub(super) use postgres::Database;
pub(super) use row::{Index, Row};
pub(super) use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
pub(super) use rusqlite::{ToSql, named_params, params};
