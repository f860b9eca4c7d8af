//! What a folder of evidence holds, gathered from the ledger: the same for programs, spreadsheets
//! and the page.

use std::collections::HashSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::actions::{Incident, IncidentAbout};
use crate::alerting::{CustomerState, NewSample};
use crate::cli::evidence::deeds::{Deed, deeds};
use crate::cli::evidence::incident::{Gathered, IncidentFacts, SecurityFacts};
use crate::cli::evidence::redact::Shown;
use crate::cli::evidence::shared::Sharing;
use crate::cli::evidence::shown::{Attempt, Quiet, Recorded, Told};
use crate::cli::evidence::span::Span;
use crate::cli::text;
use crate::domain::{Currency, CustomerEvent, CustomerKey, Plan, Silence, Silenceable};
use crate::ledger::{AlertFilter, AlertRow, AttemptRow, DeliveryFilter, DeliveryRow, Reader};
use crate::poll::Namesakes;
use crate::text::hex;

/// All of it.
#[derive(Serialize)]
pub(super) struct Evidence {
    pub(super) customer: Customer,
    #[serde(flatten)]
    pub(super) span: Span,
    pub(super) time_zone: String,
    pub(super) program: &'static str,
    pub(super) ledger: Ledger,
    /// The incident that it is of; none of a customer's evidence alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) incident: Option<IncidentFacts>,
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
    /// Who did what, oldest first.
    pub(super) done: Vec<Deed>,
    /// The events of the ledger's chain about all this.
    pub(super) record: Vec<Recorded>,
}

#[derive(Serialize)]
pub(super) struct Customer {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) label: Option<String>,
    /// None of one whose usage was never read.
    pub(super) plan: Option<Plan>,
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

impl Evidence {
    /// Gathers it; what came of an alert after the span belongs to the alert.
    pub(super) fn gather(
        reader: &Reader,
        about: &About<'_>,
        span: Span,
        zone: &TimeZone,
    ) -> anyhow::Result<Self> {
        let customer = Customer::of(about);
        let key = customer.key();
        let mut rows = reader.alerts(&AlertFilter {
            since: Some(span.from),
            until: Some(span.until),
            customer: Some(key.clone()),
            ..AlertFilter::default()
        })?;
        rows.reverse();
        let told = told(reader, &customer, &rows, &span)?;
        let usage = reader.history(&key)?.into_iter().filter(|it| span.holds(it.seen_at));
        let events = reader.events(&key)?.into_iter().filter(|event| span.holds(event.at));
        let events: Vec<_> = events.collect();
        let incident = about.incident.map(|incident| {
            let gathered = Gathered {
                rows: &rows,
                deliveries: &told,
                events: &events,
                span: &span,
                partner: about.partner.map(str::to_owned),
            };
            IncidentFacts::of(reader, incident, about.seen, gathered)
        });
        let incident = incident.transpose()?;
        let silences = silences(reader, &customer, &rows, &span)?;
        let security = incident.as_ref().map_or(&[][..], |incident| &incident.security_alerts);
        let record = record(reader, &customer, &About::ids(&rows, &told), security, &span)?;
        let proof = reader.prove()?;
        Ok(Self {
            done: deeds(&record, &silences, security),
            customer,
            incident,
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
            events,
            alerts: rows
                .iter()
                .map(|row| serde_json::to_value(crate::listings::alerts::document(row)))
                .collect::<Result<_, _>>()?,
            in_words: in_words(&rows),
            silences,
            record,
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

/// What evidence is of.
pub(super) struct About<'a> {
    /// The customer as it was seen last; none of one whose usage was never read.
    pub(super) seen: Option<&'a CustomerState>,
    pub(super) incident: Option<&'a Incident>,
    /// The partner's tenant, where it is known.
    pub(super) partner: Option<&'a str>,
}

impl About<'_> {
    /// Alerts and messages, as the chain names them.
    fn ids(rows: &[AlertRow], told: &[Told]) -> HashSet<String> {
        let alerts = rows.iter().map(|row| row.snapshot.alert.id);
        alerts.chain(told.iter().map(|told| told.id)).map(|id| id.to_string()).collect()
    }
}

impl Customer {
    fn of(about: &About<'_>) -> Self {
        let (seen, incident) = (about.seen, about.incident.map(|incident| &incident.about));
        let id = seen.map(|seen| &seen.customer).or(incident.map(IncidentAbout::customer));
        let id = id.map(|id| id.as_str().to_owned()).unwrap_or_default();
        Self {
            name: seen.map_or_else(|| id.clone(), |seen| seen.name.clone()),
            id,
            label: seen.and_then(|seen| seen.label.clone()),
            plan: seen.map(|seen| seen.plan),
            currency: seen.and_then(|seen| seen.currency),
        }
    }

    fn key(&self) -> CustomerKey {
        CustomerKey::of(&self.id)
    }

    /// The id, the name and the label.
    pub(super) fn names(&self) -> [Option<&str>; 3] {
        [Some(&*self.id), Some(&*self.name), self.label.as_deref()]
    }

    /// The label, else the name.
    pub(super) fn called(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.name)
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
    customer: &Customer,
    rows: &[AlertRow],
    span: &Span,
) -> anyhow::Result<Vec<Told>> {
    let alerts: HashSet<Uuid> = rows.iter().map(|row| row.snapshot.alert.id).collect();
    let mut deliveries = reader.deliveries(&DeliveryFilter {
        since: Some(span.from),
        customer: Some(customer.key()),
        ..DeliveryFilter::default()
    })?;
    deliveries.retain(|row| {
        span.holds(row.created_at) || row.alerts.iter().any(|alert| alerts.contains(alert))
    });
    deliveries.reverse();
    deliveries.into_iter().map(|row| told_by(reader, customer, row)).collect()
}

fn told_by(reader: &Reader, customer: &Customer, row: DeliveryRow) -> anyhow::Result<Told> {
    let sharing = Sharing::of(reader, &customer.names(), &row.alerts)?;
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
    customer: &Customer,
    rows: &[AlertRow],
    span: &Span,
) -> anyhow::Result<Vec<Quiet>> {
    let names = customer.names();
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

/// The events of the chain about these alerts and messages, the steps that were passed, what was
/// ordered about the customer, and the configurations that came into force meanwhile.
fn record(
    reader: &Reader,
    customer: &Customer,
    ids: &HashSet<String>,
    security: &[SecurityFacts],
    span: &Span,
) -> anyhow::Result<Vec<Recorded>> {
    let key = customer.key();
    let mut record = Vec::new();
    reader.each_event(|event| {
        let content: Value = serde_json::from_str(&event.content).unwrap_or_default();
        let text = |field: &str| content.get(field).and_then(Value::as_str);
        let is_own = || text("customer") == Some(key.as_str());
        let is_answer = || {
            let of = |id: &str| security.iter().any(|one| one.alert.id.eq_ignore_ascii_case(id));
            text("security").is_some_and(of)
        };
        let is_about = ids.contains(&event.about)
            || match event.kind.as_str() {
                "reload" => span.holds(event.at),
                "passed" => span.holds(event.at) && is_own(),
                "order" => (span.holds(event.at) && is_own()) || is_answer(),
                _ => false,
            };
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
