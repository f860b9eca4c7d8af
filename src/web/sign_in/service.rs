//! The sign-in that the configuration in force has: its service, where it answers to, and which
//! answers were taken already.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use reqwest::Url;

use crate::clock::Clock;
use crate::entra::{Asked, Person, Provider, SignInFault};
use crate::web::account::Account;
use crate::web::config::Config;
use crate::web::session::Signer;
use crate::web::sign_in::attempt::Attempt;

/// So many answers are remembered; codes are good for one exchange anyway.
const TAKEN: usize = 1000;

/// A sign-in.
pub struct SignIn {
    provider: Provider,
    public_url: Url,
    redirect: Url,
    /// The cookies of attempts that were answered.
    taken: Mutex<VecDeque<String>>,
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn").field("redirect", &self.redirect.as_str()).finish_non_exhaustive()
    }
}

impl SignIn {
    /// The one of a configuration, if it has any; nothing is asked yet.
    pub fn of(config: &Config) -> Option<Arc<Self>> {
        let (sign_in, public_url) = (config.sign_in.clone()?, config.public_url.clone()?);
        let redirect = below(&public_url, &["sign-in", "callback"]);
        let (provider, taken) = (Provider::new(sign_in), Mutex::default());
        Some(Arc::new(Self { provider, public_url, redirect, taken }))
    }

    /// What signs sessions and forms of accounts: a new secret of the application signs all out.
    pub(in crate::web) fn signer(&self) -> Signer {
        Signer::of(&self.provider.settings().client_secret)
    }

    /// Whose session a cookie is.
    pub(in crate::web) fn account(&self, cookie: &str, now: Timestamp) -> Option<Account> {
        Account::of_session(cookie, &self.signer(), now)
    }

    /// Where signing in begins: under the name to which the service answers, so that the browser has
    /// the cookie then.
    pub(in crate::web) fn way_in(&self, to: &str) -> String {
        let mut url = below(&self.public_url, &["sign-in"]);
        url.query_pairs_mut().append_pair("to", to);
        url.into()
    }

    /// Whether browsers come over an encrypted connection.
    pub(super) fn is_encrypted(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// Where the browser goes to for an attempt.
    pub(super) async fn address(
        &self,
        attempt: &Attempt,
        clock: &Arc<dyn Clock>,
    ) -> Result<Url, SignInFault> {
        let words = Words::of(attempt, &self.signer());
        self.provider.address(&words.asked(&self.redirect, clock)).await
    }

    /// Who has signed in by an attempt, for its code.
    pub(super) async fn person(
        &self,
        code: &str,
        attempt: &Attempt,
        clock: &Arc<dyn Clock>,
    ) -> Result<Person, SignInFault> {
        let words = Words::of(attempt, &self.signer());
        self.provider.person(code, &words.asked(&self.redirect, clock)).await
    }

    /// Takes the answer of an attempt; false where that was done before.
    pub(super) fn take(&self, attempt: &Attempt) -> bool {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.iter().any(|known| known == attempt.cookie()) {
            return false;
        }
        if taken.len() >= TAKEN {
            taken.pop_front();
        }
        taken.push_back(attempt.cookie().to_owned());
        true
    }
}

/// What an attempt asks with.
struct Words {
    state: String,
    nonce: String,
    verifier: String,
}

impl Words {
    fn of(attempt: &Attempt, signer: &Signer) -> Self {
        let (state, nonce) = (attempt.state(signer), attempt.nonce(signer));
        Self { state, nonce, verifier: attempt.verifier(signer) }
    }

    fn asked<'a>(&'a self, redirect: &'a Url, clock: &'a Arc<dyn Clock>) -> Asked<'a> {
        let Self { state, nonce, verifier } = self;
        Asked { redirect, state, nonce, verifier, clock }
    }
}

fn below(base: &Url, parts: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(parts);
    }
    url
}
