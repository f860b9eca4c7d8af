//! Where usage is read from.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use crate::entra::TokenStore;
use crate::secret::Secret;

/// The file of the refresh token in the state folder.
const SIGN_IN_FILE: &str = "sign-in.json";

/// The source of usage.
#[derive(Debug, Clone)]
pub enum Config {
    /// Partner Center's REST API.
    PartnerCenter(Box<PartnerCenterConfig>),
    /// One saved collection in the same form.
    File {
        /// The file.
        path: PathBuf,
    },
}

/// How Partner Center is reached.
#[derive(Debug, Clone)]
pub struct PartnerCenterConfig {
    /// Base of the API, without `/v1`.
    pub api_url: Url,
    /// Base of the sign-in, without the tenant.
    pub login_url: Url,
    /// The partner's tenant.
    pub tenant_id: String,
    /// The application.
    pub client_id: String,
    /// Its secret; none for a public client.
    pub client_secret: Option<Secret>,
    /// The first refresh token; later ones are kept in `state_dir`.
    pub refresh_token: Option<Secret>,
    /// One request, end to end.
    pub timeout: Duration,
    /// Where the rotated refresh token is kept.
    pub state_dir: PathBuf,
}

/// Which API tells of Microsoft's security alerts; either is reached by the sign-in of Partner
/// Center.
#[derive(Debug, Clone)]
pub enum SecurityConfig {
    /// Microsoft Graph.
    Graph {
        /// Base of the API, with its version.
        url: Url,
        /// What the token is for.
        scope: String,
        /// Whether Microsoft's own account of how fast alerts are answered is there too.
        has_score: bool,
    },
    /// Partner Center's `fraudEvents`, at the address of its API.
    PartnerCenter,
}

impl PartnerCenterConfig {
    /// Where the newest refresh token is kept.
    pub fn sign_in_file(&self) -> PathBuf {
        self.token_store().path()
    }

    /// Where the refresh token is kept.
    pub(crate) fn token_store(&self) -> TokenStore {
        TokenStore::new(&self.state_dir, SIGN_IN_FILE)
    }

    /// Whether there is a refresh token to sign in with, kept or configured. One that cannot be
    /// read counts: `run` says why.
    pub fn has_sign_in(&self) -> bool {
        self.refresh_token.is_some() || !matches!(self.token_store().load(), Ok(None))
    }
}

/// Why a source cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The HTTP client cannot be made.
    #[error("cannot make an HTTP client")]
    Client(#[from] reqwest::Error),
    /// The address cannot have a path.
    #[error("{0} is no address of an HTTP server")]
    Address(Url),
}
