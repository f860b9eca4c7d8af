//! Amounts and percentages as people read them; the exact digits are in the JSON only.

use rust_decimal::Decimal;

use crate::domain::{Currency, rounded};

/// An amount with thousands separators: two decimals, none for a whole amount or from 1,000 on.
pub(crate) fn amount(value: Decimal) -> String {
    let cents = rounded(value, 2);
    if cents.is_zero() && !value.is_zero() {
        return if value.is_sign_negative() { "-0.01".into() } else { "0.01".into() };
    }
    let shown = if cents.abs() >= Decimal::ONE_THOUSAND { rounded(value, 0) } else { cents };
    if shown.fract().is_zero() { grouped(&shown.trunc().to_string()) } else { format!("{shown:.2}") }
}

/// An amount with its currency, alone where that is unknown.
pub(crate) fn money(value: Decimal, currency: Option<Currency>) -> String {
    currency.map_or_else(|| amount(value), |currency| format!("{} {currency}", amount(value)))
}

/// A percentage without its sign: two decimals at most, none from 1,000 on.
pub(crate) fn percentage(value: Decimal) -> String {
    const MOST: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);
    if value > MOST {
        return format!("over {}", grouped("1000000"));
    }
    let shown = rounded(value, if value.abs() >= Decimal::ONE_THOUSAND { 0 } else { 2 }).normalize();
    let text = shown.to_string();
    match text.split_once('.') {
        Some((whole, fraction)) => format!("{}.{fraction}", grouped(whole)),
        None => grouped(&text),
    }
}

/// A percentage as a sentence has it: `12.5 %`.
pub(crate) fn percent(value: Decimal) -> String {
    format!("{} %", percentage(value))
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

/// Digits in groups of three: `-45000` is `-45,000`.
fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let mut text = String::from(sign);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        amount(text.parse().unwrap())
    }

    #[test]
    fn amounts_are_short_and_grouped() {
        let all = ["120.5682999999995904716", "20", "602.5", "999.995", "1234.56", "45000", "-1234567.5", "0.004", "-0.001", "0", "12.001"];
        assert_eq!(all.map(shown).join(" | "), "120.57 | 20 | 602.50 | 1,000 | 1,235 | 45,000 | -1,234,568 | 0.01 | -0.01 | 0 | 12");
        assert_eq!(amount(Decimal::MAX), "79,228,162,514,264,337,593,543,950,335");
    }

    #[test]
    fn percentages_are_short_and_grouped() {
        let shown = |text: &str| percentage(text.parse().unwrap());
        assert_eq!(["602.84", "80.0", "99.996", "1234.5", "-3.5"].map(shown).join(" | "), "602.84 | 80 | 100 | 1,235 | -3.5");
        assert_eq!(percentage(Decimal::MAX), "over 1,000,000");
    }
}
