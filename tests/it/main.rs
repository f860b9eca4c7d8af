//! Tests through the public doors: data in, text out; real sockets, real files, real processes.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::too_many_lines,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod actions;
mod architecture;
mod cli;
mod config;
mod customers;
mod cycle;
mod daemon;
mod decisions;
mod delivery;
mod demo;
mod documents;
mod echoing;
mod fallback;
mod files;
mod ledger;
mod notify;
mod operator;
mod properties;
mod pushing;
mod replay;
mod schema;
mod security;
mod simulator;
mod source;
mod spikes;
mod support;
mod telling;
mod web;
mod worlds;
mod year;
