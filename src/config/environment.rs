//! What defaults and secrets depend on outside the file: the variables of the process.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::config::value::joined;
use crate::secret::SecretEnvironment;

/// The configuration of the system's own daemon.
pub const SYSTEM_FILE: &str = "/etc/budget-alertd/alert-rules.toml";
/// The state folder of the system's own daemon.
const SYSTEM_STATE: &str = "/var/lib/budget-alertd";

/// The variables that a configuration is read under. They may hold secrets, so it never prints.
#[derive(Clone, Default)]
pub struct Environment {
    variables: HashMap<String, String>,
    secrets: SecretsFor,
}

/// Whose secrets are read: a secret is needed only by what uses it. One that is not read is no
/// mistake when it is missing, and nothing can be done with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SecretsFor {
    /// All of them.
    #[default]
    Everything,
    /// Those of `[source]`.
    Source,
    /// Those of the notifiers with these names.
    Notifiers(Vec<String>),
    /// None.
    Nothing,
}

impl Environment {
    /// The variables of this process.
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self {
            variables: std::env::vars_os().filter_map(text).collect(),
            secrets: SecretsFor::default(),
        }
    }

    /// The same, for a reader of these secrets only.
    #[must_use]
    pub fn with_secrets_for(self, secrets: SecretsFor) -> Self {
        Self { secrets, ..self }
    }

    /// Whether the secrets of a table are read, such as `notifiers.oncall.smtp`.
    pub(crate) fn reads_secrets_of(&self, table: &str) -> bool {
        let is_of = |outer: &str| {
            table.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        match &self.secrets {
            SecretsFor::Everything => true,
            SecretsFor::Source => is_of("source"),
            SecretsFor::Notifiers(names) => {
                names.iter().any(|name| is_of(&joined("notifiers", name)))
            }
            SecretsFor::Nothing => false,
        }
    }

    /// The state folder where the configuration at `file` names none: the first of
    /// `$STATE_DIRECTORY`; else, of the system's own configuration, the folder of the unit, so that
    /// a command never begins a second ledger; else `./state`.
    pub(crate) fn state_dir(&self, file: &Path) -> PathBuf {
        let is_system = std::path::absolute(file).is_ok_and(|file| file == Path::new(SYSTEM_FILE));
        let usual = if is_system { SYSTEM_STATE } else { "state" };
        let given =
            self.variables.get("STATE_DIRECTORY").and_then(|folders| folders.split(':').next());
        given
            .filter(|folder| !folder.is_empty())
            .map_or_else(|| PathBuf::from(usual), PathBuf::from)
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    /// Just these variables.
    fn from(variables: [(&str, &str); N]) -> Self {
        Self {
            variables: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            secrets: SecretsFor::default(),
        }
    }
}

impl SecretEnvironment for Environment {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn credentials(&self) -> Option<PathBuf> {
        self.variables.get("CREDENTIALS_DIRECTORY").map(PathBuf::from)
    }
}
