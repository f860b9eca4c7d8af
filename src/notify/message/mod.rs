//! What messages say, for every destination: names cleaned, amounts and times readable, the
//! sentences of an alert — new, told again or over —, of a digest and of news for the operator. The
//! form of each destination (JSON, blocks, a mail) is in its own file.

mod advice;
mod alert;
mod brief;
mod chart;
mod columns;
mod customer;
mod digest;
pub(crate) mod disclosed;
mod drawing;
mod formula;
mod headline;
mod later;
mod mail;
mod operator;
mod palette;
mod place;
mod report;
mod report_lists;
mod rows;
mod sentence;
mod standing;
mod telling;
mod told;
mod totals;

pub(crate) use alert::{AlertText, Dated, Occasion};
pub(crate) use customer::Disclosed;
pub(crate) use digest::{DigestText, Member};
pub(crate) use later::brought_up_to_date;
pub(crate) use mail::{MailText, Picture, is_about_one};
pub(crate) use operator::OperatorText;
pub(crate) use report::{Line, Mood, ReportText, Section};
pub(crate) use rows::Row;
pub(crate) use telling::AlertWording;
pub(crate) use told::Rendered;

/// That a message is sent in the place of another notifier, where it is.
pub(crate) fn in_place_of(delivery: &crate::domain::Delivery) -> Option<String> {
    let failed = delivery.stands_in_for.as_deref()?;
    Some(format!(
        "Sent here because the notifier \"{}\" has not taken it.",
        crate::text::clean(failed, 60)
    ))
}

/// Put before the subject and the text of a message that somebody asked for to try a notifier.
pub(crate) const TEST_MARK: &str = "[TEST]";
/// The sentence that goes with it.
pub(crate) const TEST_SENTENCE: &str =
    "This message was asked for to try the notifier. Customer and amounts are made up.";
