//! How results look on a terminal: one line for an alert, counts, a sign that something takes its
//! time.

use std::future::Future;
use std::io::IsTerminal as _;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::clock::SystemClock;
use crate::domain::{Alert, AlertContext, AlertSnapshot, Severity};
use crate::listings::Tone;
pub(super) use crate::listings::words::{
    age, bare, bare_called, called, clean, count, held, named, named_in, or_nothing, short_moment,
    zone_note,
};
use crate::notify::message::AlertWording;
use crate::poll::Namesakes;

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
