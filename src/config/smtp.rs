//! Reads the `smtp` table of a mail notifier.

use std::net::IpAddr;

use crate::config::oauth::{self, Entra};
use crate::config::reader::Table;
use crate::notify::{AuthMechanism, SmtpConfig, SmtpSignIn, SmtpTls};

/// What Exchange Online's host names begin with.
const EXCHANGE_ONLINE: &str = "smtp.office365.";

/// The mail server of the notifier of this name.
pub(crate) fn read(name: &str, table: &Table<'_>, entra: &Entra) -> Option<SmtpConfig> {
    let host = table.required_text("host");
    let (tls, default_port) = match table.text("tls").map(|tls| tls.value) {
        Some("implicit") => (SmtpTls::Implicit, 465),
        Some("none") => (SmtpTls::None, 25),
        _ => (SmtpTls::Starttls, 587),
    };
    let sign_in = sign_in(name, table, entra);
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
    if matches!(sign_in, Some(SmtpSignIn::Password { .. })) && host.value.to_ascii_lowercase().starts_with(EXCHANGE_ONLINE) {
        let text = "Microsoft 365 ends the sign-in by password (basic authentication) in December 2026: use auth = \"xoauth2\" or \
                    type = \"graph-mail\"";
        table.reader.warning(host.span, text);
    }
    Some(SmtpConfig { host: host.value.to_owned(), port: port?, tls, sign_in })
}

fn port(table: &Table<'_>, default: u16) -> Option<u16> {
    let Some(port) = table.whole("port") else { return Some(default) };
    let number = u16::try_from(port.value).ok().filter(|number| *number > 0);
    if number.is_none() {
        table.reader.mistake(port.span, "a port is a number from 1 to 65535");
    }
    number
}

/// How it is signed in to, if at all.
fn sign_in(name: &str, table: &Table<'_>, entra: &Entra) -> Option<SmtpSignIn> {
    let mechanism = match table.text("auth").map(|auth| auth.value) {
        Some("xoauth2") => return by_token(name, table, entra),
        Some("login") => AuthMechanism::Login,
        _ => AuthMechanism::Plain,
    };
    if let Some(entry) = table.entry("oauth") {
        table.reader.mistake(entry.key, "an oauth table needs auth = \"xoauth2\"");
    }
    let (user, password) = (table.text("username"), table.secret("password"));
    match (table.entry("username"), table.entry("password")) {
        (Some(user), None) => table.reader.mistake(user.key, "a username needs a password"),
        (None, Some(password)) => table.reader.mistake(password.key, "a password needs a username"),
        _ => {}
    }
    Some(SmtpSignIn::Password { user: user?.value.to_owned(), password: password?.value, mechanism })
}

/// By an access token, which is no password.
fn by_token(name: &str, table: &Table<'_>, entra: &Entra) -> Option<SmtpSignIn> {
    table.require("oauth");
    if let Some(entry) = table.entry("password") {
        table.reader.mistake(entry.key, "auth = \"xoauth2\" takes no password: leave it out");
    }
    let user = table.required_text("username");
    let oauth = table.table("oauth").and_then(|oauth| oauth::read(name, &oauth, entra, &oauth::SMTP));
    let user = user?;
    if user.value.chars().any(char::is_control) {
        table.reader.mistake(user.span, "the username is the mailbox, on one line");
        return None;
    }
    Some(SmtpSignIn::Token { user: user.value.trim().to_owned(), oauth: Box::new(oauth?) })
}

fn is_host(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok() || text.chars().all(|letter| letter.is_alphanumeric() || ".-_".contains(letter))
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
