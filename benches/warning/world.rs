//! A year of customers as partners have them: busy and quiet weekdays, growth, noise, corrections,
//! late data, costs that begin anew each month. Always the same for the same number.

use budget_alertd::domain::{Currency, CustomerId, Plan, UsageDate, UsageRecord};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use rust_decimal::Decimal;

use crate::dice::Dice;

/// How long the year is.
pub(crate) const DAYS: usize = 365;
/// Data is dated about then, in hours of the day.
const HOUR: f64 = 17.0;

/// Which days of a week a customer uses more on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    Office,
    Always,
    OneBusyDay,
    ClosedAtWeekends,
}

/// A date of the data.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dated {
    pub(crate) at: Timestamp,
    /// Hours since the year began.
    pub(crate) hour: f64,
    /// What was corrected downwards in its month so far.
    credit: f64,
}

/// One customer and its year. Money is in US dollars: usage that nobody pays, so that a float is
/// good enough until it becomes a record.
pub(crate) struct Customer {
    id: CustomerId,
    budget: Option<Decimal>,
    /// What it uses each day.
    used: Vec<f64>,
    /// What it would use without noise.
    meant: Vec<f64>,
    pub(crate) dates: Vec<Dated>,
}

/// An attack: from this hour on so much an hour, more each day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attack {
    pub(crate) from: f64,
    pub(crate) per_hour: f64,
    /// How many times as much each day as the day before.
    pub(crate) growth: f64,
}

impl Attack {
    /// What it has cost from one hour to another.
    pub(crate) fn cost(&self, since: f64, until: f64) -> f64 {
        let (begin, end) = ((since - self.from).max(0.0), (until - self.from).max(0.0));
        let total = |hours: f64| {
            let (days, rest) = ((hours / 24.0).floor(), hours % 24.0);
            let whole = if (self.growth - 1.0).abs() < 1e-9 {
                days
            } else {
                (self.growth.powf(days) - 1.0) / (self.growth - 1.0)
            };
            self.per_hour * (24.0 * whole + rest * self.growth.powf(days))
        };
        total(end) - total(begin)
    }
}

impl Customer {
    /// The customer with this number, under noise of this strength.
    pub(crate) fn new(number: u64, noise: f64) -> Self {
        let mut dice = Dice::of(number);
        let level = dice.between(3_f64.ln(), 3000_f64.ln()).exp();
        let week = week(&mut dice);
        let growth = dice.between(-0.02, 0.06);
        // Four in five were there when the year began.
        let start = if dice.unit() < 0.8 { 0 } else { dice.below(300) };
        let (mut used, mut meant) = (Vec::new(), Vec::new());
        for day in 0..DAYS {
            let weekday = usize::try_from(date(day).weekday().to_monday_zero_offset()).unwrap();
            let usual = level * week[weekday] * (1.0 + growth).powf(day as f64 / 30.0);
            meant.push(usual);
            used.push(if day < start { 0.0 } else { usual * (noise * dice.normal()).exp() });
        }
        let dates = dates(&mut dice, &used, start);
        let month = level * 30.0 * week.iter().sum::<f64>() / 7.0;
        let budget = (dice.unit() < 0.5).then(|| cents(month * 1.3).round());
        let id = CustomerId::try_new(format!("customer-{number}")).unwrap();
        Self { id, budget, used, meant, dates }
    }

    pub(crate) fn has_budget(&self) -> bool {
        self.budget.is_some()
    }

    /// What is usual on a day: the middle of its week, or that weekday where it is busier.
    pub(crate) fn usual(&self, hour: f64) -> f64 {
        let day = ((hour / 24.0) as usize).clamp(6, DAYS - 1);
        let mut week = self.meant[day - 6..=day].to_vec();
        week.sort_by(f64::total_cmp);
        week[3].max(self.meant[day])
    }

    /// The record of a date, with what an attack adds to it.
    pub(crate) fn record(&self, dated: &Dated, attack: Option<&Attack>) -> UsageRecord {
        let today = (dated.hour / 24.0) as usize;
        let first = today - usize::try_from(date(today).day() - 1).unwrap().min(today);
        let so_far = self.used[first..today].iter().sum::<f64>();
        let used = so_far + self.used[today] * (dated.hour / 24.0).fract();
        let added = attack.map_or(0.0, |attack| attack.cost(first as f64 * 24.0, dated.hour));
        let cost = cents((used - dated.credit).max(0.0) + added);
        UsageRecord {
            customer: self.id.clone(),
            subscription: None,
            name: self.id.as_str().to_owned(),
            plan: Plan::AzurePlan,
            cost,
            currency: Currency::try_new("USD").ok(),
            usd_cost: Some(cost),
            budget: self.budget,
            reported_percent: None,
            usage_as_of: UsageDate::at(dated.at),
        }
    }
}

fn week(dice: &mut Dice) -> [f64; 7] {
    let habit = match dice.unit() {
        share if share < 0.45 => Habit::Office,
        share if share < 0.8 => Habit::Always,
        share if share < 0.9 => Habit::OneBusyDay,
        _ => Habit::ClosedAtWeekends,
    };
    let mut week = [1.0; 7];
    match habit {
        Habit::Office => week[5..].fill(dice.between(0.3, 0.8)),
        Habit::Always => week.fill_with(|| dice.between(0.95, 1.05)),
        Habit::OneBusyDay => week[dice.below(5)] = dice.between(3.0, 8.0),
        Habit::ClosedAtWeekends => week[5..].fill(dice.between(0.03, 0.2)),
    }
    week
}

/// About one date a day; now and then a day has none, or two, and now and then a part of a day's
/// cost is taken back.
fn dates(dice: &mut Dice, used: &[f64], start: usize) -> Vec<Dated> {
    let (mut dates, mut credit, mut missing) = (Vec::new(), 0.0, 0_u8);
    for (day, used) in used.iter().enumerate().skip(start) {
        if date(day).day() == 1 {
            credit = 0.0;
        }
        if missing > 0 {
            missing -= 1;
            continue;
        }
        match dice.unit() {
            share if share < 0.007 => {
                missing = 1;
                continue;
            }
            share if share < 0.037 => continue,
            _ => {}
        }
        if dice.unit() < 0.01 {
            credit += used * dice.unit();
        }
        let hour = HOUR + dice.between(-3.0, 3.0);
        let midnight = date(day).to_zoned(TimeZone::UTC).unwrap().timestamp();
        let at = midnight + SignedDuration::from_secs((hour * 3600.0) as i64);
        dates.push(Dated { at, hour: day as f64 * 24.0 + hour, credit });
    }
    dates
}

/// The day with this number.
pub(crate) fn date(day: usize) -> Date {
    Date::constant(2026, 1, 1).saturating_add(i64::try_from(day).unwrap().days())
}

fn cents(dollars: f64) -> Decimal {
    Decimal::new((dollars * 100.0).round() as i64, 2)
}
