//! What happens to one customer in a year: costs that grow, attacks, refunds, budgets that are
//! raised, cut, removed and come back, data that is late, old, unchanged or there twice, and the
//! turns of its billing period.

use jiff::civil::date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::random::Random;

/// One usage record.
#[derive(Debug, Clone)]
pub(crate) struct Usage {
    pub(crate) cost: Decimal,
    pub(crate) usd: Option<Decimal>,
    pub(crate) budget: Option<Decimal>,
    pub(crate) percent: Option<Decimal>,
    pub(crate) date: Timestamp,
}

/// What never changes about a customer.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) legacy: bool,
    /// As its records say.
    pub(crate) currency: Option<&'static str>,
    /// As the configuration says, of a legacy customer.
    pub(crate) local_currency: Option<&'static str>,
    /// Set in the configuration.
    pub(crate) local_budget: Option<(i64, &'static str)>,
    pub(crate) gold: bool,
    /// Mutes the rule `total`.
    pub(crate) muted: bool,
    /// The day of the month on which a legacy customer's periods begin, where it is known.
    pub(crate) cycle_day: Option<i8>,
}

impl Person {
    pub(crate) fn new(index: u64) -> Self {
        let legacy = index % 7 == 5;
        let currency = ["SEK", "EUR", "GBP"][(index % 5 % 3) as usize];
        let clash = index % 200 == 3;
        Self {
            id: format!("{index:08x}-6FB9-4b05-8f15-b3d72e0596e6"),
            name: if index % 50 == 9 {
                format!("Lab {index} [Test]")
            } else {
                format!("Customer {index}")
            },
            legacy,
            currency: (!legacy).then_some(currency),
            local_currency: (legacy && index % 14 == 5).then_some(currency),
            local_budget: (index % 20 == 3)
                .then(|| (500 + (index as i64 % 90) * 40, if clash { "NOK" } else { currency })),
            gold: index % 10 == 1,
            muted: index % 25 == 7,
            cycle_day: (legacy && index % 21 == 5).then(|| (1 + index % 28) as i8),
        }
    }

    /// The billing period that holds `at`: the calendar month in UTC, or from its own day to the
    /// next, 00:00 Pacific.
    pub(crate) fn period(&self, at: Timestamp) -> (Timestamp, Timestamp) {
        let zone = if self.cycle_day.is_some() {
            TimeZone::get("America/Los_Angeles").unwrap()
        } else {
            TimeZone::UTC
        };
        let first = self.cycle_day.unwrap_or(1);
        let day = at.to_zoned(zone.clone()).date();
        let (mut year, mut month) = (day.year(), day.month());
        if day.day() < first {
            (year, month) = if month == 1 { (year - 1, 12) } else { (year, month - 1) };
        }
        let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        let midnight =
            |year, month| date(year, month, first).to_zoned(zone.clone()).unwrap().timestamp();
        (midnight(year, month), midnight(next_year, next_month))
    }
}

/// The state of one customer's year.
pub(crate) struct Life {
    pub(crate) person: Person,
    random: Random,
    /// Hundredths a day.
    rate: i64,
    cost: i64,
    /// Digits far behind the point, as Partner Center has them.
    digits: i64,
    budget: Option<i64>,
    attack: i64,
    period: Option<(Timestamp, Timestamp)>,
    /// What the period before had cost, and for how many days it is still shown.
    closed: i64,
    straggling: i64,
    last: Option<Usage>,
}

impl Life {
    pub(crate) fn new(seed: u64, index: u64) -> Self {
        let person = Person::new(index);
        let mut random = Random::new(seed, index);
        let rate = random.between(1, 400) * random.between(1, 100);
        let budget =
            (!random.one_in(5)).then(|| random.between(20, 60) * rate + random.between(0, 100));
        let digits = if random.one_in(3) { random.between(1, 1_000_000_000_000) } else { 0 };
        Self {
            person,
            random,
            rate,
            cost: 0,
            digits,
            budget,
            attack: 0,
            period: None,
            closed: 0,
            straggling: 0,
            last: None,
        }
    }

    /// What the poll of this day reads of it: one record, seldom two.
    pub(crate) fn day(&mut self, now: Timestamp) -> Vec<Usage> {
        self.change_budget();
        if let Some(last) = self.last.clone().filter(|_| self.random.one_in(5)) {
            return vec![last];
        }
        let lag = if self.random.one_in(40) {
            self.random.between(40, 80)
        } else {
            self.random.between(4, 40)
        };
        let mut date = now - SignedDuration::from_secs(lag * 3600 + self.random.between(0, 3600));
        if let Some(last) = &self.last
            && date < last.date
            && !self.random.one_in(50)
        {
            date = last.date;
        }
        self.turn(date);
        self.spend();
        let (start, _) = self.person.period(date);
        let early = date.duration_since(start) < SignedDuration::from_hours(24 * 6);
        let (cost, date) = if early && self.closed > 0 && self.random.one_in(9) {
            // A correction of the closed period, after the new one has begun.
            (
                self.closed * self.random.between(90, 140) / 100,
                start - SignedDuration::from_secs(self.random.between(1, 90_000)),
            )
        } else if self.straggling > 0 {
            self.straggling -= 1;
            (self.closed * self.random.between(98, 130) / 100, date)
        } else {
            (self.cost, date)
        };
        let usage = self.usage(cost, date);
        self.last = Some(usage.clone());
        if self.random.one_in(400) {
            let (cost, minutes) =
                (self.cost + self.random.between(-500, 500), self.random.between(0, 2));
            let other = self.usage(cost, date - SignedDuration::from_mins(minutes));
            return if self.random.one_in(2) { vec![usage, other] } else { vec![other, usage] };
        }
        vec![usage]
    }

    fn change_budget(&mut self) {
        let least = 10 * self.rate;
        self.budget = match self.budget {
            Some(budget) if self.random.one_in(60) => {
                Some((budget * self.random.between(110, 400) / 100).max(least))
            }
            Some(budget) if self.random.one_in(100) && budget > 0 => {
                Some((budget * self.random.between(30, 95) / 100).max(least))
            }
            Some(_) if self.random.one_in(250) => None,
            Some(_) if self.random.one_in(400) => Some(0),
            Some(0) if self.random.one_in(10) => Some(30 * self.rate),
            Some(budget) if budget > 400 * self.rate => Some(30 * self.rate),
            None if self.random.one_in(120) => Some(self.random.between(20, 60) * self.rate),
            same => same,
        };
    }

    /// Begins a new period when the data does.
    fn turn(&mut self, date: Timestamp) {
        let period = self.person.period(date);
        match self.period {
            Some(before) if before.0 < period.0 => {
                self.closed = self.cost;
                self.cost = 0;
                self.straggling = if self.random.one_in(3) { self.random.between(1, 5) } else { 0 };
                self.period = Some(period);
            }
            None => self.period = Some(period),
            Some(_) => {}
        }
    }

    fn spend(&mut self) {
        if self.attack > 0 {
            self.attack -= 1;
        } else if self.random.one_in(600) {
            self.attack = self.random.between(1, 5);
        }
        let times = if self.attack > 0 { self.random.between(5, 60) } else { 1 };
        self.cost += self.rate * self.random.between(0, 200) / 100 * times;
        if self.random.one_in(70) {
            self.cost -= self.cost * self.random.between(1, 105) / 100;
        }
    }

    fn usage(&mut self, hundredths: i64, date: Timestamp) -> Usage {
        let cost = Decimal::new(hundredths, 2) + Decimal::new(self.digits, 18);
        let budget = self.budget.map(|budget| Decimal::new(budget, 2));
        let usd =
            (!self.person.legacy && !self.random.one_in(30)).then(|| cost * Decimal::new(105, 3));
        let computed = budget
            .filter(|budget| !budget.is_zero())
            .map(|budget| cost / budget * Decimal::ONE_HUNDRED);
        let percent = computed.map(|percent| {
            percent.max(Decimal::ZERO).round_dp(if self.random.one_in(50) { 0 } else { 2 })
        });
        Usage { cost, usd, budget, percent, date }
    }
}
