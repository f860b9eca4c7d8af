//! Asks what the single resources of an Azure plan have cost, and adds them up by resource group
//! while the answer comes in. Which customers are asked about, and what is said of the sums, is
//! decided elsewhere.

use std::collections::{BTreeSet, HashMap, HashSet};

use rust_decimal::Decimal;

use crate::domain::{Currency, CustomerId};
use crate::source::SourceError;
use crate::source::call::{Call, Endpoint};
use crate::source::client::Client;
use crate::source::links::{self, PageLink};
use crate::source::pages::{next, try_page};
use crate::source::scan::ItemSink;
use crate::source::wire::{
    Raw, RawFields, either, number, object_at_start, object_of, repaired, text,
};

/// What a page may unpack to, in bytes. Nothing of it is kept, so that the cap only ends what never
/// ends.
const PAGE_CAP: u64 = 1 << 30;
/// One plan's resources do not fill more pages than this.
const MOST_PAGES: usize = 1_000;
/// How many resource groups are told apart; of more, the cheaper half counts as the rest.
const MOST_GROUPS: usize = 20_000;
/// How much of a name is kept, in characters.
const NAME: usize = 200;
/// How many resource groups are handed out.
const HANDED_OUT: usize = 5;

/// What one resource group of an Azure subscription has cost in the current period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceGroupUsage {
    /// The Azure subscription: its name, else its id; empty when neither is given.
    pub subscription: String,
    /// The resource group; empty for a resource that names none.
    pub group: String,
    /// Its costliest resource; may be empty.
    pub resource: String,
    /// The sum of its resources.
    pub cost: Decimal,
}

/// What the resources of one plan have cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResourceUsage {
    /// The costliest resource groups, the costliest first.
    pub groups: Vec<ResourceGroupUsage>,
    /// The sum of all resources.
    pub total: Decimal,
    /// The currencies that were named; more than one cannot be added up.
    pub currencies: BTreeSet<Currency>,
}

/// `GET /v1/customers/{id}/subscriptions/{plan-id}/resourceusagerecords` ("Get usage data for
/// subscription by resource").
pub(crate) async fn resources(
    client: &Client,
    customer: &CustomerId,
    plan: &str,
) -> Result<ResourceUsage, SourceError> {
    let mut link = PageLink::first(client.address(&[
        "customers",
        customer.as_str(),
        "subscriptions",
        plan,
        "resourceusagerecords",
    ]));
    let (mut all, mut seen) = (Sums::default(), HashSet::new());
    while seen.len() < MOST_PAGES {
        if !seen.insert(link.identity()) {
            return Err(SourceError::Link {
                reason: "it leads to a page that was read before".into(),
            });
        }
        let mut call = Call::new(Endpoint::ResourceUsage);
        let (page, outline) = loop {
            let mut sums = Sums::default();
            match try_page(client, &link, &mut call, PAGE_CAP, &mut sums).await {
                Ok(outline) => break (sums, outline),
                Err(error) if client.wait_after(&error, &mut call).await => {}
                Err(error) => return Err(error),
            }
        };
        all.add(page);
        match next(&outline)? {
            Some(next) => link = links::resolve(client.base(), &next)?,
            None => return Ok(all.largest()),
        }
    }
    Err(SourceError::Link { reason: format!("there were {MOST_PAGES} pages before it") })
}

/// The fields of a `ResourceUsageRecord` that are read.
#[derive(Debug, Default)]
struct WireResource<'a> {
    entitlement_id: Raw<'a>,
    entitlement_name: Raw<'a>,
    group: Raw<'a>,
    uri: Raw<'a>,
    kind: Raw<'a>,
    category: Raw<'a>,
    name: Raw<'a>,
    resource_name: Raw<'a>,
    total_cost: Raw<'a>,
    currency_code: Raw<'a>,
}

impl<'a> RawFields<'a> for WireResource<'a> {
    fn slot(&mut self, name: &str) -> Option<&mut Raw<'a>> {
        Some(match name {
            "entitlementId" => &mut self.entitlement_id,
            "entitlementName" => &mut self.entitlement_name,
            "resourceGroupName" => &mut self.group,
            "resourceUri" => &mut self.uri,
            "resourceType" => &mut self.kind,
            "category" => &mut self.category,
            "name" => &mut self.name,
            "resourceName" => &mut self.resource_name,
            "totalCost" => &mut self.total_cost,
            "currencyCode" => &mut self.currency_code,
            _ => return None,
        })
    }
}

/// What one resource group adds up to.
#[derive(Debug)]
struct Sum {
    usage: ResourceGroupUsage,
    /// The cost of its costliest resource.
    costliest: Decimal,
}

/// The sums of a page, or of all of them.
#[derive(Debug, Default)]
struct Sums {
    groups: HashMap<(String, String), Sum>,
    total: Decimal,
    currencies: BTreeSet<Currency>,
}

impl Sums {
    fn take(&mut self, wire: &WireResource<'_>) {
        let Some(Ok(cost)) = number(wire.total_cost, &mut || ()) else { return };
        // Two are enough to know that they cannot be added up.
        if let Some(currency) =
            text(wire.currency_code).and_then(|code| Currency::try_new(&code).ok())
            && self.currencies.len() < 2
        {
            self.currencies.insert(currency);
        }
        let resource = either(wire.resource_name, wire.name)
            .or_else(|| either(wire.kind, wire.category))
            .unwrap_or_default();
        let group = text(wire.group).filter(|group| !group.trim().is_empty());
        let group = group
            .or_else(|| {
                text(wire.uri).and_then(|uri| group_in(&uri).map(|group| group.to_owned().into()))
            })
            .unwrap_or_default();
        let subscription = either(wire.entitlement_name, wire.entitlement_id).unwrap_or_default();
        let usage = ResourceGroupUsage {
            subscription: clipped(&subscription),
            group: clipped(&group),
            resource: clipped(&resource),
            cost,
        };
        self.total = self.total.saturating_add(cost);
        self.put(Sum { usage, costliest: cost });
    }

    /// Adds to the sum of a resource group; a resource without one stands for itself.
    fn put(&mut self, sum: Sum) {
        let place = if sum.usage.group.is_empty() {
            format!(" {}", sum.usage.resource)
        } else {
            sum.usage.group.to_lowercase()
        };
        let Some(known) =
            self.groups.get_mut(&(sum.usage.subscription.to_lowercase(), place.clone()))
        else {
            if self.groups.len() >= MOST_GROUPS {
                self.drop_cheaper_half();
            }
            self.groups.insert((sum.usage.subscription.to_lowercase(), place), sum);
            return;
        };
        known.usage.cost = known.usage.cost.saturating_add(sum.usage.cost);
        if sum.costliest > known.costliest {
            known.costliest = sum.costliest;
            known.usage.resource = sum.usage.resource;
        }
    }

    fn drop_cheaper_half(&mut self) {
        let mut costs: Vec<Decimal> = self.groups.values().map(|sum| sum.usage.cost).collect();
        costs.sort_unstable();
        let middle = costs.get(costs.len() / 2).copied().unwrap_or_default();
        let above = costs.iter().filter(|cost| **cost > middle).count();
        let mut room = (costs.len() / 2).saturating_sub(above);
        self.groups.retain(|_, sum| {
            let as_much = sum.usage.cost == middle && room > 0;
            room = room.saturating_sub(usize::from(as_much));
            sum.usage.cost > middle || as_much
        });
    }

    fn add(&mut self, page: Self) {
        self.total = self.total.saturating_add(page.total);
        self.currencies.extend(page.currencies);
        page.groups.into_values().for_each(|sum| self.put(sum));
    }

    fn largest(self) -> ResourceUsage {
        let mut groups: Vec<_> = self
            .groups
            .into_values()
            .map(|sum| sum.usage)
            .filter(|usage| usage.cost > Decimal::ZERO)
            .collect();
        groups.sort_by(|a, b| {
            b.cost
                .cmp(&a.cost)
                .then_with(|| (&a.subscription, &a.group).cmp(&(&b.subscription, &b.group)))
        });
        groups.truncate(HANDED_OUT);
        ResourceUsage { groups, total: self.total, currencies: self.currencies }
    }
}

impl ItemSink for Sums {
    fn at_start(&mut self, bytes: &[u8]) -> Option<usize> {
        let (wire, taken) = object_at_start(bytes)?;
        self.take(&wire);
        Some(taken)
    }

    fn whole(&mut self, item: &[u8]) {
        if let Some(wire) = object_of(&repaired(item)) {
            self.take(&wire);
        }
    }

    fn too_large(&mut self, _start: &[u8]) {}
}

/// The resource group in the address of a resource:
/// `/subscriptions/{id}/resourceGroups/{group}/providers/…`.
fn group_in(uri: &str) -> Option<&str> {
    let mut parts = uri.split('/').skip_while(|part| !part.eq_ignore_ascii_case("resourcegroups"));
    parts.nth(1).filter(|group| !group.trim().is_empty())
}

fn clipped(name: &str) -> String {
    name.trim().chars().take(NAME).collect()
}
