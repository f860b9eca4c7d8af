//! From a file to a checked configuration, or to everything that is wrong with it.

use std::path::Path;

use toml::de::DeTable;

use crate::config::customers_csv::{self, Spreadsheet};
use crate::config::keys::ROOT;
use crate::config::mistakes::{Mistake, Page};
use crate::config::names::Names;
use crate::config::reader::{Reader, Table};
use crate::config::value::quoted;
use crate::config::{Config, Environment, Mistakes, check, customers, notifiers, process, rules, source};

/// Reads the file at `path`.
pub fn load(path: &Path, environment: &Environment) -> Result<Config, Mistakes> {
    load_from(path, environment, Spreadsheet::OnDisk)
}

/// Reads the file at `path`, with the text of this file in place of the one that `[customers_csv]` names; `None` for no
/// spreadsheet at all.
pub fn load_with(path: &Path, environment: &Environment, customers: Option<(&Path, &str)>) -> Result<Config, Mistakes> {
    load_from(path, environment, Spreadsheet::Instead(customers))
}

fn load_from(path: &Path, environment: &Environment, customers: Spreadsheet<'_>) -> Result<Config, Mistakes> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| Mistakes::unreadable(format!("cannot read {name}: {error}")))?;
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Err(not_utf8(&name, &error)),
    };
    read(&text, path, environment, others_may_read(path), customers)
}

/// Reads the text of a file that is, or would be, at `path`.
pub fn parse(text: &str, path: &Path, environment: &Environment) -> Result<Config, Mistakes> {
    read(text, path, environment, false, Spreadsheet::OnDisk)
}

fn not_utf8(name: &str, error: &std::string::FromUtf8Error) -> Mistakes {
    let at = error.utf8_error().valid_up_to();
    let text = String::from_utf8_lossy(error.as_bytes());
    Page::new(name, &text).mistakes(vec![Mistake { span: at..at + 1, text: "not UTF-8 text".to_owned(), sealed: false }])
}

#[cfg(unix)]
fn others_may_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn others_may_read(_path: &Path) -> bool {
    false
}

fn read(text: &str, path: &Path, environment: &Environment, exposed: bool, customers: Spreadsheet<'_>) -> Result<Config, Mistakes> {
    let name = path.display().to_string();
    let page = || Page::new(&name, text);
    let (document, errors) = DeTable::parse_recoverable(text);
    let duplicate = |error: &&toml::de::Error| error.message().starts_with("duplicate key");
    let place = |error: &toml::de::Error| Mistake {
        span: error.span().unwrap_or(text.len()..text.len()),
        text: error.message().to_owned(),
        sealed: false,
    };
    if let Some(first) = errors.iter().find(|error| !duplicate(error)) {
        return Err(page().mistakes(vec![place(first)]));
    }
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let reader = Reader::new(environment, folder);
    check::table(&reader, document.get_ref(), &[ROOT], "");
    for error in &errors {
        let Mistake { span, text: what, .. } = place(error);
        let key = text.get(span.clone()).map(|key| format!(" {}", quoted(&[key.trim_matches(['"', '\''])]))).unwrap_or_default();
        reader.mistake(span, format!("{what}{key}"));
    }
    let root = Table::root(&reader, document.get_ref());
    let names = Names::of(&root);
    let mut customers = customers_csv::read(&root, &names, customers);
    let faults = std::mem::take(&mut customers.faults);
    let config = config(&root, path, &names, customers).filter(|_| faults.is_empty());
    if exposed {
        reader.warn_of_inline_secrets();
    }
    let (mistakes, warnings) = reader.finish();
    match config {
        Some(config) if mistakes.is_empty() && warnings.is_empty() => Ok(config),
        Some(config) if mistakes.is_empty() => Ok(Config { warnings: page().lines(warnings), ..config }),
        _ => Err(page().mistakes(mistakes).and(faults)),
    }
}

/// The whole configuration; every table is read, also after mistakes in others.
fn config<'a>(root: &Table<'a>, path: &Path, names: &Names<'a>, spreadsheet: customers_csv::Read) -> Option<Config> {
    for (table, example) in [
        ("source", "type = \"partner-center\""),
        ("rules", "[rules.spend] with steps"),
        ("notifiers", "[notifiers.mail] with type = \"email\""),
    ] {
        if root.entry(table).is_none() || root.table(table).is_some_and(|table| table.entries().is_empty()) {
            root.reader.mistake(0..0, format!("there is nothing in [{table}]: add {example}"));
        }
    }
    let daemon = root.table_or_empty("daemon");
    let state_dir = process::state_dir(&daemon);
    let time_zone = process::time_zone(&daemon);
    let source_table = root.table_or_empty("source");
    let source = source::read(&source_table, &state_dir);
    let ledger = process::ledger(&root.table_or_empty("ledger"), &state_dir);
    let http = root.table("http").map(|table| process::http(&table));
    let operator = process::operator(&root.table_or_empty("operator"), names);
    let customers_csv = spreadsheet.source.clone();
    let budgets = customers::read(root, names, spreadsheet);
    let rules = rules::read(root, names);
    let notifiers = notifiers::read(root, time_zone.as_ref().unwrap_or(&jiff::tz::TimeZone::UTC));
    for (name, table) in root.named("notifiers").into_iter().filter(|(name, _)| !names.is_told(name)) {
        table.reader.warning(table.span, format!("no rule, customer or operator tells the notifier {}", quoted(&[name])));
    }
    Some(Config {
        file: path.to_owned(),
        source: source?,
        poll_interval: source::poll_interval(&source_table),
        state_dir,
        time_zone: time_zone?,
        ledger: ledger?,
        http: http.flatten(),
        operator,
        budgets,
        customers_csv,
        rules,
        notifiers,
        warnings: Vec::new(),
    })
}
