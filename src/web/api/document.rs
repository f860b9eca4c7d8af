//! `/api`: the `OpenAPI` document, made from the table of addresses, and the same as a page for those
//! who read HTML.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use crate::web::api::endpoint::{Endpoint, Parameter, Reach, Shape};
use crate::web::api::schema::schemas;
use crate::web::api::table::endpoints;
use crate::web::frame::{Frame, html};
use crate::web::json;
use crate::web::look::Look;
use crate::web::shown::Shown;
use crate::web::viewer::reads_html;

const ABOUT: &str = "What the daemon knows, and what people order of it. Decimals are strings, times \
    are UTC. The control socket answers the same addresses.";
const ON_SOCKET: &str = "On the control socket only; over HTTP it answers 403.";
const REFUSED: &str = "Refused, or not possible now";

#[derive(Template)]
#[template(path = "api.html")]
struct Page {
    frame: Frame,
    endpoints: Vec<Described>,
}

/// An address in words.
struct Described {
    method: Method,
    path: String,
    summary: &'static str,
    /// Where else it answers, if not everywhere.
    place: Option<&'static str>,
    /// The names of what it takes, and what each is.
    takes: Vec<(String, String)>,
}

pub(super) async fn show(State(shown): State<Shown>, request: Request) -> Response {
    if !reads_html(request.headers()) {
        return json::document(&document());
    }
    let look = Look::of(&shown, &request);
    let schemas = schemas();
    let endpoints = endpoints().into_iter().map(|one| described(one, &schemas)).collect();
    html(StatusCode::OK, &Page { frame: look.frame("API", "/api"), endpoints })
}

fn described(endpoint: Endpoint, schemas: &Map<String, Value>) -> Described {
    let named = endpoint.parameters.iter().filter(|one| !one.is_in_path);
    let named = named.map(|one| (one.name.to_owned(), one.what.to_owned()));
    let body = endpoint.body.and_then(|name| schemas.get(name)?.get("properties")?.as_object());
    let text =
        |schema: &Value| schema.get("description").and_then(Value::as_str).map(str::to_owned);
    let body = body.into_iter().flatten();
    let body = body.map(|(name, schema)| (name.clone(), text(schema).unwrap_or_default()));
    Described {
        takes: named.chain(body).collect(),
        method: endpoint.method,
        path: endpoint.path,
        summary: endpoint.summary,
        place: (endpoint.reach == Reach::Socket).then_some(ON_SOCKET),
    }
}

/// The whole document.
fn document() -> Value {
    let mut paths = Map::new();
    for endpoint in endpoints() {
        let (method, described) = (endpoint.method.as_str().to_lowercase(), operation(&endpoint));
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(method, described);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "budget-alertd", "version": env!("CARGO_PKG_VERSION"), "description": ABOUT,
        },
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "schemas": schemas(),
        },
    })
}

fn operation(endpoint: &Endpoint) -> Value {
    let mut operation = Map::new();
    operation.insert("summary".to_owned(), endpoint.summary.into());
    if endpoint.reach == Reach::Socket {
        operation.insert("description".to_owned(), ON_SOCKET.into());
    }
    if !endpoint.parameters.is_empty() {
        let all: Vec<Value> = endpoint.parameters.iter().map(parameter).collect();
        operation.insert("parameters".to_owned(), all.into());
    }
    if let Some(body) = endpoint.body {
        let content = json!({ "application/json": { "schema": reference(body) } });
        operation.insert("requestBody".to_owned(), json!({ "content": content }));
    }
    let refused = json!({ "application/problem+json": { "schema": reference("Problem") } });
    let responses = json!({
        "200": answer(endpoint),
        "default": { "description": REFUSED, "content": refused },
    });
    operation.insert("responses".to_owned(), responses);
    operation.into()
}

fn answer(endpoint: &Endpoint) -> Value {
    let schema = match endpoint.shape {
        Shape::One => reference(endpoint.answer),
        Shape::List | Shape::Pages => {
            json!({ "type": "array", "items": reference(endpoint.answer) })
        }
    };
    let content = json!({ "application/json": { "schema": schema } });
    let mut answer = json!({ "description": "As the command prints it", "content": content });
    if endpoint.shape == Shape::Pages
        && let Some(answer) = answer.as_object_mut()
    {
        let next = "The next page: <address>; rel=\"next\"";
        let link = json!({ "Link": { "description": next, "schema": { "type": "string" } } });
        answer.insert("headers".to_owned(), link);
    }
    answer
}

fn parameter(parameter: &Parameter) -> Value {
    let Parameter { name, what, words, is_in_path } = *parameter;
    let mut schema = json!({ "type": "string" });
    if !words.is_empty()
        && let Some(schema) = schema.as_object_mut()
    {
        schema.insert("enum".to_owned(), words.into());
    }
    let place = if is_in_path { "path" } else { "query" };
    json!({
        "name": name, "in": place, "description": what, "required": is_in_path, "schema": schema,
    })
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}
