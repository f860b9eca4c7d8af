//! The attacks that are made on customers, and where in their year they begin.

use jiff::civil::Weekday;

use crate::dice::Dice;
use crate::world::{Attack, Customer, DAYS, date};

/// Sixty machines at 1.50 dollars an hour each.
const MACHINES_PER_HOUR: f64 = 90.0;
/// Attacks of less a day are below the floor of the rule, and of no concern.
const SMALLEST_PER_DAY: f64 = 125.0;
/// How many dates of the data are looked at after an attack began.
pub(crate) const DATES: usize = 30;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// From one date of the data on, so that the next has a whole day of it.
    WholeDay,
    /// From some hour on.
    Machines,
    Drip,
    FirstOfMonth,
    NoHistory,
    Weekend,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] = [
        Self::WholeDay,
        Self::Machines,
        Self::Drip,
        Self::FirstOfMonth,
        Self::NoHistory,
        Self::Weekend,
    ];

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::WholeDay => "5 to 50 times the usual, a whole day in the first date",
            Self::Machines => "60 machines at once (2,160 a day), at any hour",
            Self::Drip => "a slow drip: half the usual, 15 % more each day",
            Self::FirstOfMonth => "5 to 50 times the usual, on day 1 of a month",
            Self::NoHistory => "5 to 50 times the usual, on the 4th day of a new customer",
            Self::Weekend => "5 to 50 times the usual, on a weekend",
        }
    }

    /// The attack on a customer, and the place of the first date that has any of its cost; none
    /// where it would be too small to matter, or there is no such day.
    pub(crate) fn on(self, customer: &Customer, dice: &mut Dice) -> Option<(Attack, usize)> {
        let dates = &customer.dates;
        let first = match self {
            Self::NoHistory => 4,
            Self::WholeDay | Self::Machines | Self::Drip => 60 + dice.below(120),
            Self::FirstOfMonth | Self::Weekend => {
                let fits = |hour: f64| {
                    let day = date((hour / 24.0) as usize);
                    let is_saturday = day.weekday() == Weekday::Saturday;
                    if self == Self::Weekend { is_saturday } else { day.day() == 1 }
                };
                let from = 60 + dice.below(60);
                from + dates.get(from..)?.iter().position(|dated| fits(dated.hour))?
            }
        };
        let (last, next) = (dates.get(first - 1)?, dates.get(first)?);
        if next.hour + 24.0 > DAYS as f64 * 24.0 {
            return None;
        }
        let gap = next.hour - last.hour;
        let from = match self {
            Self::WholeDay => last.hour,
            Self::FirstOfMonth | Self::Weekend => {
                let midnight = (next.hour / 24.0).floor() * 24.0;
                midnight + dice.unit() * (next.hour - midnight)
            }
            Self::Machines | Self::Drip | Self::NoHistory => last.hour + dice.unit() * gap,
        };
        let usual = customer.usual(next.hour);
        let times = dice.between(5_f64.ln(), 50_f64.ln()).exp();
        let (per_hour, growth) = match self {
            Self::Machines => (MACHINES_PER_HOUR, 1.0),
            Self::Drip => (usual / 48.0, 1.15),
            Self::WholeDay | Self::FirstOfMonth | Self::NoHistory | Self::Weekend => {
                ((times - 1.0) * usual / 24.0, 1.0)
            }
        };
        let matters = self == Self::Drip || per_hour * 24.0 >= SMALLEST_PER_DAY;
        matters.then_some((Attack { from, per_hour, growth }, first))
    }
}
