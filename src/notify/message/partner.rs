//! Who the partner is, in messages to its customers.

/// The partner as its customers know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partner {
    /// What it is called.
    pub name: String,
    /// How it is reached.
    pub contact: Option<String>,
}
