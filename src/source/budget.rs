//! The one budget that Partner Center has for a customer and a month (`usagebudget`): reads it, and
//! asks once to change it. Whether it may be changed, and what follows from the answer, is decided
//! elsewhere.

use rust_decimal::Decimal;
use uuid::Uuid;

use crate::domain::{CustomerId, parse_wire_number};
use crate::source::SourceError;
use crate::source::call::{Call, Endpoint};
use crate::source::client::Client;
use crate::source::links::PageLink;
use crate::source::wire::{WireAttributes, WireBudget, given, object, text};

/// What an answer may unpack to, in bytes.
const CAP: u64 = 64 << 10;

/// What Partner Center says of a customer's budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpendingBudget {
    /// There is none.
    None,
    /// The amount, exactly, in the currency of the customer's usage. 0 is an amount.
    Amount(Decimal),
    /// The answer cannot be read: it says neither that there is a budget nor that there is none.
    Unreadable,
}

/// The ids of a change, which are the caller's: it has written them down before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeIds {
    /// `MS-RequestId`: the same for every try of one change.
    pub request: Uuid,
    /// `MS-CorrelationId`: new for every try.
    pub correlation: Uuid,
}

fn link(client: &Client, customer: &CustomerId) -> PageLink {
    PageLink::first(client.address(&["customers", customer.as_str(), "usagebudget"]))
}

/// `GET /v1/customers/{id}/usagebudget`.
pub(crate) async fn get(
    client: &Client,
    customer: &CustomerId,
) -> Result<SpendingBudget, SourceError> {
    let link = link(client, customer);
    let mut call = Call::new(Endpoint::UsageBudget);
    loop {
        match client.whole(&link, &mut call, CAP).await {
            Ok(body) => return Ok(parsed(&body)),
            Err(error) if client.wait_after(&error, &mut call).await => {}
            Err(error) => return Err(error),
        }
    }
}

/// `PATCH /v1/customers/{id}/usagebudget`, once; only a refused token is renewed and the same asked
/// again.
pub(crate) async fn change(
    client: &Client,
    customer: &CustomerId,
    amount: Decimal,
    ids: ChangeIds,
) -> Result<(), SourceError> {
    let link = link(client, customer);
    let body = format!(r#"{{"Amount":{amount},"Attributes":{{"ObjectType":"SpendingBudget"}}}}"#);
    let mut call = Call::change(Endpoint::UsageBudget, body, ids.request, ids.correlation);
    loop {
        match client.send(&link, &mut call).await {
            // What the answer says is not believed: the budget is read again.
            Ok(_) => return Ok(()),
            Err(error @ SourceError::Unauthorized { .. }) => {
                if !client.wait_after(&error, &mut call).await {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// Only a sound object says that there is no budget; the documented example, which is no JSON, says
/// nothing.
fn parsed(body: &[u8]) -> SpendingBudget {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let Some(budget) = object::<WireBudget<'_>>(body) else { return SpendingBudget::Unreadable };
    match budget.amount {
        Some(amount) if given(Some(amount)).is_some() => match parse_wire_number(amount) {
            Ok(number) if !number.rounded && number.value >= Decimal::ZERO => {
                SpendingBudget::Amount(number.value)
            }
            _ => SpendingBudget::Unreadable,
        },
        Some(_) => SpendingBudget::None,
        None if is_spending_budget(&budget) => SpendingBudget::None,
        None => SpendingBudget::Unreadable,
    }
}

fn is_spending_budget(budget: &WireBudget<'_>) -> bool {
    let attributes: Option<WireAttributes<'_>> =
        budget.attributes.and_then(|attributes| object(attributes.as_bytes()));
    attributes
        .and_then(|attributes| text(attributes.object_type))
        .is_some_and(|kind| kind.eq_ignore_ascii_case("SpendingBudget"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sound_answer_says_that_there_is_no_budget() {
        let said = |body: &str| match parsed(body.as_bytes()) {
            SpendingBudget::None => "none".to_owned(),
            SpendingBudget::Amount(amount) => amount.to_string(),
            SpendingBudget::Unreadable => "unreadable".to_owned(),
        };
        let kind = r#""attributes":{"objectType":"SpendingBudget"}"#;
        assert_eq!(said(&format!("{{\"amount\":5000.00,{kind}}}")), "5000.00");
        assert_eq!(said(&format!("\u{feff}{{\"amount\":0,{kind}}}")), "0");
        assert_eq!(said("{\"amount\":\"12.5\"}"), "12.5");
        assert_eq!(said(&format!("{{{kind}}}")), "none");
        assert_eq!(said(&format!("{{\"amount\":null,{kind}}}")), "none");
        for odd in [
            "",
            "null",
            "{}",
            "[]",
            "<html>",
            "{\"amount\":5",
            "{\"amount\":-1}",
            "{\"amount\":\"many\"}",
            "{\"amount\":{}}",
            "{\"amount\":0.00000000000000000000000000000000001}",
            "{\"Amount\":5}",
            "{\"attributes\":{\"objectType\":\"Error\"}}",
            "{{\"amount\":5000,\"attributes\":{\"objectType\":\"SpendingBudget\"}},\"links\":{}}",
        ] {
            assert_eq!(said(odd), "unreadable", "{odd}");
        }
    }
}
