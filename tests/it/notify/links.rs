//! Links to act by, as each destination shows them.

use budget_alertd::domain::{AlertLinks, AlertSnapshot, Digest, Ended, Message};
use budget_alertd::notify::{Config, Escape, Template, Templates};

use super::mail::{read, sent};
use super::receivers::{Answer, Http};
use super::samples::{attacked, channel, delivery, ended, later, pagerduty_config, slack_config};
use super::{slack, teams};

/// An alert as it stands in a delivery that has links.
fn linked() -> AlertSnapshot {
    with_links(attacked())
}

fn with_links(mut sample: AlertSnapshot) -> AlertSnapshot {
    let to = |action: &str| format!("https://alerts.example/link/{action}/AAAAAQ-x_y");
    sample.context.links = Some(AlertLinks {
        acknowledge: to("acknowledge"),
        silence: Some(to("silence")),
        explain: to("explain"),
        customer: Some("https://partner.microsoft.com/commerce/customers/x/subscriptions".into()),
    });
    sample
}

fn raised() -> Message {
    Message::Alert(Box::new(linked()))
}

#[tokio::test]
async fn a_mail_has_them_as_lines_and_as_buttons() {
    let text = read(raised()).await;
    let lines: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("Ref")).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    Ref       5F0C1C3E

    Acknowledge https://alerts.example/link/acknowledge/AAAAAQ-x_y
    Silence     https://alerts.example/link/silence/AAAAAQ-x_y
    Explain     https://alerts.example/link/explain/AAAAAQ-x_y
    Customer    https://partner.microsoft.com/commerce/customers/x/subscriptions
    ");
    assert!(!text.contains("Customer in Partner Center"), "{text}");
    let mail = sent(vec![raised()]).await.remove(0);
    let mail = mail_parser::MessageParser::new().parse(&mail).unwrap();
    let html = mail.body_html(0).unwrap().into_owned();
    for action in ["acknowledge", "silence", "explain"] {
        let link = format!("<a href=\"https://alerts.example/link/{action}/AAAAAQ-x_y\"");
        assert_eq!(html.matches(&link).count(), 1, "{html}");
    }
    assert_eq!(html.matches("partner.microsoft.com").count(), 1, "{html}");
}

#[tokio::test]
async fn slack_has_them_in_a_line_and_teams_as_actions() {
    let payload = slack::payload(raised()).await;
    let blocks = payload["blocks"].as_array().unwrap();
    insta::assert_snapshot!(blocks[1]["text"]["text"].as_str().unwrap(), @"*<https://alerts.example/link/acknowledge/AAAAAQ-x_y|Acknowledge>*   ·   *<https://alerts.example/link/silence/AAAAAQ-x_y|Silence>*   ·   *<https://alerts.example/link/explain/AAAAAQ-x_y|Explain>*   ·   *<https://partner.microsoft.com/commerce/customers/x/subscriptions|Customer>*");
    assert!(!payload.to_string().contains("|Partner Center>"), "{payload}");
    let card = teams::card(raised()).await;
    let actions: Vec<String> = card["actions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|action| format!("{} {} {}", action["type"], action["title"], action["url"]))
        .collect();
    insta::assert_snapshot!(actions.join("\n"), @r#"
    "Action.OpenUrl" "Acknowledge" "https://alerts.example/link/acknowledge/AAAAAQ-x_y"
    "Action.OpenUrl" "Silence" "https://alerts.example/link/silence/AAAAAQ-x_y"
    "Action.OpenUrl" "Explain" "https://alerts.example/link/explain/AAAAAQ-x_y"
    "Action.OpenUrl" "Customer" "https://partner.microsoft.com/commerce/customers/x/subscriptions"
    "#);
}

#[tokio::test]
async fn an_incident_of_pagerduty_has_them() {
    let service = Http::answering(Answer::with(202, "", "{}")).await;
    channel(&pagerduty_config(&service.url)).attempt(&delivery(raised())).await.unwrap();
    let event = service.requests()[0].json();
    let links: Vec<String> = event["links"]
        .as_array()
        .unwrap()
        .iter()
        .map(|link| format!("{} {}", link["text"], link["href"]))
        .collect();
    insta::assert_snapshot!(links.join("\n"), @r#"
    "Acknowledge" "https://alerts.example/link/acknowledge/AAAAAQ-x_y"
    "Silence" "https://alerts.example/link/silence/AAAAAQ-x_y"
    "Explain" "https://alerts.example/link/explain/AAAAAQ-x_y"
    "Customer" "https://partner.microsoft.com/commerce/customers/x/subscriptions"
    "#);
}

#[tokio::test]
async fn a_template_names_them_and_is_given_empty_words_where_there_are_none() {
    let server = Http::answering(Answer::with(200, "", "ok")).await;
    let source = "{{ kind }} {{ links.acknowledge }} {{ links.silence }}";
    let body = Some(Template::try_new(source, Escape::Slack).unwrap());
    let templates = Templates { body, ..Templates::default() };
    let channel = channel(&Config { templates, ..slack_config(&server.url) });
    for message in [raised(), Message::Alert(Box::new(attacked()))] {
        channel.attempt(&delivery(message)).await.unwrap();
    }
    let said: Vec<String> = server
        .requests()
        .iter()
        .map(|request| request.json()["blocks"][0]["text"]["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        said[0],
        "budget.alert.raised https://alerts.example/link/acknowledge/AAAAAQ-x_y \
            https://alerts.example/link/silence/AAAAAQ-x_y"
    );
    assert_eq!(said[1].trim(), "budget.alert.raised");
}

#[tokio::test]
async fn what_is_over_and_what_has_none_shows_none() {
    let over = Message::Resolved(Digest::of_one_customer(vec![with_links(ended(
        later(attacked(), "0", Some("0"), Some("5000")),
        Ended::Budget,
    ))]));
    for message in [over, Message::Alert(Box::new(attacked()))] {
        let text = read(message.clone()).await;
        assert!(!text.contains("/link/"), "{text}");
        let card = teams::card(message.clone()).await;
        assert_eq!(card.get("actions"), None);
        assert!(!slack::payload(message).await.to_string().contains("/link/"));
    }
}
