//! What would be sent, and to whom, if a configuration took effect now and the data stayed as it
//! was last seen: the very decisions of the next poll, on what is remembered. Nothing is written.

use jiff::Timestamp;
use uuid::Uuid;

use crate::alerting::judging::judged_again;
use crate::alerting::judging::{AsOf, look_back};
use crate::alerting::lifecycle::silenceable;
use crate::alerting::{NewAlert, NewMessage, RaiseContext, RememberedCustomer, decide};
use crate::budgets;
use crate::domain::{AlertState, Route, Silenceable, Verdict};
use crate::ledger::{LedgerError, Reader};
use crate::poll::cycle::is_baseline;
use crate::rules::Rules;

/// What a configuration would do.
#[derive(Debug, Clone, Default)]
pub struct Impact {
    /// The customers that are remembered.
    pub customers: u64,
    /// The alerts it would raise, worst first; silenced ones are told to nobody.
    pub alerts: Vec<NewAlert>,
    /// The messages it would owe.
    pub messages: Vec<NewMessage>,
    /// Rules that are gone, each with how many of its open alerts would be closed.
    pub closed: Vec<(String, u64)>,
    /// Notifiers that are gone, each with how many deliveries owed to them would be given up.
    pub given_up: Vec<(String, u64)>,
}

/// Says what a configuration would do; `seen` is called for each customer.
pub fn impact(
    budgets: &budgets::Config,
    rules: &Rules,
    routes: &[Route],
    reader: &Reader,
    now: Timestamp,
    seen: &mut dyn FnMut(),
) -> Result<Impact, LedgerError> {
    let memory = reader.poll_memory()?;
    let time = AsOf { now, newest: memory.newest };
    let mut impact = Impact::default();
    let mut crossing = Vec::new();
    reader.each_seen(|state| {
        seen();
        impact.customers += 1;
        let alone = RememberedCustomer { seen: state, steps: Vec::new(), samples: Vec::new() };
        let judged = judged_again(budgets, rules, &alone, time);
        // Only the few that have reached a step, or may have by their history, need all that is
        // remembered.
        let may =
            |verdict: &Verdict| matches!(verdict, Verdict::Crossed { .. }) || look_back(rules);
        if judged.evaluations.iter().any(|evaluation| may(&evaluation.verdict)) {
            crossing.push(alone.seen.key());
        }
    })?;
    let silences = reader.silences()?;
    for key in crossing {
        let Some(remembered) = reader.current(&key)? else { continue };
        let judged = judged_again(budgets, rules, &remembered, time);
        for raise in &decide(&judged, Some(&remembered)).raise {
            let baseline = is_baseline(&memory, &raise.rule);
            let occasion = RaiseContext {
                now,
                baseline,
                subscriptions: &[],
                seen: Some(&remembered.seen),
                earlier: &remembered.samples,
            };
            let mut snapshot =
                crate::alerting::snapshot(Uuid::new_v4(), &judged.assessed, raise, &occasion);
            let asked = Silenceable {
                value: raise.value,
                ..silenceable(&judged.assessed, &raise.rule.name)
            };
            if silences.iter().any(|silence| silence.covers(&asked, now)) {
                snapshot.alert.state = AlertState::Silenced;
            }
            impact.alerts.push(NewAlert {
                snapshot,
                notify: raise.notify.clone(),
                remind_every: raise.remind_every,
            });
        }
    }
    impact.messages = crate::alerting::messages(&impact.alerts, routes, Uuid::nil());
    impact.alerts.sort_by(|a, b| a.snapshot.alert.worst_first(&b.snapshot.alert));
    let known: Vec<&str> = rules
        .facts()
        .flat_map(|rule| std::iter::once(&*rule.name).chain(rule.formerly.as_deref()))
        .collect();
    impact.closed = reader
        .open_by_rule()?
        .into_iter()
        .filter(|(rule, _)| !known.contains(&rule.as_str()))
        .collect();
    let gone = |name: &str| routes.iter().all(|route| *route.notifier != *name);
    let owed = reader.owed()?.into_iter().filter(|owed| owed.pending > 0 && gone(&owed.notifier));
    impact.given_up = owed.map(|owed| (owed.notifier, owed.pending)).collect();
    Ok(impact)
}
