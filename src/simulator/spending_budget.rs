//! The budgets that the simulated Partner Center has (`usagebudget`): reads and writes of them as
//! the service answers. Who may ask is left to `partner_center`.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde_json::value::RawValue;

use crate::simulator::{Answer, Request};

/// How an answer ends, whatever the amount.
const ATTRIBUTES: &str = r#""attributes":{"objectType":"SpendingBudget"}"#;
/// The documented example, which is no JSON.
const MALFORMED: &str = r#"{
    {
        "amount": 5000,
        "usageSpendingBudget": 5000,
        "attributes":{
            "objectType":"SpendingBudget"
        }
    },
    "links":{
        "self":{
            "uri":"/v1/customers/<customer-tenant-id>/usagebudget",
            "method":"PATCH",
            "headers":[]
        }
    }
}"#;

/// What a customer's `usagebudget` answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimBudget {
    /// This amount, with the digits it has.
    Amount(Decimal),
    /// No budget: the key is left out.
    Absent,
    /// No budget: `"amount":null`.
    Null,
    /// The documented example, which is no JSON; changes are taken all the same.
    Malformed,
    /// The partner has no relationship with this customer: 403.
    Denied,
}

/// A change as it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetChange {
    /// The customer's id as asked.
    pub customer: String,
    /// `MS-RequestId`.
    pub request_id: String,
    /// The new amount; none where the budget was cleared.
    pub amount: Option<Decimal>,
}

/// The budgets of customers that were set or changed here; the others have that of their record.
#[derive(Debug, Default)]
pub(crate) struct SpendingBudgets {
    by_customer: BTreeMap<String, SimBudget>,
    known_requests: BTreeSet<String>,
    changes: Vec<BudgetChange>,
}

impl SpendingBudgets {
    /// From now on a customer has this budget, and no change of before is known any more.
    pub(crate) fn set(&mut self, customer: &str, budget: SimBudget) {
        self.by_customer.insert(customer.to_lowercase(), budget);
        self.known_requests.clear();
    }

    /// The changes that were made.
    pub(crate) fn changes(&self) -> Vec<BudgetChange> {
        self.changes.clone()
    }

    /// What a read answers; `recorded` is the amount in the customer's record.
    pub(crate) fn read(&self, customer: &str, recorded: Option<Decimal>) -> Answer {
        match self.budget(customer, recorded) {
            SimBudget::Amount(amount) => {
                Answer::json(200, format!("{{\"amount\":{amount},{ATTRIBUTES}}}"))
            }
            SimBudget::Absent => Answer::json(200, format!("{{{ATTRIBUTES}}}")),
            SimBudget::Null => Answer::json(200, format!("{{\"amount\":null,{ATTRIBUTES}}}")),
            SimBudget::Malformed => Answer::json(200, MALFORMED),
            SimBudget::Denied => {
                Answer::error(403, "900159", "There is no relationship with this customer.")
            }
        }
    }

    /// What a write answers, before it is made.
    pub(crate) fn answer_to_write(&self, customer: &str, request: &Request) -> Answer {
        if self.budget(customer, None) == SimBudget::Denied {
            return self.read(customer, None);
        }
        match new_amount(&request.body) {
            Ok(Some(amount)) => Answer::json(200, format!("{{\"amount\":{amount},{ATTRIBUTES}}}")),
            Ok(None) => Answer::json(200, format!("{{{ATTRIBUTES}}}")),
            Err(NoAmount) => Answer::error(400, "3000", "Invalid property: Amount."),
        }
    }

    /// Makes a change that was answered with success, and returns it; the same `MS-RequestId` makes
    /// it once.
    pub(crate) fn write(&mut self, customer: &str, request: &Request) -> Option<BudgetChange> {
        let amount = new_amount(&request.body).ok()?;
        let request_id = request.header("MS-RequestId").unwrap_or_default().to_owned();
        if !self.known_requests.insert(request_id.clone()) {
            return None;
        }
        let budget = amount.map_or(SimBudget::Absent, SimBudget::Amount);
        self.by_customer.insert(customer.to_lowercase(), budget);
        let change = BudgetChange { customer: customer.to_owned(), request_id, amount };
        self.changes.push(change.clone());
        Some(change)
    }

    fn budget(&self, customer: &str, recorded: Option<Decimal>) -> SimBudget {
        let set = self.by_customer.get(&customer.to_lowercase()).copied();
        set.unwrap_or_else(|| recorded.map_or(SimBudget::Absent, SimBudget::Amount))
    }
}

/// The key `Amount` is missing, or its value is no number.
struct NoAmount;

/// `Amount` of a body; none where it is `null`.
fn new_amount(body: &[u8]) -> Result<Option<Decimal>, NoAmount> {
    let fields: BTreeMap<String, Box<RawValue>> =
        serde_json::from_slice(body).map_err(|_| NoAmount)?;
    match fields.get("Amount").ok_or(NoAmount)?.get() {
        "null" => Ok(None),
        number => Decimal::from_str_exact(number).map(Some).map_err(|_| NoAmount),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(id: &str, body: &str) -> Request {
        Request {
            method: "PATCH".into(),
            path: "/v1/customers/c1/usagebudget".into(),
            headers: vec![("MS-RequestId".into(), id.into())],
            body: body.into(),
            at: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    fn shown(budgets: &SpendingBudgets) -> String {
        String::from_utf8(budgets.read("C1", Some(7.into())).body).unwrap()
    }

    #[test]
    fn one_request_id_makes_one_change_and_digits_stay() {
        let mut budgets = SpendingBudgets::default();
        assert_eq!(shown(&budgets), format!("{{\"amount\":7,{ATTRIBUTES}}}"));
        let change = request("1", r#"{"Amount":5000.10}"#);
        assert_eq!(budgets.answer_to_write("c1", &change).status, 200);
        budgets.write("c1", &change);
        assert_eq!(shown(&budgets), format!("{{\"amount\":5000.10,{ATTRIBUTES}}}"));
        budgets.write("c1", &request("2", r#"{"Amount":null}"#));
        assert_eq!(shown(&budgets), format!("{{{ATTRIBUTES}}}"));
        budgets.write("c1", &change);
        assert_eq!(shown(&budgets), format!("{{{ATTRIBUTES}}}"), "made before");
        assert_eq!(budgets.changes().len(), 2);
    }

    #[test]
    fn a_body_without_an_amount_is_refused() {
        let budgets = SpendingBudgets::default();
        for body in ["", "{}", r#"{"amount":5}"#, r#"{"Amount":"many"}"#] {
            assert_eq!(budgets.answer_to_write("c1", &request("1", body)).status, 400, "{body}");
        }
    }
}
