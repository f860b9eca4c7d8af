//! A value that never prints, and the places it can come from: inline, environment, file or systemd credential.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::fs;

/// Where credentials lie outside the unit.
pub const CREDENTIALS_FALLBACK: &str = "/etc/budget-alertd/credentials";

/// The most bytes that a file with a secret may have.
const MOST: u64 = 64 << 10;

/// A secret value. It has no `Display`, and its `Debug` is masked.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a value as secret; one trailing newline is trimmed.
    pub fn new(value: impl Into<String>) -> Self {
        let mut value = value.into();
        if value.ends_with('\n') {
            value.pop();
            if value.ends_with('\r') {
                value.pop();
            }
        }
        Self(value)
    }

    /// The value itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// Where a secret is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// In the configuration file itself.
    Inline(Secret),
    /// In an environment variable.
    Env(String),
    /// In a file.
    File(PathBuf),
    /// In `$CREDENTIALS_DIRECTORY/NAME`, outside the unit in [`CREDENTIALS_FALLBACK`].
    Credential(String),
}

/// The places outside the configuration that secrets are read from.
pub trait Places {
    /// The value of an environment variable.
    fn variable(&self, name: &str) -> Option<String>;

    /// The folder of credentials: `$CREDENTIALS_DIRECTORY`, outside the unit [`CREDENTIALS_FALLBACK`].
    fn credentials(&self) -> PathBuf;
}

/// Why a secret is not there.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is unset or not UTF-8.
    #[error("the environment variable {0} is not set")]
    Env(String),
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The name would leave the folder of credentials.
    #[error("\"{0}\" is no name of a credential")]
    Name(String),
    /// There is nothing in it.
    #[error("the secret is empty")]
    Empty,
}

impl SecretError {
    /// Whether it may be there, for others to read.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::File { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied)
    }
}

impl SecretSource {
    /// Fetches the value.
    pub fn resolve(&self, places: &impl Places) -> Result<Secret, SecretError> {
        let secret = match self {
            Self::Inline(secret) => secret.clone(),
            Self::Env(name) => Secret::new(places.variable(name).ok_or_else(|| SecretError::Env(name.clone()))?),
            Self::File(path) => read(path)?,
            Self::Credential(name) => read(&places.credentials().join(credential_name(name)?))?,
        };
        if secret.expose().is_empty() { Err(SecretError::Empty) } else { Ok(secret) }
    }
}

/// The name itself, unless it would lead out of the folder.
fn credential_name(name: &str) -> Result<&str, SecretError> {
    let mut parts = Path::new(name).components();
    let plain = matches!((parts.next(), parts.next()), (Some(std::path::Component::Normal(part)), None) if part == name);
    if plain { Ok(name) } else { Err(SecretError::Name(name.to_owned())) }
}

fn read(path: &Path) -> Result<Secret, SecretError> {
    fs::read_text(path, MOST).map(Secret::new).map_err(|source| SecretError::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Neither variables nor credentials.
    struct Nowhere;

    impl Places for Nowhere {
        fn variable(&self, _name: &str) -> Option<String> {
            None
        }

        fn credentials(&self) -> PathBuf {
            PathBuf::from("/nonexistent")
        }
    }

    #[test]
    fn a_secret_never_prints_and_loses_one_newline() {
        let secret = Secret::new("hush\n\n");
        assert_eq!(secret.expose(), "hush\n");
        assert_eq!(format!("{secret:?}"), "Secret(***)");
    }

    #[test]
    fn a_credential_cannot_leave_its_folder() {
        for name in ["../shadow", "/etc/shadow", "", "a/b", ".."] {
            assert!(matches!(SecretSource::Credential(name.into()).resolve(&Nowhere), Err(SecretError::Name(_))), "{name}");
        }
    }

    #[test]
    fn a_missing_secret_names_its_place() {
        let text = |source: SecretSource| source.resolve(&Nowhere).unwrap_err().to_string();
        assert_eq!(text(SecretSource::Env("BUDGET_ALERTD_UNSET".into())), "the environment variable BUDGET_ALERTD_UNSET is not set");
        assert_eq!(text(SecretSource::File("/nonexistent/x".into())), "cannot read /nonexistent/x");
        assert_eq!(text(SecretSource::Inline(Secret::new("\n"))), "the secret is empty");
    }
}
