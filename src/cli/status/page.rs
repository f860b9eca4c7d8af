//! `status` for people: one line that says it all, then what to do, the notifiers, the customers.

use std::path::PathBuf;

use jiff::tz::TimeZone;

use crate::alerting::CustomerState;
use crate::cli::output::Tone;
use crate::cli::status::{LISTED, State};
use crate::cli::table::{Column, Listing};
use crate::cli::text;
use crate::domain::MetricValue;
use crate::ledger::{OpenFinding, PollResult};
use crate::listings::health::{Health, HealthState};
use crate::listings::notifiers::in_words;
use crate::notify::message::security_in_words;
use crate::text::{PeriodWords, capitalized, clean, moment, money, percent, seconds_between, span};

/// The whole page.
pub(super) fn page(state: &State, health: &Health, zone: &TimeZone) -> String {
    let mut lines = vec![headline(state, health)];
    lines.extend(standby(state));
    if let Some(last) =
        state.polls.last.as_ref().filter(|last| !last.good || !last.errors.is_empty())
    {
        lines.extend(last_poll(last, state));
    }
    if let Some(security) = &state.security {
        lines.push(format!("{}.", capitalized(&security_in_words(security))));
    }
    let changed = state.changed();
    if !state.findings.is_empty() || !changed.is_empty() {
        let nobody = if state.operator || state.findings.is_empty() {
            ""
        } else {
            " (sent to nobody: operator.notify names no notifier)"
        };
        lines.push(format!("\n{}{nobody}", Tone::Strong.paint("To do")));
        lines.extend(not_reloaded(changed));
        lines.extend(state.findings.iter().flat_map(|open| finding(open, state, zone)));
    }
    let data = state.data.lines(state, zone);
    if !data.is_empty() {
        lines.push(format!(
            "\n{}",
            Tone::Strong.paint("What happened to the data in the last 24 h")
        ));
        lines.extend(data);
    }
    lines.push(format!("\n{}", Tone::Strong.paint("Notifiers")));
    lines.extend(notifiers(state, zone));
    lines.push(format!("\n{}", Tone::Strong.paint(&heading(state))));
    lines.extend(customers(state));
    lines.join("\n") + "\n"
}

/// That another host leads, where one does.
fn standby(state: &State) -> Option<String> {
    let daemon = state.daemon.as_ref().filter(|daemon| !daemon.leads)?;
    Some(daemon.leader.as_ref().map_or_else(
        || "This host stands by; no host leads now.".to_owned(),
        |leader| format!("This host stands by; {} leads.", clean(leader, 100)),
    ))
}

/// Files that have changed since the daemon read them.
fn not_reloaded(changed: &[PathBuf]) -> Vec<String> {
    if changed.is_empty() {
        return Vec::new();
    }
    let mut names: Vec<String> =
        changed.iter().take(5).map(|path| clean(&path.display().to_string(), 200)).collect();
    if changed.len() > names.len() {
        names.push(format!("{} more", changed.len().saturating_sub(names.len())));
    }
    vec![
        format!("  {}", Tone::Uneasy.paint("not-reloaded")),
        format!("    changed since the daemon read it: {}", names.join(", ")),
        "    → systemctl reload budget-alertd; after a change to a credential that LoadCredential= \
            hands over, systemctl restart budget-alertd"
            .to_owned(),
    ]
}

/// `ok: last good poll 12 min ago, 2,500 records, newest data 4 h 33 min old; 0 owed, 0 given up`.
fn headline(state: &State, health: &Health) -> String {
    let word = match health.state {
        HealthState::Ok => Tone::Good.paint("ok"),
        HealthState::Degraded => Tone::Uneasy.paint("DEGRADED"),
        HealthState::Failing => Tone::Bad.paint("FAILING"),
    };
    let why = if health.causes.is_empty() { String::new() } else { format!(" ({})", health.why()) };
    let poll = state.polls.last_good.as_ref().map(|good| {
        let newest = good
            .newest
            .map(|newest| format!(", newest data {} old", age(newest, state)))
            .unwrap_or_default();
        format!(
            "last good poll {} ago, {}{newest}; ",
            age(good.at, state),
            text::count(good.records, "record")
        )
    });
    let (owed, held, dead) = (state.pending(), text::held(state.held()), state.dead());
    let silences = if state.silences > 0 {
        format!("; {} in force", text::count(state.silences, "silence"))
    } else {
        String::new()
    };
    format!(
        "{word}{why}: {}{owed} owed{held}, {dead} given up{silences}{}",
        poll.unwrap_or_default(),
        state.data.in_short()
    )
}

fn age(at: jiff::Timestamp, state: &State) -> String {
    text::age(at, state.now)
}

fn last_poll(last: &PollResult, state: &State) -> Vec<String> {
    let how = if last.good { "was good, but" } else { "failed" };
    let mut lines = vec![format!("The last poll, {} ago, {how}:", age(last.at, state))];
    lines.extend(last.errors.iter().map(|error| format!("  ! {}", clean(error, 1000))));
    lines
}

fn finding(open: &OpenFinding, state: &State, zone: &TimeZone) -> Vec<String> {
    let finding = &open.finding;
    let subject = if finding.subject.is_empty() {
        String::new()
    } else {
        format!(" {}", text::clean(&finding.subject))
    };
    let told = match (open.told, state.operator) {
        (true, _) => ", told",
        (false, true) if state.by_message => ", not told yet",
        (false, true) => ", shown",
        (false, false) => "",
    };
    let since =
        format!("since {} ({}){told}", moment(open.since, state.now, zone), age(open.since, state));
    vec![
        format!("  {}{subject} {since}", Tone::Uneasy.paint(finding.code.as_str())),
        format!("    {}", clean(&finding.summary, 1000)),
        format!("    → {}", clean(&finding.action, 1000)),
    ]
}

fn notifiers(state: &State, zone: &TimeZone) -> Vec<String> {
    let mut listing = Listing::new(&[
        Column::Whole("NAME"),
        Column::Right("OWED"),
        Column::Right("OLDEST"),
        Column::Right("GIVEN UP"),
        Column::Left("STATE"),
    ]);
    for notifier in &state.notifiers {
        listing.add(vec![
            text::clean(&notifier.name),
            notifier.owed.pending.to_string(),
            notifier
                .owed
                .oldest
                .map(|oldest| span(seconds_between(oldest, state.now)))
                .unwrap_or_default(),
            notifier.owed.dead.to_string(),
            in_words(notifier, state.now, zone),
        ]);
    }
    listing.lines(2)
}

fn heading(state: &State) -> String {
    if state.more_customers {
        format!("Customers, the {LISTED} worst (--all lists all)")
    } else {
        "Customers, worst first".to_owned()
    }
}

fn customers(state: &State) -> Vec<String> {
    if state.customers.is_empty() {
        return vec!["  none was read yet".to_owned()];
    }
    let mut listing = Listing::new(&[
        Column::Left("CUSTOMER"),
        Column::Right("USED"),
        Column::Right("COST"),
        Column::Right("BUDGET"),
        Column::Right("DATA"),
        Column::Whole("PERIOD"),
    ]);
    for seen in &state.customers {
        listing.add(customer(seen, state));
    }
    listing.lines(2)
}

fn customer(seen: &CustomerState, state: &State) -> Vec<String> {
    let used = match seen.percent_used() {
        Some(MetricValue::Number(used)) => percent(used),
        Some(MetricValue::OverZero) => "over 0".to_owned(),
        None => String::new(),
    };
    let as_of = seen.usage_as_of.instant();
    let data =
        if as_of > state.now { "ahead".to_owned() } else { format!("{} old", age(as_of, state)) };
    let over = if seen.period.end <= state.now { " (over)" } else { "" };
    vec![
        text::called(seen, &state.namesakes),
        used,
        money(seen.cost, seen.currency),
        seen.budget.map_or_else(|| "none".to_owned(), |budget| money(budget, seen.currency)),
        data,
        format!("{}{over}", PeriodWords::of(&seen.period, state.now).days),
    ]
}
