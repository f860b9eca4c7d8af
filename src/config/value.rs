//! Texts and numbers of a configuration as values: exact decimals and durations. There is no float
//! on the way.

use std::time::Duration;

use rust_decimal::Decimal;
use toml::de::DeValue;

use crate::domain::{UsageDate, parse_decimal};

/// The longest duration: a hundred years, far from every overflow.
const LONGEST: u64 = 100 * 366 * 86_400;

/// An integer, a float or a text as an exact number.
pub(crate) fn number(value: &DeValue<'_>) -> Result<Decimal, String> {
    let text = match value {
        DeValue::Integer(integer) if integer.radix() != 10 => {
            let whole = i128::from_str_radix(integer.as_str(), integer.radix()).ok();
            whole.map(|whole| whole.to_string()).ok_or("the number is too large")?
        }
        DeValue::Integer(integer) => integer.as_str().to_owned(),
        DeValue::Float(float) => float.as_str().to_owned(),
        DeValue::String(text) => match text.trim().strip_suffix('%').map(str::trim_end) {
            Some(bare) if parse_decimal(bare).is_ok() => {
                return Err(format!(
                    "write {}: a percentage is a number without the sign",
                    short(bare)
                ));
            }
            _ => text.trim().to_owned(),
        },
        DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
            return Err(format!("expected a number, found {}", called(value)));
        }
    };
    let digits = text.strip_prefix('+').unwrap_or(&text);
    let plain: String = digits.chars().filter(|letter| *letter != '_').collect();
    match parse_decimal(&plain) {
        Ok(number) if number.rounded => Err("the number has more than 28 digits".to_owned()),
        Ok(number) => Ok(number.value),
        Err(error) if matches!(value, DeValue::String(_)) => {
            Err(format!("expected a number, found \"{}\": {error}", short(&text)))
        }
        Err(error) => Err(format!("{} is no usable number: {error}", short(&text))),
    }
}

/// `"90s"`, `"15m"`, `"1h30m"`, `"2d"`: whole numbers with units, the largest first, each once,
/// above zero.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || {
        format!("\"{}\" is no duration: write \"90s\", \"15m\", \"1h30m\" or \"2d\"", short(text))
    };
    let mut rest = text.trim();
    let mut units = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)].into_iter();
    let mut seconds: u64 = 0;
    while !rest.is_empty() {
        let digits =
            rest.len() - rest.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let (count, unit) = rest.split_at(digits);
        let letter = unit.chars().next().ok_or_else(wrong)?;
        let (_, length) = units.find(|(name, _)| *name == letter).ok_or_else(wrong)?;
        let count: u64 =
            if count.len() > 19 { u64::MAX } else { count.parse().map_err(|_| wrong())? };
        seconds = seconds.saturating_add(count.saturating_mul(length));
        rest = unit.get(1..).unwrap_or_default();
    }
    match seconds {
        0 if text.trim().is_empty() => Err(wrong()),
        0 => Err("the duration must be above zero".to_owned()),
        seconds if seconds > LONGEST => {
            Err("the duration is longer than a hundred years".to_owned())
        }
        seconds => Ok(Duration::from_secs(seconds)),
    }
}

/// A date with a time, in quotes or as TOML writes it; UTC where it names no offset.
pub(crate) fn moment(value: &DeValue<'_>) -> Result<UsageDate, String> {
    let date = value.as_datetime().map(ToString::to_string);
    let text = date.or_else(|| value.as_str().map(str::to_owned)).ok_or_else(|| {
        let found = called(value);
        format!("expected a date with a time such as 2026-11-14T08:00:00Z, found {found}")
    })?;
    UsageDate::parse(&text).ok_or_else(|| {
        format!("\"{}\" is no date with a time: write 2026-11-14T08:00:00Z", short(&text))
    })
}

/// What a value is, for messages.
pub(crate) fn called(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// A text from the file, short enough for a message, on one line.
pub(crate) fn short(text: &str) -> String {
    let clean = |letter: char| if letter.is_control() { ' ' } else { letter };
    let start: String = text.chars().take(60).map(clean).collect();
    if text.chars().nth(60).is_some() { format!("{start}…") } else { start }
}

/// How many known names are listed where none is near.
const LISTED: usize = 12;

/// The known name nearest to a misspelt one, else the known ones, as a hint for the end of a
/// message.
pub(crate) fn hint<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    let name = name.to_lowercase();
    let known: Vec<&str> = known.into_iter().collect();
    let near = |candidate: &str| strsim::jaro_winkler(&name, &candidate.to_lowercase());
    let best = known.iter().copied().max_by(|a, b| near(a).total_cmp(&near(b)));
    match best {
        Some(best) if near(best) >= 0.75 => format!("; did you mean \"{}\"?", short(best)),
        Some(_) if known.len() <= LISTED => format!("; known are {}", quoted(&known)),
        _ => String::new(),
    }
}

/// Names for a message.
pub(crate) fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("\"{}\"", short(name))).collect::<Vec<_>>().join(", ")
}

/// `rules.spend`, with quotes around what needs them.
pub(crate) fn joined(path: &str, name: &str) -> String {
    let bare = !name.is_empty()
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter));
    let name = if bare { name.to_owned() } else { format!("\"{}\"", short(name)) };
    if path.is_empty() { name } else { format!("{path}.{name}") }
}
