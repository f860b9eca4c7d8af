//! The floor: what it costs to parse an answer that is in memory already into a type of its own,
//! with borrowed texts and inexact numbers, and to do nothing with it.

use std::hint::black_box;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::timed::middle;

#[derive(Deserialize)]
#[expect(dead_code, reason = "parsed, and not looked at")]
struct Collection<'a> {
    #[serde(borrow)]
    items: Vec<Record<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "parsed, and not looked at")]
struct Record<'a> {
    budget: Budget,
    percent_used: f64,
    is_upgraded: bool,
    resource_id: &'a str,
    name: &'a str,
    total_cost: f64,
    usd_total_cost: f64,
    currency_code: Option<&'a str>,
    currency_locale: Option<&'a str>,
    last_modified_date: &'a str,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "parsed, and not looked at")]
struct Budget {
    amount: Option<f64>,
}

/// How long it takes to parse these bytes, the middle of so many rounds.
pub(crate) fn parse(answer: &[u8], rounds: usize) -> Duration {
    let round = || {
        let start = Instant::now();
        let parsed: Collection<'_> = serde_json::from_slice(black_box(answer)).unwrap();
        black_box(&parsed);
        start.elapsed()
    };
    middle((0..rounds).map(|_| round()).collect())
}
