//! Listings as CSV. No cell is taken for a formula by a spreadsheet.

use crate::cli::output;

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

/// A cell that would start a formula gets an apostrophe in front (OWASP, "CSV Injection"); numbers stay numbers.
fn harmless(cell: &str) -> String {
    let starts = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let is_number = crate::domain::parse_decimal(cell).is_ok();
    if starts && !is_number { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_defused_and_numbers_are_not() {
        let cells = ["=cmd()", "+1-1", "-2.50", "-x", "@SUM", "\tx", "Contoso", "5"];
        assert_eq!(cells.map(harmless), ["'=cmd()", "'+1-1", "-2.50", "'-x", "'@SUM", "'\tx", "Contoso", "5"]);
    }
}
