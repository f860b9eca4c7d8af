//! The Microsoft Graph notifier: the same mail as by SMTP, handed over as MIME in base64
//! (<https://learn.microsoft.com/graph/api/user-sendmail>). How it signs in is `oauth`'s.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode, Url};
use serde_json::Value;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::domain::Delivery;
use crate::http;
use crate::notify::address::without_addresses;
use crate::notify::letters::Letters;
use crate::notify::oauth::Tokens;
use crate::notify::{
    Accepted, BuildError, Config, DeliveryError, FailureReason, GraphMailConfig, MessageCopy,
    Notifier, ProbeFuture, SendFuture, Verdict, http_answer,
};
use crate::secret::{Redactor, Secret};

/// Exchange Online takes 30 messages a minute from a mailbox. One in two seconds keeps below its 4
/// requests at a time too.
pub(crate) const INTERVAL: Duration = Duration::from_secs(2);
/// How much of an error is read.
const ERROR_CAP: usize = 16 * 1024;

/// Sends mail from one mailbox.
pub(crate) struct GraphMail {
    letters: Letters,
    client: reqwest::Client,
    tokens: Tokens,
    /// `{url}/users/{from}/sendMail`.
    address: Url,
    /// How long everything up to handing over the message may take.
    patience: Duration,
}

impl GraphMail {
    pub(crate) fn build(
        config: &Config,
        mail: &GraphMailConfig,
        clock: Arc<dyn Clock>,
        redactor: &Arc<Redactor>,
    ) -> Result<Self, BuildError> {
        let tls = |error: reqwest::Error| BuildError::Tls {
            notifier: config.name.clone(),
            source: Box::new(error.without_url()),
        };
        let mut address = mail.url.clone();
        let path = address.path_segments_mut();
        path.map_err(|()| BuildError::Url(config.name.clone()))?.pop_if_empty().extend([
            "users",
            mail.from.email.as_ref(),
            "sendMail",
        ]);
        Ok(Self {
            letters: Letters::new(config, &mail.from, &mail.to, mail.reply_to.as_ref()),
            client: http::client(config.timeout).map_err(tls)?,
            tokens: Tokens::new(&mail.oauth, config.timeout, clock, redactor).map_err(tls)?,
            address,
            patience: config.timeout * 3 / 4,
        })
    }

    /// Hands a mail over. A token that is refused is renewed once: it may have been revoked before
    /// its time.
    async fn post(
        &self,
        delivery: &Delivery,
        now: Timestamp,
        copy: &MessageCopy,
    ) -> Result<Accepted, DeliveryError> {
        let to = self.letters.recipient(delivery)?;
        let letter = self.letters.mail(delivery, &to, now)?;
        let mail = letter.mail.formatted();
        let body = STANDARD.encode(&mail);
        copy.keep(letter.copy(&mail));
        let token = self.token(None).await?;
        let mut response = self.request(&token, &body).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            let token = self.token(Some(&token)).await?;
            response = self.request(&token, &body).await?;
        }
        let status = response.status();
        if status == StatusCode::ACCEPTED {
            let request = request_id(response.headers())
                .map(|id| format!(", request-id {id}"))
                .unwrap_or_default();
            return Ok(Accepted::saying(format!("202 Accepted{request}")));
        }
        Err(refused(response, now).await)
    }

    async fn token(&self, refused: Option<&Secret>) -> Result<Secret, DeliveryError> {
        let too_late = |_| {
            let detail = format!(
                "the sign-in service gave no token within {} s",
                self.patience.as_secs_f32()
            );
            DeliveryError::new(Verdict::DESTINATION, FailureReason::TimedOut, detail)
        };
        timeout(self.patience, self.tokens.access(refused))
            .await
            .unwrap_or_else(|late| Err(too_late(late)))
    }

    async fn request(&self, token: &Secret, body: &str) -> Result<Response, DeliveryError> {
        let mut bearer =
            HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| {
                let detail = "the sign-in service's token is none that a header can carry";
                DeliveryError::new(Verdict::DESTINATION, FailureReason::UnexpectedAnswer, detail)
            })?;
        bearer.set_sensitive(true);
        let request = self
            .client
            .post(self.address.clone())
            .header(AUTHORIZATION, bearer)
            .header(CONTENT_TYPE, "text/plain");
        http_answer::send(request.body(body.to_owned())).await
    }

    async fn reach(&self) -> Result<String, DeliveryError> {
        self.token(None).await?;
        http_answer::reach(&self.client, &self.address).await?;
        let host = self.address.host_str().unwrap_or_default();
        Ok(format!("Microsoft Entra gives a token, and {host} is reached; no mail was sent"))
    }
}

impl Notifier for GraphMail {
    fn send<'a>(
        &'a self,
        delivery: &'a Delivery,
        now: Timestamp,
        copy: &'a MessageCopy,
    ) -> SendFuture<'a> {
        Box::pin(self.post(delivery, now, copy))
    }

    fn probe(&self) -> ProbeFuture<'_> {
        Box::pin(self.reach())
    }
}

/// What an answer other than 202 means: as for every receiver by its status, with what Graph says
/// and what to do about it.
async fn refused(mut response: Response, now: Timestamp) -> DeliveryError {
    let status = response.status();
    let body = http::read_start(&mut response, ERROR_CAP).await;
    let (code, said) = said(&body);
    if status.is_success() {
        let detail =
            format!("{} in place of 202; is this the url of Microsoft Graph?", status.as_u16());
        return DeliveryError::new(Verdict::DESTINATION, FailureReason::UnexpectedAnswer, detail);
    }
    let plain = http_answer::refused(status, response.headers(), "", now);
    let (verdict, reason, advice) = match (status.as_u16(), code.as_str()) {
        (400, "ErrorInvalidRecipients") => {
            (plain.verdict, FailureReason::RecipientRefused, "; check the notifier's `to`")
        }
        (400, _) => (plain.verdict, plain.reason, "; Microsoft Graph does not take this message"),
        (413, _) => (plain.verdict, plain.reason, "; the message is too large for Microsoft Graph"),
        (401, _) => (
            plain.verdict,
            plain.reason,
            "; the token is refused: check `oauth`, and `url` if it is set",
        ),
        (403, _) => (plain.verdict, plain.reason, FORBIDDEN),
        (404, _) => (
            plain.verdict,
            plain.reason,
            "; `from` must be a mailbox in Exchange Online, in the tenant of oauth.tenant_id",
        ),
        _ => (plain.verdict, plain.reason, ""),
    };
    let request =
        request_id(response.headers()).map(|id| format!(" (request-id {id})")).unwrap_or_default();
    let name = status.canonical_reason().unwrap_or_default();
    DeliveryError::new(
        verdict,
        reason,
        format!("{} {name}{said}{request}{advice}", status.as_u16()),
    )
}

const FORBIDDEN: &str = "; the application may not send as `from`: give it the application \
    permission Mail.Send of Microsoft Graph with admin consent; where its access is limited to \
    some mailboxes (RBAC for Applications, application access policy), include this one";

/// The code and the text of a Graph error (<https://learn.microsoft.com/graph/errors>), without
/// mail addresses.
fn said(body: &str) -> (String, String) {
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    let error = |name: &str| {
        without_addresses(
            json.pointer(&format!("/error/{name}")).and_then(Value::as_str).unwrap_or_default(),
        )
    };
    let (code, message) = (error("code"), error("message"));
    let said = match (code.as_str(), message.as_str()) {
        ("", "") => String::new(),
        (code, "") => format!(" {code}"),
        (code, message) => format!(" {code}: {message}"),
    };
    (code, said)
}

/// The number that Microsoft's support asks for.
fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get("request-id")?.to_str().ok()?;
    Some(http::one_line(id).chars().take(64).collect())
}
