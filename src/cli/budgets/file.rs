//! Writes a spreadsheet: whole or not at all, readable by whoever could read the one before.

use std::path::Path;

use anyhow::Context as _;

use crate::fs::{self, Rights};

/// The text is on disk, and survives a power cut, when this returns. A link of one's own stays one, and what it points to is
/// replaced.
pub(super) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::replace(path, text.as_bytes(), Rights::AsBefore(0o644)).with_context(|| format!("cannot write {}", path.display()))
}
