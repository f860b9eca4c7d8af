//! How polls, notifiers and attempts fared, in plain structs; the SQL is the store's.

mod outcome;

pub use outcome::{
    AlertRows, AttemptRecord, GiveUp, HoldFilter, NotifierState, PollResult, RetryFilter, RetryTo,
};
