//! Records what a poll has decided: all at once, or, when very many customers cross, in slices that
//! are each complete, while the reading goes on. So memory does not grow with a mass crossing, and
//! a kill between two slices loses nothing.

use std::collections::HashMap;
use std::sync::Arc;

use crate::alerting::{
    Interim, KnownCustomers, NewAlert, NewFinding, NewMessage, PollMemory, Recording, Slices,
};
use crate::clock::Clock;
use crate::delivery::OperatorFindings;
use crate::delivery::operator_findings::log;
use crate::domain::{AlertSnapshot, Audience, CustomerKey, Reason, Route, Silence};
use crate::ledger::{AlertRows, Ledger, LedgerError, Reader};
use crate::metrics::Metrics;
use crate::poll::candidate::{Candidate, Tally};
use crate::poll::confirm::Answer;
use crate::poll::crossing::{CrossingCustomers, hold_if, worst_first};
use crate::poll::findings::crossing_finding;
use crate::poll::namesakes;
use crate::poll::namesakes::AllLooks;
use crate::poll::raising::{Decisions, Under, decide_all};
use crate::poll::turns::Turns;
use crate::rules::Rules;
use crate::text::{customer_key_hash, log_words};

/// How many customers that may alert are decided about and recorded together. Up to twice as many
/// are kept until the source is read whole.
pub const SLICE: usize = 2000;

/// How many alerts the report of a mass crossing holds, the worst: more than anybody reads. The
/// ledger has all of them.
const LISTED: usize = 1000;

/// What a poll has recorded so far.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    /// What it raised, worst first; of a mass crossing the worst.
    pub(crate) alerts: Vec<AlertSnapshot>,
    /// How many that are.
    pub(crate) raised: u64,
    /// How many of them are told to nobody yet.
    pub(crate) silenced: u64,
    /// The customers with alerts that are no first account.
    pub(crate) crossing: CrossingCustomers,
    /// Whether messages to customers wait until somebody releases them.
    pub(crate) hold: bool,
    /// Whether anything was recorded before the source was read whole.
    pub(crate) in_slices: bool,
    /// The last delivery before the first slice, of this poll or of one that was broken off:
    /// messages to customers that came after it wait until it is known whether the poll is
    /// suspicious.
    after: Option<i64>,
    /// The names that customers go by, once there are slices.
    pub(crate) looks: Option<AllLooks>,
    /// Where the ledger has its alerts, once there are slices.
    pub(crate) rows: Option<AlertRows>,
    /// The customers of whom it has recorded a state, since they were asked for.
    pub(crate) states: Vec<RecordedState>,
}

/// That a state of a customer was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordedState {
    /// The number that stands for it.
    pub(crate) customer: u128,
    /// Of what was judged.
    pub(crate) fingerprint: u64,
    /// The rules of which it has reached a step.
    pub(crate) crossed: u16,
}

impl RecordedState {
    /// The states of a recording.
    pub(crate) fn all(recording: &Recording) -> impl Iterator<Item = Self> {
        recording.seen.iter().map(|seen| Self {
            customer: customer_key_hash(&seen.key()),
            fingerprint: seen.fingerprint,
            crossed: seen.crossed,
        })
    }

    /// Notes it among what is known of customers.
    pub(crate) fn note(self, known: &mut KnownCustomers) {
        known.note_recorded(self.customer, self.fingerprint, self.crossed);
    }
}

impl Recorded {
    /// Goes on with what a poll knew that was broken off: what both raise is one crossing.
    pub(crate) fn going_on_with(interim: Option<Interim>) -> Self {
        let mut recorded = Self::default();
        recorded.adopt(interim.into_iter());
        recorded
    }

    fn adopt(&mut self, interim: impl Iterator<Item = Interim>) {
        for Interim { after, customers, costliest } in interim {
            self.after = Some(after);
            self.crossing = CrossingCustomers { customers, costliest };
        }
    }

    /// Whether it can be told now how much of the collection has crossed. Of an answer without
    /// records nothing is concluded about what an earlier poll has raised.
    pub(crate) fn can_judge(&self, records: u64) -> bool {
        records > 0 || self.after.is_none()
    }

    /// What the ledger keeps of it until the last transaction of the poll.
    fn slices(&self, last: bool) -> Option<Slices> {
        self.after.map(|after| match (last, self.hold) {
            (false, _) => {
                let CrossingCustomers { customers, costliest } = self.crossing.clone();
                Slices::GoOn(Interim { after, customers, costliest })
            }
            (true, true) => Slices::Hold,
            (true, false) => Slices::LetGo(after),
        })
    }

    fn add(&mut self, owed: &[NewAlert]) {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        self.raised = self.raised.saturating_add(count(owed.len()));
        self.silenced =
            self.silenced.saturating_add(count(owed.iter().filter(|new| !new.is_told()).count()));
        self.crossing.add(owed);
        let listed = if self.in_slices { LISTED } else { usize::MAX };
        let mut worst: Vec<&AlertSnapshot> = owed.iter().map(|new| &new.snapshot).collect();
        worst.sort_by(|a, b| a.alert.worst_first(&b.alert));
        self.alerts.extend(worst.into_iter().take(listed).cloned());
        self.alerts.sort_by(|a, b| a.alert.worst_first(&b.alert));
        self.alerts.truncate(listed);
    }
}

/// Decides about candidates and records what comes of it.
pub(crate) struct Recorder<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) routes: &'a [Route],
    pub(crate) ledger: &'a Ledger,
    pub(crate) findings: &'a OperatorFindings,
    pub(crate) metrics: &'a Metrics,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) memory: &'a PollMemory,
    pub(crate) silences: Vec<Silence>,
    pub(crate) recorded: Recorded,
}

impl Recorder<'_> {
    /// Decides about candidates with what was answered about them; nothing is recorded yet.
    pub(crate) async fn decide(
        &self,
        candidates: HashMap<CustomerKey, Candidate>,
        answers: HashMap<CustomerKey, Answer>,
        tally: &mut Tally,
    ) -> Result<Decisions, LedgerError> {
        let (rules, memory, silences) = (self.rules, self.memory, &*self.silences);
        let under = Under { rules, memory, silences, now: self.clock.now() };
        decide_all(candidates, answers, under, self.ledger, tally).await
    }

    /// Decides about some of the candidates and records what comes of it, while the source is still
    /// being read: nobody is asked about them. Returns the customers whose budget changed after
    /// something was raised about them.
    pub(crate) async fn record_slice(
        &mut self,
        candidates: HashMap<CustomerKey, Candidate>,
        tally: &mut Tally,
    ) -> Result<Vec<CustomerKey>, LedgerError> {
        if self.recorded.after.is_none() {
            let interim = self.ledger.read(Reader::new_interim).await?;
            self.recorded.adopt(std::iter::once(interim));
        }
        if self.recorded.looks.is_none() {
            self.recorded.looks = Some(AllLooks::of(self.ledger).await?);
        }
        if self.recorded.rows.is_none() {
            let last = self.ledger.read(Reader::last_alert).await?;
            self.recorded.rows = Some(AlertRows { after: last, to: last });
        }
        let mut decisions = self.decide(candidates, HashMap::new(), tally).await?;
        let rebudgeted = std::mem::take(&mut decisions.rebudgeted);
        self.recorded.in_slices = true;
        self.record(decisions, None).await?;
        Ok(rebudgeted)
    }

    /// Records alerts, what they owe, and what the operator must know of them, in one transaction:
    /// the last one of a poll of so many records, or one before it. Only the last one knows whether
    /// suspiciously many customers cross: messages to customers wait for it.
    pub(crate) async fn record(
        &mut self,
        decisions: Decisions,
        of_records: Option<u64>,
    ) -> Result<(), LedgerError> {
        let Decisions { mut recording, mut owed, new_looks, .. } = decisions;
        let recorded = &mut self.recorded;
        match &mut recorded.looks {
            Some(looks) => {
                looks.add(new_looks);
                looks.mark(&mut owed);
            }
            None => namesakes::mark(self.ledger, &mut owed, &recording.seen).await?,
        }
        recorded.add(&owed);
        recorded.hold = of_records.is_some_and(|records| recorded.crossing.is_suspicious(records));
        let identity = self.ledger.identity();
        if recorded.in_slices {
            (recording.messages, recording.gathered) =
                crate::alerting::slice(&owed, self.routes, identity);
        } else {
            recording.messages = crate::alerting::messages(&owed, self.routes, identity);
        }
        let hold = recorded.hold;
        hold_if(hold || of_records.is_none(), &mut recording.messages);
        recording.slices = recorded.slices(of_records.is_some());
        if let Some(records) = of_records.filter(|_| hold) {
            recording.finding = Some(self.crossing_news(records, &recording.messages).await?);
        }
        recording.alerts = owed;
        if recording.is_empty() {
            return Ok(());
        }
        let recording = Arc::new(recording);
        let is_news = self.ledger.record(Arc::clone(&recording)).await?;
        self.recorded.states.extend(RecordedState::all(&recording));
        recording.finding.iter().filter(|_| is_news).for_each(|new| log(&new.finding));
        tell(self.metrics, &recording.alerts).await;
        Ok(())
    }

    /// What the operator must know of a suspicious poll.
    async fn crossing_news(
        &self,
        records: u64,
        messages: &[NewMessage],
    ) -> Result<NewFinding, LedgerError> {
        let is_held =
            |message: &&NewMessage| message.held && message.audience == Audience::Customer;
        let new: usize =
            messages.iter().filter(is_held).map(|message| message.recipients.count()).sum();
        let held = self
            .ledger
            .read(Reader::held)
            .await?
            .saturating_add(u64::try_from(new).unwrap_or(u64::MAX));
        let finding = crossing_finding(&self.recorded.crossing, records, held);
        let messages = self.findings.news(&finding);
        Ok(NewFinding { finding, messages })
    }
}

/// Tells the log and the metrics.
async fn tell(metrics: &Metrics, owed: &[NewAlert]) {
    let mut turns = Turns::default();
    for alert in worst_first(owed) {
        turns.done().await;
        metrics.alerts.with_label_values(&[alert.rule.as_str(), alert.severity.as_str()]).inc();
        let again = alert.budget.as_ref().is_some_and(|budget| budget.previous_amount.is_some());
        let reason = if again { Reason::BudgetRaised } else { Reason::NewStep };
        tracing::info!(
            alert.r#ref = %alert.reference, customer.id = %alert.customer.id, rule = %alert.rule, step = %alert.threshold,
            severity = alert.severity.as_str(), reason = reason.code(),
            "{}", log_words::alert(alert)
        );
    }
}
