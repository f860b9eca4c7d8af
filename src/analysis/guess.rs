//! Which customer a text in place of an id may mean: the one of this name, the one whose id is
//! almost the same, or the only one whose name has it in it.

use crate::alerting::CustomerState;
use crate::domain::CustomerKey;
use crate::domain::name_key;

/// The shortest part of a name that tells anything.
const PART: usize = 4;
/// The shortest id that may be almost another one.
const ID: usize = 8;

/// A text, and the best customer for it so far.
pub struct Guess {
    name: String,
    key: CustomerKey,
    found: Option<(Likeness, CustomerState)>,
    /// Whether another one is as likely.
    several: bool,
}

/// How a customer is like a text, the best last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    PartOfName,
    AlmostId,
    Name,
}

impl Guess {
    /// Nobody yet.
    pub fn of(text: &str) -> Self {
        Self { name: name_key(text), key: CustomerKey::written(text), found: None, several: false }
    }

    /// Looks at one more customer.
    pub fn consider(&mut self, seen: &CustomerState) {
        let Some(likeness) = self.likeness(seen) else { return };
        match &self.found {
            Some((best, _)) if *best > likeness => {}
            Some((best, _)) if *best == likeness => self.several = true,
            _ => {
                self.found = Some((likeness, seen.clone()));
                self.several = false;
            }
        }
    }

    /// The customer that is meant, most likely: its id and its name.
    pub fn meant(&self) -> Option<(&str, &str)> {
        let found = self
            .found
            .as_ref()
            .filter(|(likeness, _)| !self.several || *likeness != Likeness::PartOfName);
        found.map(|(_, seen)| (seen.customer.as_str(), seen.name.as_str()))
    }

    fn likeness(&self, seen: &CustomerState) -> Option<Likeness> {
        if seen.subscription.is_some() {
            return None;
        }
        let names = [Some(name_key(&seen.name)), seen.label.as_deref().map(name_key)];
        let is_part = |name: &String| {
            self.name.len().min(name.len()) >= PART
                && (name.contains(&self.name) || self.name.contains(&**name))
        };
        if names.iter().flatten().any(|name| *name == self.name) {
            Some(Likeness::Name)
        } else if is_almost(seen.customer.key().as_str(), self.key.as_str()) {
            Some(Likeness::AlmostId)
        } else {
            names.iter().flatten().any(is_part).then_some(Likeness::PartOfName)
        }
    }
}

/// Whether two ids are the same but for two letters next to each other, or for one that is missing.
fn is_almost(one: &str, other: &str) -> bool {
    let longest = one.len().max(other.len());
    let start = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let end = one.bytes().rev().zip(other.bytes().rev()).take_while(|(a, b)| a == b).count();
    longest >= ID && start.saturating_add(end) >= longest.saturating_sub(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_almost_the_same_with_one_digit_off_or_missing() {
        let id = "11111111-641b-4c53-b7fc-0f2bfca8a581";
        for almost in [
            "11111111-641b-4c53-b7fc-0f2bfca8a582",
            "11111111-641b-4c53-b7fc-0f2bfca8a58",
            "11111111-641b-4c35-b7fc-0f2bfca8a581",
        ] {
            assert!(is_almost(id, almost), "{almost}");
        }
        assert!(!is_almost(id, "11111111-6fb9-4b05-8f15-b3d72e0596e6") && !is_almost("c-1", "c-2"));
    }
}
