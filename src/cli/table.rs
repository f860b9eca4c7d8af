//! Listings as tables for people: aligned, no wider than the terminal, the first word of a row in
//! its colour.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, TableStyle};

use crate::cli::output::{Tone, width};

/// A table.
pub(super) struct Listing {
    columns: &'static [Column],
    rows: Vec<Vec<String>>,
}

/// A column's heading, and on which side its cells stand.
#[derive(Debug, Clone, Copy)]
pub(super) enum Column {
    /// Words, broken into lines where space is short.
    Left(&'static str),
    /// Words that stay in one line.
    Whole(&'static str),
    /// Numbers, which do too.
    Right(&'static str),
}

impl Listing {
    /// A table without rows.
    pub(super) fn new(columns: &'static [Column]) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row of as many cells as there are columns. The cells are clean already.
    pub(super) fn add(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The lines, each indented by so many spaces.
    pub(super) fn lines(self, indent: u16) -> Vec<String> {
        let mut table = Table::new();
        table
            .load_style(TableStyle::new())
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width().saturating_sub(indent));
        table.set_header(
            self.columns
                .iter()
                .map(|(Column::Left(name) | Column::Whole(name) | Column::Right(name))| *name),
        );
        table.add_rows(self.rows);
        for (index, column) in self.columns.iter().enumerate() {
            let Some(cells) = table.column_mut(index) else { continue };
            cells.set_padding((0, 2));
            if !matches!(column, Column::Left(_)) {
                cells.set_constraint(ColumnConstraint::ContentWidth);
            }
            if matches!(column, Column::Right(_)) {
                cells.set_cell_alignment(CellAlignment::Right);
            }
        }
        let margin = " ".repeat(usize::from(indent));
        let lines = table.lines().enumerate();
        lines
            .map(|(index, line)| format!("{margin}{}", coloured(line.trim_end(), index == 0)))
            .collect()
    }
}

fn coloured(line: &str, heading: bool) -> String {
    if heading {
        return Tone::Faint.paint(line);
    }
    let (word, rest) = line.split_at(line.find(' ').unwrap_or(line.len()));
    let tone = match word {
        "CRITICAL" | "dead" => Tone::Bad,
        "WARNING" | "pending" => Tone::Uneasy,
        "sent" => Tone::Good,
        _ => return line.to_owned(),
    };
    format!("{}{rest}", tone.paint(word))
}
