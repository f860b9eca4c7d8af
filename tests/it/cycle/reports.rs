//! The regular report: what is found in what was polled, and that each occasion is reported once.

use std::sync::Arc;

use budget_alertd::clock::Clock;
use budget_alertd::daemon::assemble;
use budget_alertd::domain::{Every, Message, Report, Top};
use budget_alertd::ledger::Reader;
use budget_alertd::reports::Scope;
use budget_alertd::reports::report;

use crate::support::world::{Record, SPEND, World, plan};

const DAILY: &str = "[report]\nevery = \"day\"\nat = \"08:00\"\nnotify = [\"hook\"]\n";

fn reported(world: &World, now: &str, since: &str) -> Report {
    let config = world.config();
    let scope =
        Scope { every: Every::Day, since: since.parse().unwrap(), now: now.parse().unwrap() };
    report(&Reader::open(&config.ledger).unwrap(), &config.budgets, &config.rules, scope).unwrap()
}

fn listed<T>(top: &Top<T>, line: impl Fn(&T) -> String) -> String {
    let sums = top.sums.iter().map(|sum| {
        format!("{} {}", sum.amount.unwrap_or_default().normalize(), sum.currency.unwrap())
    });
    let items: Vec<String> = top.items.iter().map(line).collect();
    format!("{}: {} = {}", top.total, items.join(", "), sums.collect::<Vec<_>>().join(" + "))
}

fn usd(record: Record, usd: &str) -> Record {
    Record { more: format!(", \"usdTotalCost\": {usd}"), ..record }
}

#[tokio::test]
async fn it_names_who_is_over_who_grows_and_who_has_no_budget() {
    let world = World::new(SPEND);
    let first = [
        usd(plan("A", "50", "100", "2019-09-16T00:00:00Z"), "5"),
        usd(plan("B", "300", "100", "2019-09-16T00:00:00Z"), "30"),
        plan("C", "10", "", "2019-09-16T00:00:00Z"),
    ];
    world.poll("2019-09-16T07:00:00Z", &first).await;
    let second = [
        usd(plan("A", "150", "100", "2019-09-17T00:00:00Z"), "15"),
        usd(plan("B", "310", "100", "2019-09-17T00:00:00Z"), "31"),
        plan("C", "90", "", "2019-09-17T00:00:00Z"),
        plan("D", "40", "100", "2019-09-17T00:00:00Z"),
    ];
    world.poll("2019-09-17T07:00:00Z", &second).await;
    let report = reported(&world, "2019-09-17T08:00:00Z", "2019-09-16T08:00:00Z");
    assert_eq!(
        listed(&report.over_budget, |one| format!(
            "{} {} of {}",
            one.customer.name, one.cost, one.budget
        )),
        "2: Customer B 310 of 100, Customer A 150 of 100 = 260 SEK"
    );
    assert_eq!(report.over_budget.usd.unwrap().normalize().to_string(), "26");
    assert_eq!(
        listed(&report.growth, |one| format!(
            "{} +{} from {:?}",
            one.customer.name,
            one.by,
            one.from.map(|from| from.to_string())
        )),
        "3: Customer A +100 from Some(\"50\"), Customer B +10 from Some(\"300\"), Customer C +80 \
            from Some(\"10\") = 190 SEK",
        "known dollars first; of D nothing is known from before"
    );
    assert_eq!(
        listed(&report.unbudgeted, |one| format!("{} {}", one.customer.name, one.cost)),
        "1: Customer C 90 = 90 SEK"
    );
    assert_eq!(
        (report.trust.customers, report.trust.stale, report.trust.last_poll_good),
        (4, 0, true)
    );
    assert_eq!((report.alerts.critical, report.alerts.critical_unacknowledged), (2, 2));
    assert_eq!((report.coverage.never, report.deliveries.owed), (1, 2));
    assert!(!report.is_quiet());
    let late = reported(&world, "2019-09-24T08:00:00Z", "2019-09-23T08:00:00Z");
    assert_eq!((late.trust.stale, late.growth.total), (4, 0), "old data grows no more");
}

#[tokio::test]
async fn the_turn_of_a_period_is_no_fall_and_no_growth_of_what_was_before() {
    let world = World::new(SPEND);
    world.poll("2019-09-30T07:00:00Z", &[plan("A", "500", "1000", "2019-09-29T12:00:00Z")]).await;
    world.poll("2019-10-02T07:00:00Z", &[plan("A", "30", "1000", "2019-10-01T12:00:00Z")]).await;
    let report = reported(&world, "2019-10-02T08:00:00Z", "2019-10-01T08:00:00Z");
    assert_eq!(
        listed(&report.growth, |one| format!("+{} {:?}", one.by, one.from)),
        "1: +30 None = 30 SEK"
    );
}

#[tokio::test]
async fn three_periods_over_in_a_row_suggest_a_budget_and_lost_budgets_are_named() {
    let world = World::new(SPEND);
    for (now, date, costs, budget) in [
        ("2019-09-30T12:00:00Z", "2019-09-30T00:00:00Z", ["120", "90"], "100"),
        ("2019-10-31T12:00:00Z", "2019-10-31T00:00:00Z", ["240", "200"], "100"),
        ("2019-11-19T12:00:00Z", "2019-11-19T00:00:00Z", ["130", "210"], "100"),
        ("2019-11-20T12:00:00Z", "2019-11-20T00:00:00Z", ["131", "211"], "80"),
    ] {
        world
            .poll(now, &[plan("A", costs[0], "100", date), plan("B", costs[1], budget, date)])
            .await;
    }
    let report = reported(&world, "2019-11-20T13:00:00Z", "2019-11-20T08:00:00Z");
    let line = |one: &budget_alertd::domain::RepeatedlyOver| {
        format!("{} {:?} try {}", one.customer.name, one.costs, one.suggested)
    };
    assert_eq!(listed(&report.repeatedly_over, line), "1: Customer A [120, 240, 131] try 270 = ");
    let lost: Vec<String> = report
        .budgets_lost
        .items
        .iter()
        .map(|one| format!("{} {}", one.name, one.code.as_str()))
        .collect();
    assert_eq!(lost, ["Customer B budget-cut"]);
    assert_eq!(
        reported(&world, "2019-11-21T13:00:00Z", "2019-11-21T08:00:00Z").budgets_lost.total,
        0,
        "told once"
    );
}

#[tokio::test]
async fn lists_are_short_however_many_customers_there_are() {
    let world = World::new(SPEND);
    let many: Vec<Record> = (0..500)
        .map(|number| {
            plan(
                &format!("C{number:03}"),
                &(101 + number).to_string(),
                "100",
                "2019-09-16T00:00:00Z",
            )
        })
        .collect();
    world.poll("2019-09-16T07:00:00Z", &many).await;
    let report = reported(&world, "2019-09-16T08:00:00Z", "2019-09-15T08:00:00Z");
    assert_eq!((report.over_budget.total, report.over_budget.items.len()), (500, 12));
    assert_eq!(report.over_budget.items[0].customer.id.as_str(), "C499");
    assert_eq!(report.over_budget.sums[0].amount.unwrap().to_string(), "125250");
}

/// Reports what is due at `now`, as a daemon that was just started; the subjects that are owed
/// since.
async fn step(world: &World, now: &str) -> bool {
    world.clock.advance_to(now.parse().unwrap());
    let ledger = world.ledger();
    let clock: Arc<dyn Clock> = Arc::clone(&world.clock) as _;
    let told = {
        let assembly = assemble(&world.config(), &ledger, &clock, &world.metrics).unwrap();
        assembly.scheduler.unwrap().step().await.unwrap()
    };
    ledger.close().await.unwrap();
    told
}

#[tokio::test]
async fn each_occasion_is_owed_once_whatever_is_restarted() {
    let world = World::new(&format!("{SPEND}{DAILY}"));
    world.poll("2019-09-16T07:00:00Z", &[plan("A", "150", "100", "2019-09-16T00:00:00Z")]).await;
    assert!(
        !step(&world, "2019-09-16T10:00:00Z").await,
        "a report that was just configured waits for its time"
    );
    assert!(!step(&world, "2019-09-17T07:59:59Z").await);
    assert!(step(&world, "2019-09-17T08:00:00Z").await);
    assert!(!step(&world, "2019-09-17T08:00:10Z").await);
    assert!(step(&world, "2019-09-20T15:00:00Z").await, "a daemon that was down reports once");
    assert!(!step(&world, "2019-09-20T15:00:10Z").await);
    let owed = world.owed("hook").await;
    let reports: Vec<&Report> = owed
        .iter()
        .filter_map(|delivery| {
            if let Message::Report(report) = &delivery.message { Some(&**report) } else { None }
        })
        .collect();
    let times: Vec<String> =
        reports.iter().map(|report| format!("{} since {}", report.at, report.since)).collect();
    assert_eq!(
        times,
        [
            "2019-09-17T08:00:00Z since 2019-09-16T08:00:00Z",
            "2019-09-20T15:00:00Z since 2019-09-17T08:00:00Z"
        ]
    );
    assert_eq!(reports[0].over_budget.total, 1);
}

#[tokio::test]
async fn an_alert_that_a_higher_step_or_a_budget_has_made_idle_is_not_counted_as_open() {
    let world = World::new(
        "[rules.spend]\nmetric = \"percent_used\"\nnotify = [\"hook\"]\nsteps = [{ at = 80 }, \
            { at = 100, severity = \"critical\" }]\n[rules.bare]\nmetric = \
            \"unbudgeted_cost\"\nnotify = [\"hook\"]\nsteps = [{ at = { SEK = 50 } }]\n",
    );
    world
        .poll(
            "2019-09-16T07:00:00Z",
            &[
                plan("A", "90", "100", "2019-09-16T00:00:00Z"),
                plan("B", "60", "", "2019-09-16T00:00:00Z"),
            ],
        )
        .await;
    let before = reported(&world, "2019-09-16T08:00:00Z", "2019-09-15T08:00:00Z").alerts;
    assert_eq!((before.critical, before.warning), (0, 2));
    world
        .poll(
            "2019-09-17T07:00:00Z",
            &[
                plan("A", "120", "100", "2019-09-17T00:00:00Z"),
                plan("B", "60", "1000", "2019-09-17T00:00:00Z"),
            ],
        )
        .await;
    let after = reported(&world, "2019-09-17T08:00:00Z", "2019-09-16T08:00:00Z").alerts;
    assert_eq!((after.critical, after.warning), (1, 0));
}
