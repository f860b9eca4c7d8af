//! What messages say, for every destination: names cleaned, amounts and times readable, the sentences of an alert and
//! of a digest. The form of each destination (JSON, blocks, a mail) is in its own file.

mod amounts;
mod clean;
mod digest;
mod headline;
mod mail;
mod rows;
mod telling;
mod times;

pub(crate) use amounts::{money, percent};
pub(crate) use clean::{clean, shortened};
pub(crate) use digest::DigestText;
pub(crate) use mail::MailText;
pub(crate) use rows::Row;
pub(crate) use telling::Telling;
pub(crate) use times::{PeriodWords, moment, seconds_between, span};

/// Put before the subject and the text of a message that somebody asked for to try a notifier.
pub(crate) const TEST_MARK: &str = "[TEST]";
/// The sentence that goes with it.
pub(crate) const TEST_SENTENCE: &str = "This message was asked for to try the notifier. Customer and amounts are made up.";
