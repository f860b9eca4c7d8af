//! The part of the page about an incident: what a claim asks for first.

use jiff::Timestamp;
use jiff::civil::Date;
use minijinja::context;
use minijinja::value::Value;
use rust_decimal::Decimal;

use crate::cli::evidence::costs::{CostFacts, DayFacts, When};
use crate::cli::evidence::deeds::Deed;
use crate::cli::evidence::incident::{Breakdown, IncidentFacts, SecurityFacts};
use crate::text::amounts::{money, percent};
use crate::text::bare;

/// The most of a text from outside, in characters.
const LONGEST: usize = 500;

/// What the page says of an incident.
pub(super) fn incident(
    facts: &IncidentFacts,
    deeds: &[Deed],
    at: &impl Fn(Timestamp) -> String,
) -> Value {
    let currency = facts.costs.currency;
    let deeds = deeds.iter().map(|deed| {
        context! { at => at(deed.at), by => bare(&deed.by, LONGEST), what => bare(&deed.what, LONGEST) }
    });
    context! {
        reference => facts.reference.as_str(),
        first => written(facts.first_bad_day),
        last => written(facts.last_bad_day),
        file_by => written(facts.file_by),
        covered_until => written(facts.charges_covered_until),
        marked => facts.marked_as_fraud.as_ref().map(|mark| {
            context! { at => at(mark.at), by => mark.by.as_deref().map(|by| bare(by, LONGEST)) }
        }),
        partner => facts.partner_tenant_id.as_deref(),
        customer => facts.customer_tenant_id.as_str(),
        subscriptions => facts.subscriptions.iter()
            .map(|one| context! { id => one.id.as_str(), name => one.name.as_deref() })
            .collect::<Vec<_>>(),
        resources => facts.resources.iter().map(|id| bare(id, LONGEST)).collect::<Vec<_>>(),
        spikes => facts.spikes.iter().map(|run| context! {
            reference => run.reference.as_str(),
            rule => bare(&run.rule, LONGEST),
            first => run.days.first().map(|day| written(*day)),
            last => run.days.last().map(|day| written(*day)),
            days => run.days.len(),
            is_fraud => run.marked_as_fraud,
        }).collect::<Vec<_>>(),
        alerts => facts.security_alerts.iter().map(|one| security(one, at)).collect::<Vec<_>>(),
        costs => costs(&facts.costs),
        breakdown => facts.costs_by_resource.as_ref().map(|it| breakdown(it, at)),
        budget => facts.budget.as_ref().map(|it| money(it.amount, it.currency.or(currency))),
        budget_changes => facts.budget_changes.iter().map(|event| {
            context! { at => at(event.at), what => event.detail.as_str() }
        }).collect::<Vec<_>>(),
        done => deeds.collect::<Vec<_>>(),
    }
}

/// With the day of the week: days of people's.
fn written(day: Date) -> String {
    day.strftime("%a %-d %b %Y").to_string()
}

fn security(one: &SecurityFacts, at: &impl Fn(Timestamp) -> String) -> Value {
    let alert = &one.alert;
    let date = |date: Option<crate::domain::UsageDate>| date.map(|date| at(date.instant()));
    context! {
        id => alert.id.as_str(),
        refs => one.refs.join(", "),
        kind => bare(&alert.kind, LONGEST),
        severity => bare(&alert.severity, LONGEST),
        confidence => bare(&alert.confidence, LONGEST),
        is_test => alert.is_test,
        says => bare(&one.description, LONGEST),
        subscription => alert.subscription.as_deref(),
        detected => date(alert.detected_at),
        first => date(alert.first_observed),
        last => date(alert.last_observed),
        read => at(one.first_read_at),
        told => one.first_told_at.map(at),
        told_by => one.first_told_by.as_deref(),
        answered => one.answered_at.map(at),
        answered_by => one.answered_by.as_deref().map(|by| bare(by, LONGEST)),
        reason => one.reason.as_deref().map(|reason| bare(reason, LONGEST)),
        is_unlisted => one.is_unlisted,
    }
}

fn costs(costs: &CostFacts) -> Value {
    let amount = |value: Decimal| money(value, costs.currency);
    context! {
        usual => costs.usual_per_day.map(amount),
        during => costs.during.map(amount),
        during_above => costs.during_above_usual.map(amount),
        covered => costs.covered.map(amount),
        covered_above => costs.covered_above_usual.map(amount),
        days => costs.days.iter().map(|day| self::day(day, amount)).collect::<Vec<_>>(),
    }
}

fn day(day: &DayFacts, amount: impl Fn(Decimal) -> String) -> Value {
    context! {
        day => written(day.day),
        when => match day.when {
            When::Before => "before",
            When::During => "during",
            When::After => "after",
        },
        cost => day.cost.map(&amount),
        above => day.above_usual.map(|above| {
            let sign = if above.is_sign_negative() || above.is_zero() { "" } else { "+" };
            format!("{sign}{}", amount(above))
        }),
        is_spike => day.is_spike,
    }
}

fn breakdown(it: &Breakdown, at: &impl Fn(Timestamp) -> String) -> Value {
    let amount = |value: Decimal| money(value, it.currency);
    context! {
        reference => it.reference.as_str(),
        as_of => at(it.usage_as_of),
        subscriptions => it.subscriptions.iter().map(|one| context! {
            id => one.id.as_str(), name => bare(&one.name, LONGEST), cost => amount(one.cost),
        }).collect::<Vec<_>>(),
        resources => it.resources.iter().map(|one| context! {
            subscription => one.subscription.as_deref().map(|text| bare(text, LONGEST)),
            group => one.resource_group.as_deref().map(|text| bare(text, LONGEST)),
            name => one.name.as_deref().map(|text| bare(text, LONGEST)),
            cost => one.cost.map(amount),
            percent => percent(one.percent),
        }).collect::<Vec<_>>(),
    }
}
