//! What an import changes about a customer, in words, and what the next poll would raise then.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::alerting::RememberedCustomer;
use crate::budgets::{LocalBudget, LocalCustomer, LocalSubscription};
use crate::cli::text::clean;
use crate::config::Config;
use crate::domain::{Currency, Severity, canonical, grouped};
use crate::listings::Scale;

/// An alert that the next poll would raise.
pub(super) struct Raised {
    pub(super) rule: String,
    pub(super) threshold: Decimal,
    pub(super) value: Option<Decimal>,
    /// The step and the value in words.
    pub(super) told: String,
    pub(super) severity: Severity,
    pub(super) notify: Vec<String>,
}

/// What the next poll would raise about a customer if its usage stayed as it was last seen.
pub(super) fn raised(
    config: &Config,
    remembered: &RememberedCustomer,
    now: Timestamp,
) -> Vec<Raised> {
    // A budget changes nothing about the age of the data.
    let time = crate::alerting::AsOf { now, newest: None };
    let explanation =
        crate::analysis::explain(&config.budgets, &config.rules, remembered, &[], time);
    let raises = explanation.rules.iter().filter_map(|account| account.raise.as_ref());
    raises
        .map(|raise| {
            let scale =
                Scale { metric: raise.rule.metric, currency: explanation.assessed.currency };
            let value = scale.value_or_over_zero(raise.value);
            Raised {
                rule: raise.rule.name.to_string(),
                threshold: canonical(raise.at),
                value: raise.value.canonical().number(),
                told: format!("step {}, {value}", scale.step(raise.at)),
                severity: raise.severity,
                notify: raise.notify.iter().map(ToString::to_string).collect(),
            }
        })
        .collect()
}

/// What differs about a customer itself, whose usage is in the currency `known`.
pub(super) fn of_customer(
    before: Option<&LocalCustomer>,
    after: Option<&LocalCustomer>,
    known: Option<Currency>,
) -> Vec<String> {
    let nobody = LocalCustomer::default();
    let (before, after) = (before.unwrap_or(&nobody), after.unwrap_or(&nobody));
    let (old, new) = (&before.profile, &after.profile);
    let mut changes = Vec::new();
    changes.extend(changed("budget", &budget(before.budget), &budget(after.budget)));
    // Beside a budget it is the budget's.
    if before.budget.is_none() && after.budget.is_none() {
        changes.extend(changed(
            "currency",
            &currency(before.currency.or(known)),
            &currency(after.currency.or(known)),
        ));
    }
    changes.extend(changed("label", &label(old.label.as_ref()), &label(new.label.as_ref())));
    changes.extend(changed("owner", &label(old.owner.as_ref()), &label(new.owner.as_ref())));
    changes.extend(list("tags", &old.tags, &new.tags));
    changes.extend(list("contacts", &old.contacts, &new.contacts));
    changes.extend(list("notify", &old.notify, &new.notify));
    changes.extend(list("mute_rules", &old.mute_rules, &new.mute_rules));
    changes
}

/// What differs about a subscription.
pub(super) fn of_subscription(
    before: Option<&LocalSubscription>,
    after: Option<&LocalSubscription>,
) -> Vec<String> {
    let amount = |subscription: Option<&LocalSubscription>| {
        budget(subscription.map(|subscription| subscription.budget))
    };
    let name = |subscription: Option<&LocalSubscription>| {
        label(subscription.and_then(|subscription| subscription.label.as_ref()))
    };
    let changes = [
        changed("budget", &amount(before), &amount(after)),
        changed("label", &name(before), &name(after)),
    ];
    changes.into_iter().flatten().collect()
}

fn changed(what: &str, before: &str, after: &str) -> Option<String> {
    (before != after).then(|| format!("{what} {before} → {after}"))
}

fn list<T: AsRef<str>>(what: &str, before: &[T], after: &[T]) -> Option<String> {
    let all =
        |list: &[T]| list.iter().map(|item| item.as_ref().to_owned()).collect::<BTreeSet<_>>();
    let shown = |list: &[T]| {
        let items: Vec<String> = list.iter().map(|item| clean(item.as_ref())).collect();
        if items.is_empty() { "none".to_owned() } else { items.join(", ") }
    };
    (all(before) != all(after)).then(|| format!("{what} {} → {}", shown(before), shown(after)))
}

/// `500 SEK`, or `none`.
pub(super) fn budget(budget: Option<LocalBudget>) -> String {
    budget.map_or("none".to_owned(), |budget| {
        format!("{} {}", grouped(&canonical(budget.amount).to_string()), budget.currency)
    })
}

fn currency(currency: Option<Currency>) -> String {
    currency.map_or("unknown".to_owned(), |currency| currency.to_string())
}

fn label(label: Option<&String>) -> String {
    label.map_or("none".to_owned(), |label| format!("\"{}\"", clean(label)))
}
