//! What a rule means, in one sentence for people.

use rust_decimal::Decimal;

use crate::domain::{Direction, Glob, Metric, Plan, Rearm, Severity, Unit, canonical, grouped};
use crate::rules::{At, FloorSpec, Rule, RuleSpec, Selection, StepSpec};

/// The sentence of one rule: steps, who is told, which customers, how often.
pub(crate) fn of(rule: &Rule) -> String {
    let spec = rule.spec();
    format!(
        "{}: {}{}{}; {}; {}.",
        spec.name,
        steps(spec),
        continued(spec),
        floored(spec),
        selected(&spec.selection),
        repeated(spec)
    )
}

fn steps(spec: &RuleSpec) -> String {
    let told = |step: &StepSpec| {
        let names: Vec<String> =
            step.notify.as_ref().unwrap_or(&spec.notify).iter().map(ToString::to_string).collect();
        let severity = match step.severity {
            Severity::Info => "is news to",
            Severity::Warning => "is a warning to",
            Severity::Critical => "is critical to",
        };
        format!("{severity} {}", listed(&names, "and"))
    };
    let (first, rest) = match spec.steps.split_first() {
        Some((first, rest)) => (
            format!("{} {}", reached(spec.metric, &amount(spec.metric, &first.at)), told(first)),
            rest,
        ),
        None => return "nothing".to_owned(),
    };
    let rest =
        rest.iter().map(|step| format!(", {} {}", amount(spec.metric, &step.at), told(step)));
    std::iter::once(first).chain(rest).collect()
}

fn reached(metric: Metric, amount: &str) -> String {
    match metric {
        Metric::PercentUsed => format!("a customer that has used {amount} of its budget"),
        Metric::AmountOver => format!("a customer whose cost is {amount} over its budget"),
        Metric::AmountLeft => format!("a customer whose budget has {amount} or less left"),
        Metric::TotalCost | Metric::UsdTotalCost => format!("a customer that has cost {amount}"),
        Metric::UnbudgetedCost => format!("a customer without a budget that has cost {amount}"),
        Metric::ForecastPercent => {
            format!("a customer that will have used {amount} of its budget if it goes on as so far")
        }
        Metric::Pace => format!(
            "a customer whose budget is used {amount} faster than the billing period goes by"
        ),
        Metric::DailyCost => format!("a customer whose cost rises by {amount} a day"),
        Metric::DailyPercent => {
            format!("a customer whose cost rises by {amount} of its budget a day")
        }
        Metric::Spike => {
            format!("a customer that spends {amount} on a day")
        }
        Metric::StaleHours => format!("a customer whose data is {amount} old"),
        Metric::SecurityAlertHours => {
            format!("a security alert of Microsoft that has not been answered for {amount}")
        }
    }
}

fn amount(metric: Metric, at: &At) -> String {
    match at {
        At::Number(number) => {
            format!("{} {}", grouped(&canonical(*number).to_string()), sign(metric.unit()))
        }
        At::ByCurrency(amounts) => {
            let amount = |(currency, amount): (_, &Decimal)| {
                format!("{} {currency}", grouped(&canonical(*amount).to_string()))
            };
            listed(&amounts.iter().map(amount).collect::<Vec<_>>(), "or")
        }
    }
}

fn sign(unit: Unit) -> &'static str {
    match unit {
        Unit::UsDollars => "USD",
        Unit::Points => "points",
        Unit::Times => "times the usual",
        Unit::Hours => "hours",
        // Money is given by currency.
        Unit::Percent | Unit::Money => "%",
    }
}

fn continued(spec: &RuleSpec) -> String {
    let Some(every) = &spec.then_every else { return String::new() };
    let beyond = if spec.metric.direction() == Direction::Up { "above" } else { "below" };
    format!(", and so is every further {} {beyond}", amount(spec.metric, every))
}

/// What else a spike must come to.
fn floored(spec: &RuleSpec) -> String {
    let FloorSpec { amounts, percent } = &spec.floor;
    let amounts =
        (!amounts.is_empty()).then(|| amount(spec.metric, &At::ByCurrency(amounts.clone())));
    let percent = percent.map(|percent| format!("{} % of its budget", canonical(percent)));
    match (amounts, percent) {
        (None, None) => String::new(),
        (Some(floor), None) | (None, Some(floor)) => {
            format!(", if that is at least {floor} above the usual")
        }
        (Some(amounts), Some(percent)) => format!(
            ", if that is at least {amounts}, or {percent} where that is more, above the usual"
        ),
    }
}

fn selected(selection: &Selection) -> String {
    let mut parts = Vec::new();
    let mut part = |wanted: bool, text: String| parts.extend(wanted.then_some(text));
    part(
        !selection.customers.is_empty(),
        format!("whose id, name or label is like {}", globs(&selection.customers)),
    );
    part(
        !selection.exclude.is_empty(),
        format!("whose id, name or label is not like {}", globs(&selection.exclude)),
    );
    let tags: Vec<String> = selection.tags.iter().map(|tag| format!("\"{tag}\"")).collect();
    part(!tags.is_empty(), format!("tagged {}", listed(&tags, "or")));
    part(selection.plan == Some(Plan::AzurePlan), "on an Azure plan".to_owned());
    part(selection.plan == Some(Plan::Legacy), "on a legacy subscription".to_owned());
    let currencies: Vec<String> = selection.currency.iter().map(ToString::to_string).collect();
    part(!currencies.is_empty(), format!("billed in {}", listed(&currencies, "or")));
    parts.extend(selection.budget.map(|range| match (range.at_least, range.below) {
        (Some(least), Some(below)) => {
            format!("with a budget from {least} to below {below} {}", range.currency)
        }
        (Some(least), None) => format!("with a budget of at least {least} {}", range.currency),
        (None, Some(below)) => format!("with a budget below {below} {}", range.currency),
        (None, None) => format!("with a budget in {}", range.currency),
    }));
    parts.extend(
        selection
            .usd_at_least
            .map(|least| format!("with a cost of at least {least} USD where that is known")),
    );
    parts.extend(of_alerts("of type", selection.alert_types.iter().map(Glob::as_str)));
    parts.extend(of_alerts("of severity", selection.alert_severity.iter().map(AsRef::as_ref)));
    parts.extend(of_alerts("of confidence", selection.confidence.iter().map(AsRef::as_ref)));
    if parts.is_empty() {
        "it judges every customer".to_owned()
    } else {
        format!("it judges customers {}", listed(&parts, "and"))
    }
}

/// With security alerts of these words, where any are written.
fn of_alerts<'a>(what: &str, words: impl Iterator<Item = &'a str>) -> Option<String> {
    let words: Vec<String> = words.map(|word| format!("\"{word}\"")).collect();
    (!words.is_empty()).then(|| format!("with alerts {what} {}", listed(&words, "or")))
}

fn repeated(spec: &RuleSpec) -> &'static str {
    match spec.rearm {
        _ if spec.metric == Metric::SecurityAlertHours => {
            "each step alerts once per security alert"
        }
        _ if spec.metric == Metric::Spike => {
            "a spike is told when it begins and when it grows by more than 10 %"
        }
        _ if spec.metric.is_daily() => "each step alerts once per day of the data",
        Rearm::OnRaise if spec.metric.reads_budget() => {
            "each step alerts once per billing period, and again under a raised budget"
        }
        Rearm::OnRaise | Rearm::Never => "each step alerts once per billing period",
    }
}

fn globs(globs: &[Glob]) -> String {
    let quoted: Vec<String> = globs.iter().map(|glob| format!("\"{}\"", glob.as_str())).collect();
    listed(&quoted, "or")
}

/// "a", "a and b", "a, b and c".
fn listed(words: &[String], last: &str) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [most @ .., end] => format!("{} {last} {end}", most.join(", ")),
    }
}
