//! A security alert in a listing, for programs and spreadsheets.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;

use crate::alerting::RememberedSecurity;
use crate::cli::text::{bare, or_nothing};
use crate::domain::SecurityView;
use crate::ledger::Reader;

/// The columns of a spreadsheet.
pub(super) const HEADING: [&str; 14] = [
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
pub(super) struct SecurityCustomer {
    pub(super) id: String,
    /// As received; empty where nobody knows it.
    pub(super) name: String,
    pub(super) label: Option<String>,
}

/// A security alert.
#[derive(Debug, Serialize)]
pub(super) struct SecurityRow {
    #[serde(flatten)]
    pub(super) alert: SecurityView,
    /// The reference of the newest alert about it.
    #[serde(rename = "ref")]
    pub(super) reference: Option<String>,
    pub(super) customer: SecurityCustomer,
    /// Since when its hours are counted.
    pub(super) since: Timestamp,
    /// How long it was, or has been, not answered.
    #[serde(with = "rust_decimal::serde::str")]
    pub(super) hours: Decimal,
    /// Who answered it; null while it is open, as are the two below.
    pub(super) answered_by: Option<String>,
    /// When; of one that is no longer listed, when that was found.
    pub(super) answered_at: Option<Timestamp>,
    /// How.
    pub(super) reason: Option<String>,
    /// Whether Microsoft no longer lists it.
    pub(super) unlisted: bool,
}

impl SecurityRow {
    pub(super) fn of(
        one: &RememberedSecurity,
        reader: &Reader,
        now: Timestamp,
    ) -> anyhow::Result<Self> {
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
    pub(super) fn called(&self) -> &str {
        let label = self.customer.label.as_deref().filter(|label| !label.trim().is_empty());
        let name = Some(self.customer.name.as_str()).filter(|name| !name.trim().is_empty());
        label.or(name).unwrap_or(&self.customer.id)
    }

    pub(super) fn cells(&self) -> Vec<String> {
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
