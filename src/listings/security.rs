//! A security alert in a listing: for programs, for spreadsheets, in words.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;

use crate::alerting::{RememberedSecurity, SecurityPoll};
use crate::domain::SecurityView;
use crate::ledger::{LedgerError, Reader};
use crate::listings::words::{age, bare, clean, or_nothing};

/// How much of a sentence of Microsoft's is shown.
pub(crate) const SENTENCE: usize = 500;

/// The columns of a spreadsheet.
pub(crate) const HEADING: [&str; 14] = [
    "id",
    "ref",
    "customer_id",
    "customer",
    "type",
    "severity",
    "confidence",
    "status",
    "is_test",
    "detected_at",
    "hours",
    "answered_by",
    "answered_at",
    "reason",
];

/// A customer.
#[derive(Debug, Serialize)]
pub(crate) struct SecurityCustomer {
    pub(crate) id: String,
    /// As received; empty where nobody knows it.
    pub(crate) name: String,
    pub(crate) label: Option<String>,
}

/// A security alert.
#[derive(Debug, Serialize)]
pub(crate) struct SecurityRow {
    #[serde(flatten)]
    pub(crate) alert: SecurityView,
    /// The reference of the newest alert about it.
    #[serde(rename = "ref")]
    pub(crate) reference: Option<String>,
    pub(crate) customer: SecurityCustomer,
    /// Since when its hours are counted.
    pub(crate) since: Timestamp,
    /// How long it was, or has been, not answered.
    #[serde(with = "rust_decimal::serde::str")]
    pub(crate) hours: Decimal,
    /// Who answered it; null while it is open, as are the two below.
    pub(crate) answered_by: Option<String>,
    /// When; of one that is no longer listed, when that was found.
    pub(crate) answered_at: Option<Timestamp>,
    /// How.
    pub(crate) reason: Option<String>,
    /// Whether Microsoft no longer lists it.
    pub(crate) unlisted: bool,
}

impl SecurityRow {
    pub(crate) fn of(
        one: &RememberedSecurity,
        reader: &Reader,
        now: Timestamp,
    ) -> Result<Self, LedgerError> {
        let (state, alert) = (&one.state, &one.state.alert);
        let seen = reader.find_customer(alert.customer.as_str())?;
        let key = alert.customer.key();
        let seen = seen.into_iter().find(|seen| seen.key() == key);
        let name = seen.as_ref().map(|seen| seen.name.clone()).or(alert.customer_name.clone());
        let end = state.end();
        Ok(Self {
            alert: alert.view(),
            reference: one.references.first().cloned(),
            customer: SecurityCustomer {
                id: alert.customer.as_str().to_owned(),
                name: name.unwrap_or_default(),
                label: seen.and_then(|seen| seen.label),
            },
            since: alert.began(state.first_seen).0,
            hours: alert.hours(state.first_seen, state.ended_at.unwrap_or(now)),
            answered_by: end.as_ref().and_then(|end| end.by.clone()),
            answered_at: state.ended_at,
            reason: end.and_then(|end| end.reason),
            unlisted: state.unlisted,
        })
    }

    /// What the customer is called.
    pub(crate) fn called(&self) -> &str {
        let label = self.customer.label.as_deref().filter(|label| !label.trim().is_empty());
        let name = Some(self.customer.name.as_str()).filter(|name| !name.trim().is_empty());
        label.or(name).unwrap_or(&self.customer.id)
    }

    pub(crate) fn cells(&self) -> Vec<String> {
        let alert = &self.alert;
        vec![
            alert.id.clone(),
            or_nothing(self.reference.as_ref()),
            self.customer.id.clone(),
            bare(self.called()),
            bare(&alert.kind),
            bare(&alert.severity),
            bare(&alert.confidence),
            bare(&alert.status),
            alert.is_test.to_string(),
            or_nothing(alert.detected_at),
            self.hours.to_string(),
            self.answered_by.as_deref().map(bare).unwrap_or_default(),
            or_nothing(self.answered_at),
            self.reason.as_deref().map(bare).unwrap_or_default(),
        ]
    }
}

/// How it stands: as Microsoft has it, or how it was answered.
pub(crate) fn status(row: &SecurityRow, poll: Option<&SecurityPoll>) -> String {
    let test = if row.alert.is_test { ", a test" } else { "" };
    if row.unlisted {
        let is_elsewhere = poll.is_none_or(|poll| poll.source != row.alert.source.as_str());
        let what = if is_elsewhere { "no longer read" } else { "no longer listed" };
        return format!("{what}{test}");
    }
    if row.answered_at.is_none() {
        return format!("{}{test}", clean(&row.alert.status));
    }
    let reason = row.reason.as_deref().map(|reason| format!(" as {}", clean(reason)));
    let by = row.answered_by.as_deref().map(|by| format!(" by {}", clean(by)));
    format!("answered{}{}{test}", reason.unwrap_or_default(), by.unwrap_or_default())
}

/// How old all of it is.
pub(crate) fn how_old(poll: Option<&SecurityPoll>, now: Timestamp) -> String {
    let Some(poll) = poll else { return "None were read yet, or none are to be read.".to_owned() };
    let good = poll.good_at.map(|at| format!("read whole {} ago", age(at, now)));
    match (good, poll.errors.first()) {
        (Some(good), None) => format!("Last {good}."),
        (Some(good), Some(error)) => {
            format!("Last {good}; the last read failed: {}", crate::text::clean(error, SENTENCE))
        }
        (None, error) => format!(
            "Never read whole: {}",
            crate::text::clean(error.map_or("", String::as_str), SENTENCE)
        ),
    }
}
