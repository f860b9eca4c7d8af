//! What the ledger remembers as people and programs read it: the same words and the same JSON in
//! the listings of commands and on the pages. Where it is printed is left to `cli` and `web`.

pub(crate) mod alerts;
pub(crate) mod deliveries;
pub(crate) mod health;
pub(crate) mod notifiers;
pub(crate) mod rule;
mod scale;
pub(crate) mod schema;
pub(crate) mod security;
pub(crate) mod shown_delivery;
pub(crate) mod silences;
pub(crate) mod status_document;
pub(crate) mod story;
pub(crate) mod story_document;
pub(crate) mod story_words;
mod tone;
pub(crate) mod words;

pub(crate) use scale::Scale;
pub(crate) use tone::Tone;
