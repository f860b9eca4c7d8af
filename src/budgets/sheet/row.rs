//! One row of a spreadsheet as values: amounts, currencies, lists. Whether they are enough, and
//! whether the notifiers and rules they name exist, is left to who uses the row.

use std::borrow::Cow;
use std::ops::Range;

use rust_decimal::Decimal;

use crate::budgets::sheet::cells::{Cell, Line, Placed};
use crate::budgets::sheet::columns::{Column, Header};
use crate::budgets::sheet::money::parse_money;
use crate::budgets::sheet::{Fault, Sheet};
use crate::domain::{Currency, people};
use crate::text::is_unseen;

/// A row. What could not be read is `None`, and a fault.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row<'t> {
    /// The line it starts on, from 1.
    pub line: usize,
    /// All of it.
    pub span: Range<usize>,
    /// Whose row it is.
    pub customer_id: Option<Cell<'t>>,
    /// The subscription that it is about.
    pub subscription_id: Option<Cell<'t>>,
    /// The name in Partner Center.
    pub name: Option<Cell<'t>>,
    /// The name we call it by.
    pub label: Option<Cell<'t>>,
    /// The amount for one billing period, zero or above.
    pub budget: Option<Placed<Decimal>>,
    /// Its currency.
    pub currency: Option<Placed<Currency>>,
    /// Mail addresses, not checked.
    pub contacts: Vec<Placed<String>>,
    /// Who looks after it on our side.
    pub owner: Option<Cell<'t>>,
    /// Words that rules select by.
    pub tags: Vec<Placed<String>>,
    /// Notifiers, not checked.
    pub notify: Vec<Placed<String>>,
    /// Rules, not checked.
    pub mute_rules: Vec<Placed<String>>,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
}

impl<'t> Row<'t> {
    pub(super) fn of(line: Line<'t>, header: &Header) -> Self {
        let ends = line.cells.first().zip(line.cells.last());
        let span = ends.map_or(0..0, |(first, last)| first.span.start..last.span.end);
        let mut row = Self { line: line.number, span, faults: line.faults, ..Self::default() };
        let mut beyond = false;
        for (index, cell) in
            line.cells.into_iter().enumerate().filter(|(_, cell)| !cell.value.is_empty())
        {
            match header.columns.get(index) {
                Some(Some(column)) => row.take(*column, harmless(cell)),
                Some(None) => {
                    row.fault(&cell.span, "this cell stands in a column without a name".to_owned());
                }
                None if beyond => {}
                None => {
                    beyond = true;
                    let text = "there are more cells than columns: put an amount such as \"1 \
                        234,50\", or any text with the separator in it, into quotes";
                    row.fault(&cell.span, text.to_owned());
                }
            }
        }
        row
    }

    /// Notes what is wrong.
    pub fn fault(&mut self, span: &Range<usize>, text: String) {
        self.faults.push(Fault { span: span.clone(), text });
    }

    fn take(&mut self, column: Column, cell: Cell<'t>) {
        match column {
            Column::CustomerId => self.customer_id = Some(cell),
            Column::SubscriptionId => self.subscription_id = Some(cell),
            Column::Name => self.name = Some(cell),
            Column::Label => self.label = Some(cell),
            Column::Owner => self.owner = Some(cell),
            Column::Budget => self.budget = self.accept(&cell, parse_money(&cell.value)),
            Column::Currency => self.currency = self.accept(&cell, Currency::try_new(&cell.value)),
            Column::Contacts => self.contacts = addresses(&cell),
            Column::Tags => {
                self.tags = list(&cell, |letter| MARKS.contains(&letter) || letter.is_whitespace());
            }
            Column::Notify => self.notify = list(&cell, |letter| MARKS.contains(&letter)),
            Column::MuteRules => self.mute_rules = list(&cell, |letter| MARKS.contains(&letter)),
            Column::Told => {}
        }
    }

    fn accept<T>(
        &mut self,
        cell: &Cell<'t>,
        result: Result<T, impl ToString>,
    ) -> Option<Placed<T>> {
        result
            .map_err(|error| self.fault(&cell.span, error.to_string()))
            .ok()
            .map(|value| Placed { value, span: cell.span.clone() })
    }
}

/// What stands between the items of a list in a cell.
const MARKS: [char; 4] = [';', ',', '|', '\n'];

fn list(cell: &Cell<'_>, between: impl FnMut(char) -> bool) -> Vec<Placed<String>> {
    let items = cell.value.split(between).map(str::trim).filter(|item| !item.is_empty());
    items.map(|item| Placed { value: item.to_owned(), span: cell.span.clone() }).collect()
}

/// Addresses may have names in front, whose spaces and commas do not part them.
fn addresses(cell: &Cell<'_>) -> Vec<Placed<String>> {
    if !cell.value.contains('<') {
        return list(cell, |letter| MARKS.contains(&letter) || letter.is_whitespace());
    }
    people(&cell.value)
        .into_iter()
        .map(|one| Placed { value: one.to_owned(), span: cell.span.clone() })
        .collect()
}

/// Whether a spreadsheet would take a text for a formula: it looks past blanks and what has no
/// width, and takes signs of full width for their narrow ones.
pub fn begins_a_formula(text: &str) -> bool {
    let begin = text.trim_start_matches(|letter: char| letter.is_whitespace() || is_unseen(letter));
    begin.starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
}

/// A cell that an export defused with an apostrophe, so that no spreadsheet takes it for a formula,
/// as it was.
fn harmless(cell: Cell<'_>) -> Cell<'_> {
    let defused = cell.value.strip_prefix('\'').is_some_and(begins_a_formula);
    if !defused {
        return cell;
    }
    let value = match cell.value {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(1..).unwrap_or_default()),
        Cow::Owned(text) => Cow::Owned(text.get(1..).unwrap_or_default().to_owned()),
    };
    Placed { value, span: cell.span }
}

/// The rows of a sheet.
pub struct Rows<'s, 't> {
    pub(super) lines: super::cells::Lines<'t>,
    pub(super) sheet: &'s Sheet<'t>,
}

impl<'t> Iterator for Rows<'_, 't> {
    type Item = Row<'t>;

    fn next(&mut self) -> Option<Self::Item> {
        self.lines.next().map(|line| Row::of(line, &self.sheet.header))
    }
}
