//! The copies of the ledger that are made every day, and how many of them stay. They are numbered:
//! which one is the newest does not depend on any clock.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use crate::fs::{self, Rights};
use crate::ledger::Config;
use crate::ledger::backup::{KeptFile, back_up};
use crate::ledger::error::LedgerError;
use crate::ledger::lock::beside;

/// How often one is made.
pub const BACKUP_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// Where the copies are, and how many stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backups {
    /// Their folder.
    pub folder: PathBuf,
    /// How many stay; at least one.
    pub keep: usize,
}

/// What became of a copy that may be due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DailyCopy {
    /// The newest one is of this age.
    NotDue(SignedDuration),
    /// There is not twice the room that it takes.
    NoRoom {
        /// What it takes.
        size: u64,
    },
    /// It was made.
    Made(PathBuf),
}

/// Makes a copy where the newest one is a day old, and removes the oldest beyond those that stay.
/// One that is dated ahead proves nothing: the clock was wrong.
pub fn copy_if_due(
    config: &Config,
    backups: &Backups,
    files: &[KeptFile],
    now: Timestamp,
) -> Result<DailyCopy, LedgerError> {
    let folder = &backups.folder;
    fs::make_folder(folder, 0o700).map_err(LedgerError::io(folder))?;
    let newest = copies(folder)?.pop();
    let age = newest.as_ref().and_then(|newest| newest.made_at).map(|at| now.duration_since(at));
    if let Some(age) = age.filter(|age| !age.is_negative() && *age < BACKUP_EVERY) {
        return Ok(DailyCopy::NotDue(age));
    }
    let size = size_of(&config.path) + size_of(&beside(&config.path, "-wal"));
    let free = fs::free_space(folder).map_err(LedgerError::io(folder))?;
    if free < size.saturating_mul(2) {
        return Ok(DailyCopy::NoRoom { size });
    }
    // What one left that was killed.
    fs::sweep(folder);
    let number = newest.map_or(0, |newest| newest.number).saturating_add(1);
    let file = folder.join(format!("{number:06}-{}{ENDING}", now.strftime(DATE)));
    back_up(config, &file, Rights::Daemon, files, now)?;
    let all = copies(folder)?;
    for old in all.iter().rev().skip(backups.keep.max(1)) {
        let path = folder.join(&old.name);
        fs::remove(&path).map_err(LedgerError::io(&path))?;
    }
    Ok(DailyCopy::Made(file))
}

const ENDING: &str = ".backup";
const DATE: &str = "%Y%m%dT%H%M%SZ";

/// A copy by its name: `000012-20261114T180800Z.backup`.
struct Numbered {
    number: u64,
    /// None where the name has no date.
    made_at: Option<Timestamp>,
    name: String,
}

impl Numbered {
    fn of(name: &OsStr) -> Option<Self> {
        let name = name.to_str()?;
        let (number, date) = name.strip_suffix(ENDING)?.split_once('-')?;
        let is_number = number.len() >= 6 && number.bytes().all(|digit| digit.is_ascii_digit());
        let number = number.parse().ok().filter(|_| is_number)?;
        let civil = jiff::civil::DateTime::strptime(DATE, date).ok();
        let made_at = civil.and_then(|civil| civil.to_zoned(jiff::tz::TimeZone::UTC).ok());
        Some(Self {
            number,
            made_at: made_at.map(|zoned| zoned.timestamp()),
            name: name.to_owned(),
        })
    }
}

/// The copies in a folder, the newest last.
fn copies(folder: &Path) -> Result<Vec<Numbered>, LedgerError> {
    let names = fs::names_in(folder, |name| Numbered::of(name).is_some());
    let names = names.map_err(LedgerError::io(folder))?;
    let mut copies: Vec<_> = names.iter().filter_map(|name| Numbered::of(name)).collect();
    copies.sort_by_key(|copy| copy.number);
    Ok(copies)
}

fn size_of(path: &Path) -> u64 {
    fs::open_own(path).and_then(|file| file.metadata()).map_or(0, |data| data.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_known_by_its_name() {
        let of = |name: &str| {
            Numbered::of(OsStr::new(name))
                .map(|copy| (copy.number, copy.made_at.map(|at| at.to_string())))
        };
        let date = || Some("2026-11-14T18:08:00Z".to_owned());
        assert_eq!(of("000012-20261114T180800Z.backup"), Some((12, date())));
        assert_eq!(of("1000000-20261114T180800Z.backup"), Some((1_000_000, date())));
        assert_eq!(of("000012-mine.backup"), Some((12, None)));
        assert_eq!(of("before-upgrade.backup"), None);
        assert_eq!(of("000012-20261114T180800Z.backup.old"), None);
    }
}
