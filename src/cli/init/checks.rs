//! What an answer must look like. Each check takes the answer as it was typed, and says in one line
//! what is expected.

use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use crate::config::{self, Environment};
use crate::domain::{CustomerKey, parse_decimal};
use crate::notify::SigningKey;
use crate::secret::{Secret, SecretError, SecretSource};

/// The letters and digits of a routing key.
const ROUTING_KEY: usize = 32;

#[expect(clippy::unnecessary_wraps, reason = "one of several checks of an answer")]
pub(super) fn any(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

/// A tenant: a domain, or a GUID.
pub(super) fn tenant(text: &str) -> Result<String, String> {
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let is_domain = text.contains('.') && text.split('.').all(label);
    if is_domain || CustomerKey::of(text).is_guid() {
        Ok(text.to_owned())
    } else {
        Err("a tenant is a domain such as contoso.onmicrosoft.com, or its id, a GUID".to_owned())
    }
}

/// The id of an application.
pub(super) fn application(text: &str) -> Result<String, String> {
    if CustomerKey::of(text).is_guid() {
        Ok(text.to_owned())
    } else {
        Err("an application's id is a GUID: \"Application (client) ID\" in the Entra admin center \
             (App registrations)"
            .to_owned())
    }
}

/// One mail address.
pub(super) fn mailbox(text: &str) -> Result<String, String> {
    config::mailbox(text).map(|_| text.to_owned())
}

/// Mail addresses with commas between them.
pub(super) fn mailboxes(text: &str) -> Result<Vec<String>, String> {
    config::people_of(text).into_iter().map(mailbox).collect()
}

/// A host, and a port where one is written.
pub(super) fn server(text: &str) -> Result<(String, Option<u16>), String> {
    let wrong = || "write a host and a port as in smtp.partner.example:587".to_owned();
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => (host, Some(port)),
        _ => (text, None),
    };
    let port = port.map(|port| port.parse().ok().filter(|port: &u16| *port > 0).ok_or_else(wrong));
    if host.is_empty() || !config::is_host(host) {
        return Err(wrong());
    }
    Ok((host.to_owned(), port.transpose()?))
}

/// An address of HTTP.
pub(super) fn url(text: &str) -> Result<String, String> {
    config::endpoint(text).map(|_| text.to_owned())
}

/// A secret as the configuration takes it.
pub(super) fn secret(text: &str) -> Result<Secret, String> {
    let secret = SecretSource::Inline(Secret::new(text)).resolve(&Environment::of_process());
    secret.map_err(in_words)
}

/// An address that is a secret as a whole.
pub(super) fn secret_url(text: &str) -> Result<Secret, String> {
    let secret = secret(text)?;
    url(secret.expose()).map(|_| secret)
}

/// A routing key of PagerDuty.
pub(super) fn routing_key(text: &str) -> Result<Secret, String> {
    let key = secret(text)?;
    let letters = key.expose().bytes().all(|byte| byte.is_ascii_alphanumeric());
    if letters && key.expose().len() == ROUTING_KEY {
        Ok(key)
    } else {
        Err("a routing key is 32 letters and digits: the \"Integration Key\" of an Events API v2 \
             integration"
            .to_owned())
    }
}

/// A key that webhooks are signed with.
pub(super) fn signing_key(text: &str) -> Result<Secret, String> {
    let key = secret(text)?;
    SigningKey::try_new(&key).map(|_| key).map_err(|error| error.to_string())
}

/// Ascending percents with commas between them.
pub(super) fn percents(text: &str) -> Result<Vec<Decimal>, String> {
    let wrong = || "write ascending percents as in 80, 100".to_owned();
    let number = |text: &str| {
        parse_decimal(text.trim().trim_end_matches('%').trim())
            .map(|number| number.value.normalize())
            .map_err(|_| wrong())
    };
    let steps: Vec<Decimal> = text.split(',').map(number).collect::<Result<_, _>>()?;
    let ascending = steps.iter().zip(steps.iter().skip(1)).all(|(one, next)| one < next);
    if ascending && steps.iter().all(|step| *step > Decimal::ZERO) {
        Ok(steps)
    } else {
        Err(wrong())
    }
}

/// A time zone by its name.
pub(super) fn time_zone(text: &str) -> Result<String, String> {
    match TimeZone::get(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("there is no such time zone; write it as in Europe/Stockholm".to_owned()),
    }
}

/// An error of a secret with its causes.
pub(super) fn in_words(error: SecretError) -> String {
    format!("{:#}", anyhow::Error::from(error))
}
