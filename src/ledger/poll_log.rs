//! When a poll ended that found everything as it was: the modification time of an empty file beside
//! the ledger, so that a poll without news writes nothing into the ledger itself. Worth nothing
//! when it is lost: the poll before is then the last.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use crate::fs;
use crate::ledger::lock::beside;

/// The file beside the ledger.
fn file(ledger: &Path) -> PathBuf {
    beside(ledger, ".polled")
}

/// Notes that a poll ended at `now` and found everything as it was.
pub(super) fn note(ledger: &Path, now: Timestamp) -> io::Result<()> {
    let file = fs::open_or_make(&file(ledger))?;
    let since = Duration::try_from(now.as_duration()).unwrap_or_default();
    file.set_modified(SystemTime::UNIX_EPOCH.checked_add(since).unwrap_or(SystemTime::UNIX_EPOCH))
}

/// When the last such poll ended; none when the ledger itself knows of a later one.
pub(super) fn at(ledger: &Path) -> Option<Timestamp> {
    let modified = fs::modified(&file(ledger)).ok()?;
    let since = modified.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Timestamp::from_nanosecond(i128::try_from(since.as_nanos()).ok()?).ok()
}

/// Forgets it: the ledger itself knows better.
pub(super) fn forget(ledger: &Path) {
    // Whether it was there or not; one that cannot be removed only dates a poll wrongly.
    let _gone = fs::remove(&file(ledger));
}
