//! Writes a spreadsheet: whole or not at all, readable by whoever could read the one before.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Context as _;

use crate::fs::{self, Rights};

/// Readable by whoever could read the file before it.
const RIGHTS: Rights = Rights::AsBefore(0o644);

/// The text is on disk, and survives a power cut, when this returns. A link of one's own stays one,
/// and what it points to is replaced.
pub(super) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::replace(path, text.as_bytes(), RIGHTS).with_context(|| named(path))
}

/// The same for what is written piece by piece; what `write` returns is returned.
pub(super) fn write_by<T>(
    path: &Path,
    mut write: impl FnMut(&mut dyn Write) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut outcome = None;
    let written = fs::replace_by(path, RIGHTS, |out| {
        let result = write(out);
        let failed = result.is_err();
        outcome = Some(result);
        if failed { Err(io::Error::other("it could not be written to its end")) } else { Ok(()) }
    });
    match outcome {
        // Why it failed says more than that it did.
        Some(Err(error)) => Err(error.context(named(path))),
        Some(Ok(value)) => written.map(|()| value).with_context(|| named(path)),
        None => Err(written
            .err()
            .map_or_else(|| anyhow::anyhow!("nothing was written"), Into::into)
            .context(named(path))),
    }
}

fn named(path: &Path) -> String {
    format!("cannot write {}", path.display())
}
