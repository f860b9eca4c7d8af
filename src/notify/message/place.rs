//! Where the money goes: the resource groups that cost most, as far as Partner Center told. What it
//! did not tell is left out.

use rust_decimal::Decimal;

use crate::domain::{ResourceCost, rounded};
use crate::notify::message::telling::AlertWording;
use crate::text::amounts::percent;
use crate::text::clean;

/// How much of one name is shown.
const NAME: usize = 60;
/// The second place is named from this share on, in percent.
const NAMED_FROM: i64 = 10;
/// "Most of it" is more than this, in percent.
const MOST: i64 = 50;

impl AlertWording<'_> {
    /// `Azure plan / subscription "Prod", resource group "ml-rg" 43,900 SEK · others 1,100 SEK`.
    pub(super) fn resources(&self) -> Option<String> {
        let resources = &self.alert.resources;
        let second = resources.get(1).filter(|second| second.percent >= Decimal::from(NAMED_FROM));
        let named: Vec<_> = resources
            .first()
            .into_iter()
            .chain(second)
            .filter(|one| place(one).is_some())
            .collect();
        let mut parts: Vec<String> = named
            .iter()
            .filter_map(|one| Some(format!("{} {}", place(one)?, self.share(one))))
            .collect();
        let within = named
            .first()
            .and_then(|first| first.subscription.as_deref())
            .map(|name| clean(name, NAME));
        if let (Some(first), Some(plan)) =
            (parts.first_mut(), self.plan().filter(|plan| Some(plan) != within.as_ref()))
        {
            first.insert_str(0, &format!("{plan} / "));
        }
        parts.extend(self.others(&named));
        (!named.is_empty()).then(|| parts.join(" · "))
    }

    /// Where more than half of the cost is: `Prod / ml-rg`, else the name of the costliest of
    /// several subscriptions.
    pub(super) fn most_of_it(&self) -> Option<String> {
        let name = |text: &str| {
            Some(clean(text, NAME))
                .filter(|text| !text.is_empty() && uuid::Uuid::try_parse(text).is_err())
        };
        let resource = self
            .alert
            .resources
            .first()
            .filter(|first| first.percent > Decimal::from(MOST) && self.is_most(first));
        let parts = resource.map(|first| {
            [
                &first.subscription,
                first.resource_group.as_ref().map_or(&first.name, |_| &first.resource_group),
            ]
        });
        let parts: Vec<String> =
            parts.into_iter().flatten().flatten().filter_map(|text| name(text)).collect();
        if !parts.is_empty() {
            return Some(parts.join(" / "));
        }
        let several = self.alert.subscription.is_none() && self.alert.subscriptions.len() > 1;
        self.alert.subscriptions.first().filter(|_| several).and_then(|first| name(&first.name))
    }

    /// Whether a resource group is most of all that the alert is about, not only of its plan.
    fn is_most(&self, first: &ResourceCost) -> bool {
        let half = self.alert.cost.amount.checked_div(Decimal::TWO).unwrap_or_default();
        first.cost.map_or(self.alert.subscriptions.len() < 2, |cost| cost > half)
    }

    /// The plan that was asked about, where the alert is about the whole customer.
    fn plan(&self) -> Option<String> {
        let plan =
            self.alert.subscriptions.first().filter(|_| self.alert.subscription.is_none())?;
        Some(clean(&plan.name, NAME)).filter(|name| !name.is_empty())
    }

    fn share(&self, one: &ResourceCost) -> String {
        one.cost.map_or_else(
            || format!("{} of it", percent(rounded(one.percent, 0))),
            |cost| self.money(cost),
        )
    }

    /// What the rest of the cost is; none where amounts are not known.
    fn others(&self, named: &[&ResourceCost]) -> Option<String> {
        let sum = named.iter().try_fold(Decimal::ZERO, |sum, one| sum.checked_add(one.cost?))?;
        let rest = self
            .alert
            .cost
            .amount
            .checked_sub(sum)
            .filter(|rest| rounded(*rest, 2) > Decimal::ZERO)?;
        Some(format!("others {}", self.money(rest)))
    }
}

/// `subscription "Prod", resource group "ml-rg"`; a resource outside of any group by its own name.
fn place(one: &ResourceCost) -> Option<String> {
    let quoted = |what: &str, name: &Option<String>| {
        let name = clean(name.as_deref()?, NAME);
        (!name.is_empty()).then(|| format!("{what} \"{name}\""))
    };
    let within =
        quoted("resource group", &one.resource_group).or_else(|| quoted("resource", &one.name));
    let parts: Vec<String> =
        quoted("subscription", &one.subscription).into_iter().chain(within).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
