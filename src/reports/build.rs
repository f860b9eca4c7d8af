//! Puts a report together from what the ledger remembers, in one pass over the customers; memory
//! does not grow with their number. When it is due is [`crate::reports::ReportSchedule`]'s, what it
//! looks like is `notify`'s.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::alerting::{Content, NewMessage};
use crate::budgets;
use crate::domain::{
    Audience, Backlog, BudgetLost, DataQuality, EventCode, FindingCode, Report, Route, Severity,
    Top, Trust,
};
use crate::ledger::{LedgerError, OpenFinding, Reader};
use crate::poll::namesakes;
use crate::reports::Scope;
use crate::reports::survey::Survey;
use crate::reports::top::LISTED;
use crate::rules::Rules;

/// So many digits of the hash of all that is recorded are shown.
const RECORD_DIGITS: usize = 16;
/// No more troubles than these are named.
const TROUBLES: usize = 5;

/// Puts a report together. It reads beside whoever writes, and may take some seconds for very many
/// customers.
pub fn report(
    reader: &Reader,
    budgets: &budgets::Config,
    rules: &Rules,
    scope: Scope,
) -> Result<Report, LedgerError> {
    let Scope { every, since, now } = scope;
    let polls = reader.polls()?;
    let states = reader.notifier_states()?.into_iter().filter(|(_, state)| state.failures > 0);
    let failing: Vec<String> = states.map(|(name, _)| name).collect();
    let names: BTreeSet<Box<str>> = failing.iter().map(|name| name.as_str().into()).collect();
    let mut survey = Survey::new(budgets, rules, &names, scope);
    let span = now.duration_since(since).max(SignedDuration::ZERO);
    reader.each_cost_history(span, |course| survey.take(&course))?;
    let events = Events::of(reader, since)?;
    let good = polls.last_good.as_ref();
    let owed = reader.owed()?;
    let found = survey.finish();
    let mut report = Report {
        every,
        at: now,
        since,
        trust: Trust {
            customers: found.customers,
            stale: found.stale,
            last_good_poll: good.map(|poll| poll.at),
            last_poll_good: polls.last.as_ref().is_some_and(|poll| poll.good),
            newest_data: good.and_then(|poll| poll.newest),
            failing_notifiers: failing,
            trouble: trouble(reader.findings()?),
            silences: silences(reader, now)?,
        },
        alerts: reader.open_by_severity()?,
        deliveries: Backlog {
            owed: owed.iter().map(|owed| owed.pending).sum(),
            oldest: owed.iter().filter_map(|owed| owed.oldest).min(),
            dead: owed.iter().map(|owed| owed.dead).sum(),
        },
        coverage: found.coverage,
        over_budget: found.over_budget,
        growth: found.growth,
        unbudgeted: found.unbudgeted,
        repeatedly_over: found.repeatedly_over,
        budgets_lost: events.budgets_lost,
        data: DataQuality {
            missing: reader.missing()?,
            skipped: polls.last.as_ref().map_or(0, |poll| poll.skipped),
            currency_unknown: found.currency_unknown,
            ..events.data
        },
        security: reader.security_summary(now)?,
        record: reader.head()?.chars().take(RECORD_DIGITS).collect(),
    };
    namesakes::mark_report(reader, &mut report)?;
    Ok(report)
}

/// The messages that a report is owed by: one for each route.
pub fn report_messages(report: &Report, routes: &[Route], ledger: Uuid) -> Vec<NewMessage> {
    let message = |route: &Route| NewMessage {
        identity: Uuid::nil(),
        notifier: route.notifier.clone(),
        recipients: route.recipients.clone(),
        content: Content::Report(Box::new(report.clone())),
        severity: Severity::Info,
        audience: Audience::Partner,
        held: false,
    };
    routes.iter().map(|route| message(route).identified(ledger)).collect()
}

/// What is wrong with the daemon itself; what the report tells by its own numbers is left out.
fn trouble(findings: Vec<OpenFinding>) -> Vec<String> {
    let told = |code| {
        matches!(
            code,
            FindingCode::NotifierFailing | FindingCode::DeliveryDead | FindingCode::CoverageGrew
        )
    };
    let open = findings.into_iter().map(|open| open.finding).filter(|finding| !told(finding.code));
    open.take(TROUBLES).map(|finding| finding.summary).collect()
}

/// How many silences are in force.
fn silences(reader: &Reader, now: Timestamp) -> Result<u64, LedgerError> {
    let in_force = reader.silences()?.iter().filter(|silence| silence.is_in_force(now)).count();
    Ok(u64::try_from(in_force).unwrap_or(u64::MAX))
}

/// What happened to the data since the last report.
#[derive(Debug, Default)]
struct Events {
    budgets_lost: Top<BudgetLost>,
    data: DataQuality,
}

impl Events {
    fn of(reader: &Reader, since: Timestamp) -> Result<Self, LedgerError> {
        let mut events = Self::default();
        for (id, name, event) in reader.events_since(since)?.into_iter().rev() {
            match event.code {
                EventCode::BudgetCut | EventCode::BudgetRemoved => {
                    events.budgets_lost.total += 1;
                    if events.budgets_lost.items.len() < LISTED {
                        let lost = BudgetLost {
                            id,
                            name,
                            at: event.at,
                            code: event.code,
                            detail: event.detail,
                            has_namesake: false,
                        };
                        events.budgets_lost.items.push(lost);
                    }
                }
                EventCode::CostFell => events.data.costs_fell += 1,
                EventCode::PercentsDisagree => events.data.percents_disagree += 1,
                EventCode::BudgetRaised
                | EventCode::BudgetSet
                | EventCode::Disappeared
                | EventCode::Returned => {}
            }
        }
        Ok(events)
    }
}
