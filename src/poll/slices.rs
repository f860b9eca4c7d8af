//! Records what a poll has decided: all at once, or, when very many customers cross, in slices that
//! are each complete, while the reading goes on. So memory does not grow with a mass crossing, and
//! a kill between two slices loses nothing.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::alerting::{Interim, NewAlert, NewFinding, NewMessage, Slices};
use crate::delivery::operator_findings::log;
use crate::domain::{Alert, AlertSnapshot, Audience, CustomerKey, Reason, Silence};
use crate::ledger::{AlertRows, LedgerError, PollMemory};
use crate::poll::Cycle;
use crate::poll::cycle::hold_if;
use crate::poll::findings::{crossing_finding, is_suspicious};
use crate::poll::intake::{Candidate, Tally};
use crate::poll::namesakes;
use crate::poll::namesakes::AllLooks;
use crate::poll::raising::{Raised, Under};
use crate::poll::turns::Turns;

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
}

/// Customers that crossed in one poll.
#[derive(Debug, Clone, Default)]
pub struct CrossingCustomers {
    /// How many.
    pub customers: usize,
    /// The three with the highest cost in US dollars.
    pub costliest: Vec<Alert>,
}

impl CrossingCustomers {
    /// Adds the alerts of further customers.
    pub(crate) fn add(&mut self, owed: &[NewAlert]) {
        let mut customers: BTreeMap<CustomerKey, &Alert> = BTreeMap::new();
        for alert in worst_first(owed).into_iter().filter(|alert| !alert.baseline) {
            customers.entry(alert.customer.id.key()).or_insert(alert);
        }
        self.customers = self.customers.saturating_add(customers.len());
        let mut alerts: Vec<&Alert> = customers.into_values().collect();
        alerts.sort_by_key(|alert| Reverse((alert.cost.usd, alert.cost.amount)));
        self.costliest.extend(alerts.into_iter().take(3).cloned());
        self.costliest.sort_by_key(|alert| Reverse((alert.cost.usd, alert.cost.amount)));
        self.costliest.truncate(3);
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

/// What the slices of one poll have in common.
#[derive(Clone, Copy)]
pub(crate) struct Before<'a> {
    pub(crate) memory: &'a PollMemory,
    pub(crate) silences: &'a [Silence],
}

impl Cycle {
    /// Decides about some of the candidates and records what comes of it, while the source is still
    /// being read: nobody is asked about them. Returns the customers whose budget changed after
    /// something was raised about them.
    pub(crate) async fn record_slice(
        &self,
        candidates: HashMap<CustomerKey, Candidate>,
        before: Before<'_>,
        tally: &mut Tally,
        recorded: &mut Recorded,
    ) -> Result<Vec<CustomerKey>, LedgerError> {
        if recorded.after.is_none() {
            recorded.adopt(std::iter::once(self.ledger.new_interim().await?));
        }
        if recorded.looks.is_none() {
            recorded.looks = Some(AllLooks::of(&self.ledger).await?);
        }
        if recorded.rows.is_none() {
            let last = self.ledger.last_alert().await?;
            recorded.rows = Some(AlertRows { after: last, to: last });
        }
        let under =
            Under { memory: before.memory, silences: before.silences, now: self.clock.now() };
        let mut raised = self.raise(candidates, HashMap::new(), under, tally).await?;
        let rebudgeted = std::mem::take(&mut raised.rebudgeted);
        recorded.in_slices = true;
        self.record(raised, recorded, None).await?;
        Ok(rebudgeted)
    }

    /// Records alerts, what they owe, and what the operator must know of them, in one transaction:
    /// the last one of a poll of so many records, or one before it. Only the last one knows whether
    /// suspiciously many customers cross: messages to customers wait for it.
    pub(crate) async fn record(
        &self,
        raised: Raised,
        recorded: &mut Recorded,
        of_records: Option<u64>,
    ) -> Result<(), LedgerError> {
        let Raised { mut recording, mut owed, new_looks, .. } = raised;
        match &mut recorded.looks {
            Some(looks) => {
                looks.add(new_looks);
                looks.mark(&mut owed);
            }
            None => namesakes::mark(&self.ledger, &mut owed, &recording.seen).await?,
        }
        recorded.add(&owed);
        recorded.hold =
            of_records.is_some_and(|records| is_suspicious(recorded.crossing.customers, records));
        let identity = self.ledger.identity();
        if recorded.in_slices {
            (recording.messages, recording.gathered) =
                crate::alerting::slice(&owed, &self.routes, identity);
        } else {
            recording.messages = crate::alerting::messages(&owed, &self.routes, identity);
        }
        hold_if(recorded.hold || of_records.is_none(), &mut recording.messages);
        if let Some(records) = of_records.filter(|_| recorded.hold) {
            recording.finding =
                Some(self.crossing_news(records, recorded, &recording.messages).await?);
        }
        recording.slices = recorded.slices(of_records.is_some());
        recording.alerts = owed;
        if recording.is_empty() {
            return Ok(());
        }
        let recording = Arc::new(recording);
        let is_news = self.ledger.record(Arc::clone(&recording)).await?;
        recording.finding.iter().filter(|_| is_news).for_each(|new| log(&new.finding));
        tell(self, &recording.alerts).await;
        Ok(())
    }

    /// What the operator must know of a suspicious poll.
    async fn crossing_news(
        &self,
        records: u64,
        recorded: &Recorded,
        messages: &[NewMessage],
    ) -> Result<NewFinding, LedgerError> {
        let is_held =
            |message: &&NewMessage| message.held && message.audience == Audience::Customer;
        let new: usize =
            messages.iter().filter(is_held).map(|message| message.recipients.len()).sum();
        let held = self.ledger.held().await?.saturating_add(u64::try_from(new).unwrap_or(u64::MAX));
        let finding = crossing_finding(&recorded.crossing, records, held);
        let messages = self.findings.news(&finding);
        Ok(NewFinding { finding, messages })
    }
}

fn worst_first(owed: &[NewAlert]) -> Vec<&Alert> {
    let mut alerts: Vec<&Alert> = owed.iter().map(|new| &new.snapshot.alert).collect();
    alerts.sort_by(|a, b| a.worst_first(b));
    alerts
}

/// Tells the log and the metrics.
async fn tell(cycle: &Cycle, owed: &[NewAlert]) {
    let mut turns = Turns::default();
    for alert in worst_first(owed) {
        turns.done().await;
        cycle
            .metrics
            .alerts
            .with_label_values(&[alert.rule.as_str(), alert.severity.as_str()])
            .inc();
        let again = alert.budget.as_ref().is_some_and(|budget| budget.previous_amount.is_some());
        let reason = if again { Reason::BudgetRaised } else { Reason::NewStep };
        tracing::info!(
            alert.r#ref = %alert.reference, customer.id = %alert.customer.id, rule = %alert.rule, step = %alert.threshold,
            severity = alert.severity.as_str(), reason = reason.code(),
            "alert raised"
        );
    }
}
