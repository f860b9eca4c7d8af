//! Gives up what is owed to notifiers that are no longer configured, and says so. What is owed to
//! the others is [`crate::delivery::DeliveryWorker`]'s.

use crate::delivery::OperatorFindings;
use crate::domain::{FindingCode, OperatorFinding};
use crate::ledger::{LedgerError, Reader};
use crate::metrics::Metrics;

/// Gives up what is owed to notifiers that are not among the `known`; returns how many deliveries.
pub async fn drop_undeliverable(
    known: Vec<Box<str>>,
    findings: &OperatorFindings,
    metrics: &Metrics,
) -> Result<u64, LedgerError> {
    let mut owed = findings.ledger.read(Reader::owed).await?;
    owed.retain(|owed| owed.pending > 0 && known.iter().all(|name| **name != *owed.notifier));
    let number = findings.ledger.drop_undeliverable(known, findings.clock.now()).await?;
    for orphaned in owed {
        let (name, pending) = (orphaned.notifier, orphaned.pending);
        metrics.deliveries.with_label_values(&[name.as_str(), "dead"]).inc_by(pending);
        let finding = OperatorFinding {
            code: FindingCode::DeliveryDead,
            summary: format!(
                "{pending} deliveries were given up, because notifier \"{name}\" no longer exists"
            ),
            action: format!(
                "to send them elsewhere, run: budget-alertd deliveries retry --notifier {name} \
                    --to NOTIFIER"
            ),
            subject: name,
        };
        findings.report_again(finding).await?;
    }
    Ok(number)
}
