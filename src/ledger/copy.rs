//! Copies a ledger from one place to another, a file or a server, while nobody uses either: the
//! same identities, the same chain, so that nothing is told twice by whoever goes on with the copy.

use jiff::Timestamp;

use crate::fs::{Rights, Unfinished};
use crate::ledger::copying::reopen;
use crate::ledger::error::LedgerError;
use crate::ledger::lock::Lock;
use crate::ledger::schema::VERSION;
use crate::ledger::server::Server;
use crate::ledger::sql::{Connection, Optional as _};
use crate::ledger::verify::{Verified, holds};
use crate::ledger::{Config, database, file, made, transfer};

/// Who leads by a lease that is not over.
const LEADER: &str = "SELECT host FROM lease WHERE expires_at > clock_timestamp()";

/// Copies it; returns what the copy holds.
///
/// Fails when a daemon runs on either, when there is something at `to`, and when what was copied is
/// not what was there.
pub fn copy_ledger(from: &Config, to: &Config, now: Timestamp) -> Result<Verified, LedgerError> {
    let original = file::open_read_only(from)?;
    let _lock = from.server.is_none().then(|| Lock::take(&from.path)).transpose()?;
    refuse_led(&original, from)?;
    match &to.server {
        Some(server) => to_server(&original, from, server, to, now),
        None => to_file(&original, from, to, now),
    }
}

fn to_server(
    original: &Connection,
    from: &Config,
    server: &Server,
    to: &Config,
    now: Timestamp,
) -> Result<Verified, LedgerError> {
    let copy = database::open_or_make(server, &to.path, now)?;
    refuse_led(&copy, to)?;
    if transfer::holds_anything(&copy).map_err(|error| LedgerError::of(&to.path, error))? {
        return Err(LedgerError::Occupied { path: to.path.clone() });
    }
    transfer::copy(original, &copy).map_err(|error| LedgerError::of(&to.path, error))?;
    same(original, from, &copy, to)
}

fn to_file(
    original: &Connection,
    from: &Config,
    to: &Config,
    now: Timestamp,
) -> Result<Verified, LedgerError> {
    file::make_folder(&to.path)?;
    let _lock = Lock::take(&to.path)?;
    let unfinished = Unfinished::begin(&to.path, Rights::Daemon).map_err(|error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            LedgerError::Occupied { path: to.path.clone() }
        } else {
            LedgerError::io(&to.path)(error)
        }
    })?;
    let copy = reopen(&unfinished, &to.path)?;
    file::initialise(&copy, &to.path, now)?;
    let copy = Connection::Sqlite(copy);
    transfer::copy(original, &copy).map_err(|error| LedgerError::of(&to.path, error))?;
    let verified = same(original, from, &copy, to)?;
    drop(copy);
    unfinished.finish().map_err(LedgerError::io(&to.path))?;
    made::note(&to.path, &to.path, now);
    Ok(verified)
}

/// What both hold; an error where that is not the same.
fn same(
    original: &Connection,
    from: &Config,
    copy: &Connection,
    to: &Config,
) -> Result<Verified, LedgerError> {
    let look = |ledger: &Connection, config: &Config| {
        holds(ledger, VERSION, None).map_err(|error| LedgerError::of(&config.path, error))
    };
    let (before, after) = (look(original, from)?, look(copy, to)?);
    if before == after {
        return Ok(after);
    }
    let what = "the copy does not hold what the ledger holds".to_owned();
    Err(LedgerError::DamagedCopy { path: to.path.clone(), what })
}

/// Refuses a ledger that a host leads.
fn refuse_led(ledger: &Connection, config: &Config) -> Result<(), LedgerError> {
    if config.server.is_none() {
        return Ok(());
    }
    let leader = ledger.query_row(LEADER, (), |row| row.get(0)).optional();
    match leader.map_err(|error| LedgerError::of(&config.path, error))? {
        Some(host) => Err(LedgerError::NotLeading { leader: host }),
        None => Ok(()),
    }
}
