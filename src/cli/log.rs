//! The log: to stderr, one line an event; under systemd with the journal's priorities, else with
//! time and level.

use std::fmt;
use std::io::IsTerminal as _;

use clap::ValueEnum;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime as _;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::cli::harmless::Harmless;

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl Level {
    /// Ours at the chosen level, the libraries' only when they complain.
    fn filter(self) -> String {
        let own = match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        };
        let others = if self == Self::Trace { "debug" } else { "error" };
        format!("{others},budget_alertd={own}")
    }
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum LogFormat {
    /// For people, and for the journal
    #[default]
    Text,
    /// For programs: an object a line
    Json,
}

/// Starts logging. A second call changes nothing.
pub(super) fn start(level: Level, format: LogFormat) {
    let journal = std::env::var_os("JOURNAL_STREAM").is_some() && !std::io::stderr().is_terminal();
    let coloured = std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(level.filter()))
        .with_writer(|| Harmless(std::io::stderr()));
    // Only a second call in one process can fail.
    drop(match format {
        LogFormat::Text => tracing::subscriber::set_global_default(
            subscriber.with_ansi(coloured).event_format(Line { journal }).finish(),
        ),
        LogFormat::Json => tracing::subscriber::set_global_default(
            subscriber.json().flatten_event(true).with_current_span(false).finish(),
        ),
    });
}

/// One line an event.
struct Line {
    journal: bool,
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = *event.metadata().level();
        if self.journal {
            // Priorities of sd-daemon(3): 3 error, 4 warning, 6 information, 7 debug.
            let priority = match level {
                tracing::Level::ERROR => 3,
                tracing::Level::WARN => 4,
                tracing::Level::INFO => 6,
                _ => 7,
            };
            write!(writer, "<{priority}>")?;
        } else {
            tracing_subscriber::fmt::time::SystemTime.format_time(&mut writer)?;
            write!(writer, " {level:>5} ")?;
        }
        context.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}
