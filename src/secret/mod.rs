//! A value that never prints, the places it can come from (inline, environment, file or systemd
//! credential), and what takes it out of the texts of others.

mod name;
mod redactor;

pub(crate) use name::looks_right_for;
pub use redactor::Redactor;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::fs;
use crate::text::{called, decode, unseen};

/// Where credentials lie that the unit does not name.
pub const CREDENTIALS_FALLBACK: &str = "/etc/budget-alertd/credentials";

/// The most bytes that a file with a secret may have.
const MOST: u64 = 64 << 10;

/// A secret value. It has no `Display`, and its `Debug` is masked.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a value as secret; a byte order mark and one trailing newline are trimmed.
    pub fn new(value: impl Into<String>) -> Self {
        let mut value = value.into();
        if value.starts_with('\u{feff}') {
            value.remove(0);
        }
        if value.ends_with('\n') {
            value.pop();
            if value.ends_with('\r') {
                value.pop();
            }
        }
        Self(value)
    }

    /// In place of one that is not read, since nothing needs it now: an empty one, which no source
    /// gives.
    pub(crate) const fn unread() -> Self {
        Self(String::new())
    }

    /// Whether it is not read.
    pub(crate) fn is_unread(&self) -> bool {
        self.0.is_empty()
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
    /// In `$CREDENTIALS_DIRECTORY/NAME` where that is, else in [`CREDENTIALS_FALLBACK`].
    Credential(String),
}

/// The places outside the configuration that secrets are read from.
pub trait SecretEnvironment {
    /// The value of an environment variable.
    fn variable(&self, name: &str) -> Option<String>;

    /// The folder of the unit's credentials, `$CREDENTIALS_DIRECTORY`.
    fn credentials(&self) -> Option<PathBuf>;
}

/// Why a secret is not there.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is unset or not UTF-8.
    #[error("the environment variable {} is not set", name::shown_variable(.0))]
    Env(String),
    /// The file cannot be read.
    #[error("cannot read {}", name::shown_path(path))]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The name would leave the folder of credentials.
    #[error("\"{}\" is no name of a credential", name::shown(.0))]
    Name(String),
    /// The file is no text.
    #[error("{} is no UTF-8 text", name::shown_path(.0))]
    NotText(PathBuf),
    /// There is nothing in it.
    #[error("the secret is empty")]
    Empty,
    /// It holds what nobody sees, which came along when it was copied.
    #[error("the secret {0}: write it again without that")]
    Unclean(String),
}

impl SecretSource {
    /// Fetches the value.
    pub fn resolve(&self, places: &impl SecretEnvironment) -> Result<Secret, SecretError> {
        let secret = match self {
            Self::Inline(secret) => secret.clone(),
            Self::Env(name) => {
                Secret::new(places.variable(name).ok_or_else(|| SecretError::Env(name.clone()))?)
            }
            Self::File(path) => read(path)?,
            Self::Credential(name) => read(&credential(credential_name(name)?, places))?,
        };
        if secret.expose().is_empty() {
            return Err(SecretError::Empty);
        }
        check_clean(secret.expose())?;
        Ok(secret)
    }
}

/// The file of a credential, for what is read again when it changes.
pub(crate) fn credential_file(
    name: &str,
    places: &impl SecretEnvironment,
) -> Result<PathBuf, SecretError> {
    Ok(credential(credential_name(name)?, places))
}

/// Where a credential lies: one of the unit, else one that was put there since.
fn credential(name: &str, places: &impl SecretEnvironment) -> PathBuf {
    let of_unit = places.credentials().map(|folder| folder.join(name));
    of_unit
        .filter(|path| !matches!(path.try_exists(), Ok(false)))
        .unwrap_or_else(|| Path::new(CREDENTIALS_FALLBACK).join(name))
}

/// The name itself, unless it would lead out of the folder.
fn credential_name(name: &str) -> Result<&str, SecretError> {
    let mut parts = Path::new(name).components();
    let plain = matches!((parts.next(), parts.next()), (Some(std::path::Component::Normal(part)), None) if part == name);
    if plain { Ok(name) } else { Err(SecretError::Name(name.to_owned())) }
}

fn read(path: &Path) -> Result<Secret, SecretError> {
    let bytes = fs::read(path, MOST)
        .map_err(|source| SecretError::File { path: path.to_owned(), source })?;
    decode(bytes).map(Secret::new).map_err(|_| SecretError::NotText(path.to_owned()))
}

/// Refuses what cannot be meant: a receiver would answer that the secret is wrong, and nobody would
/// see why.
fn check_clean(secret: &str) -> Result<(), SecretError> {
    let letter = unseen(secret).map(|(_, letter)| format!("holds {}", called(letter)));
    let begins = secret.starts_with(char::is_whitespace).then(|| "begins with a blank".to_owned());
    let ends = secret.ends_with(char::is_whitespace).then(|| "ends with a blank".to_owned());
    letter.or(begins).or(ends).map_or(Ok(()), |what| Err(SecretError::Unclean(what)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Neither variables nor credentials.
    struct Nowhere;

    impl SecretEnvironment for Nowhere {
        fn variable(&self, _name: &str) -> Option<String> {
            None
        }

        fn credentials(&self) -> Option<PathBuf> {
            Some(PathBuf::from("/nonexistent"))
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
            assert!(
                matches!(
                    SecretSource::Credential(name.into()).resolve(&Nowhere),
                    Err(SecretError::Name(_))
                ),
                "{name}"
            );
        }
    }

    #[test]
    fn a_missing_secret_names_its_place() {
        let text = |source: SecretSource| source.resolve(&Nowhere).unwrap_err().to_string();
        assert_eq!(
            text(SecretSource::Env("BUDGET_ALERTD_UNSET".into())),
            "the environment variable BUDGET_ALERTD_UNSET is not set"
        );
        assert_eq!(text(SecretSource::File("/nonexistent/x".into())), "cannot read /nonexistent/x");
        assert_eq!(text(SecretSource::Inline(Secret::new("\n"))), "the secret is empty");
        let unclean = |secret: &str| text(SecretSource::Inline(Secret::new(secret)));
        assert_eq!(
            unclean("hush\u{a0}"),
            "the secret holds a no-break space (U+00A0): write it again without that"
        );
        assert_eq!(
            unclean("hu\u{200b}sh"),
            "the secret holds a letter without width (U+200B): write it again without that"
        );
        assert_eq!(
            unclean("hush\n\n"),
            "the secret holds a line break (U+000A): write it again without that"
        );
        assert_eq!(unclean(" hush"), "the secret begins with a blank: write it again without that");
        assert_eq!(unclean("hush "), "the secret ends with a blank: write it again without that");
    }

    #[test]
    fn a_secret_may_be_saved_as_people_save_files() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        let wide: Vec<u8> =
            "\u{feff}hush ö\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [wide, "\u{feff}hush ö\n".into(), "hush ö".into()] {
            std::fs::write(&file, bytes).unwrap();
            assert_eq!(
                SecretSource::File(file.clone()).resolve(&Nowhere).unwrap().expose(),
                "hush ö"
            );
        }
        std::fs::write(&file, b"caf\xe9").unwrap();
        assert!(matches!(SecretSource::File(file).resolve(&Nowhere), Err(SecretError::NotText(_))));
    }
}
