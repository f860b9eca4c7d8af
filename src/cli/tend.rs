//! The state folder as a person, or a command that was killed, left it: what others could read or
//! change is tightened, and what root made for the daemon is given to it. How is `fs`'s.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::config::Paths;
use crate::fs::{self, Tightened};
use crate::ledger;

/// Before the ledger is opened: nobody but their owner may read or change the files, and nobody
/// else puts any there.
pub(super) fn tighten(paths: &Paths) {
    let folder = ledger::folder_of(&paths.ledger.path);
    let mut all = fs::tighten(folder, |name| ledger::is_own_file(&paths.ledger.path, name));
    all.extend(fs::tighten(&paths.state_dir, is_sign_in));
    all.extend(fs::tighten_folder(&paths.state_dir));
    for Tightened { path, before, now } in all {
        tracing::warn!(
            "{} could be used by others (mode {before:o}); that is ended (mode {now:o})",
            path.display()
        );
    }
}

/// As root: what a command of root's made and could not give to the owner of the folder, since it
/// was killed.
pub(super) fn give_back(paths: &Paths) {
    let folder = ledger::folder_of(&paths.ledger.path);
    let mut given = fs::give_back(folder, |name| ledger::is_own_file(&paths.ledger.path, name));
    given.extend(fs::give_back(&paths.state_dir, is_sign_in));
    for path in given {
        tracing::warn!(
            "{} belonged to root, as a command leaves it that is killed; now it is the folder's \
                owner's",
            path.display()
        );
    }
}

/// Whether a file in the state folder is a refresh token, by its name.
fn is_sign_in(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b"sign-in")
        && Path::new(name).extension() == Some(OsStr::new("json"))
}
