//! What a poll says of the daemon itself: each kind of trouble becomes a finding, open until a poll is without it.

use crate::domain::FindingCode;
use crate::ledger::LedgerError;
use crate::pipeline::cycle::EMPTY;
use crate::pipeline::desk::Desk;
use crate::pipeline::intake::Tally;
use crate::pipeline::{Cycle, CycleReport};

impl Cycle {
    /// Opens and closes the findings that a poll decides about.
    pub(super) async fn tell_operator(&self, report: &CycleReport, tally: &Tally, unexpectedly_empty: bool) -> Result<(), LedgerError> {
        let desk = Desk { ledger: &self.ledger, clock: &*self.clock };
        let failures = [FindingCode::SourceFailing, FindingCode::SignInRefused, FindingCode::MfaRequired, FindingCode::RoleMissing];
        for code in failures {
            match &report.failure {
                Some(finding) if finding.code == code => desk.report(finding.clone()).await?,
                _ => desk.clear(code, "").await?,
            }
        }
        desk.report_if(
            unexpectedly_empty,
            FindingCode::NoItems,
            EMPTY.to_owned(),
            "check the account; if it is true, run: budget-alertd poll --accept-empty",
        )
        .await?;
        let skipped = format!("{} usage records could not be used", report.skipped);
        desk.report_if(
            report.skipped > 0,
            FindingCode::UnusableRecords,
            skipped,
            "see the errors of the last poll in budget-alertd status",
        )
        .await?;
        let clashes = format!("local budgets in another currency than the usage are not used: {}", first_of(&tally.clashes));
        desk.report_if(!tally.clashes.is_empty(), FindingCode::CurrencyClash, clashes, "set the budgets in the currency of the usage")
            .await?;
        let unread = format!("budgets of subscriptions could not be judged, their usage could not be read: {}", first_of(&tally.unread));
        desk.report_if(!tally.unread.is_empty(), FindingCode::SubscriptionsUnread, unread, "the next poll asks again; see the log").await
    }
}

fn first_of(texts: &[String]) -> String {
    let shown: Vec<&str> = texts.iter().take(3).map(String::as_str).collect();
    let more = texts.len().saturating_sub(shown.len());
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", shown.join(", "))
}
