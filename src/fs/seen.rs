//! Files as they were when they were read, to notice later that they have changed since.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What changes with a file: when it was written, its size, and which file it is.
type Stamp = (Option<SystemTime>, u64, u64);

/// Files as they were when they were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeenFiles(BTreeMap<PathBuf, Option<Stamp>>);

impl SeenFiles {
    /// Notes a file, which need not be there: before it is read.
    pub fn note(&mut self, path: &Path) {
        self.0.insert(path.to_owned(), stamp(path));
    }

    /// All of them.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.keys().map(PathBuf::as_path)
    }

    /// These and others.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Those that are others now, or are gone, or are there only now.
    pub fn changed(&self) -> Vec<PathBuf> {
        let changed = self.0.iter().filter(|(path, seen)| stamp(path) != **seen);
        changed.map(|(path, _)| path.clone()).collect()
    }
}

/// `None` where there is no regular file, or this user may not look.
fn stamp(path: &Path) -> Option<Stamp> {
    let data = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    Some((data.modified().ok(), data.size(), data.ino()))
}
