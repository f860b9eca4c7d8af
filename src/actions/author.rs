//! Who asks for something: a user of this system. Who may ask is decided by the rights of the
//! socket and of the ledger.

use std::fmt;
use std::path::Path;

use crate::fs;

/// The list of users.
const USERS: &str = "/etc/passwd";
/// The most bytes that a list may have.
const MOST: u64 = 64 << 20;

/// Who asks for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    uid: u32,
    name: Option<String>,
}

impl Author {
    /// The user with this id.
    pub fn of(uid: u32) -> Self {
        Self { uid, name: name_of(USERS, uid) }
    }
}

/// `alice (uid 1000)`, or `uid 1000` where the system does not name it.
impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} (uid {})", self.uid),
            None => write!(f, "uid {}", self.uid),
        }
    }
}

/// The name of an id in a list like `/etc/passwd` or `/etc/group`, where both stand in the same
/// columns.
pub fn name_of(list: &str, id: u32) -> Option<String> {
    let text = fs::read(Path::new(list), MOST).ok()?;
    named(&String::from_utf8_lossy(&text), id)
}

fn named(text: &str, id: u32) -> Option<String> {
    let name_and_id = |line: &str| {
        let mut columns = line.split(':');
        Some((columns.next()?.to_owned(), columns.nth(1)?.parse::<u32>().ok()?))
    };
    let found =
        text.lines().filter_map(name_and_id).find(|(name, found)| *found == id && !name.is_empty());
    found.map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_named_as_the_system_names_it() {
        let users = "root:x:0:0:root:/root:/bin/bash\nbroken\n:x:7::\nalice:x:1000:1000::/home/alice:/bin/sh\n";
        let author = |uid| Author { uid, name: named(users, uid) }.to_string();
        assert_eq!([author(0), author(1000)], ["root (uid 0)", "alice (uid 1000)"]);
        assert_eq!([author(7), author(100)], ["uid 7", "uid 100"]);
    }
}
