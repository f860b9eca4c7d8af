//! Where the HTTP server listens.

use std::net::SocketAddr;

use reqwest::Url;

use crate::entra::OpenIdConfig;
use crate::secret::Secret;
use crate::web::certificate::OwnCertificate;

/// The HTTP server.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address and port.
    pub listen: SocketAddr,
    /// The bearer token; present whenever the address is not loopback.
    pub token: Option<Secret>,
    /// Whether `/metrics/customers` is served.
    pub customer_metrics: bool,
    /// Whether this machine may act on the pages without a token.
    pub local_actions: bool,
    /// Where people reach the pages, for links in messages; a scheme, a host and a port.
    pub public_url: Option<Url>,
    /// What connections are encrypted with.
    pub certificate: Option<OwnCertificate>,
    /// Where people sign in with accounts of their own.
    pub sign_in: Option<OpenIdConfig>,
}
