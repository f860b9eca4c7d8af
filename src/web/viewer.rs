//! Who looks at a page, and from where.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderMap, header};
use jiff::Timestamp;

use crate::actions::Author;
use crate::text::clean;
use crate::web::account::Account;
use crate::web::session::{Signed, Signer};

/// Why there is no acting where nobody can sign in.
const NOBODY_ACTS: &str = "Nobody may act here without signing in: set [http] token or \
    [http.sign_in], or local_actions = true.";

/// Why an account does not act.
pub(super) const ONLY_LOOKS: &str =
    "This account may look, but not act: that takes the app role operator or admin.";

/// The address at the other end of a connection; none where the system does not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Peer(pub(super) Option<IpAddr>);

impl Peer {
    /// Whether it is on this machine.
    pub(super) fn is_local(self) -> bool {
        self.0.is_some_and(|address| address.to_canonical().is_loopback())
    }
}

/// By what somebody is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KnownBy {
    /// Being on this machine, where no token is wanted.
    Machine,
    /// Bearing the token.
    Token,
    /// Having signed in with it.
    Session,
    /// Having signed in with an account.
    Account(Account),
}

/// Who looks.
#[derive(Clone)]
pub(super) struct Viewer {
    known_by: KnownBy,
    /// What signs forms; none where nobody may act or sign out.
    forms: Option<Arc<Signer>>,
    now: Timestamp,
}

impl Viewer {
    /// Somebody who may act if there is something that signs forms.
    pub(super) fn new(known_by: KnownBy, forms: Option<Arc<Signer>>, now: Timestamp) -> Self {
        Self { known_by, forms, now }
    }

    /// Who sends a request, as the guard has found; somebody who may not act where there is none.
    pub(super) fn of(request: &Request) -> Self {
        let found = request.extensions().get().cloned();
        found.unwrap_or_else(|| Self::new(KnownBy::Machine, None, Timestamp::UNIX_EPOCH))
    }

    /// What the form for signing out must bring back; none where there is no session.
    pub(super) fn sign_out(&self) -> Option<String> {
        let has_session = matches!(self.known_by, KnownBy::Session | KnownBy::Account(_));
        let signer = self.forms.as_ref().filter(|_| has_session);
        signer.map(|signer| signer.sign(Signed::Out, self.now))
    }

    /// What a form of a page must bring back; none where nobody may act.
    pub(super) fn form(&self) -> Option<String> {
        self.acting().map(|signer| signer.sign(Signed::Form, self.now))
    }

    /// Whether a form of somebody who may act brings back what a page gave it.
    pub(super) fn knows_form(&self, form: &str) -> bool {
        self.acting().is_some_and(|signer| signer.holds(Signed::Form, form, self.now))
    }

    /// That it may act; else why not.
    pub(super) fn check_acts(&self) -> Result<(), &'static str> {
        match self.acting() {
            Some(_) => Ok(()),
            None if self.account().is_some() => Err(ONLY_LOOKS),
            None => Err(NOBODY_ACTS),
        }
    }

    /// Whether it bears the token with each request, which no browser does by itself.
    pub(super) fn bears_token(&self) -> bool {
        self.known_by == KnownBy::Token
    }

    fn acting(&self) -> Option<&Signer> {
        let may_act = self.account().is_none_or(Account::may_act);
        self.forms.as_deref().filter(|_| may_act)
    }

    /// As whom it acts.
    pub(super) fn author(&self) -> Author {
        match &self.known_by {
            KnownBy::Machine => {
                let system = rustix::system::uname();
                Author::someone_on(&clean(&system.nodename().to_string_lossy(), 100))
            }
            KnownBy::Token | KnownBy::Session => Author::by_token(),
            KnownBy::Account(account) => Author::by_account(account.name()),
        }
    }

    /// The account, where there is one.
    pub(super) fn account(&self) -> Option<&Account> {
        match &self.known_by {
            KnownBy::Account(account) => Some(account),
            KnownBy::Machine | KnownBy::Token | KnownBy::Session => None,
        }
    }
}

/// Whether whoever asks reads HTML.
pub(super) fn reads_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.into_iter().any(|value| value.contains("text/html"))
}
