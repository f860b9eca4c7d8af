//! Security alerts that are answered as fraud: the operator is reminded of a claim as of spikes.

use budget_alertd::actions::{AckRequest, EvidenceRequest, ResolveRequest};
use budget_alertd::domain::spike::SpikeMark;
use budget_alertd::simulator::{SimCustomer, SimResource, SimSecurityAlert};
use budget_alertd::source::AnswerReason;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{CONTOSO, CRYPTO, LADDER, NOBODY, OTHER, Stage, at, crypto};

const OPERATOR: &str = "[operator]\nnotify = [\"hook\"]\n";
const SPIKE: &str = "[rules.attack]\nmetric = \"spike\"\nfloor = { EUR = 100 }\n\
    notify = [\"hook\"]\nsteps = [{ at = 3 }]\n";

/// Alerts of this reason, answered at Microsoft two days after they were read.
async fn answered(stage: &Stage, alerts: &[(&str, &str, &str)]) {
    let open = alerts.iter().map(|(id, customer, _)| crypto(id, customer, "09:00"));
    stage.set(&open.clone().collect::<Vec<_>>());
    stage.read("18:10").await;
    let answered = open.zip(alerts).map(|(mut alert, (_, _, reason))| {
        "resolved".clone_into(&mut alert.status);
        alert.reason = Some((*reason).to_owned());
        alert.resolved = Some(("ana@partner.example".to_owned(), at("2026-11-16T05:00:00Z")));
        alert
    });
    stage.set(&answered.collect::<Vec<_>>());
    stage.read_at("2026-11-16T06:00:00Z").await;
}

#[tokio::test]
async fn a_claim_counts_from_the_first_observation() {
    let stage = Stage::new(&format!("{LADDER}{OPERATOR}")).with_usage().await;
    answered(&stage, &[(CRYPTO, CONTOSO, "fraud"), (OTHER, NOBODY, "legitimate")]).await;
    stage.world.remind("2026-12-14T07:59:59Z").await;
    let before = stage.world.operator_news("hook").await.len();
    stage.world.remind("2026-12-14T08:00:00Z").await;
    let told = stage.world.operator_news("hook").await.split_off(before).join("\n");
    let (told, command) = told.split_once('\n').unwrap();
    insta::assert_snapshot!(told, @"claim-due: Contoso Nord: the claim for fraud must be filed with Microsoft by Wed 13 Jan 2027, in 30 days; misuse since Sat 14 Nov 2026 (estimate), 850 EUR more than usual so far, marked by ana@partner.example");
    assert!(!command.contains("--undo"), "an answer is not taken back: {command}");
    let incident = CRYPTO.to_owned();
    assert!(stage.world.order(EvidenceRequest { incident }).await.unwrap().fraud);
    stage.world.remind("2026-12-14T08:01:00Z").await;
    let over = stage.world.operator_news("hook").await.pop().unwrap();
    assert!(over.starts_with("over: root (uid 0) has gathered the evidence about"), "{over}");
    stage.world.remind("2027-01-10T08:01:00Z").await;
    assert_eq!(stage.world.operator_news("hook").await.len(), before + 2);
}

#[tokio::test]
async fn what_comes_after_the_evidence_was_gathered_is_a_claim_of_its_own() {
    let stage = Stage::new(&format!("{LADDER}{OPERATOR}")).with_usage().await;
    answered(&stage, &[(CRYPTO, CONTOSO, "fraud")]).await;
    let incident = CRYPTO.to_owned();
    stage.world.order(EvidenceRequest { incident }).await.unwrap();
    let again = SimSecurityAlert::crypto_mining(OTHER, CONTOSO, at("2026-11-18T09:00:00Z"));
    let mut known = stage.microsoft.security_alerts();
    known.push(again.clone());
    stage.set(&known);
    stage.read_at("2026-11-18T09:10:00Z").await;
    known.pop();
    let reason = Some("fraud".to_owned());
    known.push(SimSecurityAlert { status: "resolved".to_owned(), reason, ..again });
    stage.set(&known);
    stage.read_at("2026-11-18T10:00:00Z").await;
    let before = stage.world.operator_news("hook").await.len();
    stage.world.remind("2026-12-18T08:00:00Z").await;
    let told = stage.world.operator_news("hook").await.split_off(before);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("misuse since Wed 18 Nov 2026 (estimate)"), "{told:?}");
}

#[tokio::test]
async fn a_spike_and_an_alert_about_one_attack_are_one_claim() {
    let stage = Stage::new(&format!("{LADDER}{SPIKE}{OPERATOR}")).with_usage().await;
    answered(&stage, &[(CRYPTO, CONTOSO, "fraud")]).await;
    let alerts = stage.world.run(&["alerts", "--format", "json"]).stdout;
    let alerts: serde_json::Value = serde_json::from_slice(&alerts).unwrap();
    let spike = alerts.as_array().unwrap().iter().find(|alert| alert["metric"] == "spike");
    let alerts = vec![spike.unwrap()["ref"].as_str().unwrap().to_owned()];
    let spikes = Some(SpikeMark::Fraud);
    stage.world.order(AckRequest { alerts, spikes, ..AckRequest::default() }).await.unwrap();
    let before = stage.world.operator_news("hook").await.len();
    stage.world.remind("2026-12-14T08:00:00Z").await;
    assert_eq!(stage.world.operator_news("hook").await.len(), before + 1);
    let incident = CRYPTO.to_owned();
    stage.world.order(EvidenceRequest { incident }).await.unwrap();
    stage.world.remind("2027-01-03T08:00:00Z").await;
    assert_eq!(stage.world.operator_news("hook").await.len(), before + 2, "its end");
}

#[tokio::test]
async fn the_evidence_has_what_microsoft_said_and_who_answered() {
    let stage = Stage::new(&format!("{LADDER}{SPIKE}{OPERATOR}")).with_usage().await;
    stage.set(&[crypto(CRYPTO, CONTOSO, "09:00"), crypto(OTHER, NOBODY, "09:00")]);
    stage.read("18:10").await;
    let (id, reason) = (CRYPTO.to_owned(), AnswerReason::Fraud);
    stage.world.order(ResolveRequest { id, reason }).await.unwrap();
    let gathered = |incident: &str| {
        let folder = stage.world.write_beside("made", "");
        std::fs::remove_file(&folder).unwrap();
        let ended = stage.world.run(&["evidence", "--incident", incident, "--output", &folder]);
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        let json = std::fs::read_to_string(format!("{folder}/evidence.json")).unwrap();
        let page = std::fs::read_to_string(format!("{folder}/index.html")).unwrap();
        std::fs::remove_dir_all(folder).unwrap();
        (serde_json::from_str::<Value>(&json).unwrap(), page)
    };
    let (whole, page) = gathered(CRYPTO);
    let incident = &whole["incident"];
    for (field, expected) in [
        ("first_bad_day", json!("2026-11-14")),
        ("file_by", json!("2027-01-13")),
        ("charges_covered_until", json!("2026-12-14")),
        ("partner_tenant_id", json!("partner.onmicrosoft.example")),
        ("customer_tenant_id", json!(CONTOSO)),
        ("subscriptions", json!([{ "id": "22222222-1111-4b05-8f15-b3d72e0596e6", "name": null }])),
    ] {
        assert_eq!(incident[field], expected, "{field}");
    }
    assert!(incident["resources"][0].as_str().unwrap().ends_with("/virtualMachines/vm-7"));
    let alerts = incident["security_alerts"].as_array().unwrap();
    assert_eq!(alerts.len(), 1, "not that of another customer");
    let alert = &alerts[0];
    assert_eq!((&alert["id"], &alert["type"]), (&json!(CRYPTO), &json!("CryptoMining")));
    assert_eq!(
        (&alert["reason"], &alert["answered_by"]),
        (&json!("fraud"), &json!("root (uid 0)"))
    );
    assert_eq!(alert["first_read_at"], "2026-11-14T18:10:00Z");
    let done: Vec<_> = whole["done"].as_array().unwrap().iter().map(|one| &one["what"]).collect();
    assert_eq!(done, [&json!(format!("answered Microsoft’s alert {CRYPTO} as fraud"))]);
    assert!(page.contains("as fraud by root (uid 0)") && !page.contains(NOBODY), "{page}");
    // Of a customer without usage there is what Microsoft says.
    let (whole, page) = gathered(OTHER);
    assert_eq!(whole["customer"]["plan"], Value::Null);
    assert_eq!(whole["incident"]["customer_tenant_id"], NOBODY);
    assert!(page.contains("<dt>Cost in these 30 days</dt><dd>not known</dd>"));
}

#[tokio::test]
async fn a_short_retention_loses_no_claim() {
    let short = "[ledger]\nretention = \"20d\"\n";
    let stage = Stage::new(&format!("{LADDER}{OPERATOR}{short}")).with_usage().await;
    answered(&stage, &[(CRYPTO, CONTOSO, "fraud")]).await;
    stage.set(&[]);
    let date = at("2027-01-02T17:00:00Z");
    let customer = SimCustomer::azure_plan(CONTOSO, "Contoso Nord", "EUR", date);
    stage.microsoft.set_customers(vec![customer.with_cost(Decimal::from(80))]);
    stage.world.poll_source("2027-01-02T18:00:00Z").await;
    let before = stage.world.operator_news("hook").await.len();
    stage.world.remind("2027-01-03T08:00:00Z").await;
    let told = stage.world.operator_news("hook").await.split_off(before);
    assert_eq!(told.len(), 1, "{told:?}");
}

#[tokio::test]
async fn the_evidence_says_where_the_cost_is_as_far_as_an_alert_knows() {
    let critical = SPIKE.replace("{ at = 3 }", "{ at = 3, severity = \"critical\" }");
    let stage = Stage::new(&critical).with_usage().await;
    let date = at("2026-11-15T17:00:00Z");
    let rest =
        SimResource::new("22222222-1111-4b05-8f15-b3d72e0596e6", "ml-rg", "vm-7", 2000.into());
    let customer = SimCustomer::azure_plan(CONTOSO, "Contoso Nord", "EUR", date)
        .with_cost(Decimal::from(3410))
        .with_subscription("a-plan", "Azure plan", Decimal::from(3410))
        .with_resources(vec![rest]);
    stage.microsoft.set_customers(vec![customer]);
    stage.world.poll_source("2026-11-15T18:00:00Z").await;
    let alerts = stage.world.run(&["alerts", "--format", "json"]).stdout;
    let alerts: Value = serde_json::from_slice(&alerts).unwrap();
    let folder = stage.world.write_beside("made", "");
    std::fs::remove_file(&folder).unwrap();
    let incident = alerts[0]["ref"].as_str().unwrap();
    stage.world.run(&["evidence", "--incident", incident, "--output", &folder]);
    let whole = std::fs::read_to_string(format!("{folder}/evidence.json")).unwrap();
    let whole: Value = serde_json::from_str(&whole).unwrap();
    let breakdown = &whole["incident"]["costs_by_resource"];
    assert_eq!(breakdown["ref"], incident, "{breakdown}");
    assert_eq!(breakdown["subscriptions"][0]["name"], "Azure plan");
    assert_eq!(breakdown["resources"][0]["resource_group"], "ml-rg");
    let page = std::fs::read_to_string(format!("{folder}/index.html")).unwrap();
    assert!(page.contains("<td>ml-rg</td><td>vm-7</td>"), "{page}");
    let plan = json!({ "id": "a-plan", "name": "Azure plan" });
    assert_eq!(whole["incident"]["subscriptions"], json!([plan]));
}
