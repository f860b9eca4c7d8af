//! Exact decimals and currencies: parsing from text, canonical form, percentages. There is no float
//! on the way.

use std::fmt;

use rust_decimal::{Decimal, RoundingStrategy};

/// Digits of a number that are kept, and digits behind its point.
const MOST_DIGITS: usize = 28;

/// Why a text is no usable number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Not a JSON number, nor one in quotes.
    #[error("not a number")]
    NotANumber,
    /// A magnitude of 10^28 or more.
    #[error("magnitude of 10^28 or more")]
    TooLarge,
}

/// A number read from text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number {
    /// The value, to 28 significant digits.
    pub value: Decimal,
    /// Whether digits beyond the 28th were rounded (half-up) away.
    pub rounded: bool,
}

/// Parses a number as it stands in JSON: an integer, a decimal or scientific notation.
///
/// More than 28 significant digits are rounded half-up and reported in [`Number::rounded`]; a
/// magnitude of 10^28 or more is no number.
pub fn parse_decimal(text: &str) -> Result<Number, NumberError> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => {
            let (mantissa, rest) = text.split_at(at);
            let digits = rest.get(1..).ok_or(NumberError::NotANumber)?;
            (
                mantissa,
                digits
                    .strip_prefix('+')
                    .unwrap_or(digits)
                    .parse::<i64>()
                    .map_err(|_| NumberError::NotANumber)?,
            )
        }
        None => (text, 0),
    };
    let (negative, unsigned) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || unsigned.ends_with('.') {
        return Err(NumberError::NotANumber);
    }
    let number = if exponent == 0 { plain(unsigned)? } else { scaled(whole, fraction, exponent)? };
    Ok(Number { value: if negative { -number.value } else { number.value }, ..number })
}

/// Parses a JSON number as it came over the wire: [`parse_decimal`], and also a number in quotes.
pub fn parse_wire_number(raw: &str) -> Result<Number, NumberError> {
    let text = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(raw);
    parse_decimal(text.trim())
}

fn plain(text: &str) -> Result<Number, NumberError> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let significant = whole.trim_start_matches('0').len();
    if significant > MOST_DIGITS {
        return Err(NumberError::TooLarge);
    }
    // So short a text has no digit too many.
    if text.len() <= MOST_DIGITS {
        let value = Decimal::from_str_exact(text).map_err(|_| NumberError::NotANumber)?;
        return Ok(Number { value, rounded: false });
    }
    let digits = format!("{whole}{fraction}");
    let leading = digits.len() - digits.trim_start_matches('0').len();
    let surplus = (digits.len() - leading)
        .saturating_sub(MOST_DIGITS)
        .max(fraction.len().saturating_sub(MOST_DIGITS));
    let (kept, lost) = digits.split_at(digits.len() - surplus);
    let kept = kept.trim_start_matches('0');
    let mantissa: i128 =
        if kept.is_empty() { 0 } else { kept.parse().map_err(|_| NumberError::TooLarge)? };
    let up = i128::from(lost.as_bytes().first().is_some_and(|digit| *digit >= b'5'));
    let scale = u32::try_from(fraction.len() - surplus).map_err(|_| NumberError::TooLarge)?;
    let value = Decimal::try_from_i128_with_scale(mantissa + up, scale)
        .map_err(|_| NumberError::TooLarge)?;
    Ok(Number { value, rounded: lost.bytes().any(|digit| digit != b'0') })
}

/// Writes a number with an exponent out in full, so that it takes the same way as any other.
fn scaled(whole: &str, fraction: &str, exponent: i64) -> Result<Number, NumberError> {
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return Ok(Number { value: Decimal::ZERO, rounded: false });
    }
    let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);
    // Where the point stands, counted from the first significant digit.
    let point = length(whole)
        .saturating_add(exponent)
        .saturating_sub(length(&digits) - length(significant));
    if point > 28 {
        return Err(NumberError::TooLarge);
    }
    if point < -28 {
        return Ok(Number { value: Decimal::ZERO, rounded: true });
    }
    let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
    let written = if point <= 0 {
        format!("0.{}{significant}", zeros(-point))
    } else if point >= length(significant) {
        format!("{significant}{}", zeros(point - length(significant)))
    } else {
        let (before, after) = significant.split_at(usize::try_from(point).unwrap_or(0));
        format!("{before}.{after}")
    };
    plain(&written)
}

/// A number without trailing zeros and without an exponent: `80.0` is `80`.
pub fn canonical(value: Decimal) -> Decimal {
    value.normalize()
}

/// The digits of a number in groups of three, as people read them: `-45000.25` is `-45,000.25`.
pub fn grouped(number: &str) -> String {
    let (sign, number) = number.strip_prefix('-').map_or(("", number), |rest| ("-", rest));
    let (whole, fraction) =
        number.find('.').and_then(|point| number.split_at_checked(point)).unwrap_or((number, ""));
    let mut text = String::from(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + fraction
}

/// `value` rounded half-up to `digits` places.
pub fn rounded(value: Decimal, digits: u32) -> Decimal {
    value.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero)
}

/// `part` as a percentage of `whole`, rounded half-up to two decimals; `None` for a `whole` of
/// zero.
///
/// A percentage too large for a decimal is the largest decimal: over every step it is either way.
pub fn percent_of(part: Decimal, whole: Decimal) -> Option<Decimal> {
    if whole.is_zero() {
        return None;
    }
    // Multiplying first is exact; only magnitudes that cannot be multiplied are divided first.
    let percent = part
        .checked_mul(Decimal::ONE_HUNDRED)
        .and_then(|hundredfold| hundredfold.checked_div(whole))
        .or_else(|| part.checked_div(whole)?.checked_mul(Decimal::ONE_HUNDRED));
    let same_sign = part.is_sign_negative() == whole.is_sign_negative();
    let largest = if same_sign { Decimal::MAX } else { Decimal::MIN };
    Some(percent.map_or(largest, |percent| canonical(rounded(percent, 2))))
}

/// A currency code, upper case (ISO 4217 in sound data, but unknown ones are kept).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

/// The text is not three ASCII letters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a currency code of three letters")]
pub struct InvalidCurrency(String);

impl Currency {
    /// Parses a code of three ASCII letters in any case.
    pub fn try_new(code: &str) -> Result<Self, InvalidCurrency> {
        let upper = code.trim().to_ascii_uppercase();
        match <[u8; 3]>::try_from(upper.as_bytes()) {
            Ok(bytes) if bytes.iter().all(u8::is_ascii_uppercase) => Ok(Self(bytes)),
            _ => Err(InvalidCurrency(code.chars().take(20).collect())),
        }
    }

    /// How many digits an amount of it may have behind the point where it is sent to Partner
    /// Center: none for currencies without a smaller coin (ISO 4217), else two.
    pub fn digits(&self) -> u32 {
        const WHOLE: [&str; 16] = [
            "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND",
            "VUV", "XAF", "XOF", "XPF",
        ];
        if WHOLE.contains(&self.as_str()) { 0 } else { 2 }
    }

    /// The code, upper case.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::try_new(&code).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> String {
        match parse_decimal(text) {
            Ok(Number { value, rounded }) => {
                format!("{value}{}", if rounded { " rounded" } else { "" })
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn digits_are_kept_as_written() {
        assert_eq!(number("120.5682999999995904716"), "120.5682999999995904716");
        assert_eq!(number("0.0"), "0.0");
        assert_eq!(number("-12.30"), "-12.30");
        assert_eq!(number("1e3"), "1000");
        assert_eq!(number("12.5E-1"), "1.25");
        assert_eq!(number("0.00012e+4"), "1.2");
    }

    #[test]
    fn too_many_digits_are_rounded_half_up_and_said() {
        assert_eq!(
            number("1.00000000000000000000000000005"),
            "1.000000000000000000000000000 rounded"
        );
        assert_eq!(
            number("1.0000000000000000000000000005"),
            "1.000000000000000000000000001 rounded"
        );
        assert_eq!(
            number("-7.12345678901234567890123456785"),
            "-7.123456789012345678901234568 rounded"
        );
        assert_eq!(
            number("0.0012345678901234567890123456785"),
            "0.0012345678901234567890123457 rounded"
        );
        assert_eq!(number("1.00000000000000000000000000000"), "1.000000000000000000000000000");
        assert_eq!(
            number("0.00000000000000000000000000004"),
            "0.0000000000000000000000000000 rounded"
        );
        assert_eq!(number("1e-400"), "0 rounded");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in
            ["", "-", "NaN", "1.", ".5", "1e", "0x10", "1,5", "--1", "1e9999999999999999999"]
        {
            assert_eq!(number(text), "not a number", "{text}");
        }
        assert_eq!(number("1e400"), "magnitude of 10^28 or more");
        assert_eq!(number("10000000000000000000000000000"), "magnitude of 10^28 or more");
        assert_eq!(number("9999999999999999999999999999"), "9999999999999999999999999999");
        assert_eq!(
            number("9999999999999999999999999999.9"),
            "10000000000000000000000000000 rounded"
        );
    }

    #[test]
    fn quoted_numbers_are_numbers() {
        assert_eq!(parse_wire_number("\"12.50\"").unwrap().value.to_string(), "12.50");
        assert!(parse_wire_number("\"twelve\"").is_err());
    }

    #[test]
    fn percentages_round_half_up() {
        let percent = |part: &str, whole: &str| {
            percent_of(part.parse().unwrap(), whole.parse().unwrap()).unwrap().to_string()
        };
        assert_eq!(percent("120.5682999999995904716", "20"), "602.84");
        assert_eq!(percent("27.23292827625710931604", "97"), "28.08");
        assert_eq!(percent("0.79995", "1"), "80");
        assert_eq!(percent("9999999999999999999999999999", "0.01"), Decimal::MAX.to_string());
        assert_eq!(percent_of(Decimal::ONE, Decimal::ZERO), None);
    }
}
