//! How a command ends: 0 done, 1 failed, 2 wrong usage or invalid configuration, 3 another instance
//! holds the ledger.

use std::process::ExitCode;

use crate::cli::harmless;
use crate::config::Mistakes;
use crate::ledger::LedgerError;

/// What a command that could do its work came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All is well.
    Done,
    /// It ran, and something in what it did failed; the output says what.
    Failed,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Failed => Self::from(1),
        }
    }
}

/// The command was used wrongly in a way that the argument parser cannot see.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct WrongUsage(pub(super) String);

/// The exit code of an error.
pub(super) fn code_of(error: &anyhow::Error) -> ExitCode {
    let held = error.downcast_ref::<LedgerError>().is_some_and(|error| {
        matches!(error, LedgerError::Held { .. } | LedgerError::NotLeading { .. })
    });
    if held {
        ExitCode::from(3)
    } else if error.is::<Mistakes>() || error.is::<WrongUsage>() {
        ExitCode::from(2)
    } else {
        ExitCode::from(1)
    }
}

/// Whether the reader of the results went away (`| head`).
pub(super) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let mut errors = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    errors.any(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Prints an error for people: mistakes as they stand, anything else with its causes.
pub(super) fn print(error: &anyhow::Error) {
    let text = match error.downcast_ref::<Mistakes>() {
        Some(mistakes) => mistakes.to_string(),
        None => format!("budget-alertd: {error:#}"),
    };
    eprintln!("{}", harmless::text(&text));
}
