//! A decimal that may be missing, as a string in JSON that this program has written: read as it was
//! written, also from within a flattened struct, where that of the library takes no null.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serializer};

/// A decimal as a string.
#[derive(Deserialize)]
struct Text(#[serde(with = "rust_decimal::serde::str")] Decimal);

/// Writes a string, or null.
pub fn serialize<S: Serializer>(value: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
    rust_decimal::serde::str_option::serialize(value, serializer)
}

/// Reads a string or null.
pub fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Decimal>, D::Error> {
    Ok(Option::<Text>::deserialize(deserializer)?.map(|text| text.0))
}
