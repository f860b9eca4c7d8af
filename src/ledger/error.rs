//! What can go wrong with the ledger, each with the file and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use uuid::Uuid;

use crate::ledger::sql::{self, Failure, Kind};

/// A failure of the ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another process holds the ledger.
    #[error("{} is held by another budget-alertd{}: stop it first, or let it do this", path.display(), by.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    Held {
        /// The ledger's file.
        path: PathBuf,
        /// The process, as written in the lock file.
        by: Option<u32>,
    },
    /// There is no ledger to read.
    #[error("{} does not exist: the first `poll` or `run` makes it", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is no ledger of budget-alertd ({what}): name another file, or move this one away", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: &'static str,
    },
    /// The file is damaged.
    #[error("{} is damaged ({what}): bring a copy back with `budget-alertd ledger restore FILE \
        --force`, or move it away and begin a new one with `budget-alertd ledger new`, which tells \
        everything again", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A copy of a ledger is damaged.
    #[error("{} is damaged ({what}): use another copy", path.display())]
    DamagedCopy {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A backup lies where the ledger should be.
    #[error("{} is a backup, and no ledger yet: move it away, and bring it back with \
        `budget-alertd ledger restore FILE`", path.display())]
    IsBackup {
        /// The file.
        path: PathBuf,
    },
    /// Something is where a backup was to be written.
    #[error("{} is there already: name another file", path.display())]
    Occupied {
        /// The file.
        path: PathBuf,
    },
    /// There is a ledger where one was to be restored.
    #[error("{} is there: with --force it is replaced, and kept as {}.replaced", path.display(), path.display())]
    WouldReplace {
        /// The file.
        path: PathBuf,
    },
    /// The write-ahead log is damaged, and not at its end.
    #[error("{} is damaged at byte {at}, and more was written after that: put a sound copy of it \
        and of the ledger in their places, or move it away; what it holds is then lost, and may be \
        told again", path.display())]
    DamagedLog {
        /// The log.
        path: PathBuf,
        /// Where the first damaged frame begins.
        at: u64,
    },
    /// There was a ledger, and it is gone.
    #[error("{} is gone, and was there ({} says so): bring a copy back with `budget-alertd ledger \
        restore FILE`, or begin a new one with `budget-alertd ledger new`, which tells everything \
        again", path.display(), made.display())]
    Lost {
        /// Where it was.
        path: PathBuf,
        /// The file that says so.
        made: PathBuf,
    },
    /// A new ledger was ordered where there is one.
    #[error("{} is there: move it away before another one is begun", path.display())]
    There {
        /// The file.
        path: PathBuf,
    },
    /// A newer version of this program wrote the file.
    #[error("{} has schema version {found}, and this version knows up to {known}: use the newer \
        budget-alertd that wrote it{}", path.display(), copy.as_ref().map(|copy| format!(", or bring \
        the ledger of before back with `budget-alertd ledger restore {} --force`", copy.display())).unwrap_or_default())]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest known here.
        known: i64,
        /// The copy of before, where there is one.
        copy: Option<PathBuf>,
    },
    /// An older version wrote the file, and it was opened for reading only.
    #[error("{} has schema version {found}, and {known} is needed: the next `poll` or `run` brings \
        it up to date", path.display())]
    OlderVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The one needed.
        known: i64,
    },
    /// No space left for it.
    #[error("{} cannot grow, the disk is full: free some space", path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: sql::Error,
    },
    /// It may not be written, or not even opened.
    #[error("{} cannot be opened or written: check the owner and the rights of the file and its \
        folder", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: sql::Error,
    },
    /// The file or its folder could not be made, read or locked.
    #[error("{} cannot be used: check the disk, the file and its folder", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// What was to be recorded contradicts what is there; nothing of it was recorded.
    #[error("{} already has an entry of what was to be recorded, or lacks one it refers to", path.display())]
    Conflict {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: sql::Error,
    },
    /// A backup cannot be brought back to a server.
    #[error("{} is on a server: restore the backup as an SQLite ledger, with url = \"sqlite:FILE\", \
        and bring that there with `budget-alertd ledger copy`", path.display())]
    OnServer {
        /// What the ledger is called.
        path: PathBuf,
    },
    /// The server of the ledger does not answer, or takes no writes for now.
    #[error("{} cannot be used for now: {what}", path.display())]
    Away {
        /// What the ledger is called.
        path: PathBuf,
        /// What is known of it.
        what: String,
    },
    /// The server of the ledger does not let this program in.
    #[error("{} refuses: {what}; check the user, its password, its rights and the database in \
        [ledger] url", path.display())]
    Denied {
        /// What the ledger is called.
        path: PathBuf,
        /// What the server said.
        what: String,
    },
    /// Another host leads: it polls and delivers.
    #[error("{}", not_leading(leader.as_deref()))]
    NotLeading {
        /// Its name.
        leader: Option<String>,
    },
    /// Anything else that the server of the ledger reports.
    #[error("{} failed: {what}", path.display())]
    Server {
        /// What the ledger is called.
        path: PathBuf,
        /// What the server said.
        what: String,
    },
    /// Anything else that SQLite reports.
    #[error("{} failed", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: sql::Error,
    },
    /// The ledger has no such delivery.
    #[error("the ledger has no delivery {0}")]
    UnknownDelivery(Uuid),
    /// The ledger's thread has ended: it was closed.
    #[error("the ledger is closed")]
    Gone,
    /// The SQLite library in use can corrupt a ledger.
    #[error(
        "the SQLite library is version {found}, and 3.51.3 or newer is needed: build with the \
            bundled one"
    )]
    OldSqlite {
        /// Its version.
        found: &'static str,
    },
}

impl LedgerError {
    /// Names the file, and the kind of trouble, of what SQLite reports.
    pub(super) fn of(path: &Path, source: impl Into<sql::Error>) -> Self {
        let (path, source) = (path.to_owned(), source.into());
        let error = match &source {
            sql::Error::Sqlite(error) => error,
            sql::Error::Postgres(failure) => {
                let failure = failure.clone();
                return Self::of_server(path, failure, source);
            }
            sql::Error::Value(why) => return Self::Corrupt { path, what: why.to_string() },
        };
        // On a full disk the file that readers share cannot be made either, which SQLite calls
        // trouble with a file.
        if error
            .sqlite_error()
            .is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE)
        {
            return Self::Full { path, source };
        }
        match (error.sqlite_error_code(), error) {
            (Some(ErrorCode::DiskFull), _) => Self::Full { path, source },
            (
                Some(
                    ErrorCode::ReadOnly
                    | ErrorCode::CannotOpen
                    | ErrorCode::PermissionDenied
                    | ErrorCode::AuthorizationForStatementDenied,
                ),
                _,
            ) => Self::ReadOnly { path, source },
            (Some(ErrorCode::ConstraintViolation), _) => Self::Conflict { path, source },
            (Some(ErrorCode::NotADatabase), _) => {
                Self::NotOurs { path, what: "not an SQLite file" }
            }
            (Some(ErrorCode::DatabaseCorrupt), _)
            | (
                None,
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::InvalidColumnType(..),
            ) => Self::Corrupt { path, what: source.to_string() },
            _ => Self::Sqlite { path, source },
        }
    }

    fn of_server(path: PathBuf, failure: Failure, source: sql::Error) -> Self {
        let Failure { kind, what } = failure;
        match kind {
            Kind::Away => Self::Away { path, what },
            Kind::Denied => Self::Denied { path, what },
            Kind::Full => Self::Full { path, source },
            Kind::Conflict => Self::Conflict { path, source },
            Kind::NotLeading(leader) => Self::NotLeading { leader },
            Kind::Other => Self::Server { path, what },
        }
    }

    /// Whether it is no trouble: another process has the ledger, or leads.
    pub fn is_of_another_process(&self) -> bool {
        matches!(self, Self::Held { .. } | Self::NotLeading { .. })
    }

    /// Names the file of what the system reports.
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

fn not_leading(leader: Option<&str>) -> String {
    leader.map_or_else(
        || "this host does not lead: whichever does polls and delivers".to_owned(),
        |leader| format!("{leader} leads: it polls and delivers, and this host stands by"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_without_room_for_what_readers_share_is_called_full() {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_SHMSIZE);
        let error =
            LedgerError::of(Path::new("ledger.db"), rusqlite::Error::SqliteFailure(code, None));
        assert_eq!(error.to_string(), "ledger.db cannot grow, the disk is full: free some space");
    }
}
