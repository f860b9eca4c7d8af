//! `check`: whether the configuration can run, and what it means in words. What it finds beyond the
//! file is `live`'s.

use std::path::Path;

use clap::Args;
use serde_json::{Value, json};

use crate::cli::exit::Outcome;
use crate::cli::explain::Form;
use crate::cli::output::{self, Tone};
use crate::cli::{coverage, doubts, impact, live, open, text};
use crate::config::{Config, Mistakes, SecretsFor};
use crate::domain::Every;
use crate::source;

#[derive(Debug, Args)]
pub(super) struct Check {
    /// Sign in and reach each destination too, without sending a message
    #[arg(long)]
    live: bool,
    /// Read no secret: in CI, where there is none
    #[arg(long, conflicts_with = "live")]
    no_secrets: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Form,
    /// Say who would be told what if this file took effect now
    #[arg(long)]
    impact: bool,
}

impl Check {
    pub(super) async fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let secrets = if self.no_secrets { SecretsFor::Nothing } else { SecretsFor::Everything };
        let loaded = open::look_quietly(path, secrets);
        let impact = loaded.as_ref().ok().filter(|_| self.impact).map(impact::of).transpose()?;
        if self.format == Form::Text
            && let Ok(config) = &loaded
        {
            let impact =
                impact.as_ref().map(|impact| impact::page(impact.as_ref())).unwrap_or_default();
            output::page(&(page(path, config) + &impact))?;
        }
        let probes = match &loaded {
            Ok(config) if self.live => {
                Some(text::while_waiting("reaching out", live::probe(config)).await)
            }
            _ => None,
        };
        if self.format == Form::Json {
            let mut document = document(path, loaded.as_ref());
            if let Some(fields) = document.as_object_mut() {
                let impact =
                    impact.map(|impact| ("impact".to_owned(), impact::document(impact.as_ref())));
                let live = probes.as_ref().map(|probes| {
                    ("live".to_owned(), probes.iter().map(live::Probe::document).collect())
                });
                fields.extend([impact, live].into_iter().flatten());
            }
            output::json(&document)?;
        }
        loaded?;
        if let (Form::Text, Some(probes)) = (self.format, &probes) {
            output::page(&live::page(probes))?;
        }
        let good = probes.iter().flatten().all(|probe| probe.outcome.is_ok());
        Ok(if good { Outcome::Done } else { Outcome::Failed })
    }
}

fn page(path: &Path, config: &Config) -> String {
    let mut lines =
        vec![format!("{} is {}.", path.display(), Tone::Good.paint("good")), String::new()];
    for (label, said) in facts(config) {
        lines.extend(output::labelled(&format!("{label:<9}"), &said));
    }
    let mut list = |heading: &str, items: Vec<String>| {
        lines.push(format!("\n{}", Tone::Strong.paint(heading)));
        lines.extend(items.into_iter().map(|item| format!("  {item}")));
    };
    list("Rules", config.rules.sentences());
    list("Notifiers", config.notifiers.iter().map(crate::notify::Config::sentence).collect());
    let warnings = doubts::warnings(config);
    if !warnings.is_empty() {
        list("Warnings", warnings.iter().map(|warning| Tone::Uneasy.paint(warning)).collect());
    }
    for (heading, found) in coverage::strangers(&doubts::strangers(config)) {
        list(heading, found.iter().map(|line| Tone::Uneasy.paint(line)).collect());
    }
    lines.join("\n") + "\n"
}

/// What there is beside rules and notifiers, a sentence each.
fn facts(config: &Config) -> Vec<(&'static str, String)> {
    let mut facts = vec![("Source", source(config))];
    facts.extend(sign_in(config).map(|sign_in| ("Sign-in", sign_in)));
    facts.extend([
        ("Ledger", ledger(config)),
        ("Time zone", time_zone(config).to_owned()),
        ("Operator", operator(config)),
        ("Customers", customers(config)),
    ]);
    facts.extend(partner(config).map(|partner| ("Partner", partner)));
    facts.extend(report(config).map(|report| ("Report", report)));
    if let Some(http) = &config.http {
        let token = if http.token.is_some() { ", with a token" } else { "" };
        let links = http.public_url.as_ref();
        let links = links.map(|url| {
            format!("; links in messages lead to {}", url.as_str().trim_end_matches('/'))
        });
        let links = links.unwrap_or_default();
        facts.push(("HTTP", format!("metrics and health on {}{token}{links}", http.listen)));
    }
    facts
}

fn source(config: &Config) -> String {
    let every =
        format!("{:#}", jiff::SignedDuration::try_from(config.poll_interval).unwrap_or_default());
    match &config.source {
        source::Config::PartnerCenter(partner_center) => {
            format!(
                "Partner Center at {} as tenant {}, every {every}",
                partner_center.api_url, partner_center.tenant_id
            )
        }
        source::Config::File { path } => format!("the file {}, every {every}", path.display()),
    }
}

/// Whether somebody has signed in; nothing for a source that needs no sign-in.
fn sign_in(config: &Config) -> Option<String> {
    let source::Config::PartnerCenter(partner_center) = &config.source else { return None };
    if !partner_center.has_sign_in() {
        return Some(format!(
            "{}: run `budget-alertd login`",
            Tone::Uneasy.paint("nobody has signed in yet")
        ));
    }
    let file = partner_center.sign_in_file();
    Some(if file.exists() {
        format!("kept in {}", file.display())
    } else {
        "the refresh token that is configured".to_owned()
    })
}

fn ledger(config: &Config) -> String {
    let path = &config.ledger.path;
    let is_there = config.ledger.server.is_some() || path.exists();
    let new = if is_there { "" } else { ", which the first poll makes" };
    format!("{}{new}", path.display())
}

fn time_zone(config: &Config) -> &str {
    config.time_zone.iana_name().unwrap_or("UTC")
}

fn operator(config: &Config) -> String {
    if config.operator.notify.is_empty() {
        return "nobody is named in [operator] notify; trouble is in the log and in status"
            .to_owned();
    }
    let after =
        jiff::SignedDuration::try_from(config.operator.source_failing_after).unwrap_or_default();
    format!(
        "{} is told of trouble; of a source that fails, after {after:#}",
        config.operator.notify.join(", ")
    )
}

/// Whom customers are told to contact; nothing where they are told nothing.
fn partner(config: &Config) -> Option<String> {
    let partner = config.notifiers.iter().find_map(|notifier| notifier.partner.as_ref())?;
    let contact =
        partner.contact.as_ref().map(|contact| format!(", {contact}")).unwrap_or_default();
    Some(format!("customers are told to contact {}{contact}", partner.name))
}

/// When the regular report comes, and to whom.
fn report(config: &Config) -> Option<String> {
    let plan = config.report.as_ref()?;
    let when = match plan.every {
        Every::Day => "each day",
        Every::Week => "each Monday",
        Every::Month => "on the 1st of each month",
    };
    Some(format!(
        "{when} at {} ({}) to {}",
        plan.at.strftime("%H:%M"),
        time_zone(config),
        plan.notify.join(", ")
    ))
}

fn customers(config: &Config) -> String {
    let locals = &config.budgets.customers;
    if locals.is_empty() {
        let read = if config.customers_csv.is_some() { ", nor in the spreadsheet" } else { "" };
        return format!("none is described here{read}; budgets are Partner Center's");
    }
    let budgets = locals.values().filter(|local| local.budget.is_some()).count();
    let wins = match config.budgets.prefer {
        crate::budgets::Prefer::Local => "which counts before Partner Center's",
        crate::budgets::Prefer::PartnerCenter => "which counts where Partner Center has none",
    };
    let muted = locals.values().filter(|local| !local.profile.mute_rules.is_empty()).count();
    let muted = if muted > 0 { format!(", {muted} with muted rules") } else { String::new() };
    let budgets =
        if budgets > 0 { format!(", {budgets} with a budget here, {wins}") } else { String::new() };
    format!("{} described here{}{budgets}{muted}", locals.len(), spreadsheet(config))
}

/// How many of the customers come from the spreadsheet.
fn spreadsheet(config: &Config) -> String {
    let Some(csv) = &config.customers_csv else { return String::new() };
    let subscriptions = match csv.subscriptions {
        0 => String::new(),
        1 => " and a budget for one subscription".to_owned(),
        many => format!(" and budgets for {many} subscriptions"),
    };
    format!(", {} of them{subscriptions} in {}", csv.customers, csv.path.display())
}

fn document(path: &Path, loaded: Result<&Config, &Mistakes>) -> Value {
    let config = match loaded {
        Ok(config) => config,
        Err(mistakes) => {
            return json!({ "file": path, "valid": false, "mistakes": mistakes.iter().collect::<Vec<_>>() });
        }
    };
    let rules = config.rules.facts().zip(config.rules.sentences());
    let rules: Vec<Value> =
        rules.map(|(rule, sentence)| json!({ "name": rule.name, "metric": rule.metric, "sentence": sentence })).collect();
    let notifiers = config
        .notifiers
        .iter()
        .map(|notifier| json!({ "name": notifier.name, "sentence": notifier.sentence() }));
    let strangers = doubts::strangers(config);
    json!({
        "file": path,
        "valid": true,
        "unknown_customers": strangers.customers,
        "unknown_patterns": strangers.patterns,
        "source": source(config),
        "ledger": config.ledger.path,
        "time_zone": time_zone(config),
        "operator": config.operator.notify,
        "report": config.report.as_ref().map(|plan| json!({
            "every": plan.every.as_str(), "at": plan.at.strftime("%H:%M").to_string(), "notify": plan.notify,
        })),
        "customers": config.budgets.customers.len(),
        "customers_csv": config.customers_csv.as_ref().map(|csv| json!({
            "path": csv.path, "customers": csv.customers, "subscriptions": csv.subscriptions,
        })),
        "rules": rules,
        "notifiers": notifiers.collect::<Vec<_>>(),
        "warnings": doubts::warnings(config),
    })
}
