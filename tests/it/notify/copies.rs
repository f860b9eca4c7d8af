//! What is kept of a message: what its receiver was handed, without any secret.

use budget_alertd::domain::SentMessage;
use budget_alertd::notify::{Config, Kind, SmtpTls};
use mail_parser::MessageParser;
use reqwest::header::{HeaderName, HeaderValue};
use ring::digest::{SHA256, digest};

use super::receivers::{Answer, Http, Script, Smtp};
use super::samples::{
    ROUTING_KEY, alert_delivery, attacked, channel, email_config, pagerduty_config, slack_config,
    teams_config, webhook_config,
};

fn sha256(bytes: &[u8]) -> String {
    let digest = digest(&SHA256, bytes);
    let (first, last) = digest.as_ref().split_at(16);
    let number = |half: &[u8]| u128::from_be_bytes(half.try_into().unwrap());
    format!("{:032x}{:032x}", number(first), number(last))
}

/// What is kept of an attempt, however that ended.
async fn copy(config: &Config) -> SentMessage {
    let attempt = channel(config).attempt(&alert_delivery(attacked())).await;
    let message = match attempt {
        Ok(accepted) => accepted.message,
        Err(error) => error.message,
    };
    (*message.expect("it was handed over")).clone()
}

#[tokio::test]
async fn of_a_mail_its_texts_and_headers_are_kept_as_the_server_got_them() {
    let server = Smtp::playing(Script::default()).await;
    let copy = copy(&email_config(server.port, SmtpTls::None)).await;
    let received = server.seen().messages.remove(0);
    let mail = MessageParser::default().parse(&received).unwrap();
    let unix = |text: &str| text.replace("\r\n", "\n").trim_end().to_owned();
    assert_eq!(copy.subject.as_deref(), mail.subject());
    assert_eq!(unix(copy.text.as_deref().unwrap()), unix(&mail.body_text(0).unwrap()));
    assert_eq!(unix(copy.html.as_deref().unwrap()), unix(&mail.body_html(0).unwrap()));
    assert_eq!(copy.body, None);
    let head = received.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
    for (name, value) in &copy.headers {
        assert!(head.contains(&format!("{name}: {value}")), "{name}: {value}\n{head}");
    }
    let ids = copy.headers.iter().filter(|(name, _)| name == "Message-ID");
    assert_eq!(ids.count(), 1, "{:?}", copy.headers);
}

#[tokio::test]
async fn of_a_request_its_body_is_kept_and_no_header_that_somebody_configured() {
    let receiver = Http::answering(Answer::with(200, "", "ok")).await;
    let mut config = webhook_config(&receiver.url);
    if let Kind::Webhook(webhook) = &mut config.kind {
        let token = (HeaderName::from_static("x-token"), HeaderValue::from_static("hunter2"));
        webhook.headers = vec![token];
    }
    for config in [config, slack_config(&receiver.url), teams_config(&receiver.url)] {
        let copy = copy(&config).await;
        let request = receiver.requests().pop().unwrap();
        assert_eq!(copy.body.unwrap().as_bytes(), request.body);
        assert_eq!(copy.sha256, sha256(&request.body));
        assert!(!copy.headers.is_empty());
        for (name, value) in &copy.headers {
            assert_eq!(request.header(name), Some(value.as_str()), "{name}");
            assert!(!value.contains("hunter2"));
        }
    }
}

#[tokio::test]
async fn of_an_event_all_but_its_key_is_kept() {
    let receiver = Http::answering(Answer::with(202, "", "{}")).await;
    let copy = copy(&pagerduty_config(&receiver.url)).await;
    let request = receiver.requests().pop().unwrap();
    let sent = String::from_utf8(request.body.clone()).unwrap();
    let body = copy.body.unwrap();
    assert!(sent.contains(ROUTING_KEY) && !body.contains(ROUTING_KEY), "{body}");
    assert_eq!(body, sent.replace(ROUTING_KEY, "***"));
    assert_eq!(copy.sha256, sha256(&request.body), "of what was handed over, the key included");
}

#[tokio::test]
async fn what_was_handed_over_is_kept_where_it_is_refused_and_where_nobody_answers() {
    for answer in [Answer::with(422, "", "no"), Answer::Close] {
        let receiver = Http::answering(answer).await;
        let copy = copy(&webhook_config(&receiver.url)).await;
        assert_eq!(copy.body.unwrap().as_bytes(), receiver.requests().pop().unwrap().body);
    }
}
