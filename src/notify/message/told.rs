//! A message in words: which of the forms it takes.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::{Digest, Message, Occasion};
use crate::notify::message::{AlertText, DigestText, OperatorText, ReportText};

/// A message in words.
pub(crate) enum Rendered<'a> {
    /// One alert, or several about one customer.
    Alert(Box<AlertText>),
    /// One that is made up, for a try.
    Test(Box<AlertText>),
    /// Several.
    Digest(DigestText<'a>),
    /// News about the daemon itself.
    Operator(OperatorText),
    /// The regular report.
    Report(Box<ReportText>),
}

impl<'a> Rendered<'a> {
    /// The words for `message`, sent at `sent`, with times in `zone`.
    pub(crate) fn new(message: &'a Message, zone: &'a TimeZone, sent: Timestamp) -> Self {
        let alert = |snapshot| Box::new(AlertText::new(Occasion::New, snapshot, zone, sent));
        match message {
            Message::Alert(snapshot) => Self::Alert(alert(snapshot)),
            Message::Alerts(digest) => Self::of_one_or_more(Occasion::New, digest, zone, sent),
            Message::Test(snapshot) => Self::Test(alert(snapshot)),
            Message::Digest(digest) => {
                Self::Digest(DigestText::new(Occasion::New, digest, zone, sent))
            }
            Message::Reminder(digest) => {
                Self::of_one_or_more(Occasion::Reminder, digest, zone, sent)
            }
            Message::Resolved(digest) => {
                Self::of_one_or_more(Occasion::Resolved, digest, zone, sent)
            }
            Message::Operator(news) => Self::Operator(OperatorText::new(news, zone, sent)),
            Message::Report(report) => Self::Report(Box::new(ReportText::new(report, zone))),
        }
    }

    /// The alerts of one customer are told as one, by the worst.
    fn of_one_or_more(
        occasion: Occasion,
        digest: &'a Digest,
        zone: &'a TimeZone,
        sent: Timestamp,
    ) -> Self {
        match digest.alerts.as_slice() {
            [worst, others @ ..] if digest.is_of_one_customer() => {
                Self::Alert(Box::new(AlertText::of_reasons(occasion, worst, others, zone, sent)))
            }
            _ => Self::Digest(DigestText::new(occasion, digest, zone, sent)),
        }
    }
}
