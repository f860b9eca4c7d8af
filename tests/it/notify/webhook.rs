//! What a webhook gets: Standard Webhooks headers, a signature that anybody can check, the JSON of
//! alerts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use budget_alertd::clock::SimulatedClock;
use budget_alertd::domain::{Ended, Message};
use budget_alertd::metrics::Metrics;
use budget_alertd::notify::{Config, Kind, SigningKey, SmtpTls};
use budget_alertd::secret::Secret;
use reqwest::header::{HeaderName, HeaderValue};
use ring::hmac;

use super::receivers::{Answer, Http, Request};
use super::samples::{
    NOW, alert_delivery, apart, attacked, channel, delivery, digest, email_config, ended, later,
    news, seed, slack_config, time, together, webhook_config,
};

const OLD_KEY: &[u8] = b"an old key of thirty-two bytes..";
const NEW_KEY: &[u8] = b"a new key of thirty-two bytes...";

fn keyed(url: &str, keys: &[&[u8]], headers: &[(&'static str, &'static str)]) -> Config {
    let mut config = webhook_config(url);
    if let Kind::Webhook(webhook) = &mut config.kind {
        let key = |bytes: &&[u8]| {
            SigningKey::try_new(&Secret::new(format!("whsec_{}", STANDARD.encode(bytes)))).unwrap()
        };
        webhook.keys = keys.iter().map(key).collect();
        webhook.headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
    }
    config
}

/// Whether one of the signatures is this key's, by the specification.
fn signed_by(request: &Request, key: &[u8]) -> bool {
    let signed = [
        request.header("webhook-id").unwrap().as_bytes(),
        b".",
        request.header("webhook-timestamp").unwrap().as_bytes(),
        b".",
        request.body.as_slice(),
    ]
    .concat();
    let signatures = request.header("webhook-signature").unwrap().split(' ');
    let mut tags =
        signatures.map(|text| STANDARD.decode(text.strip_prefix("v1,").unwrap()).unwrap());
    tags.any(|tag| hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), &signed, &tag).is_ok())
}

#[tokio::test]
async fn an_alert_is_posted_signed_and_whole() {
    let receiver = Http::answering(Answer::with(202, "", "thanks")).await;
    let config = keyed(
        &receiver.url,
        &[OLD_KEY, NEW_KEY],
        &[("x-team", "cloud-ops"), ("webhook-id", "forged"), ("content-type", "text/x")],
    );
    let accepted = channel(&config).attempt(&alert_delivery(seed())).await.unwrap();
    assert_eq!(accepted.detail, "202 Accepted");
    let request = receiver.requests().remove(0);
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/hook?token=sesame"));
    let header = |name| request.header(name).unwrap_or_default();
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("user-agent"), concat!("budget-alertd/", env!("CARGO_PKG_VERSION")));
    assert_eq!(header("x-team"), "cloud-ops");
    assert_eq!(header("webhook-id"), "msg_00c0ffee000040008000000000000001");
    assert_eq!(header("webhook-timestamp"), time(NOW).as_second().to_string());
    assert!(
        signed_by(&request, OLD_KEY)
            && signed_by(&request, NEW_KEY)
            && !signed_by(&request, b"another")
    );
    assert_eq!(
        String::from_utf8(request.body).unwrap(),
        r#"{"type":"budget.alert.raised","timestamp":"2026-11-14T21:41:20Z","data":{"alerts":[{"id":"5f0c1c3e-0000-4000-8000-000000000001","rule":"spend","metric":"percent_used","threshold":"80","passed":[],"value":"602.84","over_zero":false,"severity":"critical","baseline":false,"ref":"5F0C1C3E","customer":{"id":"11111111-6fb9-4b05-8f15-b3d72e0596e6","name":"Modern Azure Customer SE","label":null,"plan":"azure-plan"},"budget":{"amount":"20","currency":"SEK","source":"partner-center","previous_amount":null},"cost":{"amount":"120.5682999999995904716","currency":"SEK","usd":"12.39999999999999985235"},"reported_percent":"602.84","computed_percent":"602.84","billing_period":{"start":"2019-09-01T00:00:00Z","end":"2019-10-01T00:00:00Z","source":"subscription-summary"},"subscriptions":[{"id":"s1","name":"Azure plan","cost":"120.5682999999995904716"}],"usage_as_of":"2019-09-17T17:08:11.1433333Z","raised_at":"2026-11-14T21:41:20Z","state":"raised"}]}}"#
    );
}

#[tokio::test]
async fn without_a_key_nothing_is_signed() {
    let receiver = Http::answering(Answer::with(200, "", "")).await;
    channel(&webhook_config(&receiver.url)).attempt(&alert_delivery(attacked())).await.unwrap();
    assert_eq!(receiver.requests()[0].header("webhook-signature"), None);
}

#[tokio::test]
async fn every_attempt_has_the_same_identity_and_body_at_its_own_time() {
    let receiver = Http::answering(Answer::with(200, "", "")).await;
    for hour in ["21", "23"] {
        let clock = SimulatedClock::starting_at(time(&format!("2026-11-14T{hour}:00:00Z")));
        let channel = keyed(&receiver.url, &[NEW_KEY], &[]).build(clock, Metrics::new()).unwrap();
        channel.attempt(&alert_delivery(attacked())).await.unwrap();
    }
    let [first, second] = receiver.requests().try_into().unwrap();
    assert_eq!(
        (first.header("webhook-id"), &first.body),
        (second.header("webhook-id"), &second.body)
    );
    assert_ne!(first.header("webhook-timestamp"), second.header("webhook-timestamp"));
    assert!(signed_by(&first, NEW_KEY) && signed_by(&second, NEW_KEY));
}

#[tokio::test]
async fn a_digest_names_its_part_and_a_test_its_type() {
    let receiver = Http::answering(Answer::with(200, "", "")).await;
    let channel = channel(&webhook_config(&receiver.url));
    channel.attempt(&delivery(Message::Digest(digest(7, true)))).await.unwrap();
    channel.attempt(&delivery(Message::Test(Box::new(attacked())))).await.unwrap();
    let [digest, test] = receiver.requests().try_into().unwrap();
    let digest = digest.json();
    assert_eq!(digest["type"], "budget.digest");
    assert_eq!(digest["data"]["digest"], serde_json::json!({ "part": 1, "parts": 1, "total": 7 }));
    assert_eq!(digest["data"]["alerts"].as_array().unwrap().len(), 7);
    assert_eq!(test.json()["type"], "budget.test");
}

#[tokio::test]
async fn what_comes_later_has_the_state_and_the_latest_numbers_of_each_alert() {
    let receiver = Http::answering(Answer::with(200, "", "")).await;
    let channel = channel(&webhook_config(&receiver.url));
    let grown = later(attacked(), "47000.50", Some("940.01"), Some("5000"));
    let over = ended(later(seed(), "120.5682999999995904716", None, None), Ended::Budget);
    for message in [
        Message::Reminder(together(vec![grown.clone()])),
        Message::Resolved(apart(together(vec![over, ended(grown, Ended::Period)]))),
    ] {
        channel.attempt(&delivery(message)).await.unwrap();
    }
    let [reminder, resolved] = [0, 1].map(|index| receiver.requests()[index].json());
    assert_eq!(
        (&reminder["type"], &resolved["type"]),
        (&"budget.alert.reminder".into(), &"budget.alert.resolved".into())
    );
    assert_eq!(reminder["data"]["alerts"][0]["value"], "900");
    assert_eq!(reminder["data"]["alerts"][0]["state"], "raised");
    assert_eq!(
        reminder["data"]["latest"].to_string(),
        r#"[{"budget":{"amount":"5000","currency":"SEK","previous_amount":null,"source":"partner-center"},"cost":"47000.50","ended":null,"usage_as_of":"2026-11-14T20:08:11Z","value":"940.01"}]"#
    );
    assert_eq!(reminder["data"]["digest"], serde_json::Value::Null);
    assert_eq!(
        resolved["data"]["digest"],
        serde_json::json!({ "part": 1, "parts": 1, "total": 2 })
    );
    let states: Vec<_> = resolved["data"]["alerts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|alert| alert["state"].clone())
        .collect();
    let ended: Vec<_> = resolved["data"]["latest"]
        .as_array()
        .unwrap()
        .iter()
        .map(|latest| latest["ended"].clone())
        .collect();
    assert_eq!(
        (states, ended),
        (vec!["resolved".into(); 2], vec!["budget".into(), "period".into()])
    );
}

#[tokio::test]
async fn news_about_the_daemon_are_these_four_fields() {
    let receiver = Http::answering(Answer::with(200, "", "")).await;
    let channel = channel(&webhook_config(&receiver.url));
    for over in [false, true] {
        channel.attempt(&delivery(Message::Operator(news(over)))).await.unwrap();
    }
    let bodies: Vec<_> = receiver
        .requests()
        .into_iter()
        .map(|request| String::from_utf8(request.body).unwrap())
        .collect();
    assert_eq!(
        bodies.join("\n"),
        r#"{"type":"operator.raised","timestamp":"2026-11-14T21:41:20Z","data":{"operator":{"code":"source-failing","summary":"the source has failed for 3 h","action":"look at what it says, with: budget-alertd status","since":"2026-11-14T18:40:00Z"}}}
{"type":"operator.resolved","timestamp":"2026-11-14T21:41:20Z","data":{"operator":{"code":"source-failing","summary":"the source answers again; 4 alerts may be up to 25 h late","action":"","since":"2026-11-14T18:40:00Z"}}}"#
    );
}

#[test]
fn digests_are_cut_to_what_each_destination_takes() {
    let routes = [
        webhook_config("http://localhost/"),
        slack_config("http://localhost/"),
        email_config(25, SmtpTls::None),
    ];
    let routes: Vec<_> = routes.iter().map(Config::route).collect();
    assert_eq!(routes.iter().map(|route| route.digest_part).collect::<Vec<_>>(), [15, 30, 200]);
    assert_eq!(routes.iter().map(|route| route.recipients.count()).collect::<Vec<_>>(), [1, 1, 2]);
    assert!(
        routes.iter().all(|route| route.digest_above == Some(5) && &*route.notifier == "oncall")
    );
}
