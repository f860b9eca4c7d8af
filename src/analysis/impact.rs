//! What would be sent, and to whom, if a configuration took effect now and the data stayed as it
//! was last seen: the very decisions of the next poll, on what is remembered. Nothing is written.

use jiff::Timestamp;
use uuid::Uuid;

use crate::alerting::judging::{AsOf, judged_again, look_back};
use crate::alerting::{NewAlert, NewMessage, RaiseContext, RememberedCustomer, decide, raise};
use crate::budgets;
use crate::domain::{Route, Verdict};
use crate::ledger::{LedgerError, Reader};
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
        let alone = RememberedCustomer {
            seen: state,
            steps: Vec::new(),
            samples: Vec::new(),
            spikes: Vec::new(),
            pushed: None,
        };
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
        let context = RaiseContext {
            now,
            polls: &memory,
            silences: &silences,
            subscriptions: &[],
            remembered: Some(&remembered),
            earlier: &remembered.samples,
        };
        let decided = decide(&judged, Some(&remembered));
        let mut ids = std::iter::repeat_with(Uuid::new_v4);
        impact.alerts.extend(raise(&judged, &decided, &context, &mut ids).alerts);
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
