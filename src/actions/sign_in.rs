//! Keeps the refresh token of a sign-in that a person has just made, where the running source uses
//! it. Making the sign-in is left to who asks.

use std::fmt;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::actions::{Action, ActionContext, ActionError, Author, PollTicket};
use crate::secret::Secret;

/// A refresh token to keep.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignInRequest {
    refresh_token: String,
}

impl SignInRequest {
    /// This token is to be kept.
    pub fn new(refresh_token: &Secret) -> Self {
        Self { refresh_token: refresh_token.expose().to_owned() }
    }
}

impl fmt::Debug for SignInRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignInRequest(***)")
    }
}

/// The token is on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInKept {
    /// Whether a daemon was asked to poll with it at once; otherwise the next poll uses it.
    pub polls: bool,
}

impl Action for SignInRequest {
    const NAME: &'static str = "sign-in";
    type Answer = SignInKept;

    async fn run(
        self,
        context: &ActionContext,
        author: &Author,
    ) -> Result<SignInKept, ActionError> {
        author.may_administer("keep a sign-in")?;
        let token = Secret::new(self.refresh_token);
        if token.expose().trim().is_empty() {
            return Err(ActionError::Invalid("the refresh token is empty".to_owned()));
        }
        let kept = context.cycle()?.source.keep_sign_in(token).await;
        if !kept.map_err(|source| ActionError::Unsaved { what: "the sign-in", source })? {
            return Err(ActionError::Invalid(
                "the source is a file, which wants no sign-in".to_owned(),
            ));
        }
        tracing::info!(%author, "a new sign-in is kept");
        let Some(daemon) = &context.daemon else { return Ok(SignInKept { polls: false }) };
        // Usage may not have been read for days. Nobody waits for this poll; one under way may have
        // failed by the old sign-in.
        let (answer, _nobody) = oneshot::channel();
        let asked = daemon.polls.try_send(PollTicket { accept_empty: false, fresh: true, answer });
        Ok(SignInKept { polls: asked.is_ok() })
    }
}
