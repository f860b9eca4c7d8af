//! One SMTP conversation (RFC 5321), server side, with AUTH (RFC 4954); mails are kept elsewhere.

use std::io;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::simulator::mailroom::Mailroom;
use crate::simulator::{MailFault, ReceivedMail, Stage};

/// The largest message, as told in EHLO; also the longest line that is read.
const SIZE: u64 = 32 * 1024 * 1024;

/// What comes after a command.
enum Next {
    Goes,
    Ends,
}

struct Conversation<'a> {
    stream: BufReader<TcpStream>,
    room: &'a Mailroom,
    signed_in: bool,
    sender: Option<String>,
    recipients: Vec<String>,
}

/// Talks with one client until it leaves.
pub(crate) async fn converse(stream: TcpStream, room: &Mailroom) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let signed_in = room.options.credentials.is_none();
    let mut talk = Conversation {
        stream: BufReader::new(stream),
        room,
        signed_in,
        sender: None,
        recipients: Vec::new(),
    };
    if let Next::Ends = talk.reply(Stage::Greeting, "220 simulator ESMTP").await? {
        return Ok(());
    }
    while let Some(line) = talk.line().await? {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        if let Next::Ends = talk.command(&line).await? {
            break;
        }
    }
    talk.stream.shutdown().await
}

impl Conversation<'_> {
    async fn command(&mut self, line: &str) -> io::Result<Next> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => self.hello().await,
            "HELO" => self.reply(Stage::Hello, "250 simulator").await,
            "AUTH" => self.auth(rest).await,
            "MAIL" => self.mail(rest).await,
            "RCPT" => self.rcpt(rest).await,
            "DATA" => self.data().await,
            "RSET" => {
                self.forget();
                self.say("250 2.0.0 OK").await
            }
            "NOOP" => self.say("250 2.0.0 OK").await,
            "QUIT" => {
                self.say("221 2.0.0 Bye").await?;
                Ok(Next::Ends)
            }
            _ => self.say("500 5.5.2 Not a command here").await,
        }
    }

    async fn hello(&mut self) -> io::Result<Next> {
        self.forget();
        let auth =
            if self.room.options.credentials.is_some() { "250-AUTH PLAIN LOGIN\r\n" } else { "" };
        let text = format!(
            "250-simulator\r\n250-SIZE \
                {SIZE}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-PIPELINING\r\n{auth}250 \
                ENHANCEDSTATUSCODES"
        );
        self.reply(Stage::Hello, &text).await
    }

    async fn auth(&mut self, rest: &str) -> io::Result<Next> {
        let (mechanism, initial) = rest.split_once(' ').unwrap_or((rest, ""));
        let given = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => {
                let answer =
                    if initial.is_empty() { self.challenge("").await? } else { decoded(initial) };
                let mut parts = answer.split('\0').skip(1);
                (
                    parts.next().unwrap_or_default().to_owned(),
                    parts.next().unwrap_or_default().to_owned(),
                )
            }
            "LOGIN" => {
                let user = if initial.is_empty() {
                    self.challenge("Username:").await?
                } else {
                    decoded(initial)
                };
                (user, self.challenge("Password:").await?)
            }
            _ => return self.say("504 5.5.4 Not a mechanism here").await,
        };
        if self.room.options.credentials.as_ref() != Some(&given) {
            return self.reply(Stage::Auth, "535 5.7.8 Authentication credentials invalid").await;
        }
        self.signed_in = true;
        self.reply(Stage::Auth, "235 2.7.0 Authentication succeeded").await
    }

    async fn challenge(&mut self, text: &str) -> io::Result<String> {
        self.say(&format!("334 {}", BASE64_STANDARD.encode(text))).await?;
        let line = self.line().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(decoded(String::from_utf8_lossy(&line).trim_end()))
    }

    async fn mail(&mut self, rest: &str) -> io::Result<Next> {
        if !self.signed_in {
            return self.say("530 5.7.0 Authentication required").await;
        }
        let Some(sender) = path(rest, "FROM:") else {
            return self.say("501 5.5.4 MAIL FROM:<address>").await;
        };
        if self.sender.is_some() {
            return self.say("503 5.5.1 A mail is under way").await;
        }
        if let Some(fault) = self.fault(Stage::Sender) {
            return self.fail(fault).await;
        }
        self.sender = Some(sender);
        self.say("250 2.1.0 OK").await
    }

    async fn rcpt(&mut self, rest: &str) -> io::Result<Next> {
        let Some(recipient) = path(rest, "TO:") else {
            return self.say("501 5.5.4 RCPT TO:<address>").await;
        };
        if self.sender.is_none() {
            return self.say("503 5.5.1 MAIL first").await;
        }
        if let Some(fault) = self.fault(Stage::Recipient) {
            return self.fail(fault).await;
        }
        if let Some(code) = self.room.refusal(&recipient) {
            return self.say(&format!("{code} {}.1.1 <{recipient}>: refused", code / 100)).await;
        }
        self.recipients.push(recipient);
        self.say("250 2.1.5 OK").await
    }

    async fn data(&mut self) -> io::Result<Next> {
        if self.recipients.is_empty() {
            return self.say("503 5.5.1 No valid recipients").await;
        }
        if let Some(fault) = self.fault(Stage::Data) {
            return self.fail(fault).await;
        }
        self.say("354 End with a dot on a line of its own").await?;
        let Some(raw) = self.message().await? else { return Ok(Next::Ends) };
        let fault = self.fault(Stage::Message);
        let answer = match &fault {
            None => Some(250),
            Some(MailFault::Reply { code, .. }) => Some(*code),
            Some(MailFault::Close(_) | MailFault::Hang(_)) => None,
        };
        let (sender, recipients) =
            (self.sender.take().unwrap_or_default(), std::mem::take(&mut self.recipients));
        self.room.seen.push(ReceivedMail::parse(
            sender,
            recipients,
            &raw,
            self.room.clock.now(),
            answer,
        ));
        match fault {
            None => self.say("250 2.0.0 Taken").await,
            Some(fault) => self.fail(fault).await,
        }
    }

    /// Reads up to the final dot; none where the connection ended before.
    async fn message(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut raw = Vec::new();
        while let Some(line) = self.line().await? {
            if line == b".\r\n" || line == b".\n" {
                return Ok(Some(raw));
            }
            raw.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
        Ok(None)
    }

    fn forget(&mut self) {
        self.sender = None;
        self.recipients.clear();
    }

    fn fault(&self, stage: Stage) -> Option<MailFault> {
        self.room.faults.take_if(|fault| fault.stage() == stage)
    }

    async fn reply(&mut self, stage: Stage, text: &str) -> io::Result<Next> {
        match self.fault(stage) {
            None => self.say(text).await,
            Some(fault) => self.fail(fault).await,
        }
    }

    async fn fail(&mut self, fault: MailFault) -> io::Result<Next> {
        match fault {
            MailFault::Reply { code, text, .. } => {
                let next = self.say(&format!("{code} {text}")).await?;
                // 421 closes the connection (RFC 5321 section 3.8).
                Ok(if code == 421 { Next::Ends } else { next })
            }
            MailFault::Close(_) => Ok(Next::Ends),
            MailFault::Hang(_) => std::future::pending().await,
        }
    }

    async fn say(&mut self, text: &str) -> io::Result<Next> {
        self.stream.write_all(format!("{text}\r\n").as_bytes()).await?;
        self.stream.flush().await?;
        Ok(Next::Goes)
    }

    async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let read = (&mut self.stream).take(SIZE).read_until(b'\n', &mut line).await?;
        Ok((read > 0).then_some(line))
    }
}

/// The address of `FROM:<address> SIZE=…`.
fn path(rest: &str, keyword: &str) -> Option<String> {
    let given = rest.get(..keyword.len()).filter(|given| given.eq_ignore_ascii_case(keyword))?;
    let after = rest.get(given.len()..)?.trim_start().strip_prefix('<')?;
    Some(after.split_once('>')?.0.to_owned())
}

fn decoded(text: &str) -> String {
    BASE64_STANDARD
        .decode(text)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default()
}
