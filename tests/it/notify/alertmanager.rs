//! What an Alertmanager gets when it is asked for its status, tried, or fails.

use std::sync::Arc;

use budget_alertd::domain::Message;
use budget_alertd::notify::{
    AlertmanagerConfig, Config, FailureReason, Kind, MirrorChannel, MirroredFact, SampleKind,
    Shown, Verdict, sample_message,
};
use serde_json::json;

use super::receivers::{Answer, Http};
use super::samples::{NOW, attacked, channel, config, delivery, time};

fn alertmanager(url: &str) -> Config {
    let mut value: reqwest::header::HeaderValue = "Bearer sesame-token".parse().unwrap();
    value.set_sensitive(true);
    let headers = vec![(reqwest::header::AUTHORIZATION, value)];
    config(Kind::Alertmanager(AlertmanagerConfig {
        url: url.split('?').next().unwrap().parse().unwrap(),
        headers,
    }))
}

/// The channel that shows what is open.
fn mirror(config: &Config) -> MirrorChannel {
    MirrorChannel::of(&Arc::new(channel(config))).expect("an Alertmanager mirrors what is open")
}

#[tokio::test]
async fn a_try_is_marked_and_ends_by_itself() {
    let receiver = Http::answering(Answer::with(200, "", "")).await;
    let channel = channel(&alertmanager(&receiver.url));
    let accepted =
        channel.attempt(&delivery(sample_message(SampleKind::Raised, time(NOW)))).await.unwrap();
    assert_eq!(accepted.detail, "200 OK, 1 shown");
    let request = receiver.requests().remove(0);
    assert_eq!(
        (request.path.as_str(), request.header("authorization")),
        ("/hook/api/v2/alerts", Some("Bearer sesame-token"))
    );
    let alert = &request.json()[0];
    assert_eq!(
        (&alert["labels"]["alertname"], &alert["labels"]["test"]),
        (&json!("BudgetAlert"), &json!("true"))
    );
    assert!(alert["annotations"]["summary"].as_str().unwrap().starts_with("[TEST] "), "{alert}");
    assert_eq!(
        (&alert["startsAt"], &alert["endsAt"]),
        (&json!("2026-11-14T21:45:00Z"), &json!("2026-11-14T21:50:00Z"))
    );
    for kind in
        [SampleKind::Digest, SampleKind::Reminder, SampleKind::Resolved, SampleKind::Operator]
    {
        channel.attempt(&delivery(sample_message(kind, time(NOW)))).await.unwrap();
    }
}

#[tokio::test]
async fn a_probe_says_which_version_answers_and_posts_nothing() {
    let body = r#"{"cluster":{"status":"disabled"},"versionInfo":{"version":"0.25.0"},"uptime":"2026-11-14T21:00:00Z"}"#;
    let receiver = Http::answering(Answer::with(200, "", body)).await;
    assert_eq!(
        channel(&alertmanager(&receiver.url)).probe().await.unwrap(),
        "Alertmanager 0.25.0 answers"
    );
    let request = receiver.requests().remove(0);
    assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/hook/api/v2/status"));
    for (status, body) in
        [(200, "<html>"), (401, "who is there, Bearer sesame-token?"), (404, "no")]
    {
        let receiver = Http::answering(Answer::with(status, "", body)).await;
        let error = channel(&alertmanager(&receiver.url)).probe().await.unwrap_err();
        assert!(!format!("{error:?}").contains("sesame"), "{error:?}");
    }
}

#[tokio::test]
async fn it_is_told_who_knows_of_an_alert() {
    let receiver = Http::answering(Answer::with(200, "", "")).await;
    let fact = MirroredFact::Alert(Box::new(attacked()), Some("alice (uid 1000)".into()));
    mirror(&alertmanager(&receiver.url)).show(&[Shown { fact, ends_at: time(NOW) }]).await.unwrap();
    assert_eq!(
        receiver.requests()[0].json()[0]["annotations"]["acknowledged_by"],
        "alice (uid 1000)"
    );
}

#[tokio::test]
async fn whatever_it_answers_but_200_is_a_failure() {
    for (status, reason) in [
        (202, FailureReason::UnexpectedAnswer),
        (302, FailureReason::Redirected),
        (503, FailureReason::ServerError),
    ] {
        let receiver = Http::answering(Answer::with(status, "", "no")).await;
        let error = mirror(&alertmanager(&receiver.url)).show(&[]).await.unwrap_err();
        assert_eq!(
            (error.verdict, error.reason),
            (Verdict::Destination { retry_after: None }, reason)
        );
    }
    let receiver = Http::answering(Answer::with(200, "", "")).await;
    let slack = super::samples::slack_config(&receiver.url);
    assert!(MirrorChannel::of(&Arc::new(channel(&slack))).is_none(), "others are shown nothing");
    assert!(receiver.requests().is_empty());
    let message = Message::Alert(Box::new(attacked()));
    assert!(channel(&alertmanager(&receiver.url)).attempt(&delivery(message)).await.is_ok());
}
