//! What another user may read, by the rights of files and folders.

use std::fs::Metadata;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

/// A user, by its own number and its first group's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// Its number.
    pub uid: u32,
    /// Its first group's.
    pub gid: u32,
}

impl User {
    /// The owner of a file or folder; `None` where there is none.
    pub fn owner_of(path: &Path) -> Option<Self> {
        let data = std::fs::metadata(path).ok()?;
        Some(Self { uid: data.uid(), gid: data.gid() })
    }

    /// Whether it may read what is at a path, as far as rights say; of what is not there it may.
    pub fn may_read(self, path: &Path) -> bool {
        let has = |right: u32, path: &Path| {
            std::fs::metadata(path).map_or(true, |data| self.has(right, &data))
        };
        has(4, path) && path.ancestors().skip(1).all(|folder| has(1, folder))
    }

    /// Whether it has a right: 4 to read, 1 to enter.
    fn has(self, right: u32, data: &Metadata) -> bool {
        let shift = match data {
            own if own.uid() == self.uid => 6,
            shared if shared.gid() == self.gid => 3,
            _ => 0,
        };
        data.permissions().mode() >> shift & right != 0
    }
}
