//! Security alerts that are answered as fraud: the operator is reminded of a claim as of spikes.

use budget_alertd::actions::{AckRequest, EvidenceRequest};
use budget_alertd::domain::spike::SpikeMark;

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
    insta::assert_snapshot!(told, @"
    claim-due: Contoso Nord: the claim for fraud must be filed with Microsoft by Wed 13 Jan 2027, in 30 days; misuse since Sat 14 Nov 2026 (estimate), 850 EUR more than usual so far, marked by ana@partner.example
    ");
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
