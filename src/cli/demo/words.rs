//! How words are set: colours, widths, lines that fit. What they say is elsewhere.

use anstyle::{AnsiColor, Style};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr};

use crate::domain::{Severity, grouped, rounded};

/// Where what happens within a day begins.
pub(super) const INDENT: usize = 8;

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const RED: Style = AnsiColor::Red.on_default();
pub(super) const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(super) const GREEN: Style = AnsiColor::Green.on_default();
pub(super) const BLUE: Style = AnsiColor::Blue.on_default();
pub(super) const CYAN: Style = AnsiColor::Cyan.on_default();
pub(super) const MAGENTA: Style = AnsiColor::Magenta.on_default();

/// The colour of a severity.
pub(super) fn colour(severity: Severity) -> Style {
    match severity {
        Severity::Critical => RED,
        Severity::Warning => YELLOW,
        Severity::Info => BLUE,
    }
}

/// A text in a style.
pub(super) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// A text from outside, safe for a terminal: no control characters, no direction marks.
pub(super) fn harmless(text: &str) -> String {
    let turning = |c: &char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    text.chars().filter(|c| !turning(c)).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A text in exactly so many columns: filled up, or cut with an ellipsis.
pub(super) fn fitted(text: &str, columns: usize) -> String {
    let cut = cut(text, columns);
    let missing = columns.saturating_sub(cut.width());
    format!("{cut}{}", " ".repeat(missing))
}

/// A text in at most so many columns.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut room = columns.saturating_sub(1);
    let fits = |letter: &char| {
        let left = room.checked_sub(letter.width().unwrap_or(0));
        room = left.unwrap_or(0);
        left.is_some()
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// Columns that a text takes, its colours not counted.
pub(super) fn columns(text: &str) -> usize {
    anstream::adapter::strip_str(text).map(UnicodeWidthStr::width).sum()
}

/// A text in lines of at most so many columns where words allow it; each is indented as the text
/// is.
pub(super) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let indent: String = text.chars().take_while(|letter| *letter == ' ').collect();
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if self::columns(line) + 1 + self::columns(word) <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("{indent}{word}")),
        }
    }
    lines
}

/// `Mon 12 Oct`
pub(super) fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%a %e %b").to_string()
}

/// `12 Oct 14:00`
pub(super) fn moment(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%e %b %H:%M").to_string()
}

/// `14:00`
pub(super) fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%H:%M").to_string()
}

/// `7 h`, or minutes below two hours.
pub(super) fn span(from: Timestamp, to: Timestamp) -> String {
    let minutes = to.duration_since(from).as_mins();
    if minutes < 120 { format!("{minutes} min") } else { format!("{} h", minutes / 60) }
}

/// Whether a message came later than its poll explains.
pub(super) fn is_late(raised: Timestamp, came: Timestamp) -> bool {
    came.duration_since(raised) > SignedDuration::from_mins(10)
}

/// `12,037`: whole, with a comma every three digits.
pub(super) fn whole(value: Decimal) -> String {
    grouped(&rounded(value, 0).normalize().to_string())
}

/// A bar for a percentage; full at 100.
pub(super) fn bar(percent: Decimal, columns: usize) -> String {
    let hundredths =
        usize::try_from(rounded(percent, 0).clamp(Decimal::ZERO, Decimal::ONE_HUNDRED).mantissa())
            .unwrap_or(0);
    let eighths = hundredths * columns * 8 / 100;
    let part =
        ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"].get(eighths % 8).copied().unwrap_or_default();
    let full = "█".repeat(eighths / 8);
    let rest = "·".repeat(columns.saturating_sub(eighths / 8 + usize::from(!part.is_empty())));
    let style = if percent >= Decimal::ONE_HUNDRED {
        RED
    } else if percent >= Decimal::from(80) {
        YELLOW
    } else {
        GREEN
    };
    format!("{}{}", paint(style, &format!("{full}{part}")), paint(DIM, &rest))
}
