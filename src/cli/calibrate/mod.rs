//! `calibrate`: which rule about spikes would have suited recorded history, and a budget for each
//! customer that has none. It proposes; nothing is changed.

mod page;
mod proposal;
mod sample;

use std::path::{Path, PathBuf};

use clap::Args;
use rust_decimal::Decimal;

use crate::analysis::calibration::{Calibration, Candidate, Tally};
use crate::cli::exit::{Outcome, WrongUsage};
use crate::cli::explain::Form;
use crate::cli::{budgets, open, output, text};
use crate::config::SecretsFor;
use crate::domain::parse_decimal;
use crate::fs::{self, Rights};
use crate::ledger::Reader;

use proposal::Proposal;
use sample::Sample;

/// The lowest steps that are tried: how many times the usual.
const STEPS: [i64; 5] = [2, 3, 4, 5, 8];
/// The floors that are tried, in US dollars.
const FLOORS: [i64; 4] = [50, 100, 200, 500];

#[derive(Debug, Args)]
pub(super) struct Calibrate {
    /// How many false alarms a week are bearable, of all customers together; one for each 1,000
    /// customers unless said
    #[arg(long, value_name = "N", value_parser = alarms)]
    alarms_per_week: Option<Decimal>,
    /// Write the proposed rule to this file
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Write a proposed budget for each customer without one to this file, for "budgets import"
    #[arg(long, value_name = "FILE")]
    budgets: Option<PathBuf>,
    /// Replace files that are there
    #[arg(long)]
    force: bool,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Form,
}

/// A number of alarms that somebody can bear.
fn alarms(text: &str) -> Result<Decimal, String> {
    let number = parse_decimal(text).map_err(|error| error.to_string())?.value;
    if number > Decimal::ZERO { Ok(number) } else { Err("must be above zero".to_owned()) }
}

/// A candidate with what it came to on recorded history.
pub(super) struct Tried {
    candidate: Candidate,
    tally: Tally,
    /// False alarms a week of all customers, before the part that is held out.
    alarms_per_week: Decimal,
    /// The same in that part.
    held_out_per_week: Decimal,
}

impl Calibrate {
    pub(super) fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        for file in self.rules.iter().chain(&self.budgets) {
            if !self.force && file.symlink_metadata().is_ok() {
                let there = file.display();
                let words = format!("{there} is there already; --force replaces it");
                return Err(WrongUsage(words).into());
            }
        }
        let config = open::look(path, SecretsFor::Nothing)?;
        let reader = Reader::open(&config.ledger)?;
        let sample = match Sample::of(&reader)? {
            Ok(sample) => sample,
            Err(too_little) => {
                output::page(&format!("{too_little}\n"))?;
                return Ok(Outcome::Failed);
            }
        };
        let tried = try_all(&sample, &config.budgets, &reader)?;
        let bearable = self.alarms_per_week.unwrap_or_else(|| sample.one_in_a_thousand());
        let proposal = Proposal::choose(&tried.list, bearable);
        let rule = proposal.rule(&config.rules, &sample, &tried);
        let unbudgeted = proposal::budgets(&reader, &config.budgets)?;
        match self.format {
            Form::Text => {
                let words = page::text(&sample, &tried, &proposal, &rule, unbudgeted.len());
                output::page(&(words + &self.hints(unbudgeted.is_empty())))?;
            }
            Form::Json => {
                output::json(&page::document(&sample, &tried, &proposal, &rule, &unbudgeted))?;
            }
        }
        if let Some(file) = &self.rules {
            fs::replace(file, rule.as_bytes(), Rights::AsBefore(0o644))?;
        }
        if let Some(file) = &self.budgets {
            budgets::write_proposed(file, &config.budgets, &unbudgeted)?;
        }
        Ok(Outcome::Done)
    }

    /// What to do with what is proposed.
    fn hints(&self, all_have_budgets: bool) -> String {
        let mut lines = Vec::new();
        match &self.rules {
            Some(file) => {
                let file = file.display();
                lines.push(format!(
                    "Wrote the rule to {file}. Put it in place of your rule about spikes, \
                        then:\n  budget-alertd check --impact"
                ));
            }
            None => lines.push(
                "Put it in place of your rule about spikes, then:\n  budget-alertd check --impact"
                    .to_owned(),
            ),
        }
        match &self.budgets {
            Some(file) => {
                let file = file.display();
                lines.push(format!(
                    "Wrote the budgets to {file}. Look through them, then:\n  budget-alertd \
                        budgets import {file}"
                ));
            }
            None if !all_have_budgets => {
                lines.push("Write these budgets to a spreadsheet: --budgets FILE".to_owned());
            }
            None => {}
        }
        lines.join("\n") + "\n"
    }
}

/// All candidates, with what was replayed for them.
pub(super) struct AllTried {
    list: Vec<Tried>,
    replayed: crate::analysis::calibration::Replayed,
}

fn try_all(
    sample: &Sample,
    known: &crate::budgets::Config,
    reader: &Reader,
) -> anyhow::Result<AllTried> {
    let floors = || FLOORS.iter().map(|floor| Decimal::from(*floor));
    let candidates = STEPS.iter().flat_map(|times| {
        floors().map(|floor_usd| Candidate {
            times: Decimal::from(*times),
            floor_usd,
            floor: sample.in_all_currencies(floor_usd),
        })
    });
    let rates = sample.usd_rates.clone();
    let mut calibration = Calibration::new(known, candidates.collect(), rates, sample.held_out)
        .map_err(|errors| {
            let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
            anyhow::anyhow!("a rule cannot be tried: {}", errors.join("; "))
        })?;
    let mut progress = text::Counting::new("customers replayed");
    for customer in &sample.customers {
        calibration.replay(customer, &reader.history(&customer.key())?);
        progress.tick();
    }
    let replayed = calibration.replayed();
    let per_week = |alarms: u64, days: u64| {
        let per_day = Decimal::from(alarms).checked_div(Decimal::from(days)).unwrap_or_default();
        let customers = Decimal::from(sample.of_customers);
        (per_day * Decimal::from(7) * customers).round_dp(1).normalize()
    };
    let tried = calibration.outcomes().map(|(candidate, tally)| Tried {
        candidate: candidate.clone(),
        tally,
        alarms_per_week: per_week(tally.alarms, replayed.days),
        held_out_per_week: per_week(tally.held_out_alarms, replayed.held_out_days),
    });
    Ok(AllTried { list: tried.collect(), replayed })
}
