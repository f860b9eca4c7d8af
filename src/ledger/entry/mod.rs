//! How polls, notifiers and attempts fared, and what people order, in plain structs; the SQL is the
//! store's.

mod budget_push;
mod outcome;

pub use budget_push::{BudgetPush, PushTry};
pub use outcome::{
    AlertRows, AttemptRecord, GiveUp, HoldFilter, NotifierState, PollResult, RetryFilter, RetryTo,
};
