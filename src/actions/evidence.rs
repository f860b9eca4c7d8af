//! Notes that somebody has gathered the evidence of an incident: nobody is reminded any more to ask
//! for a credit. Gathering it is the command's.

use serde::{Deserialize, Serialize};

use crate::actions::{Action, ActionContext, ActionError, Author, Incident};

/// Of which incident evidence was gathered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceRequest {
    /// An alert of it, by its reference or id, or a security alert by Microsoft's id.
    pub incident: String,
}

/// What was noted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceNoted {
    /// Whether it is marked as fraud, so that somebody would have been reminded.
    pub fraud: bool,
}

impl Action for EvidenceRequest {
    const NAME: &'static str = "evidence";
    type Answer = EvidenceNoted;

    async fn run(
        self,
        context: &ActionContext,
        author: &Author,
    ) -> Result<EvidenceNoted, ActionError> {
        let (cycle, author) = (context.cycle()?, author.to_string());
        let incident = context.read(move |reader| Incident::find(reader, &self.incident)).await?;
        let (fraud, about) = (incident.misuse.is_fraud(), incident.chained());
        tracing::info!(%author, incident.r#ref = incident.reference(), "evidence is gathered");
        let (ledger, now) = (cycle.ledger.ordered_by(&author), cycle.clock.now());
        ledger.note_evidence(incident.misuse, about, now).await?;
        Ok(EvidenceNoted { fraud })
    }
}
