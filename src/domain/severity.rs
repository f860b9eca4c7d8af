//! How bad an alert is.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

/// How bad; later ones are worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[derive(IntoStaticStr, VariantArray, EnumString, VariantNames)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Worth looking at today.
    #[default]
    Warning,
    /// Wakes somebody.
    Critical,
}

impl Severity {
    /// Every name.
    pub const NAMES: &'static [&'static str] = <Self as VariantNames>::VARIANTS;

    /// Every severity, mildest first.
    pub const ALL: &'static [Self] = <Self as VariantArray>::VARIANTS;

    /// The name used in configuration and JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Reads the name used in configuration.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}
