//! Reads the tables about the daemon itself: `[daemon]`, `[ledger]`, `[http]` and `[operator]`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;
use reqwest::Url;

use crate::config::Operator;
use crate::config::certificate;
use crate::config::names::Names;
use crate::config::notifier_readers::value_span;
use crate::config::oauth::Entra;
use crate::config::reader::{Placed, Table};
use crate::config::sign_in;
use crate::config::url::endpoint;
use crate::config::value::{hint, short};
use crate::config::windows_zone;
use crate::ledger::{Backups, Server};
use crate::notify::Partner;
use crate::{ledger, web};

const LEDGER: &str = "ledger.db";
/// In place of a URL that is a secret and cannot be read now: whatever needs the ledger says so.
const UNREADABLE: &str = "postgres://url-cannot-be-read.invalid/ledger";
const BACKUPS: &str = "backups";
const KEEP: usize = 7;
const RETENTION: Duration = Duration::from_hours(400 * 24);
const SOURCE_FAILING_AFTER: Duration = Duration::from_hours(3);

/// The folder of the ledger and of the sign-in.
pub(crate) fn state_dir(daemon: &Table<'_>) -> PathBuf {
    let Some(written) = daemon.text("state_dir") else {
        return daemon.reader.environment().state_dir(daemon.reader.file());
    };
    daemon.reader.refuse_home(&written);
    PathBuf::from(written.value)
}

/// The time zone of messages; UTC by default.
pub(crate) fn time_zone(daemon: &Table<'_>) -> Option<TimeZone> {
    let Some(name) = daemon.text("time_zone") else { return Some(TimeZone::UTC) };
    let zone = TimeZone::get(name.value).ok();
    if zone.is_none() {
        if let Some(meant) = windows_zone::iana(name.value) {
            let text = format!(
                "\"{}\" is the name that Windows has for it: write \"{meant}\"",
                short(name.value)
            );
            daemon.reader.mistake(name.span, text);
            return None;
        }
        let known: Vec<String> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
        let nearest = hint(name.value, known.iter().map(String::as_str));
        daemon
            .reader
            .mistake(name.span, format!("unknown time zone \"{}\"{nearest}", short(name.value)));
    }
    zone
}

/// Where the ledger is.
pub(crate) fn ledger(table: &Table<'_>, state_dir: &Path) -> Option<ledger::Config> {
    let retention = table.duration("retention", RETENTION);
    let Some(url) = table.secret_even_if_unread("url", UNREADABLE) else {
        let is_written = table.entry("url").is_some();
        let path = state_dir.join(LEDGER);
        return (!is_written).then_some(ledger::Config { path, server: None, retention });
    };
    let written = Placed { value: url.value.expose(), span: url.span };
    if is_postgres(written.value) {
        let server = table.reader.accept(&written.span, Server::parse(written.value))?;
        let server = server.noted_in(state_dir);
        if server.has_password() {
            table.note_inline("url");
        }
        return Some(ledger::Config { path: server.name(), server: Some(server), retention });
    }
    let path = state_dir.join(sqlite_file(table, &written)?);
    Some(ledger::Config { path, server: None, retention })
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// The daily backups of the ledger; none where the folder is an empty text.
pub(crate) fn backups(table: &Table<'_>, state_dir: &Path) -> Option<Backups> {
    let written = table
        .entry("backups")
        .and_then(|entry| Some(Placed { value: entry.value.as_str()?, span: entry.span }));
    let keep = table.whole("keep").map_or(KEEP, |keep| {
        if keep.value == 0 {
            let text = "\"keep\" must be at least 1; backups = \"\" is for none";
            table.reader.mistake(keep.span, text);
        }
        usize::try_from(keep.value).unwrap_or(usize::MAX)
    });
    let folder = written.as_ref().map_or(BACKUPS, |folder| folder.value.trim());
    if let Some(written) = &written {
        table.reader.refuse_home(written);
    }
    (!folder.is_empty()).then(|| Backups { folder: state_dir.join(folder), keep })
}

/// The ledger of a file that says nothing of it.
pub(crate) fn default_ledger(state_dir: &Path) -> ledger::Config {
    ledger::Config { path: state_dir.join(LEDGER), server: None, retention: RETENTION }
}

fn sqlite_file<'a>(table: &Table<'_>, url: &Placed<&'a str>) -> Option<&'a str> {
    // `sqlite:///var/lib/x.db` is a common way to write an absolute path; `sqlite::memory:` would
    // forget everything.
    let file =
        url.value.strip_prefix("sqlite:").map(|file| file.strip_prefix("//").unwrap_or(file));
    let file = file.filter(|file| !file.trim().is_empty() && !file.starts_with(':'));
    if let Some(file) = file {
        table.reader.refuse_home(&Placed { value: file, span: url.span.clone() });
    } else {
        table.reader.mistake(
            url.span.clone(),
            "the ledger is \"sqlite:FILE\", for example \"sqlite:ledger.db\", or \
                \"postgres://USER@HOST/DATABASE\"",
        );
    }
    file
}

/// The HTTP server.
pub(crate) fn http(table: &Table<'_>, entra: &Entra) -> Option<web::Config> {
    let listen = table.required_text("listen");
    let token = table.secret("token").map(|token| token.value);
    let sign_in = sign_in::read(table, entra);
    let listen = listen?;
    let Ok(address) = listen.value.parse::<SocketAddr>() else {
        table.reader.mistake(
            listen.span,
            "expected an address and a port, such as \"127.0.0.1:9187\" or \"[::1]:9187\"",
        );
        return None;
    };
    if !address.ip().is_loopback() && !is_closed(table) {
        table.reader.mistake(
            listen.span,
            "listening beyond this machine needs a token or a sign-in: add token \
            = { credential = \"http-token\" }, or [http.sign_in]",
        );
    }
    let customer_metrics = table.boolean("customer_metrics").unwrap_or(false);
    let local_actions = local_actions(table);
    let (public_url, certificate) = (public_url(table), certificate::read(table));
    Some(web::Config {
        listen: address,
        token,
        customer_metrics,
        local_actions,
        public_url,
        certificate,
        sign_in,
    })
}

/// Whether this machine may act where nobody signs in.
fn local_actions(table: &Table<'_>) -> bool {
    let may = table.boolean("local_actions").unwrap_or(false);
    if may && !is_closed(table) {
        table.reader.warning(
            value_span(table, "local_actions"),
            "every user and every program of this machine may acknowledge and silence on the \
                pages, recorded as \"someone on\" this host",
        );
    }
    may
}

/// Whether whoever comes has to say who it is.
fn is_closed(http: &Table<'_>) -> bool {
    http.entry("token").is_some() || http.entry("sign_in").is_some()
}

/// Where people reach the pages. Whoever comes there from elsewhere has to sign in.
fn public_url(table: &Table<'_>) -> Option<Url> {
    let written = table.text("public_url")?;
    let url = table.reader.accept(&written.span, endpoint(written.value))?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        let text = "it is a scheme, a host and a port, such as \"https://alerts.partner.example\": \
            the pages have their own paths below it";
        table.reader.mistake(written.span, text);
        return None;
    }
    if !is_closed(table) {
        let text = "pages that others reach need a token or a sign-in: add token \
            = { credential = \"http-token\" }, or [http.sign_in]";
        table.reader.mistake(written.span, text);
    }
    Some(url)
}

/// Who we are to our customers.
pub(crate) fn partner(table: &Table<'_>) -> Option<Partner> {
    let (name, contact) = (table.required_text("name"), table.text("contact"));
    for text in name.iter().chain(&contact).filter(|text| text.value.chars().any(char::is_control))
    {
        table.reader.mistake(text.span.clone(), "it is one line, without control characters");
    }
    Some(Partner {
        name: name?.value.trim().to_owned(),
        contact: contact.map(|contact| contact.value.trim().to_owned()),
    })
}

/// Who hears of trouble.
pub(crate) fn operator<'a>(table: &Table<'a>, names: &Names<'a>) -> Operator {
    let heartbeat_url = table.secret_url("heartbeat_url");
    let notify = names.own_notifiers(table, "notify", "news about the daemon itself");
    Operator { notify, source_failing_after: source_failing_after(table), heartbeat_url }
}

/// How long the source may fail before it is news.
pub(crate) fn source_failing_after(operator: &Table<'_>) -> Duration {
    operator.duration("source_failing_after", SOURCE_FAILING_AFTER)
}
