//! The SQL, one file for each group of tables; transactions are the callers'.

pub(super) mod acks;
pub(super) mod alerts;
pub(super) mod budget_pushes;
pub(super) mod chain;
pub(super) mod customers;
pub(super) mod deliveries;
pub(super) mod findings;
pub(super) mod gathered;
pub(super) mod history;
pub(super) mod holds;
pub(super) mod incidents;
pub(super) mod life;
pub(super) mod listings;
pub(super) mod mirror;
pub(super) mod notifiers;
pub(super) mod polls;
pub(super) mod recipients;
pub(super) mod reports;
pub(super) mod retention;
pub(super) mod retry;
pub(super) mod security;
pub(super) mod security_steps;
pub(super) mod sent_messages;
pub(super) mod silences;
pub(super) mod spikes;
pub(super) mod standins;
