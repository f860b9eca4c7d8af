//! Reads configurations: the shipped one, every kind of mistake, and texts that nobody would write.

mod customers_csv;
mod evaluation;
mod fuzz;
mod ids;
mod mistakes;
mod shipped;
mod values;

use std::path::Path;

use budget_alertd::config::{Config, Environment, Mistakes, parse};

/// Reads a text as `alert-rules.toml`, with no variables set and no credentials.
fn read(text: &str) -> Result<Config, Mistakes> {
    parse(
        text,
        Path::new("alert-rules.toml"),
        &Environment::from([("CREDENTIALS_DIRECTORY", "/nonexistent")]),
    )
}

/// The mistakes of a text, as shown.
fn mistakes(text: &str) -> String {
    read(text).map_or_else(|mistakes| format!("{mistakes}\n"), |_| String::new())
}

/// A sound configuration with `rules` in it, and a notifier "ops".
fn with_rules(rules: &str) -> String {
    format!(
        "[source]\ntype = \"file\"\npath = \"usage.json\"\n\n{rules}\n\n[notifiers.ops]\ntype = \
            \"webhook\"\nurl = \"https://ops.example/hook\"\n"
    )
}
