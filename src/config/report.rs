//! Reads `[report]`: how often the regular report comes, when, and to whom.

use jiff::civil::Time;

use crate::config::ReportPlan;
use crate::config::names::Names;
use crate::config::notifiers::refuse_shown;
use crate::config::reader::Table;
use crate::config::value::short;
use crate::domain::Every;

/// The regular report; none without the table, or where it is mistaken.
pub(crate) fn read<'a>(root: &Table<'a>, names: &Names<'a>) -> Option<ReportPlan> {
    let table = root.table("report")?;
    for key in ["every", "notify"] {
        table.require(key);
    }
    let every = table.text("every").and_then(|word| Every::from_name(word.value));
    let at = match table.text("at") {
        Some(text) => {
            let read = time(text.value);
            let mistaken =
                || format!("\"{}\" is no time of the day, such as \"08:00\"", short(text.value));
            table.reader.accept(&text.span, read.ok_or_else(mistaken))
        }
        None => Some(ReportPlan::AT),
    };
    let notify = names.own_notifiers(&table, "notify", "the regular report");
    refuse_shown(root, &table, "notify");
    Some(ReportPlan { every: every?, at: at?, notify })
}

/// `08:00`: hours and minutes of a day.
fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    let two = |digits: &str| {
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<i8>().ok())?
    };
    Time::new(two(hour)?, two(minute).filter(|_| minute.len() == 2)?, 0, 0).ok()
}
