//! Who reads a message: the partner's own people, or the customer that it is about. How it is worded for either is
//! `notify`'s.

use crate::domain::CustomerKey;

/// Whom a message is for. It is recorded with the message, so that no later configuration can change what a customer sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Audience {
    /// The partner's own people: all that is known.
    #[default]
    Partner,
    /// The one customer that the message is about: only what that customer may know.
    Customer,
}

impl Audience {
    /// The name used in configuration and in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Partner => "partner",
            Self::Customer => "customer",
        }
    }

    /// Reads the name used in configuration and in the ledger.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Partner, Self::Customer].into_iter().find(|audience| audience.as_str() == name)
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
    /// One customer, whose addresses are the notifier's recipients: whatever is about others never goes there.
    One(CustomerKey),
    /// A program that passes each message on to the one customer it is about.
    Program,
}

impl Readers {
    /// Whom messages to them are for.
    pub fn audience(&self) -> Audience {
        match self {
            Self::Partner => Audience::Partner,
            Self::Contacts | Self::One(_) | Self::Program => Audience::Customer,
        }
    }
}

/// The bare address of a contact: `it@contoso.example` of `Contoso IT <it@contoso.example>`.
pub fn bare_address(contact: &str) -> &str {
    let inner = contact.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(address, _)| address);
    inner.unwrap_or(contact).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_contact_is_found_beside_its_name() {
        let all = ["it@contoso.example", "Contoso IT <it@contoso.example>", "\"A <b>\" <it@contoso.example>", " it@contoso.example "];
        assert!(all.iter().all(|contact| bare_address(contact) == "it@contoso.example"));
    }
}
