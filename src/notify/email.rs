//! The mail notifier: one message to one recipient through a mail server. The mail itself is
//! written in `letters`, the conversation with the server is in `smtp`.

use std::sync::Arc;

use jiff::Timestamp;

use crate::clock::Clock;
use crate::domain::Delivery;
use crate::notify::letters::{Letters, unwritable};
use crate::notify::smtp::Smtp;
use crate::notify::{
    Accepted, BuildError, Config, DeliveryError, EmailConfig, MessageCopy, Notifier, ProbeFuture,
    SendFuture,
};
use crate::secret::Redactor;

/// Sends mail through one server.
pub(crate) struct Email {
    letters: Letters,
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
            letters: Letters::new(config, &email.from, &email.to, email.reply_to.as_ref()),
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
        let letter = self.letters.mail(delivery, &to, now)?;
        let mail = String::from_utf8(letter.mail.formatted())
            .map_err(|error| unwritable().caused_by(error))?;
        copy.keep(letter.copy(mail.as_bytes()));
        self.smtp.send(deadline, (&self.letters.from.email, &to.email), &mail).await
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
