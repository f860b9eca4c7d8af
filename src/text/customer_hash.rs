//! A number that stands for a customer, since a poll keeps one for each of very many.

use uuid::Uuid;

use crate::domain::{CustomerId, CustomerKey};
use crate::text::short_hash;

/// The number that stands for a customer: a UUID by its value, anything else by 128 bits of the
/// SHA-256 of its key.
pub(crate) fn customer_hash(customer: &CustomerId) -> u128 {
    let id = customer.as_str();
    let uuid = if id.len() == 36 { Uuid::try_parse(id).ok() } else { None };
    uuid.map_or_else(|| key_text_hash(customer.key().as_str()), |uuid| uuid.as_u128())
}

/// The number that stands for a key.
pub(crate) fn customer_key_hash(key: &CustomerKey) -> u128 {
    key_text_hash(key.as_str())
}

/// The number that stands for a key in this form.
pub(crate) fn key_text_hash(key: &str) -> u128 {
    // Only the usual form counts as a UUID: other spellings of the same one are other ids to
    // Partner Center.
    let uuid = if key.len() == 36 { Uuid::try_parse(key).ok() } else { None };
    uuid.map_or_else(|| short_hash(key), |uuid| uuid.as_u128())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_folds_to_its_value_and_nothing_else_to_the_same() {
        let folded = |id: &str| customer_hash(&CustomerId::try_new(id).unwrap());
        assert_eq!(folded("00000000-0000-0000-0000-0000000000FF"), 0xff);
        assert_ne!(folded("000000000000000000000000000000ff"), 0xff);
        assert_ne!(folded("{00000000-0000-0000-0000-0000000000ff}"), 0xff);
        assert_ne!(folded("contoso"), folded("fabrikam"));
    }
}
