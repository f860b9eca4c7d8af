//! Notes that somebody knows of an alert, so that nobody is reminded of it until its next higher
//! Notes that somebody knows of an alert, so that nobody is reminded of it until its next higher
//! step, and of a spike what it was; or takes that back. So of every alert that a message told with
//! it about the same customer.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use crate::actions::{Action, ActionContext, ActionError, Author};
use crate::domain::spike::{SpikeMark, SpikeNote};
use crate::domain::{Alert, Metric, utc_day};
use crate::ledger::{AlertRow, Reader};
use crate::text::clean;

/// How far ahead spikes may be expected.
const LONGEST_DAYS: i64 = 90;
/// How long a reason may be, in characters.
const REASON_MOST: usize = 500;

/// How many alerts are taken at a time over the network.
const MOST_ALERTS: usize = 1000;

/// Which alerts somebody knows of.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AckRequest {
    /// By id, or by the reference that messages show: each stands for all alerts of its message.
    pub alerts: Vec<String>,
    /// Take it back: reminders go on, and nothing is said of spikes any more.
    pub undo: bool,
    /// What the spikes among them were.
    pub spikes: Option<SpikeMark>,
    /// The last day of the data, in UTC, up to which further spikes are expected.
    pub until: Option<Date>,
    /// Why, for those who wonder later.
    pub reason: Option<String>,
}

/// Who knows of an alert, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Since when.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What was noted.
    pub note: Option<String>,
    /// Whether the spike that it is about was to be expected.
    pub expected: bool,
}

/// What somebody said of the spike that an alert is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpikeMarking {
    /// What it was.
    #[serde(rename = "as")]
    pub mark: SpikeMark,
    /// When that was said.
    pub at: Timestamp,
    /// Who said so.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// The last day of the data, in UTC, up to which further spikes are expected.
    pub until: Option<Date>,
}

/// An alert that somebody knows of, or no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// The alert in its state of now.
    pub alert: Alert,
    /// Who had said so before.
    pub before: Option<Acknowledgement>,
    /// Who says so now.
    pub now: Option<Acknowledgement>,
    /// What was said of its spike before.
    pub marked_before: Option<SpikeMarking>,
    /// What is said of it now.
    pub marked: Option<SpikeMarking>,
}

impl Acknowledgement {
    /// Who knows of an alert.
    pub fn of(row: &AlertRow) -> Option<Self> {
        let (at, by) = row.acknowledged.clone()?;
        let marked = row.marked.as_ref();
        let reason = || marked?.reason.as_ref().map(ToString::to_string);
        Some(Self {
            at,
            by,
            note: row.note.clone().or_else(reason),
            expected: marked.is_some_and(|note| note.mark == SpikeMark::Expected),
        })
    }
}

impl SpikeMarking {
    /// What somebody said of the spike that an alert is about.
    pub fn of(row: &AlertRow) -> Option<Self> {
        row.marked.as_ref().map(|note| Self {
            mark: note.mark,
            at: note.at,
            by: note.by.to_string(),
            reason: note.reason.as_ref().map(ToString::to_string),
            until: note.until,
        })
    }
}

impl Action for AckRequest {
    const NAME: &'static str = "ack";
    type Answer = Vec<Acknowledged>;

    fn over_network(self) -> Result<Self, ActionError> {
        if self.alerts.len() <= MOST_ALERTS {
            return Ok(self);
        }
        Err(ActionError::Invalid(format!("at most {MOST_ALERTS} alerts are taken at a time")))
    }

    async fn run(
        self,
        context: &ActionContext,
        author: &Author,
    ) -> Result<Vec<Acknowledged>, ActionError> {
        let cycle = context.cycle()?;
        let (now, author) = (cycle.clock.now(), author.to_string());
        self.check()?;
        let request = self.clone();
        let before = context.read(move |reader| request.meant(reader, now)).await?;
        let alerts: Vec<_> = before.iter().map(|row| row.snapshot.alert.id).collect();
        if self.undo {
            cycle.ledger.ordered_by(&author).take_back(alerts.clone(), now).await?;
        } else {
            let spikes = self.note(&author, now);
            let (by, reason) = ((author.clone(), now), self.reason());
            cycle.ledger.acknowledge_all(alerts.clone(), by, reason, spikes).await?;
        }
        let find = move |reader: &Reader| {
            let rows = alerts.iter().map(|id| reader.find_alert(&id.to_string()));
            Ok(rows.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        };
        let after: Vec<AlertRow> = context.read(find).await?;
        let answers: Vec<_> =
            before.iter().zip(&after).map(|(before, now)| answer(before, now)).collect();
        for answer in &answers {
            log(answer, &author);
        }
        // Notifiers that are shown what is open are shown who knows of it.
        context.wake_couriers();
        Ok(answers)
    }
}

fn answer(before: &AlertRow, now: &AlertRow) -> Acknowledged {
    Acknowledged {
        alert: now.snapshot.alert.clone(),
        before: Acknowledgement::of(before),
        now: Acknowledgement::of(now),
        marked_before: SpikeMarking::of(before),
        marked: SpikeMarking::of(now),
    }
}

fn log(answer: &Acknowledged, author: &str) {
    let Acknowledged { alert, before, now, marked_before, marked } = answer;
    let what = match (now, marked) {
        _ if before == now && marked_before == marked => return,
        (None, _) => "an acknowledgement is taken back",
        (Some(_), None) => "an alert is acknowledged",
        (Some(_), Some(SpikeMarking { mark: SpikeMark::Expected, .. })) => {
            "a spike is marked as expected"
        }
        (Some(_), Some(SpikeMarking { mark: SpikeMark::Fraud, .. })) => {
            "a spike is marked as fraud"
        }
    };
    tracing::info!(%author, alert.r#ref = %alert.reference, rule = alert.rule, "{what}");
}

impl AckRequest {
    /// What no alert makes sense of.
    fn check(&self) -> Result<(), ActionError> {
        let wrong = |text: &str| Err(ActionError::Invalid(text.to_owned()));
        if self.alerts.is_empty() {
            return wrong("name an alert by the reference that its messages show");
        }
        if self.undo && (self.spikes.is_some() || self.reason.is_some()) {
            return wrong("undo takes back what was said: nothing else can be said with it");
        }
        if self.until.is_some() && self.spikes != Some(SpikeMark::Expected) {
            return wrong("until is for what is expected: name the day with --expected");
        }
        Ok(())
    }

    fn reason(&self) -> Option<String> {
        let reason = clean(self.reason.as_deref()?, REASON_MOST);
        (!reason.trim().is_empty()).then(|| reason.trim().to_owned())
    }

    /// What is said of spikes.
    fn note(&self, author: &str, now: Timestamp) -> Option<SpikeNote> {
        self.spikes.map(|mark| SpikeNote {
            mark,
            by: author.into(),
            at: now,
            reason: self.reason().map(Into::into),
            until: self.until,
        })
    }

    /// The alerts that are meant, each once; of one that nobody knows, none is touched.
    fn meant(&self, reader: &Reader, now: Timestamp) -> Result<Vec<AlertRow>, ActionError> {
        let mut rows: Vec<AlertRow> = Vec::new();
        for text in &self.alerts {
            let named = reader.find_alert(text)?.ok_or_else(|| unknown(text))?;
            let of_run = self.spikes.is_some() || (self.undo && named.marked.is_some());
            let together = reader.alerts_with(named.snapshot.alert.id, of_run)?;
            if self.spikes.is_some() {
                check_spikes(&named, &together, reader)?;
            }
            let is_new = |row: &AlertRow| {
                rows.iter().all(|other| other.snapshot.alert.id != row.snapshot.alert.id)
            };
            let new: Vec<_> = together.into_iter().filter(is_new).collect();
            rows.extend(new);
        }
        self.check_until(reader, now)?;
        Ok(rows)
    }

    /// A day that is over expects nothing, one that is very far away hides what is not meant.
    fn check_until(&self, reader: &Reader, now: Timestamp) -> Result<(), ActionError> {
        let Some(until) = self.until else { return Ok(()) };
        let newest = reader.poll_memory()?.newest.map(utc_day);
        let today = utc_day(now);
        if until < newest.unwrap_or(today) {
            return Err(ActionError::Invalid(format!(
                "{until} is over: there is data of {} already; name a later day, or leave --until \
                    out",
                newest.unwrap_or(today)
            )));
        }
        let last = newest.map_or(today, |newest| newest.max(today));
        let last = last.saturating_add(LONGEST_DAYS.days());
        if until > last {
            return Err(ActionError::Invalid(format!(
                "{until} is too far away: name a day up to {last}, {LONGEST_DAYS} days ahead; what \
                    goes on for 14 days counts as usual anyway"
            )));
        }
        Ok(())
    }
}

/// Refuses to say of alerts what they cannot be: `together` are those of the message of `named`.
fn check_spikes(
    named: &AlertRow,
    together: &[AlertRow],
    reader: &Reader,
) -> Result<(), ActionError> {
    let is_spike = |row: &&AlertRow| row.snapshot.alert.metric == Metric::Spike;
    let (alert, mut spikes) = (&named.snapshot.alert, together.iter().filter(is_spike).peekable());
    if spikes.peek().is_none() {
        return Err(ActionError::Invalid(format!(
            "{} is about {}, not about a spike: --expected and --fraud are for alerts of rules with \
                metric = \"spike\"; ack without them says that somebody knows of it",
            alert.reference,
            alert.metric.as_str()
        )));
    }
    for row in spikes {
        if reader.run_length(row.snapshot.alert.id)? == 0 {
            return Err(ActionError::Invalid(format!(
                "the days of {} are no longer remembered, so that nothing can be said of them",
                row.snapshot.alert.reference
            )));
        }
    }
    Ok(())
}

fn unknown(text: &str) -> ActionError {
    ActionError::Invalid(format!(
        "there is no alert \"{}\": give its id, or the 8 characters that its messages and \
            budget-alertd alerts show as its reference",
        clean(text, 60)
    ))
}
