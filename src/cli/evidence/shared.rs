//! Who else a message told of: of other customers, evidence shows neither names nor amounts.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::domain::Alert;
use crate::ledger::{LedgerError, Reader};

/// What stands in place of another customer.
pub(super) const ANOTHER: &str = "[another customer]";
/// Shorter names are found in any text.
const SHORTEST: usize = 3;

/// The customer's own alerts in a message, and the others'.
pub(super) struct Sharing {
    customer: String,
    own: Vec<String>,
    others: Vec<String>,
    /// What the others are called, in lower case.
    names: BTreeSet<String>,
}

impl Sharing {
    /// Of a message with these alerts, for the customer with this id, name and label. An alert that the ledger no longer has is another's.
    pub(super) fn of(
        reader: &Reader,
        names: &[Option<&str>; 3],
        alerts: &[Uuid],
    ) -> Result<Self, LedgerError> {
        let [id, own @ ..] = names;
        let customer = id.unwrap_or_default().to_lowercase();
        let mut sharing = Self { customer, own: vec![], others: vec![], names: BTreeSet::new() };
        for id in alerts {
            match reader.find_alert(&id.to_string())? {
                Some(row) => sharing.add(row.snapshot.alert),
                None => sharing.others.push(Alert::reference_of(*id)),
            }
        }
        let own: Vec<_> = own.iter().flatten().map(|name| name.to_lowercase()).collect();
        // A name within the customer's own says nothing of another.
        sharing.names.retain(|name| own.iter().all(|own| !own.contains(name.as_str())));
        Ok(sharing)
    }

    fn add(&mut self, alert: Alert) {
        let customer = alert.customer;
        if customer.id.as_str().to_lowercase() == self.customer {
            self.own.push(alert.reference);
            return;
        }
        self.others.push(alert.reference);
        let names = [Some(customer.name), customer.label, Some(customer.id.as_str().to_owned())];
        let long = |name: &String| name.chars().count() >= SHORTEST;
        self.names.extend(names.into_iter().flatten().map(|name| name.to_lowercase()).filter(long));
    }

    /// Whether it told of several customers.
    pub(super) fn is_shared(&self) -> bool {
        !self.others.is_empty()
    }

    /// How many alerts are others'.
    pub(super) fn others(&self) -> usize {
        self.others.len()
    }

    /// The references of the customer's own alerts.
    pub(super) fn into_own(self) -> Vec<String> {
        self.own
    }

    /// Whether this is the id of the customer.
    pub(super) fn is_customer(&self, id: &str) -> bool {
        id.to_lowercase() == self.customer
    }

    /// Whether a line is about the customer and nobody else.
    pub(super) fn is_own_line(&self, line: &str) -> bool {
        let has = |reference: &String| line.contains(reference.as_str());
        self.own.iter().any(has) && !self.others.iter().any(has) && !self.names_another(line)
    }

    /// Whether another customer is named.
    pub(super) fn names_another(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.names.iter().any(|name| text.contains(name.as_str()))
    }

    /// A text of a receiver, which may repeat what it was sent.
    pub(super) fn without_others(&self, text: &str) -> String {
        if self.names_another(text) { ANOTHER.to_owned() } else { text.to_owned() }
    }
}
