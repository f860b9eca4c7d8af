//! JSON Schemas (2020-12) of what programs are given: of alerts, and the parts that others are made
//! from.

pub(crate) mod alert;
pub(crate) mod parts;
