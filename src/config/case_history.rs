//! Reads `[[test.history]]`: a customer that costs the same every day, before the polls of a rule
//! test, for rules that judge by what is usual.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use rust_decimal::Decimal;

use crate::config::reader::Table;
use crate::domain::{CustomerId, UsageDate, UsageRecord};

/// No rule looks back so far.
const MOST_DAYS: u32 = 400;
/// Half of a day: its data is dated at noon.
const HALF: Decimal = Decimal::from_parts(5, 0, 0, false, 1);

/// What is read at noon of each day of the histories, of customers as the first of `records` has
/// them; they end before the `first` poll.
pub(crate) fn read(
    test: &Table<'_>,
    first: Option<Timestamp>,
    known: &[&UsageRecord],
) -> Vec<(Timestamp, Vec<UsageRecord>)> {
    let mut by_time: BTreeMap<Timestamp, Vec<UsageRecord>> = BTreeMap::new();
    for table in test.tables("history").into_iter().flatten() {
        let records = records(&table, known).into_iter().flatten();
        records.for_each(|(at, record)| by_time.entry(at).or_default().push(record));
    }
    if let (Some((last, _)), Some(entry)) = (by_time.last_key_value(), test.entry("history"))
        && first.is_some_and(|first| *last >= first)
    {
        test.reader.mistake(entry.span, "history must end before the first poll of its test");
    }
    by_time.into_iter().collect()
}

fn records(table: &Table<'_>, known: &[&UsageRecord]) -> Option<Vec<(Timestamp, UsageRecord)>> {
    table.require("days");
    table.require("per_day");
    let id = table.required_text("customer")?;
    let customer = CustomerId::try_new(id.value)?;
    let from = table.required_text("from")?;
    let day = from.value.parse::<Date>().map_err(|_| "from must be a day such as \"2026-10-09\"");
    let from = table.reader.accept(&from.span, day.map_err(str::to_owned))?;
    let days = table.whole("days")?;
    if days.value > MOST_DAYS {
        table.reader.mistake(days.span, format!("a history has at most {MOST_DAYS} days"));
        return None;
    }
    let per_day = table.number("per_day")?.value;
    let mut known = known.iter().copied();
    let Some(model) = known.find(|record| record.customer.key() == customer.key()) else {
        table.reader.mistake(id.span, "no poll of the test has a record of this customer");
        return None;
    };
    let noon = |day: Date| {
        let midnight = day.to_zoned(TimeZone::UTC).ok()?.timestamp();
        midnight.checked_add(SignedDuration::from_hours(12)).ok()
    };
    let at = |number: u32| {
        let day = from.saturating_add(i64::from(number).days());
        // The cost starts anew with each calendar month.
        let since = from.max(day.first_of_month()).until(day).ok()?.get_days();
        let cost = per_day.saturating_mul(Decimal::from(since).saturating_add(HALF));
        let (noon, reported_percent) = (noon(day)?, None);
        let usage_as_of = UsageDate::at(noon);
        let record =
            UsageRecord { cost, usd_cost: None, reported_percent, usage_as_of, ..model.clone() };
        Some((noon, record))
    };
    Some((0..days.value).filter_map(at).collect())
}
