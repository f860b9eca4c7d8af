//! How results look on a terminal: one line for an alert, counts, a sign that something takes its
//! time.

use std::fmt::Display;
use std::future::Future;
use std::io::IsTerminal as _;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::alerting::CustomerState;
use crate::cli::output::Tone;
use crate::clock::SystemClock;
use crate::domain::{Alert, AlertContext, AlertSnapshot, Severity};
use crate::notify::message::AlertWording;
use crate::poll::{Named, Namesakes};
use crate::text::{Name, seconds_between, span};

/// How much of a name a listing shows.
const WIDEST_NAME: usize = 60;

/// `1 new alert`, `2 new alerts`, `3 deliveries`.
pub(super) fn count<N: Copy + Display + From<u8> + PartialEq>(number: N, noun: &str) -> String {
    match noun.strip_suffix('y') {
        _ if number == N::from(1) => format!("{number} {noun}"),
        Some(stem) => format!("{number} {stem}ies"),
        None => format!("{number} {noun}s"),
    }
}

/// ` (3 held: budget-alertd deliveries release)`; nothing where nothing is held.
pub(super) fn held(held: u64) -> String {
    if held == 0 {
        String::new()
    } else {
        format!(" ({held} held: budget-alertd deliveries release)")
    }
}

/// A name from outside, safe for a terminal, at most 60 characters.
pub(super) fn clean(text: &str) -> String {
    crate::text::clean(text, 60)
}

/// The same for programs, which compare it.
pub(super) fn bare(text: &str) -> String {
    crate::text::bare(text, 60)
}

/// What listings call a customer, whatever it is called by, with its id where another one reads the
/// same.
pub(super) fn called(seen: &CustomerState, namesakes: &Namesakes) -> String {
    let names = [seen.label.as_deref().unwrap_or_default(), &*seen.name, seen.customer.as_str()];
    let name = Name::among(
        &names,
        seen.customer.as_str(),
        namesakes.has(seen.label.as_deref(), &seen.name),
    );
    match &seen.subscription {
        Some(subscription) => name
            .within(&clean(if subscription.name.is_empty() {
                &subscription.id
            } else {
                &subscription.name
            }))
            .cut(WIDEST_NAME),
        None => name.cut(WIDEST_NAME),
    }
}

/// The same for programs, which have its id beside it.
pub(super) fn bare_called(seen: &CustomerState) -> String {
    let names = [seen.label.as_deref().unwrap_or_default(), &*seen.name, seen.customer.as_str()];
    let name = names.into_iter().map(bare).find(|name| !name.is_empty()).unwrap_or_default();
    match &seen.subscription {
        Some(subscription) => {
            format!(
                "{name} / {}",
                bare(if subscription.name.is_empty() {
                    &subscription.id
                } else {
                    &subscription.name
                })
            )
        }
        None => name,
    }
}

/// A customer as [`Namesakes`] are looked for.
pub(super) fn named(seen: &CustomerState) -> Named<'_> {
    (seen.label.as_deref(), &seen.name, seen.customer.key())
}

/// The same of those that alerts are about.
pub(super) fn named_in<'a>(
    alerts: impl IntoIterator<Item = &'a Alert>,
) -> impl Iterator<Item = Named<'a>> {
    alerts.into_iter().map(|alert| {
        (alert.customer.label.as_deref(), &*alert.customer.name, alert.customer.id.key())
    })
}

/// The value as text, or nothing.
pub(super) fn or_nothing(value: Option<impl Display>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A moment in a column: `14 Nov 18:08`, with the year where it is not this one; the zone is said
/// by [`zone_note`].
pub(super) fn short_moment(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    at.strftime(if at.year() == now.year() { "%-d %b %H:%M" } else { "%-d %b %Y %H:%M" })
        .to_string()
}

/// Which zone the times of a listing are in.
pub(super) fn zone_note(zone: &TimeZone) -> String {
    format!("Times in {}.", zone.iana_name().unwrap_or("UTC"))
}

/// How long ago, in words: `12 min`, `less than a minute`.
pub(super) fn age(at: Timestamp, now: Timestamp) -> String {
    let seconds = seconds_between(at, now);
    if seconds < 60 { "less than a minute".to_owned() } else { span(seconds) }
}

/// In how much time, in words: `in 4 min`, `within a minute`.
pub(super) fn until(at: Timestamp, now: Timestamp) -> String {
    let seconds = seconds_between(now, at);
    if seconds < 60 { "within a minute".to_owned() } else { format!("in {}", span(seconds)) }
}

/// One alert on one line: how bad, who, how much, by which rule, and its reference.
pub(super) fn alert_line(alert: &Alert, namesakes: &Namesakes) -> String {
    format!("{} {}", unraised_line(alert, namesakes), alert.reference)
}

/// The same for an alert that is not raised: it has no reference that anybody could use.
pub(super) fn unraised_line(alert: &Alert, namesakes: &Namesakes) -> String {
    // The context is for messages; nothing else of it is on the line.
    let context = AlertContext {
        has_namesake: namesakes.has_view(&alert.customer),
        ..AlertContext::default()
    };
    let (snapshot, zone) = (AlertSnapshot { alert: alert.clone(), context }, TimeZone::UTC);
    let telling = AlertWording::new(&snapshot, &zone);
    let value = match alert.number() {
        None => "over a budget of zero, ".to_owned(),
        Some(_) => {
            telling.value_beside_cost().map(|value| format!("{value}, ")).unwrap_or_default()
        }
    };
    let severity = format!("{:<8}", alert.severity.as_str().to_uppercase());
    let tone = match alert.severity {
        Severity::Critical => Tone::Bad,
        Severity::Warning => Tone::Uneasy,
        Severity::Info => Tone::Good,
    };
    let step = format!("rule {}, step {}", clean(&alert.rule), telling.on_scale(alert.threshold));
    format!(
        "{} {}: {value}{} ({step})",
        tone.paint(&severity),
        telling.who,
        telling.cost_of_budget()
    )
}

/// Shows on a terminal how far something has come that takes longer than a second.
pub(super) struct Counting {
    what: &'static str,
    started: Duration,
    count: u64,
    bar: Option<indicatif::ProgressBar>,
}

impl Counting {
    /// Begins at zero.
    pub(super) fn new(what: &'static str) -> Self {
        Self { what, started: SystemClock::shared().monotonic(), count: 0, bar: None }
    }

    /// One more is done.
    pub(super) fn tick(&mut self) {
        self.count += 1;
        if self.count.is_multiple_of(1000) && std::io::stderr().is_terminal() {
            let late = SystemClock::shared().monotonic().saturating_sub(self.started)
                >= Duration::from_secs(1);
            let bar = if late {
                self.bar.get_or_insert_with(indicatif::ProgressBar::new_spinner)
            } else {
                return;
            };
            bar.set_message(format!("{} {}", self.count, self.what));
            bar.tick();
        }
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.bar.iter().for_each(indicatif::ProgressBar::finish_and_clear);
    }
}

/// Shows a spinner on a terminal while something takes longer than a second.
pub(super) async fn while_waiting<T>(what: &'static str, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    if !std::io::stderr().is_terminal() {
        return work.await;
    }
    tokio::select! {
        done = &mut work => return done,
        () = tokio::time::sleep(Duration::from_secs(1)) => {}
    }
    let spinner = indicatif::ProgressBar::new_spinner().with_message(what);
    spinner.enable_steady_tick(Duration::from_millis(120));
    let done = work.await;
    spinner.finish_and_clear();
    done
}
