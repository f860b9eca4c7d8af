//! `ledger.made`, the file that says that a ledger was made here: where it is and the ledger is
//! not, the ledger is lost, and begins again only when somebody orders it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::fs::{self, Rights};
use crate::ledger::error::LedgerError;

fn file(ledger: &Path) -> PathBuf {
    ledger.with_extension("made")
}

/// Refuses a ledger that is not there and was; `called` so.
pub(super) fn refuse_lost(ledger: &Path, called: &Path) -> Result<(), LedgerError> {
    let file = file(ledger);
    if fs::exists(&file).map_err(LedgerError::io(&file))? {
        Err(LedgerError::Lost { path: called.to_owned(), made: file })
    } else {
        Ok(())
    }
}

/// Leaves word that there is a ledger, `called` so, where there is none yet. Without it the ledger
/// is as good; a disk that is full must not keep the daemon from starting.
pub(super) fn note(ledger: &Path, called: &Path, now: Timestamp) {
    let file = file(ledger);
    let is_file = called == ledger;
    let name = ledger.file_name().filter(|_| is_file).map_or(called, Path::new).display();
    let text = format!(
        "{name} was made here, as noted at {now}. While this file is here and {name} is not, \
            budget-alertd does not start: it would tell everything again. `budget-alertd ledger \
            restore FILE` brings a copy back, `budget-alertd ledger new` begins a new ledger.\n"
    );
    match fs::exists(&file).and_then(|there| {
        if there { Ok(()) } else { fs::create(&file, text.as_bytes(), Rights::Daemon) }
    }) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            tracing::warn!(
                "{} cannot be written ({error}); a ledger that is lost would not be noticed",
                file.display()
            );
        }
        _ => {}
    }
}
