//! Who the customers of a world are, and what is read of them: costs that grow, fall and stay,
//! budgets that are raised, cut, removed and come back, late data, corrections, turns of the
//! period, answers about the period and failures of them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use super::number::{Number, ONE, half_up, written};
use super::random::Random;

/// What never changes about a customer.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) legacy: bool,
    /// The day on which a legacy customer's true periods begin.
    pub(super) billing_day: i8,
    /// As its records say.
    pub(super) own_currency: Option<&'static str>,
    /// As the configuration says.
    pub(super) local_currency: Option<&'static str>,
    pub(super) local_budget: Option<(Number, &'static str)>,
}

/// One usage record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) date: Timestamp,
    pub(super) cost: Number,
    pub(super) usd: Option<Number>,
    pub(super) budget: Option<Number>,
    pub(super) percent: Option<Number>,
}

/// A period that a summary names, and what it says of the cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) first: Date,
    pub(super) last: Date,
    pub(super) starts: Timestamp,
    pub(super) total: Number,
    pub(super) listed: Number,
}

/// What is answered about a customer's period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Named(Named),
    /// The list of subscriptions is refused.
    Refused,
    /// There is no usage.
    Nothing,
    /// The list is answered, the summary is refused.
    NoSummary,
}

/// What a poll reads of one customer.
#[derive(Debug, Clone)]
pub(super) struct Day {
    /// Nothing where it is missing, several where its id is repeated.
    pub(super) records: Vec<Record>,
    pub(super) answer: Answer,
}

pub(super) struct Life {
    pub(super) person: Person,
    random: Random,
    cost: Number,
    budget: Option<Number>,
    rate: i64,
    turned_at: Option<Timestamp>,
    straggling: i64,
    last: Option<Record>,
}

impl Person {
    pub(super) fn random(number: usize, random: &mut Random) -> Self {
        let legacy = random.one_in(2);
        let currency = random.of(&["SEK", "EUR"]);
        let own_currency = (!legacy || random.one_in(3)).then_some(currency);
        let local_budget = random.one_in(4).then(|| {
            (Number::from(random.between(5, 15) * 10) * ONE, random.of(&["SEK", "SEK", "EUR"]))
        });
        Self {
            id: format!("C{number}"),
            legacy,
            billing_day: random.of(&[28, 29, 30, 31, 1, 2, 14]),
            own_currency,
            local_currency: (legacy && random.one_in(3)).then_some(currency),
            local_budget,
        }
    }

    /// The true period that holds `at`, by its first day and the last (of a plan the day after).
    pub(super) fn truth(&self, at: Timestamp) -> (Date, Date, Timestamp) {
        let zone =
            if self.legacy { TimeZone::get("America/Los_Angeles").unwrap() } else { TimeZone::UTC };
        let day = at.to_zoned(zone.clone()).date();
        let begins = |month: Date| {
            let wanted = if self.legacy { self.billing_day } else { 1 };
            month.with().day(wanted.min(month.days_in_month())).build().unwrap()
        };
        let this = begins(day.first_of_month());
        let first = if this <= day {
            this
        } else {
            begins(day.first_of_month().checked_sub(Span::new().months(1)).unwrap())
        };
        let next = begins(first.first_of_month().checked_add(Span::new().months(1)).unwrap());
        let last = if self.legacy { next.yesterday().unwrap() } else { next };
        (first, last, first.to_zoned(zone).unwrap().timestamp())
    }
}

impl Life {
    pub(super) fn new(person: Person, mut random: Random) -> Self {
        let budget = (!random.one_in(5)).then(|| Number::from(random.between(6, 15) * 10) * ONE);
        let rate = random.between(1, 40);
        let cost = Number::from(random.between(0, 120)) * ONE;
        Self { person, random, cost, budget, rate, turned_at: None, straggling: 0, last: None }
    }

    pub(super) fn day(&mut self, now: Timestamp) -> Day {
        let records = self.records(now);
        let about = records.iter().map(|record| record.date).max().unwrap_or(now);
        Day { answer: self.answer(about), records }
    }

    fn records(&mut self, now: Timestamp) -> Vec<Record> {
        let random = &mut self.random;
        if random.one_in(15) {
            return Vec::new();
        }
        if let Some(last) = self.last.clone().filter(|_| self.random.one_in(4)) {
            return vec![last];
        }
        self.change_budget();
        let random = &mut self.random;
        let lag = if random.one_in(8) { random.between(24, 150) } else { random.between(0, 24) };
        let date = now - SignedDuration::from_secs(lag * 3600 + random.between(0, 59) * 60);
        let date = self
            .last
            .as_ref()
            .map(|last| last.date)
            .filter(|_| self.random.one_in(6))
            .unwrap_or(date);
        self.turn(date);
        self.spend();
        let cost = if self.straggling > 0 { self.cost } else { self.cost.max(-5 * ONE) };
        let record = self.record(date, cost);
        self.last = Some(record.clone());
        if !self.random.one_in(12) {
            return vec![record];
        }
        let (before, more) = (
            SignedDuration::from_hours(self.random.between(0, 30)),
            Number::from(self.random.between(-20, 20)) * ONE,
        );
        let other = self.record(date - before, cost + more);
        if self.random.one_in(2) { vec![record, other] } else { vec![other, record] }
    }

    fn change_budget(&mut self) {
        let random = &mut self.random;
        let amount = Number::from(random.between(6, 16) * 10) * ONE;
        self.budget = match random.between(0, 11) {
            0 => None,
            1 => Some(0),
            2..=4 => Some(amount),
            5 => self.budget.filter(|budget| *budget > 0).map(|budget| budget + 10 * ONE),
            _ => self.budget,
        };
    }

    /// After a turn of the true period the cost begins again, at once or after a while.
    fn turn(&mut self, date: Timestamp) {
        let begins = self.person.truth(date).2;
        if self.turned_at.is_some_and(|before| before < begins) {
            self.straggling = if self.random.one_in(2) { self.random.between(1, 3) } else { 0 };
            if self.straggling == 0 && !self.random.one_in(4) {
                self.cost = Number::from(self.random.between(0, 30)) * ONE;
            }
        } else if self.straggling > 0 {
            self.straggling -= 1;
            if self.straggling == 0 {
                self.cost = Number::from(self.random.between(0, 40)) * ONE;
            }
        }
        self.turned_at = self.turned_at.max(Some(begins));
    }

    fn spend(&mut self) {
        let (random, before) = (&mut self.random, self.cost);
        self.cost += match random.between(0, 9) {
            0 => -before * Number::from(random.between(1, 110)) / 100,
            1 | 2 => 0,
            3 => Number::from(random.between(1, 100)),
            4 => Number::from(random.between(20, 90)) * ONE,
            _ => Number::from(random.between(0, self.rate * 10_000)),
        };
    }

    fn record(&mut self, date: Timestamp, cost: Number) -> Record {
        let usd = (!self.person.legacy && !self.random.one_in(6)).then_some(cost * 2);
        let percent = self
            .budget
            .filter(|budget| *budget > 0)
            .map(|budget| half_up(cost.max(0) * 10_000, budget) * 100);
        let percent = percent
            .filter(|_| !self.random.one_in(5))
            .map(|percent| percent + if self.random.one_in(9) { 7 * ONE } else { 0 });
        Record { date, cost, usd, budget: self.budget, percent }
    }

    fn answer(&mut self, about: Timestamp) -> Answer {
        let random = &mut self.random;
        match random.between(0, 9) {
            0 => return Answer::Refused,
            1 => return Answer::Nothing,
            2 => return Answer::NoSummary,
            _ => {}
        }
        let about = about + SignedDuration::from_hours(random.of(&[0, 0, 0, 0, 36, -48]));
        let (first, last, starts) = self.person.truth(about);
        let listed = self.cost;
        let total = if self.random.one_in(4) { listed - ONE } else { listed };
        Answer::Named(Named { first, last, starts, total, listed })
    }
}

impl Record {
    pub(super) fn json(&self, person: &Person) -> String {
        let (id, date, cost) = (&person.id, self.date, written(self.cost));
        let mut json = format!(
            r#"{{"resourceId":"{id}","resourceName":"{id}","isUpgraded":{},"totalCost":{cost}"#,
            !person.legacy
        );
        let budget =
            self.budget.map_or(String::new(), |budget| format!(r#""amount":{}"#, written(budget)));
        json += &format!(r#","budget":{{{budget}}},"lastModifiedDate":"{date}""#);
        for (name, number) in [("usdTotalCost", self.usd), ("percentUsed", self.percent)] {
            json +=
                &number.map_or(String::new(), |number| format!(r#","{name}":{}"#, written(number)));
        }
        json += &person
            .own_currency
            .map_or(String::new(), |code| format!(r#","currencyCode":"{code}""#));
        json + "}"
    }
}
