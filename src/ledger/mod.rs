//! Remembers durably and lists: last seen states, alerts, deliveries, findings. What is new, and
//! what becomes of it, `alerting` decides.

mod acks;
mod backup;
mod budget_pushes;
mod column;
mod config;
mod copy;
mod copying;
mod daily;
mod database;
mod delivering;
mod entry;
mod error;
mod fallback;
mod file;
mod findings;
mod gathering;
mod group;
mod leadership;
mod lease;
mod life;
mod links;
mod listing;
mod lock;
mod made;
mod mirror;
mod misuse;
mod orders;
mod overview;
mod polling;
mod proof;
mod reader;
mod recipients;
mod reports;
mod retention;
mod schema;
mod security;
mod server;
mod sql;
mod store;
mod table;
mod thread;
mod transfer;
mod verify;
mod wal;

pub use backup::{KeptFile, Restore, back_up};
pub use config::Config;
pub use copy::copy_ledger;
pub use daily::{BACKUP_EVERY, Backups, DailyCopy, copy_if_due};
pub use entry::{
    AlertRows, AttemptRecord, BudgetPush, GiveUp, HoldFilter, NotifierState, PollResult, PushTry,
    RetryFilter, RetryTo,
};
pub use error::LedgerError;
pub use fallback::StoodIn;
pub use leadership::Leadership;
pub use lease::Lease;
pub use listing::{
    AlertFilter, AlertRow, AlertToMirror, AttemptRow, ChainEvent, Closing, CostHistory,
    DeferredRecipient, DeliveryFilter, DeliveryRow, DeliverySummary, GivenUp, OpenFinding, Owed,
    PollStatus,
};
pub use lock::{folder_of, is_own_file};
pub use overview::{
    CustomerCursor, CustomerFilter, CustomerPage, CustomerRow, CustomerTotals, OpenOfCustomer,
};
pub use proof::{ChangedEvent, Proof};
pub use reader::{Reader, read};
pub use server::{Server, ServerError};
pub use store::Ledger;
pub use table::customers::REMEMBERED;
pub use table::findings::Reported;
pub use verify::{Verified, verify, verify_copy};
