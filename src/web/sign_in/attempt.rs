//! One attempt to sign in, between leaving for the sign-in service and coming back. All of it lies in
//! a cookie of the browser: nobody can fill the daemon's memory with attempts. State, nonce and
//! verifier are derived from it with the key of the pages, so that the cookie alone gives none away.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::web::address::own_path;
use crate::web::session::Signer;

/// How long signing in may take.
pub(super) const LASTS: SignedDuration = SignedDuration::from_mins(10);
/// The name of its cookie.
pub(super) const COOKIE: &str = "budget-alertd-sign-in";
/// A longer way back is forgotten.
const WAY: usize = 1000;

/// An attempt.
pub(super) struct Attempt {
    /// `SEED.UNTIL.TO`
    cookie: String,
    until: i64,
    to: String,
}

impl Attempt {
    /// A new one, which leads to a page of this server.
    pub(super) fn begin(to: &str, now: Timestamp) -> Self {
        let to = own_path(to);
        let to = if to.len() > WAY { "/" } else { to };
        let until = now.saturating_add(LASTS).map_or(i64::MAX, Timestamp::as_second);
        // Two hold more than 240 bits of chance.
        let seed = [Uuid::new_v4(), Uuid::new_v4()].map(|part| part.simple().to_string()).concat();
        let cookie = format!("{seed}.{until}.{}", URL_SAFE_NO_PAD.encode(to));
        Self { cookie, until, to: to.to_owned() }
    }

    /// The one of a cookie. Whether it is ours is what the state proves.
    pub(super) fn of_cookie(cookie: &str) -> Option<Self> {
        let (_, rest) = cookie.split_once('.')?;
        let (until, to) = rest.split_once('.')?;
        let to = String::from_utf8(URL_SAFE_NO_PAD.decode(to).ok()?).ok()?;
        let (until, to) = (until.parse().ok()?, own_path(&to).to_owned());
        Some(Self { cookie: cookie.to_owned(), until, to })
    }

    /// What the cookie says.
    pub(super) fn cookie(&self) -> &str {
        &self.cookie
    }

    /// Where it leads to.
    pub(super) fn to(&self) -> &str {
        &self.to
    }

    /// What comes back by the address.
    pub(super) fn state(&self, signer: &Signer) -> String {
        signer.proof("state", &self.cookie)
    }

    /// What comes back in the id token.
    pub(super) fn nonce(&self, signer: &Signer) -> String {
        signer.proof("nonce", &self.cookie)
    }

    /// What goes along with the code (43 letters, RFC 7636 section 4.1).
    pub(super) fn verifier(&self, signer: &Signer) -> String {
        signer.proof("verifier", &self.cookie)
    }

    /// Whether a state belongs to it, and its time is not over.
    pub(super) fn is_answered_by(&self, state: &str, signer: &Signer, now: Timestamp) -> bool {
        signer.proves("state", &self.cookie, state) && now.as_second() < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn an_attempt_is_answered_by_its_own_state_in_its_time() {
        let now: Timestamp = "2026-11-14T12:00:00Z".parse().unwrap();
        let signer = Signer::of(&Secret::new("one"));
        let (one, other) = (Attempt::begin("/alerts?a=b", now), Attempt::begin("//evil", now));
        assert_eq!((one.to(), other.to()), ("/alerts?a=b", "/"));
        let back = Attempt::of_cookie(one.cookie()).unwrap();
        assert_eq!(back.to(), "/alerts?a=b");
        assert!(back.is_answered_by(&one.state(&signer), &signer, now));
        assert!(!back.is_answered_by(&one.state(&signer), &signer, now + LASTS));
        assert!(!back.is_answered_by(&other.state(&signer), &signer, now));
        assert!(!back.is_answered_by(&one.nonce(&signer), &signer, now));
        assert_eq!(one.verifier(&signer).len(), 43);
        let longer = one.cookie().replace(&one.until.to_string(), "9999999999");
        let longer = Attempt::of_cookie(&longer).unwrap();
        assert!(!longer.is_answered_by(&one.state(&signer), &signer, now));
        assert!(Attempt::of_cookie("x.y.z").is_none());
    }
}
