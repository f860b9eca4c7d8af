//! What a poll does about alerts that were raised before: it looks at those that time may have
//! changed and records what comes of it. What that is, is decided by
//! [`crate::alerting::lifecycle`]; nothing is asked of the source.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use uuid::Uuid;

use crate::alerting::judging::{depth_for, judged_again};
use crate::alerting::lifecycle::{Next, closed, followed, latest, released, still_open_for};
use crate::alerting::{AlertChange, AsOf, Followup, NewAlert, OpenAlert, Recording, Reviewed};
use crate::budgets;
use crate::domain::spike::RecordedSpike;
use crate::domain::{
    AlertState, CustomerKey, Ended, Judged, Latest, Occasion, Route, Silence, Verdict,
};
use crate::ledger::{Ledger, LedgerError, Reader};
use crate::poll::crossing::{CrossingCustomers, hold_if, is_suspicious};
use crate::poll::turns::Turns;
use crate::rules::Rules;

/// Customers that are looked at together: what else the ledger is asked for waits so long.
const AT_ONCE: usize = 500;

/// Earlier alerts that are looked at.
pub(crate) struct FollowUp<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) budgets: &'a budgets::Config,
    pub(crate) rules: &'a Rules,
    pub(crate) routes: &'a [Route],
    pub(crate) silences: &'a [Silence],
    /// The customers whose alerts they are.
    pub(crate) keys: Vec<CustomerKey>,
    /// When they are looked at. Billing periods are ended by the newest date of all data, not by
    /// the clock.
    pub(crate) time: AsOf,
    /// How many changes are recorded together when there are very many.
    pub(crate) slice: usize,
}

impl FollowUp<'_> {
    /// Counts the customers with alerts that a silence has hidden until now among those that cross:
    /// where wrong prices were silenced for a while, its end must not tell all customers at once.
    /// `records` is how many records the poll has read.
    pub(crate) async fn note_releases(
        &self,
        records: u64,
        crossing: &mut CrossingCustomers,
    ) -> Result<(), LedgerError> {
        let hidden = usize::try_from(self.ledger.read(Reader::customers_silenced).await?)
            .unwrap_or(usize::MAX);
        if !is_suspicious(crossing.customers.saturating_add(hidden), records) {
            return Ok(());
        }
        let mut turns = Turns::default();
        for keys in self.keys.chunks(AT_ONCE) {
            for customer in self.review(keys).await? {
                let judged = self.judged(&customer);
                let known = (&judged, &*customer.remembered.spikes);
                let followed = followed(&customer.alerts, known, self.silences, self.time);
                let released: Vec<NewAlert> = followed
                    .into_iter()
                    .filter(|(_, next, _)| *next == Next::Release)
                    .map(|(alert, _, notify)| released(alert, notify))
                    .collect();
                crossing.add(&released);
                turns.done().await;
            }
        }
        Ok(())
    }

    /// Looks at the alerts and records what comes of it; returns how many messages are owed by it,
    /// those to customers held where `hold`.
    pub(crate) async fn record(self, hold: bool) -> Result<usize, LedgerError> {
        let (mut told, mut owed, mut in_slices) = (Told::by(self.routes), 0, false);
        let mut turns = Turns::default();
        for keys in self.keys.chunks(AT_ONCE) {
            for customer in self.review(keys).await? {
                let judged = self.judged(&customer);
                let known = (&judged, &*customer.remembered.spikes);
                let followed = followed(&customer.alerts, known, self.silences, self.time);
                for (alert, next, notify) in &followed {
                    let still_open_for = still_open_for(alert, &customer.alerts, &followed);
                    let notify = self.reachable(notify.clone(), alert, &judged);
                    told.note(alert, *next, (notify, still_open_for), known);
                }
                turns.done().await;
            }
            if told.changes.len() >= self.slice {
                in_slices = true;
                let told = std::mem::replace(&mut told, Told::by(self.routes));
                owed += self.record_told(told, hold, in_slices).await?;
            }
        }
        owed += self.record_told(told, hold, in_slices).await?;
        if in_slices {
            self.ledger.write_digests(self.routes, self.time.now).await?;
        }
        Ok(owed)
    }

    async fn review(&self, keys: &[CustomerKey]) -> Result<Vec<Reviewed>, LedgerError> {
        self.ledger.review(keys.to_vec(), depth_for(self.rules), self.time.newest).await
    }

    fn judged(&self, customer: &Reviewed) -> Judged {
        judged_again(self.budgets, self.rules, &customer.remembered, self.time)
    }

    async fn record_told(
        &self,
        told: Told,
        hold: bool,
        in_slices: bool,
    ) -> Result<usize, LedgerError> {
        let identity = self.ledger.identity();
        let mut recording = told.into_recording(identity, self.routes, self.time.now, in_slices);
        hold_if(hold, &mut recording.messages);
        let owed = recording.messages.len() + recording.gathered.len();
        if !recording.is_empty() {
            self.ledger.record(recording).await?;
        }
        Ok(owed)
    }

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

/// What is told of a poll's followed alerts, by occasion.
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
        (notify, still_open_for): (Vec<Box<str>>, Vec<Box<str>>),
        known: (&Judged, &[RecordedSpike]),
    ) {
        let assessed = &known.0.assessed;
        let id = alert.snapshot.alert.id;
        let ended = if let Next::Resolve(ended) = next { Some(ended) } else { None };
        let followup = |notify: Vec<Box<str>>| Followup {
            alert: alert.snapshot.alert.clone(),
            latest: alert
                .closing
                .filter(|_| ended == Some(Ended::Period) && !alert.snapshot.context.carried_over)
                .map_or_else(|| latest(alert, known, ended), |closing| closed(alert, closing)),
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
                self.latest.insert(id, latest(alert, known, None));
                let mut released = released(alert, notify);
                let context = &mut released.snapshot.context;
                context.contacts.clone_from(&assessed.profile.contacts);
                context.pushed.take_if(|pushed| !pushed.is_awaited(assessed.record.budget));
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
    fn into_recording(
        self,
        ledger: Uuid,
        routes: &[Route],
        now: Timestamp,
        in_slices: bool,
    ) -> Recording {
        let (mut messages, mut gathered) = if in_slices {
            crate::alerting::slice(&self.released, routes, ledger)
        } else {
            (crate::alerting::messages(&self.released, routes, ledger), Vec::new())
        };
        let latest = |id| self.latest.get(&id).cloned();
        for message in &mut messages {
            message.content.know_latest(latest);
        }
        for gathered in &mut gathered {
            gathered.latest = latest(gathered.alert);
        }
        for (occasion, told) in
            [(Occasion::Reminder, &self.reminders), (Occasion::Resolved, &self.resolved)]
        {
            if in_slices {
                let (alone, together) =
                    crate::alerting::slice_of_followups(occasion, told, routes, ledger);
                messages.extend(alone);
                gathered.extend(together);
            } else {
                messages.extend(crate::alerting::followups(occasion, told, routes, ledger));
            }
        }
        Recording { now, changes: self.changes, messages, gathered, ..Recording::default() }
    }
}
