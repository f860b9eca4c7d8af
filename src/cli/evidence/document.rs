//! What a folder of evidence holds, gathered from the ledger: the same for programs, spreadsheets
//! and the page.

use std::collections::HashSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::alerting::{CustomerState, NewSample};

use crate::cli::evidence::redact::Shown;
use crate::cli::evidence::shared::Sharing;
use crate::cli::text;
use crate::domain::{
    Currency, CustomerEvent, DeliveryState, MessageKind, Plan, Silence, Silenceable,
};
use crate::ledger::{AlertFilter, AlertRow, AttemptRow, DeliveryFilter, DeliveryRow, Reader};
use crate::poll::Namesakes;
use crate::text::hex;

/// What time it is about.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Span {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    /// When it was gathered.
    pub(super) made_at: Timestamp,
}

/// All of it.
#[derive(Serialize)]
pub(super) struct Evidence {
    pub(super) customer: Customer,
    #[serde(flatten)]
    pub(super) span: Span,
    pub(super) time_zone: String,
    pub(super) program: &'static str,
    pub(super) ledger: Ledger,
    /// What was read, oldest first.
    pub(super) usage: Vec<Sample>,
    /// What happened to the data, oldest first.
    pub(super) events: Vec<CustomerEvent>,
    /// What was raised, oldest first; each as webhooks have it.
    pub(super) alerts: Vec<Value>,
    #[serde(skip)]
    pub(super) rows: Vec<AlertRow>,
    #[serde(skip)]
    pub(super) in_words: Vec<String>,
    /// Who was told, in the order of recording.
    pub(super) deliveries: Vec<Told>,
    pub(super) silences: Vec<Quiet>,
    /// The events of the ledger's chain about all this.
    pub(super) record: Vec<Recorded>,
}

#[derive(Serialize)]
pub(super) struct Customer {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) label: Option<String>,
    pub(super) plan: Plan,
    pub(super) currency: Option<Currency>,
}

/// What the chain of the whole ledger came to.
#[derive(Serialize)]
pub(super) struct Ledger {
    pub(super) identity: Uuid,
    /// The hash of its last event, in hex.
    pub(super) head: String,
    pub(super) events: u64,
    /// The number of the first event that is not as it was recorded.
    pub(super) changed: Option<i64>,
}

/// What was read of the customer at one time.
#[derive(Serialize)]
pub(super) struct Sample {
    pub(super) usage_as_of: Timestamp,
    pub(super) seen_at: Timestamp,
    pub(super) cost: Decimal,
    pub(super) usd_cost: Option<Decimal>,
    pub(super) partner_center_budget: Option<Decimal>,
    pub(super) reported_percent: Option<Decimal>,
}

/// One message to one receiver.
#[derive(Serialize)]
pub(super) struct Told {
    pub(super) id: Uuid,
    pub(super) identity: Uuid,
    pub(super) notifier: String,
    pub(super) recipient: Option<String>,
    pub(super) kind: MessageKind,
    pub(super) state: DeliveryState,
    pub(super) held: bool,
    pub(super) created_at: Timestamp,
    pub(super) ended_at: Option<Timestamp>,
    /// The references of the customer's alerts in it.
    pub(super) alerts: Vec<String>,
    /// How many alerts of other customers it told of.
    pub(super) other_alerts: usize,
    pub(super) attempts: Vec<Attempt>,
    /// What the last attempt handed over.
    pub(super) message: Option<Shown>,
    pub(super) last_detail: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Attempt {
    pub(super) at: Timestamp,
    pub(super) outcome: String,
    pub(super) answer: String,
}

/// A silence that covered the customer.
#[derive(Serialize)]
pub(super) struct Quiet {
    pub(super) id: i64,
    pub(super) rules: Vec<String>,
    pub(super) unless_above: Option<Decimal>,
    pub(super) created_at: Timestamp,
    pub(super) ends_at: Option<Timestamp>,
    pub(super) expired_at: Option<Timestamp>,
    pub(super) author: String,
    pub(super) reason: String,
}

/// An event of the ledger's chain.
#[derive(Serialize)]
pub(super) struct Recorded {
    pub(super) number: i64,
    pub(super) at: Timestamp,
    pub(super) kind: String,
    #[serde(rename = "ref")]
    pub(super) about: String,
    pub(super) content: Value,
    pub(super) hash: String,
}

impl Evidence {
    /// Gathers it; what came of an alert after the span belongs to the alert.
    pub(super) fn gather(
        reader: &Reader,
        seen: &CustomerState,
        span: Span,
        zone: &TimeZone,
    ) -> anyhow::Result<Self> {
        let key = seen.customer.key();
        let mut rows = reader.alerts(&AlertFilter {
            since: Some(span.from),
            until: Some(span.until),
            customer: Some(key.clone()),
            ..AlertFilter::default()
        })?;
        rows.reverse();
        let told = told(reader, seen, &rows, &span)?;
        let usage = reader.history(&key)?.into_iter().filter(|it| span.holds(it.seen_at));
        let events = reader.events(&key)?.into_iter().filter(|event| span.holds(event.at));
        let proof = reader.prove()?;
        Ok(Self {
            customer: Customer::of(seen),
            span,
            time_zone: zone.iana_name().unwrap_or("UTC").to_owned(),
            program: concat!("budget-alertd ", env!("CARGO_PKG_VERSION")),
            ledger: Ledger {
                identity: reader.identity()?,
                head: proof.head,
                events: proof.events,
                changed: proof.changed.map(|event| event.number),
            },
            usage: usage.map(|sample| Sample::of(&sample)).collect(),
            events: events.collect(),
            alerts: rows
                .iter()
                .map(|row| serde_json::to_value(crate::listings::alerts::document(row)))
                .collect::<Result<_, _>>()?,
            in_words: in_words(&rows),
            silences: silences(reader, seen, &rows, &span)?,
            record: record(reader, seen, &rows, &told, &span)?,
            rows,
            deliveries: told,
        })
    }

    /// `4 readings, 2 alerts, 3 messages`, for the terminal.
    pub(super) fn in_short(&self) -> String {
        let changed = self
            .ledger
            .changed
            .map(|number| format!("Event {number} of the ledger is not as it was recorded.\n"));
        format!(
            "{}, {}, {} told. Open index.html; the others are for programs and spreadsheets.\n{}",
            text::count(self.usage.len(), "reading"),
            text::count(self.rows.len(), "alert"),
            text::count(self.deliveries.len(), "message"),
            changed.unwrap_or_default()
        )
    }
}

impl Span {
    fn holds(&self, at: Timestamp) -> bool {
        (self.from..self.until).contains(&at)
    }
}

impl Customer {
    fn of(seen: &CustomerState) -> Self {
        Self {
            id: seen.customer.as_str().to_owned(),
            name: seen.name.clone(),
            label: seen.label.clone(),
            plan: seen.plan,
            currency: seen.currency,
        }
    }
}

impl Sample {
    fn of(sample: &NewSample) -> Self {
        Self {
            usage_as_of: sample.usage_as_of,
            seen_at: sample.seen_at,
            cost: sample.cost,
            usd_cost: sample.usd_cost,
            partner_center_budget: sample.partner_center_budget,
            reported_percent: sample.reported_percent,
        }
    }
}

fn in_words(rows: &[AlertRow]) -> Vec<String> {
    let none = Namesakes::default();
    let line = |row: &AlertRow| text::alert_line(&row.snapshot.alert, &none);
    // Colours are for terminals.
    rows.iter().map(|row| anstream::adapter::strip_str(&line(row)).to_string()).collect()
}

/// Who was told of these alerts, and of anything about the customer in this time.
fn told(
    reader: &Reader,
    seen: &CustomerState,
    rows: &[AlertRow],
    span: &Span,
) -> anyhow::Result<Vec<Told>> {
    let alerts: HashSet<Uuid> = rows.iter().map(|row| row.snapshot.alert.id).collect();
    let mut deliveries = reader.deliveries(&DeliveryFilter {
        since: Some(span.from),
        customer: Some(seen.customer.key()),
        ..DeliveryFilter::default()
    })?;
    deliveries.retain(|row| {
        span.holds(row.created_at) || row.alerts.iter().any(|alert| alerts.contains(alert))
    });
    deliveries.reverse();
    deliveries.into_iter().map(|row| told_by(reader, seen, row)).collect()
}

fn told_by(reader: &Reader, seen: &CustomerState, row: DeliveryRow) -> anyhow::Result<Told> {
    let sharing = Sharing::of(reader, seen, &row.alerts)?;
    let attempts = reader.attempts(row.id)?.into_iter();
    let attempts = attempts.map(|AttemptRow { at, outcome, detail }| Attempt {
        at,
        outcome,
        answer: sharing.without_others(&detail),
    });
    let sent = reader.sent_message(row.id)?;
    Ok(Told {
        id: row.id,
        identity: row.identity,
        notifier: row.notifier,
        recipient: row.recipient,
        kind: row.kind,
        state: row.state,
        held: row.held,
        created_at: row.created_at,
        ended_at: row.ended_at,
        attempts: attempts.collect(),
        message: sent.map(|(_, message)| Shown::of(message, &sharing)),
        last_detail: row.last_detail.map(|detail| sharing.without_others(&detail)),
        other_alerts: sharing.others(),
        alerts: sharing.into_own(),
    })
}

fn silences(
    reader: &Reader,
    seen: &CustomerState,
    rows: &[AlertRow],
    span: &Span,
) -> anyhow::Result<Vec<Quiet>> {
    let names = [Some(seen.customer.as_str()), Some(&*seen.name), seen.label.as_deref()];
    let is_about = |silence: &Silence| {
        let by_name = silence.customers.is_empty()
            || silence.customers.iter().any(|glob| glob.fits_any(names));
        let over = [silence.expired_at, silence.ends_at].into_iter().flatten().min();
        let in_time = silence.created_at < span.until && over.is_none_or(|end| end >= span.from);
        let covered = |row: &AlertRow| {
            let alert = &row.snapshot.alert;
            silence.covers(&Silenceable::of(alert), alert.raised_at)
        };
        (by_name && in_time) || rows.iter().any(covered)
    };
    Ok(reader.silences()?.into_iter().filter(is_about).map(Quiet::of).collect())
}

impl Quiet {
    /// Which other customers it was for is not said.
    fn of(silence: Silence) -> Self {
        Self {
            id: silence.id,
            rules: silence.rules.iter().map(|glob| glob.as_str().to_owned()).collect(),
            unless_above: silence.unless_above,
            created_at: silence.created_at,
            ends_at: silence.ends_at,
            expired_at: silence.expired_at,
            author: silence.author,
            reason: silence.reason,
        }
    }
}

/// The events of the chain about these alerts and messages, the steps that were passed, and the
/// configurations that came into force meanwhile.
fn record(
    reader: &Reader,
    seen: &CustomerState,
    rows: &[AlertRow],
    told: &[Told],
    span: &Span,
) -> anyhow::Result<Vec<Recorded>> {
    let ids: HashSet<String> = rows
        .iter()
        .map(|row| row.snapshot.alert.id)
        .chain(told.iter().map(|told| told.id))
        .map(|id| id.to_string())
        .collect();
    let key = seen.customer.key();
    let mut record = Vec::new();
    reader.each_event(|event| {
        let content: Value = serde_json::from_str(&event.content).unwrap_or_default();
        let passed = || content.get("customer").and_then(Value::as_str) == Some(key.as_str());
        let is_about = ids.contains(&event.about)
            || (span.holds(event.at)
                && match event.kind.as_str() {
                    "reload" => true,
                    "passed" => passed(),
                    _ => false,
                });
        if is_about {
            record.push(Recorded {
                number: event.number,
                at: event.at,
                kind: event.kind,
                about: event.about,
                content,
                hash: hex(&event.hash),
            });
        }
    })?;
    Ok(record)
}
