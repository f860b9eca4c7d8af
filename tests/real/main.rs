//! Tests against the real thing on the other side: Debian's postfix, dovecot, nginx, Caddy,
//! Alertmanager, Prometheus, Chromium and systemd. They need root and the packages that
//! `tests/run.sh` installs; nothing here skips itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod alertmanager;
mod authority;
mod browser;
mod container;
mod dovecot;
mod first_alert;
mod full_disk;
mod hosts;
mod monitoring;
mod moved;
mod nginx;
mod on_call;
mod package;
mod pictures;
mod poll;
mod postfix;
mod process;
mod proxies;
mod rpm;
mod standard_webhooks;
mod standby;
mod steady_instructions;
#[path = "../it/support/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    clippy::wildcard_enum_match_arm,
    reason = "it is that of the other tests, which use the rest"
)]
mod support;
mod systemd;
mod unit;
