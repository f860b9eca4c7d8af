//! Every decision about alerts, purely: what is new, what repeats, is silenced, is reminded of or
//! ends, which messages are owed, what must be remembered, and who can never alert. No I/O and no
//! clock; `now` is an argument.

pub(crate) mod case;
mod coverage;
mod daily_costs;
mod decide;
pub(crate) mod identity;
pub(crate) mod judging;
mod known_customer;
mod known_customers;
pub(crate) mod lifecycle;
pub mod links;
mod memory;
mod messages;
mod misuse;
mod new_message;
pub(crate) mod planning;
mod raise;
mod recording;
pub(crate) mod security;
mod security_again;
mod security_memory;
mod security_spent;
pub(crate) mod silenced_alerts;
mod spending;
mod spike_run;
pub(crate) mod spikes;

pub use coverage::{Gap, gap, silent, silent_about};
pub use daily_costs::DailyCosts;
pub use decide::{Decided, LatePass, Raise, decide};
pub use identity::unrecorded_identity;
pub use judging::AsOf;
pub(crate) use known_customer::KnownItem;
pub use known_customer::{ItemHasher, KNOWN_BYTES, KnownCustomer};
pub use known_customers::KnownCustomers;
pub(crate) use known_customers::{Copied, Taken};
pub use memory::{CustomerState, Depth, NewSample, PollMemory, RecordedStep, RememberedCustomer};
pub use messages::{Surroundings, late_step, snapshot, step, steps};
pub use misuse::{Misuse, MisuseSign, MisuseVerdict, SignSource};
pub use new_message::{Content, DigestPart, MessageAlert, NewMessage};
pub use planning::{Followup, followups, messages, slice, slice_of_followups};
pub use raise::{RaiseContext, Raised, raise};
pub use recording::{
    AlertChange, Gathered, Interim, NewAlert, NewFinding, NewStep, OpenAlert, Recording, Reviewed,
    Slices,
};
pub use security_memory::{
    ANSWERED_WITHIN, NewSecurityStep, RememberedSecurity, SecurityMemory, SecurityPoll,
    SecurityRecording, SecurityScoreSeen, SecurityState, SecurityStep,
};
pub(crate) use security_spent::spent_since;
