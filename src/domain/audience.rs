//! Who reads a message: the partner's own people, or the customer that it is about. How it is
//! worded for either is `notify`'s.

use std::collections::{BTreeMap, BTreeSet};

use strum::{EnumString, IntoStaticStr, VariantNames};

use crate::domain::CustomerKey;

/// Whom a message is for. It is recorded with the message, so that no later configuration can
/// change what a customer sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[derive(IntoStaticStr, EnumString, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum Audience {
    /// The partner's own people: all that is known.
    #[default]
    Partner,
    /// The one customer that the message is about: only what that customer may know.
    Customer,
}

impl Audience {
    /// Every name.
    pub const NAMES: &'static [&'static str] = <Self as VariantNames>::VARIANTS;

    /// The name used in configuration and in the ledger.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Reads the name used in configuration and in the ledger.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

/// The readers at the other end of a notifier.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Readers {
    /// The partner's own people: alerts about several customers may share a message.
    #[default]
    Partner,
    /// Each customer at its own contacts.
    Contacts,
    /// Whoever reads the notifier's own addresses.
    Addresses(Addresses),
    /// A program that passes each message on to the one customer it is about.
    Program,
}

impl Readers {
    /// Whom messages to them are for.
    pub fn audience(&self) -> Audience {
        match self {
            Self::Partner => Audience::Partner,
            Self::Contacts | Self::Addresses(_) | Self::Program => Audience::Customer,
        }
    }
}

/// What may go to a notifier's own addresses where customers read them: a customer's mailbox never
/// gets what is about another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Addresses {
    /// The customers that they are told about; `None`: all.
    pub about: Option<BTreeSet<CustomerKey>>,
    /// Whose contacts they are, for those that are any customer's; in lowercase.
    pub owners: BTreeMap<String, BTreeSet<CustomerKey>>,
}

impl Addresses {
    /// Whether what is about this customer may go to one of them.
    pub fn may_get(&self, address: &str, customer: &CustomerKey) -> bool {
        let are = |customers: &BTreeSet<CustomerKey>| customers.contains(customer);
        self.about.as_ref().is_none_or(are)
            && self.owners.get(&address.to_lowercase()).is_none_or(are)
    }
}

/// The bare address of a contact: `it@contoso.example` of `Contoso IT <it@contoso.example>`.
pub fn bare_address(contact: &str) -> &str {
    let inner = contact
        .rsplit_once('<')
        .and_then(|(_, rest)| rest.split_once('>'))
        .map(|(address, _)| address);
    inner.unwrap_or(contact).trim()
}

/// The people of a list as mail programs write it, `A <a@x.example>, "B, C" <b@x.example>`: what
/// stands between commas, semicolons, bars or line ends, outside of quotes and of angle brackets.
pub fn people(list: &str) -> Vec<&str> {
    let (mut quoted, mut escaped, mut bracketed) = (false, false, false);
    let between = [',', ';', '|', '\n'];
    let ends_one = |letter: char| {
        let is_end = !quoted && !bracketed && between.contains(&letter);
        match letter {
            _ if std::mem::take(&mut escaped) => {}
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => bracketed = true,
            '>' if !quoted => bracketed = false,
            _ => {}
        }
        is_end
    };
    let mut parts: Vec<&str> = list.split(ends_one).collect();
    if quoted {
        // A quote that never ends keeps nobody together.
        parts = list.split(between).collect();
    }
    parts.into_iter().map(str::trim).filter(|one| !one.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customers_own_address_gets_nothing_about_another() {
        let of = |id| BTreeSet::from([CustomerKey::of(id)]);
        let owned = Addresses {
            about: None,
            owners: BTreeMap::from([("it@a.example".to_owned(), of("a"))]),
        };
        let may = |addresses: &Addresses, to, id| addresses.may_get(to, &CustomerKey::of(id));
        assert!(may(&owned, "IT@A.example", "A") && may(&owned, "me@partner.example", "b"));
        assert!(!may(&owned, "IT@A.example", "b"));
        let meant = Addresses { about: Some(of("a")), ..Addresses::default() };
        assert!(may(&meant, "me@partner.example", "a") && !may(&meant, "me@partner.example", "b"));
    }

    #[test]
    fn a_list_of_people_is_read_as_mail_programs_write_it() {
        let list = r#"Anna <anna@a.example>, "Berg, Bo \"Bobo\"" <bo@b.example>; it@c.example;"#;
        assert_eq!(
            people(list),
            ["Anna <anna@a.example>", r#""Berg, Bo \"Bobo\"" <bo@b.example>"#, "it@c.example"]
        );
        assert_eq!(people("it@c.example\nme@c.example | "), ["it@c.example", "me@c.example"]);
        assert_eq!(people("\"Berg, <bo@b.example>"), ["\"Berg", "<bo@b.example>"]);
    }

    #[test]
    fn the_address_of_a_contact_is_found_beside_its_name() {
        let all = [
            "it@contoso.example",
            "Contoso IT <it@contoso.example>",
            "\"A <b>\" <it@contoso.example>",
            " it@contoso.example ",
        ];
        assert!(all.iter().all(|contact| bare_address(contact) == "it@contoso.example"));
    }
}
