//! Customers: what is known of each, its last seen state and the steps it has spent.

use std::collections::HashSet;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::alerting::identity;
use crate::alerting::{
    CustomerState, Depth, KnownCustomer, NewStep, RecordedStep, RememberedCustomer,
};
use crate::domain::{
    BillingPeriod, Currency, CustomerId, CustomerKey, LegacyCycle, Metric, NamedPeriods,
    PeriodSource, Plan, Subscription, UsageDate, canonical, utc_day,
};
use crate::ledger::column::{self, Exact, Id, Instant};
use crate::ledger::sql::{self, Connection, Optional, Row, named_params, params};
use crate::ledger::table::{budget_pushes, history, spikes};
use crate::text::key_text_hash;

/// What is known of every customer that was seen. The others have a security alert; they are as
/// good as unknown.
pub(in crate::ledger) fn scan(connection: &Connection) -> sql::Result<Vec<KnownCustomer>> {
    let count =
        connection.query_row("SELECT count(*) FROM customer", (), |row| column::count(row, 0))?;
    let mut known = Vec::with_capacity(usize::try_from(count).unwrap_or_default());
    let mut statement = connection.prepare_cached(
        "SELECT key, fingerprint, crossed, missing_since IS NOT NULL FROM customer WHERE NOT (fingerprint = 0
             AND missing_since IS NOT NULL AND NOT EXISTS (SELECT 1 FROM seen WHERE seen.customer = customer.id))",
    )?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let key = row.get_ref(0)?.as_str()?;
        let fingerprint = row.get::<_, i64>(1)?.cast_unsigned();
        let customer = KnownCustomer::recorded(key_text_hash(key), fingerprint, row.get(2)?);
        known.push(customer.with(is_subscription(key), row.get(3)?));
    }
    Ok(known)
}

/// Whether a key is that of a subscription.
fn is_subscription(key: &str) -> bool {
    // A customer's id is nearly always a UUID, which is too short to hold another.
    key.len() != 36 && CustomerKey::of(key).is_subscription()
}

/// How far from the date of a customer's data its spent steps and earlier dates count: no billing
/// period reaches so far, and no record is dated back that far.
pub const REMEMBERED: SignedDuration = SignedDuration::from_hours(100 * 24);

/// How far into a new billing period data may be taken for the last day of the one before, and some
/// more.
const LATE_DATA: SignedDuration = SignedDuration::from_hours(96);

const SEEN_COLUMNS: &str = "SELECT received_id, subscription, subscription_name, crossed, name, label, plan, usage_as_of, seen_at, cost, usd_cost, currency, reported_percent,
    computed_percent, budget, partner_center_budget, period_start, period_end, period_source, closing_cost, named,
    own_currency, asked_at, asked_for, series_since, fingerprint, customer
    FROM seen JOIN customer ON customer.id = seen.customer";

/// Which of a customer's steps are wanted.
#[derive(Debug, Clone, Copy)]
pub(in crate::ledger) enum Steps {
    /// None.
    None,
    /// Those that bear on data of this date.
    Near(Timestamp),
    /// Those that bear on the data last seen.
    NearSeen,
    /// Every one that is kept.
    All,
}

/// What is remembered of one customer; `None` when it was never seen.
///
/// `depth` says how much of its history is wanted.
pub(in crate::ledger) fn recall(
    connection: &Connection,
    key: &CustomerKey,
    wanted: Steps,
    depth: Depth,
) -> sql::Result<Option<RememberedCustomer>> {
    let mut statement = connection.prepare_cached(&format!("{SEEN_COLUMNS} WHERE key = ?1"))?;
    let found = statement
        .query_row([key.as_str()], |row| Ok((seen(row)?, row.get::<_, i64>("customer")?)))
        .optional()?;
    let recollection = |(seen, customer): (CustomerState, i64)| {
        let samples = match depth.samples {
            0 => Vec::new(),
            wanted => history::latest(connection, customer, wanted)?,
        };
        let spikes = if depth.spikes { spikes::of(connection, customer)? } else { Vec::new() };
        let steps = match wanted {
            Steps::None => Vec::new(),
            Steps::Near(at) => steps_near(connection, customer, at)?,
            Steps::NearSeen => steps_near(connection, customer, seen.usage_as_of.instant())?,
            Steps::All => all_steps(connection, customer)?,
        };
        let pushed = match seen.subscription {
            Some(_) => None,
            None => budget_pushes::last_written(connection, key)?,
        };
        Ok(RememberedCustomer { seen, steps, samples, spikes, pushed })
    };
    found.map(recollection).transpose()
}

/// Every last seen state, in no order, to `visit`.
pub(in crate::ledger) fn each_seen(
    connection: &Connection,
    mut visit: impl FnMut(CustomerState),
) -> sql::Result<()> {
    let mut statement = connection.prepare_cached(SEEN_COLUMNS)?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        visit(seen(&row)?);
    }
    Ok(())
}

/// The rows of all customers by what `form` makes of their names, then by key; subscriptions are
/// left out.
pub(in crate::ledger) fn by_name(
    connection: &Connection,
    form: fn(&str) -> String,
) -> sql::Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT customer.id, name FROM customer CROSS JOIN seen ON seen.customer = customer.id \
            WHERE subscription IS NULL ORDER BY key",
    )?;
    let named = statement
        .query_map((), |row| Ok((form(row.get_ref(1)?.as_str()?).into_boxed_str(), row.get(0)?)))?;
    let mut named: Vec<(Box<str>, i64)> = named.collect::<sql::Result<_>>()?;
    named.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(named.into_iter().map(|(_, row)| row).collect())
}

/// The keys of a customer's subscriptions that have budgets of their own.
pub(in crate::ledger) fn subscriptions_of(
    connection: &Connection,
    key: &CustomerKey,
) -> sql::Result<Vec<CustomerKey>> {
    let mut statement = connection.prepare_cached(
        "SELECT key FROM customer WHERE key > ?1 || '\u{1f}' AND key < ?1 || ' ' ORDER BY key",
    )?;
    let keys = statement
        .query_map([key.as_str()], |row| Ok(CustomerKey::of(row.get_ref(0)?.as_str()?)))?;
    keys.collect()
}

/// The last seen state in a row.
pub(in crate::ledger) fn in_row(
    connection: &Connection,
    row: i64,
) -> sql::Result<Option<CustomerState>> {
    connection
        .prepare_cached(&format!("{SEEN_COLUMNS} WHERE customer.id = ?1"))?
        .query_row([row], seen)
        .optional()
}

/// The customers whose names look like one of these, by what `look` makes of a label and a name;
/// subscriptions are left out.
pub(in crate::ledger) fn alike(
    connection: &Connection,
    looks: &HashSet<String>,
    look: fn(Option<&str>, &str) -> String,
) -> sql::Result<Vec<(String, CustomerKey)>> {
    let sql = "SELECT key, label, name FROM seen JOIN customer ON customer.id = seen.customer \
        WHERE subscription IS NULL";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(())?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |column| row.get_ref(column)?.as_str_or_null().map_err(sql::Error::from);
        let look = look(text(1)?, text(2)?.unwrap_or_default());
        if looks.contains(&look) {
            found.push((look, CustomerKey::of(row.get_ref(0)?.as_str()?)));
        }
    }
    Ok(found)
}

/// What `look` makes of the label and the name of each customer; subscriptions are left out.
pub(in crate::ledger) fn looks(
    connection: &Connection,
    look: fn(Option<&str>, &str) -> u64,
) -> sql::Result<Vec<u64>> {
    let mut statement =
        connection.prepare_cached("SELECT label, name FROM seen WHERE subscription IS NULL")?;
    let mut rows = statement.query(())?;
    let mut looks = Vec::new();
    while let Some(row) = rows.next()? {
        looks.push(look(row.get_ref(0)?.as_str_or_null()?, row.get_ref(1)?.as_str()?));
    }
    Ok(looks)
}

/// The last seen state of every customer that had a record in the last good poll, in no order, to
/// `visit`; subscriptions are left out.
pub(in crate::ledger) fn each_present(
    connection: &Connection,
    mut visit: impl FnMut(CustomerState),
) -> sql::Result<()> {
    each_present_row(connection, |_, seen| {
        visit(seen);
        Ok(())
    })
}

/// The same with the customer's row.
pub(in crate::ledger) fn each_present_row(
    connection: &Connection,
    mut visit: impl FnMut(i64, CustomerState) -> sql::Result<()>,
) -> sql::Result<()> {
    let present = "WHERE subscription IS NULL AND missing_since IS NULL";
    let mut statement = connection.prepare_cached(&format!("{SEEN_COLUMNS} {present}"))?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        visit(row.get("customer")?, seen(&row)?)?;
    }
    Ok(())
}

fn seen(row: &Row<'_>) -> sql::Result<CustomerState> {
    Ok(CustomerState {
        customer: column::read(row, "received_id", |text| CustomerId::try_new(text))?,
        subscription: row
            .get::<_, Option<String>>("subscription")?
            .map(|id| {
                Ok::<_, sql::Error>(Subscription {
                    id,
                    name: row.get::<_, Option<String>>("subscription_name")?.unwrap_or_default(),
                })
            })
            .transpose()?,
        name: row.get("name")?,
        label: row.get("label")?,
        plan: column::read(row, "plan", Plan::from_name)?,
        usage_as_of: column::read(row, "usage_as_of", UsageDate::parse)?,
        seen_at: column::instant(row, "seen_at")?,
        cost: column::decimal(row, "cost")?,
        usd_cost: column::decimal_if_any(row, "usd_cost")?,
        currency: currency(row, "currency")?,
        reported_percent: column::decimal_if_any(row, "reported_percent")?,
        computed_percent: column::decimal_if_any(row, "computed_percent")?,
        budget: column::decimal_if_any(row, "budget")?,
        partner_center_budget: column::decimal_if_any(row, "partner_center_budget")?,
        period: BillingPeriod {
            start: column::instant(row, "period_start")?,
            end: column::instant(row, "period_end")?,
            source: column::read(row, "period_source", PeriodSource::from_name)?,
        },
        closing_cost: column::decimal(row, "closing_cost")?,
        series_since: column::instant_if_any(row, "series_since")?,
        named: named_periods(row)?,
        own_currency: currency(row, "own_currency")?,
        asked: column::instant_if_any(row, "asked_at")?
            .zip(column::instant_if_any(row, "asked_for")?),
        fingerprint: row.get::<_, i64>("fingerprint")?.cast_unsigned(),
        crossed: row.get("crossed")?,
    })
}

fn currency(row: &Row<'_>, column: &str) -> sql::Result<Option<Currency>> {
    let code = row.get::<_, Option<String>>(column)?;
    code.map(|code| Currency::try_new(&code).map_err(column::unreadable)).transpose()
}

/// As "first..last first..last …" in days, the last named first; NULL for none.
fn named_as_text(named: &NamedPeriods) -> Option<String> {
    let written: Vec<String> =
        named.iter().map(|cycle| format!("{}..{}", cycle.first_day(), cycle.last_day())).collect();
    (!written.is_empty()).then(|| written.join(" "))
}

fn named_periods(row: &Row<'_>) -> sql::Result<NamedPeriods> {
    let Some(text) = row.get::<_, Option<String>>("named")? else { return Ok(NamedPeriods::NONE) };
    let day = |text: &str| text.parse::<Date>().map_err(column::unreadable);
    let period = |text: &str| {
        text.split_once("..").map(|(first, last)| Ok(LegacyCycle::try_new(day(first)?, day(last)?)))
    };
    let periods: sql::Result<Vec<_>> = text.split(' ').filter_map(period).collect();
    Ok(periods?.into_iter().flatten().collect())
}

const STEP: &str = "SELECT id, rule, metric, at, nullif(amount, '') AS amount, belongs_at, raised, \
    alert, seen_below FROM step WHERE customer = ?1";

/// The steps that bear on data of one date, in the order of their recording: however old the ledger
/// is, these are as many as a few billing periods have. Those that may come once a day are asked
/// for by day.
fn steps_near(
    connection: &Connection,
    customer: i64,
    at: Timestamp,
) -> sql::Result<Vec<RecordedStep>> {
    let before = |span: SignedDuration| at.saturating_sub(span).unwrap_or(Timestamp::MIN);
    let mut statement = connection.prepare_cached(&format!(
        "{STEP} AND day = '' AND belongs_at BETWEEN ?2 AND ?3 UNION ALL {STEP} AND day BETWEEN ?4 \
            AND ?5 ORDER BY id"
    ))?;
    let first_day = utc_day(before(LATE_DATA)).to_string();
    let after = at.saturating_add(REMEMBERED).unwrap_or(Timestamp::MAX);
    statement
        .query_map(
            params![
                customer,
                Instant(before(REMEMBERED)),
                Instant(after),
                first_day,
                utc_day(at).to_string()
            ],
            spent,
        )?
        .collect()
}

fn all_steps(connection: &Connection, customer: i64) -> sql::Result<Vec<RecordedStep>> {
    let mut statement = connection.prepare_cached(&format!("{STEP} ORDER BY id"))?;
    statement.query_map([customer], spent)?.collect()
}

fn spent(row: &Row<'_>) -> sql::Result<RecordedStep> {
    Ok(RecordedStep {
        row: row.get("id")?,
        rule: row.get("rule")?,
        metric: column::read(row, "metric", Metric::from_name)?,
        at: column::decimal(row, "at")?,
        amount: column::decimal_if_any(row, "amount")?,
        belongs_at: column::instant(row, "belongs_at")?,
        raised: row.get("raised")?,
        alert: column::id(row, "alert")?,
        seen_below: column::decimal_if_any(row, "seen_below")?,
    })
}

/// Replaces the last seen state of a customer; returns its row. One that was never seen before is
/// not missing.
pub(in crate::ledger) fn replace_seen(
    connection: &Connection,
    key: &CustomerKey,
    seen: &CustomerState,
) -> sql::Result<i64> {
    let customer: i64 = connection
        .prepare_cached(
            "INSERT INTO customer (key, fingerprint, crossed) VALUES (?1, ?2, ?3)
             ON CONFLICT (key) DO UPDATE SET fingerprint = excluded.fingerprint, crossed = excluded.crossed, missing_since =
             CASE WHEN EXISTS (SELECT 1 FROM seen WHERE seen.customer = customer.id) THEN customer.missing_since END RETURNING id",
        )?
        .query_row(params![key.as_str(), seen.fingerprint.cast_signed(), seen.crossed], |row| row.get(0))?;
    connection
        .prepare_cached(
            "INSERT INTO seen (customer, received_id, name, label, plan, usage_as_of, seen_at, cost, usd_cost, currency,
             reported_percent, computed_percent, budget, partner_center_budget, period_start, period_end, period_source, closing_cost,
             named, own_currency, asked_at, asked_for, series_since, subscription, subscription_name)
             VALUES (:customer, :received_id, :name, :label, :plan, :usage_as_of, :seen_at, :cost, :usd_cost,
             :currency, :reported_percent, :computed_percent, :budget, :partner_center_budget, :period_start, :period_end,
             :period_source, :closing_cost, :named, :own_currency, :asked_at, :asked_for, :series_since, :subscription, :subscription_name)
             ON CONFLICT (customer) DO UPDATE SET received_id = excluded.received_id, name = excluded.name, label = excluded.label,
             plan = excluded.plan, usage_as_of = excluded.usage_as_of, seen_at = excluded.seen_at, cost = excluded.cost,
             usd_cost = excluded.usd_cost, currency = excluded.currency, reported_percent = excluded.reported_percent,
             computed_percent = excluded.computed_percent, budget = excluded.budget,
             partner_center_budget = excluded.partner_center_budget, period_start = excluded.period_start,
             period_end = excluded.period_end, period_source = excluded.period_source, closing_cost = excluded.closing_cost,
             named = excluded.named, own_currency = excluded.own_currency, asked_at = excluded.asked_at,
             asked_for = excluded.asked_for, series_since = excluded.series_since, subscription = excluded.subscription, subscription_name = excluded.subscription_name",
        )?
        .execute(named_params! {
            ":customer": customer,
            ":received_id": seen.customer.as_str(),
            ":name": seen.name,
            ":label": seen.label,
            ":plan": seen.plan.as_str(),
            ":usage_as_of": seen.usage_as_of.to_string(),
            ":seen_at": Instant(seen.seen_at),
            ":cost": Exact(seen.cost),
            ":usd_cost": seen.usd_cost.map(Exact),
            ":currency": seen.currency.as_ref().map(Currency::as_str),
            ":reported_percent": seen.reported_percent.map(Exact),
            ":computed_percent": seen.computed_percent.map(Exact),
            ":budget": seen.budget.map(Exact),
            ":partner_center_budget": seen.partner_center_budget.map(Exact),
            ":period_start": Instant(seen.period.start),
            ":period_end": Instant(seen.period.end),
            ":period_source": seen.period.source.as_str(),
            ":closing_cost": Exact(seen.closing_cost),
            ":named": named_as_text(&seen.named),
            ":own_currency": seen.own_currency.as_ref().map(Currency::as_str),
            ":asked_at": seen.asked.map(|(at, _)| Instant(at)),
            ":asked_for": seen.asked.map(|(_, date)| Instant(date)),
            ":series_since": seen.series_since.map(Instant),
            ":subscription": seen.subscription.as_ref().map(|subscription| &subscription.id),
            ":subscription_name": seen.subscription.as_ref().map(|subscription| &subscription.name),
        })?;
    Ok(customer)
}

/// Adds a step raised or passed; a step that is there already is refused.
pub(in crate::ledger) fn add_step(connection: &Connection, step: &NewStep) -> sql::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO step (customer, rule, metric, at, amount, day, period_start, period_end, belongs_at, raised, alert)
             VALUES ((SELECT id FROM customer WHERE key = :key), :rule, :metric, :at, :amount, :day, :period_start, :period_end,
             :belongs_at, :raised, :alert)",
        )?
        .execute(named_params! {
            ":key": step.customer.as_str(),
            ":rule": step.rule,
            ":metric": step.metric.as_str(),
            ":at": Exact(canonical(step.at)),
            ":amount": identity::amount(step),
            ":day": identity::day(step),
            ":period_start": Instant(step.period.start),
            ":period_end": Instant(step.period.end),
            ":belongs_at": Instant(step.belongs_at),
            ":raised": step.raised,
            ":alert": Id(step.alert),
        })?;
    connection
        .prepare_cached("INSERT INTO rule_name (name) VALUES (?1) ON CONFLICT DO NOTHING")?
        .execute([&step.rule])?;
    Ok(())
}

/// Marks a step as one that the customer was seen below, under this budget amount; `None`: not since
/// it last alerted.
pub(in crate::ledger) fn mark_seen_below(
    connection: &Connection,
    step: i64,
    amount: Option<Decimal>,
) -> sql::Result<()> {
    let amount = amount.map(|amount| Exact(canonical(amount)));
    connection
        .prepare_cached("UPDATE step SET seen_below = ?2 WHERE id = ?1")?
        .execute(params![step, amount])?;
    Ok(())
}
