//! The state folder as a person, or a command that was killed, left it: what others could read or
//! change is tightened, and what root made for the daemon is given to it. How is `fs`'s.

use crate::config::Paths;
use crate::entra::is_token_file;
use crate::fs::{self, Tightened};
use crate::ledger;

/// Before the ledger is opened: nobody but their owner may read or change the files, and nobody
/// else puts any there.
pub(super) fn tighten(paths: &Paths) {
    let folder = ledger::folder_of(&paths.ledger.path);
    let mut all = fs::tighten(folder, |name| ledger::is_own_file(&paths.ledger.path, name));
    all.extend(fs::tighten(&paths.state_dir, is_token_file));
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
    given.extend(fs::give_back(&paths.state_dir, is_token_file));
    for path in given {
        tracing::warn!(
            "{} belonged to root, as a command leaves it that is killed; now it is the folder's \
                owner's",
            path.display()
        );
    }
}
