//! Remembers durably: last seen state, alerts, deliveries, periods; decides what is new, stores it, lists it.

mod column;
mod config;
mod decide;
mod entry;
mod error;
mod fallback;
mod file;
mod gathering;
mod group;
mod identity;
mod life;
mod listing;
mod lock;
mod made;
mod mirror;
mod news;
mod plan;
mod polled;
mod polling;
mod reader;
mod recipients;
mod reports;
mod retention;
mod store;
mod table;
mod thread;
mod wal;

pub use config::Config;
pub use decide::{Decided, LatePass, Raise, decide};
pub use entry::{
    AlertChange, AlertRows, AttemptRecord, DigestPart, Gathered, GiveUp, HoldFilter, Interim, Known, KnownCustomer, NewAlert, NewFinding,
    NewMessage, NewSample, NewStep, NotifierState, OpenAlert, PollMemory, PollResult, Recollection, Recording, RetryFilter, RetryTo,
    Reviewed, Seen, Slices, SpentStep,
};
pub use error::LedgerError;
pub use fallback::StoodIn;
pub use identity::unrecorded_identity;
pub use listing::{
    AlertFilter, AlertRow, AttemptRow, Closing, Course, DeferredRecipient, DeliveryFilter, DeliveryRow, DeliverySummary, GivenUp,
    OpenFinding, Owed, PollStatus, StandingAlert,
};
pub use lock::{folder_of, is_own_file};
pub use plan::{Followup, Occasion, followups, late_step, messages, slice, slice_of_followups, snapshot, step, steps};
pub use reader::{Reader, read};
pub use store::Ledger;
pub use table::customers::{REMEMBERED, fold, fold_key};
pub use table::findings::Reported;
