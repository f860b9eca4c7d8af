//! A link that was made here and holds, with the alert that it is for and what was done before.

use axum::http::StatusCode;
use axum::response::Response;

use crate::actions::{Acknowledgement, SilenceRequest, Until, UntilWord};
use crate::alerting::links::{self, Link, LinkError, LinkKey};
use crate::domain::{Alert, LinkAction, Silence, Silenceable};
use crate::ledger::{AlertRow, Reader};
use crate::listings::alerts::by;
use crate::text::{clean, moment};
use crate::web::fault::Fault;
use crate::web::look::Look;
use crate::web::refused::refused;

/// A link that is opened.
pub(super) struct Opened {
    pub(super) link: Link,
    /// What has signed it, and signs its form.
    pub(super) key: LinkKey,
    pub(super) row: AlertRow,
    /// What was done, by whom and when; none where there is something to do.
    pub(super) done: Option<String>,
    /// Why there is nothing to do.
    pub(super) over: Option<&'static str>,
}

/// What opening comes to where there is no fault.
type Found = Result<Opened, &'static str>;

const UNKNOWN: &str = "This link is for nothing that is known here.";
const FORGOTTEN: &str = "The alert that this link is for is no longer remembered.";
const FORGED: &str = "This link was not made here, or not all of it was copied.";
const EXPIRED: &str =
    "This link has expired: it held until three days after the end of the billing period.";
const PERIOD_OVER: &str = "The billing period is over: there is nothing left to silence.";

/// Opens a link; an answer for one that does nothing.
pub(super) async fn open(look: &Look, action: &str, token: &str) -> Result<Opened, Box<Response>> {
    let refuse = |why: &str| Box::new(refused(look.reads, StatusCode::FORBIDDEN, why));
    let action = LinkAction::from_name(action).ok_or_else(|| refuse(UNKNOWN))?;
    let (token, own) = (token.to_owned(), look.clone());
    let found = look.read(move |reader| find(reader, &own, action, &token)).await;
    let found = found.map_err(|fault| Box::new(fault.answer(look.reads)))?;
    found.map_err(refuse)
}

fn find(reader: &Reader, look: &Look, action: LinkAction, token: &str) -> Result<Found, Fault> {
    let keys = reader.link_keys()?;
    let (link, key) = match links::verified(&keys, action, token, look.now) {
        Ok((link, key)) => (link, key.clone()),
        Err(LinkError::Forged) => return Ok(Err(FORGED)),
        Err(LinkError::Expired) => return Ok(Err(EXPIRED)),
    };
    let Some(row) = reader.find_alert(&link.alert.to_string())? else { return Ok(Err(FORGOTTEN)) };
    let alert = &row.snapshot.alert;
    let (done, over) = match action {
        LinkAction::Acknowledge => {
            let known = Acknowledgement::of(&row);
            let by = known.map(|known| by(&known, look.now, look.zone()));
            (by.map(|by| format!("Acknowledged by {by}.")), None)
        }
        LinkAction::Silence => {
            let over = (alert.billing_period.end <= look.now).then_some(PERIOD_OVER);
            (silenced(&reader.silences()?, &row, look), over)
        }
        LinkAction::Explain => (None, None),
    };
    Ok(Ok(Opened { link, key, row, done, over }))
}

/// Who has made the silence that the link would make.
fn silenced(silences: &[Silence], row: &AlertRow, look: &Look) -> Option<String> {
    let alert = Silenceable { value: None, ..Silenceable::of(&row.snapshot.alert) };
    let same = |silence: &&Silence| {
        let covers = Silence { unless_above: None, ..(*silence).clone() };
        silence.unless_above == row.snapshot.context.next_at
            && silence.rules.iter().any(|rule| rule.as_str() == alert.rule)
            && silence.customers.iter().any(|customer| customer.as_str() == alert.customer)
            && silence.ends_at.is_none()
            && silence.is_in_force(look.now)
            && covers.covers(&alert, look.now)
    };
    let first = silences.iter().find(same)?;
    let at = moment(first.created_at, look.now, look.zone());
    Some(format!("Silenced by {} on {at}.", clean(&first.author, 100)))
}

/// The silence that a link makes.
pub(super) fn silence(alert: &Alert, row: &AlertRow) -> SilenceRequest {
    SilenceRequest {
        customers: vec![alert.customer.id.as_str().to_owned()],
        rules: vec![alert.rule.clone()],
        unless_above: row.snapshot.context.next_at,
        until: Until::Word(UntilWord::PeriodEnd),
        reason: format!("by the link of alert {}", clean(&alert.reference, 16)),
        yes: false,
    }
}
