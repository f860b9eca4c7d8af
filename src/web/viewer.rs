//! Who looks at a page, and from where.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};

/// The address at the other end of a connection; none where the system does not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Peer(pub(super) Option<IpAddr>);

impl Peer {
    /// Whether it is on this machine.
    pub(super) fn is_local(self) -> bool {
        self.0.is_some_and(|address| address.to_canonical().is_loopback())
    }
}

/// Who looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Viewer {
    /// Somebody on this machine, where no token is wanted.
    Local,
    /// A program, or a person, that bears the token.
    Bearer,
    /// Somebody who has signed in; with what a form of a page must bring back.
    SignedIn {
        /// Signed.
        form: String,
    },
}

impl Viewer {
    /// What a form of a page must bring back, of somebody who can sign out.
    pub(super) fn form(&self) -> Option<&str> {
        match self {
            Self::SignedIn { form } => Some(form),
            Self::Local | Self::Bearer => None,
        }
    }
}

/// Whether whoever asks reads HTML.
pub(super) fn reads_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.into_iter().any(|value| value.contains("text/html"))
}
