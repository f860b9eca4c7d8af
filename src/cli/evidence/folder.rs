//! Writes the folder: whole, or not at all.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::cli::evidence::document::Evidence;
use crate::cli::evidence::{page, sheets};
use crate::cli::exit::WrongUsage;
use crate::fs::{self, Rights};
use crate::text::sha256_hex;

/// The list of the others' checksums, in the form of sha256sum(1). It is written last.
const CHECKSUMS: &str = "SHA256SUMS";

/// The files of a folder, in the order in which they are written; the list of checksums is not
/// among them.
#[derive(Serialize, Deserialize)]
pub(super) struct Files {
    /// What the folder is called unless somebody names another.
    pub(super) folder: PathBuf,
    /// What is said when it is written.
    pub(super) said: String,
    contents: Vec<(String, String)>,
}

impl Files {
    /// Those of this evidence.
    pub(super) fn of(
        evidence: &Evidence,
        folder: PathBuf,
        zone: &TimeZone,
    ) -> anyhow::Result<Self> {
        let named = |(name, content): (&str, String)| (name.to_owned(), content);
        let files = [
            ("index.html", page::html(evidence, zone)?),
            ("alerts.csv", sheets::alerts(evidence)?),
            ("deliveries.csv", sheets::deliveries(evidence)?),
            ("evidence.json", serde_json::to_string_pretty(evidence)? + "\n"),
        ];
        Ok(Self { folder, said: evidence.in_short(), contents: files.map(named).into() })
    }

    /// Makes the folder, for whoever makes it alone.
    ///
    /// Fails when it is there already.
    pub(super) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        make(folder)?;
        let written = fill(folder, &self.contents);
        if written.is_err() {
            // What is not whole proves nothing.
            drop(fs::remove_folder(folder));
        }
        written.with_context(|| format!("{} cannot be written", folder.display()))
    }
}

fn make(folder: &Path) -> anyhow::Result<()> {
    match fs::make_private_folder(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(WrongUsage(
            format!("{} is there already: name another folder with --output", folder.display()),
        )
        .into()),
        made => made.with_context(|| format!("{} cannot be made", folder.display())),
    }
}

fn fill(folder: &Path, files: &[(String, String)]) -> std::io::Result<()> {
    let mut checksums = String::new();
    for (name, content) in files {
        fs::create(&folder.join(name), content.as_bytes(), Rights::Mode(0o600))?;
        checksums.extend([sha256_hex(content), "  ".into(), name.clone(), "\n".into()]);
    }
    fs::create(&folder.join(CHECKSUMS), checksums.as_bytes(), Rights::Mode(0o600))
}
