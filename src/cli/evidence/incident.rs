//! What a claim for fraud needs of an incident: since when, at what cost by day and resource, what
//! Microsoft said, who did what. What is not known is left out as such, never guessed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;

use crate::actions::Incident;
use crate::alerting::{
    CustomerState, DailyCosts, Misuse, MisuseSign, RememberedSecurity, SignSource,
};
use crate::cli::evidence::costs::CostFacts;
use crate::cli::evidence::shown::Told;
use crate::cli::evidence::span::Span;
use crate::domain::{
    Alert, Currency, CustomerEvent, DeliveryState, EventCode, ResourceCost, SecurityView,
    SubscriptionCost, utc_day,
};
use crate::ledger::{AlertRow, LedgerError, Reader};

/// An incident in a folder of evidence.
#[derive(Serialize)]
pub(super) struct IncidentFacts {
    #[serde(rename = "ref")]
    pub(super) reference: String,
    /// In UTC; an estimate, as is the last.
    pub(super) first_bad_day: Date,
    pub(super) last_bad_day: Date,
    pub(super) is_estimate: bool,
    pub(super) file_by: Date,
    pub(super) charges_covered_until: Date,
    pub(super) marked_as_fraud: Option<Marked>,
    pub(super) partner_tenant_id: Option<String>,
    pub(super) customer_tenant_id: String,
    pub(super) subscriptions: Vec<SubscriptionFacts>,
    /// By their ids, as Microsoft's alerts name them.
    pub(super) resources: Vec<String>,
    pub(super) spikes: Vec<SpikeRunFacts>,
    pub(super) security_alerts: Vec<SecurityFacts>,
    pub(super) costs: CostFacts,
    pub(super) costs_by_resource: Option<Breakdown>,
    pub(super) budget: Option<BudgetFacts>,
    pub(super) budget_changes: Vec<CustomerEvent>,
}

/// Who said that it is fraud.
#[derive(Serialize)]
pub(super) struct Marked {
    pub(super) at: Timestamp,
    pub(super) by: Option<String>,
}

#[derive(Serialize)]
pub(super) struct SubscriptionFacts {
    pub(super) id: String,
    pub(super) name: Option<String>,
}

/// Days of spikes without a break.
#[derive(Serialize)]
pub(super) struct SpikeRunFacts {
    #[serde(rename = "ref")]
    pub(super) reference: String,
    pub(super) rule: String,
    pub(super) days: Vec<Date>,
    pub(super) marked_as_fraud: bool,
}

/// A security alert of Microsoft's, and what became of it here.
#[derive(Serialize)]
pub(super) struct SecurityFacts {
    #[serde(flatten)]
    pub(super) alert: SecurityView,
    pub(super) description: String,
    /// The references of the alerts about it.
    pub(super) refs: Vec<String>,
    pub(super) first_read_at: Timestamp,
    /// When a receiver first accepted a message about it, and which.
    pub(super) first_told_at: Option<Timestamp>,
    pub(super) first_told_by: Option<String>,
    pub(super) answered_at: Option<Timestamp>,
    pub(super) answered_by: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) is_unlisted: bool,
}

/// Where the cost of a billing period was, when an alert was raised.
#[derive(Serialize)]
pub(super) struct Breakdown {
    #[serde(rename = "ref")]
    pub(super) reference: String,
    pub(super) usage_as_of: Timestamp,
    pub(super) currency: Option<Currency>,
    pub(super) subscriptions: Vec<SubscriptionCost>,
    pub(super) resources: Vec<ResourceCost>,
}

/// The budget in force.
#[derive(Serialize)]
pub(super) struct BudgetFacts {
    pub(super) amount: Decimal,
    pub(super) currency: Option<Currency>,
}

/// What is gathered already.
pub(super) struct Gathered<'a> {
    pub(super) rows: &'a [AlertRow],
    pub(super) deliveries: &'a [Told],
    pub(super) events: &'a [CustomerEvent],
    pub(super) span: &'a Span,
    pub(super) partner: Option<String>,
}

impl IncidentFacts {
    /// Those of an incident; `seen` is none of a customer whose usage was never read.
    pub(super) fn of(
        reader: &Reader,
        incident: &Incident,
        seen: Option<&CustomerState>,
        gathered: Gathered<'_>,
    ) -> Result<Self, LedgerError> {
        let misuse = &incident.misuse;
        let history = reader.history(&misuse.customer)?;
        let costs = seen.map(|seen| DailyCosts::of(seen, &history)).unwrap_or_default();
        let security = security(reader, misuse)?;
        let security_alerts: Vec<_> =
            security.iter().map(|one| SecurityFacts::of(one, gathered.deliveries)).collect();
        let alerts = || gathered.rows.iter().map(|row| &row.snapshot.alert);
        let is_of_budget = |event: &&CustomerEvent| is_of_budget(event.code);
        let mut resources: Vec<String> =
            security.iter().flat_map(|one| one.state.alert.resources.clone()).collect();
        resources.sort();
        resources.dedup();
        Ok(Self {
            reference: incident.reference().to_owned(),
            first_bad_day: misuse.first_day,
            last_bad_day: misuse.last_day,
            is_estimate: true,
            file_by: misuse.file_by(),
            charges_covered_until: misuse.covered_until(),
            marked_as_fraud: misuse
                .marked()
                .map(|mark| Marked { at: mark.at, by: mark.by.clone() }),
            partner_tenant_id: gathered.partner,
            customer_tenant_id: incident.about.customer().as_str().to_owned(),
            subscriptions: subscriptions(alerts(), &security),
            resources,
            spikes: misuse.signs.iter().filter_map(SpikeRunFacts::of).collect(),
            security_alerts,
            costs: CostFacts::of(
                &costs,
                misuse,
                seen.and_then(|seen| seen.currency),
                gathered.span,
            ),
            costs_by_resource: breakdown(alerts()),
            budget: seen.and_then(|seen| {
                Some(BudgetFacts { amount: seen.budget?, currency: seen.currency })
            }),
            budget_changes: gathered.events.iter().filter(is_of_budget).cloned().collect(),
        })
    }
}

fn is_of_budget(code: EventCode) -> bool {
    matches!(
        code,
        EventCode::BudgetRemoved
            | EventCode::BudgetCut
            | EventCode::BudgetRaised
            | EventCode::BudgetSet
    )
}

/// The security alerts of the customer that belong to it, or were open meanwhile.
fn security(reader: &Reader, misuse: &Misuse) -> Result<Vec<RememberedSecurity>, LedgerError> {
    let is_sign = |key: &str| {
        let is_own =
            |sign: &MisuseSign| matches!(&sign.source, SignSource::Security(own) if own == key);
        misuse.signs.iter().any(is_own)
    };
    let mut alerts = reader.security(Timestamp::MIN)?.alerts;
    alerts.retain(|one| {
        let state = &one.state;
        let day = utc_day(state.alert.began(state.first_seen).0);
        state.alert.customer.key() == misuse.customer
            && (is_sign(&state.alert.key()) || misuse.is_near(day))
    });
    Ok(alerts)
}

impl SpikeRunFacts {
    fn of(sign: &MisuseSign) -> Option<Self> {
        let SignSource::Spikes { rule, days, .. } = &sign.source else { return None };
        Some(Self {
            reference: sign.reference.clone(),
            rule: rule.to_string(),
            days: days.clone(),
            marked_as_fraud: sign.is_fraud(),
        })
    }
}

impl SecurityFacts {
    fn of(one: &RememberedSecurity, deliveries: &[Told]) -> Self {
        let is_about = |told: &&Told| told.alerts.iter().any(|own| one.references.contains(own));
        let accepted = deliveries
            .iter()
            .filter(|told| told.state == DeliveryState::Sent)
            .filter(is_about)
            .filter_map(|told| Some((told.ended_at?, told.receiver())));
        let (first_told_at, first_told_by) = accepted.min().unzip();
        let end = one.state.end();
        let text =
            |of: fn(&crate::domain::SecurityEnd) -> Option<String>| end.as_ref().and_then(of);
        let alert = &one.state.alert;
        Self {
            alert: alert.view(),
            description: describe(&alert.display_name, &alert.description),
            refs: one.references.clone(),
            first_read_at: one.state.first_seen,
            first_told_at,
            first_told_by,
            answered_at: end.as_ref().map(|end| end.at),
            answered_by: text(|end| end.by.clone()),
            reason: text(|end| end.reason.clone()),
            is_unlisted: one.state.unlisted,
        }
    }
}

/// `Action required: something was seen`.
fn describe(headline: &str, text: &str) -> String {
    let parts = [headline.trim(), text.trim()].into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(": ")
}

/// All that alerts name, each once.
fn subscriptions<'a>(
    alerts: impl Iterator<Item = &'a Alert>,
    security: &[RememberedSecurity],
) -> Vec<SubscriptionFacts> {
    let mut named: BTreeMap<String, SubscriptionFacts> = BTreeMap::new();
    let mut note = |id: &str, name: Option<&str>| {
        let name = name.filter(|name| !name.trim().is_empty()).map(str::to_owned);
        let facts = SubscriptionFacts { id: id.to_owned(), name: None };
        let known = named.entry(id.to_ascii_lowercase()).or_insert(facts);
        known.name = known.name.take().or(name);
    };
    for one in security {
        let alert = &one.state.alert;
        if let Some(id) = &alert.subscription {
            note(id, alert.subscription_name.as_deref());
        }
    }
    for alert in alerts {
        alert.subscriptions.iter().for_each(|one| note(&one.id, Some(&one.name)));
        alert.subscription.iter().for_each(|id| note(id, None));
    }
    named.into_values().collect()
}

/// Of the last alert that says where the cost is; one that names resources says more.
fn breakdown<'a>(alerts: impl Iterator<Item = &'a Alert>) -> Option<Breakdown> {
    let says =
        alerts.filter(|alert| !alert.subscriptions.is_empty() || !alert.resources.is_empty());
    let alert = says.max_by_key(|alert| (!alert.resources.is_empty(), alert.raised_at))?;
    Some(Breakdown {
        reference: alert.reference.clone(),
        usage_as_of: alert.usage_as_of.instant(),
        currency: alert.cost.currency,
        subscriptions: alert.subscriptions.clone(),
        resources: alert.resources.clone(),
    })
}
