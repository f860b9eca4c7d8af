//! Rules on time and on earlier dates of the data, what history keeps, and what happened to the
//! data.

use budget_alertd::domain::CustomerKey;
use budget_alertd::ledger::Reader;

use crate::support::world::{Record, SPEND, World, legacy, plan};

fn rule(metric: &str, steps: &str) -> String {
    format!("[rules.watch]\nmetric = \"{metric}\"\nnotify = [\"hook\"]\nsteps = [{steps}]\n")
}

fn reader(world: &World) -> Reader {
    Reader::open(&world.config().ledger).unwrap()
}

/// What happened to a customer's data, a line each.
fn events(world: &World, customer: &str) -> Vec<String> {
    let events = reader(world).events(&CustomerKey::of(customer)).unwrap();
    events.iter().map(|event| format!("{}: {}", event.code.as_str(), event.detail)).collect()
}

#[tokio::test]
async fn a_rise_is_rounded_once_when_it_is_counted_in_points() {
    let world = World::new(&rule("daily_percent", "{ at = 3 }"));
    begun(&world).await;
    let at = |day: u8, costs: [&str; 3]| {
        let date = format!("2026-11-{day:02}T00:00:00Z");
        let records = [("A", "0.1"), ("B", "0"), ("C", "0.7")].into_iter().zip(costs);
        (
            date.clone(),
            records.map(|((id, budget), cost)| plan(id, cost, budget, &date)).collect::<Vec<_>>(),
        )
    };
    let (first, records) = at(3, ["0.100", "0.100", "0.1"]);
    world.poll(&first, &records).await;
    let (second, records) = at(4, ["0.104", "0.104", "2.65360"]);
    let month = "2026-11-01 .. 2026-12-01 month";
    assert_eq!(
        world.poll(&second, &records).await,
        format!(
            "A watch 3: 4 of 0.1, {month}\nB watch 3: over zero of 0, {month}\nC watch 3: 364.8 of \
                0.7, {month}"
        )
    );
}

#[tokio::test]
async fn pace_is_rounded_once() {
    let world = World::new(&rule("pace", "{ at = 1 }"));
    begun(&world).await;
    // 1.006 % used less 0.00 3…: 36 seconds of 30 days are 0.001388… %.
    let told = world
        .poll("2026-11-01T00:00:36Z", &[plan("A", "1.006", "100", "2026-11-01T00:00:36Z")])
        .await;
    assert_eq!(
        told, "A watch 1: 1 of 100, 2026-11-01 .. 2026-12-01 month",
        "1.0046… points; 1.01 less 0.00 were rounded twice"
    );
}

/// The first reading of a ledger, whose alerts would be marked as the baseline.
async fn begun(world: &World) {
    world.poll("2026-10-31T00:00:00Z", &[plan("Z", "0", "100", "2026-10-31T00:00:00Z")]).await;
}

#[tokio::test]
async fn a_forecast_is_silent_for_two_days_and_prints_what_it_is_made_of() {
    let world = World::new(&rule("forecast_percent", "{ at = 100 }, { at = 130 }"));
    begun(&world).await;
    let early = world
        .poll("2026-11-02T23:00:00Z", &[plan("A", "400", "1000", "2026-11-02T23:00:00Z")])
        .await;
    assert_eq!(early, "", "47 hours are too few");
    let report = world
        .report("2026-11-11T00:00:00Z", &[plan("A", "450", "1000", "2026-11-11T00:00:00Z")])
        .await;
    let alert = &report.alerts[0].alert;
    assert_eq!(
        (alert.threshold.to_string(), alert.number().unwrap().to_string()),
        ("130".into(), "135".into())
    );
    let inputs = alert.inputs.clone().unwrap();
    let shown = [inputs.elapsed_hours, inputs.period_hours, inputs.forecast_cost]
        .map(|number| number.unwrap().to_string());
    assert_eq!(shown, ["240", "720", "1350"]);
    assert_eq!(
        world
            .poll("2026-11-12T00:00:00Z", &[plan("A", "470", "1000", "2026-11-12T00:00:00Z")])
            .await,
        "1 duplicate"
    );
}

#[tokio::test]
async fn a_forecast_counts_time_at_the_date_of_the_data() {
    let world = World::new(&rule("forecast_percent", "{ at = 100 }"));
    begun(&world).await;
    let told = world
        .poll("2026-11-29T00:00:00Z", &[plan("A", "450", "1000", "2026-11-11T00:00:00Z")])
        .await;
    assert_eq!(told, "A watch 100: 135 of 1000, 2026-11-01 .. 2026-12-01 month");
}

#[tokio::test]
async fn pace_is_percent_used_less_percent_of_the_period() {
    let world = World::new(&rule("pace", "{ at = 10 }, { at = 25 }"));
    begun(&world).await;
    let told =
        world.poll("2026-11-11T00:00:00Z", &[plan("A", "45", "100", "2026-11-11T00:00:00Z")]).await;
    assert_eq!(told, "A watch 10: 11.67 of 100, 2026-11-01 .. 2026-12-01 month");
    assert_eq!(
        world.poll("2026-11-21T00:00:00Z", &[plan("A", "60", "100", "2026-11-21T00:00:00Z")]).await,
        "",
        "it fell behind"
    );
}

#[tokio::test]
async fn a_rise_alerts_once_on_each_day_of_the_data() {
    let world = World::new(&rule("daily_cost", "{ at = { SEK = 100 } }"));
    begun(&world).await;
    let poll = |at: &'static str, cost: &'static str| {
        let world = &world;
        async move { world.poll(at, &[plan("A", cost, "", at)]).await }
    };
    assert_eq!(poll("2026-11-03T00:00:00Z", "500").await, "", "there is no earlier date");
    assert_eq!(
        poll("2026-11-04T00:00:00Z", "650").await,
        "A watch 100: 150, 2026-11-01 .. 2026-12-01 month"
    );
    assert_eq!(
        poll("2026-11-04T12:00:00Z", "750").await,
        "1 duplicate",
        "200 a day, but on the same day"
    );
    assert_eq!(poll("2026-11-05T12:00:00Z", "760").await, "", "a quiet day");
    assert_eq!(poll("2026-11-14T12:00:00Z", "9000").await, "", "nine days without data are a gap");
    assert_eq!(
        poll("2026-11-15T12:00:00Z", "9500").await,
        "A watch 100: 500, 2026-11-01 .. 2026-12-01 month"
    );
}

#[tokio::test]
async fn a_correction_downwards_is_no_fall_to_rise_from() {
    let world = World::new(&rule("daily_cost", "{ at = { SEK = 100 } }"));
    begun(&world).await;
    let poll = |at: &'static str, cost: &'static str| {
        let world = &world;
        async move { world.poll(at, &[plan("A", cost, "", at)]).await }
    };
    poll("2026-11-03T00:00:00Z", "1000").await;
    assert_eq!(poll("2026-11-04T00:00:00Z", "400").await, "", "it fell");
    assert_eq!(poll("2026-11-05T00:00:00Z", "980").await, "", "the correction was undone");
    assert_eq!(
        poll("2026-11-06T00:00:00Z", "1300").await,
        "A watch 100: 300, 2026-11-01 .. 2026-12-01 month",
        "above all before"
    );
}

#[tokio::test]
async fn a_peak_corrected_within_its_day_is_remembered_when_history_is_thinned() {
    let world = World::new(&rule("daily_cost", "{ at = { SEK = 100 } }"));
    begun(&world).await;
    let poll = |at: &'static str, cost: &'static str| {
        let world = &world;
        async move { world.poll(at, &[plan("A", cost, "", at)]).await }
    };
    poll("2026-11-03T02:00:00Z", "900").await;
    poll("2026-11-03T06:00:00Z", "1000").await;
    poll("2026-11-03T18:00:00Z", "400").await;
    poll("2026-11-13T00:00:00Z", "500").await;
    let kept: Vec<String> = reader(&world)
        .history(&CustomerKey::of("A"))
        .unwrap()
        .iter()
        .map(|sample| sample.cost.to_string())
        .collect();
    assert_eq!(kept, ["1000", "400", "500"], "thinned to one a day, and the peak");
    assert_eq!(poll("2026-11-14T00:00:00Z", "980").await, "", "the correction was undone");
}

#[tokio::test]
async fn a_rise_is_not_counted_across_a_turn_of_the_period() {
    let world = World::new(&rule("daily_cost", "{ at = { SEK = 100 } }"));
    let poll = |at: &'static str, cost: &'static str| {
        let world = &world;
        async move { world.poll(at, &[plan("A", cost, "", at)]).await }
    };
    poll("2026-10-30T00:00:00Z", "5000").await;
    poll("2026-10-31T00:00:00Z", "5050").await;
    assert_eq!(poll("2026-11-01T06:00:00Z", "5400").await, "", "late data of October");
    assert_eq!(poll("2026-11-02T06:00:00Z", "10").await, "", "the first of November");
    assert_eq!(
        poll("2026-11-03T06:00:00Z", "150").await,
        "A watch 100: 140, 2026-11-01 .. 2026-12-01 month"
    );
}

#[tokio::test]
async fn a_rise_in_points_of_the_budget_needs_one() {
    let world = World::new(&rule("daily_percent", "{ at = 20 }"));
    begun(&world).await;
    let at = |day: u8, cost: &str, budget: &str| {
        let date = format!("2026-11-{day:02}T00:00:00Z");
        (date.clone(), plan("A", cost, budget, &date))
    };
    for (day, cost, budget, told) in [
        (3, "100", "1000", ""),
        (5, "500", "1000", "A watch 20: 20 of 1000, 2026-11-01 .. 2026-12-01 month"),
        (6, "900", "", ""),
        (7, "950", "0", "A watch 20: over zero of 0, 2026-11-01 .. 2026-12-01 month"),
    ] {
        let (now, record) = at(day, cost, budget);
        assert_eq!(world.poll(&now, &[record]).await, told, "day {day}");
    }
}

#[tokio::test]
async fn old_data_of_one_customer_is_news_and_an_old_collection_is_not() {
    let world = World::new(&rule("stale_hours", "{ at = 48 }"));
    begun(&world).await;
    let (old, fresh) = ("2026-11-08T00:00:00Z", |at: &str| plan("B", "1", "100", at));
    let told = world
        .poll("2026-11-09T00:00:00Z", &[plan("A", "5", "100", old), fresh("2026-11-09T00:00:00Z")])
        .await;
    assert_eq!(told, "");
    let told = world
        .poll("2026-11-10T12:00:00Z", &[plan("A", "5", "100", old), fresh("2026-11-10T00:00:00Z")])
        .await;
    assert_eq!(
        told, "A watch 48: 60 of 100, 2026-11-01 .. 2026-12-01 month",
        "nothing of the record changed but its age"
    );
    let told = world
        .poll("2026-11-12T12:00:00Z", &[plan("A", "5", "100", old), fresh("2026-11-10T00:00:00Z")])
        .await;
    assert_eq!(told, "", "the newest of all is 60 hours old");
    let told = world
        .poll("2026-11-12T13:00:00Z", &[plan("A", "5", "100", old), fresh("2026-11-12T12:00:00Z")])
        .await;
    assert_eq!(told, "1 duplicate");
}

#[tokio::test]
async fn what_a_steady_poll_counts_is_what_a_poll_before_it_found() {
    let rules = format!("{SPEND}{}", rule("forecast_percent", "{ at = 100 }"));
    let world = World::new(&rules);
    let at = "2026-11-11T00:00:00Z";
    let records =
        [plan("A", "90", "100", at), plan("B", "50", "100", at), legacy("L", "95", "100", at)];
    world.poll(at, &records).await;
    assert_eq!(world.poll("2026-11-11T01:00:00Z", &records).await, "5 duplicate");
}

#[tokio::test]
async fn a_poll_without_news_writes_nothing_into_the_ledger() {
    let world = World::new(&format!("{SPEND}{}", rule("daily_cost", "{ at = { SEK = 1 } }")));
    let at = "2026-11-11T00:00:00Z";
    let records =
        [plan("A", "90", "100", at), plan("B", "50", "100", at), legacy("L", "95", "100", at)];
    for now in ["2026-11-11T00:00:00Z", "2026-11-11T01:00:00Z", "2026-11-11T02:00:00Z"] {
        world.poll(now, &records).await;
    }
    let written = world.writes_of_a_poll("2026-11-11T03:00:00Z").await;
    assert_eq!(written, ["poll: 2"], "its time, as the last and the last good one");
    let polls = reader(&world).polls().unwrap();
    assert_eq!(polls.last_good.unwrap().at.to_string(), "2026-11-11T03:00:00Z");
}

#[tokio::test]
async fn history_keeps_each_change_for_eight_days_then_one_a_day_then_nothing() {
    let world = World::new(&format!("{SPEND}[ledger]\nretention = \"30d\"\n"));
    let mut cost = 0;
    for day in 1..=20 {
        for hour in [0, 12] {
            cost += 1;
            let at = format!("2026-10-{day:02}T{hour:02}:00:00Z");
            world.poll(&at, &[plan("A", &cost.to_string(), "1000", &at)]).await;
        }
    }
    let kept = |world: &World| {
        let samples = reader(world).history(&CustomerKey::of("A")).unwrap();
        samples
            .iter()
            .map(|sample| sample.usage_as_of.to_string()[5..13].to_owned())
            .collect::<Vec<_>>()
    };
    let thinned: Vec<String> = (1..=11).map(|day| format!("10-{day:02}T12")).collect();
    assert_eq!(kept(&world)[..11], thinned, "one a day, the last");
    assert_eq!(kept(&world).len(), 11 + 18, "and each change of the last days");
    world.poll("2026-11-12T00:00:00Z", &[plan("A", "100", "1000", "2026-11-12T00:00:00Z")]).await;
    assert_eq!(kept(&world).first().unwrap(), "10-13T12", "nothing older than 30 days");
}

#[tokio::test]
async fn what_happens_to_the_data_is_remembered_and_raises_nothing() {
    let world = World::new(SPEND);
    let poll = |hour: u8, records: Vec<Record>| {
        let world = &world;
        async move { world.poll(&format!("2026-11-11T{hour:02}:00:00Z"), &records).await }
    };
    let a = |hour: u8, cost: &str, budget: &str| {
        plan("A", cost, budget, &format!("2026-11-11T{hour:02}:00:00Z"))
    };
    let b = plan("B", "1", "100", "2026-11-11T00:00:00Z");
    poll(1, vec![a(1, "50", "1000"), b.clone()]).await;
    poll(2, vec![a(2, "50", "800"), b.clone()]).await;
    poll(3, vec![a(3, "40", "800"), b.clone()]).await;
    poll(4, vec![a(4, "40", ""), b.clone()]).await;
    poll(5, vec![b.clone()]).await;
    poll(6, vec![b.clone()]).await;
    assert_eq!(reader(&world).missing().unwrap(), 1);
    poll(7, vec![a(7, "40", "900"), b]).await;
    assert_eq!(reader(&world).missing().unwrap(), 0);
    assert_eq!(
        events(&world, "A"),
        [
            "budget-cut: budget 1,000 → 800 SEK",
            "cost-fell: cost 50 → 40 SEK",
            "budget-removed: the budget of 800 SEK is gone",
            "disappeared: the last good poll had no record of it; nothing is concluded from that",
            "budget-set: a budget of 900 SEK was set",
            "returned: it has a record again",
        ]
    );
}

#[tokio::test]
async fn an_alert_on_data_that_was_read_before_still_says_how_it_was_at_the_date_before() {
    let mut world = World::new(SPEND);
    begun(&world).await;
    world.poll("2026-11-10T00:00:00Z", &[plan("A", "10", "100", "2026-11-10T00:00:00Z")]).await;
    let latest = [plan("A", "60", "100", "2026-11-11T00:00:00Z")];
    world.poll("2026-11-11T00:00:00Z", &latest).await;
    world.change_rules(&SPEND.replace("at = 80", "at = 50"));
    let report = world.report("2026-11-11T01:00:00Z", &latest).await;
    let previous = report.alerts[0].context.previous.clone().unwrap();
    assert_eq!(
        (previous.cost.to_string(), previous.usage_as_of.to_string()),
        ("10".into(), "2026-11-10T00:00:00Z".into())
    );
}
