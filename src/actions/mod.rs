//! What people ask for while the program runs: one file for each action, with what is asked, what
//! is answered, and what it does. The same code acts in the daemon, asked over HTTP or its control
//! socket, and in a command where no daemon runs. How it is asked over HTTP is left to `web`.

mod ack;
mod author;
mod context;
mod error;
mod evidence;
mod expire;
mod incident;
mod notify_test;
mod poll;
mod poll_ticket;
mod progress;
mod push;
mod read;
mod read_request;
mod release;
mod reload;
mod reload_ticket;
mod resolve;
mod retry;
mod sign_in;
mod silence;

use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use ack::{AckRequest, Acknowledged, Acknowledgement, SpikeMarking};
pub use author::{Author, group_name, user_name};
pub use context::{ActionContext, DaemonLines};
pub use error::ActionError;
pub use evidence::{EvidenceNoted, EvidenceRequest};
pub use expire::{ExpireRequest, Expired};
pub use incident::{Incident, IncidentAbout};
pub use notify_test::{NotifyTestRequest, NotifyTested, try_notifier};
pub use poll::{DeliveriesAnswer, PollAnswer, PollRequest, SecurityReadState, SourceState};
pub use poll_ticket::{PollTicket, Polled};
pub use progress::DeliveryProgress;
pub use push::{ConfirmedBudget, PushRequest, PushedBudget};
pub use read_request::{ReadAnswer, ReadRequest, RunRead};
pub use release::{ReleaseRequest, Released};
pub use reload::ReloadRequest;
pub use reload_ticket::{ReloadTicket, Reloaded};
pub use resolve::{ResolveRequest, SecurityAnswered, meant};
pub use retry::{Retried, RetryRequest};
pub use sign_in::{SignInKept, SignInRequest};
pub use silence::{SilenceAdded, SilencePreviewed, SilenceRequest, SilenceView, Until, UntilWord};

/// Something that people ask for. A new one is a file here, and a line in `web::api`.
pub trait Action: Serialize + DeserializeOwned + Send + 'static {
    /// What it is called: its path under `/api/v1/`.
    const NAME: &'static str;

    /// The same as it may be ordered over the network, where a program's empty list must not mean
    /// everything and nobody may wait for hours.
    fn over_network(self) -> Result<Self, ActionError> {
        Ok(self)
    }

    /// What it is answered with.
    type Answer: Serialize + DeserializeOwned + Send + 'static;

    /// Does it, for `author`.
    fn run(
        self,
        context: &ActionContext,
        author: &Author,
    ) -> impl Future<Output = Result<Self::Answer, ActionError>> + Send;
}
