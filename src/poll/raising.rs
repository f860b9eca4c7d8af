//! Decides about the customers that may alert with all that is known now, and puts what comes of it
//! into a recording.

use std::collections::HashMap;

use jiff::Timestamp;
use uuid::Uuid;

use crate::alerting::judging::{Asked, judge, last_seen, named};
use crate::alerting::judging::{remember, samples};
use crate::alerting::lifecycle;
use crate::alerting::{
    Decided, NewAlert, NewStep, Raise, RaiseContext, Recording, RememberedCustomer, decide,
};
use crate::domain::{AlertState, CustomerKey, Judged, Silence, SubscriptionCost};
use crate::ledger::{LedgerError, PollMemory};
use crate::poll::Cycle;
use crate::poll::confirm::Answer;
use crate::poll::cycle::is_baseline;
use crate::poll::intake::{Candidate, Tally};
use crate::poll::namesakes::new_look;
use crate::poll::turns::Turns;

/// What surrounds the decisions of a poll.
#[derive(Clone, Copy)]
pub(crate) struct Under<'a> {
    pub(crate) memory: &'a PollMemory,
    pub(crate) silences: &'a [Silence],
    pub(crate) now: Timestamp,
}

/// What some candidates come to.
#[derive(Default)]
pub(crate) struct Raised {
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

impl Settled {
    /// The steps that alerts are raised at, which are their keys.
    fn keys(&self) -> impl Iterator<Item = NewStep> {
        self.decided.raise.iter().map(|raise| {
            crate::alerting::step(Uuid::nil(), &self.judged.assessed, &raise.rule, raise.at, true)
        })
    }
}

impl Cycle {
    /// Decides about candidates, in the order of their keys.
    pub(crate) async fn raise(
        &self,
        candidates: HashMap<CustomerKey, Candidate>,
        mut answers: HashMap<CustomerKey, Answer>,
        under: Under<'_>,
        tally: &mut Tally,
    ) -> Result<Raised, LedgerError> {
        let mut ordered: Vec<_> = candidates.into_iter().collect();
        ordered.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut turns = Turns::default();
        let mut settled = Vec::with_capacity(ordered.len());
        for (key, candidate) in ordered {
            settled.push(self.settle(candidate, answers.remove(&key), under.now));
            turns.done().await;
        }
        let mut ids = self
            .ledger
            .alert_ids(settled.iter().flat_map(Settled::keys).collect())
            .await?
            .into_iter();
        let mut raised = Raised {
            recording: Recording { now: under.now, ..Recording::default() },
            ..Raised::default()
        };
        for one in settled {
            tally.count(&one.decided);
            one.put(under, &mut ids, &mut raised);
            turns.done().await;
        }
        Ok(raised)
    }

    fn settle(&self, candidate: Candidate, answer: Option<Answer>, now: Timestamp) -> Settled {
        let Candidate { joined, fingerprint, remembered, aged, .. } = candidate;
        let last = remembered.as_ref().map(|remembered| last_seen(&remembered.seen));
        let fresh = answer.as_ref().and_then(|answer| answer.fresh);
        let named = fresh.map_or_else(
            || named(remembered.as_ref()).clone(),
            |fresh| fresh.added_to(named(remembered.as_ref())),
        );
        let assessed = joined.place(last.as_ref(), &named, fresh.as_ref());
        let judged =
            judge(&self.rules, assessed, samples(remembered.as_ref()), aged.then_some(now));
        let decided = decide(&judged, remembered.as_ref());
        let asked = answer.is_some().then_some(Asked { named });
        let subscriptions = answer.map(|answer| answer.subscriptions).unwrap_or_default();
        Settled { judged, decided, fingerprint, remembered, asked, subscriptions }
    }
}

impl Settled {
    fn put(self, under: Under<'_>, ids: &mut impl Iterator<Item = Uuid>, into: &mut Raised) {
        let Self { judged, decided, fingerprint, remembered, asked, subscriptions } = self;
        let assessed = &judged.assessed;
        for (raise, id) in decided.raise.iter().zip(ids) {
            let occasion = RaiseContext {
                now: under.now,
                baseline: is_baseline(under.memory, &raise.rule),
                subscriptions: &subscriptions,
                seen: remembered.as_ref().map(|remembered| &remembered.seen),
                earlier: samples(remembered.as_ref()),
            };
            let Raise { notify, remind_every, .. } = raise;
            let mut snapshot = crate::alerting::snapshot(id, assessed, raise, &occasion);
            if lifecycle::is_silenced(
                assessed,
                &raise.rule.name,
                raise.value,
                under.silences,
                under.now,
            ) {
                snapshot.alert.state = AlertState::Silenced;
            }
            into.recording.steps.extend(crate::alerting::steps(id, assessed, raise));
            into.owed.push(NewAlert {
                snapshot,
                notify: notify.clone(),
                remind_every: *remind_every,
            });
        }
        into.recording
            .steps
            .extend(decided.late.iter().map(|late| crate::alerting::late_step(assessed, late)));
        into.recording.seen_below.extend(&decided.seen_below);
        into.new_looks.extend(new_look(assessed, remembered.as_ref()));
        into.rebudgeted.extend(remember(
            &judged,
            fingerprint,
            remembered.as_ref(),
            asked.as_ref(),
            &mut into.recording,
        ));
    }
}
