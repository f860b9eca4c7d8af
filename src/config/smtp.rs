//! Reads the `smtp` table of a mail notifier.

use std::net::IpAddr;

use crate::config::reader::Table;
use crate::notify::{AuthMechanism, SmtpConfig, SmtpTls};

/// The mail server.
pub(crate) fn read(table: &Table<'_>) -> Option<SmtpConfig> {
    let host = table.required_text("host");
    let (tls, default_port) = match table.text("tls").map(|tls| tls.value) {
        Some("implicit") => (SmtpTls::Implicit, 465),
        Some("none") => (SmtpTls::None, 25),
        _ => (SmtpTls::Starttls, 587),
    };
    let credentials = credentials(table);
    let port = port(table, default_port);
    let host = host?;
    if !is_host(host.value) {
        table.reader.mistake(host.span, "expected a host name such as \"smtp.example.com\"; the port has a key of its own");
        return None;
    }
    if tls == SmtpTls::None && !is_loopback(host.value) && table.boolean("allow_plaintext") != Some(true) {
        let span = table.text("tls").map_or_else(|| table.span.clone(), |text| text.span);
        table.reader.mistake(span, "tls = \"none\" is allowed to this machine only, unless allow_plaintext = true");
    }
    let auth = match table.text("auth").map(|auth| auth.value) {
        Some("login") => AuthMechanism::Login,
        _ => AuthMechanism::Plain,
    };
    Some(SmtpConfig { host: host.value.to_owned(), port: port?, tls, credentials, auth })
}

fn port(table: &Table<'_>, default: u16) -> Option<u16> {
    let Some(port) = table.whole("port") else { return Some(default) };
    let number = u16::try_from(port.value).ok().filter(|number| *number > 0);
    if number.is_none() {
        table.reader.mistake(port.span, "a port is a number from 1 to 65535");
    }
    number
}

/// User name and password, which come together.
fn credentials(table: &Table<'_>) -> Option<(String, crate::secret::Secret)> {
    let (name, password) = (table.text("username"), table.secret("password"));
    match (table.entry("username"), table.entry("password")) {
        (Some(entry), None) => table.reader.mistake(entry.key, "a username needs a password"),
        (None, Some(entry)) => table.reader.mistake(entry.key, "a password needs a username"),
        _ => {}
    }
    Some((name?.value.to_owned(), password?.value))
}

fn is_host(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok() || text.chars().all(|letter| letter.is_alphanumeric() || ".-_".contains(letter))
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
