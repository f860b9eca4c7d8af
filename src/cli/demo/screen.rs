//! The terminal: lines that stay, one line that changes in place, pauses for the reader. On
//! anything else than a terminal there are only lines that stay, and nobody waits.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use anstream::ColorChoice;

use crate::clock::{Clock, SystemClock};

/// Columns that a line has at most, however wide the terminal is.
const WIDEST: usize = 100;
/// Columns below which nothing is made smaller.
const NARROWEST: usize = 72;

/// Where the show is seen.
pub(super) struct Screen {
    out: anstream::Stdout,
    width: usize,
    /// Whether one line can change in place.
    live: bool,
    /// Whether that line stands there now.
    changing: bool,
    paced: bool,
    clock: Arc<dyn Clock>,
}

impl Screen {
    /// The process's standard output; `fast` = without pauses.
    pub(super) fn new(fast: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        let coloured = anstream::AutoStream::choice(&io::stdout()) != ColorChoice::Never;
        let columns =
            terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
        let width = columns.unwrap_or(WIDEST).clamp(NARROWEST, WIDEST);
        let clock = SystemClock::shared();
        Self {
            out: anstream::stdout(),
            width,
            live: terminal && coloured,
            changing: false,
            paced: terminal && !fast,
            clock,
        }
    }

    /// Columns that a line may have.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// A line that stays.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        self.clear()?;
        writeln!(self.out, "{text}")?;
        self.out.flush()
    }

    /// Replaces the line that changes.
    pub(super) fn change(&mut self, text: &str) -> io::Result<()> {
        if self.live {
            self.changing = true;
            // Without the cursor, and only cleared beyond the new text, so that it does not
            // flicker.
            write!(self.out, "\r\x1b[?25l{text}\x1b[K")?;
            self.out.flush()?;
        }
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        if self.changing {
            self.changing = false;
            write!(self.out, "\r\x1b[2K")?;
        }
        Ok(())
    }

    /// Gives the reader time.
    pub(super) async fn pause(&self, time: Duration) {
        if self.paced {
            self.clock.sleep(time).await;
        }
    }

    /// Real time since the show began.
    pub(super) fn elapsed(&self) -> Duration {
        self.clock.monotonic()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.live {
            // The show is over; a terminal that is gone does not mind.
            drop(self.clear());
            drop(write!(self.out, "\x1b[?25h"));
            drop(self.out.flush());
        }
    }
}
