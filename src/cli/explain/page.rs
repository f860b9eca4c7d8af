//! `explain` for people.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use crate::actions::{Acknowledgement, SpikeMarking};
use crate::alerting::CustomerState;
use crate::budgets::{BudgetOddity, Prefer};
use crate::cli::explain::history;
use crate::cli::output::{self, Tone};
use crate::cli::{ack, text};
use crate::config::Config;
use crate::domain::{
    Alert, AlertState, Assessed, Budget, DeliveryState, MessageKind, PeriodSource, Plan, Route,
    Severity, rounded,
};
use crate::ledger::{AlertRow, AttemptRow};
use crate::listings::story::{AlertStory, DeliveryStory, Story, waiting};
use crate::listings::{Scale, deliveries, rule};
use crate::notify;
use crate::notify::message::AlertWording;
use crate::text::{PeriodWords, clean, moment, money, percent, seconds_between, span};

/// More attempts than these are shown in part.
const FIRST_ATTEMPTS: usize = 2;
const LAST_ATTEMPTS: usize = 6;

/// The whole page.
pub(super) fn page(story: &Story, config: &Config) -> String {
    let (assessed, zone) = (&story.explanation.assessed, &config.time_zone);
    let mut lines = who(assessed);
    lines.extend(then(story, zone));
    lines.push(String::new());
    lines.extend(labelled("Usage", usage(story, zone)));
    lines.extend(labelled("Budget", budget(story, config, zone)));
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

fn usage(story: &Story, zone: &TimeZone) -> Vec<String> {
    let assessed = &story.explanation.assessed;
    let record = &assessed.record;
    let usd = record
        .usd_cost
        .filter(|usd| !usd.is_zero())
        .map(|usd| format!(", {} USD", money(usd, None)))
        .unwrap_or_default();
    let as_of = record.usage_as_of.instant();
    let age = seconds_between(as_of, story.now);
    let age = if age < 0 { "ahead of now".to_owned() } else { format!("{} old", span(age)) };
    let mut lines = vec![
        format!("{}{usd}{}", money(record.cost, assessed.currency), exactly(record.cost)),
        format!(
            "as of {} ({age}), read {}",
            moment(as_of, story.now, zone),
            moment(story.seen.seen_at, story.now, zone)
        ),
    ];
    if assessed.currency.is_none() {
        lines.push(
            "the currency is unknown: legacy records name none, and neither [customers] nor \
            legacy_currency does"
                .to_owned(),
        );
    }
    lines.extend(story.missing_since.map(|since| {
        let missing = Tone::Uneasy.paint("no longer reported");
        format!(
            "{missing}: good polls had no record of it since {}; nothing is concluded from that",
            moment(since, story.now, zone)
        )
    }));
    lines
}

/// All digits, where people are shown fewer.
fn exactly(cost: Decimal) -> String {
    if rounded(cost, 2) == cost && cost.abs() < Decimal::ONE_THOUSAND {
        String::new()
    } else {
        format!("; exactly {cost}")
    }
}

fn budget(story: &Story, config: &Config, zone: &TimeZone) -> Vec<String> {
    let assessed = &story.explanation.assessed;
    let mut lines = vec![match &assessed.budget {
        None => "none, in Partner Center or locally".to_owned(),
        Some(budget) => format!("{}{}", in_words(budget), used(assessed)),
    }];
    lines.extend(assessed.other_budget.as_ref().map(|other| {
        let prefer =
            if config.budgets.prefer == Prefer::Local { "local" } else { "partner-center" };
        format!("{} does not count, since prefer = \"{prefer}\"", in_words(other))
    }));
    lines.extend(story.pushed.as_ref().map(|pushed| {
        let at = moment(pushed.at, story.now, zone);
        let money = money(pushed.amount, Some(pushed.currency));
        format!("{money} pushed on {at}, not yet in the usage data")
    }));
    lines.extend(story.explanation.oddity.map(|oddity| match oddity {
        BudgetOddity::CurrencyClash { local, record } => {
            format!("the local budget is in {local} and the usage in {record}: it is not used")
        }
        BudgetOddity::CurrencyUnknown { local } => {
            format!("the local budget in {local} is held against a cost of unknown currency")
        }
    }));
    lines
}

fn in_words(budget: &Budget) -> String {
    format!("{} from {}", money(budget.amount(), budget.currency()), budget.source().in_words())
}

/// `: 602.84 % used`, both percentages where they disagree.
fn used(assessed: &Assessed) -> String {
    match (assessed.reported_percent(), assessed.computed_percent) {
        (Some(reported), Some(computed)) if assessed.percents_disagree() => {
            let (reported, computed) = (percent(reported), percent(computed));
            format!(
                ": Partner Center reports {reported} used, cost and budget give {computed}; the \
                    larger counts"
            )
        }
        (_, Some(computed)) => format!(": {} used", percent(computed)),
        _ => String::new(),
    }
}

fn period(story: &Story, zone: &TimeZone) -> Vec<String> {
    let assessed = &story.explanation.assessed;
    let period = &assessed.period;
    let how = match (period.source, assessed.record.plan) {
        (PeriodSource::SubscriptionSummary, Plan::AzurePlan) => {
            "the calendar month in UTC, as Partner Center's usage summary confirmed"
        }
        (PeriodSource::SubscriptionSummary, Plan::Legacy) => {
            "as Partner Center's usage summary named it"
        }
        (PeriodSource::CalendarMonth, _) => "the calendar month in UTC, as for every Azure plan",
        (PeriodSource::Assumed, _) if !story.seen.named.is_empty() => {
            "assumed: the last known period, moved by whole months"
        }
        (PeriodSource::Assumed, _) => {
            "assumed: the calendar month, until Partner Center names the true one"
        }
    };
    let mut lines = vec![format!("{}, {how}", PeriodWords::of(period, story.now).days)];
    let end = moment(period.end, story.now, zone);
    lines.push(if period.end <= story.now {
        format!("over since {end}; no newer usage was read")
    } else {
        format!("ends {end}")
    });
    if assessed.carried_over {
        lines.push(
            "the data is dated in the next period, but repeats the cost of this one: taken \
            for late data of it"
                .to_owned(),
        );
    }
    lines
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
    lines.extend(Acknowledgement::of(&story.row).map(|known| {
        format!("    acknowledged by {}{}", ack::by(&known, now, zone), note(&story.row))
    }));
    lines.extend(
        SpikeMarking::of(&story.row)
            .map(|marking| format!("    {}", ack::marked(&marking, now, zone))),
    );
    if story.deliveries.is_empty() {
        lines.push(
            if whole.past { "    told to nobody by then" } else { "    told to nobody" }.to_owned(),
        );
    }
    lines.extend(story.deliveries.iter().flat_map(|delivery| delivered(delivery, now, zone)));
    lines
}

/// What was noted with an acknowledgement, unless it is said of a spike.
fn note(row: &AlertRow) -> String {
    let note = row.note.as_ref().filter(|_| row.marked.is_none());
    note.map(|note| format!(": {}", clean(note, 300))).unwrap_or_default()
}

/// `raised Sat 14 Nov 18:08 CET`; what became of it since, as of today.
fn state(alert: &Alert, raised: &str, past: bool) -> String {
    match (alert.state, past) {
        (AlertState::Raised, _) => format!("raised {raised}"),
        (state, false) => format!("raised {raised}, {}", state.as_str()),
        (state, true) => format!("raised {raised}; today {}", state.as_str()),
    }
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
