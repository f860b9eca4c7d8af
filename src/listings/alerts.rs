//! An alert as JSON, and in the words that listings have for it.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::actions::{Acknowledgement, SpikeMarking};
use crate::domain::{Alert, AlertState};
use crate::ledger::{AlertRow, DeliverySummary};
use crate::listings::words;
use crate::notify::message::AlertWording;
use crate::text::{clean, moment};

/// An alert in JSON, with who knows of it and how its deliveries stand.
#[derive(Serialize)]
pub(crate) struct AlertDocument<'a> {
    #[serde(flatten)]
    alert: &'a Alert,
    acknowledged: Option<Acknowledgement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    marked: Option<SpikeMarking>,
    deliveries: Vec<DeliveryCount<'a>>,
}

#[derive(Serialize)]
struct DeliveryCount<'a> {
    notifier: &'a str,
    pending: u64,
    sent: u64,
    dead: u64,
}

/// An alert as JSON.
pub(crate) fn document(row: &AlertRow) -> AlertDocument<'_> {
    let deliveries = row.deliveries.iter();
    let deliveries = deliveries.map(|DeliverySummary { notifier, pending, sent, dead }| {
        DeliveryCount { notifier, pending: *pending, sent: *sent, dead: *dead }
    });
    AlertDocument {
        alert: &row.snapshot.alert,
        acknowledged: Acknowledgement::of(row),
        marked: SpikeMarking::of(row),
        deliveries: deliveries.collect(),
    }
}

/// The value where it says more than the cost, and the cost of the budget.
pub(crate) fn usage(telling: &AlertWording<'_>) -> Vec<String> {
    let over_zero = telling.alert.is_over_zero().then(|| "over zero".to_owned());
    over_zero
        .or_else(|| telling.value_beside_cost())
        .into_iter()
        .chain([telling.cost_of_budget()])
        .collect()
}

/// Who was told: `oncall`, `slack owed`; then where the alert stands, and who knows of it.
pub(crate) fn told(row: &AlertRow) -> Vec<String> {
    let told = row.deliveries.iter().map(|summary| {
        let name = words::clean(&summary.notifier);
        match (summary.sent, summary.pending, summary.dead) {
            (_, 0, 0) => name,
            (0, _, 0) => format!("{name} owed"),
            (0, 0, _) => format!("{name} given up"),
            (sent, pending, dead) => format!("{name} {sent} sent, {pending} owed, {dead} given up"),
        }
    });
    let nobody = row.deliveries.is_empty().then(|| "nobody".to_owned());
    let state = row.snapshot.alert.state;
    let state = (state != AlertState::Raised).then(|| state.as_str().to_owned());
    let known = row
        .acknowledged
        .as_ref()
        .map(|(_, by)| format!("known to {}", words::clean(by.split(" (").next().unwrap_or(by))));
    let marked = row.marked.as_ref().map(|note| note.mark.as_str().to_owned());
    told.chain(nobody).chain(state).chain(known).chain(marked).collect()
}

/// `expected by alice (uid 1000), Sat 14 Nov 18:08 CET: load test; up to Sat 5 Dec 2026`.
pub(crate) fn marked(marking: &SpikeMarking, now: Timestamp, zone: &TimeZone) -> String {
    let SpikeMarking { mark, at, by, reason, until } = marking;
    let reason = reason.as_ref().map(|reason| format!(": {}", clean(reason, 300)));
    let until = until.map(|day| format!("; spikes are expected up to {}", written(day)));
    format!(
        "marked as {} by {}, {}{}{}",
        mark.as_str(),
        words::clean(by),
        moment(*at, now, zone),
        reason.unwrap_or_default(),
        until.unwrap_or_default()
    )
}

/// `alice (uid 1000), Sat 14 Nov 18:08 CET`.
pub(crate) fn by(acknowledged: &Acknowledgement, now: Timestamp, zone: &TimeZone) -> String {
    format!("{}, {}", words::clean(&acknowledged.by), moment(acknowledged.at, now, zone))
}

/// A day with its name.
pub(crate) fn written(day: Date) -> String {
    day.strftime("%a %-d %b %Y").to_string()
}
