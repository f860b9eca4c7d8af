//! AUTH XOAUTH2: an access token in place of a password
//! (<https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::notify::address::without_addresses;
use crate::notify::smtp::connection::{Connection, Trouble};
use crate::notify::smtp::judge::{Stage, judged};
use crate::notify::smtp::reply::Reply;
use crate::notify::{DeliveryError, FailureReason, Verdict};
use crate::secret::Secret;

/// Whether the server takes it.
pub(crate) fn offered(connection: &Connection) -> Result<(), DeliveryError> {
    if connection.offers.signs_in_by("XOAUTH2") {
        return Ok(());
    }
    let detail =
        "the mail server offers no XOAUTH2 here; check host, port and `tls`, or use another `auth`";
    Err(DeliveryError::new(Verdict::DESTINATION, FailureReason::SignInRefused, detail))
}

/// Signs `user` in by `token`.
pub(crate) async fn sign_in(
    connection: &mut Connection,
    user: &str,
    token: &Secret,
) -> Result<(), DeliveryError> {
    let given = STANDARD.encode(format!("user={user}\x01auth=Bearer {}\x01\x01", token.expose()));
    let reply = connection
        .command(&format!("AUTH XOAUTH2 {given}\r\n"))
        .await
        .map_err(|trouble| judged(Stage::Token, &trouble))?;
    if reply.is_done() {
        return Ok(());
    }
    // A challenge here is the reason of a refusal, which follows once the challenge is answered by
    // nothing.
    let said = reason(&reply).map(|reason| format!(" ({reason})")).unwrap_or_default();
    match connection.command("\r\n").await {
        Ok(_) => Err(judged(Stage::Token, &Trouble::OutOfStep)),
        Err(trouble) => {
            let DeliveryError { verdict, reason, detail, source, message } =
                judged(Stage::Token, &trouble);
            Err(DeliveryError {
                verdict,
                reason,
                detail: format!("{detail}{said}"),
                source,
                message,
            })
        }
    }
}

/// What the JSON of a challenge says, such as `{"status":"401","schemes":"bearer"}`.
fn reason(challenge: &Reply) -> Option<String> {
    let text = challenge.text();
    let json: Value =
        serde_json::from_slice(&STANDARD.decode(text.split_whitespace().next()?).ok()?).ok()?;
    let status = json.get("status")?;
    let status = status.as_str().map_or_else(|| status.to_string(), str::to_owned);
    let clipped: String = without_addresses(&status).chars().take(100).collect();
    Some(format!("the server's reason: {clipped}"))
}
