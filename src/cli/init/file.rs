//! Writes a file whole or not at all, with the folder that it lies in.

use std::io;
use std::path::Path;

use crate::fs::{self, Rights};

/// Puts `text` at `path` with these rights; its folder is made where there is none, with
/// `folder_mode`.
pub(super) fn write(path: &Path, text: &str, rights: Rights, folder_mode: u32) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::make_folder(folder, folder_mode)?;
    }
    fs::replace(path, text.as_bytes(), rights)
}
