//! Runs a command that only reads, for somebody who may ask the daemon and may not open the
//! ledger. Which commands those are, and how they run, is the command line's.

use crate::actions::{Action, ActionContext, ActionError, Author, ReadAnswer, ReadRequest};

impl Action for ReadRequest {
    const NAME: &'static str = "read";
    type Answer = ReadAnswer;

    async fn run(
        self,
        context: &ActionContext,
        author: &Author,
    ) -> Result<ReadAnswer, ActionError> {
        let read = context.daemon.as_ref().and_then(|daemon| daemon.read.clone());
        let read =
            read.ok_or_else(|| ActionError::Unavailable("nothing runs commands here".to_owned()))?;
        tracing::debug!(%author, command = ?self.arguments.first(), "a command reads");
        read(self).await
    }
}
