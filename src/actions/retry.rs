//! Owes again what was given up, to the same notifier or to another. Delivering it is left to the
//! workers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actions::release::nothing_named;
use crate::actions::{Action, ActionContext, ActionError, Author};
use crate::domain::{Audience, DeliveryState};
use crate::ledger::{DeliveryFilter, DeliveryRow, Reader, RetryFilter, RetryTo};
use crate::poll::Cycle;
use crate::text::clean;

/// Which deliveries to owe again; all that were given up when nothing is named.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryRequest {
    /// By id, or by its first characters as listed.
    pub ids: Vec<String>,
    /// Only those to this notifier.
    pub notifier: Option<String>,
    /// Owe them to this notifier instead.
    pub to: Option<String>,
    /// That all are meant where nothing is named: over the network it has to be said.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

/// What is owed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retried {
    /// How many deliveries.
    pub owed: u64,
    /// Notifiers of chosen deliveries that the configuration does not have: theirs are given up
    /// again.
    pub lost: Vec<String>,
}

impl Action for RetryRequest {
    const NAME: &'static str = "deliveries/retry";
    type Answer = Retried;

    fn over_network(self) -> Result<Self, ActionError> {
        let is_named = !self.ids.is_empty() || self.notifier.is_some();
        if is_named || self.all { Ok(self) } else { Err(nothing_named("ids, notifier")) }
    }

    async fn run(self, context: &ActionContext, author: &Author) -> Result<Retried, ActionError> {
        let cycle = context.cycle()?;
        let to = self.to.as_deref().map(|name| destination(&cycle, name)).transpose()?;
        let (asked, known) = (self.clone(), Arc::clone(&cycle));
        let (filter, lost) = context.read(move |reader| asked.choose(reader, &known)).await?;
        let owed = cycle
            .ledger
            .ordered_by(&author.to_string())
            .retry(filter, cycle.clock.now(), to)
            .await?;
        context.wake_couriers();
        tracing::info!(%author, deliveries.owed = owed, notifier = self.notifier, to = self.to, "deliveries are owed again");
        cycle.findings.forget_revived().await?;
        Ok(Retried { owed, lost })
    }
}

impl RetryRequest {
    /// The deliveries that are meant, and the notifiers of them that are gone.
    fn choose(
        &self,
        reader: &Reader,
        cycle: &Cycle,
    ) -> Result<(RetryFilter, Vec<String>), ActionError> {
        if let Some(name) = &self.notifier {
            known(reader, cycle, name)?;
        }
        let mut given_up = reader.deliveries(&DeliveryFilter {
            state: Some(DeliveryState::Dead),
            ..DeliveryFilter::default()
        })?;
        given_up.retain(|row| !row.held);
        let ids =
            self.ids.iter().map(|id| meant(reader, &given_up, id)).collect::<Result<_, _>>()?;
        let filter = RetryFilter { notifier: self.notifier.clone(), ids };
        let lost = if self.to.is_none() {
            without_notifier(cycle, &given_up, &filter)
        } else {
            Vec::new()
        };
        Ok((filter, lost))
    }
}

/// A notifier that is configured, or that deliveries remember.
fn known(reader: &Reader, cycle: &Cycle, name: &str) -> Result<(), ActionError> {
    let remembered = || {
        reader.deliveries(&DeliveryFilter {
            notifier: Some(name.to_owned()),
            limit: Some(1),
            ..DeliveryFilter::default()
        })
    };
    if is_configured(cycle, name) || !remembered()?.is_empty() {
        Ok(())
    } else {
        Err(no_such(cycle, name))
    }
}

fn is_configured(cycle: &Cycle, name: &str) -> bool {
    cycle.routes.iter().any(|route| *route.notifier == *name)
}

fn no_such(cycle: &Cycle, name: &str) -> ActionError {
    let names: Vec<&str> = cycle.routes.iter().map(|route| &*route.notifier).collect();
    ActionError::Invalid(format!(
        "there is no notifier \"{}\"; there are: {}",
        clean(name, 60),
        names.join(", ")
    ))
}

/// The notifiers of chosen deliveries that the configuration does not have.
fn without_notifier(cycle: &Cycle, given_up: &[DeliveryRow], filter: &RetryFilter) -> Vec<String> {
    let is_chosen = |row: &&DeliveryRow| {
        (filter.ids.is_empty() || filter.ids.contains(&row.id))
            && filter.notifier.as_ref().is_none_or(|name| *name == row.notifier)
    };
    let mut lost: Vec<String> = given_up
        .iter()
        .filter(is_chosen)
        .map(|row| row.notifier.clone())
        .filter(|name| !is_configured(cycle, name))
        .collect();
    lost.sort_unstable();
    lost.dedup();
    lost
}

/// The notifier that is to get them.
fn destination(cycle: &Cycle, name: &str) -> Result<RetryTo, ActionError> {
    let route = cycle
        .routes
        .iter()
        .find(|route| *route.notifier == *name)
        .ok_or_else(|| no_such(cycle, name))?;
    if route.readers.audience() == Audience::Customer {
        let text = format!(
            "customers read what \"{}\" sends: what is owed to others never goes there",
            clean(name, 60)
        );
        return Err(ActionError::Invalid(text));
    }
    if !route.is_owed() {
        let name = clean(name, 60);
        return Err(ActionError::Invalid(format!(
            "notifier \"{name}\" is shown what is open and takes no messages: name another one"
        )));
    }
    Ok(RetryTo {
        notifier: route.notifier.to_string(),
        recipients: route.recipients.clone(),
        has_incidents: route.has_incidents(),
    })
}

/// The delivery that is meant by an id, or by its beginning.
fn meant(reader: &Reader, given_up: &[DeliveryRow], text: &str) -> Result<Uuid, ActionError> {
    let wanted: String = text.to_lowercase().chars().filter(|c| *c != '-').collect();
    let begins =
        |row: &&DeliveryRow| wanted.len() >= 4 && row.id.simple().to_string().starts_with(&wanted);
    let found: Vec<&DeliveryRow> = given_up.iter().filter(begins).collect();
    if let [only] = found.as_slice() {
        return Ok(only.id);
    }
    let shown = clean(text, 60);
    if found.len() > 1 {
        return Err(ActionError::Invalid(format!(
            "{} deliveries that were given up begin with {shown}: say more of the id",
            found.len()
        )));
    }
    let other = reader
        .deliveries(&DeliveryFilter::default())?
        .iter()
        .find(begins)
        .map(|row| (row.state, row.held));
    Err(ActionError::Invalid(match other {
        Some((DeliveryState::Sent, _)) => {
            format!("delivery {shown} was accepted by its receiver: there is nothing to retry")
        }
        Some((_, true)) => format!(
            "delivery {shown} is held or was discarded: see budget-alertd deliveries release"
        ),
        Some((DeliveryState::Pending, _)) => {
            format!("delivery {shown} is owed and tried again anyway")
        }
        _ => format!(
            "there is no delivery {shown} that was given up: see budget-alertd deliveries --state \
                dead"
        ),
    }))
}
