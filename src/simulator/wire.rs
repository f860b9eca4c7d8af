//! Partner Center's JSON as it is on the wire: key order, indentation, names given twice, more
//! digits than a float has ("Get usage records for all customers" and its neighbours). Who is asked
//! for what is the endpoints' part.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::{Timestamp, Zoned};
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::simulator::{Answer, Request, SimCustomer, SimPlan, SimResource, SimSubscription};

/// The offer of an Azure plan and of a legacy subscription.
const PLAN_OFFER: &str = "DZH318Z0BPS6:0001:DZH318Z0BML6";
const LEGACY_OFFER: &str = "MS-AZR-0145P";

/// How answers are written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Form {
    /// Begin with a byte order mark, as the service was seen to.
    pub bom: bool,
    /// Pack the body where the client accepts it.
    pub gzip: bool,
    /// Without indentation, as the service answers; the documented examples are indented.
    pub compact: bool,
    /// Customers on one page; `None`: all on one.
    pub page_size: Option<usize>,
}

impl Form {
    /// An answer with this body, packed if the request allows it.
    #[expect(clippy::expect_used, reason = "constants of this program: its message says why")]
    pub(crate) fn answer(self, request: &Request, body: &impl Serialize) -> Answer {
        let mut bytes = if self.bom { b"\xef\xbb\xbf".to_vec() } else { Vec::new() };
        let indent: &[u8] = b"    ";
        let written = if self.compact {
            serde_json::to_writer(&mut bytes, body)
        } else {
            body.serialize(&mut serde_json::Serializer::with_formatter(
                &mut bytes,
                serde_json::ser::PrettyFormatter::with_indent(indent),
            ))
        };
        written.expect("plain structs of texts and numbers always become JSON");
        let packs = self.gzip
            && request.header("accept-encoding").is_some_and(|accepted| accepted.contains("gzip"));
        let answer = Answer::json(200, Vec::new());
        if packs {
            answer.with_header("Content-Encoding", "gzip").with_body(packed(&bytes))
        } else {
            answer.with_body(bytes)
        }
    }
}

#[expect(clippy::expect_used, reason = "constants of this program: its message says why")]
fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).and_then(|()| packer.finish()).expect("writing to memory does not fail")
}

/// A number with all its digits.
#[derive(Clone, Copy)]
struct Digits(Decimal);

impl Serialize for Digits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.to_string())
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

/// Up to seven fraction digits and a numeric offset.
fn date(at: Timestamp) -> String {
    let text = format!("{at:.7}");
    let digits = text.trim_end_matches('Z');
    let digits = if digits.contains('.') {
        digits.trim_end_matches('0').trim_end_matches('.')
    } else {
        digits
    };
    format!("{digits}+00:00")
}

fn midnight(day: &Zoned) -> String {
    day.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Attributes {
    object_type: &'static str,
}

fn attributes(object_type: &'static str) -> Attributes {
    Attributes { object_type }
}

#[derive(Serialize)]
struct Budget {
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<Digits>,
    attributes: Attributes,
}

impl Budget {
    fn of(amount: Option<Decimal>) -> Self {
        Self { amount: amount.map(Digits), attributes: attributes("SpendingBudget") }
    }
}

/// What every usage record shares: a plan has a currency, a legacy customer only a culture.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Cost<'a> {
    #[serde(rename = "totalCost")]
    total: Digits,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency_locale: Option<&'a str>,
    #[serde(rename = "usdTotalCost", skip_serializing_if = "Option::is_none")]
    in_usd: Option<Digits>,
    last_modified_date: String,
}

impl<'a> Cost<'a> {
    fn of(customer: &'a SimCustomer, total: Decimal) -> Self {
        let (currency_code, currency_locale) = match &customer.plan {
            SimPlan::AzurePlan { currency, .. } => (Some(currency.as_str()), None),
            SimPlan::Legacy { locale, .. } => (None, Some(locale.as_str())),
        };
        let in_usd = Some(Digits(customer.usd(total)));
        Self {
            total: Digits(total),
            currency_code,
            currency_locale,
            in_usd,
            last_modified_date: date(customer.usage_as_of),
        }
    }
}

/// `id` and `name`, both given twice.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Named<'a> {
    resource_id: &'a str,
    id: &'a str,
    resource_name: &'a str,
    name: &'a str,
}

impl<'a> Named<'a> {
    fn of(id: &'a str, name: &'a str) -> Self {
        Self { resource_id: id, id, resource_name: name, name }
    }
}

/// `CustomerMonthlyUsageRecord`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CustomerRecord<'a> {
    budget: Budget,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_spending_budget: Option<Budget>,
    percent_used: Digits,
    is_upgraded: bool,
    #[serde(flatten)]
    named: Named<'a>,
    #[serde(flatten)]
    cost: Cost<'a>,
    attributes: Attributes,
}

impl<'a> CustomerRecord<'a> {
    pub(crate) fn of(customer: &'a SimCustomer) -> Self {
        let is_upgraded = matches!(customer.plan, SimPlan::AzurePlan { .. });
        Self {
            budget: Budget::of(customer.budget),
            customer_spending_budget: (!is_upgraded).then(|| Budget::of(customer.budget)),
            percent_used: Digits(customer.percent_used()),
            is_upgraded,
            named: Named::of(&customer.id, &customer.name),
            cost: Cost::of(customer, customer.cost),
            attributes: attributes("CustomerMonthlyUsageRecord"),
        }
    }
}

/// `SubscriptionMonthlyUsageRecord`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionRecord<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    partner_on_record: Option<&'static str>,
    offer_id: &'static str,
    #[serde(flatten)]
    named: Named<'a>,
    #[serde(flatten)]
    cost: Cost<'a>,
    attributes: Attributes,
}

impl<'a> SubscriptionRecord<'a> {
    pub(crate) fn of(customer: &'a SimCustomer, subscription: &'a SimSubscription) -> Self {
        let plan = matches!(customer.plan, SimPlan::AzurePlan { .. });
        Self {
            status: "active",
            partner_on_record: plan.then_some("some-id"),
            offer_id: if plan { PLAN_OFFER } else { LEGACY_OFFER },
            named: Named::of(&subscription.id, &subscription.name),
            cost: Cost::of(customer, subscription.cost),
            attributes: attributes("SubscriptionMonthlyUsageRecord"),
        }
    }
}

/// `ResourceUsageRecord`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResourceRecord<'a> {
    subscription_id: &'a str,
    resource_uri: String,
    resource_type: &'static str,
    entitlement_id: &'a str,
    entitlement_name: &'a str,
    resource_group_name: &'a str,
    name: &'a str,
    resource_name: &'a str,
    #[serde(flatten)]
    cost: Cost<'a>,
    attributes: Attributes,
}

impl<'a> ResourceRecord<'a> {
    pub(crate) fn of(
        customer: &'a SimCustomer,
        plan: &'a SimSubscription,
        resource: &'a SimResource,
    ) -> Self {
        let kind = "Microsoft.Compute/virtualMachines";
        let SimResource { subscription, group, name, cost } = resource;
        Self {
            subscription_id: &plan.id,
            resource_uri: format!(
                "/subscriptions/{}/resourceGroups/{group}/providers/{kind}/{name}",
                plan.id
            ),
            resource_type: kind,
            entitlement_id: &plan.id,
            entitlement_name: subscription,
            resource_group_name: group,
            name,
            resource_name: name,
            cost: Cost::of(customer, *cost),
            attributes: attributes("ResourceUsageRecord"),
        }
    }
}

/// `SubscriptionUsageSummary`: a plan's has each name once, a legacy one twice and no cost in
/// dollars.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary<'a> {
    resource_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    resource_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    billing_start_date: String,
    billing_end_date: String,
    #[serde(flatten)]
    cost: Cost<'a>,
    links: Links,
    attributes: Attributes,
}

impl<'a> Summary<'a> {
    /// None where the calendar has no such dates.
    pub(crate) fn of(
        customer: &'a SimCustomer,
        subscription: &'a SimSubscription,
        path: &str,
    ) -> Option<Self> {
        let legacy = matches!(customer.plan, SimPlan::Legacy { .. });
        let (start, end) = customer.billing_dates()?;
        let mut cost = Cost::of(customer, subscription.cost);
        cost.in_usd = cost.in_usd.filter(|_| !legacy);
        Some(Self {
            resource_id: &subscription.id,
            id: legacy.then_some(subscription.id.as_str()),
            resource_name: &subscription.name,
            name: legacy.then_some(subscription.name.as_str()),
            billing_start_date: midnight(&start),
            billing_end_date: midnight(&end),
            cost,
            links: Links { this: link(path), next: None },
            attributes: attributes("SubscriptionUsageSummary"),
        })
    }
}

#[derive(Serialize)]
struct Links {
    #[serde(rename = "self")]
    this: Link,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Link>,
}

#[derive(Serialize)]
struct Link {
    uri: String,
    method: &'static str,
    headers: Vec<LinkHeader>,
}

#[derive(Serialize)]
struct LinkHeader {
    key: &'static str,
    value: String,
}

/// A link as it is written: without `/v1`.
fn link(path: &str) -> Link {
    Link {
        uri: path.strip_prefix("/v1").unwrap_or(path).to_owned(),
        method: "GET",
        headers: Vec::new(),
    }
}

/// `Collection`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Collection<T> {
    total_count: usize,
    items: Vec<T>,
    links: Links,
    attributes: Attributes,
}

impl<T> Collection<T> {
    pub(crate) fn of(items: Vec<T>, path: &str) -> Self {
        let links = Links { this: link(path), next: None };
        Self { total_count: items.len(), items, links, attributes: attributes("Collection") }
    }

    /// The same with a link to the next page of `size` items, and the token that must come back
    /// with it.
    pub(crate) fn with_next(mut self, path: &str, size: usize, token: String) -> Self {
        let next = link(&format!("{path}?size={size}&seekOperation=Next"));
        self.links.next = Some(Link {
            headers: vec![LinkHeader { key: "MS-ContinuationToken", value: token }],
            ..next
        });
        self
    }
}
