//! What is told, case by case, as the documentation promises it: a table of states and events, each
//! with what the people on call get. The table is `decisions/cases.txt`; its head says how to read
//! it.

use std::fmt::Write as _;

use budget_alertd::clock::Clock as _;
use budget_alertd::domain::{AlertSnapshot, Glob, Message, Silence};
use budget_alertd::ledger::{AlertFilter, AttemptRecord, Ledger};

use crate::support::world::{World, legacy, plan};

const CASES: &str = include_str!("decisions/cases.txt");

/// The rules that cases name.
fn rules(name: &str) -> String {
    let (metric, steps, more) = match name {
        "percent" => ("percent_used", "{ at = 80 }, { at = 100, severity = \"critical\" }", ""),
        "percent-and-90" => ("percent_used", "{ at = 80 }, { at = 90 }, { at = 100 }", ""),
        "endless" => ("percent_used", "{ at = 80 }, { at = 100 }", "then_every = 100"),
        "never-again" => ("percent_used", "{ at = 80 }, { at = 100 }", "rearm = \"never\""),
        "reminding" => (
            "percent_used",
            "{ at = 80, remind_every = \"24h\" }, { at = 100, remind_every = \"24h\" }",
            "",
        ),
        "over" => ("amount_over", "{ at = { SEK = 10 } }, { at = { SEK = 50 } }", ""),
        "left" => ("amount_left", "{ at = { SEK = 20 } }, { at = { SEK = -20 } }", ""),
        "cost" => ("total_cost", "{ at = { SEK = 100 } }", "then_every = { SEK = 100 }"),
        "unbudgeted" => ("unbudgeted_cost", "{ at = { SEK = 50 } }", ""),
        "daily" => ("daily_cost", "{ at = { SEK = 20 } }", ""),
        "forecast" => ("forecast_percent", "{ at = 100 }", ""),
        "pace" => ("pace", "{ at = 25 }", ""),
        "stale" => ("stale_hours", "{ at = 48 }", ""),
        "euros" => ("amount_over", "{ at = { EUR = 10 } }", ""),
        "renamed" => {
            return rules("percent")
                .replace("[rules.spend]", "[rules.usage]\nformerly = \"spend\"");
        }
        "new-name" => return rules("percent").replace("[rules.spend]", "[rules.usage]"),
        other => panic!("no rules are called {other}"),
    };
    format!(
        "[rules.spend]\nmetric = \"{metric}\"\nnotify = [\"hook\"]\n{more}\nsteps = [{steps}]\n\
         [notifiers.hook]\ntype = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\n\
         send_resolved = true\n"
    )
}

/// One case: its title, and its lines up to the next one.
fn cases() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    let table = CASES.split_once("\n== ").expect("a first case").1;
    table.split("\n== ").map(|case| {
        let mut lines = case.lines().filter(|line| !line.trim().is_empty());
        (lines.next().unwrap(), lines.collect())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn each_case_tells_what_the_table_says() {
    let (mut wrong, mut number) = (String::new(), 0);
    for (title, lines) in cases() {
        let told = play(&lines).await;
        let wanted = lines.join("\n");
        if told != wanted {
            writeln!(wrong, "== {title}\n{told}\ninstead of\n{wanted}\n").unwrap();
        }
        number += 1;
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(number >= 40, "{number}");
}

/// Plays the lines of a case; returns them with what was really told behind each.
async fn play(lines: &[&str]) -> String {
    let mut world = World::new(&rules("percent"));
    // The first good poll is a first account, which no case is about.
    world.poll("2026-08-31T00:00:00Z", &[plan("B", "1", "100", "2026-08-30T00:00:00Z")]).await;
    let mut told = Vec::new();
    let mut record = None;
    for line in lines {
        let event = line.split_once(" -> ").map_or(*line, |(event, _)| event).trim_end();
        let words: Vec<&str> = event.split_whitespace().collect();
        match words[..] {
            ["rules", name] => {
                world.change_rules(&rules(name));
                // New rules have a first account of their own.
                if record.is_none() {
                    let other = plan("B", "1", "100", "2026-08-30T00:00:00Z");
                    world.poll("2026-08-31T01:00:00Z", &[other]).await;
                }
                told.push(event.to_owned());
            }
            ["silence", ..] => {
                add_silence(&world.ledger(), &words[1..]).await;
                told.push(event.to_owned());
            }
            ["ack"] => {
                acknowledge(&world).await;
                told.push(event.to_owned());
            }
            [at, what, ref rest @ ..] => {
                let (at, date) = (time(at), rest.first().map_or(time(at), |dated| time(dated)));
                if what != "same" {
                    let is_legacy = what.starts_with("legacy:");
                    let (cost, budget) =
                        what.trim_start_matches("legacy:").split_once('/').expect("cost/budget");
                    let make = if is_legacy { legacy } else { plan };
                    record = Some(make("A", cost, budget, &date));
                }
                let report = world.report(&at, &record.iter().cloned().collect::<Vec<_>>()).await;
                let mut parts = sent(&world, &at).await;
                let suppressed = report.suppressed;
                for (number, word) in [
                    (suppressed.duplicate, "known"),
                    (suppressed.passed, "passed"),
                    (suppressed.silenced, "silenced"),
                ] {
                    parts.extend((number > 0).then(|| format!("{number} {word}")));
                }
                if parts.is_empty() {
                    parts.push("nothing".to_owned());
                }
                told.push(format!("{event} -> {}", parts.join(", ")));
            }
            _ => panic!("{line}"),
        }
    }
    told.join("\n")
}

/// `12` or `12T06` of September 2026, or `10-02T06` of another month.
fn time(text: &str) -> String {
    let (day, hour) = text.split_once('T').unwrap_or((text, "00"));
    let day = if day.contains('-') { day.to_owned() } else { format!("09-{day}") };
    format!("2026-{day}T{hour}:00:00Z")
}

async fn add_silence(ledger: &Ledger, words: &[&str]) {
    let (above, words) = match words {
        ["above", above, rest @ ..] => (Some(above.parse().unwrap()), rest),
        _ => (None, words),
    };
    let ["from", from, "until", end] = words else { panic!("{words:?}") };
    let from = time(from).parse().unwrap();
    let ends_at = (*end != "period-end").then(|| time(end).parse().unwrap());
    let silence = Silence {
        id: 0,
        customers: vec![Glob::try_new("a").unwrap()],
        rules: Vec::new(),
        unless_above: above,
        created_at: from,
        as_of: from,
        ends_at,
        author: "alice".into(),
        reason: "migration".into(),
        expired_at: None,
    };
    ledger.add_silence(silence).await.unwrap();
    ledger.close().await.unwrap();
}

/// Somebody acknowledges all alerts.
async fn acknowledge(world: &World) {
    let config = world.config().ledger;
    let alerts =
        budget_alertd::ledger::read(&config, |reader| reader.alerts(&AlertFilter::default()));
    let ledger = world.ledger();
    for alert in alerts.await.unwrap() {
        let now = world.clock.now();
        ledger.acknowledge(&alert.snapshot.alert.reference, "alice", now).await.unwrap();
    }
    ledger.close().await.unwrap();
}

/// What is newly owed, in words; it counts as accepted from then on.
async fn sent(world: &World, at: &str) -> Vec<String> {
    let ledger = world.ledger();
    let mut told = Vec::new();
    for delivery in ledger.due("hook", Vec::new(), 1000).await.unwrap() {
        told.push(in_words(&delivery.message));
        let accepted = AttemptRecord {
            delivery: delivery.id,
            at: at.parse().unwrap(),
            outcome: "ok",
            detail: String::new(),
            message: None,
        };
        ledger.mark_sent(accepted).await.unwrap();
    }
    ledger.close().await.unwrap();
    told.sort_unstable();
    told
}

fn in_words(message: &Message) -> String {
    let kind = match message {
        Message::Alert(_) | Message::Alerts(_) => "alert",
        Message::Digest(_) => "digest",
        Message::Reminder(_) => "reminder",
        Message::Resolved(_) => "resolved",
        Message::Test(_) | Message::Operator(_) | Message::Report(_) => "other",
    };
    let members: Vec<String> = message.alerts().iter().map(member).collect();
    format!("{kind} {}", members.join(" + "))
}

fn member(snapshot: &AlertSnapshot) -> String {
    let alert = &snapshot.alert;
    let rule = if alert.rule == "spend" { String::new() } else { format!("{} ", alert.rule) };
    let passed: Vec<String> = alert.passed.iter().map(|at| format!(" passing {at}")).collect();
    let before = alert.budget.as_ref().and_then(|budget| {
        budget.previous_amount.map(|before| format!(" ({before} → {})", budget.amount))
    });
    let baseline = if alert.baseline { " as first account" } else { "" };
    let over = if alert.is_over_zero() { " over zero" } else { "" };
    let (passed, before) = (passed.concat(), before.unwrap_or_default());
    format!("{rule}{}{passed}{before}{over}{baseline}", alert.threshold)
}
