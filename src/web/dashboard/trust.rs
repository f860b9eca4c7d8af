//! The first thing on the overview: whether what stands below can be trusted.

use jiff::{SignedDuration, Timestamp};

use crate::listings::words::{age, count, held, short_moment};
use crate::text::{clean, moment};
use crate::web::health::Condition;
use crate::web::look::Look;

/// How well the daemon is, in words.
pub(super) struct Trust {
    /// `ok`, `degraded` or `failing`.
    pub(super) health: &'static str,
    /// Why it is not well.
    pub(super) why: String,
    /// Data, poll, what is owed, the next poll.
    pub(super) facts: Vec<String>,
    /// What the last poll complains about.
    pub(super) errors: Vec<String>,
    pub(super) findings: Vec<Finding>,
}

/// What the operator should know, and do.
pub(super) struct Finding {
    pub(super) what: String,
    pub(super) since: String,
    pub(super) summary: String,
    pub(super) action: String,
}

/// The words for a condition.
pub(super) fn trust(condition: &Condition, look: &Look) -> Trust {
    let last = condition.polls.last.as_ref();
    let errors = last.map(|last| last.errors.as_slice()).unwrap_or_default();
    Trust {
        health: condition.health.as_str(),
        why: condition.health.why(),
        facts: facts(condition, look),
        errors: errors.iter().take(5).map(|error| clean(error, 500)).collect(),
        findings: condition.findings.iter().map(|open| finding(open, look)).collect(),
    }
}

fn facts(condition: &Condition, look: &Look) -> Vec<String> {
    let now = look.now;
    let mut facts = Vec::new();
    match &condition.polls.last_good {
        Some(good) => {
            facts.extend(good.newest.map(|newest| {
                let at = short_moment(newest, now, look.zone());
                format!("newest data {at}, {} old", age(newest, now))
            }));
            let (ago, records) = (age(good.at, now), count(good.records, "record"));
            facts.push(format!("last good poll {ago} ago, {records}"));
        }
        None => facts.push("no good poll yet".to_owned()),
    }
    let (owed, dead) = (condition.pending(), condition.dead());
    facts.push(format!("{owed} owed{}, {dead} given up", held(condition.held())));
    if condition.silences > 0 {
        facts.push(format!("{} in force", count(condition.silences, "silence")));
    }
    facts.extend(
        next_poll(condition, look)
            .map(|next| format!("next poll about {}", short_moment(next, now, look.zone()))),
    );
    facts
}

/// When the next poll is due; none where it is late.
fn next_poll(condition: &Condition, look: &Look) -> Option<Timestamp> {
    let last = condition.polls.last.as_ref()?;
    let interval = SignedDuration::try_from(look.known.poll_interval).ok()?;
    last.at.checked_add(interval).ok().filter(|next| *next > look.now)
}

fn finding(open: &crate::ledger::OpenFinding, look: &Look) -> Finding {
    let finding = &open.finding;
    let subject = clean(&finding.subject, 60);
    let told = if open.told || !look.known.tells_operator { "" } else { ", not told yet" };
    let since = moment(open.since, look.now, look.zone());
    Finding {
        what: format!("{} {subject}", finding.code.as_str()).trim_end().to_owned(),
        since: format!("since {since} ({}){told}", age(open.since, look.now)),
        summary: clean(&finding.summary, 1000),
        action: clean(&finding.action, 1000),
    }
}
