//! Cuts the text of a spreadsheet into rows of cells, each with its place. What the cells mean is
//! left to the rows.
//!
//! It is strict where a lenient reader would lose rows silently: a quote that is never closed, or
//! text after a closing one, is a fault.

use std::borrow::Cow;
use std::ops::Range;

use crate::budgets::sheet::Fault;

/// A value with its place in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Its bytes in the text.
    pub span: Range<usize>,
}

/// A cell: its text without the spaces around it.
pub type Cell<'t> = Placed<Cow<'t, str>>;

/// The cells of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line<'t> {
    /// The number of the line it starts on, from 1.
    pub(super) number: usize,
    pub(super) cells: Vec<Cell<'t>>,
    pub(super) faults: Vec<Fault>,
}

/// Goes through a text row by row; blank rows and comments are passed over.
#[derive(Debug, Clone)]
pub(super) struct Lines<'t> {
    text: &'t str,
    separator: char,
    at: usize,
    number: usize,
}

impl<'t> Lines<'t> {
    /// From the start of `text`, whose byte order mark is passed over.
    pub(super) fn of(text: &'t str, separator: char) -> Self {
        let at = text.len() - text.trim_start_matches('\u{feff}').len();
        Self { text, separator, at, number: 1 }
    }

    /// The same, from here on with another separator.
    pub(super) fn with_separator(self, separator: char) -> Self {
        Self { separator, ..self }
    }

    /// What is left of the current line, read but not passed.
    pub(super) fn peek(&self) -> &'t str {
        self.rest().split('\n').next().unwrap_or_default()
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn row(&mut self) -> Line<'t> {
        let mut line = Line { number: self.number, cells: Vec::new(), faults: Vec::new() };
        loop {
            let (cell, fault) = self.cell();
            line.cells.push(cell);
            line.faults.extend(fault);
            match self.rest().chars().next() {
                Some(letter) if letter == self.separator => self.at += letter.len_utf8(),
                Some(_) => {
                    self.at += 1;
                    self.number += 1;
                    return line;
                }
                None => return line,
            }
        }
    }

    /// A cell up to the separator, the end of the line or of the text.
    fn cell(&mut self) -> (Cell<'t>, Option<Fault>) {
        let rest = self.rest();
        let inner = rest.trim_start_matches(|letter: char| {
            letter != self.separator && letter != '\n' && letter.is_whitespace()
        });
        if inner.starts_with('"') {
            return self.quoted(self.at + (rest.len() - inner.len()));
        }
        let length = rest.find([self.separator, '\n']).unwrap_or(rest.len());
        let start = self.at;
        self.at += length;
        (trimmed(self.text, start..self.at), None)
    }

    /// A cell whose quote opens at `open`.
    fn quoted(&mut self, open: usize) -> (Cell<'t>, Option<Fault>) {
        let start = open + 1;
        let body = self.text.get(start..).unwrap_or_default();
        let Some((length, doubled)) = closing(body) else {
            self.at = self.text.len();
            let text = "the quote that opens here is never closed: close it, or double a quote \
                that belongs to the text"
                .to_owned();
            return (empty(open..open + 1), Some(Fault { span: open..open + 1, text }));
        };
        let inside = body.get(..length).unwrap_or_default();
        self.number += inside.matches('\n').count();
        let end = start + length + 1;
        let after = self.text.get(end..).unwrap_or_default();
        let left = after.find([self.separator, '\n']).unwrap_or(after.len());
        self.at = end + left;
        if after.get(..left).is_some_and(|left| !left.trim().is_empty()) {
            let text = "the text in quotes ends before its cell does: write \"\" for a quote that \
                belongs to the text"
                .to_owned();
            return (empty(open..end), Some(Fault { span: open..end, text }));
        }
        let value = if doubled {
            Cow::Owned(inside.trim().replace("\"\"", "\""))
        } else {
            Cow::Borrowed(inside.trim())
        };
        (Placed { value, span: open..end }, None)
    }
}

impl<'t> Iterator for Lines<'t> {
    type Item = Line<'t>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.rest().is_empty() {
                return None;
            }
            if self.rest().starts_with('#') {
                // Not cut into cells: what is said in a comment may hold quotes.
                let line = self.peek().len();
                self.at = (self.at + line + 1).min(self.text.len());
                self.number += 1;
                continue;
            }
            let line = self.row();
            let is_comment = line.cells.first().is_some_and(|cell| cell.value.starts_with('#'));
            let is_blank = line.cells.iter().all(|cell| cell.value.is_empty());
            if !line.faults.is_empty() || !(is_comment || is_blank) {
                return Some(line);
            }
        }
    }
}

/// How far the closing quote is, and whether there are doubled ones before it.
fn closing(body: &str) -> Option<(usize, bool)> {
    let (mut from, mut doubled) = (0, false);
    loop {
        let at = from + body.get(from..)?.find('"')?;
        if !body.get(at + 1..).is_some_and(|rest| rest.starts_with('"')) {
            return Some((at, doubled));
        }
        (from, doubled) = (at + 2, true);
    }
}

fn trimmed(text: &str, span: Range<usize>) -> Cell<'_> {
    let all = text.get(span.clone()).unwrap_or_default();
    let start = span.start + (all.len() - all.trim_start().len());
    let value = all.trim();
    Placed { value: Cow::Borrowed(value), span: start..start + value.len() }
}

fn empty<'t>(span: Range<usize>) -> Cell<'t> {
    Placed { value: Cow::Borrowed(""), span }
}
