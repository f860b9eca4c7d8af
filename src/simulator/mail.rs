//! A mail as it was received, taken apart with a parser that is not ours; receiving it is
//! elsewhere.

use jiff::Timestamp;
use mail_parser::{Address, MessageParser};

/// A mail that was sent in full.
#[derive(Debug, Clone)]
pub struct ReceivedMail {
    /// MAIL FROM.
    pub sender: String,
    /// RCPT TO, those that were accepted.
    pub recipients: Vec<String>,
    /// The addresses of `From:`.
    pub from: Vec<String>,
    /// The addresses of `To:`.
    pub to: Vec<String>,
    /// `Subject:`, decoded.
    pub subject: String,
    /// `Message-ID:`, without the brackets.
    pub message_id: String,
    /// Every header: name as sent, value unfolded but not decoded.
    pub headers: Vec<(String, String)>,
    /// The text part.
    pub text: String,
    /// The HTML part; none where there is none.
    pub html: Option<String>,
    /// The message's bytes, dots unstuffed.
    pub raw: Vec<u8>,
    /// When it came, by the simulator's clock.
    pub at: Timestamp,
    /// The code of the reply after the final dot; none where none was given.
    pub answer: Option<u16>,
}

impl ReceivedMail {
    pub(crate) fn parse(
        sender: String,
        recipients: Vec<String>,
        raw: &[u8],
        at: Timestamp,
        answer: Option<u16>,
    ) -> Self {
        let parsed = MessageParser::default().parse(raw).unwrap_or_default();
        let unfolded = |value: &str| value.split_whitespace().collect::<Vec<_>>().join(" ");
        let has_html = parsed.html_bodies().any(mail_parser::MessagePart::is_text_html);
        Self {
            sender,
            recipients,
            from: addresses(parsed.from()),
            to: addresses(parsed.to()),
            subject: parsed.subject().unwrap_or_default().to_owned(),
            message_id: parsed.message_id().unwrap_or_default().to_owned(),
            headers: parsed
                .headers_raw()
                .map(|(name, value)| (name.to_owned(), unfolded(value)))
                .collect(),
            text: parsed.body_text(0).unwrap_or_default().into_owned(),
            html: parsed.body_html(0).filter(|_| has_html).map(std::borrow::Cow::into_owned),
            at,
            answer,
            raw: raw.to_vec(),
        }
    }

    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Whether the sender was told that it was taken in.
    pub fn accepted(&self) -> bool {
        self.answer.is_some_and(|code| (200..300).contains(&code))
    }
}

fn addresses(field: Option<&Address<'_>>) -> Vec<String> {
    field
        .into_iter()
        .flat_map(Address::iter)
        .filter_map(|mailbox| mailbox.address())
        .map(ToOwned::to_owned)
        .collect()
}
