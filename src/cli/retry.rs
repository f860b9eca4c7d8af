//! `deliveries retry`: owes again what was given up, to the same notifier or to another. Delivering it is left to the
//! next poll.

use std::path::Path;

use clap::Args;
use uuid::Uuid;

use crate::cli::exit::{Outcome, WrongUsage};
use crate::cli::open::{self, Bench};
use crate::cli::{output, text};
use crate::config::Config;
use crate::domain::{DeliveryState, FindingCode};
use crate::ledger::{DeliveryFilter, DeliveryRow, Reader, RetryFilter, RetryTo};

#[derive(Debug, Args)]
pub(super) struct Retry {
    /// Deliveries by id, or by its first characters as listed; all that were given up by default
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Only those to this notifier
    #[arg(long, value_name = "NAME")]
    notifier: Option<String>,
    /// Owe them to this notifier instead
    #[arg(long, value_name = "NOTIFIER")]
    to: Option<String>,
}

impl Retry {
    pub(super) async fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let config = open::load(path)?;
        let to = self.to.as_deref().map(|name| destination(&config, name)).transpose()?;
        let bench = Bench::open(config)?;
        let reader = Reader::open(&bench.config.ledger)?;
        let given_up = reader.deliveries(&DeliveryFilter { state: Some(DeliveryState::Dead), ..DeliveryFilter::default() })?;
        let ids = self.ids.iter().map(|id| meant(&reader, &given_up, id)).collect::<anyhow::Result<_>>()?;
        let filter = RetryFilter { notifier: self.notifier.clone(), ids };
        let lost = if to.is_none() { self.without_notifier(&bench.config, &given_up, &filter) } else { Vec::new() };
        let owed = bench.ledger.retry(filter, bench.clock.now(), to).await?;
        self.clear_findings(&bench).await?;
        bench.ledger.close().await?;
        let mut said = match owed {
            0 => "Nothing was given up that could be owed again.\n".to_owned(),
            1 => "1 delivery is owed again; the next `poll`, or `run`, delivers it.\n".to_owned(),
            owed => format!("{owed} deliveries are owed again; the next `poll`, or `run`, delivers them.\n"),
        };
        said.extend(lost.iter().map(|name| {
            let name = text::clean(name);
            format!("Notifier \"{name}\" is no longer configured: add --to NOTIFIER, or they are given up again.\n")
        }));
        output::page(&said)?;
        Ok(Outcome::Done)
    }

    /// The notifiers of chosen deliveries that the configuration does not have.
    fn without_notifier(&self, config: &Config, given_up: &[DeliveryRow], filter: &RetryFilter) -> Vec<String> {
        let is_chosen = |row: &&DeliveryRow| {
            (filter.ids.is_empty() || filter.ids.contains(&row.id)) && self.notifier.as_ref().is_none_or(|name| *name == row.notifier)
        };
        let known = |name: &str| config.notifiers.iter().any(|notifier| *notifier.name == *name);
        let mut lost: Vec<String> = given_up.iter().filter(is_chosen).map(|row| row.notifier.clone()).filter(|name| !known(name)).collect();
        lost.sort_unstable();
        lost.dedup();
        lost
    }

    /// Nothing given up is left to tell the operator of.
    async fn clear_findings(&self, bench: &Bench) -> anyhow::Result<()> {
        let now = bench.clock.now();
        let reader = Reader::open(&bench.config.ledger)?;
        let still_dead: Vec<String> = reader.owed()?.into_iter().filter(|owed| owed.dead > 0).map(|owed| owed.notifier).collect();
        for open in reader.findings()? {
            if open.finding.code == FindingCode::DeliveryDead && !still_dead.contains(&open.finding.subject) {
                bench.ledger.clear(FindingCode::DeliveryDead, &open.finding.subject, now).await?;
            }
        }
        Ok(())
    }
}

/// The notifier that is to get them.
fn destination(config: &Config, name: &str) -> Result<RetryTo, WrongUsage> {
    let notifier = open::notifier(config, name)?;
    Ok(RetryTo { notifier: notifier.name.to_string(), recipients: notifier.route().recipients })
}

/// The delivery that is meant by an id, or by its beginning.
fn meant(reader: &Reader, given_up: &[DeliveryRow], text: &str) -> anyhow::Result<Uuid> {
    let wanted: String = text.to_lowercase().chars().filter(|c| *c != '-').collect();
    let begins = |row: &&DeliveryRow| wanted.len() >= 4 && row.id.simple().to_string().starts_with(&wanted);
    let found: Vec<&DeliveryRow> = given_up.iter().filter(begins).collect();
    if let [only] = found.as_slice() {
        return Ok(only.id);
    }
    let shown = text::clean(text);
    if found.len() > 1 {
        return Err(WrongUsage(format!("{} deliveries that were given up begin with {shown}: say more of the id", found.len())).into());
    }
    let other = reader.deliveries(&DeliveryFilter::default())?.iter().find(begins).map(|row| row.state);
    Err(WrongUsage(match other {
        Some(DeliveryState::Sent) => format!("delivery {shown} was accepted by its receiver: there is nothing to retry"),
        Some(DeliveryState::Pending) => format!("delivery {shown} is owed and tried again anyway"),
        _ => format!("there is no delivery {shown} that was given up: see budget-alertd deliveries --state dead"),
    })
    .into())
}
