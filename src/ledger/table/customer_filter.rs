//! Which customers a filter of the overview chooses. Their order is left to [`super::overview`].

use crate::domain::{CustomerKey, Plan, name_key};
use crate::ledger::overview::CustomerFilter;
use crate::ledger::sql::{self, Conditions, Connection, Row};

/// The rows of all that a filter chooses, in the order of their numbers.
pub(in crate::ledger) fn chosen(
    connection: &Connection,
    filter: &CustomerFilter,
) -> sql::Result<Vec<i64>> {
    let is_open = |more: &str| {
        format!(
            "customer IN (SELECT customer FROM alert WHERE state IN ('raised', 'silenced'){more})"
        )
    };
    // Where both are asked for, it is the alert of that severity that nobody has acknowledged.
    let unacknowledged =
        if filter.acknowledged == Some(false) { " AND acked_at IS NULL" } else { "" };
    let severe = filter
        .severity
        .map(|one| is_open(&format!(" AND severity = '{}'{unacknowledged}", one.as_str())));
    let unknown = is_open(" AND acked_at IS NULL");
    let known = filter
        .acknowledged
        .map(|known| if known { format!("{} AND NOT {unknown}", is_open("")) } else { unknown });
    let budget = filter.has_budget.map(|has| if has { "IS NOT NULL" } else { "IS NULL" });
    let conditions = Conditions::default()
        .is("plan", filter.plan.map(Plan::as_str))
        .on(":currency", filter.currency.as_deref(), "coalesce(currency, '') = :currency")
        .also(budget.map(|is| format!("budget {is}")).as_deref())
        .also(severe.as_deref())
        .also(known.as_deref());
    let mut statement = connection.prepare_cached(&format!(
        "SELECT customer, received_id, name, label FROM seen WHERE {}",
        conditions.sql()
    ))?;
    let mut rows = statement.query(&conditions)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        if is_named(filter, &row)? {
            found.push(row.get(0)?);
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Whether a customer is one of those wanted, by its id or its names.
fn is_named(filter: &CustomerFilter, row: &Row<'_>) -> sql::Result<bool> {
    if filter.keys.is_none() && filter.wanted.is_none() {
        return Ok(true);
    }
    let id = row.get_ref(1)?.as_str()?;
    if filter.keys.as_ref().is_some_and(|keys| !keys.contains(&CustomerKey::of(id))) {
        return Ok(false);
    }
    let Some(wanted) = &filter.wanted else { return Ok(true) };
    let label = row.get_ref(3)?.as_str_or_null()?.unwrap_or_default();
    Ok([row.get_ref(2)?.as_str()?, label, id].iter().any(|name| holds(name, wanted)))
}

/// Whether a name holds a text that [`name_key`] made.
fn holds(name: &str, wanted: &str) -> bool {
    // Most names are plain, and a hundred thousand of them are looked through.
    if name.is_ascii() && !wanted.contains(' ') {
        let wanted = wanted.as_bytes();
        return name.as_bytes().windows(wanted.len()).any(|part| part.eq_ignore_ascii_case(wanted));
    }
    name_key(name).contains(wanted)
}
