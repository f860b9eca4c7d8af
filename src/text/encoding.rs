//! Files as people's programs save them: UTF-8 with or without a byte order mark, or UTF-16 with
//! one. Whole, or piece by piece as they are read.

use std::borrow::Cow;

/// Bytes that are no text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not UTF-8 text")]
pub(crate) struct NotText {
    /// What can be read of it, with a sign in place of what cannot.
    pub(crate) readable: String,
    /// Where in that the first such sign is.
    pub(crate) at: usize,
}

/// The text without its byte order mark.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<String, NotText> {
    let mut transcoder = Transcoder::default();
    let utf8 = match transcoder.feed(&bytes) {
        Cow::Borrowed(all) if all.len() == bytes.len() => bytes,
        read @ (Cow::Borrowed(_) | Cow::Owned(_)) => read.into_owned(),
    };
    let cut = transcoder.ends_within_a_letter();
    match String::from_utf8(utf8) {
        // Nobody writes NUL; UTF-16 without its mark is full of it.
        Ok(text) => match text.find(['\0', char::REPLACEMENT_CHARACTER]).filter(|at| {
            transcoder.wide.is_some() || text.get(*at..).is_some_and(|rest| rest.starts_with('\0'))
        }) {
            Some(at) => Err(NotText { readable: text, at }),
            None if cut => Err(NotText { at: text.len(), readable: text }),
            None => Ok(text),
        },
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            Err(NotText { readable: String::from_utf8_lossy(error.as_bytes()).into_owned(), at })
        }
    }
}

/// Makes UTF-8 of what comes in pieces. UTF-8 goes through as it is, without its byte order mark.
#[derive(Debug, Default)]
pub(crate) struct Transcoder {
    begun: bool,
    wide: Option<Wide>,
    /// The bytes of a letter, or of the mark, that is not whole yet.
    carried: Vec<u8>,
}

/// The order of the bytes of UTF-16.
#[derive(Debug, Clone, Copy)]
enum Wide {
    Little,
    Big,
}

impl Transcoder {
    /// The next piece.
    pub(crate) fn feed<'b>(&mut self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        let bytes = if self.begun { Cow::Borrowed(bytes) } else { self.begin(bytes) };
        match self.wide {
            Some(wide) => Cow::Owned(self.narrow(&bytes, wide)),
            None => bytes,
        }
    }

    /// Whether the last letter is cut.
    pub(crate) fn ends_within_a_letter(&self) -> bool {
        !self.carried.is_empty()
    }

    /// Looks for the mark. A first piece is long enough to hold it, unless it is the only one.
    fn begin<'b>(&mut self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        self.begun = !bytes.is_empty();
        let (wide, rest) = match bytes {
            [0xFF, 0xFE, rest @ ..] => (Some(Wide::Little), rest),
            [0xFE, 0xFF, rest @ ..] => (Some(Wide::Big), rest),
            rest => (None, rest.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(rest)),
        };
        self.wide = wide;
        Cow::Borrowed(rest)
    }

    fn narrow(&mut self, bytes: &[u8], wide: Wide) -> Vec<u8> {
        let mut all = std::mem::take(&mut self.carried);
        all.extend_from_slice(bytes);
        let units: Vec<u16> = all
            .chunks_exact(2)
            .filter_map(|pair| <[u8; 2]>::try_from(pair).ok())
            .map(|pair| {
                if matches!(wide, Wide::Little) {
                    u16::from_le_bytes(pair)
                } else {
                    u16::from_be_bytes(pair)
                }
            })
            .collect();
        // The first half of a pair waits for its second.
        let waits = usize::from(units.last().is_some_and(|unit| (0xD800..0xDC00).contains(unit)));
        let whole = units.len().saturating_sub(waits);
        self.carried = all.get(whole.saturating_mul(2)..).unwrap_or_default().to_vec();
        let letters = char::decode_utf16(units.into_iter().take(whole))
            .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER));
        letters.collect::<String>().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str, mark: [u8; 2]) -> Vec<u8> {
        let units = text.encode_utf16().flat_map(|unit| {
            if mark == [0xFF, 0xFE] { unit.to_le_bytes() } else { unit.to_be_bytes() }
        });
        mark.into_iter().chain(units).collect()
    }

    #[test]
    fn every_form_people_save_is_the_same_text() {
        let text = "Åsa = \"𝄞\"\r\n";
        let marked = [b"\xEF\xBB\xBF".as_slice(), text.as_bytes()].concat();
        for bytes in [text.into(), marked, wide(text, [0xFF, 0xFE]), wide(text, [0xFE, 0xFF])] {
            assert_eq!(decode(bytes).as_deref(), Ok(text));
        }
        assert_eq!(decode(Vec::new()).as_deref(), Ok(""));
    }

    #[test]
    fn what_is_no_text_is_refused_at_its_place() {
        let at = |bytes: &[u8]| decode(bytes.to_vec()).unwrap_err().at;
        assert_eq!(at(b"caf\xe9\n"), 3);
        assert_eq!(at(b"a\0b\0"), 1);
        assert_eq!(at(&[wide("ab", [0xFF, 0xFE]), vec![b'c']].concat()), 2);
        assert_eq!(at(b"\xFF\xFEa\0\x00\xDC"), 1);
        assert_eq!(decode("a\u{fffd}".into()).as_deref(), Ok("a\u{fffd}"));
    }

    #[test]
    fn pieces_may_end_anywhere() {
        let text = "{\"a\": \"ö𝄞\"}";
        for mark in [[0xFF, 0xFE], [0xFE, 0xFF]] {
            let bytes = wide(text, mark);
            for at in 2..bytes.len() {
                let (first, second) = bytes.split_at(at);
                let mut transcoder = Transcoder::default();
                let all =
                    [transcoder.feed(first).into_owned(), transcoder.feed(second).into_owned()]
                        .concat();
                assert_eq!(String::from_utf8(all).as_deref(), Ok(text), "{at}");
            }
        }
    }
}
