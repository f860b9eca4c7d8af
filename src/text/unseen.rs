//! Letters that nobody sees and that make two equal texts different: they come along when a text is
//! copied out of a page, a chat or a spreadsheet.

use crate::domain::has_no_width;

/// Whether a letter is a control character, a blank that is no space, or has no width.
pub(crate) fn is_unseen(letter: char) -> bool {
    letter.is_control() || is_no_break(letter) || has_no_width(letter)
}

/// Whether a terminal obeys a letter in place of showing it: control characters, ends of lines,
/// marks of direction.
pub(crate) fn is_obeyed(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The first letter of a text that nobody sees, and where it is.
pub(crate) fn unseen(text: &str) -> Option<(usize, char)> {
    text.char_indices().find(|(_, letter)| is_unseen(*letter))
}

/// What a letter is, for messages: `a no-break space (U+00A0)`.
pub(crate) fn called(letter: char) -> String {
    let kind = match letter {
        '\t' => "a tab",
        '\n' | '\r' => "a line break",
        letter if letter.is_control() => "a control character",
        letter if is_no_break(letter) => "a no-break space",
        letter if letter.is_whitespace() => "a blank",
        _ => "a letter without width",
    };
    format!("{kind} (U+{:04X})", u32::from(letter))
}

fn is_no_break(letter: char) -> bool {
    matches!(letter, '\u{a0}' | '\u{2007}' | '\u{202f}')
}
