//! What a server is told about a message before it gets it: from whom and to whom. One command
//! after the other: four connections are fast enough without sending several at once (RFC 2920).

use lettre::Address;

use crate::notify::smtp::connection::{Connection, Trouble};
use crate::notify::smtp::judge::{Refusal, Stage, refusal};
use crate::notify::{FailureReason, Verdict};

/// MAIL, RCPT and DATA of one message, for one connection.
pub(crate) struct Envelope {
    mail: String,
    rcpt: String,
}

impl Envelope {
    pub(crate) fn new(
        connection: &Connection,
        from: &Address,
        to: &Address,
    ) -> Result<Self, Refusal> {
        let offers = &connection.offers;
        let beyond_ascii = |address: &Address| !AsRef::<str>::as_ref(address).is_ascii();
        let parameters = match (beyond_ascii(from), beyond_ascii(to)) {
            (false, false) => "",
            _ if offers.has("SMTPUTF8") => " BODY=8BITMIME SMTPUTF8",
            (true, _) => {
                let detail = "the mail server takes no addresses beyond ASCII (no SMTPUTF8); use \
                    another one as the notifier's `from`";
                return Err(Refusal::untried(
                    Verdict::DESTINATION,
                    FailureReason::ServerError,
                    detail,
                ));
            }
            (false, true) => {
                let detail = "the mail server takes no addresses beyond ASCII (no SMTPUTF8)";
                return Err(Refusal::untried(
                    Verdict::Message,
                    FailureReason::RecipientRefused,
                    detail,
                ));
            }
        };
        let (mail, rcpt) =
            (format!("MAIL FROM:<{from}>{parameters}\r\n"), format!("RCPT TO:<{to}>\r\n"));
        Ok(Self { mail, rcpt })
    }

    /// Says it: then the server waits for the message.
    pub(crate) async fn announce(self, connection: &mut Connection) -> Result<(), Refusal> {
        for (stage, command) in [(Stage::Sender, &*self.mail), (Stage::Recipient, &*self.rcpt)] {
            let reply = connection.command(command).await;
            if !reply.map_err(|trouble| refusal(stage, &trouble))?.is_done() {
                return Err(refusal(stage, &Trouble::OutOfStep));
            }
        }
        let reply = connection.command("DATA\r\n").await;
        let asking = reply.map_err(|trouble| refusal(Stage::Data, &trouble))?.is_asking();
        // What comes before the message is no answer to it.
        if asking && connection.is_clean() {
            Ok(())
        } else {
            Err(refusal(Stage::Data, &Trouble::OutOfStep))
        }
    }
}

/// A message as it is sent: a dot before each line that begins with one, and one alone that ends it
/// (RFC 5321 section 4.5.2), to be written at once, since each write is a packet.
pub(crate) fn to_its_final_dot(message: &str) -> String {
    let mut sent = String::with_capacity(message.len().saturating_add(64));
    let mut rest = message;
    if rest.starts_with('.') {
        sent.push('.');
    }
    while let Some(at) = memchr::memmem::find(rest.as_bytes(), b"\r\n.") {
        let (before, after) = rest.split_at(at.saturating_add(3));
        sent.push_str(before);
        sent.push('.');
        rest = after;
    }
    sent.push_str(rest);
    sent.push_str(if message.ends_with("\r\n") { ".\r\n" } else { "\r\n.\r\n" });
    sent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_a_message_ends_it_too_early() {
        let all = [".", "a\r\n.\r\nb", "..\r\n...\r\n", "a\r\n.b\r\n", "a.\n.\r.", ""]
            .map(to_its_final_dot);
        let expected = [
            "..\r\n.\r\n",
            "a\r\n..\r\nb\r\n.\r\n",
            "...\r\n....\r\n.\r\n",
            "a\r\n..b\r\n.\r\n",
            "a.\n.\r.\r\n.\r\n",
            "\r\n.\r\n",
        ];
        assert_eq!(all, expected);
    }
}
