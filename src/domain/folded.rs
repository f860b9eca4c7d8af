//! Names as people mean them: one written in another Unicode form, in another case or with other
//! blanks is the same name.

use std::borrow::Cow;
use std::sync::LazyLock;

use icu_normalizer::ComposingNormalizerBorrowed;

static FORM: LazyLock<ComposingNormalizerBorrowed<'static>> =
    LazyLock::new(ComposingNormalizerBorrowed::new_nfkc);

/// The one form of a name: NFKC, lower case, each run of blanks one space, without letters that
/// have no width. Most names are in it but for their case, so that ASCII keeps its letters: whoever
/// compares it ignores the case.
pub(crate) fn folded(name: &str) -> Cow<'_, str> {
    if is_plain(name) {
        return Cow::Borrowed(name);
    }
    let lower = FORM
        .normalize(name)
        .chars()
        .filter(|letter| !has_no_width(*letter))
        .collect::<String>()
        .to_lowercase();
    // Some letters come apart when they become small.
    let letters = FORM.normalize(&lower);
    Cow::Owned(letters.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The same in lower case throughout, for maps.
pub(crate) fn name_key(name: &str) -> String {
    folded(name).to_ascii_lowercase()
}

/// Whether two names are the same.
pub(crate) fn same_name(one: &str, other: &str) -> bool {
    one == other || folded(one).eq_ignore_ascii_case(&folded(other))
}

/// Letters of ASCII with single spaces between them.
fn is_plain(name: &str) -> bool {
    let bytes = name.as_bytes();
    let spaces = |pair: &[u8]| matches!(pair, [b' ', b' ']);
    bytes.iter().all(|byte| matches!(byte, b' '..=b'~'))
        && !bytes.starts_with(b" ")
        && !bytes.ends_with(b" ")
        && !bytes.windows(2).any(spaces)
}

/// Joiners, marks of direction, soft hyphens, variation selectors, the byte order mark.
pub(crate) fn has_no_width(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_form() {
        for name in [
            "Åsa Öl",
            "A\u{30a}sa O\u{308}l",
            "åsa\u{a0}öl",
            " ÅSA   öl\t",
            "Å\u{200b}sa Öl",
            "Åsa Ｏ\u{308}ｌ",
        ] {
            assert_eq!(folded(name), "åsa öl", "{name:?}");
        }
        assert_eq!(folded("Contoso Ltd"), "Contoso Ltd");
        assert_eq!(folded("Contoso  Ltd "), "contoso ltd");
        assert!(
            same_name("GOLD", "gold") && same_name("Ö", "o\u{308}") && !same_name("gold", "old")
        );
        assert_eq!(name_key("Contoso Ltd"), "contoso ltd");
    }
}
