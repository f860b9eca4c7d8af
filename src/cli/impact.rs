//! `check --impact`: who would be told what if this file took effect now.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::alerting::Content;
use crate::analysis::Impact;
use crate::cli::output::Tone;
use crate::cli::text;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::ledger::{LedgerError, Reader};
use crate::notify;
use crate::poll::Namesakes;

/// How many alerts are named.
const NAMED: usize = 20;

/// What a start or reload would do now; none where no ledger is there yet, since then nothing is
/// known.
pub(super) fn of(config: &Config) -> anyhow::Result<Option<Impact>> {
    let reader = match Reader::open(&config.ledger) {
        Err(LedgerError::Missing { .. }) => return Ok(None),
        reader => reader?,
    };
    let routes: Vec<_> = config.notifiers.iter().map(notify::Config::route).collect();
    let mut progress = text::Counting::new("customers looked at");
    let now = SystemClock::shared().now();
    Ok(Some(crate::analysis::impact(
        &config.budgets,
        &config.rules,
        &routes,
        &reader,
        now,
        &mut || progress.tick(),
    )?))
}

/// The page's last section.
pub(super) fn page(impact: Option<&Impact>) -> String {
    let mut lines = vec![format!("\n{}", Tone::Strong.paint("If it took effect now"))];
    let Some(impact) = impact else {
        lines.push(
            "  nothing is known yet: the first poll tells what is so already, in one digest for \
                each notifier when there is much"
                .into(),
        );
        return lines.join("\n") + "\n";
    };
    let mut say = |line: String| lines.push(format!("  {line}"));
    let silenced = impact.alerts.iter().filter(|new| !new.is_told()).count();
    say(match impact.alerts.len() {
        0 => format!(
            "nobody would be told anything of the {} customers as they were last seen",
            impact.customers
        ),
        count => {
            let customers: BTreeSet<_> =
                impact.alerts.iter().map(|new| new.snapshot.alert.customer.id.key()).collect();
            let (alerts, customers) =
                (text::count(count, "new alert"), text::count(customers.len(), "customer"));
            format!(
                "{alerts}{} about {customers} ({} looked at):",
                hidden(silenced),
                impact.customers
            )
        }
    });
    let listed = text::named_in(impact.alerts.iter().map(|new| &new.snapshot.alert));
    let namesakes = Namesakes::find(listed, None).unwrap_or_default();
    for new in impact.alerts.iter().take(NAMED) {
        let told =
            if new.is_told() { new.notify.join(", ") } else { "nobody, it is silenced".to_owned() };
        say(format!("  {} → {told}", text::unraised_line(&new.snapshot.alert, &namesakes)));
    }
    if impact.alerts.len() > NAMED {
        say(format!("  and {} more", impact.alerts.len() - NAMED));
    }
    for (notifier, (messages, digests)) in by_notifier(impact) {
        let digests = match digests {
            0 => String::new(),
            all if all == messages => ", as a digest".to_owned(),
            some => format!(", {some} of them parts of a digest"),
        };
        say(format!("{notifier} would get {}{digests}", text::count(messages, "message")));
    }
    for (rule, open) in &impact.closed {
        say(format!(
            "rule \"{}\" is gone: {} would be closed",
            text::clean(rule),
            text::count(*open, "open alert")
        ));
    }
    for (notifier, owed) in &impact.given_up {
        let owed = text::count(*owed, "delivery");
        say(format!(
            "{} {owed} owed to it would be given up",
            Tone::Bad.paint(&format!("notifier \"{}\" is gone:", text::clean(notifier)))
        ));
    }
    lines.join("\n") + "\n"
}

fn hidden(silenced: usize) -> String {
    if silenced == 0 { String::new() } else { format!(" ({silenced} silenced)") }
}

/// Messages by notifier: how many, and how many of them are parts of a digest.
fn by_notifier(impact: &Impact) -> BTreeMap<&str, (usize, usize)> {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for message in &impact.messages {
        let (messages, digests) = counts.entry(&message.notifier).or_default();
        let sent = message.recipients.count();
        *messages += sent;
        *digests += if matches!(message.content, Content::Digest { .. }) { sent } else { 0 };
    }
    counts
}

/// The same for programs.
pub(super) fn document(impact: Option<&Impact>) -> Value {
    let Some(impact) = impact else { return Value::Null };
    let alerts = impact
        .alerts
        .iter()
        .map(|new| json!({ "alert": new.snapshot.alert, "notify": new.notify }));
    let messages = by_notifier(impact).into_iter();
    let messages = messages.map(|(name, (count, digests))| {
        (name.to_owned(), json!({ "messages": count, "digest_parts": digests }))
    });
    let named = |list: &[(String, u64)], what: &str| -> Vec<Value> {
        list.iter().map(|(name, number)| json!({ "name": name, what: number })).collect()
    };
    json!({
        "customers": impact.customers,
        "alerts": alerts.collect::<Vec<_>>(),
        "messages": messages.collect::<serde_json::Map<_, _>>(),
        "rules_gone": named(&impact.closed, "alerts_closed"),
        "notifiers_gone": named(&impact.given_up, "deliveries_given_up"),
    })
}
