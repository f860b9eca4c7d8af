//! Amounts and percentages as people read them; the exact digits are in the JSON only.

use rust_decimal::Decimal;

use crate::domain::{Currency, grouped, rounded};

/// An amount with thousands separators: two decimals, none for a whole amount.
pub(crate) fn amount(value: Decimal) -> String {
    let cents = rounded(value, 2);
    if cents.is_zero() && !value.is_zero() {
        return if value.is_sign_negative() { "-0.01".into() } else { "0.01".into() };
    }
    grouped(&if cents.fract().is_zero() {
        cents.trunc().to_string()
    } else {
        format!("{cents:.2}")
    })
}

/// An amount that is looked at beside another: rounding never makes the two equal that are not.
pub(crate) fn amount_beside(value: Decimal, other: Decimal) -> String {
    let shown = rounded(value, 2);
    if shown != rounded(other, 2) || value == other {
        return amount(value);
    }
    let cent = Decimal::new(1, 2);
    amount(if value < other { shown.saturating_sub(cent) } else { shown.saturating_add(cent) })
}

/// An amount that is reckoned or converted, and would claim too much with its cents: none from
/// 1,000 on.
pub(crate) fn estimate(value: Decimal) -> String {
    amount(if value.abs() >= Decimal::ONE_THOUSAND { rounded(value, 0) } else { value })
}

/// An amount with its currency, alone where that is unknown.
pub(crate) fn money(value: Decimal, currency: Option<Currency>) -> String {
    currency.map_or_else(|| amount(value), |currency| format!("{} {currency}", amount(value)))
}

/// A percentage without its sign: two decimals at most, none from 1,000 on. Rounding never makes it
/// whole from below: steps are mostly whole, and 99.996 has not reached 100.
pub(crate) fn percentage(value: Decimal) -> String {
    const MOST: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);
    if value > MOST {
        return format!("over {}", grouped("1000000"));
    }
    let places = if value.abs() >= Decimal::ONE_THOUSAND { 0 } else { 2 };
    let near = rounded(value, places);
    let shown = if near.fract().is_zero() && near.abs() > value.abs() {
        value.trunc_with_scale(places)
    } else {
        near
    }
    .normalize();
    grouped(&shown.to_string())
}

/// A percentage as a sentence has it: `12.5 %`.
pub(crate) fn percent(value: Decimal) -> String {
    format!("{} %", percentage(value))
}

/// The words of a text as a subject has them, where room is short: `12.5%`.
pub(crate) fn in_subject(text: &str) -> String {
    text.replace(" %", "%")
}

/// Points of a budget, apart from their sign: `31 points`.
pub(crate) fn points(value: Decimal) -> String {
    let shown = percentage(value);
    if shown == "1" { "1 point".to_owned() } else { format!("{shown} points") }
}

/// `31 points ahead`, `3 points behind`: percent used beside percent of the period over.
pub(crate) fn ahead(value: Decimal) -> String {
    format!("{} {}", points(value.abs()), if value.is_sign_negative() { "behind" } else { "ahead" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        amount(text.parse().unwrap())
    }

    #[test]
    fn amounts_are_short_and_grouped() {
        let all = [
            "120.5682999999995904716",
            "20",
            "602.5",
            "999.995",
            "1234.56",
            "45000",
            "-1234567.5",
            "0.004",
            "-0.001",
            "0",
            "12.001",
        ];
        assert_eq!(
            all.map(shown).join(" | "),
            "120.57 | 20 | 602.50 | 1,000 | 1,234.56 | 45,000 | -1,234,567.50 | 0.01 | -0.01 | 0 | \
                12"
        );
        assert_eq!(amount(Decimal::MAX), "79,228,162,514,264,337,593,543,950,335");
    }

    #[test]
    fn a_cost_never_reads_as_the_budget_that_it_is_not() {
        let beside = |value: &str, other: &str| {
            amount_beside(value.parse().unwrap(), other.parse().unwrap())
        };
        let all = [
            ("4999.999", "5000"),
            ("5000.001", "5000"),
            ("5000", "5000.00"),
            ("4999.99", "5000"),
            ("0.001", "0"),
        ];
        assert_eq!(
            all.map(|(a, b)| beside(a, b)).join(" | "),
            "4,999.99 | 5,000.01 | 5,000 | 4,999.99 | 0.01"
        );
    }

    #[test]
    fn what_is_reckoned_claims_no_cents_from_a_thousand_on() {
        let shown = |text: &str| estimate(text.parse().unwrap());
        assert_eq!(
            ["4290.0000001", "999.5", "1234.56"].map(shown).join(" | "),
            "4,290 | 999.50 | 1,235"
        );
    }

    #[test]
    fn percentages_are_short_and_grouped() {
        let shown = |text: &str| percentage(text.parse().unwrap());
        assert_eq!(
            ["602.84", "80.0", "99.996", "1234.5", "-3.5"].map(shown).join(" | "),
            "602.84 | 80 | 99.99 | 1,234 | -3.5"
        );
        assert_eq!(percentage(Decimal::MAX), "over 1,000,000");
    }
}
