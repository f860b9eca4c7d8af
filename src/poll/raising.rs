//! Decides about the customers that may alert with all that is known now, and puts what comes of it
//! into a recording.

use std::collections::HashMap;

use jiff::Timestamp;
use uuid::Uuid;

use crate::alerting::case::Case;
use crate::alerting::judging::{Asked, named, remember, samples};
use crate::alerting::spikes::spikes_to_keep;
use crate::alerting::{
    Decided, NewAlert, NewStep, PollMemory, RaiseContext, Recording, RememberedCustomer, raise,
    step,
};
use crate::domain::{CustomerKey, Judged, Silence, SubscriptionCost};
use crate::ledger::{Ledger, LedgerError};
use crate::poll::candidate::{Candidate, Tally};
use crate::poll::confirm::Answer;
use crate::poll::namesakes::new_look;
use crate::poll::turns::Turns;
use crate::rules::Rules;

/// What surrounds the decisions of a poll.
#[derive(Clone, Copy)]
pub(crate) struct Under<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) memory: &'a PollMemory,
    pub(crate) silences: &'a [Silence],
    pub(crate) now: Timestamp,
}

/// What some candidates come to.
#[derive(Default)]
pub(crate) struct Decisions {
    pub(crate) recording: Recording,
    pub(crate) owed: Vec<NewAlert>,
    /// Customers whose budget changed after something was raised about them.
    pub(crate) rebudgeted: Vec<CustomerKey>,
    /// Names that the ledger does not know their customers by yet.
    pub(crate) new_looks: Vec<u64>,
}

/// A candidate about which it is decided.
struct Settled {
    judged: Judged,
    decided: Decided,
    fingerprint: u64,
    remembered: Option<RememberedCustomer>,
    asked: Option<Asked>,
    subscriptions: Vec<SubscriptionCost>,
}

/// Decides about candidates, in the order of their keys. The ledger gives the alerts their
/// identities; nothing is written.
pub(crate) async fn decide_all(
    candidates: HashMap<CustomerKey, Candidate>,
    mut answers: HashMap<CustomerKey, Answer>,
    under: Under<'_>,
    ledger: &Ledger,
    tally: &mut Tally,
) -> Result<Decisions, LedgerError> {
    let mut ordered: Vec<_> = candidates.into_iter().collect();
    ordered.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut turns = Turns::default();
    let mut settled = Vec::with_capacity(ordered.len());
    for (key, candidate) in ordered {
        settled.push(Settled::of(candidate, answers.remove(&key), under));
        turns.done().await;
    }
    let keys = settled.iter().flat_map(Settled::keys).collect();
    let mut ids = ledger.alert_ids(keys).await?.into_iter();
    let recording = Recording { now: under.now, ..Recording::default() };
    let mut decisions = Decisions { recording, ..Decisions::default() };
    for one in settled {
        tally.count(&one.decided);
        one.put(under, &mut ids, &mut decisions);
        turns.done().await;
    }
    Ok(decisions)
}

impl Settled {
    fn of(candidate: Candidate, answer: Option<Answer>, under: Under<'_>) -> Self {
        let Candidate { joined, fingerprint, remembered, aged, .. } = candidate;
        let fresh = answer.as_ref().and_then(|answer| answer.fresh);
        let known = named(remembered.as_ref());
        let named = fresh.map_or_else(|| known.clone(), |fresh| fresh.added_to(known));
        let case = Case {
            joined,
            remembered: remembered.as_ref(),
            named: &named,
            fresh: fresh.as_ref(),
            aged: aged.then_some(under.now),
        };
        let (judged, decided) = case.decide(under.rules);
        let asked = answer.is_some().then_some(Asked { named });
        let subscriptions = answer.map(|answer| answer.subscriptions).unwrap_or_default();
        Self { judged, decided, fingerprint, remembered, asked, subscriptions }
    }

    /// The steps that alerts are raised at, which are their keys.
    fn keys(&self) -> impl Iterator<Item = NewStep> {
        self.decided
            .raise
            .iter()
            .map(|raise| step(Uuid::nil(), &self.judged.assessed, &raise.rule, raise.at, true))
    }

    fn put(self, under: Under<'_>, ids: &mut impl Iterator<Item = Uuid>, into: &mut Decisions) {
        let Self { judged, decided, fingerprint, remembered, asked, subscriptions } = self;
        let remembered = remembered.as_ref();
        let context = RaiseContext {
            now: under.now,
            polls: under.memory,
            silences: under.silences,
            subscriptions: &subscriptions,
            remembered,
            earlier: samples(remembered),
        };
        let raised = raise(&judged, &decided, &context, ids);
        let key = judged.assessed.record.key();
        let spikes = spikes_to_keep(&judged, remembered, &raised.alerts);
        into.recording.spikes.extend(spikes.into_iter().map(|day| (key.clone(), day)));
        into.owed.extend(raised.alerts);
        into.recording.steps.extend(raised.steps);
        into.recording.seen_below.extend(&decided.seen_below);
        into.new_looks.extend(new_look(&judged.assessed, remembered));
        into.rebudgeted.extend(remember(
            &judged,
            fingerprint,
            remembered,
            asked.as_ref(),
            &mut into.recording,
        ));
    }
}
