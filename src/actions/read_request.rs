//! A command that only reads, how it ended, and what runs it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::actions::ActionError;

/// A command that only reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadRequest {
    /// Its arguments, without the program and the options of every command.
    pub arguments: Vec<String>,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadAnswer {
    /// Its exit code.
    pub code: u8,
    /// What it printed as its result.
    pub out: String,
    /// What else it said.
    pub err: String,
}

/// What runs such a command in a daemon.
pub type RunRead = Arc<
    dyn Fn(ReadRequest) -> Pin<Box<dyn Future<Output = Result<ReadAnswer, ActionError>> + Send>>
        + Send
        + Sync,
>;
