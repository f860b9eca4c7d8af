//! Makes one change of a budget in Partner Center: notes it before it is asked for, asks, reads what
//! came of it, and notes that.

use std::time::Duration;

use rust_decimal::Decimal;
use uuid::Uuid;

use crate::actions::Author;
use crate::actions::push::read::{read, wait_if_asked};
use crate::actions::push::wanted::{Wanted, shown};
use crate::actions::push::who::Audit;
use crate::domain::PushOutcome;
use crate::ledger::{BudgetPush, Ledger, LedgerError, PushTry};
use crate::poll::Cycle;
use crate::source::{ChangeIds, Place, SourceError, SpendingBudget};
use crate::text::{amount, clean};

/// The waits before the tries of one change.
const WAITS: [Duration; 3] = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(4)];
/// The time between two changes.
const PACE: Duration = Duration::from_secs(1);

/// What became of a budget, and why.
pub(super) type Done = (PushOutcome, String);

/// The changes of one order.
pub(super) struct Changes<'a> {
    pub(super) cycle: &'a Cycle,
    ledger: Ledger,
    pub(super) author: String,
    /// What becomes of all that is left, and why.
    over: Option<Done>,
    audit: Audit,
    /// When a change was asked for last, by the clock's monotonic time.
    pub(super) last_asked: Option<Duration>,
}

impl<'a> Changes<'a> {
    pub(super) fn of(cycle: &'a Cycle, author: &Author) -> Self {
        let author = author.to_string();
        let ledger = cycle.ledger.ordered_by(&author);
        Self { cycle, ledger, author, over: None, audit: Audit::default(), last_asked: None }
    }

    /// What becomes of a budget without asking anybody, where nothing more is asked.
    pub(super) fn over(&self) -> Option<Done> {
        let (outcome, why) = self.over.as_ref()?;
        Some((*outcome, format!("not asked: {why}")))
    }

    /// Asks for a change until it is there, and notes each try before it is made.
    pub(super) async fn make(&mut self, wanted: &Wanted, push: BudgetPush) -> Done {
        let mut why = String::new();
        for wait in WAITS {
            self.wait_for_turn(wait).await;
            let correlation = match self.begin(wanted, &push).await {
                Ok(correlation) => correlation,
                Err(done) => return done,
            };
            let ids = ChangeIds { request: push.request_id, correlation };
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
            if let Some(done) = self.look(wanted, &push, is_taken).await {
                return done;
            }
        }
        let words = format!("it is not written after {} tries: {why}", WAITS.len());
        self.end(&push, PushOutcome::Failed, words).await
    }

    /// Notes a try before it is made; returns its `MS-CorrelationId`.
    async fn begin(&mut self, wanted: &Wanted, push: &BudgetPush) -> Result<Uuid, Done> {
        let (correlation_id, at) = (Uuid::new_v4(), self.cycle.clock.now());
        let attempt = PushTry { correlation_id, at, known: wanted.known.clone() };
        match self.ledger.begin_budget_push(push.clone(), attempt).await {
            Ok(None) => Ok(correlation_id),
            Ok(Some(other)) => Err((PushOutcome::Skipped, at_it(&other))),
            Err(error) => {
                let why = self.unwritable(&error);
                Err((PushOutcome::Failed, format!("not asked: {why}")))
            }
        }
    }

    /// `; changed there by …`, where what was found is not what was last known.
    pub(super) async fn news(&mut self, wanted: &Wanted, found: SpendingBudget) -> String {
        match wanted.last_known {
            Some((known, since)) if known != amount_of(found) => {
                format!("; {}", self.audit.who(self.cycle, wanted, found, since).await)
            }
            Some(_) | None => String::new(),
        }
    }

    /// That somebody else has changed a budget since the plan was made, or since it was tried.
    pub(super) async fn changed_meanwhile(
        &mut self,
        wanted: &Wanted,
        found: SpendingBudget,
    ) -> String {
        let who = self.audit.who(self.cycle, wanted, found, self.cycle.clock.now()).await;
        format!("changed meanwhile: Partner Center has {} now; {who}", shown(found))
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
    async fn look(&mut self, wanted: &Wanted, push: &BudgetPush, is_taken: bool) -> Option<Done> {
        let found = match read(self.cycle, &wanted.id).await {
            Ok(SpendingBudget::Unreadable) => return Some(unknown("the answer is unreadable")),
            Ok(found) => found,
            Err(error) => {
                let (_, why) = self.fault(&error);
                return Some(unknown(&why));
            }
        };
        let (outcome, words) = if amount_of(found) == Some(push.amount) {
            (PushOutcome::Written, "read back from Partner Center".to_owned())
        } else if is_taken {
            (PushOutcome::Failed, format!("written, but read back as {}", shown(found)))
        } else if amount_of(found) == push.before {
            return None;
        } else {
            (PushOutcome::Skipped, self.changed_meanwhile(wanted, found).await)
        };
        Some(self.end(push, outcome, words).await)
    }

    /// Notes what became of a change.
    pub(super) async fn end(
        &mut self,
        push: &BudgetPush,
        outcome: PushOutcome,
        words: String,
    ) -> Done {
        let words = clean(&words, 400);
        tracing::info!(
            author = self.author,
            customer = push.customer.as_str(),
            request_id = %push.request_id,
            outcome = outcome.as_str(),
            "the budget in Partner Center: {} {}: {words}", push.amount, push.currency
        );
        let now = self.cycle.clock.now();
        let noted = self.ledger.end_budget_push(push.clone(), outcome, words.clone(), now).await;
        let Err(error) = noted else { return (outcome, words) };
        let why = self.unwritable(&error);
        let words =
            format!("{words}; that cannot be noted ({why}): push again, which looks at it first");
        (PushOutcome::Failed, words)
    }

    /// Nothing more is asked for once it cannot be noted.
    fn unwritable(&mut self, error: &LedgerError) -> String {
        let why = clean(&error.to_string(), 400);
        self.over.get_or_insert_with(|| (PushOutcome::Failed, why.clone()));
        why
    }

    /// What a failure means for this budget, and for those after it.
    pub(super) fn fault(&mut self, error: &SourceError) -> Done {
        let words = clean(&error.to_string(), 400);
        if error.ends_asking() {
            self.over.get_or_insert_with(|| (PushOutcome::Skipped, words.clone()));
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

/// Another process pushes the same customer's budget.
fn at_it(other: &BudgetPush) -> String {
    let (author, amount) = (clean(&other.author, 80), amount(other.amount));
    format!(
        "changed meanwhile: {author} pushes {amount} {} from another host: push again in 10 minutes",
        other.currency
    )
}

/// Nobody knows what became of a change: it stays without an outcome.
fn unknown(why: &str) -> Done {
    let words = format!(
        "it may be written, but cannot be read back ({why}): push again, which looks at it first"
    );
    (PushOutcome::Failed, words)
}

pub(super) fn amount_of(found: SpendingBudget) -> Option<Decimal> {
    if let SpendingBudget::Amount(found) = found { Some(found) } else { None }
}
