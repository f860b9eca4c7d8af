//! `explain` for people.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::actions::{Acknowledgement, SpikeMarking};
use crate::alerting::CustomerState;
use crate::cli::explain::history;
use crate::cli::output::{self, Tone};
use crate::cli::text;
use crate::config::Config;
use crate::domain::{Assessed, DeliveryState, MessageKind, Plan, Route, Severity};
use crate::ledger::AttemptRow;
use crate::listings::alerts::{by, marked};
use crate::listings::story::{AlertStory, DeliveryStory, Story, waiting};
use crate::listings::story_words::{budget, in_words, note, period, state, usage};
use crate::listings::{Scale, deliveries, rule};
use crate::notify;
use crate::notify::message::AlertWording;
use crate::text::{clean, moment, money};

/// More attempts than these are shown in part.
const FIRST_ATTEMPTS: usize = 2;
const LAST_ATTEMPTS: usize = 6;

/// The whole page.
pub(super) fn page(story: &Story, config: &Config) -> String {
    let (assessed, zone) = (&story.explanation.assessed, &config.time_zone);
    let mut lines = who(assessed);
    lines.extend(then(story, zone));
    lines.push(String::new());
    lines.extend(labelled("Usage", usage(story, zone, Tone::paint)));
    lines.extend(labelled("Budget", budget(story, config.budgets.prefer, zone)));
    lines.extend(labelled("Period", period(story, zone)));
    lines.extend(history::dates(story, zone));
    lines.extend(history::events(story, zone));
    let beside = rule::Beside { now: story.now, past: story.past, zone, paint: Tone::paint };
    lines.push(format!("\n{}", Tone::Strong.paint("Rules")));
    lines.extend(
        story.explanation.rules.iter().flat_map(|account| rule::lines(account, assessed, &beside)),
    );
    let routes: Vec<Route> = config.notifiers.iter().map(notify::Config::route).collect();
    let silent = crate::alerting::silent(&config.rules, assessed, &routes).into_iter();
    lines.extend(silent.map(|name| {
        format!(
            "  no contacts: the customers' notifier {} tells nobody about it",
            text::clean(name)
        )
    }));
    for (seen, explanation) in &story.subscriptions {
        lines.extend(subscription(seen, &explanation.assessed));
        lines.extend(
            explanation
                .rules
                .iter()
                .flat_map(|account| rule::lines(account, &explanation.assessed, &beside)),
        );
    }
    lines.push(format!("\n{}", Tone::Strong.paint("Alerts of this billing period")));
    if story.alerts.is_empty() {
        lines.push("  none".to_owned());
    }
    lines.extend(story.alerts.iter().flat_map(|alert| told(alert, story, zone)));
    if story.other_alerts > 0 {
        let id = text::clean(assessed.record.customer.as_str());
        lines.push(format!(
            "  {} in other periods: budget-alertd alerts --customer {id}",
            text::count(story.other_alerts, "alert")
        ));
    }
    lines.join("\n") + "\n"
}

/// That it is told of an earlier time, and by what it is judged.
fn then(story: &Story, zone: &TimeZone) -> Vec<String> {
    if !story.past {
        return Vec::new();
    }
    let mut lines = vec![format!(
        "  as it was known {}, judged by today's configuration, name and plan",
        moment(story.now, story.now, zone)
    )];
    lines.extend(
        story
            .thinned
            .then(|| "  of what is older than 8 days, history keeps one reading a day".to_owned()),
    );
    lines
}

/// The heading of a subscription that has a budget of its own.
fn subscription(seen: &CustomerState, assessed: &Assessed) -> Vec<String> {
    let Some(subscription) = &seen.subscription else { return Vec::new() };
    let budget = assessed.budget.as_ref().map_or_else(|| "no budget".to_owned(), in_words);
    let title = format!("Subscription {}", text::clean(&subscription.name));
    vec![
        format!("\n{}", Tone::Strong.paint(title.trim())),
        format!(
            "  id {}: {} of {budget}",
            clean(&subscription.id, 80),
            money(assessed.record.cost, assessed.currency)
        ),
    ]
}

fn who(assessed: &Assessed) -> Vec<String> {
    let (record, profile) = (&assessed.record, &assessed.profile);
    let plan =
        if record.plan == Plan::AzurePlan { "Azure plan" } else { "legacy Azure subscription" };
    let name = text::clean(&record.name);
    let label = profile
        .label
        .as_deref()
        .map(text::clean)
        .filter(|label| !label.is_empty() && *label != name);
    let title = label.clone().unwrap_or_else(|| name.clone());
    let mut lines = vec![
        Tone::Strong.paint(if title.is_empty() { "A customer without a name" } else { &title }),
        format!("  {plan}, id {}", clean(record.customer.as_str(), 80)),
    ];
    lines.extend(label.map(|_| format!("  called \"{name}\" in Partner Center")));
    let listed = |what: &str, words: Vec<String>| {
        (!words.is_empty()).then(|| format!("{what} {}", clean(&words.join(", "), 300)))
    };
    let owned = |names: &[Box<str>]| names.iter().map(ToString::to_string).collect();
    let known = [
        listed("tagged", profile.tags.clone()),
        listed("contacts", profile.contacts.clone()),
        listed("also told to", owned(&profile.notify)),
        listed("muted for", owned(&profile.mute_rules)),
    ];
    lines.extend(known.into_iter().flatten().map(|line| format!("  {line}")));
    lines
}

fn labelled(label: &str, texts: Vec<String>) -> impl Iterator<Item = String> {
    let names = std::iter::once(label.to_owned()).chain(std::iter::repeat(String::new()));
    names.zip(texts).flat_map(|(name, text)| output::labelled(&format!("{name:<7}"), &text))
}

fn told(story: &AlertStory, whole: &Story, zone: &TimeZone) -> Vec<String> {
    let now = whole.now;
    let (snapshot, alert) = (&story.row.snapshot, &story.row.snapshot.alert);
    let telling = AlertWording::new(snapshot, zone);
    let scale = Scale { metric: alert.metric, currency: alert.cost.currency };
    let tone = if alert.severity == Severity::Critical { Tone::Bad } else { Tone::Uneasy };
    let severity = tone.paint(&alert.severity.as_str().to_uppercase());
    let value = alert
        .number()
        .map_or_else(|| "over a budget of zero".to_owned(), |value| scale.step(value));
    let mut lines = vec![format!(
        "  {} {severity} {}, step {}: {value}, {}; {}",
        alert.reference,
        text::clean(&alert.rule),
        scale.step(alert.threshold),
        telling.cost_of_budget(),
        state(alert, &moment(alert.raised_at, now, zone), whole.past)
    )];
    lines.extend(
        alert.subscription.as_deref().map(|id| format!("    of subscription {}", clean(id, 80))),
    );
    lines.extend(
        Acknowledgement::of(&story.row).map(|known| {
            format!("    acknowledged by {}{}", by(&known, now, zone), note(&story.row))
        }),
    );
    lines.extend(
        SpikeMarking::of(&story.row).map(|marking| format!("    {}", marked(&marking, now, zone))),
    );
    if story.deliveries.is_empty() {
        lines.push(
            if whole.past { "    told to nobody by then" } else { "    told to nobody" }.to_owned(),
        );
    }
    lines.extend(story.deliveries.iter().flat_map(|delivery| delivered(delivery, now, zone)));
    lines
}

fn delivered(story: &DeliveryStory, now: Timestamp, zone: &TimeZone) -> Vec<String> {
    let row = &story.row;
    let state = match row.state {
        DeliveryState::Sent => Tone::Good.paint("sent"),
        DeliveryState::Pending if row.held => Tone::Uneasy.paint("held"),
        DeliveryState::Dead if row.held => Tone::Uneasy.paint("discarded"),
        DeliveryState::Pending => Tone::Uneasy.paint("owed"),
        DeliveryState::Dead => Tone::Bad.paint("given up"),
    };
    let digest = match (row.kind, row.alerts.len()) {
        (_, 0 | 1) => String::new(),
        (MessageKind::Raised, several) => {
            format!(", with {}", text::count(several.saturating_sub(1), "other reason"))
        }
        (_, several) => format!(", in a digest of {several}"),
    };
    let id = if row.state == DeliveryState::Sent {
        String::new()
    } else {
        format!("; delivery {}", deliveries::short_id(row.id))
    };
    let what = match row.kind {
        MessageKind::Reminder => "reminder, ",
        MessageKind::Resolved => "that it is over, ",
        MessageKind::Raised
        | MessageKind::Digest
        | MessageKind::Test
        | MessageKind::OperatorRaised
        | MessageKind::OperatorResolved
        | MessageKind::Report => "",
    };
    let mut lines = vec![format!(
        "    {what}{} {state}{digest}{}{id}",
        deliveries::addressee(row),
        waiting(story, now)
    )];
    let shown = |attempt: &AttemptRow| {
        format!(
            "      {} {}: {}",
            moment(attempt.at, now, zone),
            attempt.outcome,
            clean(&attempt.detail, 300)
        )
    };
    let hidden = story.attempts.len().saturating_sub(FIRST_ATTEMPTS + LAST_ATTEMPTS);
    for (index, attempt) in story.attempts.iter().enumerate() {
        if hidden > 0 && index == FIRST_ATTEMPTS {
            lines.push(format!("      … {} more …", text::count(hidden, "attempt")));
        }
        if index < FIRST_ATTEMPTS || index >= FIRST_ATTEMPTS + hidden {
            lines.push(shown(attempt));
        }
    }
    if row.state == DeliveryState::Dead && story.attempts.is_empty() {
        lines.extend(
            row.last_detail.as_deref().map(|detail| format!("      {}", clean(detail, 300))),
        );
    }
    lines
}
