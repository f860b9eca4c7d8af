//! One poll: read → assess → evaluate → confirm → record. What is owed afterwards is the ledger's;
//! sending it is [`crate::delivery::DeliveryWorker`]'s.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alerting::NewMessage;
use crate::budgets;
use crate::clock::Clock;
use crate::delivery::OperatorFindings;
use crate::domain::{AlertSnapshot, Audience, CustomerKey, OperatorFinding, Route, Suppression};
use crate::ledger::{AlertRows, Ledger, LedgerError, PollMemory, PollResult};
use crate::metrics::Metrics;
use crate::poll::confirm;
use crate::poll::confirm::Answers;
use crate::poll::cost_breakdown;
use crate::poll::follow_up;
use crate::poll::intake::{Candidate, Intake, Tally};
use crate::poll::raising::Under;
use crate::poll::slices::{Before, CrossingCustomers, Recorded};
use crate::poll::subscriptions;
use crate::poll::subscriptions::Unread;
use crate::rules::Rules;
use crate::source::{ReadReport, Source};

/// All that a poll needs.
pub struct Cycle {
    /// Where usage is read from.
    pub source: Source,
    /// What is known of customers locally.
    pub budgets: budgets::Config,
    /// The rules.
    pub rules: Rules,
    /// Where alerts can go.
    pub routes: Vec<Route>,
    /// Where findings are told.
    pub findings: OperatorFindings,
    /// What is remembered.
    pub ledger: Ledger,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The instruments.
    pub metrics: Metrics,
    /// Customers whose subscriptions could not be read by the last poll: the next one asks about
    /// them first.
    pub ask_first: Mutex<BTreeSet<CustomerKey>>,
    /// How many customers that may alert are recorded together when there are very many.
    pub slice: usize,
}

/// Crossings that raised no alert of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppressed {
    /// Pairs of customer and rule whose highest crossed step was raised or passed before.
    pub duplicate: u64,
    /// Steps recorded as passed.
    pub passed: u64,
    /// Alerts recorded as silenced.
    pub silenced: u64,
}

/// What a poll did.
#[derive(Debug, Clone)]
pub struct CycleReport {
    /// Usable records.
    pub records: u64,
    /// Records that could not be used.
    pub skipped: u64,
    /// What it raised, worst first; of a mass crossing the worst.
    pub alerts: Vec<AlertSnapshot>,
    /// How many alerts it raised.
    pub raised: u64,
    /// Where the ledger has all of them, of a mass crossing.
    pub rows: Option<AlertRows>,
    /// The customers of those that are no first account.
    pub crossing: CrossingCustomers,
    /// What it kept silent.
    pub suppressed: Suppressed,
    /// Whether the source was read whole.
    pub good: bool,
    /// What went wrong or was odd, in words.
    pub errors: Vec<String>,
    /// The newest date of the data.
    pub newest: Option<Timestamp>,
    /// Why the source could not be read whole, for the operator.
    pub failure: Option<OperatorFinding>,
    /// The source asked not to be polled again before this time is over.
    pub retry_after: Option<Duration>,
}

/// How long a poll may ask about single customers, all together: its alerts wait no longer.
const ASKING: Duration = Duration::from_mins(1);

impl Cycle {
    /// Polls once. `accept_empty` takes an answer without items for the truth.
    ///
    /// Fails when the ledger cannot be read or written; what was not recorded is found again by the
    /// next poll.
    pub async fn run(&self, accept_empty: bool) -> Result<CycleReport, LedgerError> {
        let started = self.clock.monotonic();
        let result = Box::pin(self.poll(accept_empty)).await;
        self.metrics
            .poll_duration
            .observe((self.clock.monotonic().saturating_sub(started)).as_secs_f64());
        let good = result.as_ref().is_ok_and(|report| report.good);
        self.metrics.polls.with_label_values(&[if good { "ok" } else { "failed" }]).inc();
        result
    }

    async fn poll(&self, accept_empty: bool) -> Result<CycleReport, LedgerError> {
        let now = self.clock.now();
        let memory = self.ledger.poll_memory().await?;
        // A clock set back must not make sound dates look like the future's, nor sound silences.
        let dated = memory.last_good_at.map_or(now, |last| last.max(now));
        self.ledger.rename_rules(self.renames()).await?;
        // What a poll that was killed had gathered for digests.
        self.ledger.write_digests(&self.routes, now).await?;
        let silences = follow_up::in_force(self, dated).await?;
        let recorded = Recorded::going_on_with(self.ledger.interim().await?);
        let mut intake =
            Intake::new(self, now, Before { memory: &memory, silences: &silences }, recorded);
        let mut read = self.source.read(dated, &mut intake).await;
        let asking_since = self.clock.monotonic();
        let unread = self.read_subscriptions(&read, &mut intake).await;
        let left = ASKING.saturating_sub(self.clock.monotonic().saturating_sub(asking_since));
        intake.finish(read.newest).await;
        let gone = intake.gone();
        let never_seen = intake.never_seen(&unread.keys);
        let (unknown, idle) = (intake.unknown(), intake.idle());
        let Intake {
            candidates,
            below,
            mut tally,
            failure,
            mut rebudgeted,
            returned,
            mut recorded,
            ..
        } = intake;
        if let Some(error) = failure {
            return Err(error);
        }
        let unexpectedly_empty = is_unexpectedly_empty(&read, &memory, accept_empty);
        let answers = self.ask(&read, &candidates, left).await;
        let mut retry_after = answers.retry_after.max(unread.retry_after);
        tally.unread = unread.customers;
        tally.never_seen = never_seen;
        (tally.unknown, tally.idle) = (unknown, idle);
        let silences = follow_up::in_force(self, dated).await?;
        let under = Under { memory: &memory, silences: &silences, now: self.clock.now() };
        let mut raised = self.raise(candidates, answers.by_customer, under, &mut tally).await?;
        raised.recording.seen_below.extend(below.into_values().flatten());
        rebudgeted.append(&mut raised.rebudgeted);
        if is_welcome(&read) && retry_after.is_none() {
            let left = ASKING.saturating_sub(self.clock.monotonic().saturating_sub(asking_since));
            retry_after = cost_breakdown::fill(self, &mut raised.owed, left).await;
        }
        let can_judge = recorded.can_judge(read.records);
        self.record(raised, &mut recorded, can_judge.then_some(read.records)).await?;
        if !can_judge {
            recorded.crossing = CrossingCustomers::default();
        }
        if let Some(rows) = &mut recorded.rows {
            rows.to = self.ledger.last_alert().await?;
        }
        if recorded.in_slices {
            self.ledger.write_digests(&self.routes, self.clock.now()).await?;
        }
        let followed = self.to_follow(rebudgeted, read.newest).await?;
        let records = read.records.max(memory.last_good_items.unwrap_or_default());
        self.note_releases(&followed, &silences, records, &mut recorded).await?;
        self.follow_up(followed, &silences, recorded.hold).await?;
        if unexpectedly_empty {
            read.errors.push(empty(&memory).to_owned());
        }
        let good = read.failure.is_none() && !unexpectedly_empty;
        if good && !read.short {
            self.ledger.note_presence(gone, true, now).await?;
        }
        self.ledger.note_presence(returned, false, now).await?;
        let report = self.report(read, retry_after, good, recorded, &tally);
        self.tell(&report, &tally, unexpectedly_empty).await?;
        Ok(report)
    }

    /// Rules that say what they were called before: (before, now).
    fn renames(&self) -> Vec<(Box<str>, Box<str>)> {
        self.rules
            .facts()
            .filter_map(|rule| Some((rule.formerly.clone()?, rule.name.clone())))
            .collect()
    }

    /// Reads the subscriptions that have budgets of their own, unless the source has just said that
    /// it must not be asked.
    async fn read_subscriptions(&self, read: &ReadReport, intake: &mut Intake<'_>) -> Unread {
        let subscribed = intake.subscribed().await;
        if subscribed.is_empty() || !is_welcome(read) {
            return Unread::default();
        }
        let unread = subscriptions::read(self, subscribed, intake).await;
        self.ask_first.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&unread.keys);
        unread
    }

    /// Asks about the candidates, unless the source has just said that it must not or cannot be
    /// asked.
    async fn ask(
        &self,
        read: &ReadReport,
        candidates: &HashMap<CustomerKey, Candidate>,
        time: Duration,
    ) -> Answers {
        if candidates.is_empty() || !is_welcome(read) {
            Answers::default()
        } else {
            confirm::ask(self, candidates, time).await
        }
    }

    fn report(
        &self,
        read: ReadReport,
        asked: Option<Duration>,
        good: bool,
        recorded: Recorded,
        tally: &Tally,
    ) -> CycleReport {
        let suppressed = Suppressed {
            duplicate: tally.duplicates,
            passed: tally.passed,
            silenced: recorded.silenced,
        };
        let count = |kind: Suppression, number| {
            self.metrics.alerts_suppressed.with_label_values(&[kind.as_str()]).inc_by(number)
        };
        count(Suppression::Duplicate, suppressed.duplicate);
        count(Suppression::Passed, suppressed.passed);
        count(Suppression::Silenced, suppressed.silenced);
        CycleReport {
            records: read.records,
            skipped: read.skipped,
            alerts: recorded.alerts,
            raised: recorded.raised,
            rows: recorded.rows,
            crossing: recorded.crossing,
            suppressed,
            good,
            newest: read.newest,
            retry_after: read
                .failure
                .as_ref()
                .and_then(crate::source::SourceError::retry_after)
                .max(asked),
            failure: read.failure.as_ref().map(crate::source::SourceError::finding),
            errors: read.errors,
        }
    }

    /// Tells the log, the metrics and the operator, and remembers the poll.
    async fn tell(
        &self,
        report: &CycleReport,
        tally: &Tally,
        unexpectedly_empty: bool,
    ) -> Result<(), LedgerError> {
        self.count(report);
        if report.good {
            self.count_customers(tally);
        }
        let uncovered = self.tell_operator(report, tally, unexpectedly_empty).await?;
        let result = PollResult {
            at: self.clock.now(),
            good: report.good,
            records: report.records,
            skipped: report.skipped,
            alerts: report.raised,
            newest: report.newest,
            errors: report.errors.clone(),
            uncovered,
            rules: self.rules.facts().map(|rule| rule.name.clone()).collect(),
        };
        self.ledger.finish_poll(result).await?;
        let known = self
            .rules
            .facts()
            .flat_map(|rule| std::iter::once(rule.name.clone()).chain(rule.formerly.clone()))
            .collect();
        self.ledger.close_rules(known, &self.routes, self.clock.now()).await?;
        self.ledger.forget_old(self.clock.now()).await?;
        Ok(())
    }

    /// What is said of all customers together.
    fn count_customers(&self, tally: &Tally) {
        for reason in crate::metrics::COVERAGE_REASONS {
            let number = tally.uncovered.get(reason).copied().unwrap_or_default();
            self.metrics.customers_without_coverage.with_label_values(&[reason]).set(number);
        }
        if tally.unknown_currencies > 0 {
            tracing::warn!(
                customers = tally.unknown_currencies,
                "local budgets are used for customers whose currency is unknown; set \
                    customers.\"ID\".currency or source.legacy_currency"
            );
        }
    }

    fn count(&self, report: &CycleReport) {
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        self.metrics.usage_records.set(number(report.records));
        if let Some(newest) = report.newest {
            self.metrics.usage_as_of.set(newest.as_duration().as_secs_f64());
        }
        if report.good {
            self.metrics.last_successful_poll.set(self.clock.now().as_duration().as_secs_f64());
        }
    }
}

/// What is said of an answer without items that nobody has called the truth.
pub(crate) fn empty(memory: &PollMemory) -> &'static str {
    match memory.last_good_items {
        Some(_) => {
            "the source answered without any item where the last good poll had some; nothing is \
                concluded from that"
        }
        None => {
            "the source answered without any item, and no poll has been good yet: it may be the \
                wrong account, or no answer of Partner Center"
        }
    }
}

/// Whether the source may be asked more: it has not just said that it must not or cannot be.
fn is_welcome(read: &ReadReport) -> bool {
    !read.failure.as_ref().is_some_and(|error| error.ends_asking() || error.needs_operator())
}

fn is_unexpectedly_empty(read: &ReadReport, memory: &PollMemory, accept_empty: bool) -> bool {
    let empty = read.failure.is_none() && read.records == 0 && read.skipped == 0;
    empty && !accept_empty && memory.last_good_items.is_none_or(|items| items > 0)
}

/// Lets messages to customers wait until somebody releases them.
pub(crate) fn hold_if(hold: bool, messages: &mut [NewMessage]) {
    for message in messages {
        message.held = hold && message.audience == Audience::Customer;
    }
}

/// A rule that has not been through a good poll yet, under this name or the former one.
pub(crate) fn is_baseline(memory: &PollMemory, rule: &crate::domain::RuleFacts) -> bool {
    let settled = |name: &str| memory.settled_rules.iter().any(|rule| **rule == *name);
    memory.last_good_at.is_none()
        || !(settled(&rule.name) || rule.formerly.as_deref().is_some_and(settled))
}
