//! The mail notifier: one message to one recipient through a mail server. The mail itself is
//! written in `letters`, the conversation with the server is in `smtp`.

use std::panic::resume_unwind;
use std::sync::Arc;

use jiff::Timestamp;
use lettre::message::Mailbox;
use tokio::task::JoinError;

use crate::clock::Clock;
use crate::domain::{Delivery, SentMessage};
use crate::notify::letters::{Letters, unwritable};
use crate::notify::smtp::Smtp;
use crate::notify::{
    Accepted, BuildError, Config, DeliveryError, EmailConfig, MessageCopy, Notifier, ProbeFuture,
    SendFuture,
};
use crate::secret::Redactor;

/// Sends mail through one server.
pub(crate) struct Email {
    letters: Arc<Letters>,
    smtp: Smtp,
}

impl Email {
    pub(crate) fn build(
        config: &Config,
        email: &EmailConfig,
        clock: Arc<dyn Clock>,
        redactor: &Arc<Redactor>,
    ) -> Result<Self, BuildError> {
        let smtp = Smtp::build(&email.smtp, config.timeout, clock, redactor)
            .map_err(|source| BuildError::Tls { notifier: config.name.clone(), source })?;
        Ok(Self {
            letters: Letters::new(config, &email.from, &email.to, email.reply_to.as_ref()).into(),
            smtp,
        })
    }

    async fn deliver(
        &self,
        delivery: &Delivery,
        now: Timestamp,
        copy: &MessageCopy,
    ) -> Result<Accepted, DeliveryError> {
        // To write it takes time too, on a busy machine.
        let deadline = self.smtp.deadline();
        let to = self.letters.recipient(delivery)?;
        let (mail, kept) = self.write(delivery, &to, now).await?;
        copy.keep(kept);
        self.smtp.send(deadline, (&self.letters.from.email, &to.email), &mail).await
    }

    /// Writes a mail, and its copy. Texts and a chart take longer than to send them: several are
    /// written at the same time, beside what is being sent.
    async fn write(
        &self,
        delivery: &Delivery,
        to: &Mailbox,
        now: Timestamp,
    ) -> Result<(String, SentMessage), DeliveryError> {
        let (letters, delivery, to) = (Arc::clone(&self.letters), delivery.clone(), to.clone());
        let write = move || {
            let letter = letters.mail(&delivery, &to, now)?;
            let mail = String::from_utf8(letter.mail.formatted())
                .map_err(|error| unwritable().caused_by(error))?;
            let kept = letter.copy(mail.as_bytes());
            Ok((mail, kept))
        };
        match tokio::task::spawn_blocking(write).await.map_err(JoinError::try_into_panic) {
            Ok(written) => written,
            Err(Ok(panic)) => resume_unwind(panic),
            // The program ends: nobody waits for it any more.
            Err(Err(_)) => std::future::pending().await,
        }
    }
}

impl Notifier for Email {
    fn send<'a>(
        &'a self,
        delivery: &'a Delivery,
        now: Timestamp,
        copy: &'a MessageCopy,
    ) -> SendFuture<'a> {
        Box::pin(self.deliver(delivery, now, copy))
    }

    fn probe(&self) -> ProbeFuture<'_> {
        let all = || [&self.letters.from].into_iter().chain(&self.letters.to);
        Box::pin(
            self.smtp.probe(all().any(|mailbox| !AsRef::<str>::as_ref(&mailbox.email).is_ascii())),
        )
    }
}
