//! Ends a silence before its time. Telling what it hid is left to the next poll, which knows what
//! is still true.

use serde::{Deserialize, Serialize};

use crate::actions::{Action, ActionContext, ActionError, Author, SilenceView};
use crate::domain::AlertState;
use crate::domain::{Silence, Silenceable};
use crate::ledger::{AlertFilter, Reader};

/// Which silence to end.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpireRequest {
    /// Its number.
    pub id: i64,
}

/// A silence that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expired {
    /// The silence.
    pub silence: SilenceView,
    /// Whether it was over before.
    pub already: bool,
    /// How many alerts it hid that nothing hides any more.
    pub uncovered: u64,
}

impl Action for ExpireRequest {
    const NAME: &'static str = "silence/expire";
    type Answer = Expired;

    async fn run(self, context: &ActionContext, author: &Author) -> Result<Expired, ActionError> {
        let cycle = context.cycle()?;
        let now = cycle.clock.now();
        let (meant, others): (Vec<_>, Vec<_>) = cycle
            .ledger
            .read(Reader::silences)
            .await?
            .into_iter()
            .partition(|silence| silence.id == self.id);
        let Some(silence) = meant.into_iter().next() else { return Err(unknown(self.id)) };
        if !silence.is_in_force(now) {
            return Ok(Expired { silence: SilenceView::of(&silence), already: true, uncovered: 0 });
        }
        cycle.ledger.ordered_by(&author.to_string()).expire_silence(self.id, now).await?;
        tracing::info!(%author, silence.id = self.id, "a silence is ended");
        let ended = SilenceView::of(&Silence { expired_at: Some(now), ..silence.clone() });
        let others: Vec<Silence> =
            others.into_iter().filter(|other| other.is_in_force(now)).collect();
        let uncovered =
            context.read(move |reader| uncovered(reader, &silence, &others, now)).await?;
        Ok(Expired { silence: ended, already: false, uncovered })
    }
}

/// How many silenced alerts this one covers and no other does, by their values when they were
/// raised.
fn uncovered(
    reader: &Reader,
    silence: &Silence,
    others: &[Silence],
    now: jiff::Timestamp,
) -> Result<u64, ActionError> {
    let hidden = reader
        .alerts(&AlertFilter { state: Some(AlertState::Silenced), ..AlertFilter::default() })?;
    let count = hidden.iter().filter(|row| {
        let asked = Silenceable::of(&row.snapshot.alert);
        silence.covers(&asked, now) && !others.iter().any(|other| other.covers(&asked, now))
    });
    Ok(u64::try_from(count.count()).unwrap_or(u64::MAX))
}

fn unknown(id: i64) -> ActionError {
    ActionError::Invalid(format!("there is no silence {id}: see budget-alertd silence list --all"))
}
