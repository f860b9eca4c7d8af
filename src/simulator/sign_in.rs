//! The sign-in of the simulated Partner Center: refresh tokens in, access tokens out; what they
//! open is elsewhere.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;

use crate::simulator::consent::Consents;
use crate::simulator::{Answer, Person, Request};

/// The API that tokens are for.
pub(crate) const AUDIENCE: &str = "https://api.partnercenter.microsoft.com";
/// The other API that they can be for.
pub(crate) const GRAPH_AUDIENCE: &str = "https://graph.microsoft.com";

/// How `expires_in` is written: the v2 endpoint has a number, v1 a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// `3600`
    Number,
    /// `"3600"`
    Text,
}

/// Who may sign in, and how the answers look.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
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
    /// Whether a refresh token still works once it was used. Entra's do, until their own 90 days
    /// are over.
    pub keeps_used: bool,
    /// The account that a person signs in with.
    pub account: String,
    /// What that person does.
    pub person: Person,
    /// Whether access tokens say that the user passed multi-factor authentication; the API refuses
    /// those that don't.
    pub mfa: bool,
    /// Whether somebody has consented that the application reads Microsoft Graph.
    pub graph_consent: bool,
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
            account: "budgets@partner.onmicrosoft.example".to_owned(),
            person: Person::Accepts { after: 0 },
            mfa: true,
            graph_consent: true,
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
    /// Until when each lives, and for which API it is.
    access: HashMap<String, (Timestamp, &'static str)>,
    consents: Consents,
    issued: u32,
}

impl Tokens {
    pub(crate) fn new(sign_in: SignIn) -> Self {
        Self {
            refresh: vec![sign_in.refresh_token.clone()],
            sign_in,
            access: HashMap::new(),
            consents: Consents::default(),
            issued: 0,
        }
    }

    /// The newest refresh token.
    pub(crate) fn newest(&self) -> String {
        self.refresh.last().cloned().unwrap_or_default()
    }

    /// No refresh token works any more.
    pub(crate) fn revoke(&mut self) {
        self.refresh.clear();
    }

    /// Whether the request carries a living access token for this API.
    pub(crate) fn admits(&self, request: &Request, audience: &str, now: Timestamp) -> bool {
        let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        token
            .and_then(|token| self.access.get(token))
            .is_some_and(|(expires, known)| now < *expires && *known == audience)
    }

    /// Answers `POST /{tenant}/oauth2/v2.0/devicecode`; `base` is where the server is.
    pub(crate) fn device_code(
        &mut self,
        tenant: &str,
        request: &Request,
        base: &str,
        now: Timestamp,
    ) -> Answer {
        let form = form(&request.text());
        match self.known(tenant, &form).or_else(|| wrong_scope(&form)) {
            Some(refusal) => refusal,
            None => self.consents.device_code(base, now),
        }
    }

    /// Answers `GET /{tenant}/oauth2/v2.0/authorize` by sending the browser back.
    pub(crate) fn authorize(&mut self, tenant: &str, request: &Request) -> Answer {
        let asked = form(request.path.split_once('?').map_or("", |(_, query)| query));
        match self.known(tenant, &asked).or_else(|| wrong_scope(&asked)) {
            Some(refusal) => refusal,
            None => self.consents.authorize(&asked, self.sign_in.person),
        }
    }

    /// Answers `POST /{tenant}/oauth2/v2.0/token`.
    pub(crate) fn exchange(&mut self, tenant: &str, request: &Request, now: Timestamp) -> Answer {
        let form = form(&request.text());
        let given = |name: &str| form.get(name).map_or("", String::as_str);
        if let Some(refusal) = self.known(tenant, &form).or_else(|| self.wrong_secret(&form)) {
            return refusal;
        }
        let consents = &mut self.consents;
        let consented = match given("grant_type") {
            "refresh_token" => return self.refresh(&form, now),
            "urn:ietf:params:oauth:grant-type:device_code" => {
                consents.redeem_device(given("device_code"), self.sign_in.person, now)
            }
            "authorization_code" => {
                consents.redeem_code(given("code"), given("redirect_uri"), given("code_verifier"))
            }
            _ => Err((
                "unsupported_grant_type",
                70003,
                "The app requested an unsupported grant type.",
            )),
        };
        match consented {
            Ok(()) => self.issue(now, true, AUDIENCE),
            Err((error, code, text)) => refusal(400, error, code, text),
        }
    }

    fn refresh(&mut self, form: &HashMap<String, String>, now: Timestamp) -> Answer {
        let is_graph = is_for_graph(form);
        if let Some(refusal) = wrong_scope(form).filter(|_| !is_graph) {
            return refusal;
        }
        if is_graph && !self.sign_in.graph_consent {
            return refusal(
                400,
                "invalid_grant",
                65001,
                "The user or administrator has not consented to use the application.",
            );
        }
        let given = form.get("refresh_token").map_or("", String::as_str);
        let Some(used) = self.refresh.iter().position(|known| known == given) else {
            return refusal(
                400,
                "invalid_grant",
                70008,
                "The refresh token has expired or was revoked.",
            );
        };
        if self.sign_in.rotates && !self.sign_in.keeps_used {
            self.refresh.remove(used);
        }
        self.issue(now, false, if is_graph { GRAPH_AUDIENCE } else { AUDIENCE })
    }

    /// The refusal of a tenant or an application that nobody knows.
    fn known(&self, tenant: &str, form: &HashMap<String, String>) -> Option<Answer> {
        if !tenant.eq_ignore_ascii_case(&self.sign_in.tenant_id) {
            return Some(refusal(400, "invalid_request", 90002, "Tenant not found."));
        }
        let known = form.get("client_id") == Some(&self.sign_in.client_id);
        (!known).then(|| {
            refusal(
                400,
                "unauthorized_client",
                700_016,
                "Application was not found in the directory.",
            )
        })
    }

    fn wrong_secret(&self, form: &HashMap<String, String>) -> Option<Answer> {
        match (&self.sign_in.client_secret, form.get("client_secret")) {
            (Some(secret), Some(given)) if secret == given => None,
            (Some(_), Some(_)) => {
                Some(refusal(401, "invalid_client", 7_000_215, "Invalid client secret provided."))
            }
            (Some(_), None) => Some(refusal(
                401,
                "invalid_client",
                7_000_218,
                "The request body must contain 'client_secret'.",
            )),
            (None, Some(_)) => Some(refusal(
                401,
                "invalid_client",
                700_025,
                "Client is public so 'client_secret' should not be presented.",
            )),
            (None, None) => None,
        }
    }

    /// New tokens; a person's sign-in always brings a refresh token, and says who they are.
    fn issue(&mut self, now: Timestamp, to_person: bool, audience: &'static str) -> Answer {
        self.issued += 1;
        let expires = now.saturating_add(self.sign_in.lifetime).unwrap_or(Timestamp::MAX);
        let access = self.access_token(now, expires, audience);
        self.access.insert(access.clone(), (expires, audience));
        let seconds = self.sign_in.lifetime.as_secs();
        let lifetime = match self.sign_in.lifetime_form {
            Lifetime::Number => serde_json::json!(seconds),
            Lifetime::Text => serde_json::json!(seconds.to_string()),
        };
        let permission = if audience == AUDIENCE { "user_impersonation" } else { ".default" };
        let scope = format!("{audience}/{permission}");
        let mut body = serde_json::json!({
            "token_type": "Bearer", "scope": scope, "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": access,
        });
        let mut add = |name: &str, value: &str| {
            body.as_object_mut().map(|fields| fields.insert(name.to_owned(), value.into()))
        };
        if self.sign_in.rotates || to_person {
            let refresh = format!("simulated-refresh-token-{}", self.issued);
            add("refresh_token", &refresh);
            self.refresh.push(refresh);
        }
        if to_person {
            add(
                "id_token",
                &token(
                    &serde_json::json!({ "aud": self.sign_in.client_id, "preferred_username": self.sign_in.account }),
                ),
            );
        }
        Answer::json(200, body.to_string())
    }

    fn access_token(&self, now: Timestamp, expires: Timestamp, audience: &str) -> String {
        let methods: &[&str] = if self.sign_in.mfa { &["pwd", "mfa"] } else { &["pwd"] };
        let payload = serde_json::json!({
            "aud": audience, "iss": format!("https://sts.windows.net/{}/", self.sign_in.tenant_id), "iat": now.as_second(),
            "nbf": now.as_second(), "exp": expires.as_second(), "amr": methods, "appid": self.sign_in.client_id,
            "scp": "user_impersonation", "upn": self.sign_in.account, "tid": self.sign_in.tenant_id, "uti": format!("simulated-{}", self.issued), "ver": "1.0",
        });
        token(&payload)
    }
}

/// A JSON Web Token in form; nobody checks its signature.
fn token(payload: &serde_json::Value) -> String {
    let encoded = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    format!(
        "{}.{}.{}",
        encoded(r#"{"typ":"JWT","alg":"RS256"}"#),
        encoded(&payload.to_string()),
        encoded("simulated")
    )
}

fn is_for_graph(form: &HashMap<String, String>) -> bool {
    form.get("scope").is_some_and(|scopes| {
        let wanted = format!("{GRAPH_AUDIENCE}/.default");
        let mut scopes = scopes.split(' ');
        scopes.next() == Some(&*wanted) && scopes.next() == Some("offline_access")
    })
}

fn wrong_scope(form: &HashMap<String, String>) -> Option<Answer> {
    let right = form
        .get("scope")
        .is_some_and(|scopes| scopes.split(' ').any(|scope| scope.starts_with(AUDIENCE)));
    (!right).then(|| {
        refusal(
            400,
            "invalid_scope",
            70011,
            "The provided value for the input parameter 'scope' is not valid.",
        )
    })
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
