//! The sign-in of the simulated Partner Center: refresh tokens in, access tokens out; what they open is elsewhere.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;

use crate::simulator::{Answer, Request};

/// The API that tokens are for.
const AUDIENCE: &str = "https://api.partnercenter.microsoft.com";

/// How `expires_in` is written: the v2 endpoint has a number, v1 a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// `3600`
    Number,
    /// `"3600"`
    Text,
}

/// Who may sign in, and how the answers look.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// The partner's tenant, in the path.
    pub tenant_id: String,
    /// The application.
    pub client_id: String,
    /// Its secret; none for a public client.
    pub client_secret: Option<String>,
    /// The first refresh token.
    pub refresh_token: String,
    /// Whether each answer brings a new refresh token.
    pub rotates: bool,
    /// Whether a refresh token still works once it was used. Entra's do, until their own 90 days are over.
    pub keeps_used: bool,
    /// Whether access tokens say that the user passed multi-factor authentication; the API refuses those that don't.
    pub mfa: bool,
    /// How long access tokens live.
    pub lifetime: Duration,
    /// How that is written.
    pub lifetime_form: Lifetime,
}

impl Default for SignIn {
    fn default() -> Self {
        Self {
            tenant_id: "partner.onmicrosoft.example".to_owned(),
            client_id: "0b8a7d52-3c1e-4c55-9a41-6f2d1f5f7a10".to_owned(),
            client_secret: Some("simulated-client-secret".to_owned()),
            refresh_token: "simulated-refresh-token-0".to_owned(),
            rotates: true,
            keeps_used: true,
            mfa: true,
            lifetime: Duration::from_hours(1),
            lifetime_form: Lifetime::Number,
        }
    }
}

/// The tokens in circulation.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) sign_in: SignIn,
    refresh: Vec<String>,
    access: HashMap<String, Timestamp>,
    issued: u32,
}

impl Tokens {
    pub(crate) fn new(sign_in: SignIn) -> Self {
        Self { refresh: vec![sign_in.refresh_token.clone()], sign_in, access: HashMap::new(), issued: 0 }
    }

    /// The newest refresh token.
    pub(crate) fn newest(&self) -> String {
        self.refresh.last().cloned().unwrap_or_default()
    }

    /// No refresh token works any more.
    pub(crate) fn revoke(&mut self) {
        self.refresh.clear();
    }

    /// No access token given so far works any more.
    pub(crate) fn expire_access(&mut self) {
        self.access.clear();
    }

    /// Whether the request carries a living access token.
    pub(crate) fn admits(&self, request: &Request, now: Timestamp) -> bool {
        let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        token.and_then(|token| self.access.get(token)).is_some_and(|expires| now < *expires)
    }

    /// Answers `POST /{tenant}/oauth2/v2.0/token`.
    pub(crate) fn exchange(&mut self, tenant: &str, request: &Request, now: Timestamp) -> Answer {
        let form = form(&request.text());
        let given = |name: &str| form.get(name).map_or("", String::as_str);
        if !tenant.eq_ignore_ascii_case(&self.sign_in.tenant_id) {
            return refusal(400, "invalid_request", 90002, "Tenant not found.");
        }
        if given("client_id") != self.sign_in.client_id {
            return refusal(400, "unauthorized_client", 700_016, "Application was not found in the directory.");
        }
        if self.sign_in.client_secret.as_deref().is_some_and(|secret| secret != given("client_secret")) {
            return refusal(401, "invalid_client", 7_000_215, "Invalid client secret provided.");
        }
        if given("grant_type") != "refresh_token" {
            return refusal(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.");
        }
        if !given("scope").split(' ').any(|scope| scope.starts_with(AUDIENCE)) {
            return refusal(400, "invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid.");
        }
        let Some(used) = self.refresh.iter().position(|known| known == given("refresh_token")) else {
            return refusal(400, "invalid_grant", 70008, "The refresh token has expired or was revoked.");
        };
        if self.sign_in.rotates && !self.sign_in.keeps_used {
            self.refresh.remove(used);
        }
        self.issue(now)
    }

    fn issue(&mut self, now: Timestamp) -> Answer {
        self.issued += 1;
        let expires = now.saturating_add(self.sign_in.lifetime).unwrap_or(Timestamp::MAX);
        let access = self.access_token(now, expires);
        self.access.insert(access.clone(), expires);
        let seconds = self.sign_in.lifetime.as_secs();
        let lifetime = match self.sign_in.lifetime_form {
            Lifetime::Number => serde_json::json!(seconds),
            Lifetime::Text => serde_json::json!(seconds.to_string()),
        };
        let scope = format!("{AUDIENCE}/user_impersonation");
        let mut body = serde_json::json!({
            "token_type": "Bearer", "scope": scope, "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": access,
        });
        if self.sign_in.rotates {
            let refresh = format!("simulated-refresh-token-{}", self.issued);
            if let Some(fields) = body.as_object_mut() {
                fields.insert("refresh_token".to_owned(), refresh.clone().into());
            }
            self.refresh.push(refresh);
        }
        Answer::json(200, body.to_string())
    }

    /// A JSON Web Token in form; nobody checks its signature.
    fn access_token(&self, now: Timestamp, expires: Timestamp) -> String {
        let methods: &[&str] = if self.sign_in.mfa { &["pwd", "mfa"] } else { &["pwd"] };
        let payload = serde_json::json!({
            "aud": AUDIENCE, "iss": format!("https://sts.windows.net/{}/", self.sign_in.tenant_id), "iat": now.as_second(),
            "nbf": now.as_second(), "exp": expires.as_second(), "amr": methods, "appid": self.sign_in.client_id,
            "scp": "user_impersonation", "tid": self.sign_in.tenant_id, "uti": format!("simulated-{}", self.issued), "ver": "1.0",
        });
        let encoded = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", encoded(r#"{"typ":"JWT","alg":"RS256"}"#), encoded(&payload.to_string()), encoded("simulated"))
    }
}

fn form(body: &str) -> HashMap<String, String> {
    let url = reqwest::Url::parse(&format!("http://simulator/?{body}"));
    url.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default()
}

fn refusal(status: u16, error: &str, code: u32, text: &str) -> Answer {
    let body = serde_json::json!({
        "error": error, "error_description": format!("AADSTS{code}: {text}"), "error_codes": [code],
        "timestamp": "2018-02-13 18:12:08Z", "trace_id": "753be5e9-0eeb-4229-b3d8-28a2b1832f00",
        "correlation_id": "bc4e18ac-bffe-4d33-80b8-20a101392ec2",
    });
    Answer::json(status, body.to_string())
}
