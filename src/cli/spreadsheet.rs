//! Listings as CSV. No cell is taken for a formula by a spreadsheet.

use crate::budgets::sheet::begins_a_formula;
use crate::cli::output;
use crate::text::is_obeyed;

/// Prints a heading and rows.
pub(super) fn print(heading: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> anyhow::Result<()> {
    output::document(&text(heading, rows, b',')?)
}

/// A heading and rows as text.
pub(super) fn text(heading: &[&str], rows: impl IntoIterator<Item = Vec<String>>, separator: u8) -> anyhow::Result<String> {
    let mut writer = csv::WriterBuilder::new().delimiter(separator).from_writer(Vec::new());
    writer.write_record(heading)?;
    for row in rows {
        writer.write_record(row.iter().map(|cell| harmless(cell)))?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

/// A cell that would start a formula, also behind blanks and by signs of full width, gets an apostrophe in front (OWASP, "CSV
/// Injection"); numbers stay numbers. What a terminal would obey becomes a blank.
fn harmless(cell: &str) -> String {
    let cell: String = cell.chars().map(|letter| if is_obeyed(letter) && letter != '\n' { ' ' } else { letter }).collect();
    let begins = begins_a_formula(&cell);
    let is_number = crate::domain::parse_decimal(&cell).is_ok();
    if begins && !is_number { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_defused_and_numbers_are_not() {
        let cells = ["=cmd()", "+1-1", "-2.50", "-x", "@SUM", "\t=x", "Contoso", "5", " \u{a0}=x", "＝x", "\u{feff}＠x", "a=b"];
        let defused = ["'=cmd()", "'+1-1", "-2.50", "'-x", "'@SUM", "' =x", "Contoso", "5", "' \u{a0}=x", "'＝x", "'\u{feff}＠x", "a=b"];
        assert_eq!(cells.map(harmless), defused);
        assert_eq!(harmless("\u{1b}]0;x\u{7}\u{9b}2J"), " ]0;x  2J");
        assert_eq!(harmless("A-17\u{202e}\u{2028}x"), "A-17  x");
    }
}
