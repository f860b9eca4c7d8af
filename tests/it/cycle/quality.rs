//! Records that are odd, missing or cut, and what is made of them.

use std::collections::BTreeSet;

use budget_alertd::alerting::{Gap, gap};
use budget_alertd::ledger::Reader;

use crate::support::world::{SPEND, World, legacy, plan, told};

const DAY: &str = "2019-09-17T00:00:00Z";

#[tokio::test]
async fn customers_that_no_rule_can_alert_about_are_counted_by_reason() {
    let rules = format!(
        "{SPEND}[rules.spend.match]\nexclude = [\"Customer X*\"]\n[customers.M]\nmute_rules = \
            [\"spend\"]\n[rules.money]\nmetric = \"unbudgeted_cost\"\nnotify = [\"hook\"]\nsteps = \
            [{{ at = {{ SEK = 100 }} }}]\n"
    );
    let world = World::new(&rules);
    let records = [
        plan("A", "1", "100", DAY),
        plan("B", "1", "", DAY),
        legacy("L", "1", "", DAY),
        plan("M", "1", "100", DAY),
        plan("X1", "1", "100", DAY),
    ];
    world.poll(DAY, &records).await;
    let uncovered = |reason: &str| {
        world.metric(&format!("budget_alertd_customers_without_coverage{{reason=\"{reason}\"}}"))
    };
    assert_eq!(
        [
            uncovered("no-budget"),
            uncovered("currency-unknown"),
            uncovered("muted"),
            uncovered("no-rule")
        ],
        ["1", "0", "1", "1"]
    );
    let (config, mut found) = (world.config(), Vec::new());
    let reader = Reader::open(&config.ledger).unwrap();
    reader
        .each_customer(|seen| {
            found.extend(
                gap(&config.budgets, &config.rules, &seen, &BTreeSet::new()).map(Gap::as_str),
            );
        })
        .unwrap();
    found.sort_unstable();
    assert_eq!(found, ["muted", "no-budget", "no-rule"], "what was last seen says the same");
}

#[tokio::test]
async fn percentages_that_disagree_are_counted_and_the_larger_one_holds() {
    let world = World::new(SPEND);
    let mut record = plan("A", "50", "100", DAY);
    record.more = ", \"percentUsed\": 85.5".into();
    let report = world.report(DAY, &[record]).await;
    assert_eq!(told(&report), "A spend 80: 85.5 of 100, 2019-09-01 .. 2019-10-01 month baseline");
    let alert = &report.alerts[0].alert;
    assert_eq!(
        (alert.reported_percent.unwrap().to_string(), alert.computed_percent.unwrap().to_string()),
        ("85.5".into(), "50".into())
    );
    assert_eq!(
        world.metric("budget_alertd_record_oddities_total{kind=\"percents-disagree\"}"),
        "1"
    );
}

#[tokio::test]
async fn what_was_read_before_a_cut_is_judged_and_the_poll_has_failed() {
    let world = World::new(SPEND);
    world.poll(DAY, &[plan("Z", "1", "100", DAY)]).await;
    world.write(&format!("{{\"items\": [{{\"id\": \"A\", \"isUpgraded\": true, \"totalCost\": 90, \"budget\": {{\"amount\": 100}}, \"lastModifiedDate\": \"{DAY}\"}}, {{\"id\": \"B\", \"tot"));
    let report = world.poll_source(DAY).await;
    assert!(!report.good);
    assert!(told(&report).starts_with("A spend 80: 90 of 100"), "{}", told(&report));
}

#[tokio::test]
async fn no_items_after_some_is_a_failed_poll_until_somebody_says_it_is_true() {
    let world = World::new(SPEND);
    world.poll(DAY, &[plan("A", "90", "100", DAY)]).await;
    assert!(
        world.poll(DAY, &[]).await.starts_with("failed: "),
        "nothing is concluded from absence"
    );
    assert_eq!(world.poll(DAY, &[plan("A", "91", "100", DAY)]).await, "1 duplicate");
}

#[tokio::test]
async fn unusable_records_are_named_and_the_rest_goes_on() {
    let world = World::new(SPEND);
    let mut bad = plan("B", "\"a lot\"", "100", DAY);
    bad.more = String::new();
    let report = world.report(DAY, &[plan("A", "90", "100", DAY), bad]).await;
    assert_eq!((report.records, report.skipped, report.alerts.len(), report.good), (1, 1, 1, true));
    assert!(report.errors.iter().any(|error| error.contains('B')), "{:?}", report.errors);
}

#[tokio::test]
async fn a_record_without_a_usable_date_is_dated_at_the_poll() {
    let world = World::new(SPEND);
    let told = world
        .poll(
            DAY,
            &[
                plan("A", "90", "100", "1999-01-01T00:00:00Z"),
                plan("B", "90", "100", "2019-09-19T00:00:00Z"),
            ],
        )
        .await;
    assert_eq!(
        told,
        "A spend 80: 90 of 100, 2019-09-01 .. 2019-10-01 month baseline\nB spend 80: 90 of 100, \
            2019-09-01 .. 2019-10-01 month baseline"
    );
}

#[tokio::test]
async fn a_negative_cost_is_nought_percent_and_a_zero_budget_is_over_every_step() {
    let world = World::new(&SPEND.replace("notify =", "then_every = 100\nnotify ="));
    let told = world
        .poll(
            DAY,
            &[plan("A", "-5", "100", DAY), plan("B", "0.01", "0", DAY), plan("C", "0", "0", DAY)],
        )
        .await;
    assert_eq!(
        told,
        "B spend 100 passed 80: over zero of 0, 2019-09-01 .. 2019-10-01 month baseline\n1 passed",
        "the highest written step is meant"
    );
}

#[tokio::test]
async fn a_steady_poll_judges_nothing_anew_and_other_rules_judge_everything() {
    let mut world = World::new(SPEND);
    let records = [plan("A", "90", "100", DAY), plan("B", "10", "100", DAY)];
    world.poll(DAY, &records).await;
    assert_eq!(world.poll(DAY, &records).await, "1 duplicate");
    world.change_rules(&SPEND.replace("at = 80", "at = 5"));
    assert_eq!(
        world.poll(DAY, &records).await,
        "B spend 5: 10 of 100, 2019-09-01 .. 2019-10-01 month\n1 duplicate\n1 passed"
    );
}

#[tokio::test]
async fn numbers_at_the_edge_of_what_can_be_counted_stop_nobody_elses_alert() {
    let world = World::new(SPEND);
    let mut edge = plan("A", "9999999999999999999999999999", "0.01", DAY);
    edge.more = ", \"percentUsed\": -9999999999999999999999999999".into();
    let report = world.report(DAY, &[edge, plan("B", "90", "100", DAY)]).await;
    assert_eq!(report.alerts.len(), 2);
}

#[tokio::test]
async fn a_clock_set_back_doubles_nothing() {
    let world = World::new(SPEND);
    world.poll("2019-11-17T12:00:00Z", &[plan("A", "90", "100", "2019-11-17T00:00:00Z")]).await;
    let back = world.with_clock_at("2019-10-17T12:00:00Z");
    assert_eq!(
        back.poll("2019-10-17T12:00:00Z", &[plan("A", "91", "100", "2019-11-17T10:00:00Z")]).await,
        "1 duplicate"
    );
}

#[tokio::test]
async fn an_older_copy_of_a_record_far_ahead_of_the_newer_one_arms_nothing() {
    let world = World::new(SPEND);
    world.poll(DAY, &[plan("A", "85", "100", DAY)]).await;
    let mut records = vec![plan("A", "70", "110", "2019-09-17T01:00:00Z")];
    records.extend((0..9000).map(|number| plan(&format!("F{number}"), "1", "100", DAY)));
    records.push(plan("a", "90", "110", "2019-09-17T02:00:00Z"));
    assert_eq!(
        world.poll(DAY, &records).await,
        "1 duplicate",
        "81.8 % of the raised budget, never seen below"
    );
}

#[tokio::test]
async fn an_empty_answer_after_one_that_was_all_unusable_is_no_truth_either() {
    let world = World::new(SPEND);
    world.poll(DAY, &[plan("A", "\"a lot\"", "100", DAY)]).await;
    assert!(world.poll(DAY, &[]).await.starts_with("failed: "));
}
