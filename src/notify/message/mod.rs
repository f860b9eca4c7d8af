//! What messages say, for every destination: names cleaned, amounts and times readable, the
//! sentences of an alert — new, told again or over —, of a digest and of news for the operator. The
//! form of each destination (JSON, blocks, a mail) is in its own file.

mod advice;
mod alert;
mod brief;
mod budget_status;
mod chart;
mod columns;
mod customer;
mod daily_chart;
mod digest;
pub(crate) mod disclosed;
mod drawing;
mod formula;
mod headline;
mod later;
mod mail;
mod member;
mod operator;
mod palette;
mod partner;
mod place;
mod reasons;
mod report;
mod report_lists;
mod report_numbers;
mod rows;
mod run_over;
mod security;
mod sentence;
mod spike;
mod telling;
mod test_mark;
mod told;
mod totals;

pub(crate) use alert::{AlertText, Dated, NamedLink};
pub(crate) use customer::Disclosed;
pub(crate) use digest::DigestText;
pub(crate) use later::brought_up_to_date;
pub(crate) use mail::{MailText, Picture, is_about_one};
pub(crate) use member::Member;
pub(crate) use operator::OperatorText;
pub use partner::Partner;
pub(crate) use reasons::{ALSO, references};
pub(crate) use report::{Mood, ReportText};
pub(crate) use report_lists::{Line, Section};
pub(crate) use rows::Row;
pub(crate) use security::security_in_words;
pub(crate) use telling::AlertWording;
pub(crate) use test_mark::{NOBODY, TEST_MARK, TEST_SENTENCE, is_marked_within};
pub(crate) use told::Rendered;

/// That a message is sent in the place of another notifier, where it is.
pub(crate) fn in_place_of(delivery: &crate::domain::Delivery) -> Option<String> {
    let failed = delivery.stands_in_for.as_deref()?;
    Some(format!(
        "Sent here because the notifier \"{}\" has not taken it.",
        crate::text::clean(failed, 60)
    ))
}
