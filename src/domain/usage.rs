//! One customer's usage of the current billing period, as read.

use std::fmt;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::{Currency, CustomerId, CustomerKey, Plan, Subscription};

/// The date of the data (`lastModifiedDate`): an instant, and the fraction digits it came with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageDate {
    instant: Timestamp,
    digits: u8,
}

impl UsageDate {
    /// A date that was made here, to the millisecond.
    pub fn at(instant: Timestamp) -> Self {
        let instant = Timestamp::from_millisecond(instant.as_millisecond()).unwrap_or(instant);
        Self { instant, digits: if instant.subsec_nanosecond() == 0 { 0 } else { 3 } }
    }

    /// Parses RFC 3339 with 0 to 9 fraction digits and `Z` or a numeric offset, as Partner Center
    /// writes it.
    ///
    /// A date without an offset is taken as UTC; the fraud pages of the API write such dates.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let instant = text.parse::<Timestamp>().ok().or_else(|| {
            let local = text.parse::<jiff::civil::DateTime>().ok()?;
            local.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
        })?;
        let digits = text
            .split_once('.')
            .map_or(0, |(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count());
        Some(Self { instant, digits: u8::try_from(digits.min(9)).unwrap_or(9) })
    }

    /// The instant.
    pub fn instant(self) -> Timestamp {
        self.instant
    }
}

impl fmt::Display for UsageDate {
    /// UTC, with the digits it came with: `2019-09-17T17:08:11.1433333Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.*}", usize::from(self.digits), self.instant)
    }
}

impl Serialize for UsageDate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UsageDate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a date"))
    }
}

/// One `CustomerMonthlyUsageRecord` ("Get usage records for all customers"), checked and in our own
/// terms.
#[derive(Debug, Clone, PartialEq)]
pub struct UsageRecord {
    /// `resourceId`, else `id`.
    pub customer: CustomerId,
    /// The one subscription that it is about; `None`: the customer as a whole.
    pub subscription: Option<Subscription>,
    /// `resourceName`, else `name`, as received; empty when there is none.
    pub name: String,
    /// From `isUpgraded`.
    pub plan: Plan,
    /// `totalCost` in the customer's currency; may be negative, may fall within a period.
    pub cost: Decimal,
    /// `currencyCode`; a legacy record has only a locale, which is not a currency.
    pub currency: Option<Currency>,
    /// `usdTotalCost`; none where it is 0 beside a cost above 0.
    pub usd_cost: Option<Decimal>,
    /// `budget.amount`; `None`: no budget in Partner Center.
    pub budget: Option<Decimal>,
    /// `percentUsed`; says nothing without a budget.
    pub reported_percent: Option<Decimal>,
    /// `lastModifiedDate`, or the time of the poll where that is unusable: it places the record in
    /// time.
    pub usage_as_of: UsageDate,
}

impl UsageRecord {
    /// The key under which what it is about is remembered.
    pub fn key(&self) -> CustomerKey {
        match &self.subscription {
            Some(subscription) => CustomerKey::of_subscription(&self.customer, &subscription.id),
            None => self.customer.key(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_keep_their_digits_and_turn_to_utc() {
        let shown =
            |text: &str| UsageDate::parse(text).map(|date| date.to_string()).unwrap_or_default();
        assert_eq!(shown("2019-09-17T17:08:11.1433333+00:00"), "2019-09-17T17:08:11.1433333Z");
        assert_eq!(shown("2019-08-01T23:00:16.50+00:00"), "2019-08-01T23:00:16.50Z");
        assert_eq!(shown("2019-08-28T00:00:00-07:00"), "2019-08-28T07:00:00Z");
        assert_eq!(shown("2018-01-01T00:00:00Z"), "2018-01-01T00:00:00Z");
        assert_eq!(shown("2021-12-08T00:25:45.69"), "2021-12-08T00:25:45.69Z");
        assert_eq!(shown("yesterday"), "");
    }
}
