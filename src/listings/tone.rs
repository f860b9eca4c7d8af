//! How a word of a listing is meant; what colour that is, is the terminal's or the page's.

/// How a word is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Something is wrong now.
    Bad,
    /// Worth a look.
    Uneasy,
    /// All is well.
    Good,
    /// A heading.
    Strong,
    /// Beside the point.
    Faint,
}
