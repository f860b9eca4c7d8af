//! The ledger of findings for the operator, and of the messages they owe.

use jiff::Timestamp;

use crate::alerting::NewMessage;
use crate::domain::{FindingCode, OperatorFinding};
use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::listing::OpenFinding;
use crate::ledger::table::findings::{self, Reported};

impl Ledger {
    /// Opens a finding for the operator, or brings an open one up to date. While it was not told,
    /// `tell` is asked for the messages it owes, with since when it is open. Writes nothing when
    /// nothing changed.
    pub async fn report<T>(
        &self,
        finding: OperatorFinding,
        now: Timestamp,
        tell: T,
    ) -> Result<Reported, LedgerError>
    where
        T: FnOnce(Timestamp) -> Vec<NewMessage> + Send + 'static,
    {
        let code = finding.code;
        let reported = self
            .thread
            .run(move |connection| findings::report(connection, &finding, now, tell))
            .await?;
        if reported.new {
            self.metrics.operator_findings.with_label_values(&[code.as_str()]).inc();
        }
        Ok(reported)
    }

    /// Asks `tell` for what is owed for open findings that were not told; returns whether anything
    /// is. Writes nothing when nothing is.
    pub async fn tell_findings<T>(&self, now: Timestamp, tell: T) -> Result<bool, LedgerError>
    where
        T: Fn(&OpenFinding) -> Vec<NewMessage> + Send + 'static,
    {
        self.thread.run(move |connection| findings::tell(connection, now, tell)).await
    }

    /// Closes a finding and returns it, if it was open. For one that was told, `tell` is asked for
    /// the messages that this owes. Writes nothing when it was not open.
    pub async fn clear<T>(
        &self,
        code: FindingCode,
        subject: &str,
        now: Timestamp,
        tell: T,
    ) -> Result<Option<OpenFinding>, LedgerError>
    where
        T: FnOnce(&OpenFinding) -> Vec<NewMessage> + Send + 'static,
    {
        let subject = subject.to_owned();
        let closed = self
            .thread
            .run(move |connection| findings::close(connection, code, &subject, now, tell))
            .await?;
        if closed.is_some() {
            self.metrics.operator_findings.with_label_values(&[code.as_str()]).dec();
        }
        Ok(closed)
    }

    /// Keeps a finding that the ledger could not be told of while it lasted, with the messages that
    /// its end owes.
    pub async fn keep_past_finding(
        &self,
        open: OpenFinding,
        now: Timestamp,
        messages: Vec<NewMessage>,
    ) -> Result<(), LedgerError> {
        self.thread
            .write(move |connection| findings::keep_past(connection, &open, now, &messages))
            .await
    }
}
