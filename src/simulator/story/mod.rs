//! A month in the life of a partner with fourteen customers, as a pure function of time: who has
//! used what, what is out of order, and what there is to tell. It starts nothing and waits for
//! nothing.

mod cast;
mod plot;
mod usage;

use std::io;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::simulator::{Endpoint, Fault, HttpReceiver, PartnerCenter, SimCustomer};

pub use plot::{EventKind, Outages, StoryEvent};

/// A month's story. The same month tells the same story, to the last digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Story {
    first: Date,
}

impl Story {
    /// The story of the UTC month that holds `start`.
    pub fn new(start: Timestamp) -> Self {
        Self { first: start.to_zoned(TimeZone::UTC).date().first_of_month() }
    }

    /// When it begins: early on the second day, when the first data of the month is there.
    pub fn start(self) -> Timestamp {
        self.at(2, 6, 0)
    }

    /// When it ends: two days into the next month.
    pub fn end(self) -> Timestamp {
        self.at(self.first.days_in_month() + 3, 0, 0)
    }

    /// The customers as Partner Center shows them at this moment; always the same ones in the same
    /// order.
    pub fn customers_at(self, at: Timestamp) -> Vec<SimCustomer> {
        cast::CAST.iter().map(|role| usage::customer(self, role, at)).collect()
    }

    /// What is out of order at this moment.
    pub fn outages_at(self, at: Timestamp) -> Outages {
        plot::outages(self, at)
    }

    /// What there is to tell, in order, from [`Self::start`] to [`Self::end`].
    pub fn events(self) -> Vec<StoryEvent> {
        plot::events(self)
    }

    /// Puts this moment on stage: sets the customers and security alerts, takes the source or Slack down or brings them
    /// back. It may be done as often as one likes; it replaces faults planned for the API's
    /// endpoints.
    pub async fn play(
        self,
        at: Timestamp,
        center: &PartnerCenter,
        slack: &HttpReceiver,
    ) -> io::Result<()> {
        center.set_customers(self.customers_at(at));
        center.set_security_alerts(usage::security_alerts(self, at));
        let outages = self.outages_at(at);
        for endpoint in [
            Endpoint::UsageRecords,
            Endpoint::Subscriptions,
            Endpoint::Summary,
            Endpoint::ResourceUsage,
        ] {
            if outages.source {
                center.fail(endpoint, Fault::status(503));
            } else {
                center.heal(endpoint);
            }
        }
        if outages.slack { slack.go_down().await } else { slack.come_back() }
    }

    /// An instant by the day of the month, which may run on into the next one, and the time of day,
    /// UTC.
    pub(crate) fn at(self, day: i8, hour: i8, minute: i8) -> Timestamp {
        let offset =
            (i64::from(day) - 1) * 86_400 + i64::from(hour) * 3_600 + i64::from(minute) * 60;
        usage::utc_midnight(self.first)
            .saturating_add(jiff::SignedDuration::from_secs(offset))
            .unwrap_or(Timestamp::MAX)
    }

    /// When the month is over.
    pub(crate) fn turn(self) -> Timestamp {
        self.at(self.first.days_in_month() + 1, 0, 0)
    }
}
