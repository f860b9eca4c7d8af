//! `schema config|webhook`: prints a JSON Schema (2020-12).

mod report;
mod webhook;

use clap::{Args, ValueEnum};

use crate::cli::exit::Outcome;
use crate::cli::output;
use crate::config;

#[derive(Debug, Args)]
pub(super) struct Schema {
    /// Of what
    what: What,
}

/// What has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// alert-rules.toml
    Config,
    /// The body that a webhook gets
    Webhook,
}

impl Schema {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        output::json(&match self.what {
            What::Config => config::schema(),
            What::Webhook => webhook::schema(),
        })?;
        Ok(Outcome::Done)
    }
}
