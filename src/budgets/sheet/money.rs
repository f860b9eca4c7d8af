//! Amounts as people write them in spreadsheets, exact to the digit. One that can be read in two
//! ways is refused.

use rust_decimal::Decimal;

use crate::domain::parse_decimal;

/// Why a cell is no amount; says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// A comma or a point that may part thousands or decimals.
    #[error("\"{text}\" can mean {whole} or {decimal}: write {whole}, or {decimal}")]
    Ambiguous {
        /// As written.
        text: String,
        /// Read as thousands.
        whole: String,
        /// Read as decimals; written so that it cannot be mistaken.
        decimal: String,
    },
    /// Not an amount in any form.
    #[error(
        "\"{0}\" is no amount: write 1234.50, 1 234,50, 1.234,50 or 1,234.50; the currency has a \
            column of its own"
    )]
    NotAnAmount(String),
    /// Below zero.
    #[error("\"{0}\" is negative: a budget is zero or more; leave the cell empty for none")]
    Negative(String),
    /// More digits than are kept.
    #[error("\"{0}\" has more than 28 digits")]
    TooLong(String),
}

/// Reads `1234.5`, `1 234,50`, `1.234,50`, `1,234.50`, `1'234.50`; spaces of every kind part
/// thousands.
pub fn parse_money(text: &str) -> Result<Decimal, MoneyError> {
    let wrong = || MoneyError::NotAnAmount(shown(text));
    let plain: String = text.trim().chars().map(usual).collect();
    let (negative, digits) = match plain.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let written = written(digits).ok_or_else(wrong)?;
    let number = match written {
        Written::Plain(number) => number,
        Written::Ambiguous { whole, decimal } => {
            return Err(MoneyError::Ambiguous { text: shown(text), whole, decimal });
        }
    };
    let number = parse_decimal(&number)
        .map_err(|_| if number.len() > 28 { MoneyError::TooLong(shown(text)) } else { wrong() })?;
    match number.value {
        _ if number.rounded => Err(MoneyError::TooLong(shown(text))),
        value if negative && !value.is_zero() => Err(MoneyError::Negative(shown(text))),
        value => Ok(value),
    }
}

/// An amount that [`parse_money`] reads again, with `point` before its decimals.
pub fn write_money(amount: Decimal, point: char) -> String {
    let text = amount.to_string();
    let Some((whole, decimals)) = text.split_once('.') else { return text };
    // Three decimals could be taken for thousands.
    let padding = if decimals.len() == 3 { "0" } else { "" };
    format!("{whole}{point}{decimals}{padding}")
}

enum Written {
    /// As a plain number.
    Plain(String),
    Ambiguous {
        whole: String,
        decimal: String,
    },
}

/// Spaces and apostrophes of every kind as one of theirs.
fn usual(letter: char) -> char {
    match letter {
        '\u{2019}' | '\u{2bc}' | '\u{b4}' | '`' => '\'',
        '\u{2212}' => '-',
        letter if letter.is_whitespace() => ' ',
        letter => letter,
    }
}

/// A number without its sign; `None` for what is none.
fn written(text: &str) -> Option<Written> {
    let marks: Vec<char> = text.chars().filter(|letter| !letter.is_ascii_digit()).collect();
    if marks.iter().any(|mark| !" '.,".contains(*mark)) {
        return None;
    }
    let Some(&last) = marks.last() else {
        return (!text.is_empty()).then(|| Written::Plain(text.to_owned()));
    };
    let groups = marks.iter().filter(|mark| **mark != last).count();
    let is_point = ".,".contains(last);
    if groups == marks.len() - 1 && is_point {
        let (whole, decimals) = text.rsplit_once(last)?;
        return pointed(whole, decimals, marks.first().copied().filter(|_| groups > 0));
    }
    // One kind of mark between all thousands.
    let same = groups == 0;
    (same && is_grouped(text, last)).then(|| Written::Plain(text.replace(last, "")))
}

/// A number with a decimal point, and with `group` between thousands where there is one.
fn pointed(whole: &str, decimals: &str, group: Option<char>) -> Option<Written> {
    let decimals_only = !decimals.is_empty() && decimals.bytes().all(|byte| byte.is_ascii_digit());
    let is_whole = match group {
        Some(group) => is_grouped(whole, group),
        None => !whole.is_empty(),
    };
    if !decimals_only || !is_whole {
        return None;
    }
    // `1,234` may be either; `0,234` and `1234,567` may not.
    if group.is_none() && decimals.len() == 3 && whole.len() <= 3 && !whole.starts_with('0') {
        return Some(Written::Ambiguous {
            whole: format!("{whole}{decimals}"),
            decimal: format!("{whole}.{decimals}0"),
        });
    }
    let digits: String = whole.chars().filter(char::is_ascii_digit).collect();
    Some(Written::Plain(format!("{digits}.{decimals}")))
}

/// `1 234 567` with `mark` between groups: up to three digits, then three each.
fn is_grouped(text: &str, mark: char) -> bool {
    let mut groups = text.split(mark);
    let first = groups.next().unwrap_or_default();
    let digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    (1..=3).contains(&first.len())
        && digits(first)
        && groups.all(|group| group.len() == 3 && digits(group))
}

fn shown(text: &str) -> String {
    text.trim()
        .chars()
        .take(40)
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        parse_money(text).map_or_else(|error| error.to_string(), |amount| amount.to_string())
    }

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for (text, amount) in [
            ("5000", "5000"),
            ("0", "0"),
            ("-0", "0"),
            ("+12", "12"),
            ("1234.5", "1234.5"),
            ("1234,5", "1234.5"),
            ("1 234,50", "1234.50"),
            ("1\u{a0}234,50", "1234.50"),
            ("1\u{202f}234,50", "1234.50"),
            ("1.234,50", "1234.50"),
            ("1,234.50", "1234.50"),
            ("1'234.50", "1234.50"),
            ("1\u{2019}234\u{2019}567.5", "1234567.5"),
            ("1.234.567", "1234567"),
            ("1,234,567", "1234567"),
            ("1 234", "1234"),
            ("1 234,500", "1234.500"),
            ("1.234,500", "1234.500"),
            ("12,3456", "12.3456"),
            ("0,234", "0.234"),
            ("1234,567", "1234.567"),
            ("0.1", "0.1"),
            ("9007199254740993", "9007199254740993"),
        ] {
            assert_eq!(read(text), amount, "{text}");
        }
    }

    #[test]
    fn an_amount_that_can_be_read_in_two_ways_says_how_to_write_it() {
        assert_eq!(read("1,234"), "\"1,234\" can mean 1234 or 1.2340: write 1234, or 1.2340");
        assert_eq!(read("12.500"), "\"12.500\" can mean 12500 or 12.5000: write 12500, or 12.5000");
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in [
            "",
            "-",
            ".",
            ",5",
            "5.",
            "12 34",
            "1,23,456",
            "1 234 56",
            "1.234.56",
            "1,234.567.8",
            "1,234,5",
            "5000 SEK",
            "€5",
            "1e3",
            "12 %",
            "1 2345,00",
            "1234 567,00",
            "1.2,3.4",
            "--5",
            "٣",
            "12. Mai",
            "1'234,567'8",
        ] {
            assert!(read(text).contains("is no amount"), "{text}: {}", read(text));
        }
        assert!(read("-1,50").contains("is negative"));
        assert!(read("12345678901234567890123456789").contains("more than 28 digits"));
        assert!(read("1.00000000000000000000000000005").contains("more than 28 digits"));
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["5000", "1.2340", "12.5", "0.005", "1234.567", "99.99"] {
            let amount: Decimal = text.parse().unwrap();
            for point in ['.', ','] {
                assert_eq!(parse_money(&write_money(amount, point)), Ok(amount), "{text}");
            }
        }
        assert_eq!(write_money("1.234".parse().unwrap(), ','), "1,2340");
    }
}
