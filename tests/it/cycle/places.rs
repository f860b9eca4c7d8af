//! Where the money goes: what is asked for critical alerts of Azure plans, and that no answer costs
//! or delays an alert.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use budget_alertd::clock::{Clock, SimulatedClock};
use budget_alertd::simulator::{Answer, Endpoint, Fault, PartnerCenter, SimCustomer, SimResource};

use super::periods::{start, start_at, world};
use crate::support::world::{World, told};

const AS_OF: &str = "2019-09-17T00:00:00Z";
const NOW: &str = "2019-09-17T12:00:00Z";

fn customer(id: &str, cost: i64) -> SimCustomer {
    SimCustomer::azure_plan(id, "Plan", "SEK", AS_OF.parse().unwrap())
        .with_budget(100.into())
        .with_cost((cost + 5).into())
        .with_subscription("S0", "Support", 5.into())
        .with_subscription("S1", "Azure plan", cost.into())
        .with_resources(vec![
            SimResource::new("Prod", "web-rg", "web-01", (cost / 10).into()),
            SimResource::new("Prod", "ML-rg", "gpu-01", (cost / 5).into()),
            SimResource::new("prod", "ml-rg", "gpu-02", (cost - cost / 10 - cost / 5).into()),
        ])
}

/// The places of each alert, a line each.
async fn places(world: &World) -> String {
    let report = world.poll_source(NOW).await;
    assert!(report.good, "{}", told(&report));
    let mut text = String::new();
    for snapshot in &report.alerts {
        let alert = &snapshot.alert;
        write!(text, "{} {}:", alert.customer.id, alert.threshold).unwrap();
        for one in &alert.resources {
            let or_dash = |name: &Option<String>| name.clone().unwrap_or_else(|| "-".into());
            let cost = one.cost.map_or_else(|| "-".into(), |cost| cost.normalize().to_string());
            let (subscription, group, name) =
                (or_dash(&one.subscription), or_dash(&one.resource_group), or_dash(&one.name));
            write!(text, " [{subscription} / {group} / {name} {cost} {}%]", one.percent).unwrap();
        }
        text.push('\n');
    }
    text.trim_end().to_owned()
}

/// What the endpoint answers, whatever is asked for.
fn answer(items: &str) -> Fault {
    Fault::Answer(Answer::json(
        200,
        format!("\u{feff}{{\"totalCount\": 9, \"items\": [{items}], \"attributes\": {{}}}}")
            .into_bytes(),
    ))
}

async fn places_of(items: &str) -> String {
    let partner_center = start();
    partner_center.set_customers(vec![customer("P1", 200)]);
    partner_center.fail(Endpoint::ResourceUsage, answer(items));
    places(&world(&partner_center)).await
}

fn asked(partner_center: &PartnerCenter) -> usize {
    partner_center
        .requests()
        .iter()
        .filter(|request| request.path.contains("/resourceusagerecords"))
        .count()
}

#[tokio::test]
async fn a_critical_alert_of_a_plan_names_the_resource_groups_of_its_costliest_subscription() {
    let partner_center = start();
    partner_center.set_customers(vec![customer("P1", 200)]);
    let told = places(&world(&partner_center)).await;
    assert_eq!(told, "P1 100: [Prod / ML-rg / gpu-02 180 90%] [Prod / web-rg / web-01 20 10%]");
    let path = partner_center.requests().pop().unwrap().path;
    assert_eq!(path, "/v1/customers/P1/subscriptions/S1/resourceusagerecords");
}

#[tokio::test]
async fn nobody_is_asked_for_what_is_not_critical_or_no_plan_or_told_before() {
    let partner_center = start();
    let legacy = SimCustomer::legacy("L1", "Legacy", "fr-FR", 14, AS_OF.parse().unwrap())
        .with_budget(100.into())
        .with_cost(500.into());
    partner_center.set_customers(vec![
        customer("P1", 80),
        legacy.with_subscription("S9", "Microsoft Azure", 500.into()),
    ]);
    let world = world(&partner_center);
    assert_eq!(places(&world).await, "L1 100:\nP1 80:");
    assert_eq!(asked(&partner_center), 0);
    partner_center.set_customers(vec![customer("P1", 200)]);
    places(&world).await;
    places(&world).await;
    assert_eq!(asked(&partner_center), 1, "once for the alert, not for what is known already");
}

#[tokio::test]
async fn the_forms_of_a_record_are_read_as_far_as_they_say_something() {
    let uri = r#""resourceUri": "/subscriptions/7/resourcegroups/from-uri/providers/Microsoft.Web/sites/x""#;
    let one = format!(
        r#"{{"entitlementId": "ent-1", {uri}, "totalCost": "120.5", "currencyCode": "SEK"}}"#
    );
    let alone = r#"{"entitlementName": "Prod", "resourceName": "public-ip", "totalCost": 60, "currencyCode": "SEK"}"#;
    let kind = r#"{"entitlementName": null, "resourceGroupName": 4.0, "resourceType": "Bandwidth", "totalCost": 9.5, "currencyCode": "SEK"}"#;
    let useless = r#"{"resourceGroupName": "free", "totalCost": "much"}, 7, null, {"resourceGroupName": "credit", "totalCost": -1}"#;
    let told = places_of(&format!("{one}, {alone}, {kind}, {useless}")).await;
    assert_eq!(
        told,
        "P1 100: [ent-1 / from-uri / - 120.5 63.76%] [Prod / - / public-ip 60 31.75%] [- / - / \
            Bandwidth 9.5 5.03%]"
    );
}

#[tokio::test]
async fn amounts_are_shown_only_where_they_are_surely_in_the_customers_currency() {
    let record = |cost: &str, currency: &str| {
        format!(
            r#"{{"entitlementName": "Prod", "resourceGroupName": "rg", "totalCost": {cost}{currency}}}"#
        )
    };
    for (items, expected) in [
        (record("190", r#", "currencyCode": "SEK""#), "[Prod / rg / - 190 100%]"),
        (record("20", r#", "currencyCode": "SEK""#), "[Prod / rg / - 20 100%]"),
        (record("19", r#", "currencyCode": "USD""#), "[Prod / rg / - - 100%]"),
        (record("199", ""), "[Prod / rg / - 199 100%]"),
        (record("211", ""), "[Prod / rg / - - 100%]"),
        (record("20", ""), "[Prod / rg / - - 100%]"),
    ] {
        assert_eq!(places_of(&items).await, format!("P1 100: {expected}"), "{items}");
    }
    let mixed =
        [record("100", r#", "currencyCode": "SEK""#), record("100", r#", "currencyCode": "EUR""#)]
            .join(", ");
    assert_eq!(places_of(&mixed).await, "P1 100:");
    assert_eq!(places_of(&record("-5", "")).await, "P1 100:");
    assert_eq!(places_of("").await, "P1 100:");
}

#[tokio::test]
async fn no_refusal_and_no_broken_answer_costs_an_alert() {
    let cut =
        r#"{"totalCount": 2, "items": [{"resourceGroupName": "rg", "totalCost": 190}, {"resou"#;
    let faults = [
        Fault::status(403),
        Fault::status(404),
        Fault::status(500),
        Fault::status(204),
        Fault::Reset,
        Fault::Cut { after: 300 },
        Fault::Answer(Answer::json(200, cut.as_bytes().to_vec())),
        Fault::Answer(Answer::json(200, b"<html>".to_vec())),
        Fault::Answer(Answer::json(200, b"[1, 2".to_vec())),
    ];
    for fault in faults {
        let partner_center = start();
        partner_center.set_customers(vec![customer("P1", 200)]);
        partner_center.fail(Endpoint::ResourceUsage, fault.clone());
        assert_eq!(places(&world(&partner_center)).await, "P1 100:", "{fault:?}");
    }
}

#[tokio::test]
async fn an_answer_cut_once_is_asked_for_again_and_counted_once() {
    let partner_center = start();
    partner_center.set_customers(vec![customer("P1", 200)]);
    partner_center.fail_once(Endpoint::ResourceUsage, Fault::Cut { after: 900 });
    let told = places(&world(&partner_center)).await;
    assert_eq!(told, "P1 100: [Prod / ML-rg / gpu-02 180 90%] [Prod / web-rg / web-01 20 10%]");
    assert_eq!(asked(&partner_center), 2);
}

#[tokio::test]
async fn a_next_page_is_added_and_one_that_leads_back_ends_it() {
    let partner_center = start();
    partner_center.set_customers(vec![customer("P1", 200)]);
    let page = |next: &str| {
        let link = format!(
            r#"{{"next": {{"uri": "/customers/P1/subscriptions/S1/resourceusagerecords{next}", "method": "GET", "headers": []}}}}"#
        );
        let item = r#"{"entitlementName": "Prod", "resourceGroupName": "rg", "totalCost": 90, "currencyCode": "SEK"}"#;
        Fault::Answer(Answer::json(
            200,
            format!(r#"{{"items": [{item}], "links": {link}}}"#).into_bytes(),
        ))
    };
    partner_center.fail_once(Endpoint::ResourceUsage, page("?page=2"));
    partner_center.fail_once(Endpoint::ResourceUsage, page("?page=3"));
    assert_eq!(
        places(&world(&partner_center)).await,
        "P1 100: [Prod / ML-rg / gpu-02 - 47.37%] [Prod / rg / - - 47.37%] [Prod / web-rg / web-01 \
            - 5.26%]",
        "more than the plan has cost: shares alone"
    );
    let partner_center = start();
    partner_center.set_customers(vec![customer("P1", 200)]);
    partner_center.fail(Endpoint::ResourceUsage, page(""));
    assert_eq!(places(&world(&partner_center)).await, "P1 100:");
}

/// What a poll takes by its own clock when each answer takes `seconds`, how many were asked for,
/// how many came.
async fn slow(seconds: u64) -> (u64, usize, usize) {
    let clock = SimulatedClock::starting_at(NOW.parse().unwrap());
    let partner_center = start_at(Arc::clone(&clock) as Arc<dyn Clock>);
    let mut world = world(&partner_center);
    world.clock = Arc::clone(&clock);
    partner_center.set_customers(
        (1..=9).map(|number| customer(&format!("P{number}"), 200 + number * 10)).collect(),
    );
    partner_center.fail(Endpoint::ResourceUsage, Fault::Slow(Duration::from_secs(seconds)));
    let report = world.poll_source(NOW).await;
    assert_eq!(report.alerts.len(), 9);
    let known = report.alerts.iter().filter(|one| !one.alert.resources.is_empty()).count();
    (clock.monotonic().as_secs(), asked(&partner_center), known)
}

#[tokio::test]
async fn slow_answers_hold_up_the_alerts_of_a_poll_for_half_a_minute_at_most() {
    let (took, asked, known) = slow(31).await;
    assert!(took < 60 && asked == 4 && known == 0, "{took} {asked} {known}");
    let (took, asked, known) = slow(2).await;
    assert!(took <= 30 && asked == 9 && known == 9, "{took} {asked} {known}");
}

#[tokio::test]
async fn a_source_that_asks_to_be_left_alone_is_asked_no_more() {
    let partner_center = start();
    partner_center
        .set_customers((1..=9).map(|number| customer(&format!("P{number}"), 200)).collect());
    partner_center.fail(Endpoint::ResourceUsage, Fault::Answer(Answer::throttled(57)));
    let report = world(&partner_center).poll_source(NOW).await;
    assert_eq!((report.alerts.len(), report.retry_after.map(|wait| wait.as_secs())), (9, Some(57)));
    assert!(asked(&partner_center) <= 4, "{}", asked(&partner_center));
}

#[tokio::test]
async fn a_very_large_answer_with_very_long_names_is_added_up_as_it_comes() {
    let partner_center = start();
    let many = (0..50_000).map(|number| {
        let group = if number % 2 == 0 {
            "ml-rg".to_owned()
        } else {
            format!("rg-{number}-{}", "x".repeat(300))
        };
        SimResource::new(
            "Prod",
            &group,
            &format!("machine-{number}"),
            rust_decimal::Decimal::new(4, 3),
        )
    });
    let large = customer("P1", 200).with_resources(many.collect());
    partner_center.set_customers(vec![large]);
    let told = places(&world(&partner_center)).await;
    assert!(told.starts_with("P1 100: [Prod / ml-rg / machine-0 100 50%] [Prod / rg-"), "{told}");
    assert!(told.contains(" 0.004 0%]"), "{told}");
    assert!(told.len() < 2_000, "{told}");
}
