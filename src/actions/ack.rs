//! Notes that somebody knows of an alert, so that nobody is reminded of it until its next higher
//! step, or takes that back; and so of every alert that a message told with it about the same
//! customer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::actions::{Action, ActionContext, ActionError, Author};
use crate::domain::Alert;
use crate::ledger::{AlertRow, Reader};
use crate::text::clean;

/// Which alerts somebody knows of.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AckRequest {
    /// By id, or by the reference that messages show.
    pub alerts: Vec<String>,
    /// Take it back: reminders go on.
    pub undo: bool,
}

/// Who knows of an alert, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Since when.
    pub at: Timestamp,
    /// Who.
    pub by: String,
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
}

impl Action for AckRequest {
    const NAME: &'static str = "ack";
    type Answer = Vec<Acknowledged>;

    async fn run(
        self,
        context: &ActionContext,
        author: &Author,
    ) -> Result<Vec<Acknowledged>, ActionError> {
        let cycle = context.cycle()?;
        let (now, author) = (cycle.clock.now(), author.to_string());
        let (mut answers, undo) = (Vec::new(), self.undo);
        for AlertRow { snapshot, acknowledged, .. } in
            context.read(move |reader| meant(reader, &self.alerts)).await?
        {
            let alert = snapshot.alert;
            let before = acknowledged.map(|(at, by)| Acknowledgement { at, by });
            let known = if undo {
                cycle.ledger.ordered_by(&author).unacknowledge(alert.id, now).await?;
                None
            } else {
                cycle.ledger.acknowledge(&alert.id.to_string(), &author, now).await?;
                Some(
                    before
                        .clone()
                        .unwrap_or_else(|| Acknowledgement { at: now, by: author.clone() }),
                )
            };
            if known != before {
                let what = if undo {
                    "an acknowledgement is taken back"
                } else {
                    "an alert is acknowledged"
                };
                tracing::info!(%author, alert.r#ref = %alert.reference, rule = alert.rule, "{what}");
            }
            answers.push(Acknowledged { alert, before, now: known });
        }
        // Notifiers that are shown what is open are shown who knows of it.
        context.wake_couriers();
        Ok(answers)
    }
}

/// The alerts that are meant, each once, and those that messages told with them about the same
/// customer; of one that nobody knows, none is touched.
fn meant(reader: &Reader, texts: &[String]) -> Result<Vec<AlertRow>, ActionError> {
    if texts.is_empty() {
        return Err(ActionError::Invalid(
            "name an alert by the reference that its messages show".to_owned(),
        ));
    }
    let mut rows: Vec<AlertRow> = Vec::new();
    for text in texts {
        let row = reader.find_alert(text)?.ok_or_else(|| unknown(text))?;
        let others = reader.told_with(row.snapshot.alert.id)?;
        for row in std::iter::once(row).chain(others) {
            if rows.iter().all(|other| other.snapshot.alert.id != row.snapshot.alert.id) {
                rows.push(row);
            }
        }
    }
    Ok(rows)
}

fn unknown(text: &str) -> ActionError {
    ActionError::Invalid(format!(
        "there is no alert \"{}\": give its id, or the 8 characters that its messages and \
            budget-alertd alerts show as its reference",
        clean(text, 60)
    ))
}
