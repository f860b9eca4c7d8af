//! Listings as CSV. No cell is taken for a formula by a spreadsheet.

use std::io::Write;

use crate::budgets::sheet::begins_a_formula;
use crate::cli::output;
use crate::text::is_obeyed;

/// Prints a heading and rows.
pub(super) fn print(
    heading: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> anyhow::Result<()> {
    output::document(&text(heading, rows, b',')?)
}

/// Prints further rows.
pub(super) fn print_rows(rows: impl IntoIterator<Item = Vec<String>>) -> anyhow::Result<()> {
    let mut sheet = Spreadsheet::into(Vec::new(), b',');
    rows.into_iter().try_for_each(|row| sheet.add(&row))?;
    output::document(&String::from_utf8(sheet.end()?)?)
}

/// A heading and rows as text.
pub(super) fn text(
    heading: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
    separator: u8,
) -> anyhow::Result<String> {
    let mut sheet = Spreadsheet::into(Vec::new(), separator);
    sheet.head(heading)?;
    rows.into_iter().try_for_each(|row| sheet.add(&row))?;
    Ok(String::from_utf8(sheet.end()?)?)
}

/// A spreadsheet that is written row by row.
pub(super) struct Spreadsheet<W: Write>(csv::Writer<W>);

impl<W: Write> Spreadsheet<W> {
    /// One that goes into `out`, with `separator` between cells.
    pub(super) fn into(out: W, separator: u8) -> Self {
        Self(csv::WriterBuilder::new().delimiter(separator).from_writer(out))
    }

    /// Writes what the columns are called.
    pub(super) fn head(&mut self, heading: &[&str]) -> anyhow::Result<()> {
        self.0.write_record(heading).map_err(as_io)
    }

    /// Writes a row.
    pub(super) fn add(&mut self, row: &[String]) -> anyhow::Result<()> {
        self.0.write_record(row.iter().map(|cell| harmless(cell))).map_err(as_io)
    }

    /// Writes what is left, and hands back where it went.
    pub(super) fn end(self) -> anyhow::Result<W> {
        Ok(self.0.into_inner().map_err(csv::IntoInnerError::into_error)?)
    }
}

/// A reader that has seen enough is known by the kind of the error below.
#[expect(clippy::wildcard_enum_match_arm, reason = "the library may add kinds")]
fn as_io(error: csv::Error) -> anyhow::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error.into(),
        kind => anyhow::anyhow!("a row cannot be written: {kind:?}"),
    }
}

/// A cell that would start a formula, also behind blanks and by signs of full width, gets an
/// apostrophe in front (OWASP, "CSV Injection"); numbers stay numbers. What a terminal would obey
/// becomes a blank.
fn harmless(cell: &str) -> String {
    let cell: String = cell
        .chars()
        .map(|letter| if is_obeyed(letter) && letter != '\n' { ' ' } else { letter })
        .collect();
    let begins = begins_a_formula(&cell);
    let is_number = crate::domain::parse_decimal(&cell).is_ok();
    if begins && !is_number { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_defused_and_numbers_are_not() {
        let cells = [
            "=cmd()",
            "+1-1",
            "-2.50",
            "-x",
            "@SUM",
            "\t=x",
            "Contoso",
            "5",
            " \u{a0}=x",
            "＝x",
            "\u{feff}＠x",
            "a=b",
        ];
        let defused = [
            "'=cmd()",
            "'+1-1",
            "-2.50",
            "'-x",
            "'@SUM",
            "' =x",
            "Contoso",
            "5",
            "' \u{a0}=x",
            "'＝x",
            "'\u{feff}＠x",
            "a=b",
        ];
        assert_eq!(cells.map(harmless), defused);
        assert_eq!(harmless("\u{1b}]0;x\u{7}\u{9b}2J"), " ]0;x  2J");
        assert_eq!(harmless("A-17\u{202e}\u{2028}x"), "A-17  x");
    }
}
