//! A message that is sent in the place of another notifier says so, at every destination; its first
//! two lines stay what a lock screen should show.

use budget_alertd::domain::{Delivery, Message};
use budget_alertd::notify::SmtpTls;

use super::receivers::{Answer, Http, Script, Smtp};
use super::samples::{
    alert_delivery, attacked, channel, digest, email_config, pagerduty_config, slack_config,
    teams_config, webhook_config,
};

const SENTENCE: &str = "Sent here because the notifier \"ops-slack\" has not taken it.";

fn in_place_of(message: Delivery) -> Delivery {
    Delivery { stands_in_for: Some("ops-slack".into()), recipient: None, ..message }
}

/// What a destination got by HTTP.
async fn posted(
    config: impl Fn(&str) -> budget_alertd::notify::Config,
    answer: Answer,
    delivery: &Delivery,
) -> serde_json::Value {
    let receiver = Http::answering(answer).await;
    channel(&config(&receiver.url)).attempt(delivery).await.unwrap();
    receiver.requests()[0].json()
}

#[tokio::test]
async fn chats_pagers_and_programs_are_told_in_whose_place() {
    for message in [alert_delivery(attacked()).message, Message::Digest(digest(30, false))] {
        let delivery = in_place_of(Delivery { message, ..alert_delivery(attacked()) });
        let slack = posted(slack_config, Answer::with(200, "", "ok"), &delivery).await;
        let blocks = slack["blocks"].as_array().unwrap();
        assert!(blocks.len() <= 50);
        assert_eq!(blocks.last().unwrap()["elements"][0]["text"], SENTENCE);
        assert!(!slack["text"].as_str().unwrap().contains("ops-slack"), "{}", slack["text"]);
        let teams = posted(teams_config, Answer::with(202, "", ""), &delivery).await;
        assert!(teams.to_string().len() <= 20_000);
        let last =
            teams["attachments"][0]["content"]["body"].as_array().unwrap().last().unwrap()["text"]
                .as_str()
                .unwrap();
        assert_eq!(last.replace('\\', ""), SENTENCE);
        let pager = posted(pagerduty_config, Answer::with(202, "", "{}"), &delivery).await;
        assert_eq!(pager["payload"]["custom_details"]["Fallback"], SENTENCE);
        let hook = posted(webhook_config, Answer::with(200, "", ""), &delivery).await;
        assert_eq!(hook["data"]["fallback_for"], "ops-slack");
    }
}

#[tokio::test]
async fn a_mail_says_so_above_its_card_and_below_its_text() {
    let server = Smtp::playing(Script::default()).await;
    let delivery = Delivery {
        recipient: Some("oncall@partner.example".into()),
        ..in_place_of(alert_delivery(attacked()))
    };
    channel(&email_config(server.port, SmtpTls::None)).attempt(&delivery).await.unwrap();
    let seen = server.seen();
    let mail = mail_parser::MessageParser::default().parse(&seen.messages[0]).unwrap();
    let (text, html) = (mail.body_text(0).unwrap(), mail.body_html(0).unwrap());
    assert!(text.trim_end().ends_with(SENTENCE), "{text}");
    assert!(text.starts_with("Contoso Nord"), "{text}");
    let escaped = SENTENCE.replace('"', "&quot;");
    assert!(html.find(&escaped).unwrap() < html.find(">CRITICAL<").unwrap(), "{html}");
    assert_eq!(
        mail.header("X-Budget-Alert-Fallback-For").and_then(|value| value.as_text()),
        Some("ops-slack")
    );
}
