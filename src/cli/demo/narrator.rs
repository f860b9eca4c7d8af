//! Tells the month: one line a day, and below it what happened, each thing with its time.

use std::io;
use std::time::Duration;

use anstyle::Style;
use jiff::Timestamp;

use crate::cli::demo::day::DaySummary;
use crate::cli::demo::screen::Screen;
use crate::cli::demo::words::{DIM, INDENT, day, paint, time, wrapped};

/// How long a poll without news is seen.
const POLL: Duration = Duration::from_millis(15);
/// How long news is seen, and how long each of its lines.
const NEWS: Duration = Duration::from_millis(250);
const LINE: Duration = Duration::from_millis(120);

/// A piece of text in one style.
#[derive(Debug, Clone)]
pub(super) struct Paragraph {
    style: Style,
    text: String,
    /// The colour of the bar beside what somebody else wrote.
    bar: Option<Style>,
}

impl Paragraph {
    /// Words of the show itself.
    pub(super) fn told(style: Style, text: impl Into<String>) -> Self {
        Self { style, text: text.into(), bar: None }
    }

    /// Words of a message, with a bar beside them.
    pub(super) fn quoted(bar: Style, style: Style, text: impl Into<String>) -> Self {
        Self { bar: Some(bar), ..Self::told(style, text) }
    }

    fn lines(&self, columns: usize) -> Vec<String> {
        let mark = self.bar.map(|bar| paint(bar, "▌ ")).unwrap_or_default();
        let columns = if self.bar.is_some() { columns.saturating_sub(2) } else { columns };
        wrapped(&self.text, columns)
            .iter()
            .map(|line| format!("{mark}{}", paint(self.style, line)))
            .collect()
    }
}

/// Tells what happens, day by day.
pub(super) struct Narrator {
    screen: Screen,
    today: Option<Timestamp>,
    summary: DaySummary,
    /// Whether the day's line stands, because something was told below it.
    settled: bool,
}

impl Narrator {
    pub(super) fn new(screen: Screen) -> Self {
        Self { screen, today: None, summary: DaySummary::default(), settled: false }
    }

    /// The screen, for what is told before and after the month.
    pub(super) fn screen(&mut self) -> &mut Screen {
        &mut self.screen
    }

    /// How the customers stand now.
    pub(super) async fn show_day(&mut self, at: Timestamp, summary: DaySummary) -> io::Result<()> {
        self.turn_page(at)?;
        self.summary = summary;
        let line = if self.settled {
            paint(DIM, &format!(" {}", time(at)))
        } else {
            self.summary.line(at, self.screen.width())
        };
        self.screen.change(&line)?;
        self.screen.pause(POLL).await;
        Ok(())
    }

    /// Something that happened.
    pub(super) async fn tell(&mut self, at: Timestamp, paragraphs: &[Paragraph]) -> io::Result<()> {
        self.turn_page(at)?;
        if !self.settled {
            self.settled = true;
            self.screen.line(&self.summary.line(at, self.screen.width()))?;
        }
        let columns = self.screen.width().saturating_sub(INDENT);
        let mut label = paint(DIM, &format!(" {}  ", time(at)));
        for line in paragraphs.iter().flat_map(|paragraph| paragraph.lines(columns)) {
            self.screen.line(&format!("{label}{line}"))?;
            label = " ".repeat(INDENT);
            self.screen.pause(LINE).await;
        }
        self.screen.pause(NEWS).await;
        Ok(())
    }

    /// The last day is over.
    pub(super) fn end(&mut self) -> io::Result<()> {
        match self.today.take() {
            Some(before) if !self.settled => {
                self.screen.line(&self.summary.line(before, self.screen.width()))
            }
            _ => Ok(()),
        }
    }

    fn turn_page(&mut self, at: Timestamp) -> io::Result<()> {
        if self.today.is_some_and(|today| day(today) == day(at)) {
            return Ok(());
        }
        self.end()?;
        self.today = Some(at);
        self.settled = false;
        Ok(())
    }
}
