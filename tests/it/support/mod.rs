//! What several tests need.

pub(crate) mod openid;
pub(crate) mod process;
mod schema;
pub(crate) mod server;
pub(crate) mod terminal;
pub(crate) mod world;
mod writes;

pub(crate) use schema::Schema;

/// An HTTP client that is not the product's.
pub(crate) fn client() -> reqwest::ClientBuilder {
    // It takes the cryptography of the process.
    drop(tokio_rustls::rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder()
}
