//! What a poll does about alerts that were raised before: it looks at those that time may have
//! changed and records what comes of it. What that is, is decided by
//! [`crate::alerting::lifecycle`]; nothing is asked of the source.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use uuid::Uuid;

use crate::alerting::judging::{judged_again, samples_for};
use crate::alerting::lifecycle::{Next, closed, followed, latest, released, still_open_for};
use crate::alerting::{AlertChange, AsOf, Followup, NewAlert, OpenAlert, Recording};
use crate::domain::{
    AlertState, Assessed, CustomerKey, Ended, Judged, Latest, MessageKind, Route, Silence, Verdict,
};
use crate::ledger::LedgerError;
use crate::poll::Cycle;
use crate::poll::cycle::hold_if;
use crate::poll::findings::is_suspicious;
use crate::poll::slices::Recorded;
use crate::poll::turns::Turns;

/// Customers that are looked at together: what else the ledger is asked for waits so long.
const AT_ONCE: usize = 500;

/// The customers whose earlier alerts are looked at, and when.
pub(crate) struct ToFollow {
    keys: Vec<CustomerKey>,
    time: AsOf,
}

impl Cycle {
    /// The customers with alerts that time may have changed, and those named. `newest` is the
    /// newest date of all data: it, not the clock, ends billing periods.
    pub(crate) async fn to_follow(
        &self,
        rebudgeted: Vec<CustomerKey>,
        newest: Option<Timestamp>,
    ) -> Result<ToFollow, LedgerError> {
        let now = self.clock.now();
        let keys = self.ledger.to_review(rebudgeted, now, newest).await?;
        Ok(ToFollow { keys, time: AsOf { now, newest } })
    }

    /// Counts the customers with alerts that a silence has hidden until now among those that cross:
    /// where wrong prices were silenced for a while, its end must not tell all customers at once.
    pub(crate) async fn note_releases(
        &self,
        to_follow: &ToFollow,
        silences: &[Silence],
        records: u64,
        recorded: &mut Recorded,
    ) -> Result<(), LedgerError> {
        let hidden = usize::try_from(self.ledger.customers_silenced().await?).unwrap_or(usize::MAX);
        if !is_suspicious(recorded.crossing.customers.saturating_add(hidden), records) {
            return Ok(());
        }
        let ToFollow { keys, time } = to_follow;
        let mut turns = Turns::default();
        for keys in keys.chunks(AT_ONCE) {
            for customer in
                self.ledger.review(keys.to_vec(), samples_for(&self.rules), time.newest).await?
            {
                let judged = judged_again(&self.budgets, &self.rules, &customer.remembered, *time);
                let followed = followed(&customer.alerts, &judged, silences, *time).into_iter();
                let told = followed
                    .filter(|(_, next, _)| *next == Next::Release)
                    .map(|(alert, _, notify)| released(alert, notify));
                recorded.crossing.add(&told.collect::<Vec<_>>());
                turns.done().await;
            }
        }
        recorded.hold |= is_suspicious(recorded.crossing.customers, records);
        Ok(())
    }

    /// Looks at alerts that were raised before; returns how many messages are owed by it, those to
    /// customers held where `hold`.
    pub(crate) async fn follow_up(
        &self,
        to_follow: ToFollow,
        silences: &[Silence],
        hold: bool,
    ) -> Result<usize, LedgerError> {
        let ToFollow { keys, time } = to_follow;
        let now = time.now;
        let (mut told, mut owed, mut in_slices) = (Told::by(&self.routes), 0, false);
        let mut turns = Turns::default();
        for keys in keys.chunks(AT_ONCE) {
            let reviewed =
                self.ledger.review(keys.to_vec(), samples_for(&self.rules), time.newest).await?;
            for customer in &reviewed {
                let judged = judged_again(&self.budgets, &self.rules, &customer.remembered, time);
                let followed = followed(&customer.alerts, &judged, silences, time);
                for (alert, next, notify) in &followed {
                    let still_open_for = still_open_for(alert, &customer.alerts, &followed);
                    told.note(
                        alert,
                        *next,
                        self.reachable(notify.clone(), alert, &judged),
                        still_open_for,
                        &judged.assessed,
                    );
                }
                turns.done().await;
            }
            if told.changes.len() >= self.slice {
                in_slices = true;
                owed += self
                    .record_told(
                        std::mem::replace(&mut told, Told::by(&self.routes)),
                        now,
                        hold,
                        in_slices,
                    )
                    .await?;
            }
        }
        owed += self.record_told(told, now, hold, in_slices).await?;
        if in_slices {
            self.ledger.write_digests(&self.routes, now).await?;
        }
        Ok(owed)
    }

    async fn record_told(
        &self,
        told: Told,
        now: Timestamp,
        hold: bool,
        in_slices: bool,
    ) -> Result<usize, LedgerError> {
        let mut recording = told.into_recording(self, now, in_slices);
        hold_if(hold, &mut recording.messages);
        let owed = recording.messages.len() + recording.gathered.len();
        if !recording.is_empty() {
            self.ledger.record(recording).await?;
        }
        Ok(owed)
    }
}

impl Cycle {
    /// The notifiers that are still there; where none is, those that the rule names today.
    fn reachable(
        &self,
        notify: Vec<Box<str>>,
        alert: &OpenAlert,
        judged: &Judged,
    ) -> Vec<Box<str>> {
        let there = |name: &str| self.routes.iter().any(|route| *route.notifier == *name);
        if notify.is_empty() || notify.iter().any(|name| there(name)) {
            return notify;
        }
        let of_rule = judged.evaluations.iter().find(|one| *one.rule.name == *alert.rule);
        match of_rule.map(|one| &one.verdict) {
            Some(Verdict::Crossed { crossing, .. }) => {
                crossing.highest().map(|step| step.notify.to_vec()).unwrap_or_default()
            }
            _ => notify,
        }
    }
}

/// What is told of a poll's followed alerts, by kind.
#[derive(Default)]
struct Told {
    changes: Vec<AlertChange>,
    released: Vec<NewAlert>,
    latest: HashMap<Uuid, Latest>,
    reminders: Vec<Followup>,
    resolved: Vec<Followup>,
    /// The notifiers that are told when an alert is over.
    hears_of_ends: HashSet<Box<str>>,
}

impl Told {
    fn by(routes: &[Route]) -> Self {
        let hears = routes.iter().filter(|route| route.is_owed() && route.send_resolved);
        Self {
            hears_of_ends: hears.map(|route| route.notifier.clone()).collect(),
            ..Self::default()
        }
    }

    fn note(
        &mut self,
        alert: &OpenAlert,
        next: Next,
        notify: Vec<Box<str>>,
        still_open_for: Vec<Box<str>>,
        assessed: &Assessed,
    ) {
        let id = alert.snapshot.alert.id;
        let ended = if let Next::Resolve(ended) = next { Some(ended) } else { None };
        let followup = |notify: Vec<Box<str>>| Followup {
            alert: alert.snapshot.alert.clone(),
            latest: alert
                .closing
                .filter(|_| ended == Some(Ended::Period) && !alert.snapshot.context.carried_over)
                .map_or_else(
                    || latest(alert.snapshot.alert.metric, assessed, ended),
                    |closing| closed(alert, closing),
                ),
            contacts: assessed.profile.contacts.clone(),
            notify,
            still_open_for,
        };
        match next {
            Next::Resolve(_) => {
                self.changes.push(AlertChange::Resolved(id));
                // Of what nobody was told, nobody is told that it is over.
                let was_told = alert.snapshot.alert.state == AlertState::Raised;
                let somebody_hears = notify.iter().any(|name| self.hears_of_ends.contains(name));
                self.resolved.extend((was_told && somebody_hears).then(|| followup(notify)));
            }
            // Its news is in what is told of the other one.
            Next::Supersede => self.changes.push(AlertChange::Resolved(id)),
            Next::Release => {
                self.changes.push(AlertChange::Released(id));
                self.latest.insert(id, latest(alert.snapshot.alert.metric, assessed, None));
                let mut released = released(alert, notify);
                released.snapshot.context.contacts.clone_from(&assessed.profile.contacts);
                self.released.push(released);
            }
            Next::Remind => {
                self.changes.push(AlertChange::Reminded(id));
                self.reminders.push(followup(notify));
            }
        }
        tracing::info!(alert.r#ref = %alert.snapshot.alert.reference, rule = alert.rule, "{}", next.in_words());
    }

    /// What is recorded of it: all of a poll, or a slice of very many.
    fn into_recording(self, cycle: &Cycle, now: Timestamp, in_slices: bool) -> Recording {
        let (ledger, routes) = (cycle.ledger.identity(), &cycle.routes);
        let (mut messages, mut gathered) = if in_slices {
            crate::alerting::slice(&self.released, routes, ledger)
        } else {
            (crate::alerting::messages(&self.released, routes, ledger), Vec::new())
        };
        let latest = |id: &Uuid| self.latest.get(id).cloned();
        for message in &mut messages {
            message.latest = message.alerts.iter().filter_map(latest).collect();
        }
        for gathered in &mut gathered {
            gathered.latest = latest(&gathered.alert);
        }
        for (kind, told) in
            [(MessageKind::Reminder, &self.reminders), (MessageKind::Resolved, &self.resolved)]
        {
            if in_slices {
                let (alone, together) =
                    crate::alerting::slice_of_followups(kind, told, routes, ledger);
                messages.extend(alone);
                gathered.extend(together);
            } else {
                messages.extend(crate::alerting::followups(kind, told, routes, ledger));
            }
        }
        Recording { now, changes: self.changes, messages, gathered, ..Recording::default() }
    }
}

/// The silences that may still cover something at `now`.
pub(crate) async fn in_force(cycle: &Cycle, now: Timestamp) -> Result<Vec<Silence>, LedgerError> {
    let mut silences = cycle.ledger.silences().await?;
    silences.retain(|silence| silence.is_in_force(now));
    Ok(silences)
}
