//! Lets messages to customers go that are held, or discards them: what looked wrong turned out
//! true, or did not. Delivering is left to the workers.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actions::{Action, ActionContext, ActionError, Author};
use crate::delivery::FindingClosure;
use crate::domain::{CustomerKey, DeliveryState, FindingCode};
use crate::ledger::{DeliveryFilter, DeliveryRow, HoldFilter, Reader};
use crate::text::clean;

/// Which held deliveries to let go; all of them when nothing is named.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReleaseRequest {
    /// By id, or by its first characters as listed.
    pub ids: Vec<String>,
    /// Only those to this notifier.
    pub notifier: Option<String>,
    /// Only those about this customer: its id, its name or its label.
    pub customer: Option<String>,
    /// Give them up for good instead: their customers are never told of these alerts.
    pub discard: bool,
    /// Why, for the record.
    pub reason: Option<String>,
    /// That all are meant where nothing is named: over the network it has to be said.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

/// What was let go, or discarded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// How many deliveries.
    pub deliveries: u64,
    /// How many are still held.
    pub held: u64,
}

impl Action for ReleaseRequest {
    const NAME: &'static str = "deliveries/release";
    type Answer = Released;

    fn over_network(self) -> Result<Self, ActionError> {
        let is_named = !self.ids.is_empty() || self.notifier.is_some() || self.customer.is_some();
        if is_named || self.all { Ok(self) } else { Err(nothing_named("ids, notifier, customer")) }
    }

    async fn run(self, context: &ActionContext, author: &Author) -> Result<Released, ActionError> {
        let cycle = context.cycle()?;
        let asked = self.clone();
        let filter = context.read(move |reader| asked.filter(reader)).await?;
        let now = cycle.clock.now();
        let reason = self
            .reason
            .as_deref()
            .map(|reason| clean(reason, 200))
            .filter(|reason| !reason.is_empty());
        let because = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        let ledger = cycle.ledger.ordered_by(&author.to_string());
        let (deliveries, done) = if self.discard {
            let why = format!("discarded by {author}{because}");
            (ledger.discard(filter, why, now).await?, "discarded")
        } else {
            (ledger.release(filter, now).await?, "released")
        };
        let held = cycle.ledger.read(Reader::held).await?;
        tracing::info!(%author, deliveries, held, "held messages to customers are {done}{because}");
        if deliveries > 0 && held == 0 {
            let ending = FindingClosure::of(format!(
                "the held messages to customers were {done} by {author}{because}"
            ));
            cycle.findings.clear(FindingCode::MassCrossing, "", ending).await?;
        }
        context.wake_couriers();
        Ok(Released { deliveries, held })
    }
}

impl ReleaseRequest {
    fn filter(&self, reader: &Reader) -> Result<HoldFilter, ActionError> {
        let owed =
            DeliveryFilter { state: Some(DeliveryState::Pending), ..DeliveryFilter::default() };
        let mut held = reader.deliveries(&owed)?;
        held.retain(|row| row.held);
        if let Some(name) = self
            .notifier
            .as_deref()
            .filter(|name| !held.is_empty() && held.iter().all(|row| row.notifier != *name))
        {
            return Err(ActionError::Invalid(format!(
                "nothing is held that is owed to \"{}\"",
                clean(name, 60)
            )));
        }
        Ok(HoldFilter {
            ids: self.ids.iter().map(|id| meant(&held, id)).collect::<Result<_, _>>()?,
            notifier: self.notifier.clone(),
            customer: self.customer.as_deref().map(|text| customer(reader, text)).transpose()?,
        })
    }
}

/// The refusal of an order that names nothing.
pub(super) fn nothing_named(names: &str) -> ActionError {
    ActionError::Invalid(format!(
        "it says nothing of what is meant: give one of {names}, or \"all\": true"
    ))
}

/// The one customer that is meant.
pub(super) fn customer(reader: &Reader, text: &str) -> Result<CustomerKey, ActionError> {
    let mut keys: Vec<CustomerKey> =
        reader.find_customer(text)?.iter().map(|seen| seen.customer.key()).collect();
    keys.sort_unstable();
    keys.dedup();
    let shown = clean(text, 60);
    match keys.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(ActionError::Invalid(format!(
            "no customer is called \"{shown}\": give an id, a name or a label"
        ))),
        many => Err(ActionError::Invalid(format!(
            "{} customers are called something like \"{shown}\": give the id",
            many.len()
        ))),
    }
}

/// The held delivery that is meant by an id, or by its beginning.
fn meant(held: &[DeliveryRow], text: &str) -> Result<Uuid, ActionError> {
    let wanted: String = text.to_lowercase().chars().filter(|c| *c != '-').collect();
    let mut found = held
        .iter()
        .filter(|row| wanted.len() >= 4 && row.id.simple().to_string().starts_with(&wanted));
    let shown = clean(text, 60);
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only.id),
        (Some(_), Some(_)) => Err(ActionError::Invalid(format!(
            "several held deliveries begin with {shown}: say more of the id"
        ))),
        (None, _) => Err(ActionError::Invalid(format!(
            "there is no delivery {shown} that is held: see budget-alertd deliveries --state \
                pending"
        ))),
    }
}
