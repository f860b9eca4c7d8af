//! From a file to a checked configuration, or to everything that is wrong with it.

use std::path::Path;

use toml::de::DeTable;

use crate::config::case_keys;
use crate::config::cases;
use crate::config::customers_csv::{self, Spreadsheet};
use crate::config::ids::Ids;
use crate::config::keys::{ROOT, Shape};
use crate::config::mistakes::{Mistake, Page};
use crate::config::names::Names;
use crate::config::oauth::Entra;
use crate::config::reader::{Reader, Table};
use crate::config::source::RefreshToken;
use crate::config::value::quoted;
use crate::config::{
    Cases, Config, Criteria, Environment, Mistakes, audience, check, customers, mailboxes,
    notifiers, process, report, rules, security, source,
};
use crate::fs::{self, SeenFiles};
use crate::http;
use crate::secret::SecretEnvironment as _;
use crate::text::{NotText, decode};

/// The most bytes that the file may have: a million customers have room in it.
pub(crate) const MOST: u64 = 256 << 20;

/// Reads the file at `path`.
pub fn load(path: &Path, environment: &Environment) -> Result<Config, Mistakes> {
    load_from(path, environment, Spreadsheet::OnDisk)
}

/// Reads the file at `path`, with the text of this file in place of the one that `[customers_csv]`
/// names; `None` for no spreadsheet at all.
pub fn load_with(
    path: &Path,
    environment: &Environment,
    customers: Option<(&Path, &str)>,
) -> Result<Config, Mistakes> {
    load_from(path, environment, Spreadsheet::Instead(customers))
}

fn load_from(
    path: &Path,
    environment: &Environment,
    customers: Spreadsheet<'_>,
) -> Result<Config, Mistakes> {
    let mut seen = SeenFiles::default();
    seen.note(path);
    let exposed = others_may_read(path);
    let config = read(&configuration_of(path)?, path, environment, exposed, customers)?;
    Ok(Config { files: config.files.and(seen), ..config })
}

/// Reads of the file at `path` only what judges: rules, customers and budgets. No secret is
/// fetched, so that it loads where there is none; what the other tables hold is checked no further
/// than their keys and types.
pub fn load_criteria(path: &Path) -> Result<Criteria, Mistakes> {
    let text = text_of(path)?;
    let criteria = |root: &Table<'_>| {
        need(root, &[RULES]);
        let names = Names::of(root);
        let ids = Ids::of(root);
        let mut customers = customers_csv::read(root, &names, &ids, Spreadsheet::OnDisk);
        let faults = std::mem::take(&mut customers.faults);
        let budgets = customers::read(root, &names, &ids, customers);
        (Some(Criteria { budgets, rules: rules::read(root, &names) }), faults)
    };
    Ok(document(&text, path, &Environment::default(), false, ROOT, criteria)?.0)
}

/// Reads the rule tests in the file at `path`.
pub fn load_cases(path: &Path) -> Result<Cases, Mistakes> {
    let text = text_of(path)?;
    let cases = |root: &Table<'_>| (Some(cases::read(root)), Vec::new());
    Ok(document(&text, path, &Environment::default(), false, case_keys::ROOT, cases)?.0)
}

/// Reads as much of the file at `path` as a person's sign-in needs: `[source]` and `[daemon]`.
/// Mistakes elsewhere, and a refresh token that is not there yet, are none now.
pub fn load_for_sign_in(
    path: &Path,
    environment: &Environment,
) -> Result<crate::source::Config, Mistakes> {
    let (text, name) = (configuration_of(path)?, path.display().to_string());
    let page = Page::new(&name, &text);
    let (document, errors) = DeTable::parse_recoverable(&text);
    if let Some(first) = errors.iter().find(|error| !is_duplicate(error)) {
        return Err(page.mistakes(vec![placed(first, &text)]));
    }
    let reader = Reader::new(environment, path);
    check::tables(&reader, document.get_ref(), &["source", "daemon"]);
    let root = Table::root(&reader, document.get_ref());
    let state_dir = process::state_dir(&root.table_or_empty("daemon"));
    if root.table("source").is_none() {
        reader.mistake(0..0, "there is nothing in [source]: add type = \"partner-center\"");
    }
    let source = root
        .table("source")
        .and_then(|table| source::read(&table, &state_dir, RefreshToken::MayBeMissing));
    let (mistakes, _) = reader.finish();
    source.filter(|_| mistakes.is_empty()).ok_or_else(|| page.mistakes(mistakes))
}

fn text_of(path: &Path) -> Result<String, Mistakes> {
    let name = path.display().to_string();
    let bytes = fs::read(path, MOST)
        .map_err(|error| Mistakes::unreadable(format!("cannot read {name}: {error}")))?;
    decode(bytes).map_err(|error| no_text(&name, error))
}

/// The same of a configuration, which can be made where there is none.
pub(crate) fn configuration_of(path: &Path) -> Result<String, Mistakes> {
    text_of(path).map_err(|mistakes| match path.try_exists() {
        Ok(false)
            if path
                .parent()
                .is_none_or(|folder| folder.as_os_str().is_empty() || folder.exists()) =>
        {
            Mistakes::unreadable(format!(
                "{mistakes}; `budget-alertd init` makes one, --config FILE names another"
            ))
        }
        _ => mistakes,
    })
}

fn is_duplicate(error: &toml::de::Error) -> bool {
    error.message().starts_with("duplicate key")
}

fn placed(error: &toml::de::Error, text: &str) -> Mistake {
    Mistake {
        span: error.span().unwrap_or(text.len()..text.len()),
        text: error.message().to_owned(),
    }
}

/// Reads the text of a file that is, or would be, at `path`.
pub fn parse(text: &str, path: &Path, environment: &Environment) -> Result<Config, Mistakes> {
    read(text, path, environment, false, Spreadsheet::OnDisk)
}

fn no_text(name: &str, NotText { readable, at }: NotText) -> Mistakes {
    let text = "not UTF-8 text: save it as UTF-8, or as UTF-16 with a byte order mark".to_owned();
    Page::new(name, &readable).mistakes(vec![Mistake { span: at..at.saturating_add(1), text }])
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

fn read(
    text: &str,
    path: &Path,
    environment: &Environment,
    exposed: bool,
    customers: Spreadsheet<'_>,
) -> Result<Config, Mistakes> {
    let (config, warnings) =
        document(text, path, environment, exposed, ROOT, |root| config(root, path, customers))?;
    Ok(Config { warnings, ..config })
}

/// What `build` makes of a file with these keys, and what is allowed but unwise in it. What `build`
/// finds wrong with other files is told after what is wrong with this one.
fn document<T>(
    text: &str,
    path: &Path,
    environment: &Environment,
    exposed: bool,
    keys: Shape,
    build: impl FnOnce(&Table<'_>) -> (Option<T>, Vec<String>),
) -> Result<(T, Vec<String>), Mistakes> {
    let name = path.display().to_string();
    let page = || Page::new(&name, text);
    let (document, errors) = DeTable::parse_recoverable(text);
    if let Some(first) = errors.iter().find(|error| !is_duplicate(error)) {
        return Err(page().mistakes(vec![placed(first, text)]));
    }
    let reader = Reader::new(environment, path);
    check::table(&reader, document.get_ref(), &[keys], "");
    for error in &errors {
        let Mistake { span, text: what, .. } = placed(error, text);
        let key = text
            .get(span.clone())
            .map(|key| format!(" {}", quoted(&[key.trim_matches(['"', '\''])])))
            .unwrap_or_default();
        reader.mistake(span, format!("{what}{key}"));
    }
    let (content, faults) = build(&Table::root(&reader, document.get_ref()));
    let content = content.filter(|_| faults.is_empty());
    if exposed {
        reader.warn_of_inline_secrets();
    }
    let (mistakes, warnings) = reader.finish();
    match content {
        Some(content) if mistakes.is_empty() && warnings.is_empty() => Ok((content, Vec::new())),
        Some(content) if mistakes.is_empty() => Ok((content, page().lines(warnings))),
        _ => Err(page().mistakes(mistakes).and(faults)),
    }
}

/// A table that must be there, and how it may begin.
type Needed = (&'static str, &'static str);
const SOURCE: Needed = ("source", "type = \"partner-center\"");
const RULES: Needed = ("rules", "[rules.spend] with steps");
const NOTIFIERS: Needed = ("notifiers", "[notifiers.mail] with type = \"email\"");

fn need(root: &Table<'_>, tables: &[Needed]) {
    for (table, example) in tables {
        if root.entry(table).is_none()
            || root.table(table).is_some_and(|table| table.entries().is_empty())
        {
            root.reader.mistake(0..0, format!("there is nothing in [{table}]: add {example}"));
        }
    }
}

/// The whole configuration; every table is read, also after mistakes in others.
fn config(
    root: &Table<'_>,
    path: &Path,
    customers: Spreadsheet<'_>,
) -> (Option<Config>, Vec<String>) {
    need(root, &[SOURCE, RULES, NOTIFIERS]);
    let names = Names::of(root);
    let ids = Ids::of(root);
    let mut customers = customers_csv::read(root, &names, &ids, customers);
    let mut faults = std::mem::take(&mut customers.faults);
    let proxy = http::check_proxy(|name| root.reader.environment().variable(name));
    faults.extend(proxy.err().map(|error| error.to_string()));
    (tables(root, path, &names, &ids, customers), faults)
}

fn tables<'a>(
    root: &Table<'a>,
    path: &Path,
    names: &Names<'a>,
    ids: &Ids,
    spreadsheet: customers_csv::Read,
) -> Option<Config> {
    let daemon = root.table_or_empty("daemon");
    let state_dir = process::state_dir(&daemon);
    let time_zone = process::time_zone(&daemon);
    let source_table = root.table_or_empty("source");
    let source = source::read(&source_table, &state_dir, RefreshToken::Wanted);
    let ledger_table = root.table_or_empty("ledger");
    let ledger = process::ledger(&ledger_table, &state_dir);
    let backups = process::backups(&ledger_table, &state_dir);
    let entra = Entra::of(root, &state_dir);
    let http = root.table("http").map(|table| process::http(&table, &entra));
    let operator = process::operator(&root.table_or_empty("operator"), names);
    let security = security::read(root);
    let report = report::read(root, names);
    let customers_csv = spreadsheet.source.clone();
    let budgets = customers::read(root, names, ids, spreadsheet);
    customers::warn_of_unknown_tags(root, &budgets);
    let rules = rules::read(root, names);
    let mut notifiers = notifiers::read(
        root,
        names,
        time_zone.as_ref().unwrap_or(&jiff::tz::TimeZone::UTC),
        &state_dir,
    );
    mailboxes::settle(root, &budgets, &mut notifiers);
    audience::warn(root, names, &budgets, &notifiers);
    for (name, table) in
        root.named("notifiers").into_iter().filter(|(name, _)| !names.is_told(name))
    {
        table.reader.warning(
            table.span,
            format!("no rule, customer, operator or report tells the notifier {}", quoted(&[name])),
        );
    }
    Some(Config {
        files: root.reader.seen(),
        file: path.to_owned(),
        source: source?,
        poll_interval: source::poll_interval(&source_table),
        security,
        state_dir,
        time_zone: time_zone?,
        ledger: ledger?,
        backups,
        http: http.flatten(),
        operator,
        report,
        budgets,
        customers_csv,
        rules,
        notifiers,
        warnings: Vec::new(),
    })
}
