//! One person's sign-in from its start to the token that is kept: obtain it, and see whether
//! Partner Center takes it. Keeping it is the source's; what each outcome means for the person is
//! told by who asked.

use std::io;

use crate::entra::TokenAnswer;
use crate::secret::Secret;
use crate::source::client::Client;
use crate::source::sign_in::{BrowserPrompt, DevicePrompt, browser, claims, device};
use crate::source::{Place, SourceError};

/// What a person's sign-in brought. Nothing of it is kept yet.
#[derive(Debug)]
pub struct Grant {
    pub(crate) access: Secret,
    refresh: Secret,
    /// The account, such as `robot@contoso.onmicrosoft.com`, where the tokens name it.
    pub account: Option<String>,
    /// Whether it was made with multi-factor authentication, where the tokens tell.
    pub multi_factor: Option<bool>,
}

impl Grant {
    fn of(answer: TokenAnswer) -> Result<Self, SourceError> {
        let Some(refresh) = answer.refresh_token else {
            let reason = "the answer holds no refresh token, so there is nothing to keep; the \
                application must be allowed offline_access";
            return Err(SourceError::Garbled { place: Place::SignIn, reason: reason.into() });
        };
        let tokens = [answer.id_token.as_ref(), Some(&answer.access_token)];
        let account = tokens.iter().flatten().find_map(|token| claims::account(token.expose()));
        let multi_factor = tokens
            .iter()
            .rev()
            .flatten()
            .find_map(|token| claims::was_multi_factor(token.expose()));
        Ok(Self { access: answer.access_token, refresh, account, multi_factor })
    }

    /// The token to keep.
    pub fn into_refresh_token(self) -> Secret {
        self.refresh
    }
}

/// Signs a person in to Partner Center.
pub struct Login<'a> {
    client: &'a Client,
}

impl<'a> Login<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// By a code that the person types into any browser; `show` is called once, with page and code.
    pub async fn by_device_code(
        &self,
        show: impl FnOnce(&DevicePrompt),
    ) -> Result<Grant, SourceError> {
        Grant::of(device::sign_in(self.client.sign_in().application(), show).await?)
    }

    /// By a browser that reaches this machine; `show` is called once, with the page to open.
    pub async fn by_browser(
        &self,
        show: impl FnOnce(&BrowserPrompt),
    ) -> Result<Grant, SourceError> {
        Grant::of(browser::sign_in(self.client.sign_in().application(), show).await?)
    }

    /// Asks Partner Center for usage with this sign-in, and reads no more than the first bytes: MFA
    /// and role are right when it answers.
    pub async fn try_usage(&self, grant: &Grant) -> Result<(), SourceError> {
        self.client.probe(Some(&grant.access)).await
    }

    /// Whether a refresh token can be kept, to know it before a person signs in for nothing.
    pub async fn can_keep(&self) -> io::Result<()> {
        self.client.sign_in().can_keep().await
    }
}
