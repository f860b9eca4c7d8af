//! Texts for people and files: amounts, times, names cleaned and shortened, the encodings that
//! files are saved in, hashes that stand for a text, and letters that nobody sees. One
//! implementation for messages, pages, listings, logs and findings.

pub(crate) mod amounts;
pub(crate) mod clean;
mod customer_hash;
mod encoding;
mod hash;
pub(crate) mod log_words;
pub(crate) mod names;
pub(crate) mod times;
mod unseen;

pub(crate) use amounts::{amount, money, percent};
pub(crate) use clean::{bare, capitalized, clean, line, sentence, shortened, without_isolation};
pub(crate) use customer_hash::{customer_hash, customer_key_hash, key_text_hash};
pub(crate) use encoding::{NotText, Transcoder, decode};
pub(crate) use hash::{hex, sha256, sha256_hex, sha256_of_parts, short_hash};
pub(crate) use names::{Name, look_of};
pub(crate) use times::{PeriodWords, moment, seconds_between, span};
pub(crate) use unseen::{called, is_obeyed, is_unseen, unseen};
