//! Subscriptions with budgets of their own: judged beside their customer, remembered apart from it.

use budget_alertd::domain::CustomerKey;
use budget_alertd::ledger::{AlertFilter, Reader};
use budget_alertd::simulator::{Endpoint, Fault, PartnerCenter, SimCustomer};

use super::periods::{start, world};
use crate::support::world::{SPEND, World, told};

const RULES: &str = r#"
[rules.money]
metric = "total_cost"
notify = ["hook"]
steps = [{ at = { SEK = 300, EUR = 300 } }]
"#;

/// A world whose spreadsheet gives budgets to two subscriptions of a customer, and one of another.
fn world_with_budgets(partner_center: &PartnerCenter) -> World {
    let mut world = world(partner_center);
    let csv = "customer_id,subscription_id,label,budget,currency\n11111111-0000-4000-8000-0000000000a1,s-prod,Production,100,SEK\n11111111-0000-4000-8000-0000000000a1,S-2,,1000,SEK\n11111111-0000-4000-8000-0000000000b1,S-9,,50,EUR\n";
    let path = world.write_beside("customers.csv", csv);
    world.change_rules(&format!("[customers_csv]\npath = \"{path}\"\n{SPEND}{RULES}"));
    world
}

fn plan(production: i64, other: i64, date: &str) -> SimCustomer {
    SimCustomer::azure_plan(
        "11111111-0000-4000-8000-0000000000a1",
        "Plan",
        "SEK",
        date.parse().unwrap(),
    )
    .with_budget(10_000.into())
    .with_cost((production + other).into())
    .with_subscription("S-PROD", "sub-1", production.into())
    .with_subscription("S-2", "sub-2", other.into())
    .with_subscription("S-3", "without a budget", 5000.into())
}

#[tokio::test]
async fn each_is_judged_by_its_own_budget_and_only_by_rules_on_budgets() {
    let partner_center = start();
    let world = world_with_budgets(&partner_center);
    partner_center.set_customers(vec![plan(85, 100, "2019-09-17T00:00:00Z")]);
    let report = world.poll_source("2019-09-17T12:00:00Z").await;
    assert_eq!(
        told(&report),
        "11111111-0000-4000-8000-0000000000a1/S-PROD spend 80: 85 of 100, 2019-09-01 .. 2019-10-01 \
            known baseline"
    );
    let snapshot = &report.alerts[0];
    assert_eq!(snapshot.context.subscription_name.as_deref(), Some("Production"));
    assert_eq!(snapshot.alert.customer.name, "Plan");
    partner_center.set_customers(vec![plan(120, 250, "2019-09-18T00:00:00Z")]);
    let second = told(&world.poll_source("2019-09-18T12:00:00Z").await);
    assert_eq!(
        second,
        "11111111-0000-4000-8000-0000000000a1 money 300: 370 of 10000, 2019-09-01 .. 2019-10-01 \
            known\n11111111-0000-4000-8000-0000000000a1/S-PROD spend 100: 120 of 100, 2019-09-01 \
            .. 2019-10-01 known"
    );
    assert_eq!(told(&world.poll_source("2019-09-18T13:00:00Z").await), "2 duplicate");
    let reader = Reader::open(&world.config().ledger).unwrap();
    let of_customer = AlertFilter {
        customer: Some(CustomerKey::of("11111111-0000-4000-8000-0000000000a1")),
        ..AlertFilter::default()
    };
    assert_eq!(
        reader.alerts(&of_customer).unwrap().len(),
        3,
        "a customer's alerts are also those of its subscriptions"
    );
    assert_eq!(reader.missing().unwrap(), 0);
    // By its name or a part of it, it is one customer.
    for name in ["Plan", "pla"] {
        let meant = reader.find_customer(name).unwrap();
        let [only] = meant.as_slice() else { panic!("{name}: {meant:?}") };
        assert_eq!((&*only.name, &only.subscription), ("Plan", &None));
    }
}

#[tokio::test]
async fn a_legacy_one_is_placed_in_the_period_of_its_own_summary() {
    let partner_center = start();
    let world = world_with_budgets(&partner_center);
    let legacy = SimCustomer::legacy(
        "11111111-0000-4000-8000-0000000000b1",
        "Legacy",
        "fr-FR",
        14,
        "2019-09-17T00:00:00Z".parse().unwrap(),
    )
    .with_subscription("S-9", "Microsoft Azure", 60.into());
    partner_center.set_customers(vec![legacy]);
    let report = world.poll_source("2019-09-17T12:00:00Z").await;
    assert_eq!(
        told(&report),
        "11111111-0000-4000-8000-0000000000b1/S-9 spend 100 passed 80: 120 of 50, 2019-09-14 .. \
            2019-10-14 known baseline\n1 passed"
    );
}

#[tokio::test]
async fn what_could_not_be_read_is_said_and_asked_for_again() {
    let partner_center = start();
    let world = world_with_budgets(&partner_center);
    partner_center.set_customers(vec![plan(85, 100, "2019-09-17T00:00:00Z")]);
    partner_center.fail(Endpoint::Subscriptions, Fault::status(403));
    let first = world.poll_source("2019-09-17T12:00:00Z").await;
    assert_eq!((told(&first), first.good), (String::new(), true));
    let open = || {
        let findings = Reader::open(&world.config().ledger).unwrap().findings().unwrap();
        findings
            .into_iter()
            .map(|open| (open.finding.code.as_str(), open.finding.subject))
            .collect::<Vec<_>>()
    };
    let unread = ("subscriptions-unread", String::new());
    assert!(open().contains(&unread), "{:?}", open());
    partner_center.heal(Endpoint::Subscriptions);
    let next = told(&world.poll_source("2019-09-17T13:00:00Z").await);
    assert_eq!(
        next,
        "11111111-0000-4000-8000-0000000000a1/S-PROD spend 80: 85 of 100, 2019-09-01 .. 2019-10-01 \
            known"
    );
    assert!(!open().contains(&unread), "{:?}", open());
    let never_seen = ("subscriptions-unread", "never seen".to_owned());
    assert!(
        open().contains(&never_seen),
        "nothing was ever read of the other customer: {:?}",
        open()
    );
}

#[tokio::test]
async fn a_spike_of_one_is_told_by_the_floor_of_its_own_budget() {
    let partner_center = start();
    let mut world = world_with_budgets(&partner_center);
    let rule = "[rules.spike]\nmetric = \"spike\"\nfloor_percent = 50\nnotify = \
        [\"hook\"]\nsteps = [{ at = 3 }]\n";
    world.change_rules(&world.rules().replace(SPEND, rule).replace(RULES, ""));
    for day in 1..=10 {
        let date = format!("2019-09-{day:02}T00:00:00Z");
        partner_center.set_customers(vec![plan(10 * day, 100, &date)]);
        assert_eq!(told(&world.poll_source(&date.replace("T00", "T12")).await), "");
    }
    partner_center.set_customers(vec![plan(600, 100, "2019-09-11T00:00:00Z")]);
    assert_eq!(
        told(&world.poll_source("2019-09-11T12:00:00Z").await),
        "11111111-0000-4000-8000-0000000000a1/S-PROD spike 3: 50 of 100, 2019-09-01 .. 2019-10-01 \
            known"
    );
}
