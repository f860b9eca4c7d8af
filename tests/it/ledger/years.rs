//! A ledger of three years gives a poll no more to load than one of a month.

use jiff::{SignedDuration, ToSpan as _};

use super::*;

/// Alerts of a daily rule, day after day, each with the steps it passed; and of a monthly one.
fn days(count: i64) -> Recording {
    let last = at("2026-10-05T11:08:11Z");
    let mut recording = Recording { now: last, seen: vec![seen(1)], ..Recording::default() };
    for day in 0..count {
        let belongs_at = last - SignedDuration::from_hours(24 * day);
        let (number, period) = (
            u128::try_from(day).unwrap() + 1,
            BillingPeriod::calendar_month(belongs_at, PeriodSource::CalendarMonth),
        );
        let mut snapshot = snapshot(number, "daily", Severity::Warning);
        (snapshot.alert.metric, snapshot.alert.billing_period) = (Metric::DailyCost, period);
        recording.alerts.push(told(snapshot));
        let daily = |threshold: &str| NewStep {
            metric: Metric::DailyCost,
            amount: None,
            period,
            belongs_at,
            ..step(number, "daily", threshold)
        };
        recording.steps.extend(["100", "200", "300"].map(daily));
        if belongs_at.to_zoned(jiff::tz::TimeZone::UTC).day() == 1 {
            recording.steps.push(NewStep { period, belongs_at, ..step(number, "spend", "100") });
        }
    }
    recording
}

/// What a poll loads of the customer's steps, a line for each rule.
async fn loaded(count: i64) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    ledger.record(days(count)).await.unwrap();
    let now = at("2026-10-05T11:08:11Z");
    let recalled = ledger.recall(vec![(customer(1).key(), now)], Depth::default()).await.unwrap();
    let all = Reader::open(&config(&folder))
        .unwrap()
        .recollection(&customer(1).key())
        .unwrap()
        .unwrap()
        .steps
        .len();
    ledger.close().await.unwrap();
    let steps = &recalled[&customer(1).key()].steps;
    let of_rule = |rule: &str| steps.iter().filter(|step| &*step.rule == rule).count();
    assert!(all > 3 * usize::try_from(count).unwrap(), "explain still has all of them: {all}");
    vec![format!("{} daily", of_rule("daily")), format!("{} spend", of_rule("spend"))]
}

#[tokio::test]
async fn a_poll_loads_the_steps_that_bear_on_the_data_however_old_the_ledger_is() {
    let after_four_months = loaded(120).await;
    assert_eq!(
        after_four_months,
        ["15 daily", "4 spend"],
        "of the days that data may fall on, of the last billing periods"
    );
    assert_eq!(loaded(3 * 365).await, after_four_months);
}

#[tokio::test]
async fn data_dated_back_finds_the_steps_of_its_own_date() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    ledger.record(days(3 * 365)).await.unwrap();
    let long_ago = at("2024-03-31T00:00:00Z");
    let recalled =
        ledger.recall(vec![(customer(1).key(), long_ago)], Depth::default()).await.unwrap();
    let steps = &recalled[&customer(1).key()].steps;
    let on = |day: jiff::civil::Date| {
        steps
            .iter()
            .filter(|step| step.metric == Metric::DailyCost && utc_day(step.belongs_at) == day)
            .count()
    };
    let day = utc_day(long_ago);
    assert_eq!([on(day + 1.day()), on(day), on(day - 1.day()), on(day - 30.days())], [0, 3, 3, 0]);
    assert!(
        steps
            .iter()
            .any(|step| &*step.rule == "spend"
                && utc_day(step.belongs_at).to_string() == "2024-03-01")
    );
    ledger.close().await.unwrap();
}
