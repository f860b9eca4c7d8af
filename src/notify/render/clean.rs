//! Names from outside, made harmless for one line of text: no line breaks, no control characters, nothing that turns
//! the direction of writing, no endless length. Escaping for HTML, Slack or headers is left to those.

/// How much of a name is shown.
pub(crate) const NAME_CHARS: usize = 80;

/// `text` as one line of at most `most` characters; longer ones end in `…`.
pub(crate) fn clean(text: &str, most: usize) -> String {
    // A name of 10 kB is not looked at to its end; four times what is shown leaves room for what is taken out.
    let seen = text.chars().take(most.saturating_mul(4).saturating_add(16));
    let harmless: String = seen.filter(|&c| !turns_direction(c)).map(|c| if breaks_line(c) { ' ' } else { c }).collect();
    let line = harmless.split_whitespace().collect::<Vec<_>>().join(" ");
    shortened(&line, most)
}

/// `text` cut to at most `most` characters, the last one `…` if something was cut.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(most.saturating_sub(1)).collect();
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    kept
}

/// `text` with its first letter as a capital.
pub(crate) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Marks and overrides of direction (UAX 9), and the byte order mark, which hides too.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{feff}')
}

fn breaks_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_one_harmless_line() {
        assert_eq!(clean("A\r\nBcc: x", 80), "A Bcc: x");
        assert_eq!(clean("\u{202e}evil\u{202c}\0 \u{1b}[31mred\u{2028}\u{2029}", 80), "evil [31mred");
        assert_eq!(clean("  Åsa \t & Söner ", 80), "Åsa & Söner");
        assert_eq!(clean(&"x".repeat(10_000), 5), "xxxx…");
        assert_eq!(clean("12345", 5), "12345");
    }
}
