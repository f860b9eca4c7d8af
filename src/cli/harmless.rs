//! The last border before a terminal: whatever of a text it would obey is not passed on. What a
//! name looks like is decided before; here nothing is meant to be left to do.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

use crate::text::is_obeyed;

/// JSON text in which a terminal finds nothing to obey: such letters are escaped, so that each
/// value stays the same.
pub(super) fn json(json: String) -> String {
    // Outside of strings, JSON has line breaks only.
    let is_escaped = |letter: char| letter != '\n' && is_obeyed(letter);
    if !json.contains(is_escaped) {
        return json;
    }
    let mut escaped = String::with_capacity(json.len());
    for letter in json.chars() {
        if is_escaped(letter) {
            // Writing to a string cannot fail.
            let _written = write!(escaped, "\\u{:04x}", u32::from(letter));
        } else {
            escaped.push(letter);
        }
    }
    escaped
}

/// Text for people in which nothing but our own colours, line breaks, tabs and isolations is left
/// to obey.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    let may = |letter: char| {
        matches!(letter, '\n' | '\t' | '\u{2068}' | '\u{2069}') || !is_obeyed(letter)
    };
    if text.chars().all(may) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let length = colour(rest).unwrap_or(letter.len_utf8());
        let (part, after) = rest.split_at(length);
        shown.push_str(if may(letter) || length > letter.len_utf8() { part } else { "\u{fffd}" });
        rest = after;
    }
    Cow::Owned(shown)
}

/// How many bytes a sequence has that begins here and only changes colours: `ESC [ 1 ; 31 m`.
fn colour(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|letter: char| !letter.is_ascii_digit() && letter != ';')?;
    parameters.get(end..)?.starts_with('m').then(|| "\u{1b}[m".len().saturating_add(end))
}

/// The same for what is written piece by piece, each a text of its own.
pub(super) struct Harmless<W>(pub(super) W);

impl<W: Write> Write for Harmless<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_all(text(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The same for JSON.
pub(super) struct HarmlessJson<W>(pub(super) W);

impl<W: Write> Write for HarmlessJson<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_all(json(String::from_utf8_lossy(bytes).into_owned()).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_stays_the_same_value() {
        let value = serde_json::json!({"name": "a\u{9b}2J\u{202e}b\u{2028}\u{7f}", "ö": ["\u{1b}", "\n", "עברית"]});
        for written in
            [serde_json::to_string(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap()]
        {
            let escaped = json(written);
            assert!(
                escaped.chars().all(|letter| letter == '\n' || !is_obeyed(letter)),
                "{escaped:?}"
            );
            assert!(
                escaped.contains("a\\u009b2J\\u202eb\\u2028\\u007f") && escaped.contains("עברית"),
                "{escaped}"
            );
            assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
        }
    }

    #[test]
    fn colours_stay_and_all_else_that_is_obeyed_does_not() {
        let ours = "\u{1b}[1m\u{1b}[31mdead\u{1b}[0m \u{2068}שלום\u{2069}\n\tx";
        assert_eq!(text(ours), ours);
        assert_eq!(
            text("\u{1b}]0;x\u{7} \u{1b}[2J \u{9b}31m \u{202e}x\r\u{1b}["),
            "\u{fffd}]0;x\u{fffd} \u{fffd}[2J \u{fffd}31m \u{fffd}x\u{fffd}\u{fffd}["
        );
    }
}
