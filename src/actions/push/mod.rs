//! Writes local budgets to Partner Center, where only a person orders it: first a plan that changes
//! nothing, then what of it was confirmed. What may be written is decided in `wanted`, how it is
//! written safely in `write`.

mod change;
mod read;
mod wanted;
mod who;
mod write;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::actions::{Action, ActionContext, ActionError, Author};
use crate::domain::{Currency, PushOutcome, exact};
use wanted::Wanted;
use write::Push;

/// Which budgets to write.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PushRequest {
    /// Only that of this customer: its id, its name or its label. It may be far higher than before.
    pub customer: Option<String>,
    /// What of the plan is to be written; none: say what would be.
    pub confirmed: Option<Vec<ConfirmedBudget>>,
}

/// A row of the plan that somebody has confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfirmedBudget {
    /// The customer's id.
    pub customer: String,
    /// What Partner Center had; none where it had no budget.
    #[serde(with = "exact")]
    pub from: Option<Decimal>,
    /// What is wanted.
    #[serde(with = "rust_decimal::serde::str")]
    pub to: Decimal,
}

/// A customer's local budget, and what became of it in Partner Center.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushedBudget {
    /// The customer's id as received, else as configured.
    pub customer: String,
    /// What Partner Center had; none where it had no budget, or that is not known.
    #[serde(with = "exact")]
    pub from: Option<Decimal>,
    /// The local budget.
    #[serde(with = "rust_decimal::serde::str")]
    pub to: Decimal,
    /// Its currency.
    pub currency: Currency,
    /// What became of it; none in a plan where it would be written.
    pub outcome: Option<PushOutcome>,
    /// Why, or what would happen.
    pub words: String,
    /// `MS-RequestId` of the change, where one was asked for.
    pub ms_request_id: Option<Uuid>,
    /// What people call the customer.
    pub name: String,
}

impl PushedBudget {
    /// That it is to be written, as a person confirms it.
    pub fn confirmed(&self) -> ConfirmedBudget {
        ConfirmedBudget { customer: self.customer.clone(), from: self.from, to: self.to }
    }
}

impl Action for PushRequest {
    const NAME: &'static str = "budgets/push";
    type Answer = Vec<PushedBudget>;

    async fn run(
        self,
        context: &ActionContext,
        author: &Author,
    ) -> Result<Vec<PushedBudget>, ActionError> {
        author.may_administer("push budgets to Partner Center")?;
        let cycle = context.cycle()?;
        if cycle.source.login().is_none() {
            return Err(ActionError::Invalid(
                "the source is a file: budgets are pushed to Partner Center only".to_owned(),
            ));
        }
        let wanted = Wanted::find(context, &cycle, &self).await?;
        let mut push = Push::of(&cycle, author, self.customer.is_some());
        let Some(confirmed) = self.confirmed else { return Ok(push.plan(&wanted).await) };
        let mut last_asked = context.pushing.try_lock().map_err(|_| {
            ActionError::Unavailable("budgets are being pushed already: ask again later".to_owned())
        })?;
        tracing::info!(%author, budgets = confirmed.len(), "budgets are pushed to Partner Center");
        push.changes.last_asked = *last_asked;
        let rows = push.write(&wanted, &confirmed).await;
        *last_asked = push.changes.last_asked;
        rows
    }
}
