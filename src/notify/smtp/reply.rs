//! A mail server's reply (RFC 5321 section 4.2), put together line by line in bounded memory, and
//! understood as servers really write it: the code decides, whatever the text. What a reply means
//! at a stage is decided elsewhere.

/// Bytes of a line that are kept; the standard has lines of at most 512.
pub(crate) const KEPT_OF_A_LINE: usize = 1024;
/// Bytes of a whole reply, and its lines.
pub(crate) const LONGEST: usize = 64 * 1024;
const MOST_LINES: usize = 256;

/// A whole reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    /// The text behind the code, for each line.
    pub(crate) lines: Vec<String>,
}

/// Lines that are no reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// The first of them has no code.
    NoCode(String),
    /// They don't end.
    Endless,
}

impl Reply {
    /// Whether it is positive and final (2yz).
    pub(crate) fn is_done(&self) -> bool {
        self.code / 100 == 2
    }

    /// Whether it asks to go on (3yz).
    pub(crate) fn is_asking(&self) -> bool {
        self.code / 100 == 3
    }

    /// Whether it refuses, for now or for good (4yz, 5yz).
    pub(crate) fn is_refusal(&self) -> bool {
        self.code >= 400
    }

    /// Whether it refuses for good (5yz).
    pub(crate) fn is_permanent(&self) -> bool {
        self.code >= 500
    }

    /// All of its text.
    pub(crate) fn text(&self) -> String {
        self.lines.join(" ")
    }

    /// Subject and detail of its enhanced code (RFC 3463), such as (1, 1) of `5.1.1`: where the
    /// text begins with one, or has one behind a number sign, as qmail writes it. Its class is the
    /// code's to say.
    pub(crate) fn enhanced(&self) -> Option<(u16, u16)> {
        let words = |line: &String| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let starts = self.lines.iter().find_map(|line| enhanced(words(line).first()?));
        let marked =
            |line: &String| words(line).iter().find_map(|word| enhanced(word.split_once('#')?.1));
        starts.or_else(|| self.lines.iter().find_map(marked))
    }
}

fn enhanced(word: &str) -> Option<(u16, u16)> {
    let word = word.trim_matches(|letter: char| !letter.is_ascii_digit());
    let mut parts = word.split('.');
    let (class, subject, detail) = (parts.next()?, parts.next()?, parts.next()?);
    let number = |text: &str| {
        text.parse()
            .ok()
            .filter(|_| text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit()))
    };
    if parts.next().is_some() || !matches!(class, "4" | "5") {
        return None;
    }
    Some((number(subject)?, number(detail)?))
}

/// The lines of a reply that has not ended.
#[derive(Debug, Default)]
pub(crate) struct Partial {
    code: Option<u16>,
    lines: Vec<String>,
}

impl Partial {
    /// Adds a line without its end; returns the reply where this is its last one.
    ///
    /// Servers put empty lines between, lines without a code inside a reply, and codes without text
    /// or without a blank behind them; some change the code on the way. The last one holds, but
    /// never one better than what a line before it said.
    pub(crate) fn add(&mut self, line: &[u8]) -> Result<Option<Reply>, Unreadable> {
        let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line));
        if self.lines.len() >= MOST_LINES {
            return Err(Unreadable::Endless);
        }
        let Some((code, is_last, text)) = taken_apart(&line) else {
            if self.code.is_none() && !line.trim().is_empty() {
                return Err(Unreadable::NoCode(line.into_owned()));
            }
            self.lines.push(line.into_owned());
            return Ok(None);
        };
        let worse = self.code.filter(|before| before / 100 > code / 100);
        self.code = Some(worse.unwrap_or(code));
        self.lines.push(text.to_owned());
        Ok(is_last.then(|| self.end(worse.unwrap_or(code))))
    }

    /// The reply whose last line is this one, though more of it may come: its code is known. None
    /// where it is not the last.
    pub(crate) fn cut_short(&mut self, line: &[u8]) -> Option<Reply> {
        self.add(line).ok().flatten()
    }

    fn end(&mut self, code: u16) -> Reply {
        let lines = std::mem::take(&mut self.lines)
            .into_iter()
            .filter(|line| !line.trim().is_empty())
            .collect();
        self.code = None;
        Reply { code, lines }
    }
}

/// Its code, whether it is the last line, and its text.
fn taken_apart(line: &str) -> Option<(u16, bool, &str)> {
    let (code, rest) = line.split_at_checked(3)?;
    if !code.bytes().all(|byte| byte.is_ascii_digit())
        || !('2'..='5').contains(&code.chars().next()?)
    {
        return None;
    }
    let (is_last, text) = match rest.chars().next() {
        Some('-') => (false, rest.get(1..).unwrap_or_default()),
        Some(letter) if letter.is_ascii_digit() => return None,
        _ => (true, rest.trim_start()),
    };
    Some((code.parse().ok()?, is_last, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Option<Reply>, Unreadable> {
        let mut partial = Partial::default();
        for line in text.split(|byte| *byte == b'\n') {
            if let Some(reply) = partial.add(line)? {
                return Ok(Some(reply));
            }
        }
        Ok(None)
    }

    fn summary(text: &[u8]) -> String {
        match read(text) {
            Ok(Some(reply)) => format!("{} {}", reply.code, reply.lines.join("|")),
            Ok(None) => "more".to_owned(),
            Err(unreadable) => format!("{unreadable:?}"),
        }
    }

    #[test]
    fn the_code_decides_however_the_text_is_written() {
        for (written, understood) in [
            (b"250 2.0.0 Ok: queued\r\n".as_slice(), "250 2.0.0 Ok: queued"),
            (
                b"250 Nachricht angenommen f\xfcr Zustellung\r\n",
                "250 Nachricht angenommen f\u{fffd}r Zustellung",
            ),
            (b"250 Ok\n", "250 Ok"),
            (b"250\r\n", "250 "),
            (b"250 \r\n", "250 "),
            (b"250Ok\r\n", "250 Ok"),
            (b"250\tOk\r\n", "250 Ok"),
            (b"\r\n250 Ok\r\n", "250 Ok"),
            (b"250-first\r\n\r\n250 last\r\n", "250 first|last"),
            (b"250-first\r\nno code here\r\n250 last\r\n", "250 first|no code here|last"),
            (b"250-\r\n250-PIPELINING\r\n250 HELP\r\n", "250 PIPELINING|HELP"),
            (b"251 forwarded\r\n", "251 forwarded"),
            (b"299 whatever\r\n", "299 whatever"),
            (b"250-first\r\n251 last\r\n", "251 first|last"),
            (b"250-accepted\r\n550 no\r\n", "550 accepted|no"),
            (b"550-no\r\n250 accepted\r\n", "550 no|accepted"),
            (b"250-first\r\n", "more"),
            (b"gibberish\r\n", "NoCode(\"gibberish\")"),
            (b"HTTP/1.1 400 Bad Request\r\n", "NoCode(\"HTTP/1.1 400 Bad Request\")"),
            (b"2500 Ok\r\n", "NoCode(\"2500 Ok\")"),
            (b"150 Ok\r\n", "NoCode(\"150 Ok\")"),
            (b"650 Ok\r\n", "NoCode(\"650 Ok\")"),
            (b"25\xff Ok\r\n", "NoCode(\"25\u{fffd} Ok\")"),
        ] {
            assert_eq!(summary(written), understood, "{}", String::from_utf8_lossy(written));
        }
    }

    #[test]
    fn the_lines_of_a_reply_have_an_end() {
        assert_eq!(read(&b"250-more\r\n".repeat(MOST_LINES + 1)), Err(Unreadable::Endless));
        assert_eq!(read(&b"\r\n".repeat(MOST_LINES + 1)), Err(Unreadable::Endless));
    }

    #[test]
    fn enhanced_codes_are_found_where_servers_write_them() {
        for (text, found) in [
            ("5.1.1 <a@b.example>: unknown", Some((1, 1))),
            ("5.7.60 SMTP; Client does not have permissions", Some((7, 60))),
            ("4.2.2 mailbox full", Some((2, 2))),
            ("<a@b.example>: no such user (#5.1.1)", Some((1, 1))),
            ("sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", Some((7, 1))),
            ("[5.2.1] disabled", Some((2, 1))),
            ("2.1.5 Ok", None),
            ("no such user at 5.9.12.34", None),
            ("5.9.12.34 is listed", None),
            ("unknown user, version 5.1.1", None),
            ("5.1 no", None),
            ("", None),
        ] {
            assert_eq!(
                Reply { code: 550, lines: vec![text.to_owned()] }.enhanced(),
                found,
                "{text}"
            );
        }
    }
}
