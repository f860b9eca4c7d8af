//! Exact numbers: whole ten-thousandths, and quotients of them that are rounded once.

/// A number in ten-thousandths.
pub(super) type Number = i128;

/// 1.
pub(super) const ONE: Number = 10_000;

/// A quotient, rounded half-up to a whole number.
pub(super) fn half_up(part: i128, whole: i128) -> i128 {
    let (negative, part, whole) = ((part < 0) != (whole < 0), part.abs(), whole.abs());
    let rounded = (2 * part + whole) / (2 * whole);
    if negative { -rounded } else { rounded }
}

/// As it is written, without zeros at its end.
pub(super) fn written(number: Number) -> String {
    let (sign, number) = (if number < 0 { "-" } else { "" }, number.abs());
    let digits = format!("{}.{:04}", number / ONE, number % ONE);
    format!("{sign}{}", digits.trim_end_matches('0').trim_end_matches('.'))
}
