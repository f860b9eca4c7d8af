//! What a customer is called: a name that no other customer is shown under. Where another one reads
//! the same, or a name hides something, a short form of the id stands beside it.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use crate::domain::name_key;
use crate::domain::{CustomerKey, CustomerView};
use crate::text::clean::{bare, hides, isolated, shortened, without_isolation};

/// How much of a name is shown.
pub(crate) const NAME_CHARS: usize = 80;
/// How much of a name the shortest lists show.
pub(crate) const SHORTEST: usize = 24;
/// An id of more characters than this is shown by its two ends.
const WHOLE_ID: usize = 13;

/// A name in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    /// The name itself.
    called: String,
    /// ` (id 1b2c3d4e…96e6)`, where something has to tell it from others.
    apart: String,
    /// ` / Prod`, where it is about one subscription.
    within: String,
}

impl Name {
    /// The name of a customer by its label, else by its own name; `alike` where another customer
    /// reads the same.
    pub(crate) fn of(customer: &CustomerView, alike: bool) -> Self {
        let label = customer.label.as_deref().unwrap_or_default();
        Self::among(&[label, &customer.name], customer.id.as_str(), alike)
    }

    /// The first of these names that shows anything, of the customer with this id.
    pub(crate) fn among(names: &[&str], id: &str, alike: bool) -> Self {
        let mut readable = names.iter().map(|name| (bare(name, NAME_CHARS), hides(name)));
        let found = readable.find(|(name, _)| !name.is_empty());
        let is_certain = found.as_ref().is_some_and(|(_, hides)| !hides && !alike);
        let called = found
            .map_or_else(|| "a customer without a name".to_owned(), |(name, _)| isolated(&name));
        let short = short(id);
        let apart =
            if is_certain || short.is_empty() { String::new() } else { format!(" (id {short})") };
        Self { called, apart, within: String::new() }
    }

    /// The same of one of its subscriptions.
    pub(crate) fn within(self, subscription: &str) -> Self {
        Self { within: format!(" / {subscription}"), ..self }
    }

    /// All of it.
    pub(crate) fn whole(&self) -> String {
        format!("{}{}{}", self.called, self.apart, self.within)
    }

    /// No more than `most` characters of it, and what tells it from others beside.
    pub(crate) fn cut(&self, most: usize) -> String {
        format!("{}{}", shortened(&format!("{}{}", self.called, self.within), most), self.apart)
    }

    /// All of it for machines.
    pub(crate) fn bare(&self) -> String {
        without_isolation(&self.whole())
    }
}

/// Those that look like another one of these, cut as short as the shortest lists show them.
pub(crate) fn alike(named: impl Iterator<Item = (Name, CustomerKey)>) -> HashSet<CustomerKey> {
    let (mut first, mut alike) = (HashMap::<String, CustomerKey>::new(), HashSet::new());
    for (name, key) in named {
        match first.entry(name_key(&shortened(&name.called, SHORTEST))) {
            Entry::Vacant(free) => drop(free.insert(key)),
            Entry::Occupied(taken) if *taken.get() == key => {}
            Entry::Occupied(taken) => alike.extend([taken.get().clone(), key]),
        }
    }
    alike
}

/// How a customer by these names looks, wherever it is not told from others by its id.
pub(crate) fn look_of(label: Option<&str>, name: &str) -> String {
    name_key(&Name::among(&[label.unwrap_or_default(), name], "", false).called)
}

/// An id short enough for a lock screen: a GUID by its two ends.
fn short(id: &str) -> String {
    let id = bare(id, 200);
    let letters: Vec<char> = id.chars().collect();
    match (letters.first_chunk::<8>(), letters.last_chunk::<4>()) {
        (Some(first), Some(last)) if letters.len() > WHOLE_ID => {
            format!("{}…{}", String::from_iter(first), String::from_iter(last))
        }
        _ => isolated(&id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "11111111-6fb9-4b05-8f15-b3d72e0596e6";

    fn named(names: &[&str], alike: bool) -> String {
        Name::among(names, ID, alike).whole()
    }

    #[test]
    fn a_name_that_may_be_taken_for_another_has_its_id_beside_it() {
        assert_eq!(named(&["", "Contoso Nord"], false), "Contoso Nord");
        assert_eq!(named(&["Contoso Nord"], true), "Contoso Nord (id 11111111…96e6)");
        assert_eq!(named(&["Contoso\u{200b} Nord"], false), "Contoso Nord (id 11111111…96e6)");
        assert_eq!(
            named(&["\u{202e}\u{200b}", "Contoso Nord"], false),
            "Contoso Nord",
            "a label that shows nothing is none"
        );
        assert_eq!(
            named(&["", "\u{feff} "], false),
            "a customer without a name (id 11111111…96e6)"
        );
        assert_eq!(
            Name::among(&[""], "A-17", false).whole(),
            "a customer without a name (id A-17)"
        );
        assert_eq!(named(&["חברה"], true), "\u{2068}חברה\u{2069} (id 11111111…96e6)");
    }

    #[test]
    fn a_name_that_is_cut_keeps_what_tells_it_apart() {
        let name = Name::among(&["Donaudampfschifffahrt Nord"], ID, true).within("Prod");
        assert_eq!(name.whole(), "Donaudampfschifffahrt Nord (id 11111111…96e6) / Prod");
        assert_eq!(name.cut(10), "Donaudamp… (id 11111111…96e6)");
    }

    #[test]
    fn names_that_look_alike_are_found() {
        let same = [
            "Café Ånd",
            "CAFE\u{301}  a\u{30a}nd",
            "café\u{a0}ånd",
            "\u{2068}Café\u{200d} Ånd\u{2069}",
        ];
        let look = |name| look_of(None, name);
        assert!(same.iter().all(|name| look(name) == "café ånd"), "{:?}", same.map(look));
        assert_ne!(look("Contoso Nord"), look("Contoso Syd"));
    }
}
