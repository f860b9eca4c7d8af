//! Asks the daemon to read its configuration again, and answers with what came of it.

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::actions::{Action, ActionContext, ActionError, Author, Reloaded};

/// Asks for a reload.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReloadRequest {}

impl Action for ReloadRequest {
    const NAME: &'static str = "reload";
    type Answer = Reloaded;

    async fn run(self, context: &ActionContext, author: &Author) -> Result<Reloaded, ActionError> {
        author.may_administer("reload the configuration")?;
        let gone = || ActionError::Unavailable("the daemon is stopping".to_owned());
        let daemon = context.daemon.as_ref().ok_or_else(gone)?;
        let (ticket, answer) = oneshot::channel();
        tracing::info!(%author, "a reload is asked for");
        daemon.reloads.send(ticket).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())
    }
}
