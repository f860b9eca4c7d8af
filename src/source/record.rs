//! Turns a usage record of the wire into one of ours, or says why it cannot be used. Nothing is
//! guessed about money: a cost that is no number is no cost.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::domain::{Currency, CustomerId, Plan, UsageDate, UsageRecord};
use crate::http::one_line;
use crate::source::wire::{
    Raw, WireBudget, WireUsage, either, fields_of, given, number, object_of, repaired, text,
};

/// Data dated before this (2010-01-01) is misdated: Azure did not exist.
const EARLIEST: Timestamp = Timestamp::constant(1_262_304_000, 0);
/// Data dated further ahead than this is misdated.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// Why a record is skipped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Skip {
    #[error("it has no id{}", named(.name.as_deref()))]
    NoId { name: Option<String> },
    #[error("customer {id}: its totalCost is no number ({found})")]
    BadCost { id: String, found: String },
    #[error("it is no usage record")]
    BadJson,
    #[error("{}it is larger than a usage record can be", customer(.id.as_deref()))]
    TooLarge { id: Option<String> },
}

fn named(name: Option<&str>) -> String {
    name.map(|name| format!(" (its name is \"{name}\")")).unwrap_or_default()
}

fn customer(id: Option<&str>) -> String {
    id.map(|id| format!("customer {id}: ")).unwrap_or_default()
}

impl Skip {
    /// The label of the metric, one of `metrics::SKIP_REASONS`.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::NoId { .. } => "no-id",
            Self::BadCost { .. } => "bad-cost",
            Self::BadJson | Self::TooLarge { .. } => "bad-json",
        }
    }

    /// That a record is too large of which this is the start.
    pub(crate) fn too_large(start: &[u8]) -> Self {
        let start = repaired(start);
        let id = fields_of::<WireUsage<'_>>(&start)
            .and_then(|wire| either(wire.resource_id, wire.id).map(|id| clipped(&id)));
        Self::TooLarge { id }
    }
}

/// A usable record.
#[derive(Debug)]
pub(crate) struct Usable {
    pub(crate) record: UsageRecord,
    /// Whether its date came with it.
    pub(crate) dated: bool,
}

/// Makes a record of what came. `odd` is told of each oddity, by a label of `metrics::ODDITIES`.
pub(crate) fn usage_record(
    wire: &WireUsage<'_>,
    now: Timestamp,
    odd: &mut dyn FnMut(&'static str),
) -> Result<Usable, Skip> {
    let no_id =
        || Skip::NoId { name: either(wire.resource_name, wire.name).map(|name| clipped(&name)) };
    let id = either(wire.resource_id, wire.id).ok_or_else(no_id)?;
    let Some(Ok(cost)) = number(wire.total_cost, &mut || odd("rounded")) else {
        let found = wire.total_cost.map_or_else(|| "missing".into(), clipped);
        return Err(Skip::BadCost { id: clipped(&id), found });
    };
    let customer = CustomerId::try_new(id).ok_or_else(no_id)?;
    let date = usable_date(wire.last_modified, now);
    if date.is_none() {
        odd("bad-date");
    }
    let record = UsageRecord {
        subscription: None,
        customer,
        name: either(wire.resource_name, wire.name).unwrap_or_default().into_owned(),
        plan: plan(wire),
        cost,
        currency: text(wire.currency_code).and_then(|code| Currency::try_new(&code).ok()),
        usd_cost: usd_cost(wire.usd_total_cost, cost, odd),
        budget: budget(wire.budget, odd),
        reported_percent: percent(wire.percent_used, odd),
        usage_as_of: date.unwrap_or_else(|| UsageDate::at(now)),
    };
    Ok(Usable { record, dated: date.is_some() })
}

/// `isUpgraded`; where it says nothing, only records of an Azure plan have a currency code.
fn plan(wire: &WireUsage<'_>) -> Plan {
    let upgraded = match given(wire.is_upgraded) {
        Some(said) if said.trim_matches('"').eq_ignore_ascii_case("true") => true,
        Some(said) if said.trim_matches('"').eq_ignore_ascii_case("false") => false,
        _ => either(wire.currency_code, None).is_some(),
    };
    if upgraded { Plan::AzurePlan } else { Plan::Legacy }
}

/// 0 beside a cost above 0 is no cost in US dollars: legacy records have it so.
pub(crate) fn usd_cost(
    raw: Raw<'_>,
    cost: Decimal,
    odd: &mut dyn FnMut(&'static str),
) -> Option<Decimal> {
    let usd = number(raw, &mut || odd("rounded"))?.ok()?;
    if usd.is_zero() && cost > Decimal::ZERO { None } else { Some(usd) }
}

fn budget(raw: Raw<'_>, odd: &mut dyn FnMut(&'static str)) -> Option<Decimal> {
    let Some(budget) = object_of::<WireBudget<'_>>(given(raw)?) else {
        odd("bad-budget");
        return None;
    };
    match number(budget.amount, &mut || odd("rounded"))? {
        Ok(amount) if amount >= Decimal::ZERO => Some(amount),
        _ => {
            odd("bad-budget");
            None
        }
    }
}

fn percent(raw: Raw<'_>, odd: &mut dyn FnMut(&'static str)) -> Option<Decimal> {
    let percent = number(raw, &mut || odd("rounded"))?;
    if percent.is_err() {
        odd("bad-percent");
    }
    percent.ok()
}

fn usable_date(raw: Raw<'_>, now: Timestamp) -> Option<UsageDate> {
    let date = UsageDate::parse(&text(raw)?)?;
    let latest = now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
    (EARLIEST <= date.instant() && date.instant() <= latest).then_some(date)
}

/// What came, as far as it fits into a message.
fn clipped(text: &str) -> String {
    one_line(&text.chars().take(60).collect::<String>())
}
