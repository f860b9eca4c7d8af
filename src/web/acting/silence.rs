//! Makes a silence of one customer.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::actions::{ActionContext, SilenceRequest, Until, UntilWord};
use crate::web::acting::forms::{order, taken};
use crate::web::query::Query;

pub(super) async fn add(State(context): State<Arc<ActionContext>>, request: Request) -> Response {
    // The clock of what is in force; while nothing is, the action says so itself.
    let now = context.cycle.borrow().as_ref().map(|cycle| cycle.clock.now());
    let now = now.unwrap_or_default();
    order(&context, taken(request).await, |form| read(form, now)).await
}

fn read(form: &Query, now: Timestamp) -> Result<SilenceRequest, String> {
    let customer = form.get("customer").ok_or("A customer has to be named.")?;
    let unless_above = form.get("unless_above").map(|text| {
        let number = text.replace(' ', "").parse::<Decimal>();
        // A comma is a decimal one to some and parts thousands for others: nobody guesses.
        number.map_err(|_| {
            let text = crate::text::clean(text, 40);
            format!("\"{text}\" is no number: write 1500.50, without commas.")
        })
    });
    Ok(SilenceRequest {
        customers: vec![customer.to_owned()],
        rules: form.get("rule").map(ToOwned::to_owned).into_iter().collect(),
        unless_above: unless_above.transpose()?,
        until: until(form.get("until").unwrap_or_default(), now)?,
        reason: form.get("reason").unwrap_or_default().to_owned(),
        yes: false,
    })
}

/// The end of the billing period, or so many days from now.
fn until(text: &str, now: Timestamp) -> Result<Until, String> {
    if text == "period-end" {
        return Ok(Until::Word(UntilWord::PeriodEnd));
    }
    let days = text.strip_suffix('d').and_then(|days| days.parse::<u8>().ok());
    let days = days.ok_or("An end has to be chosen.")?;
    let end = now.checked_add(SignedDuration::from_hours(i64::from(days) * 24));
    end.map(Until::At).map_err(|error| error.to_string())
}
