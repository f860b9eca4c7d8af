//! Words that listings share: counts, names as they stand in a column, ages.

use std::fmt::Display;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::alerting::CustomerState;
use crate::domain::Alert;
use crate::poll::{Named, Namesakes};
use crate::text::{Name, bare as cut_bare, clean as cut_clean, seconds_between, span};

/// How much of a name a listing shows.
const WIDEST_NAME: usize = 60;

/// `1 new alert`, `2 new alerts`, `3 deliveries`.
pub(crate) fn count<N: Copy + Display + From<u8> + PartialEq>(number: N, noun: &str) -> String {
    match noun.strip_suffix('y') {
        _ if number == N::from(1) => format!("{number} {noun}"),
        Some(stem) => format!("{number} {stem}ies"),
        None => format!("{number} {noun}s"),
    }
}

/// ` (3 held: budget-alertd deliveries release)`; nothing where nothing is held.
pub(crate) fn held(held: u64) -> String {
    if held == 0 {
        String::new()
    } else {
        format!(" ({held} held: budget-alertd deliveries release)")
    }
}

/// A name from outside, safe for a terminal, at most 60 characters.
pub(crate) fn clean(text: &str) -> String {
    cut_clean(text, 60)
}

/// The same for programs, which compare it.
pub(crate) fn bare(text: &str) -> String {
    cut_bare(text, 60)
}

/// What listings call a customer, whatever it is called by, with its id where another one reads the
/// same.
pub(crate) fn called(seen: &CustomerState, namesakes: &Namesakes) -> String {
    let names = [seen.label.as_deref().unwrap_or_default(), &*seen.name, seen.customer.as_str()];
    let name = Name::among(
        &names,
        seen.customer.as_str(),
        namesakes.has(seen.label.as_deref(), &seen.name),
    );
    match &seen.subscription {
        Some(subscription) => name
            .within(&clean(if subscription.name.is_empty() {
                &subscription.id
            } else {
                &subscription.name
            }))
            .cut(WIDEST_NAME),
        None => name.cut(WIDEST_NAME),
    }
}

/// The same for programs, which have its id beside it.
pub(crate) fn bare_called(seen: &CustomerState) -> String {
    let names = [seen.label.as_deref().unwrap_or_default(), &*seen.name, seen.customer.as_str()];
    let name = names.into_iter().map(bare).find(|name| !name.is_empty()).unwrap_or_default();
    match &seen.subscription {
        Some(subscription) => {
            format!(
                "{name} / {}",
                bare(if subscription.name.is_empty() {
                    &subscription.id
                } else {
                    &subscription.name
                })
            )
        }
        None => name,
    }
}

/// A customer as [`Namesakes`] are looked for.
pub(crate) fn named(seen: &CustomerState) -> Named<'_> {
    (seen.label.as_deref(), &seen.name, seen.customer.key())
}

/// The same of those that alerts are about.
pub(crate) fn named_in<'a>(
    alerts: impl IntoIterator<Item = &'a Alert>,
) -> impl Iterator<Item = Named<'a>> {
    alerts.into_iter().map(|alert| {
        (alert.customer.label.as_deref(), &*alert.customer.name, alert.customer.id.key())
    })
}

/// The value as text, or nothing.
pub(crate) fn or_nothing(value: Option<impl Display>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A moment in a column: `14 Nov 18:08`, with the year where it is not this one; the zone is said
/// by [`zone_note`].
pub(crate) fn short_moment(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    at.strftime(if at.year() == now.year() { "%-d %b %H:%M" } else { "%-d %b %Y %H:%M" })
        .to_string()
}

/// Which zone the times of a listing are in.
pub(crate) fn zone_note(zone: &TimeZone) -> String {
    format!("Times in {}.", zone.iana_name().unwrap_or("UTC"))
}

/// How long ago, in words: `12 min`, `less than a minute`.
pub(crate) fn age(at: Timestamp, now: Timestamp) -> String {
    let seconds = seconds_between(at, now);
    if seconds < 60 { "less than a minute".to_owned() } else { span(seconds) }
}

/// In how much time, in words: `in 4 min`, `within a minute`.
pub(crate) fn until(at: Timestamp, now: Timestamp) -> String {
    let seconds = seconds_between(now, at);
    if seconds < 60 { "within a minute".to_owned() } else { format!("in {}", span(seconds)) }
}
