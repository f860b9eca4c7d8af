//! Reads the `oauth` table of a notifier that signs in at Microsoft Entra ID.

use std::path::{Path, PathBuf};

use crate::config::reader::Table;
use crate::config::source::is_tenant;
use crate::config::url::endpoint;
use crate::entra::token_url;
use crate::notify::{OAuthConfig, OAuthGrant};
use crate::text::short_hash;

/// What of the file around a notifier its sign-in takes.
pub(crate) struct Entra {
    state_dir: PathBuf,
    government: bool,
}

/// What tokens are asked for, in the global cloud and in that of the United States' government.
pub(crate) struct Scopes {
    application: [&'static str; 2],
    user: [&'static str; 2],
}

/// Tokens for Exchange Online's SMTP.
pub(crate) const SMTP: Scopes = Scopes {
    application: [
        "https://outlook.office365.com/.default",
        "https://outlook.office365.us/.default",
    ],
    user: [
        "https://outlook.office.com/SMTP.Send offline_access",
        "https://outlook.office365.us/SMTP.Send offline_access",
    ],
};
/// Tokens for Microsoft Graph.
pub(crate) const GRAPH: Scopes = Scopes {
    application: ["https://graph.microsoft.com/.default", "https://graph.microsoft.us/.default"],
    user: [
        "https://graph.microsoft.com/Mail.Send offline_access",
        "https://graph.microsoft.us/Mail.Send offline_access",
    ],
};
/// Where people and applications sign in.
pub(crate) const LOGIN: [&str; 2] =
    ["https://login.microsoftonline.com", "https://login.microsoftonline.us"];

impl Entra {
    /// The cloud is the one that `[source]` names.
    pub(crate) fn of(root: &Table<'_>, state_dir: &Path) -> Self {
        let source = root.table_or_empty("source");
        let government = source.text("cloud").is_some_and(|cloud| cloud.value == "us-government");
        Self { state_dir: state_dir.to_owned(), government }
    }

    /// Of two words the one of the cloud.
    pub(crate) fn pick(&self, [global, government]: [&'static str; 2]) -> &'static str {
        if self.government { government } else { global }
    }
}

/// How the notifier of this name signs in, for these scopes.
pub(crate) fn read(
    name: &str,
    table: &Table<'_>,
    entra: &Entra,
    scopes: &Scopes,
) -> Option<OAuthConfig> {
    let (tenant, client_id) = (table.required_text("tenant_id"), table.required_text("client_id"));
    let client_secret = table.secret("client_secret").map(|secret| secret.value);
    let refresh_token = table.secret("refresh_token").map(|secret| secret.value);
    let login_url = match table.text("login_url") {
        Some(text) => table.reader.accept(&text.span, endpoint(text.value)),
        None => endpoint(entra.pick(LOGIN)).ok(),
    };
    if table.entry("client_secret").is_none() && table.entry("refresh_token").is_none() {
        let text = "the sign-in needs a client_secret, by which the application signs in itself, \
            or a user's refresh_token";
        table.reader.mistake(table.span.clone(), text);
    }
    let tenant = tenant?;
    if !is_tenant(tenant.value) {
        table.reader.mistake(
            tenant.span,
            "a tenant is a domain such as contoso.onmicrosoft.com, or its id",
        );
        return None;
    }
    let (grant, usual) = match (refresh_token, client_secret) {
        (Some(refresh_token), client_secret) => {
            let (state_dir, file) = (entra.state_dir.clone(), file_of(name));
            (OAuthGrant::User { refresh_token, client_secret, state_dir, file }, scopes.user)
        }
        (None, Some(client_secret)) => {
            (OAuthGrant::Application { client_secret }, scopes.application)
        }
        (None, None) => return None,
    };
    let scope = table
        .text("scope")
        .map_or_else(|| entra.pick(usual).to_owned(), |scope| scope.value.to_owned());
    let token_url = token_url(&login_url?, tenant.value)?;
    Some(OAuthConfig { token_url, client_id: client_id?.value.to_owned(), grant, scope })
}

/// The file of the notifier's refresh token; a name that no file should have gets one of its bytes.
fn file_of(name: &str) -> String {
    let plain = name.len() <= 60
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if plain {
        return format!("sign-in-{name}.json");
    }
    format!("sign-in-{:032x}.json", short_hash(name))
}
