//! Everything that is wrong with a configuration, each with its place and its line, secrets masked.

use std::fmt;
use std::ops::Range;

use crate::config::mask::{self, Hidden};

/// The longest line that is shown whole.
const SHOWN: usize = 160;
/// How many bytes before and behind a place are looked at: as many as [`SHOWN`] letters may take. A
/// line may have a million.
const NEAR: usize = 4 * SHOWN;

/// One mistake, at a range of bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) span: Range<usize>,
    pub(crate) text: String,
}

/// Everything that is wrong with a configuration, in the order of the file; as text, ready to be
/// shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes {
    list: Vec<String>,
}

impl Mistakes {
    /// A file that cannot be read at all.
    pub(crate) fn unreadable(text: String) -> Self {
        Self { list: vec![text] }
    }

    /// These and more, which are about another file.
    pub(crate) fn and(mut self, more: Vec<String>) -> Self {
        self.list.extend(more);
        self
    }

    /// Adds those of another file.
    pub(crate) fn add(&mut self, others: Self) {
        self.list.extend(others.list);
    }

    /// Each mistake: its place and what is wrong, then its line with a mark below.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(String::as_str)
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.list.join("\n"))
    }
}

/// A text and how its places are shown.
pub(crate) struct Page<'a> {
    file: &'a str,
    text: &'a str,
    hidden: Hidden,
}

impl<'a> Page<'a> {
    /// The text of the file that is called `file` in messages.
    pub(crate) fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, hidden: mask::hidden(text) }
    }

    /// A text that is no TOML and holds no secrets.
    pub(crate) fn plain(file: &'a str, text: &'a str) -> Self {
        Self { file, text, hidden: Hidden::default() }
    }

    /// All mistakes.
    pub(crate) fn mistakes(&self, mistakes: Vec<Mistake>) -> Mistakes {
        Mistakes { list: self.lines(mistakes) }
    }

    /// Each mistake or warning as it is shown, in the order of the text.
    pub(crate) fn lines(&self, mut mistakes: Vec<Mistake>) -> Vec<String> {
        mistakes.sort_by_key(|mistake| mistake.span.start);
        mistakes.dedup();
        // Lines and columns are counted on from one mistake to the next: a spreadsheet may have
        // many of them.
        let mut cursor = Cursor { at: 0, number: 1, line_start: 0, column: 1 };
        let mut shown = Vec::with_capacity(mistakes.len());
        for mistake in &mistakes {
            cursor.advance(self.text, self.boundary(mistake.span.start));
            shown.push(self.shown(mistake, &cursor));
        }
        shown
    }

    /// `file:line:column: what`, the line, and a mark below the place.
    fn shown(&self, mistake: &Mistake, cursor: &Cursor) -> String {
        let (start, number, column) = (cursor.at, cursor.number, cursor.column);
        let from = self.boundary(start.saturating_sub(NEAR)).max(cursor.line_start);
        let near = self.boundary(start.saturating_add(NEAR));
        let line_end = self
            .text
            .get(start..near)
            .and_then(|rest| rest.find('\n'))
            .map_or(near, |at| start + at);
        let end = self.boundary(mistake.span.end).clamp(start, line_end);
        let goes_on = line_end == near
            && self
                .text
                .get(near..)
                .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('\n'));
        let more = (from > cursor.line_start, goes_on);
        let (line, mark) = self.line(from..line_end, start..end, more);
        let (skip, marked) = mark;
        let (line, space, marks) = (line.trim_end(), " ".repeat(skip), "^".repeat(marked.max(1)));
        format!(
            "{}:{number}:{column}: {}\n{number:>5} | {line}\n      | {space}{marks}",
            self.file, mistake.text
        )
    }

    /// The line as it may be shown, and where in it the mark goes: letters before, and letters
    /// marked. `more` says whether the line goes on before and behind the part that is given.
    fn line(
        &self,
        line: Range<usize>,
        place: Range<usize>,
        more: (bool, bool),
    ) -> (String, (usize, usize)) {
        let mut shown = String::new();
        let (mut skip, mut marked, mut length) = (0, 0, 0);
        let mut masked_until = line.start;
        let (comments, values) =
            (within(&self.hidden.comments, &line), within(&self.hidden.values, &line));
        for (at, letter) in self.text.get(line.clone()).unwrap_or_default().char_indices() {
            let at = line.start + at;
            if at < masked_until || letter == '\u{feff}' {
                continue;
            }
            if comments.iter().any(|comment| comment.contains(&at)) {
                break;
            }
            let (letters, end) =
                if let Some(value) = values.iter().find(|value| value.contains(&at)) {
                    shown.push_str(self.hidden.mask);
                    (self.hidden.mask.chars().count(), value.end)
                } else {
                    shown.push(if letter.is_control() { ' ' } else { letter });
                    (1, at + letter.len_utf8())
                };
            masked_until = end;
            length += letters;
            if end <= place.start {
                skip += letters;
            } else if at < place.end {
                marked += letters;
            }
        }
        cut(&shown, length, (skip, marked), more)
    }

    /// `at`, or the start of the letter that it falls into.
    fn boundary(&self, at: usize) -> usize {
        (0..=at.min(self.text.len())).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0)
    }
}

/// A place in a text that goes forward.
struct Cursor {
    at: usize,
    number: usize,
    line_start: usize,
    column: usize,
}

impl Cursor {
    fn advance(&mut self, text: &str, to: usize) {
        let passed = text.get(self.at..to).unwrap_or_default();
        if let Some(end) = passed.rfind('\n') {
            self.number += passed.matches('\n').count();
            (self.line_start, self.column) = (self.at + end + 1, 1);
        }
        let since = text.get(self.at.max(self.line_start)..to).unwrap_or_default();
        self.column += since.trim_start_matches('\u{feff}').chars().count();
        self.at = to;
    }
}

/// Those that have a part of `line`.
fn within(ranges: &[Range<usize>], line: &Range<usize>) -> Vec<Range<usize>> {
    ranges
        .iter()
        .filter(|range| range.start < line.end && line.start < range.end)
        .cloned()
        .collect()
}

/// A long line is cut to what is around the mark.
fn cut(
    line: &str,
    length: usize,
    (skip, marked): (usize, usize),
    (before, behind): (bool, bool),
) -> (String, (usize, usize)) {
    if length <= SHOWN && !before && !behind {
        return (line.to_owned(), (skip, marked));
    }
    let from = skip.saturating_sub(SHOWN / 4);
    let part: String = line.chars().skip(from).take(SHOWN).collect();
    let dots = if from > 0 || before { "…" } else { "" };
    let shift = dots.chars().count();
    let left = SHOWN.saturating_sub(skip - from);
    (format!("{dots}{part}…"), (skip - from + shift, marked.min(left)))
}
