//! A spreadsheet of customers as text (CSV): its columns by name, its rows with their places and
//! with what is wrong with them. Reading the file is left to `config`, finding customers by their
//! names to `cli`.

mod cells;
mod columns;
mod money;
mod row;

use std::ops::Range;

pub use cells::{Cell, Placed};
pub use columns::{Column, TOLD};
pub use money::{MoneyError, parse_money, write_money};
pub use row::{Row, Rows, begins_a_formula};

/// What is wrong at a place of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Bytes of the text.
    pub span: Range<usize>,
    /// What is wrong, and what to do.
    pub text: String,
}

/// A spreadsheet whose first row was understood.
#[derive(Debug, Clone)]
pub struct Sheet<'t> {
    header: columns::Header,
    body: cells::Lines<'t>,
}

impl<'t> Sheet<'t> {
    /// Reads the first row; what is wrong with it goes to `faults`, and the rows can be read all
    /// the same. `None` for a text without any row.
    pub fn open(text: &'t str, faults: &mut Vec<Fault>) -> Option<Self> {
        let mut body = columns::separated(text);
        let Some(mut first) = body.next() else {
            let text = "there is nothing in it: the first row names the columns, such as \
                customer_id,label,budget,currency";
            faults.push(Fault { span: 0..0, text: text.to_owned() });
            return None;
        };
        faults.append(&mut first.faults);
        Some(Self { header: columns::header(&first, faults), body })
    }

    /// Whether it has such a column.
    pub fn has(&self, column: Column) -> bool {
        self.header.columns.contains(&Some(column))
    }

    /// The first row.
    pub fn heading(&self) -> Range<usize> {
        self.header.span.clone()
    }

    /// The rows below the first, in their order.
    pub fn rows(&self) -> Rows<'_, 't> {
        Rows { lines: self.body.clone(), sheet: self }
    }
}

#[cfg(test)]
mod tests;
