//! Who is told instead of a notifier that takes no messages: what it has given up, or has owed for
//! too long while it fails, is owed to others too.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use crate::delivery::OperatorFindings;
use crate::domain::Route;
use crate::ledger::LedgerError;

/// For whom a notifier takes no messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fails {
    Nobody,
    Some,
    All,
}

/// Who stands in for a notifier, and when.
#[derive(Debug, Clone)]
pub struct Fallback {
    /// Where its messages go instead.
    pub routes: Arc<[Route]>,
    /// How long they are owed before.
    pub after: Duration,
}

impl Fallback {
    /// Owes to the others what is theirs by now; says how long until there may be more. Where there
    /// are none, what was given up stays so: others who are configured later do not get what is
    /// long over.
    pub(crate) async fn fall_back(
        &self,
        notifier: &str,
        fails: Fails,
        findings: &OperatorFindings,
    ) -> Result<Option<Duration>, LedgerError> {
        let (now, after) = (
            findings.clock.now(),
            SignedDuration::try_from(self.after).unwrap_or(SignedDuration::MAX),
        );
        // Where attempts succeed, what is owed is under way.
        let overdue = if fails != Fails::Nobody && !self.routes.is_empty() {
            now.checked_sub(after).ok()
        } else {
            None
        };
        let fell_back = findings
            .ledger
            .fall_back(notifier, overdue, fails == Fails::All, Arc::clone(&self.routes), now)
            .await?;
        if fell_back.owed > 0 {
            tracing::warn!(
                notifier,
                deliveries = fell_back.owed,
                "others are told what the notifier has not taken"
            );
            findings.wake();
        }
        let until = |recorded: jiff::Timestamp| {
            Duration::try_from(
                recorded.saturating_add(after).unwrap_or(recorded).duration_since(now),
            )
        };
        Ok(fell_back.next.and_then(|recorded| until(recorded).ok()))
    }
}
