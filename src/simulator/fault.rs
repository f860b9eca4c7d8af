//! What can be made to go wrong, and when: once, or until it is healed. Carrying it out is the
//! servers' part.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::simulator::Answer;

/// What goes wrong with one HTTP answer.
#[derive(Debug, Clone)]
pub enum Fault {
    /// This answer instead of the true one.
    Answer(Answer),
    /// The true answer, its length announced in full, the connection closed after so many bytes of
    /// the body.
    Cut {
        /// Bytes of the body that are sent.
        after: usize,
    },
    /// The connection is reset without an answer.
    Reset,
    /// No answer, the connection stays open.
    Hang,
    /// The true answer, after a wait on the simulator's clock.
    Slow(Duration),
}

impl Fault {
    /// An answer with this status and an empty body.
    pub fn status(status: u16) -> Self {
        Self::Answer(Answer::new(status))
    }
}

/// A point in an SMTP conversation where something can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Instead of the greeting.
    Greeting,
    /// At EHLO or HELO.
    Hello,
    /// At AUTH.
    Auth,
    /// At MAIL FROM.
    Sender,
    /// At RCPT TO.
    Recipient,
    /// At DATA.
    Data,
    /// After the final dot: the server has the whole message.
    Message,
}

/// What goes wrong with one SMTP conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailFault {
    /// This reply at this stage.
    Reply {
        /// Where.
        at: Stage,
        /// The reply code, 4xx or 5xx (RFC 5321 section 4.2).
        code: u16,
        /// The text after it.
        text: String,
    },
    /// The connection is closed at this stage without a reply.
    Close(Stage),
    /// No reply at this stage, the connection stays open.
    Hang(Stage),
}

impl MailFault {
    /// A reply with this code.
    pub fn reply(at: Stage, code: u16, text: &str) -> Self {
        Self::Reply { at, code, text: text.to_owned() }
    }

    pub(crate) fn stage(&self) -> Stage {
        match self {
            Self::Reply { at, .. } | Self::Close(at) | Self::Hang(at) => *at,
        }
    }
}

/// The faults planned for one server or endpoint.
#[derive(Debug)]
pub(crate) struct Faults<F>(Mutex<Plan<F>>);

#[derive(Debug)]
struct Plan<F> {
    once: VecDeque<F>,
    lasting: Option<F>,
}

impl<F: Clone> Faults<F> {
    pub(crate) fn none() -> Self {
        Self(Mutex::new(Plan { once: VecDeque::new(), lasting: None }))
    }

    /// Goes wrong once, after the ones planned before.
    pub(crate) fn once(&self, fault: F) {
        self.plan(|plan| plan.once.push_back(fault));
    }

    /// Goes wrong every time, until healed.
    pub(crate) fn until_healed(&self, fault: F) {
        self.plan(|plan| plan.lasting = Some(fault));
    }

    /// Forgets every planned fault.
    pub(crate) fn heal(&self) {
        self.plan(|plan| *plan = Plan { once: VecDeque::new(), lasting: None });
    }

    /// The fault of this time, if any.
    pub(crate) fn take(&self) -> Option<F> {
        self.take_if(|_| true)
    }

    /// The fault of this time if it is `due`; one that is not due yet stays planned.
    pub(crate) fn take_if(&self, due: impl Fn(&F) -> bool) -> Option<F> {
        self.plan(|plan| match plan.once.front() {
            Some(next) if due(next) => plan.once.pop_front(),
            Some(_) => None,
            None => plan.lasting.clone().filter(due),
        })
    }

    fn plan<R>(&self, change: impl FnOnce(&mut Plan<F>) -> R) -> R {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
