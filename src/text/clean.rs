//! Texts from outside, made harmless for one line: no line breaks, no control characters, nothing
//! that is not seen, nothing that turns the direction of writing, no endless length. A text that is
//! written from right to left is isolated (UAX 9), so that it moves no number beside it. Escaping
//! for HTML, Slack or headers is left to those; what a customer is called to `names`.

/// Begins and ends a text whose direction is its own (FIRST STRONG ISOLATE, POP DIRECTIONAL
/// ISOLATE).
pub(crate) const ISOLATE: char = '\u{2068}';
pub(crate) const END: char = '\u{2069}';

/// `text` as one line of at most `most` characters, isolated where it is written from right to
/// left; longer ones end in `…`.
pub(crate) fn clean(text: &str, most: usize) -> String {
    isolated(&bare(text, most))
}

/// The same for machines, which compare it: without isolation.
pub(crate) fn bare(text: &str, most: usize) -> String {
    shortened(&one_line(text, most, |_| false), most)
}

/// The same for a text made of clean ones, whose isolations stay, each with its end.
pub(crate) fn line(text: &str, most: usize) -> String {
    shortened(&balanced(&one_line(text, most, isolates)), most)
}

/// `text` without isolations, for places that know no direction.
pub(crate) fn without_isolation(text: &str) -> String {
    text.chars().filter(|c| !isolates(*c)).collect()
}

/// `text` cut to at most `most` characters, the last one `…` if something was cut. An isolation
/// that is cut ends there; its marks take no room.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    if text.chars().filter(|c| !isolates(*c)).nth(most).is_none() {
        return text.to_owned();
    }
    let (mut kept, mut room) = (String::new(), most.saturating_sub(1));
    for letter in text.chars() {
        if !isolates(letter) {
            let Some(rest) = room.checked_sub(1) else { break };
            room = rest;
        }
        kept.push(letter);
    }
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    balanced(&kept)
}

/// `text` with its first letter as a capital.
pub(crate) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// `text` as a sentence: with a capital and a full stop, unless it ends with a mark of its own,
/// also within quotes.
pub(crate) fn sentence(text: &str) -> String {
    let text = capitalized(text.trim_end_matches('.'));
    let ends = text.trim_end_matches(['"', '\'', ')', END]).ends_with(['?', '!', '…', '.']);
    if ends { text } else { text + "." }
}

/// Whether something of `text` is not shown, so that it may look like another one.
pub(crate) fn hides(text: &str) -> bool {
    let seen = text.chars().zip(std::iter::once(' ').chain(text.chars()));
    seen.into_iter()
        .any(|(c, before)| turns_direction(c) || breaks_line(c) || is_invisible(c, before))
}

/// `text` between the marks of an isolation, where it is written from right to left.
pub(crate) fn isolated(text: &str) -> String {
    if text.chars().any(is_right_to_left) {
        format!("{ISOLATE}{text}{END}")
    } else {
        text.to_owned()
    }
}

fn one_line(text: &str, most: usize, stays: impl Fn(char) -> bool) -> String {
    // A name of 10 kB is not looked at to its end; four times what is shown leaves room for what is
    // taken out.
    let seen = text.chars().take(most.saturating_mul(4).saturating_add(16));
    let mut harmless = String::new();
    let mut before = ' ';
    for letter in seen {
        if breaks_line(letter) || letter == BLANK {
            harmless.push(' ');
        } else if stays(letter) || !(turns_direction(letter) || is_invisible(letter, before)) {
            harmless.push(letter);
            before = letter;
        }
    }
    harmless.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Every isolation with its end, and no end without one.
fn balanced(text: &str) -> String {
    let (mut kept, mut open) = (String::with_capacity(text.len()), 0_usize);
    for letter in text.chars() {
        match letter {
            ISOLATE => open += 1,
            END if open == 0 => continue,
            END => open -= 1,
            _ => {}
        }
        kept.push(letter);
    }
    kept.extend(std::iter::repeat_n(END, open));
    kept
}

fn isolates(c: char) -> bool {
    matches!(c, ISOLATE | END)
}

/// Marks and overrides of direction (UAX 9), and the byte order mark, which hides too.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{feff}')
}

fn breaks_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// A letter of Braille that looks like a blank.
const BLANK: char = '\u{2800}';

/// Whether a character is not seen. Joiners and variants mean something in other scripts and in
/// emoji; behind a letter of ASCII they only make a text look like another.
fn is_invisible(c: char, before: char) -> bool {
    let joins = matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}');
    let hidden = matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'
            | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    );
    hidden || (joins && before.is_ascii())
}

/// Whether a letter is of a script that is written from right to left: the blocks that Unicode
/// keeps for those.
fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_one_harmless_line() {
        assert_eq!(clean("A\r\nBcc: x", 80), "A Bcc: x");
        assert_eq!(
            clean("\u{202e}evil\u{202c}\0 \u{1b}[31mred\u{2028}\u{2029}", 80),
            "evil [31mred"
        );
        assert_eq!(clean("  Åsa \t & Söner ", 80), "Åsa & Söner");
        assert_eq!(clean(&"x".repeat(10_000), 5), "xxxx…");
        assert_eq!(clean("12345", 5), "12345");
        assert_eq!(clean("\u{200b}Con\u{ad}toso\u{200d}\u{2800} AB\u{e0041}", 80), "Contoso AB");
        assert_eq!(
            clean("نمی\u{200c}خواهم", 80),
            "\u{2068}نمی\u{200c}خواهم\u{2069}",
            "Persian needs its joiners"
        );
    }

    #[test]
    fn what_is_written_from_right_to_left_stays_in_its_place() {
        assert_eq!(clean("חברה 12", 80), "\u{2068}חברה 12\u{2069}");
        assert_eq!(
            clean("שלום\u{2069}\u{202e}", 80),
            "\u{2068}שלום\u{2069}",
            "marks from outside are not ours"
        );
        assert_eq!(shortened("to \u{2068}חברה נורד\u{2069} now", 8), "to \u{2068}חברה…\u{2069}");
        assert_eq!(
            line("\u{2069}a \u{2068}שלום\u{2069} 900% \u{2068}b", 80),
            "a \u{2068}שלום\u{2069} 900% \u{2068}b\u{2069}"
        );
        assert_eq!(without_isolation(&clean("שלום", 80)), "שלום");
    }

    #[test]
    fn a_sentence_ends_once() {
        let all =
            ["it failed", "it failed.", "did you mean \"percent_used\"?", "who \"is it?\"", "cut…"];
        assert_eq!(
            all.map(sentence).join(" | "),
            "It failed. | It failed. | Did you mean \"percent_used\"? | Who \"is it?\" | Cut…"
        );
    }

    #[test]
    fn what_is_not_seen_is_known_to_be_there() {
        let all = [
            "Contoso",
            "Åsa & Söner AB",
            "שלום",
            "👩\u{200d}💻",
            "a\0b",
            "a\nb",
            "a\u{202e}b",
            "a\u{200b}b",
            "a\u{200d}b",
            "\u{feff}",
        ];
        assert_eq!(
            all.map(hides),
            [false, false, false, false, true, true, true, true, true, true]
        );
    }
}
