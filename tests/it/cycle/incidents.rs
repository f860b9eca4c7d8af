//! Incidents: one for a customer and billing period, which ends with the last of its alerts, and in
//! which nothing overtakes what came before.

use std::sync::Arc;
use std::time::Duration;

use budget_alertd::clock::{Clock, SimulatedClock};
use budget_alertd::daemon::assemble;
use budget_alertd::domain::Recipients;
use budget_alertd::ledger::{RetryFilter, RetryTo};
use budget_alertd::metrics::Metrics;
use budget_alertd::simulator::{Fault, HttpReceiver, PagerDutyService};

use super::spikes::Days;
use crate::support::world::{World, plan};

const DAY: &str = "2019-09-17T00:00:00Z";
const KEY: &str = "0123456789abcdef0123456789abcdef";

/// A world whose steps of 80 and 100 % go to a PagerDuty, and those of 100 % to another one, too.
fn paged(services: &[PagerDutyService; 2]) -> World {
    let [first, second] = services.each_ref().map(PagerDutyService::url);
    World::new(&format!(
        "[rules.spend]\nmetric = \"percent_used\"\nnotify = [\"pager\"]\n\
         steps = [{{ at = 80 }}, {{ at = 100, severity = \"critical\", notify = [\"pager\", \"boss\"] }}]\n\
         [notifiers.pager]\ntype = \"pagerduty\"\nrouting_key = \"{KEY}\"\nurl = \"{first}\"\n\
         [notifiers.boss]\ntype = \"pagerduty\"\nrouting_key = \"{KEY}\"\nurl = \"{second}\"\n"
    ))
}

fn services() -> [PagerDutyService; 2] {
    let clock: Arc<dyn Clock> = SimulatedClock::starting_at(DAY.parse().unwrap());
    [(); 2].map(|()| PagerDutyService::start(Arc::clone(&clock), KEY).unwrap())
}

/// Delivers what is owed, as far as it goes; moves the clock over what it waits for.
async fn deliver(world: &World, steps: usize) {
    let ledger = world.ledger();
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    for mut worker in assemble(&world.config(), &ledger, &clock, &Metrics::new()).unwrap().workers {
        for _ in 0..steps {
            let Some(wait) = worker.step(&|| false).await.unwrap().wait else { break };
            world.clock.advance(wait + Duration::from_secs(1));
        }
    }
    ledger.close().await.unwrap();
}

/// The incidents of customer A: how many events each has, and whether it is open.
fn incidents(service: &PagerDutyService) -> String {
    let told = |incident: &budget_alertd::simulator::SimIncident| {
        let severities: Vec<_> = incident
            .triggers
            .iter()
            .map(|event| event["payload"]["severity"].as_str().unwrap())
            .collect();
        format!("{}{}", severities.join(" "), if incident.open { ", open" } else { "" })
    };
    service.incidents().iter().map(told).collect::<Vec<_>>().join("; ")
}

/// Polls customer A with this cost and budget after so many hours, and delivers.
async fn poll(world: &World, hours: i64, cost: &str, budget: &str) {
    let at = DAY.parse::<jiff::Timestamp>().unwrap() + jiff::SignedDuration::from_hours(hours);
    let at = at.max(world.clock.now()).to_string();
    world.poll(&at, &[plan("A", cost, budget, &at)]).await;
}

#[tokio::test]
async fn it_ends_only_when_no_step_of_it_is_open_any_more() {
    let services = services();
    let world = paged(&services);
    poll(&world, 0, "1", "100").await;
    poll(&world, 1, "85", "100").await;
    deliver(&world, 5).await;
    poll(&world, 2, "105", "100").await;
    deliver(&world, 5).await;
    assert_eq!(services.each_ref().map(incidents), ["warning critical, open", "critical, open"]);
    poll(&world, 3, "105", "120").await;
    deliver(&world, 5).await;
    assert_eq!(
        services.each_ref().map(incidents),
        ["warning critical, open", "critical"],
        "80 % is still true, where it was told"
    );
    poll(&world, 4, "105", "1000").await;
    deliver(&world, 5).await;
    assert_eq!(services.each_ref().map(incidents), ["warning critical", "critical"]);
    assert_eq!(world.owed("pager").await.len(), 0);
}

#[tokio::test]
async fn steps_that_end_together_end_it_once() {
    let services = services();
    let world = paged(&services);
    poll(&world, 0, "1", "100").await;
    poll(&world, 1, "85", "100").await;
    poll(&world, 2, "105", "100").await;
    deliver(&world, 5).await;
    poll(&world, 3, "105", "1000").await;
    assert_eq!((world.owed("pager").await.len(), world.owed("boss").await.len()), (1, 1));
    deliver(&world, 5).await;
    assert_eq!(services.each_ref().map(incidents), ["warning critical", "critical"]);
}

#[tokio::test]
async fn a_rule_that_is_removed_leaves_none_open() {
    let services = services();
    let mut world = paged(&services);
    poll(&world, 0, "1", "100").await;
    poll(&world, 1, "85", "100").await;
    poll(&world, 2, "105", "100").await;
    deliver(&world, 5).await;
    assert_eq!(services.each_ref().map(incidents), ["warning critical, open", "critical, open"]);
    world.change_rules(
        &paged(&services)
            .rules()
            .replace("[rules.spend]", "[rules.other]")
            .replace("at = 80", "at = 95"),
    );
    poll(&world, 3, "90", "100").await;
    assert_eq!(
        (world.owed("pager").await.len(), world.owed("boss").await.len()),
        (1, 1),
        "once for each incident"
    );
    deliver(&world, 5).await;
    assert_eq!(services.each_ref().map(incidents), ["warning critical", "critical"]);
    poll(&world, 4, "90", "100").await;
    assert_eq!(
        (world.owed("pager").await.len(), world.owed("boss").await.len()),
        (0, 0),
        "and never again"
    );
}

#[tokio::test]
async fn nothing_overtakes_what_came_before_in_its_incident() {
    let services = services();
    let world = paged(&services);
    poll(&world, 0, "1", "100").await;
    poll(&world, 1, "85", "100").await;
    deliver(&world, 5).await;
    services[0].fail(Fault::status(503));
    // Over by a raised budget, then over the raised one, while nothing can be sent.
    poll(&world, 2, "85", "150").await;
    poll(&world, 3, "155", "150").await;
    deliver(&world, 2).await;
    services[0].heal();
    deliver(&world, 10).await;
    assert_eq!(
        incidents(&services[0]),
        "warning; critical, open",
        "the end first, then what is new"
    );
    services[0].fail(Fault::status(503));
    poll(&world, 6, "320", "300").await;
    poll(&world, 7, "320", "10000").await;
    deliver(&world, 2).await;
    services[0].heal();
    deliver(&world, 10).await;
    assert_eq!(
        incidents(&services[0]),
        "warning; critical critical",
        "what is new first, then the end"
    );
}

/// A world with a second rule, which finds the same customers at 90 %.
fn paged_by_two_rules(services: &[PagerDutyService; 2]) -> World {
    World::new(&format!(
        "{}[rules.cost]\nmetric = \"total_cost\"\nnotify = [\"pager\"]\n\
         steps = [{{ at = {{ SEK = 90 }}, severity = \"info\" }}]\n",
        paged(services).rules()
    ))
}

#[tokio::test]
async fn the_alerts_of_all_rules_are_one_incident_that_ends_with_the_last() {
    let services = services();
    let world = paged_by_two_rules(&services);
    poll(&world, 0, "1", "100").await;
    poll(&world, 1, "95", "100").await;
    deliver(&world, 5).await;
    assert_eq!(incidents(&services[0]), "warning, open", "two reasons, one event");
    poll(&world, 2, "105", "100").await;
    deliver(&world, 5).await;
    poll(&world, 3, "105", "1000").await;
    deliver(&world, 5).await;
    assert_eq!(
        services.each_ref().map(incidents),
        ["warning critical, open", "critical"],
        "the cost alone is still there, of which the second was not told"
    );
    let next = 24 * 20;
    poll(&world, next, "1", "1000").await;
    deliver(&world, 5).await;
    assert_eq!(services.each_ref().map(incidents), ["warning critical", "critical"]);
}

#[tokio::test]
async fn a_rule_that_is_removed_ends_only_what_no_other_rule_keeps_open() {
    let services = services();
    let mut world = paged_by_two_rules(&services);
    poll(&world, 0, "1", "100").await;
    poll(&world, 1, "105", "100").await;
    deliver(&world, 5).await;
    let both = world.rules().to_owned();
    world.change_rules(
        &both
            .replace("[rules.spend]", "[rules.other]")
            .replace("at = 80", "at = 500")
            .replace("at = 100", "at = 600"),
    );
    poll(&world, 2, "105", "100").await;
    deliver(&world, 5).await;
    assert_eq!(services.each_ref().map(incidents), ["critical, open", "critical"]);
    world.change_rules(
        &paged(&services)
            .rules()
            .replace("[rules.spend]", "[rules.third]")
            .replace("at = 80", "at = 500")
            .replace("at = 100", "at = 600"),
    );
    poll(&world, 3, "105", "100").await;
    deliver(&world, 5).await;
    assert_eq!(services.each_ref().map(incidents), ["critical", "critical"]);
}

#[tokio::test]
async fn an_incident_of_an_older_version_is_gone_on_with_and_ended_under_its_key() {
    let services = services();
    let world = paged_by_two_rules(&services);
    poll(&world, 0, "1", "100").await;
    poll(&world, 1, "85", "100").await;
    let ledger = rusqlite::Connection::open(world.config().ledger.path).unwrap();
    let old = "UPDATE alert SET snapshot = json_remove(snapshot, '$.context.incident')";
    assert_eq!(ledger.execute(old, ()).unwrap(), 1);
    drop(ledger);
    deliver(&world, 5).await;
    // A step of the same rule, and another rule.
    poll(&world, 2, "105", "100").await;
    deliver(&world, 5).await;
    assert_eq!(incidents(&services[0]), "warning critical, open");
    let key = services[0].incidents()[0].dedup_key.clone();
    assert!(key.ends_with("/2019-09-01T00:00:00Z/spend"), "{key}");
    poll(&world, 24 * 20, "1", "1000").await;
    deliver(&world, 5).await;
    assert_eq!(incidents(&services[0]), "warning critical");
    // In the next period there is none that is open.
    poll(&world, 24 * 20 + 1, "950", "1000").await;
    deliver(&world, 5).await;
    let key = services[0].incidents()[1].dedup_key.clone();
    assert!(key.ends_with("/2019-10-01T00:00:00Z"), "{key}");
}

#[tokio::test]
async fn the_end_of_another_notifiers_alert_leaves_the_incident_open() {
    let ([service, _], clock) = (services(), SimulatedClock::starting_at(DAY.parse().unwrap()));
    let ops = HttpReceiver::start(clock).unwrap();
    let world = World::new(&format!(
        "[rules.spend]\nmetric = \"percent_used\"\nnotify = [\"pager\"]\nsteps = [{{ at = 80 }}]\n\
         [rules.far]\nmetric = \"percent_used\"\nnotify = [\"ops\"]\nsteps = [{{ at = 200 }}]\n\
         [notifiers.pager]\ntype = \"pagerduty\"\nrouting_key = \"{KEY}\"\nurl = \"{}\"\n\
         [notifiers.ops]\ntype = \"webhook\"\nurl = \"{}\"\nsend_resolved = true\n\
         fallback = [\"pager\"]\n",
        service.url(),
        ops.url("/ops"),
    ));
    poll(&world, 0, "1", "100").await;
    poll(&world, 1, "210", "100").await;
    deliver(&world, 5).await;
    assert_eq!((incidents(&service).as_str(), ops.received().len()), ("warning, open", 1));
    // The step of 200 is over and that of 80 is not; who is told of that takes it no more.
    ops.fail_once(Fault::status(400));
    poll(&world, 2, "210", "200").await;
    deliver(&world, 5).await;
    deliver(&world, 5).await;
    assert!(world.owed("ops").await.is_empty(), "the end was refused");
    assert_eq!(incidents(&service), "warning, open");
    // Nor does it by the hand of a person.
    let ledger = world.ledger();
    let pager = RetryTo {
        notifier: "pager".into(),
        recipients: Recipients::Destination,
        has_incidents: true,
    };
    let moved = ledger.retry(RetryFilter::default(), world.clock.now(), Some(pager)).await.unwrap();
    assert_eq!(moved, 0);
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn a_spike_ends_its_incident_with_its_run_whatever_the_month() {
    let [service, _] = services();
    let world = World::new(&format!(
        "[rules.spike]\nmetric = \"spike\"\nfloor = {{ SEK = 100 }}\nnotify = [\"pager\"]\n\
         steps = [{{ at = 3, severity = \"critical\" }}]\n\
         [notifiers.pager]\ntype = \"pagerduty\"\nrouting_key = \"{KEY}\"\nurl = \"{}\"\n",
        service.url()
    ));
    let mut days = Days::of(&world).await;
    days.usual(29, 40).await;
    assert!(days.day(240).await.starts_with("A spike 3: 6 of"));
    for cost in [240, 170] {
        assert_eq!(days.day(cost).await, "1 duplicate");
        deliver(&world, 5).await;
        assert_eq!(incidents(&service), "critical, open");
    }
    days.usual(1, 40).await;
    deliver(&world, 5).await;
    assert_eq!(incidents(&service), "critical");
    assert_eq!(world.owed("pager").await.len(), 0);
}
