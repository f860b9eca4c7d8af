//! Years go by: what the ledger forgets, what it keeps, and that nobody is told twice for it.

use budget_alertd::ledger::{AlertFilter, AttemptRecord, DeliveryFilter, Reader};
use jiff::{Timestamp, ToSpan as _};

use crate::support::world::{Record, World, plan};

const RULES: &str = r#"
[rules.spend]
metric = "percent_used"
notify = ["hook"]
steps = [{ at = 80 }, { at = 100, severity = "critical" }]
[rules.daily]
metric = "daily_cost"
notify = ["hook"]
then_every = { SEK = 10 }
steps = [{ at = { SEK = 10 } }]
[rules.first]
metric = "total_cost"
notify = ["away"]
steps = [{ at = { SEK = 1000 } }]
[notifiers.hook]
type = "webhook"
url = "http://127.0.0.1:9/"
[notifiers.away]
type = "webhook"
url = "http://127.0.0.1:9/"
"#;

const FIRST: &str = "2023-11-15T00:00:00Z";
/// A customer whose record nobody has touched since.
const STUCK: &str = "2023-11-10T00:00:00Z";

/// What the source has in so many months and days after the first.
fn records(months: i64, day: i64, now: &str) -> Vec<Record> {
    let mut records = vec![
        plan("A", if day == 0 { "120" } else { "160" }, "100", now),
        plan("STUCK", "150", "100", STUCK),
        plan("OWED", if months == 0 { "1500" } else { "5" }, "", now),
    ];
    if months == 0 && day == 0 {
        records.push(plan("GONE", "300", "100", now));
    }
    records
}

fn date(months: i64, day: i64) -> String {
    let first: Timestamp = FIRST.parse().unwrap();
    let zoned = first.to_zoned(jiff::tz::TimeZone::UTC);
    zoned.checked_add(months.months().days(day)).unwrap().timestamp().to_string()
}

/// Everything that is owed to the hook arrives.
async fn deliver(world: &World, now: &str) {
    let ledger = world.ledger();
    for delivery in ledger.due("hook", Vec::new(), 1000).await.unwrap() {
        let attempt = AttemptRecord {
            delivery: delivery.id,
            at: now.parse().unwrap(),
            outcome: "sent",
            detail: "200".into(),
            message: None,
        };
        ledger.mark_sent(attempt).await.unwrap();
    }
    ledger.close().await.unwrap();
}

/// Polls on two days of each month.
async fn live(world: &World, months: std::ops::Range<i64>) {
    for month in months {
        for day in [0, 1] {
            let now = date(month, day);
            world.poll(&now, &records(month, day, &now)).await;
            deliver(world, &now).await;
        }
    }
}

fn reader(world: &World) -> Reader {
    Reader::open(&world.config().ledger).unwrap()
}

/// The alerts that are kept: of whom, and of which month; the oldest first.
fn kept(world: &World, of: &str) -> Vec<String> {
    let mut rows = reader(world).alerts(&AlertFilter::default()).unwrap();
    rows.retain(|row| row.snapshot.alert.customer.id.as_str() == of);
    rows.reverse();
    rows.iter()
        .map(|row| {
            format!(
                "{} {}",
                row.snapshot.alert.rule,
                &row.snapshot.alert.usage_as_of.to_string()[..7]
            )
        })
        .collect()
}

fn count(world: &World, sql: &str) -> i64 {
    rusqlite::Connection::open(world.config().ledger.path)
        .unwrap()
        .query_row(sql, [], |row| row.get(0))
        .unwrap()
}

#[tokio::test]
async fn years_leave_what_is_kept_for_retention_what_is_owed_and_what_keeps_an_alert_from_coming_twice()
 {
    let mut world = World::new(RULES);
    live(&world, 0..37).await;
    let now = date(36, 1);

    let of_a = kept(&world, "A");
    assert_eq!(
        of_a.first().map(String::as_str),
        Some("spend 2025-09"),
        "it ended less than 400 days ago: {of_a:?}"
    );
    assert_eq!(of_a.len(), 2 * 15, "a monthly and a daily one each month: {of_a:?}");
    assert_eq!(kept(&world, "STUCK"), ["spend 2023-11"], "its record is still of that period");
    assert_eq!(kept(&world, "OWED"), ["first 2023-11"], "nobody has had it yet");
    assert_eq!(kept(&world, "GONE"), Vec::<String>::new());
    assert!(reader(&world).find_customer("GONE").unwrap().is_empty(), "nothing is left of it");
    let away = DeliveryFilter { notifier: Some("away".into()), ..DeliveryFilter::default() };
    assert_eq!(reader(&world).deliveries(&away).unwrap().len(), 1);

    for (what, sql) in [
        (
            "attempts of no delivery",
            "SELECT count(*) FROM attempt WHERE delivery NOT IN (SELECT seq FROM delivery)",
        ),
        (
            "deliveries of no message",
            "SELECT count(*) FROM delivery WHERE message NOT IN (SELECT id FROM message)",
        ),
        (
            "messages of no delivery",
            "SELECT count(*) FROM message WHERE id NOT IN (SELECT message FROM delivery)",
        ),
        (
            "alerts that nobody was told of",
            "SELECT count(*) FROM alert WHERE id NOT IN (SELECT alert FROM message_alert)",
        ),
        ("whatever points nowhere", "SELECT count(*) FROM pragma_foreign_key_check"),
    ] {
        assert_eq!(count(&world, sql), 0, "{what}");
    }
    let steps = count(&world, "SELECT count(*) FROM step");
    assert!(steps < 13 * 10, "those of the years before are gone: {steps}");

    // Other words for a rule: everything is judged again.
    world.change_rules(
        &RULES.replace("[rules.spend]", "[rules.spend]\ndescription = \"Share of the budget\""),
    );
    let told = world.poll(&date(36, 1), &records(36, 1, &now)).await;
    assert_eq!(told, "3 duplicate", "A by two rules, STUCK by one");
    let again = world
        .poll(&date(36, 2), &[plan("A", "160", "100", &now), plan("STUCK", "151", "100", STUCK)])
        .await;
    assert_eq!(again, "3 duplicate", "its old step is spent, whatever it costs now");
}

#[tokio::test]
async fn a_short_retention_forgets_no_step_that_late_data_could_fall_among() {
    let mut world = World::new(&format!("{RULES}[ledger]\nretention = \"2d\"\n"));
    live(&world, 0..2).await;
    let now = date(1, 20);
    world.poll(&now, &[plan("A", "160", "100", &now)]).await;
    deliver(&world, &now).await;
    world.change_rules(
        &world
            .rules()
            .replace("[rules.spend]", "[rules.spend]\ndescription = \"Share of the budget\""),
    );
    let late = plan("A", "170", "100", "2023-11-30T00:00:00Z");
    assert_eq!(world.poll(&date(1, 21), &[late]).await, "1 duplicate", "of November, as it was");
}

#[tokio::test]
async fn what_was_given_up_is_forgotten_without_a_word_that_it_is_owed_again() {
    let world = World::new(&format!(
        "{RULES}[ledger]\nretention = \"30d\"\n[operator]\nnotify = [\"hook\"]\n"
    ));
    let polled = |months: i64, day: i64| {
        let world = &world;
        async move {
            let now = date(months, day);
            world.poll(&now, &records(months, day, &now)).await;
            now
        }
    };
    let now = polled(0, 0).await;
    let ledger = world.ledger();
    let owed = ledger.due("away", Vec::new(), 10).await.unwrap();
    let attempt = AttemptRecord {
        delivery: owed[0].id,
        at: now.parse().unwrap(),
        outcome: "dead",
        detail: "400".into(),
        message: None,
    };
    ledger.mark_dead(attempt).await.unwrap();
    ledger.close().await.unwrap();
    for months in 1..8 {
        let now = polled(months, 0).await;
        let ledger = world.ledger();
        let assembly = budget_alertd::daemon::assemble(
            &world.config(),
            &ledger,
            &(std::sync::Arc::clone(&world.clock)
                as std::sync::Arc<dyn budget_alertd::clock::Clock>),
            &world.metrics,
        )
        .unwrap();
        assembly.cycle.findings.forget_revived().await.unwrap();
        drop(assembly);
        ledger.close().await.unwrap();
        deliver(&world, &now).await;
    }
    let dead = DeliveryFilter { notifier: Some("away".into()), ..DeliveryFilter::default() };
    assert_eq!(
        reader(&world).deliveries(&dead).unwrap().len(),
        0,
        "forgotten after the billing periods that it could be told in again"
    );
    assert!(reader(&world).findings().unwrap().is_empty());
    let news = reader(&world).deliveries(&DeliveryFilter::default()).unwrap();
    assert!(
        news.iter().all(|row| row.kind != budget_alertd::domain::MessageKind::OperatorResolved),
        "{news:?}"
    );
}
