//! What a loop does when the ledger cannot be read or written: when it tries again, and what it says
//! of it.

use std::time::Duration;

use crate::ledger::LedgerError;

/// How long to wait after the ledger could not be read or written.
pub(super) const LEDGER_RETRY: Duration = Duration::from_secs(10);

/// An error with everything behind it, on one line.
pub(super) fn causes(error: &LedgerError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
