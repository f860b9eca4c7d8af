//! Budget alerts for Microsoft cloud resellers: reads Partner Center usage, judges it by rules, tells the right people
//! once.

pub mod domain;
pub mod clock;
pub mod secret;
pub mod metrics;
pub mod outbound;
pub mod source;
pub mod budgets;
pub mod rules;
pub mod ledger;
pub mod notify;
pub mod pipeline;
pub mod web;
pub mod config;
pub mod daemon;
pub mod simulator;
pub mod cli;
