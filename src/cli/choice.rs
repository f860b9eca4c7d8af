//! What listings are narrowed by: a span of time and a customer, as people write them.

use std::time::Duration;

use clap::Args;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::alerting::CustomerState;
use crate::cli::exit::WrongUsage;
use crate::cli::open::CommandContext;
use crate::config::{Config, parse_duration};
use crate::domain::CustomerKey;
use crate::domain::same_name;
use crate::ledger::{LedgerError, Reader};
use crate::text::clean;

/// No more customers than this are meant by one name.
const MOST_MEANT: usize = 20;

/// The arguments that alerts and deliveries are chosen by.
#[derive(Debug, Args)]
pub(super) struct Choice {
    /// Not older than: a time (2026-11-14T18:00, or with a zone as in RFC 3339), a date, or how
    /// long ago (7d, 12h)
    #[arg(long, value_name = "WHEN", value_parser = When::parse)]
    since: Option<When>,
    /// Older than: a time, a date (that day included), or how long ago
    #[arg(long, value_name = "WHEN", value_parser = When::parse)]
    until: Option<When>,
    /// Of this customer: its id, its name or its label, in any case; a part of a name will do
    #[arg(long, value_name = "CUSTOMER")]
    customer: Option<String>,
}

/// The same in the ledger's terms.
pub(super) struct Chosen {
    pub(super) since: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    /// Each is listed; `None` stands for everybody.
    pub(super) customers: Vec<Option<CustomerKey>>,
}

impl Choice {
    /// Fails for a customer that nobody knows, and for one that could be too many.
    pub(super) fn settle(
        &self,
        context: &CommandContext,
        reader: &Reader,
        now: Timestamp,
    ) -> anyhow::Result<Chosen> {
        let moment = |when: &Option<When>, end| {
            when.as_ref().map(|when| when.moment(now, &context.paths.time_zone, end))
        };
        let customers = match &self.customer {
            None => vec![None],
            Some(text) => customers(context.config(), reader, text)?
                .iter()
                .map(|seen| Some(seen.customer.key()))
                .collect(),
        };
        Ok(Chosen {
            since: moment(&self.since, false),
            until: moment(&self.until, true),
            customers,
        })
    }
}

/// The customers that may be meant by a text, at least one; without a configuration, those that the
/// ledger knows by it.
pub(super) fn customers(
    config: Option<&Config>,
    reader: &Reader,
    text: &str,
) -> anyhow::Result<Vec<CustomerState>> {
    let mut meant = reader.find_customer(text)?;
    if meant.is_empty() {
        meant = config.map_or(Ok(Vec::new()), |config| labelled(config, reader, text))?;
    }
    let shown = clean(text, 60);
    match meant.len() {
        0 if config.is_some_and(|config| {
            config.budgets.customers.contains_key(&CustomerKey::written(text))
        }) =>
        {
            Err(WrongUsage(format!(
                "no usage of \"{shown}\" was read yet; it is in [customers], \
                but no poll has found it"
            ))
            .into())
        }
        0 => Err(WrongUsage(format!(
            "no customer is called \"{shown}\": give an id, a name or a \
            label, or a part of a name"
        ))
        .into()),
        1..=MOST_MEANT => Ok(meant),
        many => Err(WrongUsage(format!(
            "{many} customers are called something like \"{shown}\": \
            say more of the name, or the id"
        ))
        .into()),
    }
}

/// Customers with a label of the configuration that no poll has taken in yet.
fn labelled(
    config: &Config,
    reader: &Reader,
    text: &str,
) -> Result<Vec<CustomerState>, LedgerError> {
    let is_called =
        |label: &Option<String>| label.as_ref().is_some_and(|label| same_name(label, text));
    let keys = config
        .budgets
        .customers
        .iter()
        .filter(|(_, local)| is_called(&local.profile.label))
        .map(|(key, _)| key);
    let mut found = Vec::new();
    for key in keys {
        found.extend(reader.current(key)?.map(|recollection| recollection.seen));
    }
    Ok(found)
}

/// A moment as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    At(Timestamp),
    Local(DateTime),
    Day(Date),
    Ago(Duration),
}

impl When {
    /// Reads a time, a date or how long ago.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let at = text.parse().map(Self::At).ok();
        let day = || text.parse().map(Self::Day).ok().filter(|_| text.len() == 10);
        let local = || text.parse().map(Self::Local).ok();
        let ago = || parse_duration(text).map(Self::Ago).ok();
        let when = at.or_else(day).or_else(local).or_else(ago);
        when.ok_or_else(|| {
            "write 2026-11-14T18:00, 2026-11-14T18:00:00Z, 2026-11-14 or 7d (seven days ago)"
                .to_owned()
        })
    }

    /// The instant; a day stands for its first instant, or for the one after its last.
    pub(super) fn moment(self, now: Timestamp, zone: &TimeZone, end: bool) -> Timestamp {
        let local = |at: DateTime| {
            at.to_zoned(zone.clone()).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
        };
        let midnight = |day: Date| local(day.to_datetime(Time::midnight()));
        match self {
            Self::At(at) => at,
            Self::Local(at) => local(at),
            Self::Day(day) if end => day.tomorrow().map_or(Timestamp::MAX, midnight),
            Self::Day(day) => midnight(day),
            Self::Ago(ago) => SignedDuration::try_from(ago)
                .ok()
                .and_then(|ago| now.checked_sub(ago).ok())
                .unwrap_or(Timestamp::MIN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_times_days_and_spans_back() {
        let zone = TimeZone::get("Europe/Stockholm").unwrap();
        let now: Timestamp = "2026-11-14T12:00:00Z".parse().unwrap();
        let moment = |text: &str, end| {
            When::parse(text).map(|when| when.moment(now, &zone, end).to_string())
        };
        assert_eq!(moment("2026-11-14T18:00:00+01:00", false).unwrap(), "2026-11-14T17:00:00Z");
        assert_eq!(moment("2026-11-14T18:00", false).unwrap(), "2026-11-14T17:00:00Z");
        assert_eq!(moment("2026-11-14", false).unwrap(), "2026-11-13T23:00:00Z");
        assert_eq!(moment("2026-11-14", true).unwrap(), "2026-11-14T23:00:00Z");
        assert_eq!(moment("7d", false).unwrap(), "2026-11-07T12:00:00Z");
        assert!(moment("yesterday", false).unwrap_err().starts_with("write "));
    }
}
