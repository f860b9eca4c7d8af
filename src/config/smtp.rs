//! Reads the `smtp` table of a mail notifier.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

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
    let hello_name = hello_name(table);
    let host = host?;
    if !is_host(host.value) {
        table.reader.mistake(
            host.span,
            "expected a host name such as \"smtp.example.com\"; the port has a key of its own",
        );
        return None;
    }
    if tls == SmtpTls::None
        && !is_loopback(host.value)
        && table.boolean("allow_plaintext") != Some(true)
    {
        let span = table.text("tls").map_or_else(|| table.span.clone(), |text| text.span);
        table.reader.mistake(
            span,
            "tls = \"none\" is allowed to this machine only, unless allow_plaintext = true",
        );
    }
    if matches!(sign_in, Some(SmtpSignIn::Password { .. }))
        && host.value.to_ascii_lowercase().starts_with(EXCHANGE_ONLINE)
    {
        let text = "Microsoft 365 ends the sign-in by password (basic authentication) in December \
            2026: use auth = \"xoauth2\" or type = \"graph-mail\"";
        table.reader.warning(host.span, text);
    }
    Some(SmtpConfig { host: host.value.to_owned(), port: port?, tls, hello_name, sign_in })
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
    Some(SmtpSignIn::Password {
        user: user?.value.to_owned(),
        password: password?.value,
        mechanism,
    })
}

/// By an access token, which is no password.
fn by_token(name: &str, table: &Table<'_>, entra: &Entra) -> Option<SmtpSignIn> {
    table.require("oauth");
    if let Some(entry) = table.entry("password") {
        table.reader.mistake(entry.key, "auth = \"xoauth2\" takes no password: leave it out");
    }
    let user = table.required_text("username");
    let oauth =
        table.table("oauth").and_then(|oauth| oauth::read(name, &oauth, entra, &oauth::SMTP));
    let user = user?;
    if user.value.chars().any(char::is_control) {
        table.reader.mistake(user.span, "the username is the mailbox, on one line");
        return None;
    }
    Some(SmtpSignIn::Token { user: user.value.trim().to_owned(), oauth: Box::new(oauth?) })
}

/// The name by which the server is greeted, in ASCII; none where it is this host's own.
fn hello_name(table: &Table<'_>) -> Option<String> {
    let text = table.text("hello_name")?;
    let name = idna::domain_to_ascii(text.value.trim()).ok().filter(|name| is_full_name(name));
    let name =
        name.or_else(|| Some(text.value.trim().to_owned()).filter(|name| is_address_literal(name)));
    if name.is_none() {
        let expected = "expected the full name of this host such as \"alerts.example.com\", or its \
            address in brackets such as \"[192.0.2.7]\"";
        table.reader.mistake(text.span, expected);
    }
    name
}

fn is_full_name(name: &str) -> bool {
    let letters =
        |label: &str| label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_label = |label: &str| {
        letters(label) && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    name.contains('.') && name.split('.').all(is_label) && name.parse::<Ipv4Addr>().is_err()
}

/// Whether it is an address as a name (RFC 5321 section 4.1.3).
fn is_address_literal(name: &str) -> bool {
    let Some(address) = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
        return false;
    };
    address.parse::<Ipv4Addr>().is_ok()
        || address.strip_prefix("IPv6:").is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
}

/// Whether a text can be a host: a name or an address.
pub(crate) fn is_host(text: &str) -> bool {
    let letters = text.chars().all(|letter| letter.is_alphanumeric() || ".-_".contains(letter));
    text.parse::<IpAddr>().is_ok()
        || (letters && (text.is_ascii() || idna::domain_to_ascii(text).is_ok()))
}

/// Whether a host is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
