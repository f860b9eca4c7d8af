//! A sign-in service built from the specifications (`OpenID` Connect Core and Discovery 1.0, RFC 6749,
//! RFC 7636), as Microsoft Entra ID fills them: it holds whoever asks to them, and writes id tokens
//! that are right, or wrong in one way.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(crate) const TENANT: &str = "5c1f1e0a-8a3e-4d6b-9f55-0d6f6f0a2c11";
pub(crate) const CLIENT: &str = "0b8a7d52-3c1e-4c55-9a41-6f2d1f5f7a10";
pub(crate) const SECRET: &str = "secret of the application";

type Form = HashMap<String, String>;

/// What the service does next.
#[derive(Clone)]
pub(crate) struct Plan {
    /// The time by which it dates its tokens.
    pub(crate) now: Timestamp,
    /// The application's roles of the account.
    pub(crate) roles: Vec<String>,
    /// Claims in place of the right ones; null leaves one out.
    pub(crate) claims: Value,
    /// The algorithm that tokens name; only RS256 is signed with.
    pub(crate) algorithm: &'static str,
    /// The key that tokens name.
    pub(crate) key_name: &'static str,
    /// The key that signs them: a file of tests/fixtures/openid.
    pub(crate) key: &'static str,
    /// The keys that are published, with their names.
    pub(crate) published: Vec<(&'static str, &'static str)>,
    /// Fields in place of the right ones of its own description.
    pub(crate) description: Value,
    /// It answers everything with this status.
    pub(crate) down: Option<StatusCode>,
}

/// A code that was handed out.
struct Code {
    asked: Form,
    is_used: bool,
}

#[derive(Default)]
struct State {
    codes: Vec<Code>,
    /// Paths that were asked for.
    asked: Vec<String>,
}

/// The service.
pub(crate) struct OpenIdService {
    address: SocketAddr,
    plan: Arc<Mutex<Plan>>,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl OpenIdService {
    pub(crate) async fn start(now: Timestamp) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let plan = Plan {
            now,
            roles: vec!["operator".to_owned()],
            claims: json!({}),
            algorithm: "RS256",
            key_name: "service",
            key: "service",
            published: vec![("service", "service")],
            description: json!({}),
            down: None,
        };
        let (plan, state) = (Arc::new(Mutex::new(plan)), Arc::new(Mutex::new(State::default())));
        let (planned, held) = (Arc::clone(&plan), Arc::clone(&state));
        let routes = Router::new().fallback(move |request: Request| {
            let (plan, state) = (planned.lock().unwrap().clone(), Arc::clone(&held));
            async move { answer(address, &plan, &state, request).await }
        });
        let task = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { address, plan, state, task }
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on it does otherwise.
    pub(crate) fn plan(&self, change: impl FnOnce(&mut Plan)) {
        change(&mut self.plan.lock().unwrap());
    }

    /// How often something was asked for whose path ends so.
    pub(crate) fn asked(&self, end: &str) -> usize {
        self.state.lock().unwrap().asked.iter().filter(|path| path.ends_with(end)).count()
    }

    /// The last code was issued for this instead.
    pub(crate) fn change_last_code(&self, name: &str, value: &str) {
        let mut state = self.state.lock().unwrap();
        state.codes.last_mut().unwrap().asked.insert(name.to_owned(), value.to_owned());
    }
}

impl Drop for OpenIdService {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    address: SocketAddr,
    plan: &Plan,
    state: &Mutex<State>,
    request: Request,
) -> Response {
    let path = request.uri().path().to_owned();
    let query = form_of(request.uri().query().unwrap_or_default());
    let body = to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let form = form_of(std::str::from_utf8(&body).unwrap());
    let mut state = state.lock().unwrap();
    state.asked.push(path.clone());
    if let Some(status) = plan.down {
        return (status, "not now").into_response();
    }
    let base = format!("http://{address}/{TENANT}");
    match path.strip_prefix(&format!("/{TENANT}")).unwrap_or_default() {
        "/v2.0/.well-known/openid-configuration" => {
            let mut description = json!({
                "issuer": format!("{base}/v2.0"),
                "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
                "token_endpoint": format!("{base}/oauth2/v2.0/token"),
                "jwks_uri": format!("{base}/discovery/v2.0/keys"),
                "id_token_signing_alg_values_supported": ["RS256"],
            });
            merge(&mut description, &plan.description);
            json_answer(StatusCode::OK, &description)
        }
        "/discovery/v2.0/keys" => {
            let keys: Vec<Value> =
                plan.published.iter().map(|(name, file)| public(name, file)).collect();
            json_answer(StatusCode::OK, &json!({ "keys": keys }))
        }
        "/oauth2/v2.0/authorize" => authorize(query, &mut state.codes),
        "/oauth2/v2.0/token" => token(&base, plan, &form, &mut state.codes),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// RFC 6749 section 4.1.1 with RFC 7636 section 4.3: the account signs in at once.
fn authorize(query: Form, codes: &mut Vec<Code>) -> Response {
    let wanted = [
        ("client_id", CLIENT),
        ("response_type", "code"),
        ("response_mode", "query"),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in wanted {
        assert_eq!(query.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(query["scope"].split(' ').any(|scope| scope == "openid"), "{query:?}");
    assert!(query["state"].len() >= 43 && query["nonce"].len() >= 43, "{query:?}");
    assert_eq!(query["code_challenge"].len(), 43);
    let mut back: reqwest::Url = query["redirect_uri"].parse().unwrap();
    let code = format!("code-{}", codes.len());
    back.query_pairs_mut().extend_pairs([("code", code.as_str()), ("state", &query["state"])]);
    codes.push(Code { asked: query, is_used: false });
    (StatusCode::FOUND, [(header::LOCATION, back.as_str())]).into_response()
}

/// RFC 6749 section 4.1.3 with RFC 7636 section 4.5.
fn token(base: &str, plan: &Plan, form: &Form, codes: &mut [Code]) -> Response {
    let refused = |error: &str, text: &str| {
        let body = json!({ "error": error, "error_description": text });
        json_answer(StatusCode::BAD_REQUEST, &body)
    };
    if (form["client_id"].as_str(), form["client_secret"].as_str()) != (CLIENT, SECRET) {
        return refused("invalid_client", "AADSTS7000215: Invalid client secret provided.");
    }
    assert_eq!(form["grant_type"], "authorization_code");
    let number = form["code"].strip_prefix("code-").and_then(|number| number.parse().ok());
    let Some(code) = number.and_then(|number: usize| codes.get_mut(number)) else {
        return refused("invalid_grant", "AADSTS9002313: Invalid request.");
    };
    if std::mem::replace(&mut code.is_used, true) {
        return refused(
            "invalid_grant",
            "AADSTS54005: OAuth2 Authorization code was already redeemed.",
        );
    }
    let challenge = BASE64.encode(digest(&SHA256, form["code_verifier"].as_bytes()));
    if challenge != code.asked["code_challenge"] {
        return refused("invalid_grant", "AADSTS50148: The code_verifier does not match.");
    }
    if form["redirect_uri"] != code.asked["redirect_uri"] {
        return refused("invalid_grant", "AADSTS50011: The redirect URI does not match.");
    }
    let token = id_token(base, plan, &code.asked["nonce"]);
    let body = json!({ "token_type": "Bearer", "expires_in": 3600, "id_token": token });
    json_answer(StatusCode::OK, &body)
}

/// `OpenID` Connect Core section 2, with the claims of Microsoft's v2.0 tokens.
fn id_token(base: &str, plan: &Plan, nonce: &str) -> String {
    let now = plan.now.as_second();
    let mut claims = json!({
        "ver": "2.0",
        "iss": format!("{base}/v2.0"),
        "aud": CLIENT,
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
        "tid": TENANT,
        "oid": "2d1b3c4e-0000-4000-8000-1a2b3c4d5e6f",
        "name": "Anna Berg",
        "preferred_username": "anna@partner.example",
        "nonce": nonce,
        "roles": plan.roles,
    });
    merge(&mut claims, &plan.claims);
    let head = json!({ "typ": "JWT", "alg": plan.algorithm, "kid": plan.key_name });
    let said = format!("{}.{}", BASE64.encode(head.to_string()), BASE64.encode(claims.to_string()));
    let signature = if plan.algorithm == "none" { Vec::new() } else { signed(plan.key, &said) };
    format!("{said}.{}", BASE64.encode(signature))
}

fn signed(key: &str, text: &str) -> Vec<u8> {
    let pair = pair(key);
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    signature
}

fn public(name: &str, file: &str) -> Value {
    let public: RsaPublicKeyComponents<Vec<u8>> = pair(file).public().into();
    let (n, e) = (BASE64.encode(public.n), BASE64.encode(public.e));
    json!({ "kty": "RSA", "use": "sig", "kid": name, "n": n, "e": e })
}

fn pair(name: &str) -> RsaKeyPair {
    let file = format!("{}/tests/fixtures/openid/{name}.der", env!("CARGO_MANIFEST_DIR"));
    RsaKeyPair::from_pkcs8(&std::fs::read(file).unwrap()).unwrap()
}

fn merge(into: &mut Value, other: &Value) {
    for (name, value) in other.as_object().unwrap() {
        let fields = into.as_object_mut().unwrap();
        if value.is_null() {
            fields.remove(name);
        } else {
            fields.insert(name.clone(), value.clone());
        }
    }
}

fn json_answer(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn form_of(text: &str) -> Form {
    let url: reqwest::Url = format!("http://localhost/?{text}").parse().unwrap();
    url.query_pairs().into_owned().collect()
}
