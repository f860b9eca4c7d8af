//! `calibrate`: a rule about spikes and budgets, proposed from recorded history.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::world::{Record, World, legacy, plan};

const RULES: &str = r#"
[rules.unusual]
metric = "spike"
floor = { SEK = 500 }
notify = ["hook"]
steps = [{ at = 20 }]
"#;

/// What customers use on each day: one always the same and without a budget, one with a busy day
/// every eleventh, each busier than the last, and one that has a budget.
fn used(day: i64) -> [(&'static str, i64, &'static str); 3] {
    let restless = if day % 11 == 10 { 2100 + 70 * day } else { 700 };
    [("Steady", 400, ""), ("Restless", restless, ""), ("Budgeted", 1000, "50000")]
}

/// A world that has polled each day from 1 August on, so many days; ten kronor are a dollar.
async fn polled(days: i64) -> World {
    let world = World::new(RULES);
    let mut date: Timestamp = "2026-08-01T17:00:00Z".parse().unwrap();
    let mut costs = [0_i64; 3];
    for day in 0..days {
        if date.to_string()[8..10] == *"01" {
            costs = [0; 3];
        }
        let mut records = Vec::new();
        for (cost, (id, used, budget)) in costs.iter_mut().zip(used(day)) {
            *cost += used;
            let more = format!(", \"usdTotalCost\": {}", *cost / 10);
            let record = plan(id, &cost.to_string(), budget, &date.to_string());
            records.push(Record { more, ..record });
        }
        let poll = date + SignedDuration::from_hours(5);
        world.poll(&poll.to_string(), &records).await;
        date += SignedDuration::from_hours(24);
    }
    world
}

fn calibrated(world: &World, more: &[&str]) -> Value {
    let arguments = [&["calibrate", "--format", "json"], more].concat();
    let output = world.run(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn proposed(document: &Value) -> &Value {
    let candidates = document["candidates"].as_array().unwrap();
    let mut chosen = candidates.iter().filter(|one| one["proposed"] == json!(true));
    let one = chosen.next().unwrap();
    assert_eq!(chosen.next(), None);
    one
}

#[tokio::test]
async fn the_rule_that_finds_most_within_what_is_bearable_is_proposed_and_taken_over() {
    let world = polled(80).await;
    let few = calibrated(&world, &["--alarms-per-week", "0.55"]);
    assert_eq!(
        (&few["customers"], &few["attacks"], &few["held_out_from"]),
        (&json!(3), &json!(3), &json!("2026-10-01T00:00:00Z"))
    );
    let quiet = proposed(&few);
    assert_eq!(
        (&quiet["at"], &quiet["alarms_per_week"], &quiet["found_by_second_date_percent"]),
        (&json!("5"), &json!("0.5"), &json!("66.67")),
        "twice to four times the usual is told too often"
    );
    // A krona is a tenth of a dollar.
    let floor: i64 = quiet["floor_usd"].as_str().unwrap().parse().unwrap();
    let rule = few["rule"].as_str().unwrap();
    assert!(rule.contains("[rules.unusual]\n"), "in place of the present one: {rule}");
    assert!(rule.contains(&format!("floor = {{ SEK = {} }}\n", floor * 10)), "{rule}");
    assert!(rule.contains("notify = [\"hook\"]\n"), "{rule}");

    let fewer = calibrated(&world, &["--alarms-per-week", "0.2"]);
    assert_eq!(proposed(&fewer)["alarms_per_week"], "0.1");
    let none = calibrated(&world, &["--alarms-per-week", "0.01"]);
    assert_eq!(
        (&none["bearable"], &proposed(&none)["alarms_per_week"]),
        (&json!(false), &json!("0.1"))
    );
    is_taken_over(&world);
}

/// What is proposed goes into files that the configuration and `budgets import` take.
fn is_taken_over(world: &World) {
    let (rules, sheet) = (world.write_beside("r", ""), world.write_beside("b", ""));
    let refused = world.run(&["calibrate", "--rules", &rules]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("is there already; --force replaces it"), "{said}");

    let output = world.run(&["calibrate", "--rules", &rules, "--budgets", &sheet, "--force"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    insta::assert_snapshot!(text.replace(&rules, "RULES").replace(&sheet, "BUDGETS"));
    // 34,230 SEK in September, 12,400 in August, and a quarter more.
    let rows = std::fs::read_to_string(&sheet).unwrap();
    let rows: Vec<_> = rows.lines().map(|row| row.split(',').collect::<Vec<_>>()).collect();
    let cell = |row: usize, name: &str| {
        rows[row][rows[0].iter().position(|column| *column == name).unwrap()]
    };
    assert_eq!(rows.len(), 3, "who has a budget needs none");
    assert_eq!(
        (cell(1, "name"), cell(1, "budget"), cell(1, "currency")),
        ("Customer Restless", "43000", "SEK")
    );
    assert_eq!((cell(2, "name"), cell(2, "budget")), ("Customer Steady", "16000"));
    // In place of the present rule, the configuration is sound.
    let changed = World::new(&std::fs::read_to_string(&rules).unwrap());
    assert!(changed.config().warnings.is_empty());
    let imported = world.run(&["budgets", "import", &sheet, "--dry-run"]);
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
}

#[tokio::test]
async fn no_budget_is_proposed_over_one_that_is_written_or_from_amounts_of_another_plan() {
    let world = World::new(&format!(
        "{RULES}[customers.Written]\nbudget = {{ amount = 100, currency = \"EUR\" }}\n\
         [customers.Switched]\ncurrency = \"SEK\"\n"
    ));
    let mut date: Timestamp = "2026-08-01T17:00:00Z".parse().unwrap();
    for day in 0..92 {
        let at = date.to_string();
        let of_month: i64 = at[8..10].parse().unwrap();
        let cost = |per_day: i64| (of_month * per_day).to_string();
        // The last date of September has that month in amounts of the new plan.
        let switched = if day < 45 {
            legacy("Switched", &cost(9000), "", &at)
        } else {
            plan("Switched", &cost(10), "", &at)
        };
        let records = [plan("Written", &cost(400), "", &at), plan("Open", &cost(400), "", &at)];
        let poll = (date + SignedDuration::from_hours(5)).to_string();
        world.poll(&poll, &[&records[..], &[switched]].concat()).await;
        date += SignedDuration::from_hours(24);
    }
    let document = calibrated(&world, &[]);
    let budgets = document["budgets"].as_array().unwrap();
    let proposed: Vec<String> =
        budgets.iter().map(|one| format!("{} {}", one["name"], one["budget"])).collect();
    assert_eq!(proposed, [r#""Customer Open" "16000""#, r#""Customer Switched" "380""#]);
}

#[tokio::test]
async fn of_too_little_history_nothing_is_proposed() {
    let world = polled(20).await;
    let output = world.run(&["calibrate"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("There is too little history to learn from: 0 days"), "{said}");
}
