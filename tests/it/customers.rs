//! Messages to customers from the poll to the mailbox: who is owed what, what is held, and that
//! nothing ever reaches another.

mod holding;
mod in_slices;
mod owing;
mod privacy;

/// A rule that tells the partner's own people and customers, and the notifiers of both.
const RULES: &str = r#"
[rules.spend]
metric = "percent_used"
notify = ["hook", "customers"]
steps = [{ at = 80, remind_every = "1h" }, { at = 100, severity = "critical", remind_every = "1h" }]
[notifiers.hook]
type = "webhook"
url = "http://127.0.0.1:9/"
[notifiers.customers]
type = "email"
audience = "customer"
to_customer_contacts = true
send_resolved = true
from = "alerts@partner.example"
smtp = { host = "127.0.0.1", tls = "none" }
"#;

/// The same with contacts for customers of these ids: each at its own address.
fn rules(ids: &[&str]) -> String {
    let contacts = ids
        .iter()
        .map(|id| format!("[customers.{id}]\ncontacts = [\"IT of {id} <{id}@{id}.example>\"]\n"));
    format!("{RULES}{}", contacts.collect::<Vec<_>>().concat())
}

const DAY: &str = "2019-09-17T00:00:00Z";
