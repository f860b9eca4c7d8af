//! Patterns of customers and rules, as people write them.

use wildmatch::WildMatch;

use crate::domain::folded;

/// A pattern of `*` and `?`, compared with a customer's id, name and label without regard to case,
/// Unicode form and runs of blanks.
#[derive(Debug, Clone)]
pub struct Glob {
    pattern: WildMatch,
    text: Box<str>,
}

/// An empty pattern, which would fit no customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an empty pattern fits no customer; \"*\" fits all")]
pub struct InvalidGlob;

impl Glob {
    /// Compiles a pattern; refuses an empty one.
    pub fn try_new(text: &str) -> Result<Self, InvalidGlob> {
        let pattern = folded(text);
        if pattern.trim().is_empty() {
            return Err(InvalidGlob);
        }
        Ok(Self { pattern: WildMatch::new_case_insensitive(&pattern), text: text.into() })
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it fits any of these texts.
    pub fn fits_any<'t>(&self, texts: impl IntoIterator<Item = Option<&'t str>>) -> bool {
        texts.into_iter().flatten().any(|text| self.pattern.matches(&folded(text)))
    }
}
