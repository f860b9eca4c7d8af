//! What is sent to order something. A key that is not here is refused.

use serde_json::{Value, json};

use crate::listings::schema::parts::{
    also, boolean, count, list, optional_decimal, partial, text, texts, whole, words,
};
use crate::web::api::schema::listed::{day, until};

/// A schema for each.
pub(super) fn schemas() -> Value {
    json!({
        "AckRequest": acknowledge(),
        "SilenceRequest": silence(),
        "ExpireRequest": whole(&json!({ "id": count("the silence's number") })),
        "RetryRequest": retry(),
        "ReleaseRequest": release(),
        "ResolveRequest": resolve(),
        "PollRequest": poll(),
        "NotifyTestRequest": notify_test(),
        "PushRequest": push(),
        "ReloadRequest": partial(&json!({})),
        "SignInRequest": whole(&json!({ "refresh_token": text("of Partner Center") })),
        "EvidenceRequest": whole(&json!({ "incident": text("an alert of it, by reference or id") })),
        "ReadRequest": whole(&json!({ "arguments": texts("of the command") })),
    })
}

fn acknowledge() -> Value {
    let alerts = json!({
        "alerts": texts("by id, or by the reference that messages show: each stands for all alerts \
            of its message"),
    });
    let more = json!({
        "undo": boolean("take it back; nothing else can be said with it"),
        "spikes": { "enum": ["expected", "fraud", null], "description": "what the spikes were" },
        "until": day("with expected: the last day of the data up to which more are expected"),
        "reason": text("why; up to 500 letters"),
    });
    also(whole(&alerts), more)
}

fn silence() -> Value {
    let needed = json!({ "until": until(), "reason": text("why") });
    let more = json!({
        "customers": texts("patterns of id, name or label; none: all, if rules are named"),
        "rules": texts("patterns of rule names; none: all, if customers are named"),
        "unless_above": optional_decimal("values above this are told all the same"),
        "yes": boolean("make it although it fits nobody, or lasts for more than 90 days"),
    });
    also(whole(&needed), more)
}

fn retry() -> Value {
    partial(&json!({
        "ids": texts("by id, or by its first characters; none: all that were given up"),
        "notifier": text("only those to this notifier"),
        "to": text("owe them to this notifier instead"),
        "all": boolean("all are meant; over HTTP to be said where nothing is named"),
    }))
}

fn release() -> Value {
    partial(&json!({
        "ids": texts("by id, or by its first characters; none: all that are held"),
        "notifier": text("only those to this notifier"),
        "customer": text("only those about this customer: its id, name or label"),
        "discard": boolean("never send them: their customers are not told of these alerts"),
        "reason": text("why"),
        "all": boolean("all are meant; over HTTP to be said where nothing is named"),
    }))
}

fn resolve() -> Value {
    whole(&json!({
        "id": text("Microsoft's id, the reference of an alert about it, or 4 first characters"),
        "reason": words(&["fraud", "legitimate", "ignore"]),
    }))
}

fn poll() -> Value {
    partial(&json!({
        "accept_empty": boolean("take an answer without any item for the truth"),
        "wait_seconds": count("how long to wait for the deliveries; 30 by default, over HTTP 600 at most"),
    }))
}

fn notify_test() -> Value {
    let more = json!({
        "kind": words(&["raised", "digest", "reminder", "resolved", "operator"]),
        "to": text("an address, for a notifier that writes to each customer's contacts; refused over HTTP"),
    });
    also(whole(&json!({ "notifier": text("its name") })), more)
}

fn push() -> Value {
    let amount = json!({ "$ref": "#/$defs/decimal" });
    let confirmed = whole(&json!({
        "customer": text("its id"),
        "from": optional_decimal("the amount that is there; null without a budget"),
        "to": amount,
    }));
    partial(&json!({
        "customer": text("only this one"),
        "confirmed": list(&confirmed, "write these; left out: only show what would be written"),
    }))
}
