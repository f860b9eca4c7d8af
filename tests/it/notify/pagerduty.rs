//! What PagerDuty gets: events that it takes by its documented rules, one incident for all alerts of
//! a customer and period.

use std::sync::Arc;
use std::time::Duration;

use budget_alertd::clock::{Clock, SimulatedClock};
use budget_alertd::domain::{
    AlertSnapshot, CustomerId, Digest, Ended, Message, OperatorNews, Severity, SubscriptionCost,
};
use budget_alertd::metrics::Metrics;
use budget_alertd::notify::{DeliveryError, FailureReason, SampleKind, Verdict, sample_message};
use budget_alertd::simulator::{Answer, Fault, PagerDutyService, SimIncident};
use serde_json::Value;

use super::receivers::{self, Http};
use super::samples::{
    NOW, ROUTING_KEY, alert_delivery, attacked, channel, decimal, delivery, digest, ended, later,
    news, pagerduty_config, time, together,
};

pub(super) fn service() -> PagerDutyService {
    let clock: Arc<dyn Clock> = SimulatedClock::starting_at(time(NOW));
    PagerDutyService::start(clock, ROUTING_KEY).unwrap()
}

/// The incidents after these messages, all of which were taken.
async fn after(messages: Vec<Message>) -> Vec<SimIncident> {
    let service = service();
    let channel = channel(&pagerduty_config(&service.url()));
    for message in messages {
        channel.attempt(&delivery(message)).await.unwrap();
    }
    service.incidents()
}

fn alert(sample: &AlertSnapshot) -> Message {
    Message::Alert(Box::new(placed(sample)))
}

/// The same in the incident that it opens.
fn placed(sample: &AlertSnapshot) -> AlertSnapshot {
    let mut sample = sample.clone();
    sample.context.incident = Some(sample.alert.new_incident());
    sample
}

/// The same at this step.
fn at_step(threshold: &str, severity: Severity) -> AlertSnapshot {
    let mut sample = attacked();
    sample.alert.threshold = decimal(threshold);
    sample.alert.severity = severity;
    sample
}

#[tokio::test]
async fn an_alert_is_an_incident_with_its_words_and_its_numbers() {
    let incidents = after(vec![alert(&attacked())]).await;
    let [incident] = incidents.as_slice() else { panic!("{incidents:?}") };
    let event = &incident.triggers[0];
    assert_eq!(event["client"], "budget-alertd");
    assert_eq!(
        incident.dedup_key,
        "budget-alertd/11111111-6fb9-4b05-8f15-b3d72e0596e6/2026-11-01T00:00:00Z"
    );
    let payload = &event["payload"];
    let shown = ["summary", "severity", "source", "component", "group", "class", "timestamp"]
        .map(|key| payload[key].as_str().unwrap());
    assert_eq!(
        shown,
        [
            "CRITICAL Contoso Nord 900% of budget: 45,000 of 5,000 SEK (+44,400 in 24 h)",
            "critical",
            "11111111-6fb9-4b05-8f15-b3d72e0596e6",
            "azure-plan",
            "Contoso Nord",
            "spend",
            "2026-11-14T21:41:20Z",
        ]
    );
    let details = &payload["custom_details"];
    assert_eq!(details["Ref"], "5F0C1C3E");
    assert!(
        details["Summary"].as_str().unwrap().starts_with("Contoso Nord is 40,000 SEK over"),
        "{details}"
    );
    let numbers = &details["alert"];
    assert_eq!(
        (&numbers["value"], &numbers["cost"]["amount"], &numbers["threshold"]),
        (&"900".into(), &"45000.00".into(), &"900".into())
    );
}

#[tokio::test]
async fn a_higher_step_and_a_reminder_add_to_the_open_incident_and_the_end_resolves_it() {
    let (warning, critical) =
        (at_step("80", Severity::Warning), placed(&at_step("100", Severity::Critical)));
    let reminder = Message::Reminder(together(vec![later(
        critical.clone(),
        "47000",
        Some("940"),
        Some("5000"),
    )]));
    let over = Message::Resolved(together(vec![ended(
        later(critical.clone(), "47000", Some("47"), Some("100000")),
        Ended::Budget,
    )]));
    let incidents =
        after(vec![alert(&warning), alert(&critical), reminder, over, alert(&critical)]).await;
    let told: Vec<_> =
        incidents.iter().map(|incident| (incident.open, incident.triggers.len())).collect();
    assert_eq!(told, [(false, 3), (true, 1)], "what comes after the end is a new one");
    let severities: Vec<_> = incidents[0]
        .triggers
        .iter()
        .map(|event| event["payload"]["severity"].as_str().unwrap())
        .collect();
    assert_eq!(severities, ["warning", "critical", "critical"]);
    assert!(
        incidents[0].triggers[2]["payload"]["summary"]
            .as_str()
            .unwrap()
            .starts_with("REMINDER CRITICAL"),
        "{incidents:?}"
    );
}

#[tokio::test]
async fn another_customer_period_or_subscription_is_another_incident_another_rule_is_not() {
    let change = |change: fn(&mut AlertSnapshot)| {
        let mut sample = attacked();
        change(&mut sample);
        alert(&sample)
    };
    let messages = vec![
        alert(&attacked()),
        change(|sample| sample.alert.customer.id = CustomerId::try_new("another").unwrap()),
        change(|sample| sample.alert.rule = "another".into()),
        change(|sample| sample.alert.billing_period.start = time("2026-10-01T00:00:00Z")),
        change(|sample| sample.alert.subscription = Some("one".into())),
        change(|sample| {
            sample.alert.customer.id =
                CustomerId::try_new("11111111-6FB9-4B05-8F15-B3D72E0596E6").unwrap();
        }),
    ];
    let incidents = after(messages).await;
    assert_eq!(
        incidents.iter().map(|incident| incident.triggers.len()).collect::<Vec<_>>(),
        [3, 1, 1, 1],
        "case makes none"
    );
}

#[tokio::test]
async fn an_incident_that_an_older_version_opened_keeps_its_key() {
    let old = Message::Alert(Box::new(attacked()));
    let over = ended(later(attacked(), "47000", Some("47"), Some("100000")), Ended::Budget);
    let incidents = after(vec![old, Message::Resolved(together(vec![over]))]).await;
    assert_eq!(
        incidents.iter().map(|one| (one.dedup_key.as_str(), one.open)).collect::<Vec<_>>(),
        [("budget-alertd/11111111-6fb9-4b05-8f15-b3d72e0596e6/2026-11-01T00:00:00Z/spend", false)]
    );
}

#[tokio::test]
async fn several_reasons_are_one_event_of_one_incident() {
    let (worst, mut other) = (placed(&attacked()), placed(&at_step("80", Severity::Warning)));
    other.alert.rule = "trend".into();
    other.alert.reference = "7A000000".into();
    let all = || vec![worst.clone(), other.clone()];
    let over =
        |one: AlertSnapshot| ended(later(one, "47000", Some("47"), Some("100000")), Ended::Budget);
    let messages = vec![
        Message::Alerts(Digest::of_one_customer(all())),
        Message::Reminder(together(
            all().into_iter().map(|one| later(one, "47000", Some("940"), Some("5000"))).collect(),
        )),
        Message::Resolved(together(all().into_iter().map(over).collect())),
    ];
    let incidents = after(messages).await;
    let [incident] = incidents.as_slice() else { panic!("{incidents:?}") };
    assert_eq!((incident.triggers.len(), incident.open), (2, false));
    let payload = &incident.triggers[0]["payload"];
    assert_eq!(payload["severity"], "critical", "that of the worst");
    let details = &payload["custom_details"];
    assert_eq!(
        details["Also"],
        "WARNING 900 % of its November budget: 45,000 of 5,000 SEK · trend ≥ 80 % · Nov · 7A000000"
    );
    assert_eq!(details["alert"]["rule"], "spend");
    let rules = details["alerts"].as_array().unwrap().iter().map(|one| &one["rule"]);
    assert_eq!(rules.collect::<Vec<_>>(), ["spend", "trend"]);
}

#[tokio::test]
async fn a_first_look_is_one_incident_that_lists_them_and_later_messages_are_each_about_their_own()
{
    let all = digest(6, true);
    let one = delivery(Message::Digest(all.clone()));
    let service = service();
    let channel = channel(&pagerduty_config(&service.url()));
    channel.attempt(&one).await.unwrap();
    channel.attempt(&one).await.unwrap();
    let reminders = all
        .alerts
        .iter()
        .map(|one| later(one.clone(), "47000", Some("940"), Some("5000")))
        .collect();
    let accepted =
        channel.attempt(&delivery(Message::Reminder(together(reminders)))).await.unwrap();
    assert_eq!(accepted.detail, "202 Accepted, 6 events");
    let incidents = service.incidents();
    assert_eq!(
        incidents.iter().map(|incident| incident.triggers.len()).collect::<Vec<_>>(),
        [2, 1, 1, 1, 1, 1, 1]
    );
    assert_eq!(
        incidents[0].summary(),
        "[6 alerts, 3 CRITICAL] First look: Contoso Nord 900%, Wingtip Toys 835%, Litware 770%, 3 \
            more"
    );
    let listed =
        incidents[0].triggers[0]["payload"]["custom_details"]["Alerts"].as_array().unwrap();
    assert_eq!(listed.len(), 6);
    assert_eq!(
        listed[0],
        "CRITICAL Contoso Nord 900 % — 45,000 of 5,000 SEK, 40,000 over · 12 % → 900 % in 24 h · \
            spend ≥ 900 % · Nov · 10000000"
    );
    let over = |one: &AlertSnapshot| {
        ended(later(one.clone(), "47000", Some("47"), Some("100000")), Ended::Period)
    };
    channel
        .attempt(&delivery(Message::Resolved(together(all.alerts.iter().map(over).collect()))))
        .await
        .unwrap();
    assert_eq!(
        service.incidents().iter().map(|incident| incident.open).collect::<Vec<_>>(),
        [true, false, false, false, false, false, false]
    );
}

#[tokio::test]
async fn news_for_the_operator_are_one_incident_for_each_trouble() {
    let another = OperatorNews { subject: "another".into(), ..news(false) };
    let incidents = after(vec![
        Message::Operator(news(false)),
        Message::Operator(another),
        Message::Operator(news(true)),
    ])
    .await;
    assert_eq!(incidents.iter().map(|incident| incident.open).collect::<Vec<_>>(), [false, true]);
    assert!(incidents[0].summary().starts_with("budget-alertd: "), "{incidents:?}");
}

#[tokio::test]
async fn made_up_trouble_is_another_incident_than_the_real_one() {
    let made_up = sample_message(SampleKind::Operator, time(NOW));
    let Message::Operator(told) = &made_up else { panic!("{made_up:?}") };
    let real = OperatorNews { subject: String::new(), ..told.clone() };
    let incidents = after(vec![made_up.clone(), Message::Operator(real)]).await;
    assert_eq!(incidents.len(), 2, "{incidents:?}");
}

#[tokio::test]
async fn a_test_is_marked_as_one_and_touches_no_incident_of_a_customer() {
    let incidents = after(vec![sample_message(SampleKind::Raised, time(NOW))]).await;
    assert!(incidents[0].summary().starts_with("[TEST] INFO Example Customer"), "{incidents:?}");
    assert!(incidents[0].dedup_key.starts_with("budget-alertd/test/"), "{incidents:?}");
}

#[tokio::test]
async fn the_largest_events_stay_within_the_limits() {
    for letters in ["x", "🦀", "\"", "\u{1}"] {
        let name = letters.repeat(10_000 / letters.len());
        let mut sample = attacked();
        (sample.alert.customer.name, sample.alert.customer.label, sample.alert.rule) =
            (name.clone(), Some(name.clone()), name.clone());
        sample.alert.customer.id = CustomerId::try_new(name.clone()).unwrap();
        sample.alert.subscriptions =
            vec![
                SubscriptionCost { id: name.clone(), name: name.clone(), cost: decimal("1") };
                100
            ];
        sample.context.contacts = vec![name.clone(); 50];
        let incidents =
            after(vec![alert(&sample), Message::Digest(together(vec![sample.clone(); 100]))]).await;
        assert_eq!(incidents.len(), 2);
        assert!(incidents[0].dedup_key.len() <= 255, "{}", incidents[0].dedup_key);
    }
}

/// How an attempt fails, without the key.
async fn failure(config: &budget_alertd::notify::Config, message: Message) -> DeliveryError {
    let error = channel(config).attempt(&delivery(message)).await.unwrap_err();
    assert!(!format!("{error:?} {error}").contains("SESAME"), "{error:?}");
    error
}

#[tokio::test]
async fn an_event_that_is_refused_is_dead_but_a_key_that_is_not_known_is_the_destinations_fault() {
    let service = service();
    let config = pagerduty_config(&service.url());
    let body = r#"{"status":"invalid event","message":"Event object is invalid","errors":["'payload.summary' is missing or blank"]}"#;
    service.fail_once(Fault::Answer(Answer::json(400, body)));
    let error = failure(&config, alert(&attacked())).await;
    assert_eq!(
        (error.verdict, error.reason),
        (Verdict::Message, FailureReason::MessageRefused),
        "{error}"
    );
    service.fail_once(Fault::Answer(Answer::throttled(30)));
    let error = failure(&config, alert(&attacked())).await;
    assert_eq!(
        error.verdict,
        Verdict::Destination { retry_after: Some(Duration::from_secs(30)) },
        "{error}"
    );
    let clock: Arc<dyn Clock> = SimulatedClock::starting_at(time(NOW));
    let other = PagerDutyService::start(clock, "0123456789abcdef0123456789abcdef").unwrap();
    let error = failure(&pagerduty_config(&other.url()), alert(&attacked())).await;
    assert_eq!(
        (error.verdict, error.reason),
        (Verdict::Destination { retry_after: None }, FailureReason::SignInRefused),
        "{error}"
    );
    for status in [200, 204] {
        let receiver = Http::answering(receivers::Answer::with(status, "", "ok")).await;
        let error = failure(&pagerduty_config(&receiver.url), alert(&attacked())).await;
        assert_eq!(error.reason, FailureReason::UnexpectedAnswer, "{error}");
    }
    assert_eq!((service.incidents().len(), other.incidents().len()), (0, 0));
}

#[tokio::test]
async fn of_several_events_one_that_is_refused_keeps_back_none_and_a_retry_changes_nothing() {
    let service = service();
    let channel = channel(&pagerduty_config(&service.url()));
    let all: Vec<_> = digest(3, false)
        .alerts
        .into_iter()
        .map(|one| later(one, "47000", Some("940"), Some("5000")))
        .collect();
    let reminders = delivery(Message::Reminder(together(all)));
    service.fail_once(Fault::status(400));
    assert_eq!(channel.attempt(&reminders).await.unwrap_err().verdict, Verdict::Message);
    assert_eq!(service.incidents().len(), 2);
    service.fail_once(Fault::Slow(Duration::ZERO));
    service.fail_once(Fault::status(503));
    assert_eq!(
        channel.attempt(&reminders).await.unwrap_err().verdict,
        Verdict::Destination { retry_after: None }
    );
    channel.attempt(&reminders).await.unwrap();
    let mut keys: Vec<_> =
        service.incidents().into_iter().map(|incident| incident.dedup_key).collect();
    keys.dedup();
    assert_eq!(keys.len(), 3);
}

#[tokio::test]
async fn at_most_two_events_a_second_are_sent() {
    let service = service();
    let clock = SimulatedClock::starting_at(time(NOW));
    let channel = pagerduty_config(&service.url()).build(clock.clone(), Metrics::new()).unwrap();
    for _ in 0..5 {
        channel.attempt(&alert_delivery(attacked())).await.unwrap();
    }
    assert_eq!(clock.monotonic(), Duration::from_secs(2));
    let numbers: Vec<Value> = service.incidents()[0].triggers.clone();
    assert_eq!(numbers.len(), 5);
}
