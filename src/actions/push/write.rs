//! Writes budgets to Partner Center one after another so that nobody's change is overwritten and
//! none is made twice: read, compare, note the intent, ask, read again, note the outcome.

use jiff::SignedDuration;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::actions::push::change::{Changes, Done, amount_of};
use crate::actions::push::read::read;
use crate::actions::push::wanted::Wanted;
use crate::actions::push::{ConfirmedBudget, PushedBudget};
use crate::actions::{ActionError, Author};
use crate::domain::{CustomerKey, PushOutcome};
use crate::ledger::BudgetPush;
use crate::poll::Cycle;
use crate::source::SpendingBudget;

/// How long a change that was broken off is still tried under its own `MS-RequestId`.
const RESUMED_WITHIN: SignedDuration = SignedDuration::from_hours(1);
/// Why nothing is written over an answer that cannot be read.
const UNREADABLE: &str = "what Partner Center has cannot be read, and is left alone";

/// One order to push budgets.
pub(super) struct Push<'a> {
    pub(super) changes: Changes<'a>,
    /// Whether the customer is named, so that the height of its budget is no slip.
    named: bool,
}

impl<'a> Push<'a> {
    pub(super) fn of(cycle: &'a Cycle, author: &Author, named: bool) -> Self {
        Self { changes: Changes::of(cycle, author), named }
    }

    /// What would be written, without writing anything.
    pub(super) async fn plan(&mut self, wanted: &[Wanted]) -> Vec<PushedBudget> {
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
                Ok(found) => self.planned(wanted, found).await,
            };
            rows.push(row);
        }
        rows
    }

    async fn planned(
        &mut self,
        wanted: &Wanted,
        found: SpendingBudget,
    ) -> (Option<PushOutcome>, String) {
        if let Some((outcome, words)) = self.needless(wanted, found) {
            return (Some(outcome), words);
        }
        let news = self.changes.news(wanted, found).await;
        (None, format!("would be written{news}"))
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
            rows.push(self.write_one(wanted, from).await);
        }
        Ok(rows)
    }

    async fn write_one(&mut self, wanted: &Wanted, from: Option<Decimal>) -> PushedBudget {
        let mut row = row(wanted, from);
        let (outcome, words) = match self.found(wanted).await {
            Err(done) => done,
            Ok(found) => {
                let resumed = match &wanted.open {
                    Some(open) => {
                        row.ms_request_id = Some(open.request_id);
                        self.resume(wanted, open, found).await
                    }
                    None => None,
                };
                match resumed {
                    Some(done) => done,
                    None => self.write_anew(wanted, found, &mut row).await,
                }
            }
        };
        (row.outcome, row.words) = (Some(outcome), words);
        row
    }

    /// Writes over what was found, where it is what the plan saw.
    async fn write_anew(
        &mut self,
        wanted: &Wanted,
        found: SpendingBudget,
        row: &mut PushedBudget,
    ) -> Done {
        row.ms_request_id = None;
        if let Some(done) = self.needless(wanted, found) {
            return done;
        }
        if amount_of(found) != row.from {
            return (PushOutcome::Skipped, self.changes.changed_meanwhile(wanted, found).await);
        }
        let push = BudgetPush {
            request_id: Uuid::new_v4(),
            author: self.changes.author.clone(),
            at: self.changes.cycle.clock.now(),
            customer: wanted.key.clone(),
            before: row.from,
            amount: wanted.amount(),
            currency: wanted.budget.currency,
            outcome: None,
        };
        row.ms_request_id = Some(push.request_id);
        let (outcome, words) = self.changes.make(wanted, push).await;
        if outcome != PushOutcome::Written {
            return (outcome, words);
        }
        // Asked after it, so that nobody has the time to change it again.
        let news = self.changes.news(wanted, found).await;
        (outcome, format!("{words}{news}"))
    }

    /// What Partner Center has of a budget that may be written, where that can be read.
    async fn found(&mut self, wanted: &Wanted) -> Result<SpendingBudget, Done> {
        if let Some(words) = wanted.obstacle() {
            return Err((PushOutcome::Skipped, words));
        }
        if let Some(done) = self.changes.over() {
            return Err(done);
        }
        match read(self.changes.cycle, &wanted.id).await {
            Ok(SpendingBudget::Unreadable) => Err((PushOutcome::Skipped, UNREADABLE.to_owned())),
            Ok(found) => Ok(found),
            Err(error) => Err(self.changes.fault(&error)),
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
    ) -> Option<Done> {
        let is_wanted = open.amount == wanted.budget.amount;
        if amount_of(found) == Some(open.amount) {
            let words = "an earlier push that was broken off had written it".to_owned();
            let done = self.changes.end(open, PushOutcome::Written, words).await;
            return is_wanted.then_some(done);
        }
        if amount_of(found) != open.before {
            let words = self.changes.changed_meanwhile(wanted, found).await;
            return Some(self.changes.end(open, PushOutcome::Skipped, words).await);
        }
        if !is_wanted {
            let words = "it was broken off, and another amount is wanted by now".to_owned();
            self.changes.end(open, PushOutcome::Skipped, words).await;
            return None;
        }
        let age = self.changes.cycle.clock.now().duration_since(open.at).abs();
        if age > RESUMED_WITHIN {
            let words = "an earlier push was broken off more than an hour ago and has written \
                nothing: order it again"
                .to_owned();
            return Some(self.changes.end(open, PushOutcome::Skipped, words).await);
        }
        Some(self.changes.make(wanted, open.clone()).await)
    }
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
