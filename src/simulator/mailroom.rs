//! What the connections of one simulated mail server share: how it is set up, what it has received,
//! whom it refuses and what goes wrong. The server is `mail_receiver`, the conversation `smtp`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Clock;
use crate::simulator::fault::Faults;
use crate::simulator::journal::Journal;
use crate::simulator::{MailFault, ReceivedMail};

/// How a mail server is set up.
#[derive(Debug, Clone, Default)]
pub struct MailOptions {
    /// User name and password it asks for (AUTH PLAIN or LOGIN); `None`: it takes mail from anybody.
    pub credentials: Option<(String, String)>,
}

/// What the server's connections share.
pub(crate) struct Mailroom {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) options: MailOptions,
    pub(crate) seen: Journal<ReceivedMail>,
    pub(crate) faults: Faults<MailFault>,
    pub(crate) refused: Mutex<HashMap<String, u16>>,
}

impl Mailroom {
    /// The code with which this recipient is refused, if it is.
    pub(crate) fn refusal(&self, recipient: &str) -> Option<u16> {
        self.refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&recipient.to_lowercase())
            .copied()
    }
}
