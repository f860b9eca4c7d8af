//! What a server is told about a message before it gets it: from whom and to whom. In one write
//! where it takes several commands at once (RFC 2920), since each further one costs a round trip.
//! Each reply is still judged by the command it answers.

use lettre::Address;

use crate::notify::smtp::connection::{Connection, Trouble};
use crate::notify::smtp::judge::{Refusal, Stage, refusal};
use crate::notify::smtp::reply::Reply;
use crate::notify::{FailureReason, Verdict};

const CLEAR: &str = "RSET\r\n";
const DATA: &str = "DATA\r\n";

/// MAIL, RCPT and DATA of one message, for one connection.
pub(crate) struct Envelope {
    mail: String,
    rcpt: String,
    /// Whether the server takes them at once.
    at_once: bool,
    /// Whether it has them already.
    is_said: bool,
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
        Ok(Self { mail, rcpt, at_once: offers.has("PIPELINING"), is_said: false })
    }

    /// Clears what an earlier message left behind on a connection that was kept (RFC 5321 section
    /// 4.1.1.5), and so learns whether the server is still there.
    pub(crate) async fn clear(&mut self, connection: &mut Connection) -> Result<Reply, Trouble> {
        self.is_said = self.at_once;
        let more = if self.at_once { self.all() } else { String::new() };
        connection.command(&format!("{CLEAR}{more}")).await
    }

    /// Says it, or hears how it was taken: then the server waits for the message.
    pub(crate) async fn announce(self, connection: &mut Connection) -> Result<(), Refusal> {
        let commands = match (self.at_once, self.is_said) {
            (true, true) => [None, None, None],
            (true, false) => [Some(self.all()), None, None],
            (false, _) => [Some(self.mail), Some(self.rcpt), Some(DATA.to_owned())],
        };
        let mut refused: Option<Refusal> = None;
        for (stage, command) in
            [Stage::Sender, Stage::Recipient, Stage::Data].into_iter().zip(commands)
        {
            let reply = match command {
                Some(command) => connection.command(&command).await,
                None => connection.reply().await,
            };
            // What comes before the message is no answer to it.
            let fits = |reply: &Reply| {
                if stage == Stage::Data {
                    reply.is_asking() && connection.is_clean()
                } else {
                    reply.is_done()
                }
            };
            let (found, goes_on) = match reply {
                Ok(reply) if fits(&reply) => {
                    if let (Stage::Data, Some(refusal)) = (stage, &mut refused) {
                        // It waits for a message to nobody. Closed, the connection brings it none.
                        refusal.leaves_connection = false;
                    }
                    continue;
                }
                Ok(_) => (refusal(stage, &Trouble::OutOfStep), false),
                Err(trouble) => {
                    let refusal = refusal(stage, &trouble);
                    // The replies to what was said at once are on their way.
                    let goes_on = self.at_once && refusal.leaves_connection;
                    (refusal, goes_on)
                }
            };
            let leaves_connection = found.leaves_connection;
            refused.get_or_insert(found).leaves_connection = leaves_connection;
            if !goes_on {
                break;
            }
        }
        refused.map_or(Ok(()), Err)
    }

    fn all(&self) -> String {
        format!("{}{}{DATA}", self.mail, self.rcpt)
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
