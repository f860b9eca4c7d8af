//! What defaults and secrets depend on outside the file: the variables of the process.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::secret::{CREDENTIALS_FALLBACK, SecretEnvironment};

/// The variables that a configuration is read under. They may hold secrets, so it never prints.
#[derive(Clone, Default)]
pub struct Environment {
    variables: HashMap<String, String>,
}

impl Environment {
    /// The variables of this process.
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self { variables: std::env::vars_os().filter_map(text).collect() }
    }

    /// The state folder: the first of `$STATE_DIRECTORY`, else `./state`.
    pub(crate) fn state_dir(&self) -> PathBuf {
        let given =
            self.variables.get("STATE_DIRECTORY").and_then(|folders| folders.split(':').next());
        given
            .filter(|folder| !folder.is_empty())
            .map_or_else(|| PathBuf::from("state"), PathBuf::from)
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    /// Just these variables.
    fn from(variables: [(&str, &str); N]) -> Self {
        Self {
            variables: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        }
    }
}

impl SecretEnvironment for Environment {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn credentials(&self) -> PathBuf {
        self.variables
            .get("CREDENTIALS_DIRECTORY")
            .map_or_else(|| PathBuf::from(CREDENTIALS_FALLBACK), PathBuf::from)
    }
}
