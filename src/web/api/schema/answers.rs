//! What orders are answered with.

use serde_json::{Value, json};

use crate::domain::{Metric, Severity};
use crate::listings::schema::alert::{security, security_end};
use crate::listings::schema::parts::{
    also, boolean, count, decimal, joined, list, optional_decimal, or_null, reference, text, texts,
    time, whole, words,
};

/// A schema for each.
pub(super) fn schemas() -> Value {
    json!({
        "Acknowledged": acknowledged(),
        "SilenceAdded": silenced(),
        "Expired": expired(),
        "Retried": retried(),
        "Released": released(),
        "SecurityAnswered": answered(),
        "PollAnswer": polled(),
        "NotifyTested": tested(),
        "PushedBudget": pushed(),
        "Reloaded": whole(&json!({ "refused": or_null(&text("why, in the words of check")) })),
        "SignInKept": whole(&json!({ "polls": boolean("whether it polls with it at once") })),
        "EvidenceNoted": whole(&json!({ "fraud": boolean("whether it is marked as fraud") })),
        "ReadAnswer": read(),
        "About": about(),
    })
}

fn acknowledged() -> Value {
    let known = |doc| or_null(&reference("Acknowledgement", doc));
    let marked = |doc| or_null(&reference("SpikeMarking", doc));
    whole(&json!({
        "alert": reference("Alert", "the alert in its state of now"),
        "before": known("who had said so before"),
        "now": known("who says so now"),
        "marked_before": marked("what was said of its spike before"),
        "marked": marked("what is said of it now"),
    }))
}

fn silenced() -> Value {
    whole(&json!({
        "silence": reference("Silence", "the silence"),
        "customers": count("customers it fits"),
        "crossing": count("pairs of customer and rule over a step now that it keeps silent"),
        "worst": list(&hidden(), "the worst 10 of them"),
        "reminders": count("alerts already told that it keeps from being told again"),
        "warnings": texts("patterns that fit nothing"),
    }))
}

fn hidden() -> Value {
    whole(&json!({
        "customer_id": text("as received"),
        "customer": text("what it is called"),
        "rule": text("its name"),
        "metric": words(Metric::NAMES),
        "severity": words(Severity::NAMES),
        "threshold": decimal("the highest step reached"),
        "value": optional_decimal("null over a budget of zero"),
        "currency": { "$ref": "#/$defs/currency" },
        "alert": { "type": ["string", "null"], "format": "uuid" },
        "told": boolean("whether it was told already"),
        "reminds": boolean("whether it would be told again"),
    }))
}

fn expired() -> Value {
    whole(&json!({
        "silence": reference("Silence", "the silence"),
        "already": boolean("whether it was over before"),
        "uncovered": count("alerts it hid that nothing hides any more"),
    }))
}

fn retried() -> Value {
    whole(&json!({
        "owed": count("deliveries that are owed again"),
        "lost": texts("notifiers that the configuration does not have"),
    }))
}

fn released() -> Value {
    whole(&json!({
        "deliveries": count("let go, or discarded"),
        "held": count("still held"),
    }))
}

fn answered() -> Value {
    whole(&json!({
        "alert": security(),
        "customer": text("the customer's tenant"),
        "end": security_end(),
        "already": boolean("whether it had been answered before: nothing was written then"),
    }))
}

fn polled() -> Value {
    let counts = |names: &[&str]| {
        let counts = names.iter().map(|name| ((*name).to_owned(), count("how many")));
        whole(&Value::Object(counts.collect()))
    };
    let answer = whole(&json!({
        "records": count("usable records"),
        "skipped": count("records that could not be used"),
        "alerts": list(&reference("Alert", "one"), "what was raised, worst first"),
        "suppressed": counts(&["duplicate", "passed", "silenced"]),
        "deliveries": counts(&["sent", "pending", "dead"]),
        "source": words(&["ok", "failed"]),
        "security": words(&["ok", "failed", "off"]),
        "errors": texts("what went wrong or was odd"),
    }));
    let of_many = json!({
        "raised": count("how many alerts were raised, where not all are listed"),
        "rows": whole(&json!({ "after": { "type": "integer" }, "to": { "type": "integer" } })),
    });
    also(answer, of_many)
}

fn tested() -> Value {
    whole(&json!({
        "recipient": or_null(&text("to whom, where the notifier has several")),
        "accepted": boolean("whether it was accepted"),
        "detail": text("what the receiver said, or why it could not be reached"),
    }))
}

fn pushed() -> Value {
    let who = json!({ "customer": text("its id"), "name": text("what it is called") });
    let what = whole(&json!({
        "from": optional_decimal("the amount that was there"),
        "to": decimal("the amount that is wanted"),
        "currency": { "$ref": "#/$defs/currency" },
        "outcome": { "enum": ["written", "same", "skipped", "refused", "failed", null] },
        "words": text("why, or what came of it"),
        "ms_request_id": { "type": ["string", "null"], "format": "uuid" },
    }));
    joined(whole(&who), &what)
}

fn read() -> Value {
    whole(&json!({
        "code": count("the exit code"),
        "out": text("what it printed"),
        "err": text("what else it said"),
    }))
}

fn about() -> Value {
    let unwritable = whole(&json!({ "since": time("since when"), "why": text("why") }));
    let file = json!({ "type": "array", "items": count("device, inode") });
    whole(&json!({
        "pid": count("the process"),
        "version": text("its version"),
        "ledger": text("the ledger's file"),
        "ledger_file": or_null(&file),
        "config": text("the configuration's file"),
        "changed": texts("files of the configuration that have changed since it was loaded"),
        "leads": boolean("whether it polls and delivers"),
        "leader": or_null(&text("the host that leads in its place")),
        "unwritable": or_null(&unwritable),
    }))
}
