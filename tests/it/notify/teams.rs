//! What Teams gets: a card of documented elements within 20,000 bytes, in which no name means
//! anything.

use std::time::Duration;

use budget_alertd::clock::{Clock, SimulatedClock};
use budget_alertd::domain::{AlertSnapshot, CustomerId, Digest, Ended, Message, OperatorNews};
use budget_alertd::metrics::Metrics;
use budget_alertd::notify::{FailureReason, SampleKind, Verdict, sample_message};
use proptest::prelude::*;
use proptest::test_runner::{Config as Runs, TestRunner};
use serde_json::Value;

use super::receivers::{Answer, Http};
use super::samples::{
    NOW, alert_delivery, apart, attacked, channel, decimal, delivery, digest, ended, later, news,
    teams_config, time, together,
};

/// The request's body that this message becomes.
async fn sent(message: Message) -> String {
    let teams = Http::answering(Answer::with(202, "", "")).await;
    channel(&teams_config(&teams.url)).attempt(&delivery(message)).await.unwrap();
    let request = teams.requests().remove(0);
    assert_eq!(
        (request.method.as_str(), request.header("content-type")),
        ("POST", Some("application/json"))
    );
    String::from_utf8(request.body).unwrap()
}

/// The card, after everything about its form was checked.
pub(crate) async fn card(message: Message) -> Value {
    let body = sent(message).await;
    assert!(body.len() <= 20_000, "{} bytes", body.len());
    let mut message: Value = serde_json::from_str(&body).unwrap();
    let attachment = &mut message["attachments"][0];
    let card = attachment["content"].take();
    assert_eq!(
        message,
        serde_json::json!({ "type": "message", "attachments": [
            { "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": null }
        ] })
    );
    documented(&card);
    card
}

/// Every element and property that cards use here, as documented for version 1.4
/// (<https://adaptivecards.io/explorer/>).
fn documented(element: &Value) {
    let spacing =
        ["None", "Small", "Default", "Medium", "Large", "ExtraLarge", "Padding"].as_slice();
    let (keys, words): (&[&str], &[(&str, &[&str])]) = match element["type"].as_str().unwrap() {
        "AdaptiveCard" => (
            &["$schema", "version", "msteams", "fallbackText", "body", "actions"],
            &[("version", &["1.4"])],
        ),
        "Container" => (
            &["style", "bleed", "items"],
            &[("style", &["default", "emphasis", "good", "attention", "warning", "accent"])],
        ),
        "TextBlock" => (
            &["text", "size", "weight", "wrap", "spacing"],
            &[
                ("size", &["Default", "Small", "Medium", "Large", "ExtraLarge"]),
                ("weight", &["Default", "Lighter", "Bolder"]),
                ("spacing", spacing),
            ],
        ),
        "Action.OpenUrl" => (&["title", "url"], &[]),
        "FactSet" => (&["facts", "separator"], &[]),
        other => panic!("no element {other}"),
    };
    for key in element.as_object().unwrap().keys() {
        assert!(key == "type" || keys.contains(&key.as_str()), "{key} in {element}");
    }
    for (key, words) in words {
        let word = &element[key];
        assert!(word.is_null() || words.contains(&word.as_str().unwrap()), "{key} = {word}");
    }
    assert!(
        element["type"] != "TextBlock"
            || element["text"].as_str().is_some_and(|text| !text.is_empty()),
        "{element}"
    );
    for fact in element["facts"].as_array().into_iter().flatten() {
        assert!(fact["title"].is_string() && fact["value"].is_string(), "{fact}");
    }
    let inner = [&element["body"], &element["items"], &element["actions"]];
    inner.into_iter().filter_map(Value::as_array).flatten().for_each(documented);
}

/// What is to be read on a card, in one line each: texts, and facts by their names.
pub(crate) fn shown(element: &Value) -> String {
    let mut lines = Vec::new();
    if element["type"] == "Container" {
        lines.push(format!("[{}]", element["style"].as_str().unwrap()));
    }
    lines.extend(element["text"].as_str().map(str::to_owned));
    for fact in element["facts"].as_array().into_iter().flatten() {
        lines.push(format!(
            "{}: {}",
            fact["title"].as_str().unwrap(),
            fact["value"].as_str().unwrap()
        ));
    }
    let inner =
        [&element["body"], &element["items"]].into_iter().filter_map(Value::as_array).flatten();
    lines.extend(inner.map(shown));
    lines.join("\n")
}

#[tokio::test]
async fn an_alert_is_who_how_much_two_lines_and_the_details() {
    let card = card(Message::Alert(Box::new(attacked()))).await;
    assert_eq!(
        card["fallbackText"],
        "CRITICAL Contoso Nord 900% of budget: 45,000 of 5,000 SEK (+44,400 in 24 h)"
    );
    insta::assert_snapshot!(shown(&card), @r#"
    [attention]
    CRITICAL
    Contoso Nord
    900 % of budget
    Contoso Nord is 40,000 SEK over its November budget (about 4,290 USD). 24 h before, it was at 12 %.
    Usage as of Sat 14 Nov 18:08, seen 22:41 CET (4 h 33 min old). If this is not expected, treat it as stolen credentials.
    Where: Prod 43,900 SEK · Azure plan 1,000 SEK · 2 others 100 SEK
    Pace: 900 % used with 46 % of the period over; at this pace 98,400 SEK by 30 Nov
    Do: budget-alertd ack 5F0C1C3E · budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
    Contact: it@contoso.example
    Why you: rule "spend" (Share of the monthly budget), step 900 % (80 % and 100 % passed), 1–30 Nov, budget from Partner Center. Next message at 1,000 %.
    Ref: 5F0C1C3E
    [Customer in Partner Center](https://partner.microsoft.com/commerce/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions)
    "#);
}

#[tokio::test]
async fn a_digest_is_a_list_with_the_worst_first() {
    insta::assert_snapshot!(shown(&card(Message::Digest(digest(6, true))).await), @r"
    [attention]
    6 alerts, 3 critical
    First look: 6 alerts about 6 customers, 3 critical.
    Usage as of Sat 14 Nov 18:08, seen 22:41 CET (4 h 33 min old). From now on, each new step is told once.
    🔴 **Contoso Nord 900 %** — 45,000 of 5,000 SEK, 40,000 over · 12 % → 900 % in 24 h · 10000000
    🔴 **Wingtip Toys 835 %** — 41,750 of 5,000 GBP, 36,750 over · 12 % → 835 % in 24 h · 10000001
    🔴 **Litware 770 %** — 38,500 of 5,000 SEK, 33,500 over · 12 % → 770 % in 24 h · 10000002
    🟠 **Northwind 705 %** — 35,250 of 5,000 GBP, 30,250 over · 12 % → 705 % in 24 h · 10000003
    🟠 **Adatum 640 %** — 32,000 of 5,000 SEK, 27,000 over · 12 % → 640 % in 24 h · 10000004
    🟠 **Fabrikam Småland 82.5 %** — 825 of 1,000, 175 left · 10000005
    The billing period of Fabrikam Småland is assumed.
    ");
}

#[tokio::test]
async fn what_comes_later_is_told_apart_by_its_words_and_its_colour() {
    let grown = later(attacked(), "47000", Some("940"), Some("5000"));
    let reminder = shown(&card(Message::Reminder(together(vec![grown.clone()]))).await);
    assert!(reminder.starts_with("[attention]\nREMINDER"), "{reminder}");
    let over = ended(later(attacked(), "47000", Some("47"), Some("100000")), Ended::Budget);
    let resolved = shown(&card(Message::Resolved(together(vec![over.clone()]))).await);
    assert!(resolved.starts_with("[good]\nRESOLVED"), "{resolved}");
    let several = shown(&card(Message::Resolved(apart(together(vec![over; 3])))).await);
    assert!(
        several.starts_with("[good]\n3 alerts resolved") && several.matches("🟢").count() == 3,
        "{several}"
    );
    let trouble = shown(&card(Message::Operator(news(false))).await);
    assert!(trouble.starts_with("[attention]\nbudget-alertd: "), "{trouble}");
    let end = shown(&card(Message::Operator(news(true))).await);
    assert!(end.starts_with("[good]\nbudget-alertd: over"), "{end}");
    let test = card(sample_message(SampleKind::Raised, time(NOW))).await;
    assert!(
        shown(&test).starts_with("[accent]\n[TEST]\u{2060} This message was asked for"),
        "{test}"
    );
}

/// An alert as large as one can be, with this name wherever there is room for one.
fn largest(name: &str, amount: &str) -> AlertSnapshot {
    let mut sample = attacked();
    let alert = &mut sample.alert;
    (alert.customer.name, alert.customer.label, alert.rule) =
        (name.into(), Some(name.into()), name.into());
    alert.customer.id = CustomerId::try_new(format!("x{name}")).unwrap();
    alert.reference = name.into();
    alert.subscription = Some("s".into());
    alert.subscriptions.iter_mut().for_each(|one| one.name = name.into());
    alert.cost.amount = decimal(amount);
    (sample.context.description, sample.context.owner) = (Some(name.into()), Some(name.into()));
    sample.context.contacts = vec![name.into(); 50];
    sample.context.subscription_name = Some(name.into());
    sample
}

#[tokio::test]
async fn the_largest_messages_stay_within_the_limit() {
    let part = channel(&teams_config("https://teams.example/")).route().digest_part;
    for letters in ["x", "🦀", "\"", "{{", "]", "*", "👩‍👩‍👧‍👦", "[x](http://evil.example/)"]
    {
        let name = letters.repeat(10_000 / letters.len());
        let sample = largest(&name, "79228162514264337593543950335");
        let later = later(
            sample.clone(),
            "79228162514264337593543950335",
            Some("79228162514264337593543950335"),
            Some("0.01"),
        );
        let over = ended(later.clone(), Ended::Period);
        let all = |one: &AlertSnapshot| {
            apart(together(vec![one.clone(); usize::try_from(part).unwrap()]))
        };
        let trouble = OperatorNews {
            subject: name.clone(),
            summary: name.clone(),
            action: name.clone(),
            ..news(false)
        };
        let messages = [
            Message::Alert(Box::new(sample.clone())),
            Message::Test(Box::new(sample.clone())),
            Message::Digest(all(&sample)),
            Message::Reminder(all(&later)),
            Message::Reminder(together(vec![later])),
            Message::Resolved(all(&over)),
            Message::Operator(trouble),
        ];
        for message in messages {
            let (kind, members) = (message.kind(), message.alerts().len());
            let card = shown(&card(message).await);
            // Nobody is left out for the sake of size.
            assert!(
                members < 2 || card.lines().filter(|line| line.contains("**")).count() == members,
                "{kind:?} {card}"
            );
        }
        let reason = |number: usize| {
            let mut one = sample.clone();
            one.alert.reference = format!("5F0C1C{number:02}");
            one
        };
        let several = Digest::of_one_customer((0..9).map(reason).collect());
        let card = shown(&card(Message::Alerts(several)).await);
        let is_named = |number: usize| card.contains(&reason(number).alert.reference);
        assert!((1..9).all(is_named), "no reason either: {card}");
    }
}

#[tokio::test]
async fn names_mean_nothing() {
    let hostile = [
        "[x](http://evil.example)",
        "**bold** _it_ ~~s~~",
        "{{7*7}}",
        "{{DATE(2020-01-01T00:00:00Z)}}",
        "<at>everyone</at>",
        "1. a\n- b",
        "@everyone",
    ];
    for name in hostile {
        let body = sent(Message::Alert(Box::new(largest(name, "1")))).await;
        for harmful in ["](", "http://evil", "{{", "<at", "_it_", "~~"] {
            assert!(!body.contains(harmful), "{harmful} in {body}");
        }
        let digest = sent(Message::Digest(apart(together(vec![largest(name, "1"); 6])))).await;
        assert!(!digest.contains("](") && !digest.contains("{{"), "{digest}");
        assert_eq!(digest.matches("**").count(), 12, "only ours is bold: {digest}");
    }
}

#[test]
fn whatever_the_names_the_card_is_sound() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner =
        TestRunner::new(Runs { cases: 32, failure_persistence: None, ..Runs::default() });
    let numbers = any::<i64>().prop_map(|number| number.to_string());
    runner
        .run(&("\\PC{0,60}|(?s).{0,300}", numbers, 1_usize..31), |(name, amount, members)| {
            runtime.block_on(async {
                card(Message::Alert(Box::new(largest(&name, &amount)))).await;
                let all = together(vec![largest(&name, &amount); members]);
                card(Message::Digest(all.clone())).await;
                card(Message::Digest(apart(all.clone()))).await;
                card(Message::Alerts(all)).await;
            });
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn a_workflow_has_taken_it_with_202_or_200_but_not_with_a_page() {
    for (status, body) in [(202, ""), (200, ""), (200, "1")] {
        let receiver = Http::answering(Answer::with(status, "", body)).await;
        assert!(
            channel(&teams_config(&receiver.url))
                .attempt(&alert_delivery(attacked()))
                .await
                .is_ok(),
            "{status} {body}"
        );
    }
    for (status, body) in [(200, "<html>sign in</html>"), (204, ""), (201, "")] {
        let receiver = Http::answering(Answer::with(status, "", body)).await;
        let error = channel(&teams_config(&receiver.url))
            .attempt(&alert_delivery(attacked()))
            .await
            .unwrap_err();
        assert_eq!(
            (error.verdict, error.reason),
            (Verdict::Destination { retry_after: None }, FailureReason::UnexpectedAnswer)
        );
    }
}

#[tokio::test]
async fn at_most_four_messages_a_second_are_sent() {
    let teams = Http::answering(Answer::with(202, "", "")).await;
    let clock = SimulatedClock::starting_at(time(NOW));
    let channel = teams_config(&teams.url).build(clock.clone(), Metrics::new()).unwrap();
    for _ in 0..9 {
        channel.attempt(&alert_delivery(attacked())).await.unwrap();
    }
    assert_eq!(clock.monotonic(), Duration::from_secs(2));
}
