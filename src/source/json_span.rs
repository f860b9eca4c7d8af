//! Where a JSON value ends, in bytes that come in pieces; whether the value is any good is decided
//! elsewhere.

/// What kind of value it is, by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Object,
    Array,
    Text,
    /// A number, a word, or garbage.
    Bare,
}

/// A walk through one value. Only what its end depends on is looked at: in an object the braces, in
/// an array the brackets, and the texts, in which neither counts.
#[derive(Debug)]
pub(crate) struct Walk {
    kind: Kind,
    depth: u64,
    in_text: bool,
    escaped: bool,
    begun: bool,
}

impl Walk {
    /// A walk through the value that begins with `first`; the bytes from that one on go to
    /// [`Walk::advance`].
    pub(crate) fn starting(first: u8) -> Self {
        let kind = match first {
            b'{' => Kind::Object,
            b'[' => Kind::Array,
            b'"' => Kind::Text,
            _ => Kind::Bare,
        };
        Self { kind, depth: 0, in_text: false, escaped: false, begun: false }
    }

    /// How many of `bytes` belong to the value, if it ends in them.
    pub(crate) fn advance(&mut self, bytes: &[u8]) -> Option<usize> {
        let (open, close) = match self.kind {
            Kind::Object => (b'{', b'}'),
            Kind::Array => (b'[', b']'),
            Kind::Text => (b'"', b'"'),
            Kind::Bare => return self.advance_bare(bytes),
        };
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if self.in_text {
                at += self.through_text(rest);
                if self.kind == Kind::Text && !self.in_text {
                    return Some(at);
                }
                continue;
            }
            let next = memchr::memchr3(b'"', open, close, rest)?;
            at += next + 1;
            match rest.get(next) {
                Some(b'"') => self.in_text = true,
                Some(byte) if *byte == open => self.depth += 1,
                _ => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(at);
                    }
                }
            }
        }
        None
    }

    /// Walks to the end of the text, or of the bytes; answers how many bytes that took.
    fn through_text(&mut self, bytes: &[u8]) -> usize {
        if std::mem::take(&mut self.escaped) {
            return 1;
        }
        let Some(at) = memchr::memchr2(b'"', b'\\', bytes) else { return bytes.len() };
        if bytes.get(at) == Some(&b'\\') {
            self.escaped = true;
        } else {
            self.in_text = false;
        }
        at + 1
    }

    /// A bare value ends before what cannot be part of one.
    fn advance_bare(&mut self, bytes: &[u8]) -> Option<usize> {
        let skip = usize::from(!std::mem::replace(&mut self.begun, true));
        let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b'{');
        bytes.iter().skip(skip).position(ends).map(|at| at + skip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value at the start of `text`, however the text is cut.
    fn value(text: &str) -> &str {
        let first = text.as_bytes()[0];
        let whole = Walk::starting(first).advance(text.as_bytes());
        let mut walk = Walk::starting(first);
        let bytewise = (0..text.len())
            .find_map(|at| walk.advance(&text.as_bytes()[at..=at]).map(|used| at + used));
        assert_eq!(whole, bytewise, "{text}");
        &text[..whole.unwrap_or(text.len())]
    }

    #[test]
    fn a_value_ends_where_its_braces_close_outside_texts() {
        assert_eq!(value(r#"{"a":{"b":"}\"}"}},{"#), r#"{"a":{"b":"}\"}"}}"#);
        assert_eq!(value(r#"[[1],"]"],2"#), r#"[[1],"]"]"#);
        assert_eq!(value(r#""a\\",1"#), r#""a\\""#);
        assert_eq!(value("25\n}"), "25\n");
        assert_eq!(value("},1"), "}");
        assert_eq!(value(r#"{"open": "#), r#"{"open": "#);
    }
}
