//! The worst of many customers, in memory that grows with how many are wanted only.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rust_decimal::Decimal;

use crate::alerting::CustomerState;

/// Keeps the worst of those that it is given.
pub(super) struct WorstFirst {
    limit: usize,
    worst: BinaryHeap<Reverse<Ranked>>,
}

impl WorstFirst {
    /// Keeps no more than `limit`.
    pub(super) fn of(limit: usize) -> Self {
        Self { limit, worst: BinaryHeap::new() }
    }

    /// Looks at one more.
    pub(super) fn add(&mut self, seen: CustomerState) {
        self.worst.push(Reverse(Ranked { rank: rank(&seen), seen }));
        if self.worst.len() > self.limit {
            self.worst.pop();
        }
    }

    /// Those that are kept, the worst first.
    pub(super) fn into_list(self) -> Vec<CustomerState> {
        self.worst.into_sorted_vec().into_iter().map(|Reverse(ranked)| ranked.seen).collect()
    }
}

/// Percent of the budget, then cost in US dollars, then cost; larger is worse, nothing is best.
type Rank = (Option<Decimal>, Option<Decimal>, Decimal);

fn rank(seen: &CustomerState) -> Rank {
    let percent = seen.percent_used().map(|used| used.number().unwrap_or(Decimal::MAX));
    (percent, seen.usd_cost, seen.cost)
}

/// A last seen state, ordered by its rank; equal ranks by id, so that listings are stable.
struct Ranked {
    rank: Rank,
    seen: CustomerState,
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank
            .cmp(&other.rank)
            .then_with(|| other.seen.customer.as_str().cmp(self.seen.customer.as_str()))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked {}
