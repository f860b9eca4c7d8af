//! Reads `[rules]`: compiles each, and places what the compiler finds wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rust_decimal::Decimal;
use toml::de::DeValue;

use crate::config::names::Names;
use crate::config::reader::{Span, Table, by_place};
use crate::config::value::{duration, number, short};
use crate::domain::{Currency, Glob, Metric, Plan, Rearm, Severity};
use crate::rules::{
    At, BudgetRange, FloorSpec, Rule, RuleError, RuleSpec, Rules, Selection, StepSpec,
};

/// Every rule, in the order of the file.
pub(crate) fn read<'a>(root: &Table<'a>, names: &Names<'a>) -> Rules {
    let tables = root.named("rules");
    former_names(&tables, names);
    Rules::new(tables.iter().filter_map(|(name, table)| rule(name, table, names)).collect())
}

/// A former name belongs to one rule, and to none that still exists.
fn former_names(tables: &[(&str, Table<'_>)], names: &Names<'_>) {
    let mut seen = BTreeSet::new();
    for (_, table) in tables {
        let Some(former) = table.text("formerly") else { continue };
        if names.has_rule(former.value) {
            table.reader.mistake(
                former.span,
                format!(
                    "the rule \"{}\" still exists: formerly names one that was renamed",
                    short(former.value)
                ),
            );
        } else if !seen.insert(former.value) {
            table.reader.mistake(
                former.span,
                format!("another rule was formerly \"{}\" too", short(former.value)),
            );
        }
    }
}

/// Compiles a rule. Something else stands for what the check has found wrong, so that the rest is
/// judged too: with any mistake the file does not load, and the rule never judges.
fn rule<'a>(name: &str, table: &Table<'a>, names: &Names<'a>) -> Option<Rule> {
    table.require("metric");
    table.require("steps");
    let tables = table.tables("steps");
    let notify = if is_about_security(table) { own_notifiers } else { notifiers };
    let read =
        tables.iter().flatten().filter_map(|table| Some((table, step(table, names, notify)?)));
    let (placed, steps): (Vec<&Table<'a>>, Vec<StepSpec>) = read.unzip();
    let selection = selection(&table.table_or_empty("match"));
    let notify = notify(table, names);
    let metric = Metric::from_name(table.text("metric")?.value)?;
    if steps.is_empty() {
        return None;
    }
    let spec = RuleSpec {
        name: name.into(),
        formerly: table.text("formerly").map(|former| former.value.into()),
        description: table.text("description").map(|text| text.value.to_owned()),
        metric,
        rearm: if table.text("rearm").is_some_and(|rearm| rearm.value == "never") {
            Rearm::Never
        } else {
            Rearm::OnRaise
        },
        notify,
        remind_every: remind_every(table),
        then_every: table.entry("then_every").and_then(|entry| at(entry.value)),
        floor: floor(table),
        steps,
        selection,
    };
    Rule::try_new(spec).map_err(|errors| place_errors(table, &placed, tables.len(), errors)).ok()
}

/// Paths what is wrong with a rule of so many `written` steps, of which those in `steps` could be
/// read.
fn place_errors(
    table: &Table<'_>,
    steps: &[&Table<'_>],
    written: usize,
    mut errors: Vec<RuleError>,
) {
    if steps.len() < written {
        // Maybe the step that could not be read is the one.
        errors.retain(|error| !matches!(error, RuleError::ThenEveryWithoutStep(_)));
    }
    let nobody = |error: &RuleError| matches!(error, RuleError::NobodyTold { .. });
    // One mistake for the rule says more than one for each of its steps.
    let all_silent = errors.iter().filter(|error| nobody(error)).count() == written;
    if all_silent {
        table.reader.mistake(
            table.span.clone(),
            format!("[{}] tells nobody: add notify = [\"…\"] to it or to its steps", table.path),
        );
    }
    for error in errors.into_iter().filter(|error| !(all_silent && nobody(error))) {
        let step = error.step().and_then(|step| steps.get(step));
        let span = match step {
            Some(step) => entry_span(step, error.key()),
            None => entry_span(table, error.key()),
        };
        table.reader.mistake(span, error.to_string());
    }
}

fn entry_span(table: &Table<'_>, key: &str) -> Span {
    table.entry(key).map_or_else(|| table.span.clone(), |entry| entry.span)
}

/// A step whose threshold can be read.
fn step<'a>(step: &Table<'a>, names: &Names<'a>, notify: Notify<'a>) -> Option<StepSpec> {
    step.require("at");
    let severity =
        step.text("severity").and_then(|name| Severity::from_name(name.value)).unwrap_or_default();
    let notify = notify(step, names);
    let notify = step.entry("notify").map(|_| notify);
    Some(StepSpec {
        at: at(step.entry("at")?.value)?,
        severity,
        notify,
        remind_every: remind_every(step),
    })
}

/// The smallest excess that a rule about spikes tells of. A share of the budget stands for an amount
/// that cannot be read.
fn floor(table: &Table<'_>) -> FloorSpec {
    let percent = table.entry("floor_percent").and_then(|entry| number(entry.value).ok());
    let Some(entry) = table.entry("floor") else {
        return FloorSpec { amounts: BTreeMap::new(), percent };
    };
    match at(entry.value) {
        Some(At::ByCurrency(amounts)) if !amounts.is_empty() => FloorSpec { amounts, percent },
        Some(At::ByCurrency(_) | At::Number(_)) => {
            table.reader.mistake(
                entry.span,
                "floor is money: give an amount for each currency, for example \
                    { SEK = 1000, EUR = 100 }"
                    .to_owned(),
            );
            FloorSpec { amounts: BTreeMap::new(), percent: percent.or(Some(Decimal::ONE)) }
        }
        None => FloorSpec { amounts: BTreeMap::new(), percent: percent.or(Some(Decimal::ONE)) },
    }
}

/// How often what is still true is told again.
fn remind_every(table: &Table<'_>) -> Option<Duration> {
    table.text("remind_every").and_then(|text| duration(text.value).ok())
}

/// Whom `notify` names. One without a name stands for what the check has found wrong: it must not
/// be taken for nobody.
fn notifiers<'a>(table: &Table<'a>, names: &Names<'a>) -> Vec<Box<str>> {
    let notify = names.notifiers(table, "notify");
    if notify.is_empty() && table.entry("notify").is_some() { vec![Box::default()] } else { notify }
}

/// How a table is read for whom it tells.
type Notify<'a> = fn(&Table<'a>, &Names<'a>) -> Vec<Box<str>>;

/// Whether a rule is about security alerts, of which customers are never told.
fn is_about_security(table: &Table<'_>) -> bool {
    let metric = table.text("metric").and_then(|metric| Metric::from_name(metric.value));
    metric == Some(Metric::SecurityAlertHours)
}

/// The same, of which none may be a customer's.
fn own_notifiers<'a>(table: &Table<'a>, names: &Names<'a>) -> Vec<Box<str>> {
    let notify = names.own_notifiers(table, "notify", "security alerts");
    if notify.is_empty() && table.entry("notify").is_some() { vec![Box::default()] } else { notify }
}

/// A number, or numbers by currency; `None` where the check has found mistakes.
fn at(value: &DeValue<'_>) -> Option<At> {
    let DeValue::Table(amounts) = value else { return number(value).ok().map(At::Number) };
    let amounts = by_place(amounts)
        .into_iter()
        .map(|entry| Some((Currency::try_new(entry.name).ok()?, number(entry.value).ok()?)));
    Some(At::ByCurrency(amounts.collect::<Option<BTreeMap<_, _>>>()?))
}

fn selection(table: &Table<'_>) -> Selection {
    Selection {
        customers: globs(table, "customers"),
        exclude: globs(table, "exclude"),
        tags: table.texts("tags").iter().map(|tag| tag.value.into()).collect(),
        plan: table.text("plan").and_then(|plan| Plan::from_name(plan.value)),
        currency: table
            .texts("currency")
            .iter()
            .filter_map(|code| table.reader.accept(&code.span, Currency::try_new(code.value)))
            .collect(),
        budget: table.table("budget").and_then(|budget| range(&budget)),
        usd_at_least: table.table("usd_cost").and_then(|cost| {
            cost.require("at_least");
            cost.positive("at_least")
        }),
        alert_types: globs(table, "alert_type"),
        alert_severity: words(table, "alert_severity"),
        confidence: words(table, "confidence"),
    }
}

fn words(table: &Table<'_>, key: &str) -> Vec<Box<str>> {
    table.texts(key).iter().map(|word| word.value.trim().into()).collect()
}

fn globs(table: &Table<'_>, key: &str) -> Vec<Glob> {
    table
        .texts(key)
        .iter()
        .filter_map(|text| table.reader.accept(&text.span, Glob::try_new(text.value)))
        .collect()
}

fn range(budget: &Table<'_>) -> Option<BudgetRange> {
    budget.require("currency");
    let (at_least, below) = (budget.positive("at_least"), budget.positive("below"));
    if let (Some(least), Some(below)) = (at_least, below)
        && least >= below
    {
        budget.reader.mistake(
            entry_span(budget, "below"),
            format!("no budget is at least {least} and below {below}"),
        );
    }
    Some(BudgetRange { currency: budget.currency("currency")?, at_least, below })
}
