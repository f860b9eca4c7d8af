//! A connection to a mail server: commands go out, replies come in, each in bounded memory and
//! before a deadline. What is said, and what a reply means, is decided elsewhere.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::notify::smtp::reply::{KEPT_OF_A_LINE, LONGEST, Partial, Reply, Unreadable};
use crate::notify::smtp::stream::{Connector, Stream};

/// How much is read at once.
const READ_AT_ONCE: usize = 4096;

/// Until when a reply is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    at: Instant,
    /// How long that was in the beginning.
    pub(crate) patience: Duration,
}

impl Deadline {
    pub(crate) fn within(patience: Duration) -> Self {
        Self { at: Instant::now() + patience, patience }
    }

    /// What comes in time.
    pub(crate) async fn keep<T>(self, work: impl Future<Output = T>) -> Option<T> {
        timeout_at(self.at, work).await.ok()
    }
}

/// Why there is no good reply.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The server refuses.
    Refused(Reply),
    /// A reply that does not fit what was asked, or that nobody asked for.
    OutOfStep,
    /// What came is no reply of a mail server.
    NoReply(String),
    /// A reply without end, and what it would mean where that is known.
    Endless(Option<Reply>),
    /// More came in the clear than the reply after which TLS begins.
    BeforeTls,
    /// TLS could not be agreed on.
    Tls(io::Error),
    /// The connection broke.
    Broken(io::Error),
    /// Nothing came in time.
    TooSlow(Duration),
}

/// A connection.
pub(crate) struct Connection {
    stream: Stream,
    /// What was read and belongs to no reply yet.
    ahead: Vec<u8>,
    /// Whether the rest of a reply without end may still come.
    is_flooded: bool,
    /// None = the caller bounds the wait.
    pub(crate) deadline: Option<Deadline>,
    pub(crate) offers: Offers,
}

impl Connection {
    pub(crate) fn over(stream: Stream, deadline: Deadline) -> Self {
        Self {
            stream,
            ahead: Vec::new(),
            is_flooded: false,
            deadline: Some(deadline),
            offers: Offers::default(),
        }
    }

    /// Sends a command and reads the reply to it, a positive one. Whatever came before the command
    /// is no reply to it.
    pub(crate) async fn command(&mut self, command: &str) -> Result<Reply, Trouble> {
        if !self.is_clean() {
            return Err(Trouble::OutOfStep);
        }
        self.write(command).await?;
        self.reply().await
    }

    /// Reads a positive reply.
    pub(crate) async fn reply(&mut self) -> Result<Reply, Trouble> {
        let reply = match self.deadline {
            Some(deadline) => deadline
                .keep(self.read())
                .await
                .unwrap_or(Err(Trouble::TooSlow(deadline.patience)))?,
            None => self.read().await?,
        };
        if reply.is_refusal() { Err(Trouble::Refused(reply)) } else { Ok(reply) }
    }

    /// Says hello by this name, or by the address it speaks from; learns what the server offers.
    pub(crate) async fn hello(&mut self, name: Option<&str>) -> Result<(), Trouble> {
        let name = match name {
            Some(name) => name.to_owned(),
            None => self.stream.own_address().map_err(Trouble::Broken)?,
        };
        let reply = self.command(&format!("EHLO {name}\r\n")).await?;
        if !reply.is_done() {
            return Err(Trouble::OutOfStep);
        }
        self.offers = Offers::of(&reply);
        Ok(())
    }

    /// The same connection behind TLS. Nothing that was read before is believed after: neither what
    /// was offered, nor bytes that somebody in between put behind the reply.
    pub(crate) async fn starttls(mut self, connector: &Connector) -> Result<Self, Trouble> {
        if !self.command("STARTTLS\r\n").await?.is_done() {
            return Err(Trouble::OutOfStep);
        }
        let (Some(deadline), Stream::Plain(tcp)) = (self.deadline, self.stream) else {
            return Err(Trouble::OutOfStep);
        };
        if !self.ahead.is_empty() {
            return Err(Trouble::BeforeTls);
        }
        Self::behind_tls(connector, tcp, deadline).await
    }

    /// A connection behind TLS on this stream.
    pub(crate) async fn behind_tls(
        connector: &Connector,
        tcp: TcpStream,
        deadline: Deadline,
    ) -> Result<Self, Trouble> {
        let agreed =
            deadline.keep(connector.agree(tcp)).await.ok_or(Trouble::TooSlow(deadline.patience))?;
        Ok(Self::over(agreed.map_err(Trouble::Tls)?, deadline))
    }

    /// Whether nothing came that no reply was made of: else the next thing read would be an answer
    /// to what was not asked.
    pub(crate) fn is_clean(&self) -> bool {
        self.ahead.is_empty() && !self.is_flooded
    }

    async fn write(&mut self, text: &str) -> Result<(), Trouble> {
        let written = match self.deadline {
            Some(deadline) => deadline
                .keep(self.stream.write_all(text.as_bytes()))
                .await
                .ok_or(Trouble::TooSlow(deadline.patience))?,
            None => self.stream.write_all(text.as_bytes()).await,
        };
        written.map_err(Trouble::Broken)
    }

    /// Reads a reply. Of each line only the beginning is kept, and the whole has a limit.
    async fn read(&mut self) -> Result<Reply, Trouble> {
        let (mut partial, mut line, mut length) = (Partial::default(), Vec::new(), 0);
        loop {
            let end = memchr::memchr(b'\n', &self.ahead);
            let taken = end.unwrap_or(self.ahead.len());
            let room = KEPT_OF_A_LINE.saturating_sub(line.len()).min(taken);
            line.extend(self.ahead.get(..room).unwrap_or_default());
            self.ahead.drain(..end.map_or(taken, |end| end + 1));
            length += taken + 1;
            if length > LONGEST {
                self.is_flooded = true;
                return Err(Trouble::Endless(partial.cut_short(&line)));
            }
            if end.is_some() {
                match partial.add(&line) {
                    Ok(Some(reply)) => return Ok(reply),
                    Ok(None) => line.clear(),
                    Err(Unreadable::NoCode(text)) => return Err(Trouble::NoReply(text)),
                    Err(Unreadable::Endless) => return Err(Trouble::Endless(None)),
                }
            } else {
                self.fill().await?;
            }
        }
    }

    async fn fill(&mut self) -> Result<(), Trouble> {
        self.ahead.resize(READ_AT_ONCE, 0);
        let read = self.stream.read(&mut self.ahead).await;
        self.ahead.truncate(*read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => {
                Err(Trouble::Broken(io::Error::new(io::ErrorKind::UnexpectedEof, "it was closed")))
            }
            Ok(_) => Ok(()),
            Err(error) => Err(Trouble::Broken(error)),
        }
    }
}

/// What a server says it can, in its reply to EHLO; keywords and parameters in any case (RFC 5321
/// section 4.1.1.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Offers {
    keywords: Vec<String>,
    mechanisms: Vec<String>,
}

impl Offers {
    fn of(reply: &Reply) -> Self {
        let mut offers = Self::default();
        for line in &reply.lines {
            let line = line.to_ascii_uppercase();
            // `AUTH=PLAIN` is how servers wrote it for clients of the nineties, and some still do.
            let mut words = line
                .split(|letter: char| letter.is_whitespace() || letter == '=')
                .filter(|word| !word.is_empty());
            let Some(keyword) = words.next() else { continue };
            if keyword == "AUTH" {
                offers.mechanisms.extend(words.map(str::to_owned));
            }
            offers.keywords.push(keyword.to_owned());
        }
        offers
    }

    pub(crate) fn has(&self, keyword: &str) -> bool {
        self.keywords.iter().any(|known| known == keyword)
    }

    pub(crate) fn signs_in_by(&self, mechanism: &str) -> bool {
        self.mechanisms.iter().any(|known| known == mechanism)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_are_understood_in_any_case_and_form() {
        let lines = [
            "mail.example greets you",
            "pipelining",
            "StartTls",
            "AUTH=PLAIN login",
            "auth  XOAUTH2",
            "SIZE 1000",
            "",
        ];
        let offers = Offers::of(&Reply { code: 250, lines: lines.map(str::to_owned).to_vec() });
        assert!(
            offers.has("PIPELINING")
                && offers.has("STARTTLS")
                && offers.has("SIZE")
                && !offers.has("SMTPUTF8")
        );
        assert!(
            ["PLAIN", "LOGIN", "XOAUTH2"].iter().all(|mechanism| offers.signs_in_by(mechanism))
                && !offers.signs_in_by("CRAM-MD5")
        );
    }
}
