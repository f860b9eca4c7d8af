//! The daemon as a process: how it lives, what it serves, what a kill leaves behind.

mod backups;
mod canaries;
mod claims;
mod control;
mod hostile;
mod http;
mod kill;
mod life;
mod log;
mod mistaken;
mod points;
mod proxy;
mod reload;
mod reports;
mod seed;
mod socket;
mod unwritable;

use budget_alertd::simulator::HttpReceiver;

/// A file of usage records polled every `interval`, one rule, and one webhook called `hook`.
fn configuration(receiver: &HttpReceiver, interval: &str) -> String {
    with_hook(&receiver.url("/hook"), interval, "")
}

/// The same with an address for the webhook, and more of its keys.
fn with_hook(url: &str, interval: &str, more: &str) -> String {
    format!(
        r#"
[source]
type = "file"
path = "{{dir}}/usage.json"
poll_interval = "{interval}"
[http]
listen = "127.0.0.1:0"
[rules.spend]
metric = "percent_used"
notify = ["hook"]
steps = [{{ at = 80 }}, {{ at = 100, severity = "critical" }}]
[notifiers.hook]
type = "webhook"
url = "{url}"
{more}
"#
    )
}

/// Customers over their budgets, by number.
fn over_budget(numbers: std::ops::Range<usize>) -> impl Iterator<Item = (String, u32)> {
    numbers.map(|number| (format!("customer-{number:04}"), 150))
}

/// A customer within its budget: a poll that is good and tells nobody.
fn within_budget() -> [(String, u32); 1] {
    [("within".to_owned(), 1)]
}
