//! The members of a digest as a table in plain text, for mail programs that show letters of one
//! width, and readable in others.

use unicode_width::UnicodeWidthStr as _;

use crate::notify::message::member::Member;
use crate::notify::message::reasons::ALSO;

/// How much of a name a table shows.
const NAME_CHARS: usize = 40;
const HEAD: [&str; 5] = ["Customer", "Used", "Cost / budget", "Over", "Rule, period, reference"];

/// The lines of the table: its head, then the members, each severity under its name, with what else
/// must be known below them.
pub(super) fn table(members: &[Member]) -> Vec<String> {
    let rows: Vec<[String; 5]> = members.iter().map(cells).collect();
    let all = || std::iter::once(HEAD.map(str::to_owned)).chain(rows.iter().cloned());
    let mut widths = [0; 5];
    for row in all() {
        widths.iter_mut().zip(&row).for_each(|(width, cell)| *width = cell.width().max(*width));
    }
    let mut lines = vec![line(&HEAD.map(str::to_owned), widths)];
    let mut group = "";
    for (member, row) in members.iter().zip(&rows) {
        if group != member.label {
            group = &member.label;
            lines.push(group.to_owned());
        }
        lines.push(line(row, widths));
        lines.extend(member.news.as_ref().map(|news| format!("    {news}")));
        lines.extend(member.also.iter().map(|also| format!("    {ALSO}: {also}")));
    }
    lines
}

fn cells(member: &Member) -> [String; 5] {
    let Member { called, cost_of_budget, origin, .. } = member;
    let (used, over) =
        (member.badge.clone().unwrap_or_default(), member.over.clone().unwrap_or_default());
    [called.cut(NAME_CHARS), used, cost_of_budget.clone(), over, origin.clone()]
}

/// The second and the fourth column are numbers that stand below each other.
fn line(cells: &[String; 5], widths: [usize; 5]) -> String {
    let padded = (0_usize..).zip(cells.iter().zip(widths)).map(|(column, (cell, width))| {
        let blanks = " ".repeat(width.saturating_sub(cell.width()));
        if matches!(column, 1 | 3) { format!("{blanks}{cell}") } else { format!("{cell}{blanks}") }
    });
    format!("  {}", padded.collect::<Vec<_>>().join("  ")).trim_end().to_owned()
}
