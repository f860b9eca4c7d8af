//! Turns the alerts of a poll into the messages owed for them: pure, identities are derived. What a
//! poll says of one customer to a notifier is one message, or one row of a digest.

use std::collections::HashMap;

use uuid::Uuid;

use crate::alerting::{Content, DigestPart, Gathered, MessageAlert, NewAlert, NewMessage};
use crate::domain::{
    Alert, CustomerKey, DigestTotals, Latest, Occasion, Readers, Recipients, Route, Severity,
};

/// More alerts than this of a first good poll come as one digest, for every type of notifier.
const BASELINE_DIGEST_ABOVE: usize = 5;

/// The alerts about one customer, or one subscription, worst first: what is never told apart.
type OfCustomer<'a> = Vec<&'a Alert>;

/// The messages that a poll's alerts owe: one digest for a notifier that is told of many customers
/// at once, else one message for each customer.
pub fn messages(new: &[NewAlert], routes: &[Route], ledger: Uuid) -> Vec<NewMessage> {
    let messages =
        routes.iter().filter(|route| route.is_owed()).flat_map(|route| messages_of(new, route));
    messages.map(|message| message.identified(ledger)).collect()
}

fn messages_of(new: &[NewAlert], route: &Route) -> Vec<NewMessage> {
    let mut messages = Vec::new();
    for group in groups(route, owed(new, route)) {
        let (digested, single) = divide(by_customer(group.alerts), route);
        messages.extend(digest(Occasion::New, &digested, route, &group.recipients));
        messages.extend(
            single.iter().map(|alerts| one(Occasion::New, alerts, route, &group.recipients)),
        );
    }
    messages
}

fn owed<'a>(new: &'a [NewAlert], route: &Route) -> Vec<Owed<'a>> {
    let owed = new.iter().filter(|new| new.is_told() && new.notify.contains(&route.notifier));
    owed.map(|new| Owed { alert: &new.snapshot.alert, contacts: &new.snapshot.context.contacts })
        .collect()
}

/// What a slice of a mass crossing owes: the messages that are about one customer or for one, and
/// what is gathered for digests of all slices.
pub fn slice(new: &[NewAlert], routes: &[Route], ledger: Uuid) -> (Vec<NewMessage>, Vec<Gathered>) {
    let (mut messages, mut gathered) = (Vec::new(), Vec::new());
    for route in routes.iter().filter(|route| route.is_owed()) {
        if route.readers != Readers::Partner {
            messages.extend(messages_of(new, route));
            continue;
        }
        for Group { alerts, recipients } in groups(route, owed(new, route)) {
            let (together, single): (Vec<OfCustomer>, Vec<OfCustomer>) = by_customer(alerts)
                .into_iter()
                .partition(|alerts| route.digest_above.is_some() || is_first_account(alerts));
            gathered.extend(
                together
                    .into_iter()
                    .flatten()
                    .map(|alert| Gathered::of(alert, &route.notifier, Occasion::New)),
            );
            messages
                .extend(single.iter().map(|alerts| one(Occasion::New, alerts, route, &recipients)));
        }
    }
    (messages.into_iter().map(|message| message.identified(ledger)).collect(), gathered)
}

/// Whether what is told of so many customers becomes a digest, with so many alerts of a first
/// account.
pub(crate) fn is_digest(customers: u32, baseline: u32, route: &Route) -> bool {
    route.digest_above.is_some_and(|most| customers > most)
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
    /// Those among them for which its incident goes on: another alert of it is still open there, or
    /// ends it.
    pub still_open_for: Vec<Box<str>>,
}

/// The messages that follow alerts, on one occasion: one digest for a notifier that is told of many
/// customers at once, else one message for each customer.
pub fn followups(
    occasion: Occasion,
    told: &[Followup],
    routes: &[Route],
    ledger: Uuid,
) -> Vec<NewMessage> {
    let mut messages = Vec::new();
    for route in hearing(occasion, routes) {
        for Group { recipients, alerts } in groups(route, owed_followups(occasion, told, route)) {
            let customers = by_customer(alerts);
            // Each incident is told of by itself.
            if !route.has_incidents() && is_above(&customers, route.digest_above) {
                messages.extend(digest(occasion, &customers, route, &recipients));
            } else {
                messages.extend(
                    customers.iter().map(|alerts| one(occasion, alerts, route, &recipients)),
                );
            }
        }
    }
    with_latest(messages, told, ledger)
}

/// What a slice of the many alerts owes that something becomes of in one poll: the messages that
/// are about one customer or for one, and what is gathered for digests of all slices.
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
    let content = Content::Alerts(Occasion::Resolved, vec![MessageAlert { id, latest: None }]);
    message(route, &route.recipients, severity, content).identified(ledger)
}

/// The alerts of each customer, in their order; the customers in that of their first ones. Each
/// security alert is a trouble of its own, whoever its customer is.
fn by_customer(alerts: Vec<&Alert>) -> Vec<OfCustomer<'_>> {
    let mut customers: Vec<OfCustomer<'_>> = Vec::new();
    let mut places: HashMap<(CustomerKey, Option<&str>), usize> = HashMap::new();
    for alert in alerts {
        let security = alert.security.as_ref().map(|security| security.id.as_str());
        let place = *places.entry((alert.key(), security)).or_insert(customers.len());
        match customers.get_mut(place) {
            Some(customer) => customer.push(alert),
            None => customers.push(vec![alert]),
        }
    }
    customers
}

/// Whether there are more customers than are told of one by one.
fn is_above(customers: &[OfCustomer<'_>], most: Option<u32>) -> bool {
    most.is_some_and(|most| customers.len() > usize::try_from(most).unwrap_or(usize::MAX))
}

/// Whether all of it belongs to a first account: what is new beside that is told with it.
fn is_first_account(alerts: &OfCustomer<'_>) -> bool {
    alerts.iter().all(|alert| alert.baseline)
}

/// Which customers go into the digest, and which are told of alone.
fn divide<'a>(
    customers: Vec<OfCustomer<'a>>,
    route: &Route,
) -> (Vec<OfCustomer<'a>>, Vec<OfCustomer<'a>>) {
    if is_above(&customers, route.digest_above) {
        return (customers, Vec::new());
    }
    let first = customers.iter().filter(|alerts| is_first_account(alerts));
    if first.map(Vec::len).sum::<usize>() > BASELINE_DIGEST_ABOVE {
        customers.into_iter().partition(is_first_account)
    } else {
        (Vec::new(), customers)
    }
}

/// Puts customers one after the other into the parts of a digest: none has more alerts than fit
/// into it, unless they are all about one customer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts {
    size: u32,
    begun: u32,
    filled: u32,
}

impl Parts {
    pub(crate) fn of(route: &Route) -> Self {
        Self { size: route.digest_part, begun: 0, filled: 0 }
    }

    /// The part, counted from 1, of the next customer, which has so many alerts.
    pub(crate) fn place(&mut self, alerts: u32) -> u32 {
        if self.begun == 0 || self.filled.saturating_add(alerts) > self.size {
            (self.begun, self.filled) = (self.begun.saturating_add(1), 0);
        }
        self.filled = self.filled.saturating_add(alerts);
        self.begun
    }
}

fn digest(
    occasion: Occasion,
    customers: &[OfCustomer<'_>],
    route: &Route,
    recipients: &Recipients,
) -> Vec<NewMessage> {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let most = route.digest_parts.unwrap_or(u32::MAX);
    let (mut places, mut parts, mut left_out) = (Parts::of(route), Vec::<OfCustomer>::new(), 0);
    for alerts in customers {
        let part = places.place(count(alerts.len()));
        if part > most {
            left_out += count(alerts.len());
        } else if part > count(parts.len()) {
            parts.push(alerts.clone());
        } else {
            parts.iter_mut().rev().take(1).for_each(|members| members.extend(alerts));
        }
    }
    let all: Vec<&Alert> = customers.iter().flatten().copied().collect();
    let totals = (left_out > 0).then(|| DigestTotals::of(&all, left_out));
    let criticals = all.iter().filter(|alert| alert.severity == Severity::Critical).count();
    let whole = DigestPart {
        part: 0,
        parts: count(parts.len()),
        total: count(all.len()),
        criticals: count(criticals),
        baseline: all.iter().all(|alert| alert.baseline),
    };
    let message = |(index, mut members): (usize, OfCustomer<'_>)| {
        members.sort_by(|a, b| a.worst_first(b));
        let content = Content::Digest {
            occasion,
            alerts: members.iter().map(|alert| told_first(alert)).collect(),
            part: DigestPart { part: count(index + 1), ..whole },
            totals: totals.clone(),
        };
        message(route, recipients, worst(&members), content)
    };
    parts.into_iter().enumerate().map(message).collect()
}

fn worst(alerts: &[&Alert]) -> Severity {
    alerts.iter().map(|alert| alert.severity).max().unwrap_or_default()
}

/// The message about one customer.
fn one(
    occasion: Occasion,
    alerts: &OfCustomer<'_>,
    route: &Route,
    recipients: &Recipients,
) -> NewMessage {
    let told = alerts.iter().map(|alert| told_first(alert)).collect();
    message(route, recipients, worst(alerts), Content::Alerts(occasion, told))
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
