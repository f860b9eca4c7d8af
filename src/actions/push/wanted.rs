//! Which local budgets may be written to Partner Center: what the configuration and the ledger say,
//! without asking anybody.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::actions::push::PushRequest;
use crate::actions::{ActionContext, ActionError, release};
use crate::alerting::{CustomerState, NewSample};
use crate::analysis::whole_periods;
use crate::budgets::{LocalBudget, LocalCustomer};
use crate::domain::{Currency, CustomerId, CustomerKey, PushOutcome, same_name};
use crate::ledger::{BudgetPush, LedgerError, Reader};
use crate::poll::Cycle;
use crate::source::SpendingBudget;
use crate::text::{amount, clean};

/// More than so many times what Partner Center has is no slip only where the customer is named.
const MOST_OF_BEFORE: Decimal = Decimal::from_parts(10, 0, 0, false, 0);
/// The same for the mean of the customer's whole months.
const MOST_OF_MEAN: Decimal = Decimal::from_parts(20, 0, 0, false, 0);

/// The local budget of one customer, with what is known of it.
pub(super) struct Wanted {
    pub(super) key: CustomerKey,
    /// As received, else as configured.
    pub(super) id: CustomerId,
    /// What people call the customer.
    pub(super) name: String,
    pub(super) budget: LocalBudget,
    /// Whether usage of the customer was ever read.
    is_seen: bool,
    /// The currency of that usage.
    currency: Option<Currency>,
    /// What its whole months come to.
    mean: Option<Decimal>,
    /// An earlier change of which nobody knows yet what came of it.
    pub(super) open: Option<BudgetPush>,
    /// What Partner Center had when it was last written from here, else when usage data last told,
    /// and since when.
    pub(super) last_known: Option<(Option<Decimal>, Timestamp)>,
    /// The `MS-RequestId`s of all earlier changes.
    pub(super) known: Vec<Uuid>,
}

impl Wanted {
    /// The local budgets that are asked for, by the names of their customers.
    pub(super) async fn find(
        context: &ActionContext,
        cycle: &Cycle,
        asked: &PushRequest,
    ) -> Result<Vec<Self>, ActionError> {
        let locals = cycle.budgets.customers.iter().filter(|(_, local)| local.budget.is_some());
        let mut locals: BTreeMap<CustomerKey, LocalCustomer> =
            locals.map(|(key, local)| (key.clone(), local.clone())).collect();
        let customer = asked.customer.clone();
        let confirmed: Option<BTreeSet<CustomerKey>> = asked
            .confirmed
            .as_ref()
            .map(|rows| rows.iter().map(|row| CustomerKey::of(&row.customer)).collect());
        context
            .read(move |reader| {
                if let Some(text) = &customer {
                    let key = meant(reader, &locals, text)?;
                    locals.retain(|known, _| *known == key);
                }
                if let Some(confirmed) = &confirmed {
                    locals.retain(|known, _| confirmed.contains(known));
                }
                Ok(read(reader, locals)?)
            })
            .await
    }

    /// Why it is not written whatever Partner Center has, in words.
    pub(super) fn obstacle(&self) -> Option<String> {
        let LocalBudget { amount: wanted, currency } = self.budget;
        if !self.is_seen {
            return Some("no usage of this customer was ever read".to_owned());
        }
        match self.currency {
            None => return Some("the currency of its usage is not known".to_owned()),
            Some(usage) if usage != currency => {
                return Some(format!("its usage is in {usage}, the budget in {currency}"));
            }
            Some(_) => {}
        }
        if wanted <= Decimal::ZERO {
            return Some("only amounts above 0 are written".to_owned());
        }
        match (wanted.normalize().scale(), currency.digits()) {
            (has, most) if has <= most => None,
            (_, 0) => Some(format!("amounts in {currency} are whole numbers")),
            (_, most) => Some(format!("amounts in {currency} have {most} decimals at most")),
        }
    }

    /// Why it is not written over what Partner Center has, unless the customer is named.
    pub(super) fn excess(&self, from: Option<Decimal>) -> Option<String> {
        let times = |most: Decimal, of: Decimal| self.budget.amount > most.saturating_mul(of);
        let far = if let Some(from) = from.filter(|from| times(MOST_OF_BEFORE, *from)) {
            format!("more than 10 times what Partner Center has ({})", amount(from))
        } else {
            // A customer that has spent nothing yet says nothing.
            let mean = self.mean.filter(|mean| *mean > Decimal::ZERO);
            let mean = mean.filter(|mean| times(MOST_OF_MEAN, *mean))?;
            format!("more than 20 times its mean month ({})", amount(mean))
        };
        Some(format!("{far}: if it is meant, name the customer with --customer"))
    }

    /// The amount as it is sent: with as many digits as its currency has.
    pub(super) fn amount(&self) -> Decimal {
        let mut amount = self.budget.amount;
        amount.rescale(self.budget.currency.digits());
        amount
    }
}

/// What an answer says that there is, as people read it.
pub(super) fn shown(found: SpendingBudget) -> String {
    match found {
        SpendingBudget::None => "no budget".to_owned(),
        SpendingBudget::Amount(found) => amount(found),
        SpendingBudget::Unreadable => "something that cannot be read".to_owned(),
    }
}

/// The one customer with a local budget that is meant.
fn meant(
    reader: &Reader,
    locals: &BTreeMap<CustomerKey, LocalCustomer>,
    text: &str,
) -> Result<CustomerKey, ActionError> {
    let written = CustomerKey::written(text);
    let is_labelled = |local: &LocalCustomer| {
        local.profile.label.as_deref().is_some_and(|label| same_name(label, text))
    };
    let mut labelled = locals.iter().filter(|(_, local)| is_labelled(local));
    let key = match (locals.contains_key(&written), labelled.next(), labelled.next()) {
        (true, ..) => written,
        (false, Some((only, _)), None) => only.clone(),
        _ => release::customer(reader, text)?,
    };
    if locals.contains_key(&key) {
        return Ok(key);
    }
    Err(ActionError::Invalid(format!("\"{}\" has no budget of its own here", clean(text, 60))))
}

/// The mean of a customer's whole months; none without any.
fn mean_month(seen: &CustomerState, history: &[NewSample]) -> Option<Decimal> {
    let whole = whole_periods(seen, history);
    let sum = whole.iter().copied().fold(Decimal::ZERO, Decimal::saturating_add);
    sum.checked_div(Decimal::from(whole.len()))
}

fn read(
    reader: &Reader,
    locals: BTreeMap<CustomerKey, LocalCustomer>,
) -> Result<Vec<Wanted>, LedgerError> {
    let mut seen: BTreeMap<CustomerKey, CustomerState> = BTreeMap::new();
    reader.each_seen(|state| {
        let key = state.key();
        if locals.contains_key(&key) {
            seen.insert(key, state);
        }
    })?;
    let mut pushes: BTreeMap<CustomerKey, Vec<BudgetPush>> = BTreeMap::new();
    for push in reader.budget_pushes()? {
        pushes.entry(push.customer.clone()).or_default().push(push);
    }
    let mut all = Vec::new();
    for (key, local) in locals {
        let Some(budget) = local.budget else { continue };
        let state = seen.get(&key);
        let id = state.map(|state| state.customer.clone());
        let Some(id) = id.or_else(|| CustomerId::try_new(key.as_str())) else { continue };
        let mean = match state {
            Some(state) => mean_month(state, &reader.history(&key)?),
            None => None,
        };
        let pushes = pushes.remove(&key).unwrap_or_default();
        let name = local.profile.label.clone().or_else(|| state.map(|state| state.name.clone()));
        all.push(Wanted {
            name: name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| id.to_string()),
            is_seen: state.is_some(),
            currency: state.and_then(|state| state.currency),
            last_known: last_known(&pushes, state),
            known: pushes.iter().map(|push| push.request_id).collect(),
            open: pushes.into_iter().rfind(|push| push.outcome.is_none()),
            key,
            id,
            budget,
            mean,
        });
    }
    all.sort_by_cached_key(|wanted| (wanted.name.to_lowercase(), wanted.key.clone()));
    Ok(all)
}

fn last_known(
    pushes: &[BudgetPush],
    state: Option<&CustomerState>,
) -> Option<(Option<Decimal>, Timestamp)> {
    let written = pushes.iter().rfind(|push| push.outcome == Some(PushOutcome::Written));
    let written = written.map(|push| (Some(push.amount), push.at));
    let seen = || state.map(|state| (state.partner_center_budget, state.usage_as_of.instant()));
    written.or_else(seen)
}
