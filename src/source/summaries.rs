//! Asks about one customer: what each subscription has cost, and the billing period and cost of one
//! of them. Who is asked about, and what follows from the answer, is decided elsewhere.

use rust_decimal::Decimal;

use crate::domain::{Currency, CustomerId, SummaryDates, UsageDate};
use crate::source::call::{Call, Endpoint};
use crate::source::client::Client;
use crate::source::links::{self, PageLink};
use crate::source::pages::{next, try_page};
use crate::source::record;
use crate::source::scan::ItemSink;
use crate::source::wire::{
    WireUsage, either, is_whole_object, number, object_at_start, object_of, repaired, text,
};
use crate::source::{Place, SourceError};

/// What an answer about one customer may unpack to, in bytes.
const CAP: u64 = 4 << 20;
/// One customer's subscriptions do not fill more pages than this.
const MOST_PAGES: usize = 20;

/// What one subscription has cost in the current period (`SubscriptionMonthlyUsageRecord`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionUsage {
    /// Its id as received.
    pub id: String,
    /// Its name as received; may be empty.
    pub name: String,
    /// `totalCost`, in the customer's currency.
    pub cost: Decimal,
    /// `usdTotalCost`; none where it is 0 beside a cost above 0.
    pub usd_cost: Option<Decimal>,
    /// `currencyCode`.
    pub currency: Option<Currency>,
    /// `lastModifiedDate`, where it is a usable date.
    pub usage_as_of: Option<UsageDate>,
}

/// The usage of one subscription in the current period (`SubscriptionUsageSummary`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscriptionSummary {
    /// The billing period as written.
    pub dates: SummaryDates,
    /// `totalCost`, in the customer's currency.
    pub cost: Decimal,
}

/// `GET /v1/customers/{id}/subscriptions/usagerecords`, the costliest first; unusable items are
/// left out.
pub(crate) async fn subscriptions(
    client: &Client,
    customer: &CustomerId,
) -> Result<Vec<SubscriptionUsage>, SourceError> {
    let mut link = PageLink::first(client.address(&[
        "customers",
        customer.as_str(),
        "subscriptions",
        "usagerecords",
    ]));
    let mut all = Vec::new();
    for _ in 0..MOST_PAGES {
        let mut call = Call::new(Endpoint::Subscriptions);
        let (found, outline) = loop {
            let mut sink = SubscriptionSink::default();
            match try_page(client, &link, &mut call, CAP, &mut sink).await {
                Ok(outline) => break (sink.0, Some(outline)),
                Err(error) if means_no_usage(&error) => break (Vec::new(), None),
                Err(error) if client.wait_after(&error, &mut call).await => {}
                Err(error) => return Err(error),
            }
        };
        all.extend(found);
        match outline.as_ref().map(next).transpose()?.flatten() {
            Some(next) => link = links::resolve(client.base(), &next)?,
            None => break,
        }
    }
    all.sort_by(|a, b| b.cost.cmp(&a.cost).then_with(|| a.id.cmp(&b.id)));
    Ok(all)
}

/// `GET /v1/customers/{id}/subscriptions/{subscription-id}/usagesummary`; for an Azure plan the id
/// of the plan.
pub(crate) async fn summary(
    client: &Client,
    customer: &CustomerId,
    subscription: &str,
) -> Result<Option<SubscriptionSummary>, SourceError> {
    let link = PageLink::first(client.address(&[
        "customers",
        customer.as_str(),
        "subscriptions",
        subscription,
        "usagesummary",
    ]));
    let mut call = Call::new(Endpoint::UsageSummary);
    let body = loop {
        match body(client, &link, &mut call).await {
            Ok(body) => break body,
            Err(error) if means_no_usage(&error) => return Ok(None),
            Err(error) if client.wait_after(&error, &mut call).await => {}
            Err(error) => return Err(error),
        }
    };
    Ok(parse_summary(body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&body)))
}

async fn body(client: &Client, link: &PageLink, call: &mut Call) -> Result<Vec<u8>, SourceError> {
    let body = client.whole(link, call, CAP).await?;
    let is_nothing = matches!(body.trim_ascii(), b"" | b"null");
    if is_nothing || is_whole_object(repaired(&body).trim_start_matches('\u{feff}')) {
        return Ok(body);
    }
    Err(SourceError::Garbled {
        place: Place::PartnerCenter,
        reason: "the answer is garbled JSON".into(),
    })
}

fn parse_summary(body: &[u8]) -> Option<SubscriptionSummary> {
    let fix = repaired(body);
    let wire: WireUsage<'_> = object_of(&fix)?;
    let dates = SummaryDates::parse(&text(wire.billing_start)?, &text(wire.billing_end)?)?;
    Some(SubscriptionSummary { dates, cost: number(wire.total_cost, &mut || ())?.ok()? })
}

/// A customer without Azure usage is answered 404, or with the code 3000 and a sentence that says
/// so.
fn means_no_usage(error: &SourceError) -> bool {
    let (SourceError::Refused { reason, .. } | SourceError::Unavailable { reason, .. }) = error
    else {
        return false;
    };
    matches!(error, SourceError::Refused { status: 404, .. })
        || reason.to_ascii_lowercase().contains("does not have usage data")
}

#[derive(Default)]
struct SubscriptionSink(Vec<SubscriptionUsage>);

impl SubscriptionSink {
    fn take(&mut self, wire: &WireUsage<'_>) {
        let cost = number(wire.total_cost, &mut || ());
        if let (Some(id), Some(Ok(cost))) = (either(wire.resource_id, wire.id), cost) {
            let name = either(wire.resource_name, wire.name).unwrap_or_default().into_owned();
            self.0.push(SubscriptionUsage {
                id: id.into_owned(),
                name,
                cost,
                usd_cost: record::usd_cost(wire.usd_total_cost, cost, &mut |_| ()),
                currency: text(wire.currency_code).and_then(|code| Currency::try_new(&code).ok()),
                usage_as_of: text(wire.last_modified).and_then(|date| UsageDate::parse(&date)),
            });
        }
    }
}

impl ItemSink for SubscriptionSink {
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
