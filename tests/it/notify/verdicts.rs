//! What the answers of HTTP receivers mean, and what no answer means.

use std::sync::Arc;
use std::sync::atomic::AtomicU16;
use std::time::Duration;

use budget_alertd::clock::SimulatedClock;
use budget_alertd::metrics::Metrics;
use budget_alertd::notify::{Config, DeliveryError, FailureReason, Verdict};

use super::receivers::{Answer, Http};
use super::samples::{
    NOW, alert_delivery, attacked, channel, slack_config, teams_config, time, webhook_config,
};

async fn failure(config: &Config) -> DeliveryError {
    channel(config).attempt(&alert_delivery(attacked())).await.unwrap_err()
}

/// What each notifier that speaks HTTP is configured as, the webhook first.
fn configs(url: &str) -> [Config; 3] {
    [webhook_config(url), slack_config(url), teams_config(url)]
}

/// All of them, each against a receiver that answers so.
async fn failures(answer: Answer) -> Vec<DeliveryError> {
    let receiver = Http::answering(answer).await;
    let mut all = Vec::new();
    for config in configs(&receiver.url) {
        all.push(failure(&config).await);
    }
    for error in &all {
        assert!(
            !error.detail.contains("sesame") && !error.detail.contains("127.0.0.1"),
            "{}",
            error.detail
        );
        assert!(!format!("{error:?}").contains("sesame"), "{error:?}");
    }
    all
}

#[tokio::test]
async fn every_status_has_its_verdict_for_all() {
    for which in 0..configs("http://localhost/").len() {
        let receiver = Http::answering(Answer::NextStatus(Arc::new(AtomicU16::new(300)))).await;
        let channel = channel(&configs(&receiver.url)[which]);
        for status in 300..600 {
            let error = channel.attempt(&alert_delivery(attacked())).await.unwrap_err();
            let expected = match status {
                400 | 413 | 415 | 422 => Verdict::Message,
                _ => Verdict::Destination { retry_after: None },
            };
            assert_eq!(error.verdict, expected, "{status}");
            assert!(error.detail.starts_with(&status.to_string()), "{}", error.detail);
            // 304 has no body (RFC 9110 section 15.4.5).
            assert!(error.detail.contains("\"no\"") || status == 304, "{}", error.detail);
        }
    }
}

#[tokio::test]
async fn success_is_2xx_for_a_webhook_and_a_200_with_ok_for_slack() {
    for status in [200, 201, 202, 204, 299] {
        let receiver = Http::answering(Answer::with(status, "", "")).await;
        assert!(
            channel(&webhook_config(&receiver.url))
                .attempt(&alert_delivery(attacked()))
                .await
                .is_ok(),
            "{status}"
        );
    }
    for (status, body) in [(200, "no_service"), (200, ""), (200, "<html>ok</html>"), (202, "ok")] {
        let receiver = Http::answering(Answer::with(status, "", body)).await;
        let error = failure(&slack_config(&receiver.url)).await;
        assert_eq!(
            (error.verdict, error.reason),
            (Verdict::Destination { retry_after: None }, FailureReason::UnexpectedAnswer)
        );
    }
}

#[tokio::test]
async fn retry_after_is_heeded_up_to_an_hour() {
    let after = async |status: u16, value: &str| {
        let all = failures(Answer::with(status, &format!("Retry-After: {value}\r\n"), "")).await;
        let verdict = all[0].verdict;
        assert!(all.iter().all(|error| error.verdict == verdict), "{all:?}");
        let Verdict::Destination { retry_after } = verdict else { panic!("{verdict:?}") };
        retry_after
    };
    assert_eq!(after(429, "57").await, Some(Duration::from_secs(57)));
    assert_eq!(after(503, "Sat, 14 Nov 2026 21:46:00 GMT").await, Some(Duration::from_mins(1)));
    assert_eq!(after(429, "99999999999999999").await, Some(Duration::from_hours(1)));
    assert_eq!(after(503, "tomorrow").await, None);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let goal = Http::answering(Answer::with(200, "", "ok")).await;
    for error in failures(Answer::with(302, &format!("Location: {}\r\n", goal.url), "")).await {
        assert_eq!(error.reason, FailureReason::Redirected);
    }
    assert!(goal.requests().is_empty());
}

#[tokio::test]
async fn a_receiver_that_is_not_there_has_not_got_it() {
    let gone = Http::answering(Answer::Close).await.url.clone();
    let unbound =
        tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
    drop(gone);
    for config in configs(&format!("http://{unbound}/")) {
        let error = failure(&config).await;
        assert_eq!(
            (error.verdict, error.reason),
            (Verdict::Destination { retry_after: None }, FailureReason::CannotConnect),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_connection_lost_or_silent_after_the_request_may_have_got_it() {
    for error in failures(Answer::Close).await {
        assert_eq!(
            (error.verdict, error.reason),
            (Verdict::Ambiguous, FailureReason::ConnectionLost),
            "{error}"
        );
    }
    let receiver = Http::answering(Answer::Silence).await;
    for mut config in configs(&receiver.url) {
        config.timeout = Duration::from_millis(1500);
        let error = failure(&config).await;
        assert_eq!(
            (error.verdict, error.reason),
            (Verdict::Ambiguous, FailureReason::TimedOut),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_endless_answer_is_read_to_a_cap_only() {
    for error in failures(Answer::Endless(500)).await {
        assert_eq!(error.verdict, Verdict::Destination { retry_after: None });
        assert!(error.detail.len() < 500, "{}", error.detail.len());
    }
    let receiver = Http::answering(Answer::Endless(200)).await;
    assert!(
        channel(&webhook_config(&receiver.url)).attempt(&alert_delivery(attacked())).await.is_ok()
    );
    assert!(failure(&slack_config(&receiver.url)).await.detail.len() < 500);
}

#[tokio::test]
async fn every_attempt_is_counted_by_its_outcome() {
    let metrics = Metrics::new();
    for (status, attempts) in [(200, 1), (400, 2), (500, 3)] {
        let receiver = Http::answering(Answer::with(status, "", "")).await;
        let channel = webhook_config(&receiver.url)
            .build(SimulatedClock::starting_at(time(NOW)), metrics.clone())
            .unwrap();
        for _ in 0..attempts {
            let _outcome = channel.attempt(&alert_delivery(attacked())).await;
        }
    }
    let text = metrics.render().unwrap();
    for (outcome, count) in
        [("accepted", 1), ("message-refused", 2), ("destination-failed", 3), ("ambiguous", 0)]
    {
        let line = format!(
            "budget_alertd_delivery_attempts_total{{notifier=\"oncall\",outcome=\"{outcome}\"}} \
                {count}\n"
        );
        assert!(
            text.contains(&line)
                || text.contains(&line.replace("notifier=\"oncall\",outcome", "outcome")),
            "{line}{text}"
        );
    }
    assert!(text.contains(
        "budget_alertd_delivery_attempt_duration_seconds_count{notifier=\"oncall\"} 6\n"
    ));
}
