//! The operator's desk: a finding becomes a line in the log and a row in the ledger (which keeps its metric), each once.

use crate::clock::Clock;
use crate::domain::{FindingCode, OperatorFinding};
use crate::ledger::{Ledger, LedgerError};

/// Where findings are told.
pub(crate) struct Desk<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) clock: &'a dyn Clock,
}

impl Desk<'_> {
    /// Tells a finding; one that is open already is only brought up to date.
    pub(crate) async fn report(&self, finding: OperatorFinding) -> Result<(), LedgerError> {
        let OperatorFinding { code, subject, summary, action } = finding.clone();
        let new = self.ledger.report(finding, self.clock.now()).await?;
        if new {
            let summary = summary.trim_end_matches('.');
            tracing::error!(finding.code = code.as_str(), finding.subject = subject, "{summary}; {action}");
        }
        Ok(())
    }

    /// Closes a finding, if it is open.
    pub(crate) async fn clear(&self, code: FindingCode, subject: &str) -> Result<(), LedgerError> {
        if self.ledger.clear(code, subject, self.clock.now()).await? {
            tracing::info!(finding.code = code.as_str(), finding.subject = subject, "over: {code}");
        }
        Ok(())
    }

    /// Reports a finding while `open`, else closes it.
    pub(crate) async fn report_if(&self, open: bool, code: FindingCode, summary: String, action: &str) -> Result<(), LedgerError> {
        if open {
            self.report(OperatorFinding { code, subject: String::new(), summary, action: action.to_owned() }).await
        } else {
            self.clear(code, "").await
        }
    }
}
