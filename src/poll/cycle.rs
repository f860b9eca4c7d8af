//! One poll, in five stages: read → confirm → assess → record → follow up. What is owed afterwards
//! is the ledger's; sending it is [`crate::delivery::DeliveryWorker`]'s.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::BuildHasher as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use foldhash::fast::FixedState;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::alerting::{AsOf, KnownCustomers, PollMemory};
use crate::budgets;
use crate::clock::Clock;
use crate::delivery::OperatorFindings;
use crate::domain::{CustomerKey, Metric, Route, RuleFacts, Silence, Suppression};
use crate::fs;
use crate::ledger::{Ledger, LedgerError, PollResult, Reader};
use crate::metrics::Metrics;
use crate::poll::candidate::{Candidate, Tally};
use crate::poll::confirm;
use crate::poll::confirm::Answers;
use crate::poll::cost_breakdown;
use crate::poll::crossing::CrossingCustomers;
use crate::poll::findings::{PollFindings, empty};
use crate::poll::follow_up::FollowUp;
use crate::poll::intake::{Intake, Needs};
use crate::poll::raising::Decisions;
use crate::poll::recorder::{Recorded, Recorder};
use crate::poll::report::{CycleReport, Suppressed};
use crate::poll::security_reading::SecurityReading;
use crate::poll::subscriptions;
use crate::poll::subscriptions::Unread;
use crate::poll::unmatched;
use crate::rules::Rules;
use crate::source::{ReadReport, Source, SourceError};

/// How much of history rules on spikes need, whatever `retention` says.
const SPIKE_HISTORY: SignedDuration = SignedDuration::from_hours(70 * 24);

/// All that a poll needs.
pub struct Cycle {
    /// Where usage is read from.
    pub source: Source,
    /// What reads security alerts; none where none are to be read.
    pub security: Option<SecurityReading>,
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
        let start = self.start(accept_empty).await?;
        let mut read = self.read(&start).await?;
        let answers = self.confirm(&mut read).await;
        let decisions = self.assess(&start, answers, &mut read).await?;
        let recorded = self.record(decisions, &mut read).await?;
        let followed = self.follow_up(&start, recorded, &read).await?;
        self.conclude(&start, read, followed).await
    }

    /// What is known before anything is read.
    async fn start(&self, accept_empty: bool) -> Result<Start, LedgerError> {
        let now = self.clock.now();
        let memory = self.ledger.read(Reader::poll_memory).await?;
        // A clock set back must not make sound dates look like the future's, nor sound silences.
        let dated = memory.last_good_at.map_or(now, |last| last.max(now));
        self.ledger.rename_rules(self.renames()).await?;
        // What a poll that was killed had gathered for digests.
        self.ledger.write_digests(&self.routes, now).await?;
        Ok(Start { now, dated, memory, accept_empty })
    }

    /// Stage 1: reads the collection, and the subscriptions that have budgets of their own. What is
    /// not about to alert is remembered on the way; so is a mass crossing, in slices.
    async fn read<'a>(&'a self, start: &'a Start) -> Result<Collection<'a>, LedgerError> {
        let broken_off = self.ledger.read(Reader::interim).await?;
        let recorder = self.recorder(
            &start.memory,
            self.silences(start).await?,
            Recorded::going_on_with(broken_off),
        );
        let needs = Needs {
            budgets: &self.budgets,
            rules: &self.rules,
            ledger: &self.ledger,
            metrics: &self.metrics,
            slice: self.slice,
        };
        let configuration = self.configuration();
        let known = self.ledger.read(move |reader| reader.known_customers(configuration)).await?;
        let mut intake = Intake::new(needs, start.now, known, recorder);
        let report = self.source.read(start.dated, &mut intake).await;
        let asking_since = self.clock.monotonic();
        let unread = self.read_subscriptions(&report, &mut intake).await;
        intake.finish(report.newest).await;
        let gone = intake.gone();
        intake.tally.never_seen =
            unmatched::never_seen(&self.budgets, &mut intake.known, &unread.keys);
        intake.tally.unread = unread.customers;
        intake.tally.unknown = unmatched::unknown(&self.budgets, &mut intake.known);
        intake.tally.idle = unmatched::idle(&intake.idle, &mut intake.known, &self.ledger).await?;
        let Intake {
            candidates, below, tally, failure, rebudgeted, returned, recorder, known, ..
        } = intake;
        if let Some(error) = failure {
            return Err(error);
        }
        let unexpectedly_empty = is_unexpectedly_empty(&report, start);
        let (seen_below, retry_after) =
            (below.into_values().flatten().collect(), unread.retry_after);
        Ok(Collection {
            report,
            unexpectedly_empty,
            candidates,
            seen_below,
            rebudgeted,
            gone,
            returned,
            tally,
            known,
            configuration,
            recorder,
            asking_since,
            retry_after,
        })
    }

    /// Stage 2: asks about those that may be about to alert, unless the source has just said that
    /// it must not or cannot be asked.
    async fn confirm(&self, read: &mut Collection<'_>) -> Answers {
        if read.candidates.is_empty() || !is_welcome(&read.report) {
            return Answers::default();
        }
        let answers = confirm::ask(&self.source, &read.candidates, self.time_left(read)).await;
        read.retry_after = read.retry_after.max(answers.retry_after);
        answers
    }

    /// Stage 3: decides about them with all that is known now, and asks where the money of critical
    /// alerts goes.
    async fn assess(
        &self,
        start: &Start,
        answers: Answers,
        read: &mut Collection<'_>,
    ) -> Result<Decisions, LedgerError> {
        read.recorder.silences = self.silences(start).await?;
        let candidates = std::mem::take(&mut read.candidates);
        let mut decisions =
            read.recorder.decide(candidates, answers.by_customer, &mut read.tally).await?;
        decisions.recording.seen_below.append(&mut read.seen_below);
        read.rebudgeted.append(&mut decisions.rebudgeted);
        if is_welcome(&read.report) && read.retry_after.is_none() {
            let (time, owed) = (self.time_left(read), &mut decisions.owed);
            read.retry_after = cost_breakdown::fill(&self.source, &*self.clock, owed, time).await;
        }
        Ok(decisions)
    }

    /// Stage 4: records alerts and what they owe, in one transaction.
    async fn record(
        &self,
        decisions: Decisions,
        read: &mut Collection<'_>,
    ) -> Result<Recorded, LedgerError> {
        let records = read.report.records;
        let can_judge = read.recorder.recorded.can_judge(records);
        read.recorder.record(decisions, can_judge.then_some(records)).await?;
        let mut recorded = std::mem::take(&mut read.recorder.recorded);
        if !can_judge {
            recorded.crossing = CrossingCustomers::default();
        }
        if let Some(rows) = &mut recorded.rows {
            rows.to = self.ledger.read(Reader::last_alert).await?;
        }
        if recorded.in_slices {
            self.ledger.write_digests(&self.routes, self.clock.now()).await?;
        }
        Ok(recorded)
    }

    /// Stage 5: looks at alerts that were raised before and that time, a budget or the end of a
    /// silence may have changed.
    async fn follow_up(
        &self,
        start: &Start,
        mut recorded: Recorded,
        read: &Collection<'_>,
    ) -> Result<Recorded, LedgerError> {
        let time = AsOf { now: self.clock.now(), newest: read.report.newest };
        let rebudgeted = read.rebudgeted.clone();
        let follow_up = FollowUp {
            ledger: &self.ledger,
            budgets: &self.budgets,
            rules: &self.rules,
            routes: &self.routes,
            silences: &read.recorder.silences,
            keys: self.ledger.to_review(rebudgeted, time.now, time.newest).await?,
            time,
            slice: self.slice,
        };
        let records = read.report.records.max(start.memory.last_good_items.unwrap_or_default());
        follow_up.note_releases(records, &mut recorded.crossing).await?;
        recorded.hold |= recorded.crossing.is_suspicious(records);
        follow_up.record(recorded.hold).await?;
        Ok(recorded)
    }

    /// Reports the poll, tells the operator, and remembers it.
    async fn conclude(
        &self,
        start: &Start,
        read: Collection<'_>,
        recorded: Recorded,
    ) -> Result<CycleReport, LedgerError> {
        let Collection {
            mut report,
            unexpectedly_empty,
            gone,
            returned,
            tally,
            mut known,
            configuration,
            ..
        } = read;
        if unexpectedly_empty {
            report.errors.push(empty(&start.memory).to_owned());
        }
        let good = report.failure.is_none() && !unexpectedly_empty;
        let is_whole = good && !report.short;
        if is_whole {
            for customer in &gone {
                known.note_missing(*customer, true);
            }
            self.ledger.note_presence(gone, true, start.now).await?;
        }
        for customer in &returned {
            known.note_missing(*customer, false);
        }
        self.ledger.note_presence(returned, false, start.now).await?;
        recorded.states.iter().for_each(|state| state.note(&mut known));
        self.keep(known, &tally.idle, is_whole, configuration).await;
        let report = self.report(report, read.retry_after, good, recorded, &tally);
        self.tell(&report, &tally, unexpectedly_empty).await?;
        Ok(report)
    }

    /// Keeps what is known of all customers for the next poll, where there is anything new. Of a
    /// collection that was not read whole, a pattern is known to fit nobody only where that was
    /// known before.
    async fn keep(
        &self,
        known: KnownCustomers,
        idle: &[String],
        is_whole: bool,
        configuration: u64,
    ) {
        let was_idle = |pattern: &&String| {
            is_whole || known.idle.as_ref().is_none_or(|idle| idle.contains(pattern))
        };
        let idle = idle.iter().filter(was_idle).cloned().collect();
        let Some(customers) = known.news() else { return };
        // Without it the next poll reads everything: nothing is lost.
        if let Err(error) = self.ledger.keep_customers(customers, idle, configuration).await {
            tracing::warn!(%error, "what is known of the items read is not kept");
        }
    }

    /// Of all that bears on what a record says beside the record, this program among it: what was
    /// judged by the same need not be judged again.
    fn configuration(&self) -> u64 {
        FixedState::with_seed(self.rules.fingerprint())
            .hash_one((*fs::OWN_PROGRAM, self.budgets.fingerprint()))
    }

    fn recorder<'a>(
        &'a self,
        memory: &'a PollMemory,
        silences: Vec<Silence>,
        recorded: Recorded,
    ) -> Recorder<'a> {
        Recorder {
            rules: &self.rules,
            routes: &self.routes,
            ledger: &self.ledger,
            findings: &self.findings,
            metrics: &self.metrics,
            clock: &*self.clock,
            memory,
            silences,
            recorded,
        }
    }

    /// The silences that may still cover something.
    async fn silences(&self, start: &Start) -> Result<Vec<Silence>, LedgerError> {
        let mut silences = self.ledger.read(Reader::silences).await?;
        silences.retain(|silence| silence.is_in_force(start.dated));
        Ok(silences)
    }

    /// How long this poll may still ask about single customers.
    fn time_left(&self, read: &Collection<'_>) -> Duration {
        ASKING.saturating_sub(self.clock.monotonic().saturating_sub(read.asking_since))
    }

    /// The names of the rules that a poll of usage looks through.
    fn usage_rules(&self) -> Vec<Box<str>> {
        let of_usage = |rule: &&Arc<RuleFacts>| rule.metric != Metric::SecurityAlertHours;
        self.rules.facts().filter(of_usage).map(|rule| rule.name.clone()).collect()
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
        let first = self.ask_first.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let subscribed = intake.subscribed(&first);
        if subscribed.is_empty() || !is_welcome(read) {
            return Unread::default();
        }
        let unread = subscriptions::read(&self.source, subscribed, intake).await;
        self.ask_first.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&unread.keys);
        unread
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
            self.metrics.alerts_suppressed.with_label_values(&[kind.as_str()]).inc_by(number);
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
            retry_after: read.failure.as_ref().and_then(SourceError::retry_after).max(asked),
            failure: read.failure.as_ref().map(SourceError::finding),
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
        let disagree = self.metrics.record_oddities.with_label_values(&["percents-disagree"]);
        disagree.inc_by(tally.percents_disagree);
        if report.good {
            self.count_customers(tally);
        }
        let findings = PollFindings {
            findings: &self.findings,
            ledger: &self.ledger,
            now: self.clock.now(),
            signed_in_at: self.source.sign_in_issued_at().await,
            memory: &self.ledger.read(Reader::poll_memory).await?,
            report,
            tally,
            unexpectedly_empty,
        };
        let uncovered = findings.tell().await?;
        let result = PollResult {
            at: self.clock.now(),
            good: report.good,
            records: report.records,
            skipped: report.skipped,
            alerts: report.raised,
            newest: report.newest,
            errors: report.errors.clone(),
            uncovered,
            rules: self.usage_rules(),
        };
        self.ledger.finish_poll(result).await?;
        let known = self
            .rules
            .facts()
            .flat_map(|rule| std::iter::once(rule.name.clone()).chain(rule.formerly.clone()))
            .collect();
        self.ledger.close_rules(known, &self.routes, self.clock.now()).await?;
        self.forget_security().await?;
        let history =
            if self.rules.look_for_spikes() { SPIKE_HISTORY } else { SignedDuration::ZERO };
        self.ledger.forget_old(self.clock.now(), history).await?;
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

/// What is known when a poll begins.
struct Start {
    now: Timestamp,
    /// The time by which dates and silences are judged: never before the last good poll.
    dated: Timestamp,
    memory: PollMemory,
    /// Whether an answer without items is taken for the truth.
    accept_empty: bool,
}

/// What was read, and what is left to decide about.
struct Collection<'a> {
    report: ReadReport,
    /// Whether there were no items where that is no good poll.
    unexpectedly_empty: bool,
    /// Customers that may alert.
    candidates: HashMap<CustomerKey, Candidate>,
    /// Steps that customers were seen below: rows of the ledger, each with the budget then.
    seen_below: Vec<(i64, Option<Decimal>)>,
    /// Customers whose budget changed after something was raised about them.
    rebudgeted: Vec<CustomerKey>,
    /// Customers that were known and are not in the collection.
    gone: HashSet<u128>,
    /// Customers that were missing and are there again.
    returned: HashSet<u128>,
    tally: Tally,
    /// What is known of all customers, under this configuration.
    known: KnownCustomers,
    configuration: u64,
    recorder: Recorder<'a>,
    /// Since when this poll asks about single customers, by the clock's monotonic time.
    asking_since: Duration,
    /// The source asked to be left alone for this long.
    retry_after: Option<Duration>,
}

/// Whether the source may be asked more: it has not just said that it must not or cannot be.
fn is_welcome(read: &ReadReport) -> bool {
    !read.failure.as_ref().is_some_and(|error| error.ends_asking() || error.needs_operator())
}

fn is_unexpectedly_empty(read: &ReadReport, start: &Start) -> bool {
    let empty = read.failure.is_none() && read.records == 0 && read.skipped == 0;
    let was_not = start.memory.last_good_items.is_none_or(|items| items > 0);
    empty && !start.accept_empty && was_not
}
