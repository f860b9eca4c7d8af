//! Writes budgets to Partner Center one after another so that nobody's change is overwritten and
//! none is made twice: read, compare, note the intent, ask, read again, note the outcome.

use std::time::Duration;

use jiff::SignedDuration;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::actions::push::read::{read, wait_if_asked};
use crate::actions::push::wanted::{Wanted, shown};
use crate::actions::push::{ConfirmedBudget, PushedBudget};
use crate::actions::{ActionError, Author};
use crate::domain::{CustomerKey, PushOutcome};
use crate::ledger::{BudgetPush, Ledger};
use crate::poll::Cycle;
use crate::source::{ChangeIds, Place, SourceError, SpendingBudget};
use crate::text::clean;

/// The waits before the tries of one change.
const WAITS: [Duration; 3] = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(4)];
/// The time between two changes.
const PACE: Duration = Duration::from_secs(1);
/// How long a change that was broken off is still tried under its own `MS-RequestId`.
const RESUMED_WITHIN: SignedDuration = SignedDuration::from_hours(1);
/// Why nothing is written over an answer that cannot be read.
const UNREADABLE: &str = "what Partner Center has cannot be read, and is left alone";

/// What became of a budget, and why.
type Done = (PushOutcome, String);

/// One order to push budgets.
pub(super) struct Push<'a> {
    cycle: &'a Cycle,
    ledger: Ledger,
    author: String,
    /// Whether the customer is named, so that the height of its budget is no slip.
    named: bool,
    /// Why nothing more is asked.
    over: Option<String>,
    /// When a change was asked for last, by the clock's monotonic time.
    pub(super) last_asked: Option<Duration>,
}

impl<'a> Push<'a> {
    pub(super) fn of(cycle: &'a Cycle, author: &Author, named: bool) -> Self {
        let author = author.to_string();
        let ledger = cycle.ledger.ordered_by(&author);
        Self { cycle, ledger, author, named, over: None, last_asked: None }
    }

    /// What would be written, without writing anything.
    pub(super) async fn plan(
        &mut self,
        wanted: &[Wanted],
    ) -> Result<Vec<PushedBudget>, ActionError> {
        let mut rows = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            let found = self.found(wanted).await;
            let from = found.as_ref().ok().and_then(|found| amount_of(*found));
            let mut row = row(wanted, from);
            (row.outcome, row.words) = match found {
                Err((outcome, words)) => (Some(outcome), words),
                Ok(_) if wanted.open.is_some() => {
                    (None, "an earlier push was broken off: it is looked at first".to_owned())
                }
                Ok(found) => match self.needless(wanted, found) {
                    Some((outcome, words)) => (Some(outcome), words),
                    None => (None, "would be written".to_owned()),
                },
            };
            rows.push(row);
        }
        Ok(rows)
    }

    /// Writes what was confirmed of a plan. Where the configuration says something else by now,
    /// nothing is written.
    pub(super) async fn write(
        &mut self,
        wanted: &[Wanted],
        confirmed: &[ConfirmedBudget],
    ) -> Result<Vec<PushedBudget>, ActionError> {
        let still = |row: &ConfirmedBudget| {
            let key = CustomerKey::of(&row.customer);
            wanted.iter().find(|wanted| wanted.key == key && wanted.budget.amount == row.to)
        };
        let pairs: Option<Vec<_>> =
            confirmed.iter().map(|row| Some((still(row)?, row.from))).collect();
        let pairs = pairs.ok_or_else(|| {
            ActionError::Unavailable(
                "the budgets here have changed since they were shown, and none of these was \
                    written: ask again"
                    .to_owned(),
            )
        })?;
        let mut rows = Vec::with_capacity(pairs.len());
        for (wanted, from) in pairs {
            rows.push(self.write_one(wanted, from).await?);
        }
        Ok(rows)
    }

    async fn write_one(
        &mut self,
        wanted: &Wanted,
        from: Option<Decimal>,
    ) -> Result<PushedBudget, ActionError> {
        let mut row = row(wanted, from);
        let (outcome, words) = match self.found(wanted).await {
            Err(done) => done,
            Ok(found) => {
                let resumed = match &wanted.open {
                    Some(open) => {
                        row.ms_request_id = Some(open.request_id);
                        self.resume(wanted, open, found).await?
                    }
                    None => None,
                };
                match resumed {
                    Some(done) => done,
                    None => self.write_anew(wanted, found, &mut row).await?,
                }
            }
        };
        (row.outcome, row.words) = (Some(outcome), words);
        Ok(row)
    }

    /// Writes over what was found, where it is what the plan saw.
    async fn write_anew(
        &mut self,
        wanted: &Wanted,
        found: SpendingBudget,
        row: &mut PushedBudget,
    ) -> Result<Done, ActionError> {
        row.ms_request_id = None;
        if let Some(done) = self.needless(wanted, found) {
            return Ok(done);
        }
        if amount_of(found) != row.from {
            return Ok((PushOutcome::Skipped, changed_meanwhile(found)));
        }
        let push = BudgetPush {
            request_id: Uuid::new_v4(),
            correlation_id: Uuid::new_v4(),
            author: self.author.clone(),
            at: self.cycle.clock.now(),
            customer: wanted.key.clone(),
            before: row.from,
            amount: wanted.amount(),
            currency: wanted.budget.currency,
        };
        row.ms_request_id = Some(push.request_id);
        self.send(wanted, push).await
    }

    /// What Partner Center has of a budget that may be written, where that can be read.
    async fn found(&mut self, wanted: &Wanted) -> Result<SpendingBudget, Done> {
        if let Some(words) = wanted.obstacle() {
            return Err((PushOutcome::Skipped, words));
        }
        if let Some(why) = &self.over {
            return Err((PushOutcome::Skipped, format!("not asked: {why}")));
        }
        match read(self.cycle, &wanted.id).await {
            Ok(SpendingBudget::Unreadable) => Err((PushOutcome::Skipped, UNREADABLE.to_owned())),
            Ok(found) => Ok(found),
            Err(error) => Err(self.fault(&error)),
        }
    }

    /// Why there is nothing to write over what was found.
    fn needless(&self, wanted: &Wanted, found: SpendingBudget) -> Option<Done> {
        let from = amount_of(found);
        if from == Some(wanted.budget.amount) {
            return Some((PushOutcome::Same, "Partner Center has it already".to_owned()));
        }
        let excess = if self.named { None } else { wanted.excess(from) };
        excess.map(|words| (PushOutcome::Skipped, words))
    }

    /// What became of a change that was broken off; none where it is settled, and another amount is
    /// wanted by now.
    async fn resume(
        &mut self,
        wanted: &Wanted,
        open: &BudgetPush,
        found: SpendingBudget,
    ) -> Result<Option<Done>, ActionError> {
        let is_wanted = open.amount == wanted.budget.amount;
        if amount_of(found) == Some(open.amount) {
            let words = "an earlier push that was broken off had written it".to_owned();
            let done = self.end(open, PushOutcome::Written, words).await?;
            return Ok(is_wanted.then_some(done));
        }
        if amount_of(found) != open.before {
            return self.end(open, PushOutcome::Skipped, changed_meanwhile(found)).await.map(Some);
        }
        if !is_wanted {
            let words = "it was broken off, and another amount is wanted by now".to_owned();
            self.end(open, PushOutcome::Skipped, words).await?;
            return Ok(None);
        }
        let age = self.cycle.clock.now().duration_since(open.at).abs();
        if age > RESUMED_WITHIN {
            let words = "an earlier push was broken off more than an hour ago and has written \
                nothing: order it again"
                .to_owned();
            return self.end(open, PushOutcome::Skipped, words).await.map(Some);
        }
        self.send(wanted, open.clone()).await.map(Some)
    }

    /// Asks for a change until it is there, and notes each try before it is made.
    async fn send(&mut self, wanted: &Wanted, push: BudgetPush) -> Result<Done, ActionError> {
        let mut why = String::new();
        for wait in WAITS {
            self.wait_for_turn(wait).await;
            let push = BudgetPush { correlation_id: Uuid::new_v4(), ..push.clone() };
            self.ledger.begin_budget_push(push.clone()).await?;
            let ids = ChangeIds { request: push.request_id, correlation: push.correlation_id };
            let asked =
                self.cycle.source.change_spending_budget(&wanted.id, push.amount, ids).await;
            let is_taken = match asked {
                Ok(_) => true,
                Err(error) if is_unsure(&error) || wait_if_asked(self.cycle, &error).await => {
                    why = error.to_string();
                    false
                }
                Err(error) => {
                    let (outcome, words) = self.fault(&error);
                    return self.end(&push, outcome, words).await;
                }
            };
            if let Some(done) = self.look(wanted, &push, is_taken).await? {
                return Ok(done);
            }
        }
        let words = format!("it is not written after {} tries: {why}", WAITS.len());
        self.end(&push, PushOutcome::Failed, words).await
    }

    /// Waits before a change is asked for: at least so long, and until the last one is a second ago.
    async fn wait_for_turn(&mut self, wait: Duration) {
        let clock = &*self.cycle.clock;
        let since = self.last_asked.map(|last| clock.monotonic().saturating_sub(last));
        let pace = since.map_or(Duration::ZERO, |since| PACE.saturating_sub(since));
        clock.sleep(wait.max(pace)).await;
        self.last_asked = Some(clock.monotonic());
    }

    /// Reads what came of a try; none where the old budget is there and the try may have failed.
    async fn look(
        &mut self,
        wanted: &Wanted,
        push: &BudgetPush,
        is_taken: bool,
    ) -> Result<Option<Done>, ActionError> {
        let found = match read(self.cycle, &wanted.id).await {
            Ok(SpendingBudget::Unreadable) => return Ok(Some(unknown("the answer is unreadable"))),
            Ok(found) => found,
            Err(error) => {
                let (_, why) = self.fault(&error);
                return Ok(Some(unknown(&why)));
            }
        };
        let (outcome, words) = if amount_of(found) == Some(push.amount) {
            (PushOutcome::Written, "read back from Partner Center".to_owned())
        } else if is_taken {
            (PushOutcome::Failed, format!("written, but read back as {}", shown(found)))
        } else if amount_of(found) == push.before {
            return Ok(None);
        } else {
            (PushOutcome::Skipped, changed_meanwhile(found))
        };
        self.end(push, outcome, words).await.map(Some)
    }

    /// Notes what became of a change.
    async fn end(
        &self,
        push: &BudgetPush,
        outcome: PushOutcome,
        words: String,
    ) -> Result<Done, ActionError> {
        let words = clean(&words, 400);
        tracing::info!(
            author = self.author,
            customer = push.customer.as_str(),
            request_id = %push.request_id,
            correlation_id = %push.correlation_id,
            outcome = outcome.as_str(),
            "the budget in Partner Center: {} {}: {words}", push.amount, push.currency
        );
        let now = self.cycle.clock.now();
        self.ledger.end_budget_push(push.clone(), outcome, words.clone(), now).await?;
        Ok((outcome, words))
    }

    /// What a failure means for this budget, and for those after it.
    fn fault(&mut self, error: &SourceError) -> Done {
        let words = clean(&error.to_string(), 400);
        if error.ends_asking() {
            self.over.get_or_insert_with(|| words.clone());
        }
        let is_refused = matches!(
            error,
            SourceError::RoleMissing { .. }
                | SourceError::Refused { place: Place::PartnerCenter, .. }
        );
        (if is_refused { PushOutcome::Refused } else { PushOutcome::Failed }, words)
    }
}

/// Whether a change may have been made or not, or may be made when it is asked for again.
fn is_unsure(error: &SourceError) -> bool {
    error.is_transient()
        || matches!(error, SourceError::Refused { place: Place::PartnerCenter, status: 409, .. })
}

/// Nobody knows what became of a change: it stays without an outcome.
fn unknown(why: &str) -> Done {
    let words = format!(
        "it may be written, but cannot be read back ({why}): push again, which looks at it first"
    );
    (PushOutcome::Failed, words)
}

fn changed_meanwhile(found: SpendingBudget) -> String {
    format!("changed meanwhile: Partner Center has {} now", shown(found))
}

fn amount_of(found: SpendingBudget) -> Option<Decimal> {
    if let SpendingBudget::Amount(found) = found { Some(found) } else { None }
}

/// A row of which nothing became yet.
fn row(wanted: &Wanted, from: Option<Decimal>) -> PushedBudget {
    PushedBudget {
        customer: wanted.id.to_string(),
        from,
        to: wanted.budget.amount,
        currency: wanted.budget.currency,
        outcome: None,
        words: String::new(),
        ms_request_id: None,
        name: wanted.name.clone(),
    }
}
