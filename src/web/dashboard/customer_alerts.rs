//! The alerts of a customer's billing period, each with every delivery and every attempt.

use uuid::Uuid;

use crate::actions::{Acknowledgement, SpikeMarking};
use crate::domain::{AlertState, DeliveryState, Metric};
use crate::listings::alerts::{by, marked};
use crate::listings::deliveries::{addressee, message, state_word};
use crate::listings::story::{AlertStory, DeliveryStory, Story, waiting};
use crate::listings::story_words::{note, state};
use crate::listings::words;
use crate::notify::message::AlertWording;
use crate::text::{clean, moment};
use crate::web::address;
use crate::web::look::Look;

/// No more attempts are shown of a delivery; its own page has them all.
const MOST: usize = 5;

/// An alert in words.
pub(super) struct AlertLine {
    pub(super) severity: &'static str,
    pub(super) reference: String,
    /// The rule, the step, the value.
    pub(super) what: String,
    /// Where it stands, and who knows of it.
    pub(super) state: Vec<String>,
    pub(super) deliveries: Vec<DeliveryLine>,
    /// Its id, where it is not over.
    pub(super) open: Option<Uuid>,
    pub(super) is_acknowledged: bool,
    /// Its id, where it is about a spike.
    pub(super) spike: Option<Uuid>,
    /// Whether somebody said what the spike was.
    pub(super) is_marked: bool,
}

/// A delivery in words.
pub(super) struct DeliveryLine {
    pub(super) state: &'static str,
    pub(super) what: String,
    pub(super) address: String,
    pub(super) attempts: Vec<String>,
}

/// The alerts of the period, the newest first.
pub(super) fn alert_lines(story: &Story, look: &Look) -> Vec<AlertLine> {
    story.alerts.iter().map(|alert| alert_line(alert, look)).collect()
}

fn alert_line(story: &AlertStory, look: &Look) -> AlertLine {
    let (now, zone) = (look.now, look.zone());
    let (row, alert) = (&story.row, &story.row.snapshot.alert);
    let wording = AlertWording::new(&row.snapshot, zone);
    let value = wording.value_beside_cost().map(|value| format!("{value}, ")).unwrap_or_default();
    let (rule, step) = (words::clean(&alert.rule), wording.on_scale(alert.threshold));
    let raised = state(alert, &moment(alert.raised_at, now, zone), false);
    let known = Acknowledgement::of(row)
        .map(|known| format!("acknowledged by {}{}", by(&known, now, zone), note(row)));
    let marking = SpikeMarking::of(row).map(|marking| marked(&marking, now, zone));
    AlertLine {
        severity: alert.severity.as_str(),
        reference: wording.reference(),
        what: format!("{rule}, step {step}: {value}{}", wording.cost_of_budget()),
        state: [Some(raised), known, marking].into_iter().flatten().collect(),
        deliveries: story.deliveries.iter().map(|one| delivery_line(one, look)).collect(),
        open: matches!(alert.state, AlertState::Raised | AlertState::Silenced).then_some(alert.id),
        is_acknowledged: row.acknowledged.is_some(),
        spike: (alert.metric == Metric::Spike).then_some(alert.id),
        is_marked: row.marked.is_some(),
    }
}

fn delivery_line(story: &DeliveryStory, look: &Look) -> DeliveryLine {
    let row = &story.row;
    let hidden = story.attempts.len().saturating_sub(MOST);
    let attempts = story.attempts.iter().skip(hidden).map(|attempt| {
        let at = words::short_moment(attempt.at, look.now, look.zone());
        format!("{at} {}: {}", attempt.outcome, clean(&attempt.detail, 300))
    });
    let more = (hidden > 0).then(|| format!("{} before", words::count(hidden, "attempt")));
    let given_up = row
        .last_detail
        .as_deref()
        .filter(|_| row.state == DeliveryState::Dead && story.attempts.is_empty());
    let given_up = given_up.map(|why| clean(why, 300));
    DeliveryLine {
        state: state_word(row),
        what: format!("{} to {}{}", message(row), addressee(row), waiting(story, look.now)),
        address: address::delivery(row.id),
        attempts: more.into_iter().chain(attempts).chain(given_up).collect(),
    }
}
