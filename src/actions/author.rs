//! Who asks for something: a user of this system, or somebody at a page. Who may ask is decided by
//! the rights of the socket and of the ledger, and by the guard of the pages.

use std::fmt;

use nix::unistd::{Gid, Group, Uid, User};

use crate::actions::ActionError;
use crate::text::clean;

/// Who asks for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// A user of this system.
    User {
        uid: u32,
        name: Option<String>,
        /// Acts with root's rights, by sudo.
        by_sudo: bool,
    },
    /// Somebody at a page, by what is known of them.
    Page(String),
}

impl Author {
    /// The user with this id; may wait for the system to name it.
    pub fn of(uid: u32) -> Self {
        Self(Kind::User { uid, name: user_name(uid), by_sudo: false })
    }

    /// The user with this id, who acts as root by `sudo`; only root may say so of itself.
    pub fn by_sudo(uid: u32) -> Self {
        Self(Kind::User { uid, name: user_name(uid), by_sudo: uid != 0 })
    }

    /// Somebody at a page who bears the token of `[http]`.
    pub(crate) fn by_token() -> Self {
        Self(Kind::Page("http token".to_owned()))
    }

    /// Somebody at a page who has signed in with an account.
    pub(crate) fn by_account(name: &str) -> Self {
        Self(Kind::Page(clean(name, 100)))
    }

    /// Somebody at a page of whom only the machine is known.
    pub(crate) fn someone_on(host: &str) -> Self {
        Self(Kind::Page(format!("someone on {host}")))
    }

    /// Somebody who acts by a link in a message of a notifier, without signing in.
    pub(crate) fn by_link(notifier: &str) -> Self {
        Self(Kind::Page(format!("the link in {}", clean(notifier, 60))))
    }

    /// Whether this user may change what the daemon does: its configuration, its sign-in. People on
    /// call, who may ask it everything else, may not.
    pub(crate) fn may_administer(&self, what: &str) -> Result<(), ActionError> {
        let daemon = Uid::effective();
        if let Kind::User { uid, by_sudo, .. } = &self.0
            && (*uid == 0 || *by_sudo || *uid == daemon.as_raw())
        {
            return Ok(());
        }
        let own = user_name(daemon.as_raw()).unwrap_or_else(|| format!("uid {daemon}"));
        Err(ActionError::Forbidden(format!(
            "{self} may not {what}: root may (sudo), and {own}, as whom the daemon runs"
        )))
    }
}

/// `alice (uid 1000)`, or `uid 1000` where the system does not name it; `alice (uid 1000) as root`
/// by sudo; `http token`, `anna@partner.example` or `the link in oncall` at a page.
impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::User { uid, name, by_sudo } => {
                match name {
                    Some(name) => write!(f, "{name} (uid {uid})")?,
                    None => write!(f, "uid {uid}")?,
                }
                f.write_str(if *by_sudo { " as root" } else { "" })
            }
            Kind::Page(who) => f.write_str(who),
        }
    }
}

/// The name of a user, as the system has it; asks other machines where it knows users from them.
pub fn user_name(uid: u32) -> Option<String> {
    User::from_uid(Uid::from_raw(uid)).ok().flatten().map(|user| user.name)
}

/// The name of a group, likewise.
pub fn group_name(gid: u32) -> Option<String> {
    Group::from_gid(Gid::from_raw(gid)).ok().flatten().map(|group| group.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_named_as_the_system_names_it() {
        assert_eq!(Author::of(0).to_string(), "root (uid 0)");
        assert_eq!(group_name(0).as_deref(), Some("root"));
        let sudo = Author(Kind::User { uid: 7, name: None, by_sudo: true });
        assert_eq!(sudo.to_string(), "uid 7 as root");
        assert_eq!(Author::someone_on("web1").to_string(), "someone on web1");
        assert!(Author::by_token().may_administer("reload").is_err());
        assert_eq!(Author::by_link("oncall").to_string(), "the link in oncall");
        assert!(Author::by_link("oncall").may_administer("reload").is_err());
    }
}
