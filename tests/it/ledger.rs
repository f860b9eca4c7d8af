//! The ledger through its doors, on real files: what its tests share.

mod chain;
mod daily;
mod damage;
mod identities;
mod links;
mod listing;
mod opening;
mod overview;
mod owing;
mod recording;
mod snapshots;
mod years;

use std::sync::Arc;
use std::time::Duration;

use budget_alertd::alerting::*;
use budget_alertd::clock::{Clock, SimulatedClock};
use budget_alertd::domain::*;
use budget_alertd::ledger::*;
use budget_alertd::metrics::Metrics;
use jiff::Timestamp;
use uuid::Uuid;

use crate::support::server;

fn clock() -> Arc<dyn Clock> {
    SimulatedClock::starting_at(at("2026-10-05T12:00:00Z"))
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn config(folder: &tempfile::TempDir) -> Config {
    server::ledger(&folder.path().join("ledger.db"), Duration::from_hours(9600))
}

fn open(config: &Config) -> Result<Ledger, LedgerError> {
    let ledger = Ledger::open(config, Metrics::new(), clock())?;
    ledger.stand("this host")?;
    Ok(ledger)
}

/// What the next poll would know of customers.
async fn known(ledger: &Ledger) -> Result<Vec<KnownCustomer>, LedgerError> {
    Ok(ledger.read(|reader| reader.known_customers(0)).await?.into_rows())
}

fn decimal(text: &str) -> rust_decimal::Decimal {
    text.parse().unwrap()
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn customer(number: u128) -> CustomerId {
    CustomerId::try_new(id(number).to_string().to_uppercase()).unwrap()
}

fn period() -> BillingPeriod {
    BillingPeriod::calendar_month(at("2026-10-05T12:00:00Z"), PeriodSource::CalendarMonth)
}

fn seen(number: u128) -> CustomerState {
    CustomerState {
        subscription: None,
        crossed: 1,
        customer: customer(number),
        name: format!("Customer {number}"),
        label: Some("Contoso Nord".into()),
        plan: Plan::Legacy,
        usage_as_of: UsageDate::parse("2026-10-05T11:08:11.1433330Z").unwrap(),
        seen_at: at("2026-10-05T12:00:00.000000001Z"),
        cost: decimal("120.5682999999995904716"),
        usd_cost: Some(decimal("12.39999999999999985235")),
        currency: Some(Currency::try_new("SEK").unwrap()),
        reported_percent: Some(decimal("602.840")),
        computed_percent: Some(decimal("602.84")),
        budget: Some(decimal("20.00")),
        partner_center_budget: Some(decimal("20.00")),
        period: period(),
        closing_cost: decimal("0.10"),
        named: [("2026-09-28", "2026-10-27"), ("2026-08-28", "2026-09-27")]
            .into_iter()
            .map(|(first, last)| {
                LegacyCycle::try_new(first.parse().unwrap(), last.parse().unwrap()).unwrap()
            })
            .collect(),
        series_since: None,
        own_currency: Some(Currency::try_new("EUR").unwrap()),
        asked: Some((at("2026-10-05T12:00:01Z"), at("2026-10-05T11:00:00Z"))),
        fingerprint: u64::MAX - 5,
    }
}

fn snapshot(number: u128, rule: &str, severity: Severity) -> AlertSnapshot {
    let alert = Alert {
        id: id(number),
        rule: rule.into(),
        metric: Metric::PercentUsed,
        threshold: decimal("100"),
        passed: vec![decimal("80"), decimal("99.5")],
        value: Some(MetricValue::Number(decimal("602.84"))),
        severity,
        baseline: true,
        reference: Alert::reference_of(id(number)),
        customer: CustomerView {
            id: customer(1),
            name: "Åsa <b>\u{202e}".into(),
            label: None,
            plan: Plan::AzurePlan,
        },
        subscription: None,
        budget: None,
        cost: CostView {
            amount: decimal("120.5682999999995904716"),
            currency: None,
            usd: Some(decimal("12.39999999999999985235")),
        },
        reported_percent: None,
        computed_percent: None,
        billing_period: period(),
        subscriptions: vec![SubscriptionCost {
            id: "s".into(),
            name: "Azure plan".into(),
            cost: decimal("120.50"),
        }],
        resources: Vec::new(),
        usage_as_of: UsageDate::parse("2026-10-05T11:08:11.1433330Z").unwrap(),
        inputs: None,
        spike: None,
        security: None,
        raised_at: at("2026-10-05T12:00:00Z"),
        state: AlertState::Raised,
    };
    AlertSnapshot {
        alert,
        context: AlertContext {
            contacts: vec!["it@contoso.example".into()],
            ..AlertContext::default()
        },
    }
}

fn step(alert: u128, rule: &str, threshold: &str) -> NewStep {
    NewStep {
        customer: customer(1).key(),
        rule: rule.into(),
        metric: Metric::PercentUsed,
        at: decimal(threshold),
        amount: Some(decimal("20.00")),
        period: period(),
        belongs_at: at("2026-10-05T11:08:11Z"),
        raised: true,
        alert: id(alert),
    }
}

fn told(snapshot: AlertSnapshot) -> NewAlert {
    NewAlert { snapshot, notify: Vec::new(), remind_every: None }
}

fn message(identity: u128, notifier: &str, alert: u128, severity: Severity) -> NewMessage {
    NewMessage {
        identity: id(identity),
        notifier: notifier.into(),
        audience: Audience::Partner,
        held: false,
        recipients: Recipients::Destination,
        content: Content::Alerts(Occasion::New, vec![carried(alert)]),
        severity,
    }
}

/// An alert in a message.
fn carried(alert: u128) -> MessageAlert {
    MessageAlert { id: id(alert), latest: None }
}

/// One alert of customer 1, at one step of a rule, owed to one notifier.
fn one_alert(alert: u128, rule: &str, notifier: &str, severity: Severity) -> Recording {
    Recording {
        now: at("2026-10-05T12:00:00Z"),
        seen: vec![seen(1)],
        alerts: vec![told(snapshot(alert, rule, severity))],
        steps: vec![step(alert, rule, "100")],
        seen_below: vec![],
        messages: vec![message(alert + 1000, notifier, alert, severity)],
        ..Recording::default()
    }
}
