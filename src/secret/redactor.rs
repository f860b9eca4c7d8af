//! Takes secrets out of texts that others wrote: a receiver, a mail server or a proxy may send back
//! what it was sent, as it came, encoded, or cut off. Which secrets a request carried is known to
//! those that send it.

use std::collections::{HashSet, VecDeque};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use reqwest::Url;

use crate::secret::Secret;

/// What stands for a secret.
const MASK: &str = "***";
/// So many bytes of a secret, wherever in it, give it away.
const PIECE: usize = 8;
/// Shorter secrets would hide half of every text.
const LEAST: usize = 4;
/// What is shorter in a header or a question is rather a word than a secret.
const LEAST_WORD: usize = 6;
/// A part of an address that is as long as this is a secret, whatever its letters are.
const LONG: usize = 16;
/// Tokens that are renewed are remembered for so many renewals: an answer may be late.
const RENEWALS: usize = 4;

/// Knows secrets in the forms in which they travel: as they are, percent-encoded, escaped for JSON
/// or HTML, and in base64, also as a part of something longer (AUTH PLAIN and XOAUTH2,
/// `Authorization: Basic`).
#[derive(Default)]
pub struct Redactor {
    known: Forms,
    renewed: Mutex<VecDeque<Forms>>,
}

/// The forms of some secrets, in lowercase: case is ignored, as `%2f` is `%2F`.
#[derive(Default)]
struct Forms {
    plain: Needles,
    /// In base64, where a secret may begin and end within a letter.
    base64: Needles,
}

#[derive(Default)]
struct Needles {
    pieces: HashSet<[u8; PIECE]>,
    whole: Vec<Vec<u8>>,
}

impl Redactor {
    /// One that knows these secrets.
    pub fn of<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut redactor = Self::default();
        secrets.into_iter().for_each(|secret| redactor.add(secret.expose()));
        redactor
    }

    /// Knows one more secret.
    pub fn add(&mut self, secret: &str) {
        self.known.add(secret);
    }

    /// Knows what in an address is secret: its path and what it asks for. Plain words of it are
    /// none by themselves.
    pub fn add_address(&mut self, address: &Url) {
        self.known.add_telling(address.path(), PIECE);
        for segment in address.path_segments().into_iter().flatten() {
            self.known.add_telling(segment, LONG);
        }
        self.known.add_telling(address.query().unwrap_or_default(), PIECE);
        for (_, value) in address.query_pairs() {
            self.known.add_telling(&value, LEAST_WORD);
        }
    }

    /// Knows the value of a header, and what it holds: `Bearer TOKEN`, `Basic BASE64`.
    pub fn add_header(&mut self, value: &str) {
        let held = value.split_once(' ').map(|(_, held)| held.trim());
        let pair = held
            .and_then(|held| STANDARD_NO_PAD.decode(held.trim_end_matches('=')).ok())
            .and_then(|pair| String::from_utf8(pair).ok());
        let password =
            pair.as_deref().and_then(|pair| pair.split_once(':')).map(|(_, password)| password);
        let all = [Some(value), held, pair.as_deref(), password];
        all.into_iter()
            .flatten()
            .filter(|text| text.len() >= LEAST_WORD)
            .for_each(|text| self.add(text));
    }

    /// Knows a token that replaces the one before.
    pub fn renew(&self, token: &Secret) {
        let mut forms = Forms::default();
        forms.add(token.expose());
        let mut renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        renewed.truncate(RENEWALS - 1);
        renewed.push_front(forms);
    }

    /// The text without the secrets that are known.
    pub fn redact(&self, text: &str) -> String {
        let bytes = text.to_ascii_lowercase().into_bytes();
        let mut hidden = vec![false; bytes.len()];
        self.known.mark(&bytes, &mut hidden);
        self.renewed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .for_each(|forms| forms.mark(&bytes, &mut hidden));
        let mut clean = String::with_capacity(text.len());
        let mut masked = false;
        for (at, letter) in text.char_indices() {
            let is_hidden = hidden.iter().skip(at).take(letter.len_utf8()).any(|hidden| *hidden);
            match (is_hidden, masked) {
                (true, true) => {}
                (true, false) => clean.push_str(MASK),
                (false, _) => clean.push(letter),
            }
            masked = is_hidden;
        }
        clean
    }
}

impl Forms {
    fn add(&mut self, secret: &str) {
        if secret.len() < LEAST {
            return;
        }
        for form in plain_forms(secret) {
            self.plain.add(&form, |_| true);
            self.add_base64(&form);
        }
    }

    /// A text of at least so many bytes that may hold plain words: as a whole, and its pieces that
    /// are no words.
    fn add_telling(&mut self, text: &str, least: usize) {
        if text.len() < least {
            return;
        }
        for form in plain_forms(text) {
            self.plain.whole.push(form.to_ascii_lowercase().into_bytes());
            if form.len() > PIECE {
                self.plain.add(&form, |piece| {
                    piece.iter().any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
                });
            }
            self.add_base64(&form);
        }
    }

    fn add_base64(&mut self, form: &str) {
        for form in base64_forms(form) {
            self.base64.add(&form, |_| true);
        }
    }

    fn mark(&self, text: &[u8], hidden: &mut [bool]) {
        let hide = |hidden: &mut [bool], range: Range<usize>| {
            hidden.iter_mut().take(range.end).skip(range.start).for_each(|one| *one = true);
        };
        // The letters around a piece are the rest of it, in a form that has no name.
        self.plain.each(text, |found| hide(hidden, word_around(text, found, b"%~_-")));
        self.base64.each(text, |found| hide(hidden, word_around(text, found, b"+/-_=")));
    }
}

impl Needles {
    fn add(&mut self, form: &str, tells: impl Fn(&[u8]) -> bool) {
        if form.len() < PIECE {
            self.whole.push(form.to_ascii_lowercase().into_bytes());
        }
        let lower = form.to_ascii_lowercase();
        let pieces = form.as_bytes().windows(PIECE).zip(lower.as_bytes().windows(PIECE));
        self.pieces.extend(
            pieces
                .filter(|(piece, _)| tells(piece))
                .filter_map(|(_, lower)| <[u8; PIECE]>::try_from(lower).ok()),
        );
    }

    fn each(&self, text: &[u8], mut found: impl FnMut(Range<usize>)) {
        for (at, piece) in text.windows(PIECE).enumerate() {
            if self.pieces.contains(piece) {
                found(at..at.saturating_add(PIECE));
            }
        }
        for whole in &self.whole {
            memchr::memmem::find_iter(text, whole)
                .for_each(|at| found(at..at.saturating_add(whole.len())));
        }
    }
}

/// A secret as it is, percent-encoded, and escaped for JSON and for HTML.
fn plain_forms(secret: &str) -> HashSet<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or_default();
    let encoded = |byte: u8| {
        if plain(byte) {
            vec![char::from(byte)]
        } else {
            vec!['%', digit(byte >> 4), digit(byte & 15)]
        }
    };
    let percent: String = secret.bytes().flat_map(encoded).collect();
    let json = serde_json::to_string(secret).unwrap_or_default();
    let json = json.trim_start_matches('"').strip_suffix('"').unwrap_or(&json).to_owned();
    let html = secret
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;");
    let (form, slashes) = (percent.replace("%20", "+"), json.replace('/', "\\/"));
    let unicode = json.replace('&', "\\u0026");
    let twice = percent.replace('%', "%25");
    HashSet::from([secret.to_owned(), percent, twice, form, json, slashes, unicode, html])
}

/// What of a secret is the same in every base64 that holds it, for each of the three places where
/// it may begin in a group.
fn base64_forms(secret: &str) -> HashSet<String> {
    let mut forms = HashSet::new();
    for (before, touched) in [(0, 0), (1, 2), (2, 3)] {
        let bytes: Vec<u8> = std::iter::repeat_n(0, before).chain(secret.bytes()).collect();
        let encoded = STANDARD_NO_PAD.encode(&bytes);
        let Some(form) = encoded
            .get(touched..bytes.len().saturating_mul(8) / 6)
            .filter(|form| form.len() > LEAST)
        else {
            continue;
        };
        forms.insert(form.replace('+', "-").replace('/', "_"));
        forms.insert(form.to_owned());
    }
    forms
}

/// A range together with the letters, digits and `signs` that its first and its last letter are one
/// word with.
fn word_around(text: &[u8], found: Range<usize>, signs: &[u8]) -> Range<usize> {
    let is_letter = |byte: &&u8| byte.is_ascii_alphanumeric() || signs.contains(byte);
    let ends = [text.get(found.start), text.get(found.end.saturating_sub(1))];
    let [begins, ends] = ends.map(|end| end.as_ref().is_some_and(is_letter));
    let before = text
        .get(..found.start)
        .unwrap_or_default()
        .iter()
        .rev()
        .take_while(|byte| begins && is_letter(byte))
        .count();
    let after = text
        .get(found.end..)
        .unwrap_or_default()
        .iter()
        .take_while(|byte| ends && is_letter(byte))
        .count();
    found.start.saturating_sub(before)..found.end.saturating_add(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(secret: &str, text: &str) -> String {
        Redactor::of([&Secret::new(secret)]).redact(text)
    }

    #[test]
    fn a_secret_is_found_in_every_form_it_travels_in() {
        let secret = "p&ss \"wörd/42+";
        let base64 = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
        for form in [
            secret.to_owned(),
            "p%26ss%20%22w%C3%B6rd%2F42%2B".to_owned(),
            "p%26ss+%22w%c3%b6rd%2f42%2b".to_owned(),
            "p&ss \\\"wörd/42+".to_owned(),
            "p&ss \\\"wörd\\/42+".to_owned(),
            "p&amp;ss &quot;wörd/42+".to_owned(),
            base64(secret.to_owned()),
            base64(format!("\0user\0{secret}")),
            base64(format!("user:{secret}")),
            base64(format!("user=u@x.example\x01auth=Bearer {secret}\x01\x01")),
            base64(secret.to_owned()).replace('+', "-").replace('/', "_"),
        ] {
            assert_eq!(
                redacted(secret, &format!("535 no: {form}; try again")),
                "535 no: ***; try again",
                "{form}"
            );
        }
    }

    #[test]
    fn what_is_left_of_a_secret_that_was_cut_is_found_too() {
        assert_eq!(
            redacted("0123456789abcdef", "no 0123456789ab… no 456789abcdef"),
            "no ***… no ***"
        );
        assert_eq!(
            redacted("geheim", "AUTH PLAIN AHVzZXIAZ2VoZWlt was geheim"),
            "AUTH PLAIN *** was ***"
        );
        assert_eq!(redacted("abc", "abc and more"), "abc and more");
        assert_eq!(redacted("sesamöffne dich", "ö sesamö, ö sesamöff"), "ö sesamö, ö ***");
    }

    #[test]
    fn an_address_is_secret_in_its_path_and_question_but_for_plain_words() {
        let mut redactor = Redactor::default();
        let address = "https://prod.example:443/workflows/8f3aB1c2d3e4/triggers/manual/paths/invoke?api-version=1&sig=q-W%2BeRtY";
        redactor.add_address(&address.parse().unwrap());
        assert_eq!(redactor.redact("the workflow has no triggers"), "the workflow has no triggers");
        assert_eq!(redactor.redact("no workflow 8f3ab1c2d3e4"), "no workflow ***");
        assert_eq!(redactor.redact("sig q-W+eRtY or q-W%2beRtY"), "sig *** or ***");
        let told = redactor.redact(address);
        assert!(
            told.starts_with("https://prod.example:443***")
                && !told.contains("8f3")
                && !told.contains("eRtY"),
            "{told}"
        );
    }

    #[test]
    fn a_header_is_secret_with_what_it_holds() {
        let mut redactor = Redactor::default();
        redactor.add_header("Basic dXNlcjpnZWhlaW0=");
        redactor.add_header("Bearer tok-en-1");
        redactor.add_header("on");
        assert_eq!(
            redactor.redact("user:geheim geheim dXNlcjpnZWhlaW0= tok-en-1 on"),
            "*** *** on"
        );
    }

    #[test]
    fn renewed_tokens_are_known_for_a_while() {
        let redactor = Redactor::default();
        for token in
            ["token-of-one", "2-is-another", "3-and-a-third", "4-and-a-fourth", "5-and-a-fifth"]
        {
            redactor.renew(&Secret::new(token));
        }
        assert_eq!(
            redactor.redact("5-and-a-fifth 2-is-another token-of-one"),
            "*** *** token-of-one"
        );
    }
}
