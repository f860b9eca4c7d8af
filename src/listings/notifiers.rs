//! How notifiers stand: what each owes, and how its destination is doing.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::Route;
use crate::ledger::{DeferredRecipient, NotifierState, Owed};
use crate::listings::words;
use crate::text::{clean, moment};

/// A notifier with what it owes and how its destination is doing.
pub(crate) struct NotifierAccount {
    /// Its name.
    pub(crate) name: String,
    /// Whether the configuration has it, as far as is known.
    pub(crate) configured: bool,
    /// Whether it is shown what is open, in place of being owed messages.
    pub(crate) is_shown: bool,
    /// What it owes.
    pub(crate) owed: Owed,
    /// How its destination is doing.
    pub(crate) state: NotifierState,
    /// For whom the destination takes nothing at the moment.
    pub(crate) deferred: Vec<DeferredRecipient>,
}

/// The notifiers of the file, then those that only the ledger knows and that still owe or have
/// given up something.
pub(crate) fn accounts(
    names: &[String],
    routes: Option<&[Route]>,
    mut owed: Vec<Owed>,
    states: &[(String, NotifierState)],
    mut deferred: Vec<DeferredRecipient>,
) -> Vec<NotifierAccount> {
    let state = |name: &str| {
        states
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, state)| state.clone())
            .unwrap_or_default()
    };
    let is_shown = |name: &str| {
        routes.unwrap_or_default().iter().any(|route| *route.notifier == *name && !route.is_owed())
    };
    let mut accounts = Vec::new();
    for name in names {
        let own =
            owed.iter().position(|owed| owed.notifier == *name).map(|index| owed.remove(index));
        let owed = own.unwrap_or_else(|| Owed {
            notifier: name.clone(),
            pending: 0,
            held: 0,
            oldest: None,
            dead: 0,
        });
        let deferred = deferred.extract_if(.., |one| one.notifier == *name).collect();
        let (name, is_shown, state) = (name.clone(), is_shown(name), state(name));
        accounts.push(NotifierAccount { name, configured: true, is_shown, state, owed, deferred });
    }
    // A file with mistakes does not say who is gone.
    let gone = routes.is_some();
    accounts.extend(owed.into_iter().map(|owed| NotifierAccount {
        name: owed.notifier.clone(),
        configured: !gone,
        is_shown: false,
        state: if gone { NotifierState::default() } else { state(&owed.notifier) },
        deferred: Vec::new(),
        owed,
    }));
    accounts
}

/// How a destination is doing; why it fails is among the findings.
pub(crate) fn in_words(notifier: &NotifierAccount, now: Timestamp, zone: &TimeZone) -> String {
    let destination = &notifier.state;
    if !notifier.configured {
        return "no longer configured".to_owned();
    }
    if destination.failures == 0 {
        return match notifier.owed.held {
            _ if notifier.is_shown => "ok: is shown what is open".to_owned(),
            _ if !notifier.deferred.is_empty() => deferred(&notifier.deferred, now),
            0 => "ok".to_owned(),
            held => format!("ok; {held} held: see deliveries release"),
        };
    }
    let since = destination
        .failing_since
        .map(|since| format!(" since {}", moment(since, now, zone)))
        .unwrap_or_default();
    let next = destination.next_probe_at.filter(|next| *next > now);
    let next =
        next.map(|next| format!(", next try {}", words::until(next, now))).unwrap_or_default();
    format!("fails{since}{next}")
}

/// For whom a destination takes nothing at the moment, while it does for others.
fn deferred(recipients: &[DeferredRecipient], now: Timestamp) -> String {
    let Some(first) = recipients.first() else { return "ok".to_owned() };
    let more = recipients.len().saturating_sub(1);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let next = recipients
        .iter()
        .filter_map(|one| one.state.next_probe_at)
        .min()
        .filter(|next| *next > now);
    let next = next.map_or_else(|| "is due".to_owned(), |next| words::until(next, now));
    let said = first
        .state
        .last_error
        .as_deref()
        .map(|error| format!(": {}", clean(error, 160)))
        .unwrap_or_default();
    format!(
        "ok, but takes nothing for {}{more}, next try {next}{said}",
        clean(&first.recipient, 80)
    )
}
