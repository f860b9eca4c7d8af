//! Billing periods as Partner Center names them, and what is done without its answer.

use std::sync::Arc;

use budget_alertd::clock::Clock;
use budget_alertd::simulator::{Endpoint, Fault, PartnerCenter, SignIn, SimCustomer};

use crate::support::world::{SPEND, World, told};

pub(super) fn world(partner_center: &PartnerCenter) -> World {
    let (api, login) = (partner_center.api_url(), partner_center.login_url());
    World::new(SPEND).with_source(format!(
        "[source]\ntype = \"partner-center\"\napi_url = \"{api}\"\nlogin_url = \
            \"{login}\"\ntenant_id = \"contoso.example\"\nclient_id = \"app\"\nrefresh_token = \
            \"{}\"\n",
        partner_center.refresh_token()
    ))
}

pub(super) fn start() -> PartnerCenter {
    start_at(budget_alertd::clock::SimulatedClock::starting_at(
        "2019-01-01T00:00:00Z".parse().unwrap(),
    ))
}

/// One that waits by this clock.
pub(super) fn start_at(clock: Arc<dyn Clock>) -> PartnerCenter {
    let sign_in = SignIn {
        client_id: "app".into(),
        tenant_id: "contoso.example".into(),
        client_secret: None,
        ..SignIn::default()
    };
    PartnerCenter::start(clock, sign_in).unwrap()
}

fn legacy(cost: i64, date: &str) -> SimCustomer {
    let cost = rust_decimal::Decimal::from(cost);
    SimCustomer::legacy("L1", "Legacy", "fr-FR", 14, date.parse().unwrap())
        .with_budget(100.into())
        .with_cost(cost)
        .with_subscription("S1", "Microsoft Azure", cost)
}

#[tokio::test]
async fn a_legacy_customer_about_to_alert_is_placed_in_the_period_its_summary_names() {
    let partner_center = start();
    let world = world(&partner_center);
    partner_center.set_customers(vec![legacy(85, "2019-09-17T00:00:00Z")]);
    let report = world.poll_source("2019-09-17T12:00:00Z").await;
    assert_eq!(told(&report), "L1 spend 80: 85 of 100, 2019-09-14 .. 2019-10-14 known baseline");
    let subscriptions: Vec<String> = report.alerts[0]
        .alert
        .subscriptions
        .iter()
        .map(|found| format!("{} {} {}", found.id, found.name, found.cost.normalize()))
        .collect();
    assert_eq!(subscriptions, ["S1 Microsoft Azure 85"]);
    partner_center.set_customers(vec![legacy(86, "2019-10-13T12:00:00Z")]);
    assert_eq!(
        told(&world.poll_source("2019-10-13T18:00:00Z").await),
        "1 duplicate",
        "the same period, a calendar month later"
    );
}

#[tokio::test]
async fn without_an_answer_the_period_is_assumed_and_gives_way_to_the_known_one() {
    let partner_center = start();
    let world = world(&partner_center);
    partner_center.fail(Endpoint::Subscriptions, Fault::status(500));
    partner_center.set_customers(vec![legacy(85, "2019-09-17T00:00:00Z")]);
    let assumed = told(&world.poll_source("2019-09-17T12:00:00Z").await);
    assert_eq!(assumed, "L1 spend 80: 85 of 100, 2019-09-01 .. 2019-10-01 assumed baseline");
    partner_center.heal(Endpoint::Subscriptions);
    partner_center.set_customers(vec![legacy(86, "2019-10-03T00:00:00Z")]);
    assert_eq!(
        told(&world.poll_source("2019-10-03T12:00:00Z").await),
        "1 duplicate",
        "the period is known to last from 14 September to 13 October, and the alert of 17 \
            September belongs to it"
    );
}

#[tokio::test]
async fn an_azure_plan_keeps_its_month_and_says_that_a_summary_named_it() {
    let partner_center = start();
    let world = world(&partner_center);
    let customer =
        SimCustomer::azure_plan("P1", "Plan", "SEK", "2019-09-17T00:00:00Z".parse().unwrap())
            .with_budget(100.into())
            .with_cost(120.into())
            .with_subscription("S1", "Azure plan", 120.into());
    partner_center.set_customers(vec![customer]);
    assert_eq!(
        told(&world.poll_source("2019-09-17T12:00:00Z").await),
        "P1 spend 100 passed 80: 120 of 100, 2019-09-01 .. 2019-10-01 known baseline\n1 passed"
    );
}

#[tokio::test]
async fn what_is_taken_for_late_data_is_asked_about_by_every_poll() {
    let partner_center = start();
    let world = world(&partner_center);
    let customer = |cost: i64, date: &str, summary: &str| {
        let customer = SimCustomer::azure_plan("P1", "Plan", "SEK", date.parse().unwrap())
            .with_budget(100.into())
            .with_cost(cost.into());
        SimCustomer {
            summary_as_of: Some(summary.parse().unwrap()),
            ..customer.with_subscription("S1", "Azure plan", cost.into())
        }
    };
    let (october, november) = ("2019-10-30T00:00:00Z", "2019-11-02T00:00:00Z");
    partner_center.set_customers(vec![customer(300, october, october)]);
    world.poll_source("2019-10-30T12:00:00Z").await;
    partner_center.set_customers(vec![customer(320, november, october)]);
    assert_eq!(
        told(&world.poll_source("2019-11-02T12:00:00Z").await),
        "1 duplicate",
        "the summary still names October"
    );
    partner_center.set_customers(vec![customer(320, november, november)]);
    let confirmed = told(&world.poll_source("2019-11-02T18:00:00Z").await);
    assert_eq!(
        confirmed,
        "P1 spend 100 passed 80: 320 of 100, 2019-11-01 .. 2019-12-01 known\n1 passed"
    );
}

#[tokio::test]
async fn a_moved_period_is_cut_where_it_would_overlap_a_named_one() {
    let partner_center = start();
    let world = world(&partner_center);
    let customer = |date: &str, summary: &str| {
        let customer = SimCustomer::legacy("L1", "Legacy", "fr-FR", 31, date.parse().unwrap())
            .with_budget(100.into())
            .with_cost(90.into());
        let customer = customer.with_subscription("S1", "Microsoft Azure", 90.into());
        vec![SimCustomer { summary_as_of: Some(summary.parse().unwrap()), ..customer }]
    };
    partner_center.set_customers(customer("2026-10-30T12:00:00Z", "2026-10-30T12:00:00Z"));
    let first = told(&world.poll_source("2026-10-30T18:00:00Z").await);
    assert_eq!(first, "L1 spend 80: 90 of 100, 2026-09-30 .. 2026-10-31 known baseline");
    partner_center.set_customers(customer("2026-11-29T12:00:00Z", "2026-11-30T12:00:00Z"));
    let second = told(&world.poll_source("2026-11-29T18:00:00Z").await);
    assert_eq!(
        second, "L1 spend 80: 90 of 100, 2026-10-31 .. 2026-11-30 assumed",
        "moved from 30 November it would hold 30 October"
    );
}

#[tokio::test]
async fn what_is_answered_about_older_data_than_the_last_seen_is_kept() {
    let partner_center = start();
    let world = world(&partner_center);
    partner_center.set_customers(vec![legacy(10, "2019-10-20T00:00:00Z")]);
    assert_eq!(told(&world.poll_source("2019-10-20T12:00:00Z").await), "");
    partner_center.set_customers(vec![legacy(85, "2019-09-20T00:00:00Z")]);
    let late = told(&world.poll_source("2019-10-21T00:00:00Z").await);
    assert_eq!(late, "L1 spend 80: 85 of 100, 2019-09-14 .. 2019-10-14 known");
    partner_center.fail(Endpoint::Subscriptions, Fault::status(403));
    partner_center.set_customers(vec![legacy(86, "2019-10-21T00:00:00Z")]);
    let next = told(&world.poll_source("2019-10-21T12:00:00Z").await);
    assert_eq!(
        next, "L1 spend 80: 86 of 100, 2019-10-14 .. 2019-11-14 assumed",
        "what was named then, moved by a month"
    );
}

#[tokio::test]
async fn one_customers_refusal_ends_no_question_about_the_others() {
    let partner_center = start();
    let world = world(&partner_center);
    partner_center.fail_once(Endpoint::Subscriptions, Fault::status(403));
    let named =
        |id: &str, cost: i64| SimCustomer { id: id.into(), ..legacy(cost, "2019-09-17T00:00:00Z") };
    partner_center.set_customers((1..=8).map(|number| named(&format!("L{number}"), 90)).collect());
    let report = world.poll_source("2019-09-17T12:00:00Z").await;
    let known = report.alerts.iter().filter(|alert| !alert.alert.subscriptions.is_empty()).count();
    assert_eq!((report.alerts.len(), known), (8, 7));
}

#[tokio::test]
async fn a_source_that_asks_to_be_left_alone_while_details_are_asked_is_left_alone() {
    let partner_center = start();
    let world = world(&partner_center);
    partner_center.fail(
        Endpoint::Subscriptions,
        Fault::Answer(budget_alertd::simulator::Answer::throttled(57)),
    );
    partner_center.set_customers(vec![legacy(90, "2019-09-17T00:00:00Z")]);
    let report = world.poll_source("2019-09-17T12:00:00Z").await;
    assert_eq!(told(&report), "L1 spend 80: 90 of 100, 2019-09-01 .. 2019-10-01 assumed baseline");
    assert_eq!(report.retry_after.map(|wait| wait.as_secs()), Some(57));
}
