//! `/metrics/customers`: cost, budget and percent of each customer, for those who want boards of
//! them. Off unless `[http] customer_metrics` is set: its labels say who the customers are.

use std::convert::Infallible;
use std::fmt::Write as _;

use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use tokio::sync::Semaphore;

use crate::alerting::CustomerState;
use crate::domain::MetricValue;
use crate::ledger::{self, LedgerError, Reader};
use crate::web::shown::Shown;

/// A metric: its name, what it is, and its value for a customer.
type Metric = (&'static str, &'static str, fn(&CustomerState) -> Option<String>);

const METRICS: [Metric; 3] = [
    ("cost", "Cost in the billing period so far, in the customer's currency.", |seen| {
        Some(seen.cost.to_string())
    }),
    ("budget", "The budget in force, in the customer's currency.", |seen| {
        seen.budget.map(|budget| budget.to_string())
    }),
    ("used_percent", "Percent of the budget used; +Inf over a budget of zero.", |seen| {
        seen.percent_used().map(|used| match used {
            MetricValue::Number(percent) => percent.to_string(),
            MetricValue::OverZero => "+Inf".to_owned(),
        })
    }),
];

/// The most that is answered, in bytes: what a scrape takes of the daemon's memory.
const MOST: usize = 128 << 20;
/// One scrape at a time, until its reader has all of it.
static ONE: Semaphore = Semaphore::const_new(1);

pub(super) async fn customers(State(shown): State<Shown>) -> Response {
    if !*shown.customer_metrics.borrow() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let Ok(turn) = ONE.try_acquire() else {
        return unavailable("another scrape is under way");
    };
    match ledger::read(&shown.ledger_file, families).await {
        Ok(Some(families)) => {
            let length = size(&families).to_string();
            let parts = families.into_iter().map(move |family| {
                let _held_until_all_is_read = &turn;
                Ok::<_, Infallible>(family)
            });
            let body = Body::from_stream(stream::iter(parts));
            let kind = "text/plain; version=0.0.4; charset=utf-8".to_owned();
            ([(header::CONTENT_TYPE, kind), (header::CONTENT_LENGTH, length)], body).into_response()
        }
        Ok(None) => unavailable("there are more customers than fit in an answer of 128 MiB"),
        Err(error) => unavailable(&error.to_string()),
    }
}

fn size(families: &[String]) -> usize {
    families.iter().map(String::len).sum()
}

fn unavailable(why: &str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response()
}

/// The metrics of all customers; `None` where they are too many.
fn families(reader: &Reader) -> Result<Option<[String; METRICS.len()]>, LedgerError> {
    let mut families = METRICS.map(|(name, help, _)| {
        format!(
            "# HELP budget_alertd_customer_{name} {help}\n# TYPE budget_alertd_customer_{name} \
                gauge\n"
        )
    });
    reader.each_customer(|seen| {
        if size(&families) > MOST {
            return;
        }
        for ((name, _, value), family) in METRICS.iter().zip(&mut families) {
            if let Some(value) = value(&seen) {
                series(family, name, &seen, &value);
            }
        }
    })?;
    Ok((size(&families) <= MOST).then_some(families))
}

fn series(family: &mut String, name: &str, seen: &CustomerState, value: &str) {
    let subscription =
        seen.subscription.as_ref().map_or("", |subscription| subscription.id.as_str());
    let currency = seen.currency.map(|currency| currency.to_string()).unwrap_or_default();
    // Writing to a text cannot fail.
    let _written = writeln!(
        family,
        "budget_alertd_customer_{name}{{customer_id=\"{}\",customer=\"{}\",subscription_id=\"{}\",currency=\"{}\"}} {value}",
        escaped(seen.customer.as_str()),
        escaped(seen.label.as_deref().unwrap_or(&seen.name)),
        escaped(subscription),
        escaped(&currency),
    );
}

/// A label's value as the text format has it; control characters are left out.
fn escaped(text: &str) -> String {
    let kept = text.chars().filter(|letter| !letter.is_control()).take(200).collect::<String>();
    kept.replace('\\', "\\\\").replace('"', "\\\"")
}
