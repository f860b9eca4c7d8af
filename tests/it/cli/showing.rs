//! `deliveries show`.

use budget_alertd::simulator::{Answer, Fault};
use serde_json::Value;

use super::{BRITAIN, Desk};

/// The one delivery about the customer in Britain.
fn listed(desk: &Desk) -> Value {
    desk.json(&["deliveries", "--customer", BRITAIN, "--format", "json"])[0].clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_shown_with_what_was_sent_and_what_was_answered() {
    let desk = Desk::polled();
    let row = listed(&desk);
    let id = text(&row["id"]);
    let shown = desk.json(&["deliveries", "show", id, "--format", "json"]);
    assert_eq!(shown["delivery"], row);
    let webhook_id = format!("msg_{}", text(&row["identity"]).replace('-', ""));
    let request = desk
        .receiver
        .received()
        .into_iter()
        .find(|request| request.header("webhook-id") == Some(&webhook_id))
        .unwrap();
    let message = &shown["message"];
    assert_eq!(text(&message["body"]), request.text());
    assert_eq!(message["headers"]["webhook-id"], webhook_id);
    assert_eq!(
        message["headers"]["webhook-timestamp"],
        request.header("webhook-timestamp").unwrap()
    );
    for absent in ["subject", "text", "html"] {
        assert!(message[absent].is_null(), "{absent}");
    }
    let attempts = shown["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0]["outcome"], "accepted");
    assert_eq!(attempts[0]["answer"], "200 OK");
    assert!(attempts[0]["at"].is_string());
    // What was sent is shown the same once the configuration words it in another way.
    desk.house.edit("label = \"Contoso UK\"", "label = \"Somebody else\"");
    assert_eq!(desk.json(&["deliveries", "show", id, "--format", "json"]), shown);
    for same in [&id[..8], &webhook_id, &id.to_uppercase(), &format!("<{}@x>", &webhook_id[4..])] {
        assert_eq!(desk.json(&["deliveries", "show", same, "--format", "json"]), shown, "{same}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn for_people_it_is_a_page() {
    let desk = Desk::polled();
    let row = listed(&desk);
    let page = desk.told(&["deliveries", "show", text(&row["id"])]);
    let (head, rest) = page.split_once("\n  {").unwrap_or_else(|| panic!("{page}"));
    let digits = text(&row["identity"]).replace('-', "");
    let second = regex::Regex::new(r"\b\d{10}\b").unwrap();
    assert_eq!(
        second.replace(&head.replace(&digits, "IDENTITY"), "SECOND"),
        "\
alert REF to hook: sent, NOW

Delivery UUID
Message IDENTITY
Recorded NOW

1 attempt:
  NOW  accepted  200 OK

Message of the last attempt, NOW:
  content-type: application/json
  webhook-id: msg_IDENTITY
  webhook-timestamp: SECOND
"
    );
    assert!(rest.contains("\"type\":\"budget.alert.raised\""), "{rest}");
    assert!(rest.contains("\nSHA-256 of the whole: "), "{rest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_and_owed_deliveries_are_shown_too_and_unclear_ids_are_wrong_usage() {
    let desk = Desk::new();
    desk.receiver.fail(Fault::Answer(Answer::new(422)));
    assert_eq!(desk.run(&["poll"]).code, 1);
    let row = listed(&desk);
    let shown = desk.json(&["deliveries", "show", text(&row["id"]), "--format", "json"]);
    assert_eq!(shown["delivery"]["state"], "dead");
    assert_eq!(shown["attempts"][0]["outcome"], "message-refused");
    assert!(text(&shown["attempts"][0]["answer"]).starts_with("422 "), "{shown}");
    assert!(text(&shown["message"]["body"]).contains(BRITAIN));
    desk.receiver.heal();
    let nothing = desk.run(&["deliveries", "show", "nothing"]);
    assert_eq!(
        (nothing.code, nothing.err.as_str()),
        (
            2,
            "budget-alertd: no delivery is meant by \"nothing\"; budget-alertd deliveries lists \
                them with their ids\n"
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn where_several_are_meant_they_are_named() {
    // One message to two recipients is two deliveries.
    let desk = Desk::with(&super::CONFIGURATION.replace(
        "[notifiers.other]\ntype = \"webhook\"\nurl = \"{receiver}/other\"",
        "[notifiers.other]\ntype = \"email\"\nfrom = \"a@partner.example\"\nto = [\"b@partner.example\", \"c@partner.example\"]\nsmtp = { host = \"127.0.0.1\", port = 1, tls = \"none\" }",
    ));
    desk.run(&["poll", "--wait", "0s"]);
    let all =
        desk.json(&["deliveries", "--notifier", "other", "--state", "pending", "--format", "json"]);
    let shown = desk.told(&["deliveries", "show", text(&all[0]["id"])]);
    assert!(shown.contains("to other b@partner.example: pending"), "{shown}");
    let identity = text(&all[0]["identity"]).to_owned();
    let ended = desk.run(&["deliveries", "show", &identity]);
    assert_eq!(ended.code, 2);
    for part in
        ["several deliveries are meant", "(to other b@partner.example)", "c@partner.example"]
    {
        assert!(ended.err.contains(part), "{}", ended.err);
    }
}
