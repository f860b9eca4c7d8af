//! Reads `[http.sign_in]`: with which accounts people sign in to the pages.

use uuid::Uuid;

use crate::config::oauth::{Entra, LOGIN};
use crate::config::reader::Table;
use crate::config::source::is_tenant;
use crate::config::url::endpoint;
use crate::entra::OpenIdConfig;

/// The application that people sign in to.
pub(crate) fn read(http: &Table<'_>, entra: &Entra) -> Option<OpenIdConfig> {
    let table = http.table("sign_in")?;
    if http.entry("public_url").is_none() {
        let text = "the sign-in answers to public_url: add public_url = \"https://…\" to [http]";
        table.reader.mistake(table.span.clone(), text);
    }
    let (tenant, client_id) = (table.required_text("tenant_id"), table.required_text("client_id"));
    table.require("client_secret");
    let client_secret = table.secret("client_secret").map(|secret| secret.value);
    let authority = match table.text("login_url") {
        Some(text) => table.reader.accept(&text.span, endpoint(text.value)),
        None => endpoint(entra.pick(LOGIN)).ok(),
    };
    let tenant = tenant?;
    // `common`, `organizations` and `consumers` stand for everybody's.
    let is_one = Uuid::try_parse(tenant.value).is_ok() || tenant.value.contains('.');
    if !is_tenant(tenant.value) || !is_one {
        let text = "the one tenant whose accounts may sign in: its id, or a domain such as \
            contoso.onmicrosoft.com";
        table.reader.mistake(tenant.span, text);
        return None;
    }
    Some(OpenIdConfig {
        authority: authority?,
        tenant: tenant.value.to_owned(),
        client_id: client_id?.value.to_owned(),
        client_secret: client_secret?,
    })
}
