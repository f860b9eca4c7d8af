//! The style sheet and the icon, which lie in the program.

use std::sync::LazyLock;

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::text::sha256_hex;

const STYLE: &str = include_str!("templates/style.css");
const ICON: &str = include_str!("templates/icon.svg");
/// An address names what is there: it may be kept.
const KEPT: &str = "public, max-age=31536000, immutable";

/// The address of the style sheet, which changes with it.
pub(super) static STYLE_ADDRESS: LazyLock<String> =
    LazyLock::new(|| format!("/style.css?v={}", sha256_hex(STYLE).get(..12).unwrap_or_default()));

/// Where they are; whoever may see no page may see these.
pub(super) fn routes() -> Router {
    Router::new().route("/style.css", get(style)).route("/icon.svg", get(icon))
}

async fn style() -> impl IntoResponse {
    let kind = "text/css; charset=utf-8";
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, KEPT)], STYLE)
}

async fn icon() -> impl IntoResponse {
    let kind = "image/svg+xml";
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=86400")], ICON)
}
