//! An account that has signed in: its name, for the record, and what it may do.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use strum::{EnumString, IntoStaticStr};

use crate::entra::Person;
use crate::web::session::{SESSION, Signer};

/// What proofs of sessions are for.
const PURPOSE: &str = "account";

/// What an account may do; the last may most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub(super) enum Role {
    /// Look.
    Reader,
    /// Act as well, as people on call do.
    Operator,
    /// The same: what changes the daemon itself is not ordered over HTTP.
    Admin,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    name: String,
    role: Role,
}

/// `anna@partner.example (operator)`.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let role: &str = self.role.into();
        write!(f, "{} ({role})", self.name)
    }
}

impl Account {
    /// Of a person who has signed in, by the highest role; none where there is no role that counts.
    pub(super) fn of(person: &Person) -> Option<Self> {
        let role = person.roles.iter().filter_map(|role| role.parse().ok()).max()?;
        Some(Self { name: person.name.clone(), role })
    }

    /// As whom it is recorded.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it may do more than look.
    pub(super) fn may_act(&self) -> bool {
        self.role >= Role::Operator
    }

    /// What the cookie of its session says, from now on for its time.
    pub(super) fn session(&self, signer: &Signer, now: Timestamp) -> String {
        let until = now.saturating_add(SESSION).map_or(i64::MAX, Timestamp::as_second);
        let role: &str = self.role.into();
        let said = format!("{until}.{role}.{}", URL_SAFE_NO_PAD.encode(&self.name));
        let proof = signer.proof(PURPOSE, &said);
        format!("{said}.{proof}")
    }

    /// Whose session a cookie is, if it holds still.
    pub(super) fn of_session(cookie: &str, signer: &Signer, now: Timestamp) -> Option<Self> {
        let (said, proof) = cookie.rsplit_once('.')?;
        if !signer.proves(PURPOSE, said, proof) {
            return None;
        }
        let (until, rest) = said.split_once('.')?;
        let (role, name) = rest.split_once('.')?;
        let holds = now.as_second() < until.parse::<i64>().ok()?;
        let name = String::from_utf8(URL_SAFE_NO_PAD.decode(name).ok()?).ok()?;
        holds.then_some(Self { name, role: role.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::secret::Secret;

    fn account(roles: &[&str]) -> Option<Account> {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        Account::of(&Person { name: "Åsa (IT).x".to_owned(), roles })
    }

    #[test]
    fn the_highest_role_counts_and_unknown_ones_do_not() {
        assert_eq!(
            account(&["reader", "x", "operator"]).unwrap().to_string(),
            "Åsa (IT).x (operator)"
        );
        assert_eq!(account(&["admin", "reader"]).unwrap().role, Role::Admin);
        assert!(!account(&["reader"]).unwrap().may_act());
        assert_eq!((account(&[]), account(&["Global Administrator", "Admin"])), (None, None));
    }

    #[test]
    fn a_session_says_who_it_is_for_its_time_and_cannot_be_changed() {
        let now: Timestamp = "2026-11-14T12:00:00Z".parse().unwrap();
        let later = |hours| now + SignedDuration::from_hours(hours);
        let signer = Signer::of(&Secret::new("one"));
        let reader = account(&["reader"]).unwrap();
        let session = reader.session(&signer, now);
        let read = |text: &str, at| Account::of_session(text, &signer, at);
        assert_eq!(read(&session, later(11)), Some(reader));
        assert_eq!(read(&session, later(12)), None);
        assert_eq!(read(&session.replace("reader", "admin"), now), None);
        let other = Signer::of(&Secret::new("two"));
        assert_eq!(Account::of_session(&session, &other, now), None);
        for text in ["", ".", "...", "9999999999.admin.eA."] {
            assert_eq!(read(text, now), None, "{text}");
        }
    }
}
