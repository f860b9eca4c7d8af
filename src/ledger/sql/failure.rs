//! What a PostgreSQL server refuses, and that it does not answer.

use tokio_postgres::error::SqlState;

/// Why a statement failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Failure {
    /// Its kind.
    pub(in crate::ledger) kind: Kind,
    /// What was said, on one line, without any value of a row.
    pub(in crate::ledger) what: String,
}

/// What follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ledger) enum Kind {
    /// There is no server at the moment, or none that may be written: it is tried again.
    Away,
    /// The user, its password or the database is not known, or the rights are missing.
    Denied,
    /// Its disk is full.
    Full,
    /// What was to be recorded contradicts what is there.
    Conflict,
    /// Another host leads; its name where it is known.
    NotLeading(Option<String>),
    /// Anything else.
    Other,
}

impl Failure {
    /// A failure of this kind.
    pub(in crate::ledger) fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into() }
    }

    /// The server does not answer.
    pub(in crate::ledger::sql) fn away(what: impl Into<String>) -> Self {
        Self::new(Kind::Away, what)
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(refusal) = error.as_db_error() else {
            let what = causes(&error);
            // A value that cannot be bound, or a wrong password, is no trouble of the connection.
            let away = error.is_closed() || is_io(&error);
            return Self::new(if away { Kind::Away } else { Kind::Other }, what);
        };
        Self::new(
            kind(refusal.code()),
            format!("{} ({})", refusal.message(), refusal.code().code()),
        )
    }
}

/// What follows from a code (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
fn kind(code: &SqlState) -> Kind {
    match code.code() {
        "53100" => Kind::Full,
        "42501" | "3D000" | "3F000" => Kind::Denied,
        // A standby takes no writes until it is promoted.
        "25006" | "57014" | "55P03" => Kind::Away,
        other => match other.get(..2) {
            Some("08" | "57" | "53" | "40" | "58") => Kind::Away,
            Some("28") => Kind::Denied,
            Some("23") => Kind::Conflict,
            _ => Kind::Other,
        },
    }
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.is::<std::io::Error>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// An error with what caused it, on one line.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}
