//! What becomes of security alerts once none are to be read: nothing is said of them any more. The
//! alerts themselves end with their rules.

use crate::delivery::operator_findings::FindingClosure;
use crate::domain::FindingCode;
use crate::ledger::{LedgerError, Reader};
use crate::poll::cycle::Cycle;
use crate::source::ACCESS;

impl Cycle {
    /// Forgets how reading them went, where they were read before and are not any more.
    pub(super) async fn forget_security(&self) -> Result<(), LedgerError> {
        if self.security.is_some() || self.ledger.read(Reader::security_poll).await?.is_none() {
            return Ok(());
        }
        for subject in ["", ACCESS] {
            let ending = FindingClosure::of("security alerts are no longer read");
            self.findings.clear(FindingCode::SecuritySourceFailing, subject, ending).await?;
        }
        for severity in crate::metrics::SECURITY_SEVERITIES {
            self.metrics.security_alerts_open.with_label_values(&[severity]).set(0);
        }
        self.metrics.security_alert_oldest.set(0);
        self.ledger.forget_security_poll(self.clock.now()).await
    }
}
