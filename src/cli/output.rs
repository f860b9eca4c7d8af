//! Writes results to stdout. A reader that has seen enough (`| head`) ends the writing, and is no
//! failure.

use std::io::{self, ErrorKind, IsTerminal as _, Write};

use anstyle::{AnsiColor, Style};

use crate::cli::harmless;
pub(super) use crate::listings::Tone;

/// The width of text that goes into a pipe or a file.
const WIDTH: u16 = 100;
/// Narrower than this, nothing can be arranged.
const NARROWEST: u16 = 60;

/// Prints text for people, no wider than the terminal but for its first line, which scripts read
/// too; its colours go to terminals only, and not under `NO_COLOR`.
pub(super) fn page(text: &str) -> anyhow::Result<()> {
    let mut page = String::with_capacity(text.len());
    for (index, line) in harmless::text(text).lines().enumerate() {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let parts = if index == 0 { vec![line.to_owned()] } else { wrapped(line, indent + 2) };
        page.extend(parts.iter().flat_map(|part| [part.as_str(), "\n"]));
    }
    write(&mut anstream::stdout().lock(), page.as_bytes())
}

/// A label in front of a text; what does not fit on its line goes on below the text.
pub(super) fn labelled(label: &str, text: &str) -> Vec<String> {
    let hang = label.chars().count() + 1;
    let lines = wrapped(&format!("{}{text}", " ".repeat(hang)), hang);
    let named = |(index, line): (usize, String)| {
        let rest = line.get(hang..).unwrap_or_default();
        if index == 0 { format!("{} {rest}", Tone::Strong.paint(label)) } else { line }
    };
    lines.into_iter().enumerate().map(named).collect()
}

/// A line in lines that are not too wide, broken at spaces; those after the first are indented by
/// `hang`.
fn wrapped(line: &str, hang: usize) -> Vec<String> {
    let most = usize::from(width());
    if shown_width(line) <= most {
        return vec![line.to_owned()];
    }
    let indent = line.len() - line.trim_start_matches(' ').len();
    let (mut lines, mut current, mut empty) = (Vec::new(), " ".repeat(indent), true);
    for word in line.trim_start_matches(' ').split(' ') {
        if !empty && shown_width(&current) + 1 + shown_width(word) > most {
            lines.push(std::mem::replace(&mut current, " ".repeat(hang)));
            empty = true;
        }
        if !empty {
            current.push(' ');
        }
        current.push_str(word);
        empty = false;
    }
    lines.push(current);
    lines
}

/// How many columns a text takes, without its colours.
fn shown_width(text: &str) -> usize {
    anstream::adapter::strip_str(text).map(|part| part.chars().count()).sum()
}

/// Says something to the person at the terminal that is no result: to stderr, as it stands.
pub(super) fn aside(text: &str) {
    // Nobody to tell it to is no reason to stop.
    let _said_or_not = anstream::stderr().lock().write_all(harmless::text(text).as_bytes());
}

/// One thing that was checked, and how it came out.
pub(super) fn tick(tone: Tone, label: &str, text: &str) -> String {
    let mark = match tone {
        Tone::Bad => "✗",
        Tone::Uneasy => "!",
        Tone::Good | Tone::Strong | Tone::Faint => "✓",
    };
    let lines = labelled(&format!("  {label:<9}"), text).join("\n");
    lines.replacen(' ', &tone.paint(mark), 1)
}

/// Prints one thing that was done or checked, and how it came out.
pub(super) fn ticked(tone: Tone, label: &str, text: &str) -> anyhow::Result<()> {
    page(&format!("{}\n", tick(tone, label, text)))
}

/// Prints a document for programs as it stands.
pub(super) fn document(text: &str) -> anyhow::Result<()> {
    write(&mut io::stdout().lock(), text.as_bytes())
}

/// Prints a document for programs, piece by piece, as `print` writes it.
pub(super) fn streamed(
    print: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match print(&mut out).and_then(|()| Ok(out.flush()?)) {
        Err(error) if has_seen_enough(&error) => Ok(()),
        result => result,
    }
}

/// Whether a reader has gone away.
fn has_seen_enough(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let json =
            cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
        cause.downcast_ref::<io::Error>().map(io::Error::kind).or(json)
            == Some(ErrorKind::BrokenPipe)
    })
}

/// Prints a value as JSON, indented.
pub(super) fn json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    document(&(json_text(value)? + "\n"))
}

/// A value as JSON text, indented.
pub(super) fn json_text(value: &impl serde::Serialize) -> serde_json::Result<String> {
    Ok(harmless::json(serde_json::to_string_pretty(value)?))
}

/// A value as JSON text on one line.
pub(super) fn json_line(value: &impl serde::Serialize) -> serde_json::Result<String> {
    Ok(harmless::json(serde_json::to_string(value)?))
}

fn write(out: &mut impl Write, bytes: &[u8]) -> anyhow::Result<()> {
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result.map_err(|error| anyhow::anyhow!("cannot write the result: {error}"))?),
    }
}

/// How many columns there are.
pub(super) fn width() -> u16 {
    let stdout = io::stdout();
    let terminal =
        if stdout.is_terminal() { rustix::termios::tcgetwinsize(&stdout).ok() } else { None };
    terminal
        .map(|size| size.ws_col)
        .filter(|columns| *columns > 0)
        .map_or(WIDTH, |columns| columns.max(NARROWEST))
}

impl Tone {
    fn style(self) -> Style {
        let coloured = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        match self {
            Self::Bad => coloured(AnsiColor::Red).bold(),
            Self::Uneasy => coloured(AnsiColor::Yellow),
            Self::Good => coloured(AnsiColor::Green),
            Self::Strong => Style::new().bold(),
            Self::Faint => Style::new().dimmed(),
        }
    }

    /// The text in this tone, as a terminal shows it.
    pub(super) fn paint(self, text: &str) -> String {
        let style = self.style();
        format!("{style}{text}{style:#}")
    }
}
