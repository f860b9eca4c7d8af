//! `silence` and `ack`.

use serde_json::json;

use super::{Desk, SWEDEN};

/// Who runs these tests, as the program names them.
fn author() -> String {
    let output = std::process::Command::new("id").arg("-un").output().unwrap();
    let uid = rustix::process::getuid().as_raw();
    format!("{} (uid {uid})", String::from_utf8(output.stdout).unwrap().trim())
}

/// The standard output of a command that succeeds, the author masked.
#[track_caller]
fn told(desk: &Desk, arguments: &[&str]) -> String {
    desk.told(arguments).replace(&author(), "WHO")
}

fn reference(desk: &Desk) -> String {
    let alerts = desk.json(&["alerts", "--customer", SWEDEN, "--format", "json"]);
    alerts[0]["ref"].as_str().unwrap().to_owned()
}

/// A desk whose critical alert is told again.
fn reminding() -> Desk {
    let rules = super::CONFIGURATION
        .replace("severity = \"critical\"", "severity = \"critical\", remind_every = \"1h\"");
    let desk = Desk::with(&rules);
    assert_eq!(desk.run(&["poll"]).code, 0);
    desk
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_silence_says_what_it_hides_now() {
    let desk = reminding();
    insta::assert_snapshot!(told(
            &desk,
            &[
                "silence",
                "add",
                "--customer",
                "modern*",
                "Nobody*",
                "--until",
                "2099-12-31",
                "--yes",
                "--reason",
                " a migration, agreed "
            ]
        ), @r#"
    Silence 1 of customers modern*, Nobody*, all rules
      until Fri 1 Jan 2100 00:00 UTC
      by WHO: a migration, agreed
      ! no customer has an id, a name or a label like "Nobody*"

    It fits 2 customers. Over a step now and covered: 2, worst first.
      CRITICAL Modern Azure Customer SE, spend: 602.84 %, step 600 %, REF, already told: only
        reminders stop
      WARNING  Contoso UK, gold: 27.23 %, step 20 %, REF, already told
    Nobody is reminded of 1 open alert meanwhile.
    What comes up meanwhile is recorded, and told afterwards if it is still true then.
    "#);
    assert_eq!(
        told(
            &desk,
            &[
                "silence",
                "add",
                "--rule",
                "sp*",
                "--rule",
                "x",
                "--for",
                "2h",
                "--reason",
                "why",
                "--unless-above",
                "700.5"
            ]
        ),
        "\
Silence 2 of all customers, rules sp*, x, unless above 700.5
  until NOW UTC
  by WHO: why
  ! no rule is called like \"x\"; there are: spend, pounds, gold

It fits 4 customers. Over a step now and covered: 1, worst first.
  CRITICAL Modern Azure Customer SE, spend: 602.84 %, step 600 %, REF, already told: only
    reminders stop
Nobody is reminded of 1 open alert meanwhile.
What comes up meanwhile is recorded, and told afterwards if it is still true then.
"
        .replace("NOW UTC", "NOW")
    );
    let above = told(
        &desk,
        &[
            "silence",
            "add",
            "--rule",
            "spend",
            "--for",
            "2h",
            "--reason",
            "why",
            "--unless-above",
            "600",
        ],
    );
    assert!(
        above.contains("It fits 4 customers. Over a step now and covered: nothing."),
        "{above}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn silences_are_listed_with_who_why_until_when_and_what_they_hid_and_may_be_ended() {
    let desk = Desk::new();
    let add = [
        "silence",
        "add",
        "--customer",
        "*SE",
        "--until",
        "2099-01-01T12:00",
        "--yes",
        "--reason",
        "agreed",
    ];
    told(&desk, &add);
    assert!(
        told(&desk, &add).starts_with("Silence 2 of customer *SE, all rules\n"),
        "twice the same is no mistake"
    );
    let poll = desk.json(&["poll", "--format", "json"]);
    assert_eq!(
        (&poll["suppressed"]["silenced"], &poll["deliveries"]["sent"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        told(&desk, &["silence", "expire", "2"]),
        "Silence 2 of customer *SE, all rules is over. It hides nothing that would now be told.\n"
    );
    assert_eq!(
        told(&desk, &["silence", "expire", "2"]),
        "Silence 2 of customer *SE, all rules was over already.\n"
    );
    assert_eq!(
        told(&desk, &["silence", "list"]),
        "\
ID  OF  UNTIL  HIDES  BY  WHY
 1  customer *SE, all rules  Thu 1 Jan 2099 12:00 UTC  1  WHO, NOW  agreed

1 silence. Times in UTC.
"
    );
    let listed = desk.json(&["silence", "list", "--all", "--format", "json"]);
    assert_eq!(listed.as_array().unwrap().len(), 2);
    let first = &listed[0];
    assert_eq!(
        (&first["in_force"], &first["silenced"], &first["until"]),
        (&json!(true), &json!(1), &json!("2099-01-01T12:00:00Z"))
    );
    assert_eq!(
        (&first["author"], &first["reason"], &first["customers"]),
        (&json!(author()), &json!("agreed"), &json!(["*SE"]))
    );
    assert!(listed[1]["expired_at"].is_string());
    let csv = told(&desk, &["silence", "list", "--format", "csv"]);
    assert!(csv.ends_with("\n1,*SE,,,TIME,TIME,WHO,agreed,,true,1\n"), "{csv}");
    assert_eq!(
        told(&desk, &["silence", "expire", "1"]),
        "Silence 1 of customer *SE, all rules is over. The next poll tells what is still true of 1 \
            silenced alert.\n"
    );
    assert_eq!(desk.json(&["poll", "--format", "json"])["deliveries"]["sent"], 2);
    assert_eq!(told(&desk, &["silence", "list"]), "No silences are in force.\n");
    assert_eq!(told(&Desk::polled(), &["silence", "list", "--all"]), "No silences.\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silence_needs_a_scope_a_reason_and_an_end() {
    let desk = Desk::polled();
    let refused = |arguments: &[&str]| {
        let ended = desk.run(&[&["silence"], arguments].concat());
        assert_eq!(ended.code, 2, "{arguments:?}: {}", ended.out);
        ended.err
    };
    refused(&["add", "--for", "2h", "--reason", "x"]);
    refused(&["add", "--rule", "spend", "--reason", "x"]);
    refused(&["add", "--rule", "spend", "--for", "2h"]);
    refused(&["add", "--rule", "spend", "--for", "2h", "--until", "period-end", "--reason", "x"]);
    assert!(
        refused(&["add", "--rule", "spend", "--until", "2h", "--reason", "x"])
            .contains("that is a length: write --for 2h")
    );
    assert!(
        refused(&["add", "--rule", "spend", "--until", "2020-01-01", "--reason", "x"])
            .contains("it would end before it begins")
    );
    assert!(
        refused(&["add", "--rule", "spend", "--for", "2h", "--reason", " "]).contains("say why")
    );
    assert!(
        refused(&["add", "--rule", "", "--for", "2h", "--reason", "x"])
            .contains("an empty pattern")
    );
    assert_eq!(
        refused(&["expire", "7"]),
        "budget-alertd: there is no silence 7: see budget-alertd silence list --all\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silence_over_an_alert_without_a_value_says_so_beside_a_daemon_too() {
    let desk = Desk::new();
    let usage = r#"{"totalCount": 1, "items": [{"resourceId": "Z", "resourceName": "Zero", "isUpgraded": true, "totalCost": 5,
        "budget": {"amount": 0}, "currencyCode": "SEK", "lastModifiedDate": "2019-09-17T17:08:11Z"}]}"#;
    std::fs::write(desk.house.path("usage.json"), usage).unwrap();
    assert_eq!(desk.run(&["poll"]).code, 0);
    let add = ["silence", "add", "--customer", "Zero", "--for", "2h", "--reason", "known"];
    assert!(told(&desk, &add).contains("CRITICAL Zero, spend: "));
    let _daemon = desk.house.start_ready(&desk.house.systemd());
    assert!(told(&desk, &add).starts_with("Silence 2 of customer Zero, all rules\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silence_for_nobody_or_for_very_long_is_asked_about_before_it_is_made() {
    let desk = Desk::polled();
    let doubts: [(&[&str], &str); 3] = [
        (
            &["--customer", "Contso*", "--for", "2h"],
            "no customer has an id, a name or a label like \"Contso*\"",
        ),
        (
            &["--rule", "spnd", "--for", "2h"],
            "no rule is called like \"spnd\"; there are: spend, pounds, gold",
        ),
        (&["--rule", "spend", "--for", "91d"], "it would last for 91 days, longer than 90"),
    ];
    for (what, why) in doubts {
        let all = [&["silence", "add", "--reason", "x"], what].concat();
        let ended = desk.run(&all);
        assert_eq!((ended.code, ended.out.as_str()), (2, ""));
        assert!(ended.err.contains(why) && ended.err.contains("add --yes"), "{}", ended.err);
    }
    assert_eq!(desk.json(&["silence", "list", "--all", "--format", "json"]), json!([]));
    for (what, _) in doubts {
        let all = [&["silence", "add", "--yes", "--reason", "x"], what].concat();
        assert_eq!(desk.run(&all).code, 0);
    }
    assert_eq!(
        desk.run(&["silence", "add", "--rule", "spend", "--for", "90d", "--reason", "x"]).code,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn silences_in_force_are_seen_where_somebody_asks_whether_all_is_well() {
    let desk = Desk::with(&format!("{}[http]\nlisten = \"127.0.0.1:0\"\n", super::CONFIGURATION));
    let process = desk.house.start_ready(&desk.house.systemd());
    assert_eq!(desk.run(&["poll"]).code, 0);
    told(&desk, &["silence", "add", "--rule", "spend", "--for", "2h", "--reason", "known"]);
    let status = told(&desk, &["status"]);
    assert!(status.lines().next().unwrap().ends_with("0 given up; 1 silence in force"), "{status}");
    assert_eq!(desk.json(&["status", "--format", "json"])["silences"], 1);
    process.wait_for_metric("silences", "1");
    let coverage = told(&desk, &["coverage"]);
    assert!(
        coverage.contains("  silenced: silence 1 of all customers, rule spend, until NOW\n"),
        "{coverage}"
    );
    assert_eq!(
        desk.json(&["coverage", "--format", "json"])["silences"][0]["rules"],
        json!(["spend"])
    );
    assert!(
        told(&desk, &["report"]).contains("1 silence in force: see budget-alertd silence list")
    );
    told(&desk, &["silence", "expire", "1"]);
    assert_eq!(desk.json(&["status", "--format", "json"])["silences"], 0);
    process.wait_for_metric("silences", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silence_until_the_end_of_the_period_names_the_end_of_the_month() {
    let desk = Desk::new();
    let said = told(
        &desk,
        &["silence", "add", "--customer", "*", "--until", "period-end", "--reason", "x"],
    );
    assert!(
        said.contains("  until the end of each customer's billing period (NOW for Azure plans)\n"),
        "{said}"
    );
    assert!(said.contains("! no customer has been read yet\n") && !said.contains("like"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_says_of_what_and_who_was_first() {
    let desk = reminding();
    let reference = reference(&desk);
    let of = "REF Modern Azure Customer SE, spend, step 600 %";
    assert_eq!(
        told(&desk, &["ack", &reference.to_lowercase()]),
        format!("{of}: acknowledged; nobody is reminded of it until the next higher step.\n")
    );
    let id = desk.json(&["alerts", "--customer", SWEDEN, "--format", "json"])[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        told(&desk, &["ack", &id, &reference]),
        format!("{of}: acknowledged already, by WHO, NOW.\n")
    );
    let listed = desk.json(&["alerts", "--customer", SWEDEN, "--format", "json"]);
    assert_eq!(listed[0]["acknowledged"]["by"], author());
    assert!(listed[0]["acknowledged"]["at"].is_string());
    let who = author();
    let listing = told(&desk, &["alerts"]);
    assert!(listing.contains(&format!("known to {}", who.split(' ').next().unwrap())), "{listing}");
    assert!(told(&desk, &["alerts", "--format", "csv"]).contains(",TIME,WHO,,,,\n"));
    assert_eq!(
        told(&desk, &["ack", "--undo", &reference]),
        format!("{of}: no longer acknowledged by WHO, NOW; reminders go on.\n")
    );
    assert_eq!(
        told(&desk, &["ack", "--undo", &reference]),
        format!("{of}: nobody had acknowledged it.\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_nobody_knows_is_refused_and_the_others_are_left_alone() {
    let desk = Desk::polled();
    let ended = desk.run(&["ack", &reference(&desk), "0BADC0DE"]);
    assert_eq!(ended.code, 2);
    assert_eq!(
        ended.err,
        "budget-alertd: there is no alert \"REF\": give its id, or the 8 characters that its \
            messages and budget-alertd alerts show as its reference\n"
    );
    assert!(
        desk.json(&["alerts", "--customer", SWEDEN, "--format", "json"])[0]["acknowledged"]
            .is_null()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_daemon_the_daemon_silences_and_acknowledges_for_whoever_asks() {
    let desk = Desk::with(&format!("{}[http]\nlisten = \"127.0.0.1:0\"\n", super::CONFIGURATION));
    desk.house.save_usage([("B".to_owned(), 1)]);
    let process = desk.house.start();
    process.wait_for_metric("polls_total{result=\"ok\"}", "1");
    let said = told(
        &desk,
        &[
            "silence",
            "add",
            "--customer",
            "a",
            "--yes",
            "--until",
            "period-end",
            "--reason",
            "agreed",
            "--unless-above",
            "150",
        ],
    );
    assert!(
        said.contains(
            "  until the end of each customer's billing period (Tue 1 Oct 2019 00:00 \
        UTC for Azure plans)\n"
        ),
        "{said}"
    );
    desk.house.save_usage([("A".to_owned(), 90), ("B".to_owned(), 90)]);
    let poll = desk.json(&["poll", "--format", "json"]);
    assert_eq!(
        (&poll["suppressed"]["silenced"], &poll["deliveries"]["sent"]),
        (&json!(1), &json!(1))
    );
    let alert = desk.json(&["alerts", "--customer", "B", "--format", "json"])[0]["ref"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        told(&desk, &["ack", &alert]),
        "REF B, spend, step 80 %: acknowledged; nobody is reminded of it until the next higher \
            step.\n"
    );
    assert!(
        told(&desk, &["silence", "expire", "1"])
            .contains("The next poll tells what is still true of 1 silenced alert.")
    );
    assert_eq!(desk.json(&["poll", "--format", "json"])["deliveries"]["sent"], 1);
    let log = process.log();
    for what in ["a silence is made", "an alert is acknowledged", "a silence is ended"] {
        assert!(
            log.lines().any(|line| line.contains(what) && line.contains(&author())),
            "{what}: {log}"
        );
    }
}
