//! What a customer has used by some moment: a day-and-night rhythm that differs from day to day and
//! from customer to customer, in exact decimals; the same arguments give the same digits.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::domain::rounded;
use crate::simulator::SimSecurityAlert;
use crate::simulator::story::cast::{Billing, Part, Role, WATCHED};
use crate::simulator::story::{Story, plot};
use crate::simulator::world::{SimCustomer, SimPlan, SimResource, SimSubscription, cycle};

/// How far the data is behind.
const LAG: SignedDuration = SignedDuration::from_hours(24);
/// When data of plans is refreshed, UTC hours; each at ten past.
const REFRESHED: [i8; 4] = [2, 8, 14, 20];
/// How busy each hour of the day is, against each other.
const RHYTHM: [u64; 24] =
    [3, 3, 3, 3, 3, 4, 6, 8, 11, 12, 12, 11, 10, 12, 12, 11, 10, 8, 7, 7, 6, 5, 4, 3];
/// Fraction digits of a cost, as many as the real ones have.
const DIGITS: u32 = 16;

/// A customer as Partner Center shows it at `at`.
pub(crate) fn customer(story: Story, role: &Role, at: Timestamp) -> SimCustomer {
    let as_of = usage_as_of(role, at);
    let late = role.part == Part::Late && plot::late_data(story).contains(&as_of);
    let summary_as_of =
        late.then(|| story.turn().saturating_sub(SignedDuration::from_secs(1)).unwrap_or(as_of));
    // Late data: the old month to its end and a little more, dated in the new one.
    let regular =
        if late { full_cost(role) * Decimal::new(1_004, 3) } else { regular_cost(role, as_of) };
    let extra = extra_cost(story, role, as_of);
    let subscriptions = subscriptions(role, regular, extra);
    SimCustomer {
        id: guid(role.name),
        name: role.name.to_owned(),
        plan: match role.billing {
            Billing::Plan(currency, rate) => SimPlan::AzurePlan {
                currency: currency.to_owned(),
                usd_rate: Decimal::new(rate, 4),
            },
            Billing::Legacy(locale, billing_day) => {
                SimPlan::Legacy { locale: locale.to_owned(), billing_day }
            }
        },
        budget: plot::budget(story, role, at).map(Decimal::from),
        cost: subscriptions.iter().map(|subscription| subscription.cost).sum(),
        usage_as_of: as_of,
        summary_as_of,
        subscriptions,
    }
}

/// The date of the newest data at `at`: of the last refresh, about a day behind. Legacy data comes
/// once a day.
fn usage_as_of(role: &Role, at: Timestamp) -> Timestamp {
    let (hours, minute): (&[i8], i8) =
        if matches!(role.billing, Billing::Legacy(..)) { (&[23], 5) } else { (&REFRESHED, 10) };
    let today = at.to_zoned(TimeZone::UTC).date();
    let mut newest_first =
        [today, today.yesterday().unwrap_or(today)].into_iter().flat_map(|day| {
            let refresh = move |hour: &i8| {
                day.at(*hour, minute, 0, 0).to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp())
            };
            hours.iter().rev().filter_map(move |hour| refresh(hour).ok())
        });
    let newest = newest_first.find(|refresh| *refresh <= at).unwrap_or(at);
    // Up to five minutes older than that, with seven fraction digits.
    let noise = i64::try_from(hash(&newest.to_string()) % 3_000_000_000).unwrap_or_default();
    newest.saturating_sub(LAG + SignedDuration::from_nanos(noise * 100)).unwrap_or(newest)
}

/// The cost of a whole period.
fn full_cost(role: &Role) -> Decimal {
    Decimal::from(role.period_cost)
}

/// The cost of the usual work since the period began.
fn regular_cost(role: &Role, as_of: Timestamp) -> Decimal {
    let Some((start, end)) = period(role, as_of) else { return Decimal::ZERO };
    let (done, whole) = (work(role, start, as_of), work(role, start, end));
    (full_cost(role) * Decimal::from(done))
        .checked_div(Decimal::from(whole))
        .map_or(Decimal::ZERO, |cost| rounded(cost, DIGITS))
}

/// What comes on top: the miners, or a machine that should not run.
fn extra_cost(story: Story, role: &Role, as_of: Timestamp) -> Decimal {
    let since = |begin: Timestamp| Decimal::from(as_of.duration_since(begin).as_secs().max(0));
    let Some((start, _)) = period(role, as_of) else { return Decimal::ZERO };
    match role.part {
        Part::Attacked if start <= plot::attack(story).start => {
            let attack = plot::attack(story);
            let whole = Decimal::from(attack.end.duration_since(attack.start).as_secs());
            let elapsed = since(attack.start).min(whole).checked_div(whole).unwrap_or_default();
            // Faster and faster: 888 points of the budget in the end.
            let full = Decimal::from(role.budget.unwrap_or_default()) * Decimal::new(888, 2);
            rounded(full * elapsed * (Decimal::ONE + elapsed) / Decimal::TWO, DIGITS)
        }
        Part::Busy if start <= plot::busy_day(story).start => {
            let busy = plot::busy_day(story);
            let elapsed = since(busy.start).min(since(busy.start) - since(busy.end));
            rounded(elapsed * Decimal::new(1_111, 5), DIGITS)
        }
        Part::Idle => {
            rounded(since(plot::machine_starts(story).max(start)) * Decimal::new(57_870, 7), DIGITS)
        }
        Part::Steady
        | Part::Attacked
        | Part::Busy
        | Part::Raised(_)
        | Part::Late
        | Part::Watched => Decimal::ZERO,
    }
}

/// The cost by subscription: the first takes what the shares of the others leave, the last what
/// comes on top.
fn subscriptions(role: &Role, regular: Decimal, extra: Decimal) -> Vec<SimSubscription> {
    let share = |percent: i64| rounded(regular * Decimal::new(percent, 2), DIGITS);
    let others: Decimal =
        role.subscriptions.iter().skip(1).map(|(_, percent)| share(*percent)).sum();
    let last = role.subscriptions.len().saturating_sub(1);
    let cost = |index: usize, percent: i64| {
        let regular = if index == 0 { regular - others } else { share(percent) };
        if index == last { regular + extra } else { regular }
    };
    let subscription = |(index, (name, percent)): (usize, &(&str, i64))| {
        let cost = cost(index, *percent);
        let on_top = if index == last { extra } else { Decimal::ZERO };
        SimSubscription {
            id: guid(&format!("{}/{name}", role.name)),
            name: (*name).to_owned(),
            cost,
            resources: resources(name, cost - on_top, on_top),
        }
    };
    role.subscriptions.iter().enumerate().map(subscription).collect()
}

/// The cost of a subscription by resource: the usual work, and the machines that come on top of it.
fn resources(subscription: &str, regular: Decimal, extra: Decimal) -> Vec<SimResource> {
    let half = |cost: Decimal| rounded(cost / Decimal::TWO, DIGITS);
    let machines = [
        ("web-rg", "web-01", half(regular)),
        ("data-rg", "sql-01", regular - half(regular)),
        ("ml-rg", "gpu-node-01", half(extra)),
        ("ml-rg", "gpu-node-02", extra - half(extra)),
    ];
    let running = machines.into_iter().filter(|(.., cost)| !cost.is_zero());
    running.map(|(group, name, cost)| SimResource::new(subscription, group, name, cost)).collect()
}

/// The billing period that holds `at`.
fn period(role: &Role, at: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let (zone, billing_day) = match role.billing {
        Billing::Plan(..) => (TimeZone::UTC, 1),
        Billing::Legacy(_, billing_day) => {
            (TimeZone::get("America/Los_Angeles").ok()?, billing_day)
        }
    };
    let (first, next) = cycle(at.to_zoned(zone.clone()).date(), billing_day)?;
    Some((first.to_zoned(zone.clone()).ok()?.timestamp(), next.to_zoned(zone).ok()?.timestamp()))
}

/// How much a customer works from `start` to `end`, in units of its own.
fn work(role: &Role, start: Timestamp, end: Timestamp) -> u64 {
    work_since_midnight(role, end) + work_of_days(role, start, end)
        - work_since_midnight(role, start)
}

fn work_of_days(role: &Role, start: Timestamp, end: Timestamp) -> u64 {
    let (first, last) = (start.to_zoned(TimeZone::UTC).date(), end.to_zoned(TimeZone::UTC).date());
    let whole_day: u64 = RHYTHM.iter().map(|busy| busy * 3_600).sum();
    first
        .series(jiff::Span::new().days(1))
        .take_while(|day| *day < last)
        .map(|day| whole_day * mood(role, day))
        .sum()
}

fn work_since_midnight(role: &Role, at: Timestamp) -> u64 {
    let day = at.to_zoned(TimeZone::UTC).date();
    let elapsed = u64::try_from(at.duration_since(utc_midnight(day)).as_secs()).unwrap_or(0);
    let hours = (0_u64..)
        .zip(RHYTHM)
        .map(|(hour, busy)| elapsed.saturating_sub(hour * 3_600).min(3_600) * busy);
    hours.sum::<u64>() * mood(role, day)
}

/// How busy a day is, in percent of a usual one: quieter on weekends.
fn mood(role: &Role, day: Date) -> u64 {
    let usual = 85 + hash(&format!("{} {day}", role.name)) % 31;
    if matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) { usual * 3 / 5 } else { usual }
}

/// 00:00 UTC.
pub(crate) fn utc_midnight(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}

/// What Microsoft's security alerts say at this moment: nothing, an active one, or the answered one.
pub(crate) fn security_alerts(story: Story, at: Timestamp) -> Vec<SimSecurityAlert> {
    let seen = plot::security_alert(story);
    let customer = guid(WATCHED.name);
    let subscription = guid(&format!("{}/Dev/Test", WATCHED.name));
    let machine = format!(
        "/subscriptions/{subscription}/resourceGroups/ci-rg/providers/Microsoft.Compute/\
            virtualMachines/runner-04"
    );
    let alert = SimSecurityAlert {
        subscription,
        resources: vec![machine],
        ..SimSecurityAlert::crypto_mining(&guid("miners"), &customer, seen.start)
    };
    let alert = if at < seen.end {
        alert
    } else {
        SimSecurityAlert {
            status: "resolved".to_owned(),
            reason: Some("fraud".to_owned()),
            resolved: Some(("oncall@partner.example".to_owned(), seen.end)),
            ..alert
        }
    };
    if at < seen.start { Vec::new() } else { vec![alert] }
}

/// An id that looks like the real ones, always the same for the same text.
fn guid(text: &str) -> String {
    let (high, low) = (hash(text), hash(&format!("{text}.")));
    uuid::Builder::from_random_bytes(uuid::Uuid::from_u64_pair(high, low).into_bytes())
        .into_uuid()
        .to_string()
}

/// FNV-1a with a last stir: variation without chance.
fn hash(text: &str) -> u64 {
    let mixed = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let stirred = (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    stirred ^ (stirred >> 29)
}
