//! What a replay keeps of silences, and of the alerts they cover, until they are told or over.
//! Whether they are to be told is [`crate::alerting::lifecycle`]'s to say.

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use crate::alerting::judging::AsOf;
use crate::alerting::lifecycle;
use crate::alerting::lifecycle::Next;
use crate::alerting::{NewAlert, OpenAlert};
use crate::domain::spike::RecordedSpike;
use crate::domain::{AlertState, CustomerKey, Judged, Silence};
use crate::rules::Rules;

/// Silences, and what they cover.
#[derive(Debug, Clone, Default)]
pub(crate) struct SilencedAlerts {
    silences: Vec<Silence>,
    /// Of customers with a silenced alert: the alerts that are not over, from the first silenced
    /// one on.
    alerts: BTreeMap<CustomerKey, Vec<OpenAlert>>,
}

impl SilencedAlerts {
    /// Adds a silence; its number is given here.
    pub(crate) fn silence(&mut self, silence: Silence) -> i64 {
        let id = self.silences.last().map_or(1, |last| last.id.saturating_add(1));
        self.silences.push(Silence { id, ..silence });
        id
    }

    /// Ends a silence before its time.
    pub(crate) fn expire(&mut self, id: i64, now: Timestamp) {
        let ended = self
            .silences
            .iter_mut()
            .filter(|silence| silence.id == id && silence.expired_at.is_none());
        ended.for_each(|silence| silence.expired_at = Some(now));
    }

    /// The silences that may still cover something.
    pub(crate) fn in_force(&self, now: Timestamp) -> Vec<Silence> {
        self.silences.iter().filter(|silence| !silence.is_over(now)).cloned().collect()
    }

    /// Keeps an alert that is silenced, or that was raised after one that is.
    pub(crate) fn keep(&mut self, new: &NewAlert) {
        let alert = &new.snapshot.alert;
        if new.is_told() && (self.alerts.is_empty() || !self.alerts.contains_key(&alert.key())) {
            return;
        }
        self.alerts.entry(alert.key()).or_default().push(OpenAlert {
            snapshot: new.snapshot.clone(),
            rule: alert.rule.clone(),
            notify: new.notify.clone(),
            owed_to: Vec::new(),
            fell_back: Vec::new(),
            remind_every: new.remind_every,
            told_at: alert.raised_at,
            acknowledged: false,
            closing: None,
        });
    }

    /// Gives what was raised under one rule's name to another.
    pub(crate) fn rename_rule(&mut self, before: &str, now: &str) {
        let alerts = self.alerts.values_mut().flatten().filter(|alert| alert.rule == before);
        alerts.for_each(|alert| now.clone_into(&mut alert.rule));
        for silence in &mut self.silences {
            silence.rename_rule(before, now);
        }
    }

    /// Closes the alerts of removed rules.
    pub(crate) fn close_rules(&mut self, rules: &Rules) {
        if self.alerts.is_empty() {
            return;
        }
        let known: Vec<&str> = rules
            .facts()
            .flat_map(|rule| [Some(&*rule.name), rule.formerly.as_deref()])
            .flatten()
            .collect();
        self.alerts
            .values_mut()
            .for_each(|alerts| alerts.retain(|alert| known.contains(&alert.rule.as_str())));
        self.forget_told();
    }

    /// Looks at the customers with silenced alerts, in the light of what the rules say of them now
    /// and which spikes are remembered of them; returns what is told of them, the worst first.
    pub(crate) fn follow_up(
        &mut self,
        silences: &[Silence],
        time: AsOf,
        judged: impl Fn(&CustomerKey) -> Option<(Judged, Vec<RecordedSpike>)>,
    ) -> Vec<NewAlert> {
        let mut told = Vec::new();
        for (key, alerts) in &mut self.alerts {
            let Some((judged, spikes)) = judged(key) else { continue };
            let next = lifecycle::followed(alerts, (&judged, &spikes), silences, time).into_iter();
            for (id, next, notify) in next
                .map(|(alert, next, notify)| (alert.snapshot.alert.id, next, notify))
                .collect::<Vec<_>>()
            {
                follow(alerts, id, next, &notify, &mut told);
            }
        }
        self.forget_told();
        told.sort_by(|a, b| a.snapshot.alert.worst_first(&b.snapshot.alert));
        told
    }

    /// Forgets customers without a silenced alert.
    fn forget_told(&mut self) {
        let silenced = |alert: &OpenAlert| alert.snapshot.alert.state == AlertState::Silenced;
        self.alerts.retain(|_, alerts| alerts.iter().any(silenced));
    }
}

fn follow(
    alerts: &mut Vec<OpenAlert>,
    id: Uuid,
    next: Next,
    notify: &[Box<str>],
    told: &mut Vec<NewAlert>,
) {
    match next {
        Next::Resolve(_) | Next::Supersede => alerts.retain(|alert| alert.snapshot.alert.id != id),
        Next::Release => {
            for alert in alerts.iter_mut().filter(|alert| alert.snapshot.alert.id == id) {
                alert.snapshot.alert.state = AlertState::Raised;
                told.push(lifecycle::released(alert, notify.to_vec()));
            }
        }
        Next::Remind => {}
    }
}
