//! A decimal that may be missing, as a string in JSON: written and read exactly, wherever it
//! stands.

use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer, Serializer};

use crate::domain::parse_decimal;

/// Writes a string, or null.
pub fn serialize<S: Serializer>(value: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
    rust_decimal::serde::str_option::serialize(value, serializer)
}

/// Reads a string or null. That of the library takes no null from within a flattened struct.
pub fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Decimal>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| parse_decimal(&text).map(|parsed| parsed.value).map_err(D::Error::custom))
        .transpose()
}
