//! Who has signed in: a time, signed with a key that only the token of `[http]` gives. Nothing of
//! it is kept, so that a restart signs nobody out, and a new token everybody.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use crate::secret::Secret;
use crate::text::sha256;

/// How long somebody stays signed in.
pub(super) const SESSION: SignedDuration = SignedDuration::from_hours(12);
/// How long a form may be sent after its page was shown.
const FORM: SignedDuration = SignedDuration::from_hours(12);

/// What is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signed {
    /// A session.
    Session,
    /// A form of a page, for those who may act.
    Form,
    /// The form to sign out by, which those get too who may look only.
    Out,
    /// The form to sign in by, which everybody gets.
    Login,
}

impl Signed {
    fn word(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Form => "form",
            Self::Out => "out",
            Self::Login => "login",
        }
    }

    fn lasts(self) -> SignedDuration {
        match self {
            Self::Session => SESSION,
            Self::Form | Self::Out | Self::Login => FORM,
        }
    }
}

/// Signs, and knows what it has signed.
pub(super) struct Signer(hmac::Key);

impl Signer {
    /// With the key that a token gives.
    pub(super) fn of(token: &Secret) -> Self {
        let seed = sha256(format!("budget-alertd pages\0{}", token.expose()));
        Self(hmac::Key::new(hmac::HMAC_SHA256, seed.as_slice()))
    }

    /// With a key that nobody else has, and that ends with this process.
    pub(super) fn random() -> Self {
        let seed = Uuid::new_v4().into_bytes();
        let more = Uuid::new_v4().into_bytes();
        let seed = sha256([seed, more].concat());
        Self(hmac::Key::new(hmac::HMAC_SHA256, seed.as_slice()))
    }

    /// Signs something that holds from now on for its time.
    pub(super) fn sign(&self, what: Signed, now: Timestamp) -> String {
        let until = now.saturating_add(what.lasts()).map_or(i64::MAX, Timestamp::as_second);
        let tag = hmac::sign(&self.0, signed_text(what, until).as_bytes());
        format!("{until}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
    }

    /// Proves that a text was written here, for one purpose.
    pub(super) fn proof(&self, purpose: &str, text: &str) -> String {
        let tag = hmac::sign(&self.0, format!("{purpose}\0{text}").as_bytes());
        URL_SAFE_NO_PAD.encode(tag.as_ref())
    }

    /// Whether that is its proof.
    pub(super) fn proves(&self, purpose: &str, text: &str, proof: &str) -> bool {
        let Ok(tag) = URL_SAFE_NO_PAD.decode(proof) else { return false };
        hmac::verify(&self.0, format!("{purpose}\0{text}").as_bytes(), &tag).is_ok()
    }

    /// Whether it was signed here and holds still.
    pub(super) fn holds(&self, what: Signed, text: &str, now: Timestamp) -> bool {
        let Some((until, tag)) = text.split_once('.') else { return false };
        let (Ok(until), Ok(tag)) = (until.parse::<i64>(), URL_SAFE_NO_PAD.decode(tag)) else {
            return false;
        };
        // In constant time, as ring compares.
        let genuine = hmac::verify(&self.0, signed_text(what, until).as_bytes(), &tag).is_ok();
        genuine && now.as_second() < until
    }
}

fn signed_text(what: Signed, until: i64) -> String {
    format!("{} {until}", what.word())
}

/// Whether it is the token. Compared by hash in constant time, so that neither content nor length
/// shows in how long it takes.
pub(super) fn is_token(given: &str, token: &Secret) -> bool {
    sha256(given).as_slice().ct_eq(&sha256(token.expose())).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_holds_for_its_time_its_token_and_nothing_else() {
        let now: Timestamp = "2026-11-14T12:00:00Z".parse().unwrap();
        let later = |hours| now + SignedDuration::from_hours(hours);
        let signer = Signer::of(&Secret::new("one"));
        let session = signer.sign(Signed::Session, now);
        assert!(signer.holds(Signed::Session, &session, later(11)));
        assert!(!signer.holds(Signed::Session, &session, later(12)));
        assert!(!signer.holds(Signed::Form, &session, now));
        assert!(!Signer::of(&Secret::new("two")).holds(Signed::Session, &session, now));
        let (until, tag) = session.split_once('.').unwrap();
        let longer = format!("{}.{tag}", until.parse::<i64>().unwrap() + 1);
        assert!(!signer.holds(Signed::Session, &longer, now));
        for text in ["", ".", "x.y", "9999999999."] {
            assert!(!signer.holds(Signed::Session, text, now), "{text}");
        }
    }
}
