//! Microsoft's audit records: who has changed the budget of a customer in Partner Center, as far as
//! they say. Which of the changes are ours is told elsewhere.

use std::collections::HashSet;

use jiff::Timestamp;
use jiff::civil::Date;
use reqwest::Url;
use serde_json::json;
use uuid::Uuid;

use crate::domain::{CustomerId, CustomerKey, UsageDate, parse_wire_number};
use crate::source::SourceError;
use crate::source::budget::SpendingBudget;
use crate::source::call::{Call, Endpoint};
use crate::source::client::Client;
use crate::source::links::{self, PageLink};
use crate::source::pages::{next, try_page};
use crate::source::scan::ItemSink;
use crate::source::wire::{Raw, RawFields, given, object, text};

/// What one page may unpack to, in bytes.
const PAGE_CAP: u64 = 256 << 20;
/// How many pages are read: the records of one customer.
const MOST_PAGES: usize = 40;
/// How many records a page is asked for: the most there can be.
const PAGE_SIZE: &str = "500";
/// How many changes are kept.
const MOST_KEPT: usize = 1000;
/// How much of a name is kept, in characters.
const NAME: usize = 200;

/// A change of a customer's budget by somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditedChange {
    /// Whose it was: a user by name, else an application by id or name; as received.
    pub by: Option<String>,
    /// When it was made.
    pub at: Option<Timestamp>,
    /// The budget since then; unreadable where the record does not say.
    pub budget: SpendingBudget,
    /// `MS-CorrelationId` of the call.
    pub correlation: Option<Uuid>,
}

/// `AuditRecord`.
#[derive(Debug, Default)]
struct WireRecord<'a> {
    customer: Raw<'a>,
    user: Raw<'a>,
    application: Raw<'a>,
    new_value: Raw<'a>,
    operation: Raw<'a>,
    correlation: Raw<'a>,
    date: Raw<'a>,
    status: Raw<'a>,
}

impl<'a> RawFields<'a> for WireRecord<'a> {
    fn slot(&mut self, name: &str) -> Option<&mut Raw<'a>> {
        Some(match name {
            "customerId" => &mut self.customer,
            "userPrincipalName" => &mut self.user,
            "applicationId" => &mut self.application,
            "resourceNewValue" => &mut self.new_value,
            "operationType" => &mut self.operation,
            "originalCorrelationId" => &mut self.correlation,
            "operationDate" => &mut self.date,
            "operationStatus" => &mut self.status,
            _ => return None,
        })
    }
}

/// What a record of a budget holds, in the form of the request.
#[derive(Debug, Default)]
struct WireAmount<'a> {
    amount: Raw<'a>,
}

impl<'a> RawFields<'a> for WireAmount<'a> {
    fn slot(&mut self, name: &str) -> Option<&mut Raw<'a>> {
        name.eq_ignore_ascii_case("amount").then_some(&mut self.amount)
    }
}

/// `GET /v1/auditrecords`, page by page: the changes of a customer's budget since a UTC day.
pub(crate) async fn budget_changes(
    client: &Client,
    customer: &CustomerId,
    since: Date,
) -> Result<Vec<AuditedChange>, SourceError> {
    let mut link = PageLink::first(address(client, customer, since));
    let (mut seen, mut found) = (HashSet::new(), Vec::new());
    while seen.len() < MOST_PAGES {
        if !seen.insert(link.identity()) {
            let reason = "it leads to a page that was read before".to_owned();
            return Err(SourceError::Link { reason });
        }
        let leads_to = page(client, &link, &customer.key(), &mut found).await?;
        match leads_to {
            Some(next) => link = links::resolve(client.base(), &next)?,
            None => return Ok(found),
        }
    }
    Err(SourceError::Link { reason: format!("there were {MOST_PAGES} pages before it") })
}

/// There is no filter by operation.
fn address(client: &Client, customer: &CustomerId, since: Date) -> Url {
    let mut url = client.address(&["auditrecords"]);
    let filter = json!({ "Field": "CustomerId", "Value": customer.as_str(), "Operator": "equals" });
    url.query_pairs_mut()
        .append_pair("startDate", &since.to_string())
        .append_pair("size", PAGE_SIZE)
        .append_pair("filter", &filter.to_string());
    url
}

/// One page, with its tries.
async fn page(
    client: &Client,
    link: &PageLink,
    customer: &CustomerKey,
    found: &mut Vec<AuditedChange>,
) -> Result<Option<serde_json::Value>, SourceError> {
    let mut call = Call::new(Endpoint::AuditRecords);
    loop {
        let mut sink = Changes { customer, kept: Vec::new() };
        match try_page(client, link, &mut call, PAGE_CAP, &mut sink).await {
            Ok(outline) => {
                found.append(&mut sink.kept);
                found.truncate(MOST_KEPT);
                return next(&outline);
            }
            Err(error) if client.wait_after(&error, &mut call).await => {}
            Err(error) => return Err(error),
        }
    }
}

/// Keeps what is a change of this customer's budget; what cannot be read is passed over.
struct Changes<'a> {
    customer: &'a CustomerKey,
    kept: Vec<AuditedChange>,
}

impl ItemSink for Changes<'_> {
    fn at_start(&mut self, _bytes: &[u8]) -> Option<usize> {
        None
    }

    fn whole(&mut self, item: &[u8]) {
        if self.kept.len() < MOST_KEPT {
            self.kept.extend(object(item).and_then(|record| change(&record, self.customer)));
        }
    }

    fn too_large(&mut self, _start: &[u8]) {}
}

/// The change of the customer's budget that a record is about, if it is one and was made.
fn change(record: &WireRecord<'_>, customer: &CustomerKey) -> Option<AuditedChange> {
    // `update_customer_spending_budget`, and without the bars in the example of the page.
    let operation = text(record.operation)?.replace('_', "");
    let is_budget = operation.eq_ignore_ascii_case("updatecustomerspendingbudget");
    let is_own = text(record.customer).is_some_and(|id| CustomerKey::of(&id) == *customer);
    let has_failed = text(record.status).is_some_and(|word| word.eq_ignore_ascii_case("failed"));
    if !is_budget || !is_own || has_failed {
        return None;
    }
    let name = |raw| text(raw).filter(|name| !name.trim().is_empty());
    let application = || name(record.application).map(|id| format!("the application {id}"));
    let by = name(record.user).map(std::borrow::Cow::into_owned).or_else(application);
    Some(AuditedChange {
        by: by.map(|by| by.chars().take(NAME).collect()),
        at: text(record.date).and_then(|date| UsageDate::parse(&date)).map(UsageDate::instant),
        budget: text(record.new_value).map_or(SpendingBudget::Unreadable, |value| budget(&value)),
        correlation: text(record.correlation).and_then(|id| id.trim().parse().ok()),
    })
}

/// The budget in the JSON that a record holds as a text.
fn budget(value: &str) -> SpendingBudget {
    let Some(WireAmount { amount: Some(amount) }) = object(value.as_bytes()) else {
        return SpendingBudget::Unreadable;
    };
    match given(Some(amount)).map(parse_wire_number) {
        None => SpendingBudget::None,
        Some(Ok(number)) if !number.rounded => SpendingBudget::Amount(number.value),
        Some(_) => SpendingBudget::Unreadable,
    }
}
