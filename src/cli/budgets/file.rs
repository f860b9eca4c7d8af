//! Writes a spreadsheet: whole or not at all, readable by whoever could read the one before.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The text is on disk, and survives a power cut, when this returns.
pub(super) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    // A link stays one, and what it points to is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    replace(&target, text).with_context(|| format!("cannot write {}", path.display()))
}

fn replace(target: &Path, text: &str) -> io::Result<()> {
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let temporary = beside(target, folder);
    let mode = fs::metadata(target).ok().map(|data| data.permissions());
    let written = fill(&temporary, text, mode).and_then(|()| fs::rename(&temporary, target));
    if written.is_err() {
        // The error to tell is the first one.
        drop(fs::remove_file(&temporary));
    }
    written?;
    File::open(folder)?.sync_all()
}

fn beside(target: &Path, folder: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    folder.join(format!(".{name}.{}", std::process::id()))
}

fn fill(path: &Path, text: &str, permissions: Option<fs::Permissions>) -> io::Result<()> {
    let mode = permissions.as_ref().map_or(0o644, fs::Permissions::mode);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode & 0o777).open(path)?;
    if let Some(permissions) = permissions {
        file.set_permissions(permissions)?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
