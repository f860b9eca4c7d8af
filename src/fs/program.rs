//! Which build of the program this process runs.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

use foldhash::fast::FixedState;

/// The same number for the same build, by when its file was written and how long it is, since two
/// builds may have one version; where nobody may look, another number for each process.
pub static OWN_PROGRAM: LazyLock<u64> = LazyLock::new(|| {
    let file = std::env::current_exe().and_then(std::fs::metadata);
    let written = file.and_then(|file| Ok((file.modified()?, file.len())));
    written.map_or_else(
        |_| RandomState::new().hash_one(0),
        |written| FixedState::with_seed(0).hash_one(written),
    )
});
