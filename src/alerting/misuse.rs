//! What points to misuse of a customer's resources, runs of spikes and security alerts of
//! Microsoft's: what belongs together, since when it goes on, and by which day a credit must be
//! asked for.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::domain::CustomerKey;

/// Signs that are no further apart belong together.
const TOGETHER_DAYS: i64 = 7;
/// For so many days from the first on a credit can be asked for.
const FILE_WITHIN: i64 = 60;
/// The charges of so many days from the first on can be credited.
const COVERED_DAYS: i64 = 30;
/// The days after the first on which the operator is reminded; the last one first.
const REMINDED_AFTER: [i64; 3] = [57, 50, 30];
/// After so many days nobody is reminded any more.
const FORGOTTEN_AFTER: i64 = 90;

/// What a sign is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignSource {
    /// The days of a run of spikes.
    Spikes {
        /// Of the customer, or of a subscription with a budget of its own.
        key: CustomerKey,
        /// The rule.
        rule: Box<str>,
        /// The days, oldest first.
        days: Vec<Date>,
    },
    /// A security alert, by its key.
    Security(String),
}

/// What somebody said of a sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MisuseVerdict {
    /// Fraud, rather than something that was meant.
    pub is_fraud: bool,
    /// Who said so, where that is known.
    pub by: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// Something that points to misuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MisuseSign {
    /// The customer as a whole.
    pub customer: CustomerKey,
    /// What it is.
    pub source: SignSource,
    /// What people call it by: the reference of an alert about it, else Microsoft's id.
    pub reference: String,
    /// Its first day, in UTC.
    pub first_day: Date,
    /// Its last day so far.
    pub last_day: Date,
    /// What somebody said of it.
    pub verdict: Option<MisuseVerdict>,
    /// When somebody has gathered the evidence of it, and who.
    pub evidence: Option<(Timestamp, String)>,
}

impl MisuseSign {
    /// Whether somebody said that it is fraud.
    pub fn is_fraud(&self) -> bool {
        self.verdict.as_ref().is_some_and(|verdict| verdict.is_fraud)
    }

    /// Whether somebody said that it was meant.
    pub fn is_innocent(&self) -> bool {
        self.verdict.as_ref().is_some_and(|verdict| !verdict.is_fraud)
    }
}

/// Signs of one customer that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misuse {
    /// The customer.
    pub customer: CustomerKey,
    /// The first day, in UTC: where any sign is marked as fraud, of those.
    pub first_day: Date,
    /// The last day so far, likewise.
    pub last_day: Date,
    /// Oldest first.
    pub signs: Vec<MisuseSign>,
}

impl Misuse {
    /// What belongs together among these signs, by customer, the oldest first.
    pub fn group(mut signs: Vec<MisuseSign>) -> Vec<Self> {
        signs.sort_by(|one, other| {
            let order = |sign: &MisuseSign| (sign.first_day, sign.last_day);
            one.customer.cmp(&other.customer).then(order(one).cmp(&order(other)))
        });
        let mut groups: Vec<Self> = Vec::new();
        for sign in signs {
            match groups.last_mut() {
                Some(group) if group.touches(&sign) => group.add(sign),
                Some(_) | None => {
                    let (customer, day) = (sign.customer.clone(), sign.first_day);
                    groups.push(Self::on(customer, day, vec![sign]));
                }
            }
        }
        groups.into_iter().map(Self::settled).collect()
    }

    /// One of these signs, or of none on this day.
    pub fn on(customer: CustomerKey, day: Date, signs: Vec<MisuseSign>) -> Self {
        let last_day = signs.iter().map(|sign| sign.last_day).max().unwrap_or(day);
        Self { customer, first_day: day, last_day, signs }
    }

    fn touches(&self, sign: &MisuseSign) -> bool {
        self.customer == sign.customer && self.is_near(sign.first_day)
    }

    /// Whether a day is no further away than what belongs together.
    pub fn is_near(&self, day: Date) -> bool {
        let from = self.first_day.saturating_sub(TOGETHER_DAYS.days());
        (from..=self.last_day.saturating_add(TOGETHER_DAYS.days())).contains(&day)
    }

    fn add(&mut self, sign: MisuseSign) {
        self.last_day = self.last_day.max(sign.last_day);
        self.signs.push(sign);
    }

    /// With the days of what is marked as fraud, where anything is.
    fn settled(self) -> Self {
        let first = self.fraud().map(|sign| sign.first_day).min().unwrap_or(self.first_day);
        let last = self.fraud().map(|sign| sign.last_day).max().unwrap_or(self.last_day);
        Self { first_day: first, last_day: last, ..self }
    }

    /// The signs that are marked as fraud.
    pub fn fraud(&self) -> impl Iterator<Item = &MisuseSign> {
        self.signs.iter().filter(|sign| sign.is_fraud())
    }

    /// Whether anybody said that it is fraud.
    pub fn is_fraud(&self) -> bool {
        self.fraud().next().is_some()
    }

    /// Who said first that it is fraud.
    pub fn marked(&self) -> Option<&MisuseVerdict> {
        self.fraud().filter_map(|sign| sign.verdict.as_ref()).min_by_key(|verdict| verdict.at)
    }

    /// Who has gathered the evidence of what is marked as fraud last, and when.
    pub fn evidence(&self) -> Option<&(Timestamp, String)> {
        self.fraud().filter_map(|sign| sign.evidence.as_ref()).max_by_key(|(at, _)| *at)
    }

    /// The day by which a credit must be asked for.
    pub fn file_by(&self) -> Date {
        self.first_day.saturating_add(FILE_WITHIN.days())
    }

    /// The day until which charges can be credited.
    pub fn covered_until(&self) -> Date {
        self.first_day.saturating_add(COVERED_DAYS.days())
    }

    /// After how many days the operator is reminded of a credit now, at this time of the day: the
    /// last that has come, or the one that was told already, where the clock or the time of the day
    /// has been set since. None where there is nothing to remind of.
    pub fn reminder(
        &self,
        now: Timestamp,
        (at, zone): (Time, &TimeZone),
        told: Option<i64>,
    ) -> Option<i64> {
        let has_come = |days: i64| {
            let day = self.first_day.saturating_add(days.days());
            let occasion = day.to_datetime(at).to_zoned(zone.clone());
            occasion.is_ok_and(|occasion| occasion.timestamp() <= now)
        };
        if !self.is_fraud() || self.evidence().is_some() || has_come(FORGOTTEN_AFTER) {
            return None;
        }
        REMINDED_AFTER.into_iter().find(|days| has_come(*days)).max(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn sign(customer: &str, first: &str, last: &str, is_fraud: Option<bool>) -> MisuseSign {
        MisuseSign {
            customer: CustomerKey::of(customer),
            source: SignSource::Security(first.to_owned()),
            reference: first.to_owned(),
            first_day: day(first),
            last_day: day(last),
            verdict: is_fraud.map(|is_fraud| MisuseVerdict {
                is_fraud,
                by: None,
                at: "2026-11-20T12:00:00Z".parse().unwrap(),
            }),
            evidence: None,
        }
    }

    #[test]
    fn signs_of_one_customer_within_a_week_belong_together() {
        let groups = Misuse::group(vec![
            sign("b", "2026-11-14", "2026-11-14", None),
            sign("a", "2026-11-24", "2026-11-24", Some(true)),
            sign("a", "2026-11-14", "2026-11-17", None),
            sign("a", "2026-12-02", "2026-12-02", None),
        ]);
        let said: Vec<_> = groups
            .iter()
            .map(|one| (one.customer.as_str(), one.first_day.to_string(), one.signs.len()))
            .collect();
        let of_fraud = ("a", "2026-11-24".to_owned(), 2);
        let expected =
            [of_fraud, ("a", "2026-12-02".to_owned(), 1), ("b", "2026-11-14".to_owned(), 1)];
        assert_eq!(said, expected, "the days are those of what is marked as fraud");
    }

    #[test]
    fn a_credit_is_reminded_of_by_the_last_day_that_has_come() {
        let group = |sign| Misuse::group(vec![sign]).pop().unwrap();
        let fraud = group(sign("a", "2026-11-14", "2026-11-20", Some(true)));
        assert_eq!(fraud.file_by(), day("2027-01-13"));
        assert_eq!(fraud.covered_until(), day("2026-12-14"));
        let zone = TimeZone::get("Europe/Stockholm").unwrap();
        let at = |now: &str, one: &Misuse| {
            one.reminder(now.parse().unwrap(), (Time::constant(8, 0, 0, 0), &zone), None)
        };
        for (now, expected) in [
            ("2026-12-14T06:59:59Z", None),
            ("2026-12-14T07:00:00Z", Some(30)),
            ("2027-01-03T06:59:59Z", Some(30)),
            ("2027-01-03T07:00:00Z", Some(50)),
            ("2027-01-10T07:00:00Z", Some(57)),
            ("2027-02-12T06:59:59Z", Some(57)),
            ("2027-02-12T07:00:00Z", None),
        ] {
            assert_eq!(at(now, &fraud), expected, "{now}");
        }
        let at_noon = (Time::constant(12, 0, 0, 0), &zone);
        let after = |told| fraud.reminder("2027-01-03T08:00:00Z".parse().unwrap(), at_noon, told);
        assert_eq!([after(None), after(Some(30)), after(Some(50))], [Some(30), Some(30), Some(50)]);
        let unsaid = group(sign("a", "2026-11-14", "2026-11-20", None));
        let meant = group(sign("a", "2026-11-14", "2026-11-20", Some(false)));
        assert_eq!(
            [at("2027-01-10T07:00:00Z", &unsaid), at("2027-01-10T07:00:00Z", &meant)],
            [None; 2]
        );
        let mut gathered = fraud;
        gathered.signs[0].evidence = Some((Timestamp::UNIX_EPOCH, "alice".to_owned()));
        assert_eq!(at("2027-01-10T07:00:00Z", &gathered), None);
    }
}
