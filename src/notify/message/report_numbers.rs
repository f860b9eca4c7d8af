//! The numbers of a report in words: counts, and sums in several currencies.

use rust_decimal::Decimal;

use crate::domain::{Sum, Top};
use crate::text::amounts::{amount, estimate, money};

/// How many currencies a sum names.
const CURRENCIES: usize = 4;

/// `40,000 SEK · 1,200 EUR (about 5,120 USD)`: currencies are never added up.
pub(super) fn sums<T>(top: &Top<T>) -> String {
    let sum = |sum: &Sum| sum.amount.map(|amount| money(amount, sum.currency));
    let named: Vec<String> = top.sums.iter().filter_map(sum).take(CURRENCIES).collect();
    let more =
        top.sums.iter().filter(|sum| sum.amount.is_some()).count().saturating_sub(named.len());
    let more = if more > 0 { format!(" and {more} more currencies") } else { String::new() };
    let only_usd =
        top.sums.iter().all(|sum| sum.currency.is_some_and(|currency| currency.as_str() == "USD"));
    format!("{}{more}{}", named.join(" · "), about_usd(top.usd.filter(|_| !only_usd)))
}

/// ` (about 5,120 USD)`.
pub(super) fn about_usd(usd: Option<Decimal>) -> String {
    usd.filter(|usd| *usd > Decimal::ZERO)
        .map(|usd| format!(" (about {} USD)", estimate(usd)))
        .unwrap_or_default()
}

/// `1 customer`, `2,500 customers`.
pub(super) fn count(number: u64, noun: &str) -> String {
    let plural =
        noun.strip_suffix('y').map_or_else(|| format!("{noun}s"), |stem| format!("{stem}ies"));
    if number == 1 { format!("1 {noun}") } else { format!("{} {plural}", grouped(number)) }
}

/// `1 delivery was`, `3 deliveries were`.
pub(super) fn were(number: u64, noun: &str) -> String {
    format!("{} {}", count(number, noun), if number == 1 { "was" } else { "were" })
}

/// `2,500`.
pub(super) fn grouped(number: u64) -> String {
    amount(Decimal::from(number))
}
