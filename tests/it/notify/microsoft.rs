//! Microsoft's side of mail without passwords, built from its documentation: the token endpoint of
//! Entra ID, and Graph's `sendMail` with MIME content.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use budget_alertd::notify::{
    Config, GraphMailConfig, Kind, OAuthConfig, OAuthGrant, SmtpSignIn, SmtpTls,
};
use budget_alertd::secret::Secret;
use mail_parser::MessageParser;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::receivers::Bearer;
use super::samples::{config, email_config};

const TENANT: &str = "partner.example";
pub(super) const MAILBOX: &str = "alerts@partner.example";
const CLIENT: &str = "11111111-2222-3333-4444-555555555555";
pub(crate) const CLIENT_SECRET: &str = "hunter2-client-secret";
pub(super) const REFRESH_TOKEN: &str = "hunter2-refresh-0";

/// An answer that is planned.
pub(super) type Planned = (u16, &'static str, Value);

/// What is known on both sides.
#[derive(Default)]
struct Known {
    /// How many tokens were given.
    given: u32,
    /// The access token that is good.
    good: Option<String>,
    /// The refresh tokens that are good.
    refresh: Vec<String>,
    /// The forms that tokens were asked with.
    asked: Vec<HashMap<String, String>>,
    /// The requests to send, whatever came of them.
    requests: u32,
    /// The mails that were taken, as MIME.
    mails: Vec<String>,
    token_plan: VecDeque<Planned>,
    send_plan: VecDeque<Planned>,
}

/// Both services.
pub(crate) struct Microsoft {
    url: String,
    known: Arc<Mutex<Known>>,
    serving: JoinHandle<()>,
}

impl Drop for Microsoft {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Microsoft {
    pub(crate) async fn start() -> Self {
        let known =
            Arc::new(Mutex::new(Known { refresh: vec![REFRESH_TOKEN.into()], ..Known::default() }));
        let app = Router::new()
            .route("/{tenant}/oauth2/v2.0/token", post(token))
            .route("/v1.0/users/{user}/sendMail", post(send_mail))
            .with_state(Arc::clone(&known));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, known, serving }
    }

    /// Where both are.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// As the application.
    pub(super) fn application(&self, scope: &str) -> OAuthConfig {
        self.oauth(OAuthGrant::Application { client_secret: Secret::new(CLIENT_SECRET) }, scope)
    }

    pub(super) fn oauth(&self, grant: OAuthGrant, scope: &str) -> OAuthConfig {
        let token_url = format!("{}/{TENANT}/oauth2/v2.0/token", self.url).parse().unwrap();
        OAuthConfig { token_url, client_id: CLIENT.into(), grant, scope: scope.into() }
    }

    /// A graph-mail notifier that signs in so.
    pub(super) fn graph_config(&self, oauth: OAuthConfig) -> Config {
        let email = email_config(1, SmtpTls::None);
        let Kind::Email(email) = email.kind else { panic!("no mail") };
        let url = format!("{}/v1.0", self.url).parse().unwrap();
        config(Kind::GraphMail(Box::new(GraphMailConfig {
            from: email.from,
            to: email.to,
            reply_to: None,
            url,
            oauth,
        })))
    }

    /// The same as a table of a configuration.
    pub(super) fn graph_table(&self, name: &str, to: &[&str]) -> String {
        let url = &self.url;
        format!(
            "[notifiers.{name}]\ntype = \"graph-mail\"\nfrom = \"Alerts <{MAILBOX}>\"\nto = \
                {to:?}\nurl = \"{url}/v1.0/\"\noauth = {{ login_url = \"{url}\", tenant_id = \
                \"{TENANT}\", client_id = \"{CLIENT}\", client_secret = \"{CLIENT_SECRET}\" }}\n"
        )
    }

    /// A mail notifier that signs in by a token of this service.
    pub(super) fn smtp_config(&self, port: u16) -> Config {
        let mut config = email_config(port, SmtpTls::None);
        let oauth = Box::new(self.application("https://outlook.office365.com/.default"));
        if let Kind::Email(email) = &mut config.kind {
            email.smtp.sign_in = Some(SmtpSignIn::Token { user: MAILBOX.into(), oauth });
        }
        config
    }

    /// Whether a mail server takes this: for the mailbox, the token that is good.
    pub(super) fn bearer(&self) -> Arc<Bearer> {
        let known = Arc::clone(&self.known);
        Arc::new(move |user, token| {
            user == MAILBOX && known.lock().unwrap().good.as_deref() == Some(token)
        })
    }

    /// Makes the access token that is out there worthless.
    pub(super) fn revoke(&self) {
        self.known.lock().unwrap().good = None;
    }

    /// Takes no refresh token but this one.
    pub(super) fn accept_only(&self, refresh: &str) {
        self.known.lock().unwrap().refresh = vec![refresh.to_owned()];
    }

    pub(super) fn plan_token(&self, planned: Planned) {
        self.known.lock().unwrap().token_plan.push_back(planned);
    }

    pub(super) fn plan_send(&self, planned: Planned) {
        self.known.lock().unwrap().send_plan.push_back(planned);
    }

    pub(super) fn asked(&self) -> Vec<HashMap<String, String>> {
        self.known.lock().unwrap().asked.clone()
    }

    pub(super) fn requests(&self) -> u32 {
        self.known.lock().unwrap().requests
    }

    pub(crate) fn mails(&self) -> Vec<String> {
        self.known.lock().unwrap().mails.clone()
    }
}

fn planned((status, headers, body): Planned) -> Response {
    let mut response = (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response();
    if let Some((name, value)) = headers.split_once(": ") {
        response
            .headers_mut()
            .insert(axum::http::HeaderName::from_static(name), value.parse().unwrap());
    }
    response
}

fn refusal(status: u16, error: &str, description: &str) -> Response {
    planned((
        status,
        "",
        json!({ "error": error, "error_description": format!("{description} Trace ID: 0000 \
            Correlation ID: 0") }),
    ))
}

/// "Microsoft identity platform and OAuth 2.0 client credentials flow", "Refresh the access token".
async fn token(
    State(known): State<Arc<Mutex<Known>>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let known = &mut *known.lock().unwrap();
    assert_eq!(headers["content-type"], "application/x-www-form-urlencoded");
    let form: reqwest::Url = format!("http://form/?{body}").parse().unwrap();
    let form: HashMap<String, String> = form.query_pairs().into_owned().collect();
    known.asked.push(form.clone());
    let given = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    if let Some(plan) = known.token_plan.pop_front() {
        return planned(plan);
    }
    if tenant != TENANT || given("client_id") != CLIENT {
        return refusal(
            400,
            "unauthorized_client",
            "AADSTS700016: Application was not found in the directory.",
        );
    }
    match given("grant_type") {
        _ if form.contains_key("client_secret") && given("client_secret") != CLIENT_SECRET => {
            return refusal(
                401,
                "invalid_client",
                "AADSTS7000215: Invalid client secret provided.",
            );
        }
        "client_credentials" if !given("scope").ends_with("/.default") => {
            return refusal(
                400,
                "invalid_scope",
                "AADSTS1002012: The provided value for scope is not valid.",
            );
        }
        "client_credentials" if given("client_secret") == CLIENT_SECRET => {}
        "refresh_token" if known.refresh.iter().any(|good| good == given("refresh_token")) => {}
        "refresh_token" => {
            return refusal(
                400,
                "invalid_grant",
                "AADSTS700082: The refresh token has expired due to inactivity.",
            );
        }
        _ => {
            return refusal(
                400,
                "invalid_request",
                "AADSTS900144: The request body must contain a parameter.",
            );
        }
    }
    known.given += 1;
    let access = format!("access-{}", known.given);
    known.good = Some(access.clone());
    let mut answer = json!({ "token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": access });
    if given("scope").contains("offline_access") {
        let refresh = format!("hunter2-refresh-{}", known.given);
        known.refresh.push(refresh.clone());
        answer["refresh_token"] = refresh.into();
    }
    planned((200, "", answer))
}

fn graph_error(status: u16, code: &str, message: &str) -> Planned {
    (
        status,
        "request-id: 4f2a",
        json!({ "error": { "code": code, "message": message, "innerError": { "date": "2026-11-14" } } }),
    )
}

/// "user: sendMail", MIME format.
async fn send_mail(
    State(known): State<Arc<Mutex<Known>>>,
    Path(user): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let known = &mut *known.lock().unwrap();
    known.requests += 1;
    let header = |name: &str| {
        headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    if let Some(plan) = known.send_plan.pop_front() {
        return planned(plan);
    }
    if known.good.as_ref().is_none_or(|good| header("authorization") != format!("Bearer {good}")) {
        return planned(graph_error(
            401,
            "InvalidAuthenticationToken",
            "Access token validation failure. Invalid audience.",
        ));
    }
    if header("content-type") != "text/plain" {
        return planned(graph_error(
            415,
            "RequestBodyRead",
            "A supported MIME type could not be found.",
        ));
    }
    let mime = STANDARD.decode(&body).ok().and_then(|mime| String::from_utf8(mime).ok());
    let Some(mime) = mime else {
        return planned(graph_error(
            400,
            "ErrorMimeContentInvalidBase64String",
            "Invalid base64 string for MIME content.",
        ));
    };
    let Some(message) = MessageParser::default().parse(&mime) else {
        return planned(graph_error(400, "ErrorMimeContentInvalid", "Invalid MIME content."));
    };
    let from = message
        .from()
        .and_then(|from| from.first())
        .and_then(|from| from.address())
        .unwrap_or_default();
    if user != MAILBOX || from != user {
        return planned(graph_error(
            404,
            "ErrorInvalidUser",
            &format!("The requested user '{user}' is invalid."),
        ));
    }
    if message.to().is_none() {
        return planned(graph_error(
            400,
            "ErrorInvalidRecipients",
            "At least one recipient is not valid.",
        ));
    }
    known.mails.push(mime);
    planned((202, "request-id: 4f2a", Value::Null))
}
