//! A refresh token on disk, in a file of the state folder: whole or not at all, readable by its
//! owner only. When it is renewed is decided by those that sign in.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fs::{self, Rights};
use crate::secret::Secret;
use crate::text::sha256_hex;

/// The most bytes that the file may have.
const MOST: u64 = 1 << 20;

/// A refresh token and where it came from.
#[derive(Clone)]
pub(crate) struct StoredToken {
    pub(crate) token: Secret,
    /// [`StoredToken::seed_of`] the configured token it descends from; empty when it descends from
    /// none.
    pub(crate) seed: String,
    /// When it was issued; none for a configured token.
    pub(crate) issued_at: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct Written {
    refresh_token: String,
    #[serde(default)]
    seed_sha256: String,
    #[serde(default)]
    issued_at: Option<Timestamp>,
}

impl StoredToken {
    /// Names a configured token, so that another one in its place is noticed: its SHA-256, in hex.
    pub(crate) fn seed_of(configured: &Secret) -> String {
        sha256_hex(configured.expose())
    }
}

/// Whether a file in the state folder is a refresh token, by its name.
pub(crate) fn is_token_file(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b"sign-in")
        && Path::new(name).extension() == Some(OsStr::new("json"))
}

/// The files of all refresh tokens in a folder, each with its name and what is in it.
pub(crate) fn token_files(folder: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let names = fs::names_in(folder, is_token_file)?;
    let names = names.into_iter().filter_map(|name| name.into_string().ok());
    names.map(|name| Ok((name.clone(), fs::read_own(&folder.join(name), MOST)?))).collect()
}

/// Puts the file of a refresh token back into its folder, unless there is one that was issued
/// later; says whether it did.
pub(crate) fn put_back(folder: &Path, name: &str, content: &[u8]) -> io::Result<bool> {
    if !is_token_file(OsStr::new(name)) || name.contains('/') {
        return Ok(false);
    }
    let there = TokenStore::new(folder, name).load().ok().flatten();
    let issued_at =
        serde_json::from_slice::<Written>(content).ok().and_then(|written| written.issued_at);
    if there.is_some_and(|there| there.issued_at >= issued_at) {
        return Ok(false);
    }
    fs::replace(&folder.join(name), content, Rights::Daemon)?;
    Ok(true)
}

/// The place of the file.
#[derive(Debug, Clone)]
pub(crate) struct TokenStore {
    folder: PathBuf,
    name: String,
}

impl TokenStore {
    /// The file of this name in the folder.
    pub(crate) fn new(folder: &Path, name: impl Into<String>) -> Self {
        Self { folder: folder.to_owned(), name: name.into() }
    }

    /// Where it is kept.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    /// Works with the file on a thread that may block.
    pub(crate) async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let store = self.clone();
        tokio::task::spawn_blocking(move || work(&store))
            .await
            .unwrap_or_else(|error| Err(error.into()))
    }

    /// The token that is kept, if any. What is in the file is part of no error.
    pub(crate) fn load(&self) -> io::Result<Option<StoredToken>> {
        let text = match fs::read_own(&self.path(), MOST) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let written: Written = serde_json::from_slice(&text)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is damaged"))?;
        let token = Secret::new(written.refresh_token);
        Ok(Some(StoredToken { token, seed: written.seed_sha256, issued_at: written.issued_at })
            .filter(|stored| !stored.token.expose().is_empty()))
    }

    /// Whether a token could be kept; leaves nothing behind but the folder.
    pub(crate) fn try_out(&self) -> io::Result<()> {
        fs::make_folder(&self.folder, 0o700)?;
        let probe = self.folder.join(format!(".{}.{}", self.name, std::process::id()));
        fs::create(&probe, &[], Rights::Daemon)?;
        fs::remove(&probe)
    }

    /// Keeps a token: it is on disk, and survives a power cut, when this returns.
    pub(crate) fn save(&self, stored: &StoredToken) -> io::Result<()> {
        fs::make_folder(&self.folder, 0o700)?;
        let written = Written {
            refresh_token: stored.token.expose().to_owned(),
            seed_sha256: stored.seed.clone(),
            issued_at: stored.issued_at,
        };
        fs::replace(&self.path(), &serde_json::to_vec(&written)?, Rights::Daemon)
    }
}
