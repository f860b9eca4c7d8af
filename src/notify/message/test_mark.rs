//! How a message is marked that somebody asked for to try a notifier. Such messages are made up by
//! `sample`.

use crate::domain::Message;

/// Put before the subject and the text of a message that somebody asked for to try a notifier.
pub(crate) const TEST_MARK: &str = "[TEST]";
/// The sentence that goes with it.
pub(crate) const TEST_SENTENCE: &str =
    "This message was asked for to try the notifier. Customer and amounts are made up.";
/// The id of the customer that is made up: no real one has it.
pub(crate) const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// Whether a message is a made-up one of a kind that has no place of its own for the mark.
pub(crate) fn is_marked_within(message: &Message) -> bool {
    match message {
        Message::Digest(digest) | Message::Reminder(digest) | Message::Resolved(digest) => digest
            .alerts
            .first()
            .is_some_and(|snapshot| snapshot.alert.customer.id.as_str() == NOBODY),
        Message::Operator(news) => news.summary.starts_with(TEST_MARK),
        Message::Alert(_) | Message::Alerts(_) | Message::Test(_) | Message::Report(_) => false,
    }
}
