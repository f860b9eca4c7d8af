//! A mail server on the loopback: it keeps what it gets, refuses whom it is told to refuse. The
//! conversation itself is in `smtp`.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Clock;
use crate::simulator::fault::Faults;
use crate::simulator::journal::Journal;
use crate::simulator::mailroom::Mailroom;
use crate::simulator::port::Port;
use crate::simulator::{MailFault, MailOptions, ReceivedMail, StillWaiting, smtp};

/// An SMTP server (RFC 5321) on the loopback; dropping it ends it.
pub struct MailReceiver {
    port: Port,
    room: Arc<Mailroom>,
}

impl MailReceiver {
    /// Starts a server on a free port.
    pub fn start(clock: Arc<dyn Clock>, options: MailOptions) -> io::Result<Self> {
        let (seen, faults, refused) = (Journal::new(), Faults::none(), Mutex::new(HashMap::new()));
        let room = Arc::new(Mailroom { clock, options, seen, faults, refused });
        let shared = Arc::clone(&room);
        let serve = move |stream| -> Pin<Box<dyn Future<Output = ()> + Send>> {
            let room = Arc::clone(&shared);
            Box::pin(async move {
                // A broken connection is the peer's to notice.
                let _ = smtp::converse(stream, &room).await;
            })
        };
        Ok(Self { port: Port::open(Arc::new(serve))?, room })
    }

    /// The host to send to.
    pub fn host(&self) -> String {
        self.port.address().ip().to_string()
    }

    /// The port to send to.
    pub fn port(&self) -> u16 {
        self.port.address().port()
    }

    /// The accepted mails, in order.
    pub fn received(&self) -> Vec<ReceivedMail> {
        self.room.seen.matching(ReceivedMail::accepted)
    }

    /// Every mail that was sent up to its final dot, accepted or not.
    pub fn attempts(&self) -> Vec<ReceivedMail> {
        self.room.seen.entries()
    }

    /// Waits until at least `count` mails were accepted, and returns them.
    pub async fn wait_for(&self, count: usize) -> Result<Vec<ReceivedMail>, StillWaiting> {
        self.room.seen.wait_for(count, ReceivedMail::accepted).await
    }

    /// Waits until at least `count` mails came up to their final dot, accepted or not, and returns
    /// them.
    pub async fn wait_for_attempts(&self, count: usize) -> Result<Vec<ReceivedMail>, StillWaiting> {
        self.room.seen.wait_for(count, |_| true).await
    }

    /// Refuses this recipient with this code (550: no such mailbox), until [`Self::heal`].
    pub fn refuse(&self, recipient: &str, code: u16) {
        self.room
            .refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(recipient.to_lowercase(), code);
    }

    /// Fails once so, in the first conversation that comes to the fault's stage; several are taken
    /// in order.
    pub fn fail_once(&self, fault: MailFault) {
        self.room.faults.once(fault);
    }

    /// Fails every conversation so, until [`Self::heal`].
    pub fn fail(&self, fault: MailFault) {
        self.room.faults.until_healed(fault);
    }

    /// Forgets every planned fault and refused recipient.
    pub fn heal(&self) {
        self.room.faults.heal();
        self.room.refused.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Closes every connection and refuses new ones.
    pub async fn go_down(&self) -> io::Result<()> {
        self.port.go_down().await
    }

    /// Accepts connections again, on the same port.
    pub fn come_back(&self) -> io::Result<()> {
        self.port.come_back()
    }
}
