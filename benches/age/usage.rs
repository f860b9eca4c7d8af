//! Usage of customers from day to day: costs that rise within each month, by about as much each
//! day, with as many digits as real ones have. Nobody comes near a step, but for those who are told
//! to.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use jiff::civil::Date;
use jiff::{Span, Timestamp, tz::TimeZone};

/// The first day is so long ago that the last one is yesterday, or before.
pub(crate) struct Usage {
    first: Date,
    day: i64,
    /// What each customer has cost in the month so far, in ten thousandths.
    costs: Vec<u64>,
}

impl Usage {
    /// Before the first of so many days, for so many customers.
    pub(crate) fn new(now: Timestamp, days: i64, customers: usize) -> Self {
        let today = now.to_zoned(TimeZone::UTC).date();
        let first = today.checked_sub(Span::new().days(days + 1)).unwrap();
        Self { first, day: -1, costs: vec![0; customers] }
    }

    /// Goes on to the next day, and writes what the source says then.
    pub(crate) fn next_day(&mut self, path: &Path) {
        self.day += 1;
        let date = self.date();
        for (customer, cost) in self.costs.iter_mut().enumerate() {
            let month_so_far = if date.day() == 1 { 0 } else { *cost };
            *cost = month_so_far + daily(customer, self.day);
        }
        let records = self.costs.iter().enumerate();
        let records = records.map(|(customer, cost)| (customer, *cost, budget(customer)));
        write(path, date, records);
    }

    /// Writes the same day with so many customers in all, of which every tenth new one is at 90 %;
    /// gives how many those are.
    pub(crate) fn write_many(&self, path: &Path, many: usize) -> usize {
        let known = self.costs.len();
        let cost = |customer: usize| {
            let share = if customer.is_multiple_of(10) { 9 } else { 3 };
            self.costs.get(customer).copied().unwrap_or(budget(customer) * share * 1_000)
        };
        write(
            path,
            self.date(),
            (0..many).map(|customer| (customer, cost(customer), budget(customer))),
        );
        (known..many).filter(|customer| customer.is_multiple_of(10)).count()
    }

    /// How many customers there are from day to day.
    pub(crate) fn customers(&self) -> usize {
        self.costs.len()
    }

    fn date(&self) -> Date {
        self.first.checked_add(Span::new().days(self.day)).unwrap()
    }
}

/// What a customer costs on a day: its usual, give or take 20 %.
fn daily(customer: usize, day: i64) -> u64 {
    let customer = customer as u64;
    (5 + customer % 40) * (8_000 + scattered(customer * 4096 + day as u64) % 4_000)
}

/// Of a month, in whole amounts: twice the usual.
fn budget(customer: usize) -> u64 {
    (5 + customer as u64 % 40) * 62
}

/// A number that looks random.
fn scattered(number: u64) -> u64 {
    (number ^ 0x2019_0917)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .rotate_left(29)
        .wrapping_mul(0xBF58_476D_1CE4_E5B9)
        >> 11
}

/// Records of customers with their cost in ten thousandths and their budget.
fn write(path: &Path, date: Date, records: impl Iterator<Item = (usize, u64, u64)>) {
    let mut out = BufWriter::new(File::create(path).unwrap());
    out.write_all(b"{\"items\":[\n").unwrap();
    let mut record = String::new();
    for (customer, cost, budget) in records {
        record.clear();
        if customer > 0 {
            record.push(',');
        }
        let (id, percent) = (format!("{customer:08x}-0000-4000-8000-000000000000"), cost / budget);
        // Sixteen more digits than are counted, of which no two are alike.
        let digits = scattered(cost * 31 + customer as u64) % 10_000_000_000_000_000;
        let (dollars, second) = (cost / 10, customer % 60);
        writeln!(
            record,
            r#"{{"budget":{{"amount":{budget}}},"percentUsed":{}.{:02},"isUpgraded":true,"resourceId":"{id}","id":"{id}","resourceName":"Customer {customer}","name":"Customer {customer}","totalCost":{}.{:04}{digits:016},"currencyCode":"SEK","usdTotalCost":{}.{:04}{:016},"lastModifiedDate":"{date}T20:08:{second:02}.{:07}+00:00"}}"#,
            percent / 100,
            percent % 100,
            cost / 10_000,
            cost % 10_000,
            dollars / 10_000,
            dollars % 10_000,
            digits / 7 * 3,
            digits % 10_000_000,
        )
        .unwrap();
        out.write_all(record.as_bytes()).unwrap();
    }
    out.write_all(b"]}").unwrap();
    out.flush().unwrap();
}
