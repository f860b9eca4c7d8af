//! Turns the alerts of a poll into the messages owed for them: pure, identities are derived.

use std::collections::HashMap;

use uuid::Uuid;

use crate::alerting::{Content, DigestPart, Gathered, MessageAlert, NewAlert, NewMessage};
use crate::domain::{
    Alert, CustomerKey, DigestTotals, Latest, Occasion, Readers, Recipients, Route, Severity,
};

/// More alerts than this of a first good poll come as one digest, for every type of notifier.
const BASELINE_DIGEST_ABOVE: usize = 5;

/// The messages that a poll's alerts owe: one digest for a notifier that gets many at once, else
/// one message each.
pub fn messages(new: &[NewAlert], routes: &[Route], ledger: Uuid) -> Vec<NewMessage> {
    let messages =
        routes.iter().filter(|route| route.is_owed()).flat_map(|route| messages_of(new, route));
    messages.map(|message| message.identified(ledger)).collect()
}

fn messages_of(new: &[NewAlert], route: &Route) -> Vec<NewMessage> {
    let mut messages = Vec::new();
    for group in groups(route, owed(new, route)) {
        let (digested, single) = divide(&group.alerts, route);
        messages.extend(digest(Occasion::New, &digested, route, &group.recipients));
        messages
            .extend(single.iter().map(|alert| one(Occasion::New, alert, route, &group.recipients)));
    }
    messages
}

fn owed<'a>(new: &'a [NewAlert], route: &Route) -> Vec<Owed<'a>> {
    let owed = new.iter().filter(|new| new.is_told() && new.notify.contains(&route.notifier));
    owed.map(|new| Owed { alert: &new.snapshot.alert, contacts: &new.snapshot.context.contacts })
        .collect()
}

/// What a slice of a mass crossing owes: the messages that carry one alert or are for one customer,
/// and what is gathered for digests of all slices.
pub fn slice(new: &[NewAlert], routes: &[Route], ledger: Uuid) -> (Vec<NewMessage>, Vec<Gathered>) {
    let (mut messages, mut gathered) = (Vec::new(), Vec::new());
    for route in routes.iter().filter(|route| route.is_owed()) {
        if route.readers != Readers::Partner {
            messages.extend(messages_of(new, route));
            continue;
        }
        for Group { alerts, recipients } in groups(route, owed(new, route)) {
            let (together, single): (Vec<&Alert>, Vec<&Alert>) = alerts
                .into_iter()
                .partition(|alert| route.digest_above.is_some() || alert.baseline);
            gathered.extend(
                together
                    .into_iter()
                    .map(|alert| Gathered::of(alert, &route.notifier, Occasion::New)),
            );
            messages.extend(
                single.into_iter().map(|alert| one(Occasion::New, alert, route, &recipients)),
            );
        }
    }
    (messages.into_iter().map(|message| message.identified(ledger)).collect(), gathered)
}

/// Whether so many alerts become a digest, of which so many belong to a first account.
pub(crate) fn is_digest(total: u32, baseline: u32, route: &Route) -> bool {
    route.digest_above.is_some_and(|most| total > most)
        || usize::try_from(baseline).is_ok_and(|baseline| baseline > BASELINE_DIGEST_ABOVE)
}

/// An alert that a route owes, with its customer's contacts of now.
struct Owed<'a> {
    alert: &'a Alert,
    contacts: &'a [String],
}

/// Alerts that may share messages, worst first, and who gets those.
struct Group<'a> {
    recipients: Recipients,
    alerts: Vec<&'a Alert>,
}

/// Who gets which alerts of a route together: the partner's own people all of them; a customer
/// those about itself and nothing else, but never those of a first good poll.
fn groups<'a>(route: &Route, mut owed: Vec<Owed<'a>>) -> Vec<Group<'a>> {
    owed.sort_by(|a, b| a.alert.worst_first(b.alert));
    if route.readers == Readers::Partner {
        return vec![Group {
            recipients: route.recipients.clone(),
            alerts: owed.iter().map(|owed| owed.alert).collect(),
        }];
    }
    let mut groups: Vec<(CustomerKey, Group<'a>)> = Vec::new();
    let mut places: HashMap<CustomerKey, usize> = HashMap::new();
    for Owed { alert, contacts } in owed.into_iter().filter(|owed| !owed.alert.baseline) {
        let customer = alert.customer.id.key();
        let place = *places.entry(customer.clone()).or_insert(groups.len());
        if place == groups.len() {
            let recipients = route.recipients_about(&customer, contacts);
            if recipients.count() < route.recipients.count() {
                tracing::warn!(
                    notifier = &*route.notifier,
                    customer = customer.as_str(),
                    "addresses of another customer are not told of this one"
                );
            }
            groups.push((customer, Group { recipients, alerts: Vec::new() }));
        }
        groups.iter_mut().skip(place).take(1).for_each(|(_, group)| group.alerts.push(alert));
    }
    groups
        .into_iter()
        .map(|(_, group)| group)
        .filter(|group| group.recipients.count() > 0)
        .collect()
}

/// What is told of alerts after they were raised.
#[derive(Debug, Clone)]
pub struct Followup {
    /// The alert.
    pub alert: Alert,
    /// How it is now.
    pub latest: Latest,
    /// The customer's contacts of now.
    pub contacts: Vec<String>,
    /// The notifiers that are told, by name.
    pub notify: Vec<Box<str>>,
    /// Those among them for which its incident goes on: another step of it is still open there, or
    /// ends it.
    pub still_open_for: Vec<Box<str>>,
}

/// The messages that follow alerts, on one occasion: one digest for a notifier that gets many at once,
/// else one message each.
pub fn followups(
    occasion: Occasion,
    told: &[Followup],
    routes: &[Route],
    ledger: Uuid,
) -> Vec<NewMessage> {
    let mut messages = Vec::new();
    for route in hearing(occasion, routes) {
        for Group { recipients, alerts } in groups(route, owed_followups(occasion, told, route)) {
            // Each incident is told of by itself.
            if !route.has_incidents() && is_above(&alerts, route.digest_above) {
                messages.extend(digest(occasion, &alerts, route, &recipients));
            } else {
                messages
                    .extend(alerts.iter().map(|alert| one(occasion, alert, route, &recipients)));
            }
        }
    }
    with_latest(messages, told, ledger)
}

/// What a slice of the many alerts owes that something becomes of in one poll: the messages that
/// carry one alert or are for one customer, and what is gathered for digests of all slices.
pub fn slice_of_followups(
    occasion: Occasion,
    told: &[Followup],
    routes: &[Route],
    ledger: Uuid,
) -> (Vec<NewMessage>, Vec<Gathered>) {
    let (together, apart): (Vec<&Route>, Vec<&Route>) =
        hearing(occasion, routes).partition(|route| is_gathered_for(route));
    let apart: Vec<Route> = apart.into_iter().cloned().collect();
    let mut gathered = Vec::new();
    for route in together {
        let of_route = told.iter().filter(|told| told.notify.contains(&route.notifier));
        let of = |told: &Followup| Gathered {
            latest: Some(told.latest.clone()),
            ..Gathered::of(&told.alert, &route.notifier, occasion)
        };
        gathered.extend(of_route.map(of));
    }
    (followups(occasion, told, &apart, ledger), gathered)
}

/// Whether what becomes of many alerts comes in digests of all slices.
fn is_gathered_for(route: &Route) -> bool {
    route.readers == Readers::Partner && route.digest_above.is_some() && !route.has_incidents()
}

/// The routes that are told what becomes of alerts.
fn hearing(occasion: Occasion, routes: &[Route]) -> impl Iterator<Item = &Route> {
    routes.iter().filter(move |route| {
        route.is_owed() && (occasion != Occasion::Resolved || route.send_resolved)
    })
}

fn owed_followups<'a>(occasion: Occasion, told: &'a [Followup], route: &Route) -> Vec<Owed<'a>> {
    let goes_on = |told: &&Followup| {
        route.has_incidents()
            && occasion == Occasion::Resolved
            && told.still_open_for.contains(&route.notifier)
    };
    let owed = told
        .iter()
        .filter(|told| told.notify.contains(&route.notifier))
        .filter(|told| !goes_on(told));
    owed.map(|told| Owed { alert: &told.alert, contacts: &told.contacts }).collect()
}

fn with_latest(mut messages: Vec<NewMessage>, told: &[Followup], ledger: Uuid) -> Vec<NewMessage> {
    let all: HashMap<Uuid, &Latest> =
        told.iter().map(|told| (told.alert.id, &told.latest)).collect();
    for message in &mut messages {
        message.content.know_latest(|id| all.get(&id).map(|latest| (*latest).clone()));
    }
    messages.into_iter().map(|message| message.identified(ledger)).collect()
}

/// What ends the incident of an alert whose rule was removed.
pub(crate) fn end_of_incident(
    route: &Route,
    id: Uuid,
    severity: Severity,
    ledger: Uuid,
) -> NewMessage {
    let content = Content::Alert(Occasion::Resolved, MessageAlert { id, latest: None });
    message(route, &route.recipients, severity, content).identified(ledger)
}

/// Whether there are more alerts than come one by one.
fn is_above(alerts: &[&Alert], most: Option<u32>) -> bool {
    most.is_some_and(|most| alerts.len() > usize::try_from(most).unwrap_or(usize::MAX))
}

/// Which alerts go into the digest, and which go alone.
fn divide<'a>(alerts: &[&'a Alert], route: &Route) -> (Vec<&'a Alert>, Vec<&'a Alert>) {
    let (baseline, later): (Vec<&Alert>, Vec<&Alert>) =
        alerts.iter().copied().partition(|alert| alert.baseline);
    if is_above(alerts, route.digest_above) {
        (alerts.to_vec(), Vec::new())
    } else if baseline.len() > BASELINE_DIGEST_ABOVE {
        (baseline, later)
    } else {
        (Vec::new(), alerts.to_vec())
    }
}

fn digest(
    occasion: Occasion,
    alerts: &[&Alert],
    route: &Route,
    recipients: &Recipients,
) -> Vec<NewMessage> {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let (size, most) = (route.digest_part.max(1), route.digest_parts.unwrap_or(u32::MAX));
    let parts = alerts
        .chunks(usize::try_from(size).unwrap_or(usize::MAX))
        .take(usize::try_from(most).unwrap_or(usize::MAX));
    let left_out = count(alerts.len()).saturating_sub(most.saturating_mul(size));
    let totals = (left_out > 0).then(|| DigestTotals::of(alerts, left_out));
    let whole = DigestPart {
        part: 0,
        parts: count(parts.len()),
        total: count(alerts.len()),
        criticals: count(
            alerts.iter().filter(|alert| alert.severity == Severity::Critical).count(),
        ),
        baseline: alerts.iter().all(|alert| alert.baseline),
    };
    let message = |(index, members): (usize, &[&Alert])| {
        let severity = members.iter().map(|alert| alert.severity).max().unwrap_or_default();
        let content = Content::Digest {
            occasion,
            alerts: members.iter().map(|alert| told_first(alert)).collect(),
            part: DigestPart { part: count(index + 1), ..whole },
            totals: totals.clone(),
        };
        message(route, recipients, severity, content)
    };
    parts.enumerate().map(message).collect()
}

/// A message about one alert.
fn one(occasion: Occasion, alert: &Alert, route: &Route, recipients: &Recipients) -> NewMessage {
    message(route, recipients, alert.severity, Content::Alert(occasion, told_first(alert)))
}

/// The alert in a message, before it is known how it is later.
fn told_first(alert: &Alert) -> MessageAlert {
    MessageAlert { id: alert.id, latest: None }
}

/// A message about alerts, before it has its identity.
pub(crate) fn message(
    route: &Route,
    recipients: &Recipients,
    severity: Severity,
    content: Content,
) -> NewMessage {
    NewMessage {
        identity: Uuid::nil(),
        notifier: route.notifier.clone(),
        audience: route.readers.audience(),
        held: false,
        recipients: recipients.clone(),
        content,
        severity,
    }
}
