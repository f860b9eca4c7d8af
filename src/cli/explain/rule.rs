//! What one rule makes of a customer, in sentences.

use crate::cli::explain::Scale;
use crate::cli::output::Tone;
use crate::cli::text;
use crate::domain::{Alert, Assessed, Rearm, Verdict};
use crate::pipeline::RuleAccount;

/// The lines of one rule: what it says of the record, what comes of it, what would make it alert again.
pub(super) fn lines(account: &RuleAccount, assessed: &Assessed) -> Vec<String> {
    let scale = Scale { metric: account.rule.metric, currency: assessed.currency };
    let name = Tone::Strong.paint(&text::clean(&account.rule.name));
    let mut lines = match &account.verdict {
        Verdict::NotApplicable(reason) => vec![format!("  {name} does not apply: {reason}")],
        Verdict::Below { value, next_at } => vec![format!("  {name}: {}; its first step is {}", scale.value(*value), scale.step(*next_at))],
        Verdict::Crossed { value, crossing } => {
            let value = value.map_or_else(|| "cost over a budget of zero".to_owned(), |value| scale.value(value));
            let reached = crossing.highest().map(|step| scale.step(step.at)).unwrap_or_default();
            let next = crossing.next_at.map(|at| format!(", the next one is {}", scale.step(at))).unwrap_or_default();
            vec![format!("  {name}: {value}; step {reached} is reached{next}"), format!("    {}", outcome(account, scale))]
        }
    };
    lines.extend(spent(account, scale).into_iter().map(|line| format!("    {line}")));
    lines.extend(again(account, scale).map(|line| format!("    {line}")));
    lines
}

/// What comes of the steps reached.
fn outcome(account: &RuleAccount, scale: Scale) -> String {
    let Some(raise) = &account.raise else { return format!("no new alert: {}", account.reason) };
    let names: Vec<String> = raise.notify.iter().map(|name| text::clean(name)).collect();
    let alert = format!("a {} alert at the next poll", raise.severity.as_str());
    let alert = Tone::Bad.paint(&alert);
    let change = raise.previous_amount.map(|before| format!(" (it alerted under {} before)", scale.amount(before)));
    format!("{alert}, told to {}: {}{}", names.join(", "), account.reason, change.unwrap_or_default())
}

/// The alerts that spent steps of the rule in this period.
fn spent(account: &RuleAccount, scale: Scale) -> Vec<String> {
    let raised = account.spent.iter().filter(|step| step.raised);
    raised
        .map(|step| {
            let passed: Vec<String> =
                account.spent.iter().filter(|other| !other.raised && other.alert == step.alert).map(|other| scale.step(other.at)).collect();
            let passed = match passed.as_slice() {
                [] => String::new(),
                [first, .., last] if passed.len() > 3 => format!(", {first} to {last} passed"),
                _ => format!(", {} passed", passed.join(" and ")),
            };
            let under = step.amount.map(|amount| format!(" under a budget of {}", scale.amount(amount))).unwrap_or_default();
            let below = step.seen_below.map(|amount| format!("; seen below it since, under {}", scale.amount(amount)));
            format!(
                "step {} was raised{under} ({}{passed}){}",
                scale.step(step.at),
                Alert::reference_of(step.alert),
                below.unwrap_or_default()
            )
        })
        .collect()
}

/// What would make a rule alert again in this period that has alerted in it.
fn again(account: &RuleAccount, scale: Scale) -> Option<String> {
    if account.spent.is_empty() || account.raise.is_some() || account.reason.is_not_applicable() {
        return None;
    }
    let next = match &account.verdict {
        Verdict::Crossed { crossing, .. } => crossing.next_at,
        _ => None,
    };
    let next = next.map(|at| format!("at {}", scale.step(at)));
    let rearm = account
        .spent_under()
        .filter(|_| account.rule.rearm == Rearm::OnRaise)
        .map(|amount| format!("under a budget above {}, once it was below the step under that", scale.amount(amount)));
    let ways: Vec<String> = next.into_iter().chain(rearm).chain(["in the next billing period".to_owned()]).collect();
    Some(format!("alerts again {}", ways.join(", or ")))
}
