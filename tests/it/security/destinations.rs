//! What PagerDuty and an Alertmanager are told of security alerts: one incident for each, and one
//! that ends.

use std::sync::Arc;

use budget_alertd::clock::{Clock, SimulatedClock};
use budget_alertd::daemon::assemble;
use budget_alertd::simulator::{HttpReceiver, PagerDutyService, SimSecurityAlert};
use serde_json::Value;

use super::{CONTOSO, CRYPTO, OTHER, Stage, crypto};

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// The rule that tells this notifier.
fn rules(notifier: &str) -> String {
    format!(
        "[rules.microsoft]\nmetric = \"security_alert_hours\"\nnotify = [\"out\"]\nsteps = [{{ at = 0 }}, \
         {{ at = 1, severity = \"critical\", remind_every = \"1h\" }}]\n[notifiers.out]\n{notifier}"
    )
}

fn clock() -> Arc<dyn Clock> {
    SimulatedClock::starting_at(super::at("2026-11-14T00:00:00Z"))
}

/// Reads at this time of the day, and sends what that owes.
async fn tell(stage: &Stage, time: &str) {
    stage.read(time).await;
    let ledger = stage.world.ledger();
    let clock = Arc::clone(&stage.world.clock) as Arc<dyn Clock>;
    let assembly = assemble(&stage.world.config(), &ledger, &clock, &stage.world.metrics).unwrap();
    for mut worker in assembly.workers {
        while worker.step(&|| false).await.unwrap().wait.is_some() {}
    }
    for mut mirror in assembly.mirrors {
        mirror.step(&|| false).await.unwrap();
    }
    ledger.close().await.unwrap();
}

fn answered(alert: &SimSecurityAlert) -> SimSecurityAlert {
    SimSecurityAlert { status: "resolved".to_owned(), ..alert.clone() }
}

#[tokio::test]
async fn an_incident_that_was_opened_again_ends_with_its_rule() {
    let service = PagerDutyService::start(clock(), KEY).unwrap();
    let notifier =
        format!("type = \"pagerduty\"\nrouting_key = \"{KEY}\"\nurl = \"{}\"\n", service.url());
    let rules = rules(&notifier);
    let mut stage = Stage::new(&rules).with_usage().await;
    let alert = crypto(CRYPTO, CONTOSO, "19:00");
    for (list, time) in
        [(alert.clone(), "19:10"), (answered(&alert), "19:20"), (alert.clone(), "19:30")]
    {
        stage.set(&[list]);
        tell(&stage, time).await;
    }
    let open = || service.incidents().iter().any(|incident| incident.open);
    assert!(open());
    stage.world.change_rules(&rules.replace("[rules.microsoft]", "[rules.renamed]"));
    stage.world.poll_source("2026-11-14T19:40:00Z").await;
    stage.set(&[]);
    tell(&stage, "19:50").await;
    assert!(!open());
}

#[tokio::test]
async fn a_security_alert_is_an_incident_of_pagerduty_that_ends_once_it_is_answered() {
    let service = PagerDutyService::start(clock(), KEY).unwrap();
    let notifier =
        format!("type = \"pagerduty\"\nrouting_key = \"{KEY}\"\nurl = \"{}\"\n", service.url());
    let stage = Stage::new(&rules(&notifier)).with_usage().await;
    let (alert, other) = (crypto(CRYPTO, CONTOSO, "19:00"), crypto(OTHER, CONTOSO, "19:00"));
    stage.set(&[alert.clone(), other.clone()]);
    for time in ["19:10", "20:10", "21:20"] {
        tell(&stage, time).await;
    }
    let open = service.incidents();
    let keys: Vec<String> = open.iter().map(|incident| incident.dedup_key.clone()).collect();
    let key = |id: &str| format!("budget-alertd/security/{id}");
    assert_eq!(keys.len(), 2, "each of a customer's is one of its own: {keys:?}");
    assert!(keys.contains(&key(CRYPTO)) && keys.contains(&key(OTHER)), "{keys:?}");
    let of = |id: &str| {
        let mut incidents = service.incidents().into_iter();
        incidents.find(|incident| incident.dedup_key == key(id)).unwrap()
    };
    let told: Vec<(String, String)> = of(CRYPTO)
        .triggers
        .iter()
        .map(|event| {
            let text = |key: &str| event["payload"][key].as_str().unwrap().to_owned();
            (text("severity"), text("summary"))
        })
        .collect();
    let critical = "critical".to_owned();
    assert_eq!(
        told,
        [
            (
                "warning".to_owned(),
                "WARNING New Microsoft security alert: Contoso Nord, CryptoMining (high)".to_owned()
            ),
            (
                critical.clone(),
                "CRITICAL Microsoft security alert not answered for 1 h: Contoso Nord, CryptoMining \
                 (high)"
                    .to_owned()
            ),
            (
                critical,
                "REMINDER CRITICAL Contoso Nord: still CryptoMining (high), not answered for 2 h \
                 (open for 1 h 10 min)"
                    .to_owned()
            ),
        ]
    );
    let details = of(CRYPTO).triggers[1]["payload"]["custom_details"].clone();
    let says = |key: &str, text: &str| {
        assert!(details[key].as_str().unwrap_or_default().contains(text), "{key}: {details}");
    };
    says("What", "CryptoMining, severity high");
    says("Where", "vm-7");
    says("Do", "budget-alertd security resolve ");
    stage.set(&[answered(&alert), other.clone()]);
    tell(&stage, "21:30").await;
    assert_eq!((of(CRYPTO).open, of(OTHER).open), (false, true));
    stage.set(&[alert, other]);
    tell(&stage, "21:40").await;
    let again: Vec<bool> = service
        .incidents()
        .iter()
        .filter(|incident| incident.dedup_key == key(CRYPTO))
        .map(|incident| incident.open)
        .collect();
    assert_eq!(again, [false, true], "what is active again is an incident again");
}

#[tokio::test]
async fn an_alertmanager_is_shown_a_security_alert_until_it_is_answered() {
    let alertmanager = HttpReceiver::start(clock()).unwrap();
    let notifier = format!("type = \"alertmanager\"\nurl = \"{}\"\n", alertmanager.url("/"));
    let stage = Stage::new(&rules(&notifier)).with_usage().await;
    let alert = crypto(CRYPTO, CONTOSO, "19:00");
    stage.set(std::slice::from_ref(&alert));
    tell(&stage, "19:10").await;
    let last = || {
        let request = alertmanager.received().pop().unwrap();
        serde_json::from_slice::<Vec<Value>>(&request.body).unwrap()
    };
    let shown = last();
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert_eq!(
        shown[0]["labels"],
        serde_json::json!({
            "alertname": "BudgetAlert", "severity": "warning", "customer": "Contoso Nord",
            "customer_id": CONTOSO, "rule": "microsoft", "metric": "security_alert_hours",
            "threshold": "0", "security_alert": CRYPTO, "alert_type": "CryptoMining",
        })
    );
    let says = |key: &str, text: &str| {
        let annotation = shown[0]["annotations"][key].as_str().unwrap_or_default();
        assert!(annotation.contains(text), "{key}: {shown:?}");
    };
    says("summary", "New Microsoft security alert: Contoso Nord, CryptoMining (high)");
    says("description", "Microsoft saw crypto mining in a subscription of Contoso Nord");
    says("do", "budget-alertd security resolve ");
    says("where", "vm-7");
    tell(&stage, "20:10").await;
    let mut steps: Vec<String> = last()
        .iter()
        .map(|shown| shown["labels"]["threshold"].as_str().unwrap().to_owned())
        .collect();
    steps.sort();
    assert_eq!(steps, ["0", "1"]);
    stage.set(&[answered(&alert)]);
    tell(&stage, "20:20").await;
    let now = super::at(&super::on_the_14th("20:20"));
    for shown in last() {
        let ends_at: jiff::Timestamp = shown["endsAt"].as_str().unwrap().parse().unwrap();
        assert!(ends_at <= now, "it is over: {shown}");
    }
}
