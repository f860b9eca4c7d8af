//! Which customers are replayed, and what of their history is held out.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use rust_decimal::Decimal;

use crate::alerting::CustomerState;
use crate::domain::{Currency, utc_day};
use crate::ledger::{LedgerError, Reader};

/// So many customers say as much as all of them, and are replayed in a minute.
const REPLAYED: u64 = 1000;
/// Fewer days of history before the part that is held out say too little: the usual of a day is
/// learnt in 7, of a weekday in 21.
const FEWEST_DAYS: i64 = 28;
/// The month of the newest data is held out when it has so many days, else the one before too.
const MOST_OF_A_MONTH: i8 = 14;

/// The customers that are replayed.
pub(super) struct Sample {
    /// What was read of each last.
    pub(super) customers: Vec<CustomerState>,
    /// How many there are in all.
    pub(super) of_customers: u64,
    /// The first day of the data of any of them.
    pub(super) first: Date,
    /// The last.
    pub(super) last: Date,
    /// From here on history is held out.
    pub(super) held_out: Timestamp,
    /// What a US dollar is in each currency, as the records have it.
    pub(super) usd_rates: BTreeMap<Currency, Decimal>,
    /// The currencies of which no record says it.
    pub(super) unknown_rates: Vec<Currency>,
}

/// What is gone through to find out how many there are, and of what.
#[derive(Default)]
struct Survey {
    customers: u64,
    newest: Option<Timestamp>,
    /// Cost and the same in US dollars, by currency.
    costs: BTreeMap<Currency, (Decimal, Decimal)>,
}

impl Survey {
    fn add(&mut self, seen: &CustomerState) {
        self.customers += 1;
        self.newest = self.newest.max(Some(seen.usage_as_of.instant()));
        let Some(currency) = seen.currency else { return };
        let (cost, usd) = self.costs.entry(currency).or_default();
        if let Some(in_usd) = seen.usd_cost.filter(|usd| *usd > Decimal::ZERO) {
            *cost = cost.saturating_add(seen.cost);
            *usd = usd.saturating_add(in_usd);
        }
    }
}

impl Sample {
    /// Chooses them evenly among all; in words why nothing can be said yet.
    pub(super) fn of(reader: &Reader) -> Result<Result<Self, String>, LedgerError> {
        let mut survey = Survey::default();
        reader.each_seen(|seen| {
            if seen.subscription.is_none() {
                survey.add(&seen);
            }
        })?;
        let Some(newest) = survey.newest else { return Ok(Err(too_little(0))) };
        let step = survey.customers.div_ceil(REPLAYED).max(1);
        let (mut customers, mut place) = (Vec::new(), 0_u64);
        reader.each_seen(|seen| {
            if seen.subscription.is_some() {
                return;
            }
            if place.is_multiple_of(step) {
                customers.push(seen);
            }
            place += 1;
        })?;
        let mut first = newest;
        for customer in &customers {
            let history = reader.history(&customer.key())?;
            let oldest = history.iter().map(|sample| sample.usage_as_of).min();
            first = oldest.map_or(first, |oldest| oldest.min(first));
        }
        let held_out = held_out(newest);
        let before = held_out.duration_since(first).as_hours() / 24;
        if before < FEWEST_DAYS {
            return Ok(Err(too_little(before.max(0))));
        }
        let (mut usd_rates, mut unknown_rates) = (BTreeMap::new(), Vec::new());
        for (currency, (cost, usd)) in survey.costs {
            match cost.checked_div(usd).filter(|rate| *rate > Decimal::ZERO) {
                Some(rate) => drop(usd_rates.insert(currency, rate)),
                None => unknown_rates.push(currency),
            }
        }
        Ok(Ok(Self {
            customers,
            of_customers: survey.customers,
            first: utc_day(first),
            last: utc_day(newest),
            held_out,
            usd_rates,
            unknown_rates,
        }))
    }

    /// An amount of US dollars in each currency, to one digit; where no record says what a dollar
    /// is, the same number.
    pub(super) fn in_all_currencies(&self, usd: Decimal) -> BTreeMap<Currency, Decimal> {
        let known = self.usd_rates.iter().map(|(currency, rate)| {
            let exact = usd.saturating_mul(*rate);
            (*currency, exact.round_sf(1).unwrap_or(exact).normalize())
        });
        known.chain(self.unknown_rates.iter().map(|currency| (*currency, usd))).collect()
    }

    /// One alarm a week for each thousand customers, at least one.
    pub(super) fn one_in_a_thousand(&self) -> Decimal {
        Decimal::from(self.of_customers.div_ceil(1000).max(1))
    }
}

/// The first instant of the last month that has most of its days.
fn held_out(newest: Timestamp) -> Timestamp {
    let day = utc_day(newest);
    let month = if day.day() < MOST_OF_A_MONTH { day.saturating_sub(1.month()) } else { day };
    let first = month.first_of_month().to_zoned(TimeZone::UTC);
    first.map_or(newest, |first| first.timestamp())
}

fn too_little(days: i64) -> String {
    format!(
        "There is too little history to learn from: {days} days before the month that is held \
            out to try the choice on, of the {FEWEST_DAYS} that it needs. Until then, the rule \
            of the shipped configuration is a good start."
    )
}
