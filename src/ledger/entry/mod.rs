//! What is written to and read from the ledger, in plain structs; the SQL is the store's.

mod alert;
mod customer;
mod outcome;

pub use alert::{
    AlertChange, DigestPart, Gathered, Interim, NewAlert, NewFinding, NewMessage, NewStep, OpenAlert, Recording, Reviewed, Slices,
};
pub use customer::{Known, KnownCustomer, NewSample, Recollection, Seen, SpentStep};
pub use outcome::{AlertRows, AttemptRecord, GiveUp, HoldFilter, NotifierState, PollMemory, PollResult, RetryFilter, RetryTo};
