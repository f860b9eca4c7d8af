//! News about the daemon itself in words, never to be taken for those about a customer.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::domain::OperatorNews;
use crate::notify::message::rows::{Row, known};
use crate::text::{capitalized, clean, line, sentence, times};

/// The program's name, which news about it begin with.
const OURSELVES: &str = "budget-alertd";

/// News for the operator in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct OperatorText {
    pub subject: String,
    /// Whether it is over.
    pub over: bool,
    /// What happened.
    pub first: String,
    /// Since when, and what to do.
    pub second: String,
    /// Which kind of trouble, in small letters.
    pub origin: String,
    pub rows: Vec<Row>,
}

impl OperatorText {
    /// The words for `news`, sent at `sent`, with times in `zone`.
    pub(crate) fn new(news: &OperatorNews, zone: &TimeZone, sent: Timestamp) -> Self {
        let (summary, action) = (line(&news.summary, 400), line(&news.action, 400));
        let (code, about) = (news.code.as_str(), clean(&news.subject, 80));
        let (since, over) =
            (times::moment(news.since, sent, zone), if news.over { "over: " } else { "" });
        let told = format!("{over}{}", summary.trim_end_matches('.'));
        let host =
            news.from.as_ref().map(|from| clean(&from.host, 80)).filter(|host| !host.is_empty());
        let config = news.from.as_ref().map(|from| clean(&from.config, 300));
        let on = host.as_ref().map(|host| format!(" on {host}")).unwrap_or_default();
        let began = if news.over {
            format!("It began {since}{on}.")
        } else {
            format!("Since {since}{on}.")
        };
        let action =
            if action.is_empty() { "Nothing to do.".to_owned() } else { instruction(&action) };
        Self {
            subject: format!("{OURSELVES}: {told}"),
            over: news.over,
            first: sentence(&told),
            second: format!("{began} {action}"),
            origin: [
                Some(format!("news about {OURSELVES} itself")),
                config.clone(),
                Some(code.to_owned()),
            ]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" · "),
            rows: known([
                ("About", Some(about)),
                ("Host", host),
                ("Config", config),
                ("Code", Some(code.to_owned())),
                (
                    "Why you",
                    Some(format!(
                        "you are an operator of {OURSELVES} ([operator] notify); this is no alert \
                            about a customer."
                    )),
                ),
            ]),
        }
    }
}

/// An action as a sentence; one that begins with a command stays as it is to be typed.
fn instruction(action: &str) -> String {
    if action.starts_with(OURSELVES) { action.to_owned() } else { capitalized(action) }
}
