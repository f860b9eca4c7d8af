//! Turns decisions into alerts, and a poll's alerts into the messages owed for them: pure,
//! identities are derived.

use std::collections::HashMap;

use jiff::Timestamp;
use uuid::Uuid;

use crate::alerting::{
    Content, CustomerState, DigestPart, Gathered, LatePass, MessageAlert, NewAlert, NewMessage,
    NewStep, Raise,
};
use crate::domain::{
    Alert, AlertContext, AlertSnapshot, AlertState, Assessed, BudgetView, CostView, CustomerKey,
    CustomerView, DigestTotals, Direction, Inputs, Latest, MetricValue, Occasion, Previous,
    Readers, Recipients, Route, Sample, Severity, SubscriptionCost, canonical,
};

/// More alerts than this of a first good poll come as one digest, for every type of notifier.
const BASELINE_DIGEST_ABOVE: usize = 5;
/// How many passed steps an alert names.
const MOST_PASSED: usize = 50;

/// What surrounds a new alert.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// When it is raised.
    pub now: Timestamp,
    /// Whether it is raised before, or in, the first good poll of the ledger or its rule.
    pub baseline: bool,
    /// What each subscription has cost, the costliest first.
    pub subscriptions: &'a [SubscriptionCost],
    /// The last seen state.
    pub seen: Option<&'a CustomerState>,
    /// Earlier dates of the data, as far as they are known.
    pub earlier: &'a [Sample],
}

/// The alert with all that its messages need.
pub fn snapshot(
    id: Uuid,
    assessed: &Assessed,
    raise: &Raise,
    occasion: &Surroundings<'_>,
) -> AlertSnapshot {
    let record = &assessed.record;
    let budget = assessed.budget.as_ref().map(|budget| BudgetView {
        previous_amount: raise.previous_amount,
        ..BudgetView::of(budget)
    });
    let alert = Alert {
        id,
        rule: raise.rule.name.to_string(),
        metric: raise.rule.metric,
        threshold: canonical(raise.at),
        passed: named(raise),
        value: Some(raise.value.canonical()),
        severity: raise.severity,
        baseline: occasion.baseline,
        reference: Alert::reference_of(id),
        customer: CustomerView {
            id: record.customer.clone(),
            name: record.name.clone(),
            label: assessed.profile.label.clone(),
            plan: record.plan,
        },
        subscription: record.subscription.as_ref().map(|subscription| subscription.id.clone()),
        budget,
        cost: CostView { amount: record.cost, currency: assessed.currency, usd: record.usd_cost },
        reported_percent: assessed.reported_percent().map(canonical),
        computed_percent: assessed.computed_percent,
        billing_period: assessed.period,
        subscriptions: occasion.subscriptions.to_vec(),
        resources: Vec::new(),
        usage_as_of: record.usage_as_of,
        inputs: raise.rule.metric.formula_inputs(&assessed.inputs()),
        spike: raise.spike,
        raised_at: occasion.now,
        state: AlertState::Raised,
    };
    let context = AlertContext {
        description: raise.rule.description.clone(),
        next_at: raise.next_at,
        other_budget: assessed.other_budget.as_ref().map(BudgetView::of),
        contacts: assessed.profile.contacts.clone(),
        previous: previous(assessed, raise, occasion),
        carried_over: assessed.carried_over,
        subscription_name: record
            .subscription
            .as_ref()
            .map(|subscription| subscription.name.clone()),
        owner: assessed.profile.owner.clone(),
        ..AlertContext::default()
    };
    AlertSnapshot { alert, context }
}

/// The steps passed, ascending: at most the 50 next to the highest, the lower ones are implied.
fn named(raise: &Raise) -> Vec<rust_decimal::Decimal> {
    let surplus = raise.passed.len().saturating_sub(MOST_PASSED);
    match raise.rule.metric.direction() {
        Direction::Up => raise.passed.iter().skip(surplus).copied().collect(),
        Direction::Down => raise.passed.iter().take(MOST_PASSED).copied().collect(),
    }
}

/// How it was at the date of the data before, in the same period: as last seen, or where that is
/// the same data, by history.
fn previous(assessed: &Assessed, raise: &Raise, occasion: &Surroundings<'_>) -> Option<Previous> {
    let seen = occasion.seen.map(|seen| (seen.usage_as_of.instant(), seen.cost, seen.usd_cost));
    let dates = occasion
        .earlier
        .iter()
        .filter(|sample| !sample.carried_over)
        .map(|sample| (sample.usage_as_of, sample.cost, None));
    let older =
        |at: Timestamp| at < assessed.record.usage_as_of.instant() && assessed.period.holds(at);
    let (usage_as_of, cost, usd_cost) =
        seen.into_iter().chain(dates).find(|(at, ..)| older(*at))?;
    let inputs = Inputs { cost, usd_cost, reported_percent: None, ..assessed.inputs() };
    let value = raise.rule.metric.value(&inputs).ok().and_then(MetricValue::number);
    Some(Previous { usage_as_of, cost, value })
}

/// The steps that an alert spends: its own, and those it passed.
pub fn steps(alert: Uuid, assessed: &Assessed, raise: &Raise) -> Vec<NewStep> {
    let own = std::iter::once((raise.at, true));
    own.chain(raise.passed.iter().map(|at| (*at, false)))
        .map(|(at, raised)| step(alert, assessed, &raise.rule, at, raised))
        .collect()
}

/// One step of a customer, raised or passed by `alert`.
pub fn step(
    alert: Uuid,
    assessed: &Assessed,
    rule: &crate::domain::RuleFacts,
    at: rust_decimal::Decimal,
    raised: bool,
) -> NewStep {
    NewStep {
        customer: assessed.record.key(),
        rule: rule.name.clone(),
        metric: rule.metric,
        at: canonical(at),
        amount: assessed
            .budget
            .filter(|_| rule.metric.reads_budget())
            .map(|budget| canonical(budget.amount())),
        period: assessed.period,
        belongs_at: assessed.belongs_at(),
        raised,
        alert,
    }
}

/// A step that an earlier alert passes: under the amount of that alert, for today's has alerted
/// nobody yet.
pub fn late_step(assessed: &Assessed, late: &LatePass) -> NewStep {
    NewStep {
        amount: late.amount.map(canonical),
        ..step(late.by, assessed, &late.rule, late.at, false)
    }
}

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
