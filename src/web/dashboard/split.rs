//! Where a customer's money goes: by subscription and resource group, as the newest alert that was
//! asked for it has it.

use crate::domain::{Alert, percent_of};
use crate::listings::story::Story;
use crate::text::{clean, moment, money, percent};
use crate::web::look::Look;

/// The parts of the cost.
pub(super) struct Split {
    /// Of which date they are.
    pub(super) as_of: String,
    /// By what, and the parts.
    pub(super) tables: Vec<(&'static str, Vec<Part>)>,
}

/// A part of the cost.
pub(super) struct Part {
    pub(super) name: String,
    pub(super) cost: String,
    pub(super) share: String,
}

/// The newest that is known; none where no alert of the period was asked for it.
pub(super) fn split(story: &Story, look: &Look) -> Option<Split> {
    let alerts = story.alerts.iter().map(|alert| &alert.row.snapshot.alert);
    let known = |alert: &&Alert| !alert.subscriptions.is_empty() || !alert.resources.is_empty();
    let alert = alerts.into_iter().find(known)?;
    let subscriptions = alert.subscriptions.iter().map(|one| {
        let name = if one.name.is_empty() { &one.id } else { &one.name };
        part(alert, clean(name, 80), Some(one.cost))
    });
    let groups = alert.resources.iter().map(|one| {
        let names = [one.subscription.as_deref(), one.resource_group.as_deref()];
        let names: Vec<String> = names.into_iter().flatten().map(|name| clean(name, 60)).collect();
        part(alert, names.join(" / "), one.cost)
    });
    let as_of = moment(alert.usage_as_of.instant(), look.now, look.zone());
    let tables: [(_, Vec<Part>); 2] =
        [("Subscription", subscriptions.collect()), ("Resource group", groups.collect())];
    let tables = tables.into_iter().filter(|(_, parts)| !parts.is_empty()).collect();
    Some(Split { as_of, tables })
}

fn part(alert: &Alert, name: String, cost: Option<rust_decimal::Decimal>) -> Part {
    let share = cost.and_then(|cost| percent_of(cost, alert.cost.amount));
    Part {
        name,
        cost: cost.map(|cost| money(cost, alert.cost.currency)).unwrap_or_default(),
        share: share.map(percent).unwrap_or_default(),
    }
}
