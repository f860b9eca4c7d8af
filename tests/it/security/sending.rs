//! What messages about security alerts say.

use budget_alertd::domain::{Message, MessageKind};
use budget_alertd::simulator::{Endpoint, Fault, SimCustomer, SimSecurityAlert};
use rust_decimal::Decimal;

use super::{CONTOSO, CRYPTO, LADDER, NOBODY, Stage, crypto};
use crate::notify::{mail, teams};

/// What is owed to the webhook.
async fn owed(stage: &Stage) -> Vec<Message> {
    stage.world.owed("hook").await.into_iter().map(|delivery| delivery.message).collect()
}

#[tokio::test]
async fn the_payload_has_the_security_alert_and_what_is_known_of_usage() {
    let stage = Stage::new(LADDER).with_usage().await;
    stage.set(&[crypto(CRYPTO, CONTOSO, "20:00"), crypto("b", NOBODY, "20:00")]);
    stage.read("20:30").await;
    let messages = owed(&stage).await;
    let alerts: Vec<serde_json::Value> = messages
        .iter()
        .map(|message| serde_json::to_value(&message.alerts()[0].alert).unwrap())
        .collect();
    let (known, unknown) = if alerts[0]["cost"].is_null() {
        (&alerts[1], &alerts[0])
    } else {
        (&alerts[0], &alerts[1])
    };
    assert_eq!(
        known["security"],
        serde_json::json!({
            "id": CRYPTO, "source": "graph", "type": "CryptoMining", "severity": "high",
            "confidence": "medium", "status": "active", "is_test": false,
            "detected_at": "2026-11-14T20:00:00Z", "first_observed": "2026-11-14T20:00:00Z",
            "last_observed": "2026-11-14T20:00:00Z",
            "subscription": "22222222-1111-4b05-8f15-b3d72e0596e6",
            "resources": ["/subscriptions/22222222-1111-4b05-8f15-b3d72e0596e6/resourceGroups/rg-batch/providers/Microsoft.Compute/virtualMachines/vm-7"],
        })
    );
    for name in ["cost", "budget", "billing_period", "usage_as_of"] {
        assert!(unknown[name].is_null(), "{name}: {unknown}");
        assert!(!known[name].is_null(), "{name}: {known}");
    }
    assert_eq!(
        (&known["cost"]["amount"], &known["customer"]["name"], &known["value"]),
        (&"1410".into(), &"Contoso Nord".into(), &"0.5".into())
    );
    assert_eq!((&unknown["threshold"], &unknown["passed"]), (&"0".into(), &serde_json::json!([])));
}

#[tokio::test]
async fn who_was_told_hears_of_the_end_once() {
    let rules = LADDER.to_owned()
        + "[notifiers.hook]\ntype = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\nsend_resolved = true\n";
    let stage = Stage::new(&rules);
    stage.set(&[crypto(CRYPTO, CONTOSO, "09:00"), crypto("gone", CONTOSO, "09:00")]);
    for time in ["09:10", "10:10", "21:10"] {
        stage.read(time).await;
    }
    let mut answered = crypto(CRYPTO, CONTOSO, "09:00");
    answered.status = "resolved".to_owned();
    answered.reason = Some("fraud".to_owned());
    stage.set(&[answered]);
    stage.read("22:10").await;
    stage.read("22:20").await;
    let messages = owed(&stage).await;
    let ended: Vec<&Message> =
        messages.iter().filter(|message| message.kind() == MessageKind::Resolved).collect();
    let mut said: Vec<String> = ended
        .iter()
        .map(|message| {
            let latest = message.alerts()[0].context.latest.clone().unwrap();
            let end = latest.security.unwrap();
            format!("{:?} {:?} {} h", latest.ended.unwrap(), end.reason, end.hours)
        })
        .collect();
    said.sort();
    assert_eq!(said, ["Answered Some(\"fraud\") 13.17 h", "Unlisted None 13.17 h"]);
}

#[tokio::test]
async fn a_mail_and_a_card_say_what_is_seen_where_and_how_to_answer() {
    let stage = Stage::new(LADDER).with_usage().await;
    stage.set(&[crypto(CRYPTO, CONTOSO, "08:00"), crypto("b", NOBODY, "08:00")]);
    stage.read("20:30").await;
    let reference = regex::Regex::new("[0-9A-F]{8}").unwrap();
    let mut texts = Vec::new();
    for message in owed(&stage).await {
        let text = mail::read(message.clone()).await;
        let text = text + "\n\n" + &teams::shown(&teams::card(message).await);
        texts.push(reference.replace_all(&text, "REFERENCE").into_owned());
    }
    texts.sort();
    insta::assert_snapshot!(texts.join("\n\n----\n\n"));
}

#[tokio::test]
async fn a_digest_says_nothing_of_usage_or_periods_that_nobody_knows() {
    let rules = LADDER.to_owned()
        + "[notifiers.hook]\ntype = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\n\
           digest_above = 1\nsend_resolved = true\n";
    let stage = Stage::new(&rules);
    let mut alerts = [crypto(CRYPTO, CONTOSO, "20:00"), crypto("b", NOBODY, "20:00")];
    stage.set(&alerts);
    stage.read("20:30").await;
    for alert in &mut alerts {
        alert.status = "resolved".to_owned();
        alert.reason = Some("fraud".to_owned());
    }
    stage.set(&alerts);
    stage.read("20:50").await;
    let reference = regex::Regex::new("[0-9A-F]{8}").unwrap();
    let mut texts = Vec::new();
    for message in owed(&stage).await {
        texts.push(reference.replace_all(&mail::read(message).await, "REFERENCE").into_owned());
    }
    insta::assert_snapshot!(texts.join("\n\n----\n\n"), @r#"
    [2 alerts] First look: a customer without a na… (id REFERENCE…0000) security alert not answered yet, 1 more

    First look: 2 alerts about 2 customers, none critical.
    Seen Sat 14 Nov 21:30 CET. From now on, each new step is told once.
    Delivered 1 h 15 min after it was seen.

    Alerts    2 warning

      Customer                                                                 Used  Cost / budget    Over  Rule, period, reference
    WARNING
      a customer without a name (id REFERENCE…0000)  security alert not answered yet  usage not known        microsoft ≥ 0 h · REFERENCE
      a customer without a name (id REFERENCE…96e6)  security alert not answered yet  usage not known        microsoft ≥ 0 h · REFERENCE

    ----

    RESOLVED [2 alerts] a customer without a na… (id REFERENCE…0000) security alert not answered yet, 1 more

    2 alerts are resolved. The security alert was answered for 2 of them.
    Seen Sat 14 Nov 22:45 CET. Nothing to do.

      Customer                                                                 Used  Cost / budget    Over  Rule, period, reference
    was WARNING
      a customer without a name (id REFERENCE…0000)  security alert not answered yet  usage not known        microsoft ≥ 0 h · REFERENCE
        CryptoMining (high) answered as fraud within an hour. Raised Sat 14 Nov 21:30 CET (security alert not answered yet).
      a customer without a name (id REFERENCE…96e6)  security alert not answered yet  usage not known        microsoft ≥ 0 h · REFERENCE
        CryptoMining (high) answered as fraud within an hour. Raised Sat 14 Nov 21:30 CET (security alert not answered yet).
    "#);
}

#[tokio::test]
async fn the_report_counts_each_of_a_customers() {
    let stage = Stage::new(LADDER);
    stage.set(&[crypto(CRYPTO, CONTOSO, "20:00"), crypto("b", CONTOSO, "20:00")]);
    stage.read("20:30").await;
    let report = stage.world.run(&["report", "--format", "json"]);
    assert!(report.status.success(), "{}", String::from_utf8_lossy(&report.stderr));
    let report: serde_json::Value = serde_json::from_slice(&report.stdout).unwrap();
    assert_eq!(report["alerts"]["warning"], 2, "{report}");
}

/// What the message says was spent since, of an alert that was detected then.
async fn spent_since(detected: &str) -> Option<String> {
    let stage = Stage::new(LADDER).with_usage().await;
    let detected = super::at(detected);
    stage.set(&[SimSecurityAlert::crypto_mining(CRYPTO, CONTOSO, detected)]);
    stage.read("20:30").await;
    let messages = owed(&stage).await;
    let context = messages[0].alerts()[0].context.clone();
    context.security.unwrap().spent.map(|spent| spent.since.to_string())
}

#[tokio::test]
async fn what_was_spent_since_is_said_only_where_all_of_it_is_known() {
    assert_eq!(spent_since("2026-11-13T17:00:00Z").await.as_deref(), Some("890"));
    assert_eq!(spent_since("2026-11-01T17:00:00Z").await.as_deref(), Some("1370"));
    assert_eq!(spent_since("2026-11-01T16:00:00Z").await, None, "history begins later");
    assert_eq!(spent_since("2026-10-20T16:00:00Z").await, None);
}

#[tokio::test]
async fn a_reminder_says_what_is_known_now() {
    let rules = LADDER.replace("{ at = 0 }, { at = 1 }", "{ at = 0, remind_every = \"1h\" }");
    let stage = Stage::new(&rules).with_usage().await;
    let alert = crypto(CRYPTO, CONTOSO, "18:30");
    stage.set(std::slice::from_ref(&alert));
    stage.read("18:40").await;
    let date = super::at("2026-11-14T19:00:00Z");
    let usage = SimCustomer::azure_plan(CONTOSO, "Contoso Nord", "EUR", date)
        .with_budget(Decimal::from(5000))
        .with_cost(Decimal::from(1530));
    stage.microsoft.set_customers(vec![usage]);
    stage.world.poll_source("2026-11-14T19:30:00Z").await;
    let investigated = SimSecurityAlert { status: "investigating".to_owned(), ..alert };
    stage.set(std::slice::from_ref(&investigated));
    stage.read("19:40").await;
    stage.microsoft.fail(Endpoint::SecurityAlerts, Fault::status(503));
    stage.read("20:50").await;
    stage.microsoft.heal(Endpoint::SecurityAlerts);
    let mut answered = investigated.clone();
    answered.status = "resolved".to_owned();
    stage.set(&[answered]);
    stage.read("20:55").await;
    stage.set(&[investigated]);
    stage.read("21:00").await;
    let reference = regex::Regex::new("[0-9A-F]{8}").unwrap();
    let mut texts = Vec::new();
    for message in owed(&stage).await {
        let text = mail::read(message.clone()).await;
        let lines = text.lines().filter(|line| !line.is_empty()).take(4);
        let text = lines.collect::<Vec<_>>().join("\n");
        texts.push(reference.replace_all(&text, "REFERENCE").into_owned());
    }
    insta::assert_snapshot!(texts.join("\n\n"));
}

const PRODUCTION: &str = "22222222-1111-4b05-8f15-b3d72e0596e6";

/// What is said of an alert whose subscription is named by its resources alone.
async fn where_it_is(api: &str, subscriptions: &[&str]) -> String {
    let mut stage = Stage::of(api, LADDER);
    let csv = format!(
        "customer_id,subscription_id,label,budget,currency\n{CONTOSO},{PRODUCTION},,100,EUR\n"
    );
    let path = stage.world.write_beside("customers.csv", &csv);
    stage.world.change_rules(&format!("[customers_csv]\npath = \"{path}\"\n{LADDER}"));
    for (day, cost) in [(13, 10), (14, 60)] {
        let date = super::at(&format!("2026-11-{day}T17:00:00Z"));
        let customer = SimCustomer::azure_plan(CONTOSO, "Contoso Nord", "EUR", date)
            .with_budget(Decimal::from(5000))
            .with_cost(Decimal::from(cost * 10))
            .with_subscription(PRODUCTION, "Production", Decimal::from(cost));
        stage.microsoft.set_customers(vec![customer]);
        stage.world.poll_source(&format!("2026-11-{day}T18:00:00Z")).await;
    }
    let resource = |id: &&str| format!("/SUBSCRIPTIONS/{id}/resourceGroups/rg/providers/x/y/vm-7");
    let alert = SimSecurityAlert {
        subscription: String::new(),
        resources: subscriptions.iter().map(resource).collect(),
        ..SimSecurityAlert::crypto_mining(CRYPTO, CONTOSO, super::at("2026-11-13T17:00:00Z"))
    };
    stage.set(&[alert]);
    stage.read("18:10").await;
    let message = owed(&stage).await.remove(0);
    let json = serde_json::to_value(&message.alerts()[0].alert.security).unwrap();
    let text = mail::read(message).await;
    let lines = text.lines().filter_map(|line| {
        let line = line.strip_prefix("Where     ").or_else(|| line.split(". If").next());
        line.filter(|line| {
            ["Spent", "subscription", "Microsoft does"].iter().any(|it| line.starts_with(it))
        })
    });
    let lines: Vec<&str> = lines.collect();
    format!("{}\n{}", lines.join("\n"), json["subscription"])
}

#[tokio::test]
async fn the_subscription_is_found_by_its_resources() {
    const OTHER: &str = "33333333-1111-4b05-8f15-b3d72e0596e6";
    for api in ["graph", "partner-center"] {
        let told = [
            where_it_is(api, &[PRODUCTION, &PRODUCTION.to_uppercase()]).await,
            where_it_is(api, &[OTHER]).await,
            where_it_is(api, &[PRODUCTION, OTHER]).await,
            where_it_is(api, &[]).await.replace(" · vm-7", ""),
        ];
        insta::allow_duplicates! { insta::assert_snapshot!(told.join("\n\n")); }
    }
}
