//! Which application at which sign-in service signs people in.

use reqwest::Url;

use crate::secret::Secret;

/// An application that people sign in to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenIdConfig {
    /// Base of the sign-in service, such as `https://login.microsoftonline.com`.
    pub authority: Url,
    /// The one tenant whose accounts may sign in: its id, or one of its domains.
    pub tenant: String,
    /// The application's id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
}

impl OpenIdConfig {
    /// An address below the tenant.
    pub(super) fn below(&self, parts: &[&str]) -> Url {
        let mut url = self.authority.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(&self.tenant).extend(parts);
        }
        url
    }
}
