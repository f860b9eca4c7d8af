//! From a decision to alerts and the steps that they use: one function for polls, replay, impact
//! and simulation.

use jiff::Timestamp;
use uuid::Uuid;

use crate::alerting::decide::{Decided, Raise};
use crate::alerting::lifecycle::is_silenced;
use crate::alerting::memory::{PollMemory, RememberedCustomer};
use crate::alerting::messages::{Surroundings, late_step, snapshot, steps};
use crate::alerting::recording::{NewAlert, NewStep};
use crate::domain::spike::expected_on;
use crate::domain::{AlertState, Judged, Sample, Silence, SubscriptionCost};

/// What surrounds the alerts about one customer.
#[derive(Debug, Clone, Copy)]
pub struct RaiseContext<'a> {
    /// When they are raised.
    pub now: Timestamp,
    /// What is remembered of polls: before the first good one, alerts are a first account.
    pub polls: &'a PollMemory,
    /// The silences there are.
    pub silences: &'a [Silence],
    /// What each subscription has cost, the costliest first.
    pub subscriptions: &'a [SubscriptionCost],
    /// What is remembered of the customer.
    pub remembered: Option<&'a RememberedCustomer>,
    /// Earlier dates of the customer's data, as far as they are known.
    pub earlier: &'a [Sample],
}

/// The alerts that are raised about one customer.
#[derive(Debug, Default)]
pub struct Raised {
    /// The alerts; those that a silence covers say so.
    pub alerts: Vec<NewAlert>,
    /// The steps that alert no more.
    pub steps: Vec<NewStep>,
}

/// Raises what was decided. `ids` gives the alerts their identities, in the order of
/// `decided.raise`; where it ends, so do the alerts.
pub fn raise(
    judged: &Judged,
    decided: &Decided,
    context: &RaiseContext<'_>,
    ids: &mut impl Iterator<Item = Uuid>,
) -> Raised {
    let assessed = &judged.assessed;
    let mut raised = Raised::default();
    for (raise, id) in decided.raise.iter().zip(ids) {
        raised.steps.extend(steps(id, assessed, raise));
        raised.alerts.push(alert(id, judged, raise, context));
    }
    raised.steps.extend(decided.late.iter().map(|late| late_step(assessed, late)));
    raised
}

fn alert(id: Uuid, judged: &Judged, raise: &Raise, context: &RaiseContext<'_>) -> NewAlert {
    let assessed = &judged.assessed;
    let surroundings = Surroundings {
        now: context.now,
        baseline: context.polls.is_baseline(&raise.rule),
        subscriptions: context.subscriptions,
        seen: context.remembered.map(|remembered| &remembered.seen),
        pushed: context.remembered.and_then(|remembered| remembered.pushed.as_ref()),
        earlier: context.earlier,
    };
    let mut snapshot = snapshot(id, assessed, raise, &surroundings);
    let is_expected = || {
        let (spike, known) = raise.spike.zip(context.remembered)?;
        expected_on(&known.spikes, spike.day)
    };
    if is_silenced(assessed, &raise.rule.name, raise.value, context.silences, context.now)
        || is_expected().is_some()
    {
        snapshot.alert.state = AlertState::Silenced;
    }
    NewAlert { snapshot, notify: raise.notify.clone(), remind_every: raise.remind_every }
}
