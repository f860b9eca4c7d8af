//! Reads `[source]`.

use std::path::Path;
use std::time::Duration;

use reqwest::Url;

use crate::config::reader::Table;
use crate::config::url::endpoint;
use crate::source::{Config, PartnerCenterConfig};

const POLL_INTERVAL: Duration = Duration::from_hours(1);
const TIMEOUT: Duration = Duration::from_mins(3);
/// How to do without one.
const NO_REFRESH_TOKEN: &str =
    "; leave refresh_token out and run `budget-alertd login`, which keeps the sign-in itself";

/// Whether a refresh token that is configured must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefreshToken {
    /// It must.
    Wanted,
    /// It may be missing still: a person is about to sign in.
    MayBeMissing,
}

/// Where usage is read from.
pub(crate) fn read(
    source: &Table<'_>,
    state_dir: &Path,
    refresh_token: RefreshToken,
) -> Option<Config> {
    match source.text("type")?.value {
        "file" => Some(Config::File { path: source.reader.path(&source.required_text("path")?) }),
        "partner-center" => partner_center(source, state_dir, refresh_token),
        _ => None,
    }
}

/// How often it is read.
pub(crate) fn poll_interval(source: &Table<'_>) -> Duration {
    source.duration("poll_interval", POLL_INTERVAL)
}

fn partner_center(
    source: &Table<'_>,
    state_dir: &Path,
    refresh_token: RefreshToken,
) -> Option<Config> {
    let login = match source.text("cloud").map(|cloud| cloud.value) {
        Some("us-government") => "https://login.microsoftonline.us",
        _ => "https://login.microsoftonline.com",
    };
    let (tenant_id, client_id) =
        (source.required_text("tenant_id"), source.required_text("client_id"));
    let api_url = base(source, "api_url", "https://api.partnercenter.microsoft.com");
    let login_url = base(source, "login_url", login);
    let client_secret = source.secret("client_secret").map(|secret| secret.value);
    let refresh_token = match refresh_token {
        RefreshToken::Wanted => source.secret_or("refresh_token", NO_REFRESH_TOKEN),
        RefreshToken::MayBeMissing => source.secret_if_there("refresh_token"),
    };
    let refresh_token = refresh_token.map(|secret| secret.value);
    let (tenant_id, client_id) = (tenant_id?, client_id?);
    // It becomes a part of the sign-in's path.
    if !is_tenant(tenant_id.value) {
        source.reader.mistake(
            tenant_id.span.clone(),
            "a tenant is a domain such as contoso.onmicrosoft.com, or its id",
        );
    }
    Some(Config::PartnerCenter(Box::new(PartnerCenterConfig {
        api_url: api_url?,
        login_url: login_url?,
        tenant_id: tenant_id.value.to_owned(),
        client_id: client_id.value.to_owned(),
        client_secret,
        refresh_token,
        timeout: source.duration("timeout", TIMEOUT),
        state_dir: state_dir.to_owned(),
    })))
}

/// Whether a text can be a tenant: a domain, or an id.
pub(crate) fn is_tenant(text: &str) -> bool {
    text.chars().all(|letter| letter.is_ascii_alphanumeric() || ".-".contains(letter))
}

fn base(source: &Table<'_>, key: &str, default: &str) -> Option<Url> {
    match source.text(key) {
        Some(text) => source.reader.accept(&text.span, endpoint(text.value)),
        None => endpoint(default).ok(),
    }
}
