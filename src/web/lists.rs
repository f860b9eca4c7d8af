//! What pages and the API list, chosen by what an address says: the same rows for both.

use std::collections::HashSet;

use jiff::Timestamp;
use uuid::Uuid;

use crate::alerting::{ANSWERED_WITHIN, SecurityPoll};
use crate::domain::{AlertState, CustomerKey, DeliveryState, Plan, Severity, same_name};
use crate::ledger::{
    AlertFilter, AlertRow, CustomerCursor, CustomerFilter, CustomerRow, DeliveryFilter,
    DeliveryRow, Reader,
};
use crate::listings::security::SecurityRow;
use crate::listings::silences::SilenceRow;
use crate::text::clean;
use crate::web::fault::Fault;
use crate::web::query::Query;
use crate::web::shown::Known;

/// How many rows a page has.
pub(super) const PAGE: usize = 50;

/// A page of a list.
pub(super) struct Listed<T> {
    pub(super) rows: Vec<T>,
    /// What the next page is asked for by; none on the last.
    pub(super) next: Option<String>,
}

impl<T> Listed<T> {
    /// Of one row more than a page has, where there are more.
    fn of(mut rows: Vec<T>, cursor: impl Fn(&T) -> String) -> Self {
        let more = rows.len() > PAGE;
        rows.truncate(PAGE);
        let next = rows.last().filter(|_| more).map(cursor);
        Self { rows, next }
    }
}

/// The page of a list that is read whole: after as many rows as the cursor says.
pub(super) fn part<T>(query: &Query, rows: Vec<T>) -> Result<Listed<T>, Fault> {
    let before = word(query, "cursor", |text| text.parse::<usize>().ok())?.unwrap_or_default();
    let rows = rows.into_iter().skip(before).take(PAGE.saturating_add(1)).collect();
    Ok(Listed::of(rows, |_| before.saturating_add(PAGE).to_string()))
}

/// One row more than a page has.
fn limit() -> u32 {
    u32::try_from(PAGE.saturating_add(1)).unwrap_or(u32::MAX)
}

/// Alerts, the newest first.
pub(super) fn alerts(reader: &Reader, query: &Query) -> Result<Listed<AlertRow>, Fault> {
    let filter = AlertFilter {
        customer: customer(query),
        state: word(query, "state", AlertState::from_name)?,
        severity: word(query, "severity", Severity::from_name)?,
        acknowledged: word(query, "acknowledged", yes_or_no)?,
        before: word(query, "cursor", |text| Uuid::try_parse(text).ok())?,
        limit: Some(limit()),
        ..AlertFilter::default()
    };
    let rows = reader.alerts(&filter)?;
    Ok(Listed::of(rows, |row| row.snapshot.alert.id.to_string()))
}

/// Deliveries, the newest first.
pub(super) fn deliveries(reader: &Reader, query: &Query) -> Result<Listed<DeliveryRow>, Fault> {
    let held = query.get("state") == Some("held");
    let state = |text: &str| DeliveryState::from_name(if held { "pending" } else { text });
    let filter = DeliveryFilter {
        customer: customer(query),
        state: word(query, "state", state)?,
        held,
        notifier: query.get("notifier").map(ToOwned::to_owned),
        before: word(query, "cursor", |text| Uuid::try_parse(text).ok())?,
        limit: Some(limit()),
        ..DeliveryFilter::default()
    };
    let rows = reader.deliveries(&filter)?;
    Ok(Listed::of(rows, |row| row.id.to_string()))
}

/// Customers, the worst first, and how many there are on all pages.
pub(super) fn customers(
    reader: &Reader,
    known: &Known,
    query: &Query,
) -> Result<(Listed<CustomerRow>, u64), Fault> {
    let after = word(query, "cursor", CustomerCursor::parse)?;
    let page = reader.customer_page(&customer_filter(known, query)?, after, PAGE)?;
    let next = page.next.map(CustomerCursor::as_text);
    Ok((Listed { rows: page.rows, next }, page.total))
}

/// Which customers an address chooses.
pub(super) fn customer_filter(known: &Known, query: &Query) -> Result<CustomerFilter, Fault> {
    // What no currency is called, those have whose currency is unknown.
    let currency = query.get("currency").map(|text| match text {
        "unknown" => String::new(),
        code => code.to_uppercase(),
    });
    let filter = CustomerFilter {
        plan: word(query, "plan", Plan::from_name)?,
        currency,
        keys: query.get("tag").map(|tag| tagged(known, tag)),
        severity: word(query, "severity", Severity::from_name)?,
        has_budget: word(query, "budget", yes_or_no)?,
        acknowledged: word(query, "acknowledged", yes_or_no)?,
        ..CustomerFilter::default()
    };
    Ok(filter.named(query.get("q").unwrap_or_default()))
}

/// The customers that the configuration gives a tag.
fn tagged(known: &Known, tag: &str) -> HashSet<CustomerKey> {
    let all = known.budgets.customers.iter();
    let tagged = all.filter(|(_, local)| local.profile.tags.iter().any(|own| same_name(own, tag)));
    tagged.map(|(key, _)| key.clone()).collect()
}

/// Silences, those in force unless all are asked for, the oldest first.
pub(super) fn silences(
    reader: &Reader,
    query: &Query,
    now: Timestamp,
) -> Result<Vec<SilenceRow>, Fault> {
    let all = word(query, "all", yes_or_no)?.unwrap_or(false);
    let silenced = AlertFilter { state: Some(AlertState::Silenced), ..AlertFilter::default() };
    let hidden = reader.alerts(&silenced)?;
    let rows = reader.silences()?.into_iter().map(|one| SilenceRow::of(&one, &hidden, now));
    Ok(rows.filter(|row| all || row.in_force).collect())
}

/// Security alerts: the open ones, oldest first, then those answered in the last 30 days.
pub(super) fn security(
    reader: &Reader,
    now: Timestamp,
) -> Result<(Vec<SecurityRow>, Option<SecurityPoll>), Fault> {
    let since = now.saturating_sub(ANSWERED_WITHIN).unwrap_or(Timestamp::MIN);
    let memory = reader.security(since)?;
    let rows = memory.alerts.iter().map(|alert| SecurityRow::of(alert, reader, now));
    let mut rows = rows.collect::<Result<Vec<_>, _>>()?;
    rows.sort_by_key(|row| (row.answered_at, row.since));
    Ok((rows, memory.poll))
}

fn customer(query: &Query) -> Option<CustomerKey> {
    query.get("customer").map(CustomerKey::written)
}

/// The value of a name that is one of a few words.
pub(super) fn word<T>(
    query: &Query,
    name: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Fault> {
    let Some(text) = query.get(name) else { return Ok(None) };
    let unknown = || Fault::Query(format!("\"{}\" is no {name}", clean(text, 60)));
    read(text).map(Some).ok_or_else(unknown)
}

/// Reads yes and no.
pub(super) fn yes_or_no(text: &str) -> Option<bool> {
    match text {
        "yes" | "true" => Some(true),
        "no" | "false" => Some(false),
        _ => None,
    }
}
