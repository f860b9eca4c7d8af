//! The worst of very many, kept in little memory, with what all of them come to.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use rust_decimal::Decimal;

use crate::domain::{Currency, Sum, Top};

/// How many of a list are named.
pub(crate) const LISTED: usize = 12;

/// What a list is ordered by, larger is worse: US dollars where they are known, then the amount,
/// then what came first.
pub(crate) type Rank = (Option<Decimal>, Decimal, Reverse<u64>);

/// A list in the making.
pub(crate) struct Ranking<T> {
    worst: BinaryHeap<Reverse<Ranked<T>>>,
    total: u64,
    sums: BTreeMap<Option<String>, Sum>,
    usd: Option<Decimal>,
}

impl<T> Ranking<T> {
    pub(crate) fn new() -> Self {
        Self { worst: BinaryHeap::new(), total: 0, sums: BTreeMap::new(), usd: None }
    }

    /// Takes one that counts `amount` of its currency, `usd` of all.
    pub(crate) fn take(
        &mut self,
        amount: Decimal,
        currency: Option<Currency>,
        usd: Option<Decimal>,
        item: T,
    ) {
        self.total += 1;
        let sum = self.sums.entry(currency.map(|currency| currency.to_string()));
        let sum =
            sum.or_insert(Sum { currency, customers: 0, amount: currency.map(|_| Decimal::ZERO) });
        sum.customers += 1;
        sum.amount = sum.amount.map(|sum| sum.saturating_add(amount));
        self.usd = usd.map(|usd| self.usd.unwrap_or_default().saturating_add(usd)).or(self.usd);
        self.worst.push(Reverse(Ranked { rank: (usd, amount, Reverse(self.total)), item }));
        if self.worst.len() > LISTED {
            self.worst.pop();
        }
    }

    /// The worst first.
    pub(crate) fn finish(self) -> Top<T> {
        let items =
            self.worst.into_sorted_vec().into_iter().map(|Reverse(ranked)| ranked.item).collect();
        let mut sums: Vec<Sum> = self.sums.into_values().collect();
        sums.sort_by_key(|sum| Reverse(sum.customers));
        Top { total: self.total, items, sums, usd: self.usd }
    }
}

struct Ranked<T> {
    rank: Rank,
    item: T,
}

impl<T> Ord for Ranked<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank.cmp(&other.rank)
    }
}

impl<T> PartialOrd for Ranked<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Ranked<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for Ranked<T> {}
