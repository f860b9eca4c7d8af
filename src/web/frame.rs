//! What stands around every page, and how a page becomes an answer.

use askama::Template;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::text::moment;
use crate::web::assets::STYLE_ADDRESS;
use crate::web::viewer::Viewer;

/// The pages that are always at hand: their address and what they are called.
const PAGES: [(&str, &str); 6] = [
    ("/", "Overview"),
    ("/alerts", "Alerts"),
    ("/deliveries", "Deliveries"),
    ("/notifiers", "Notifiers"),
    ("/silences", "Silences"),
    ("/security-alerts", "Security"),
];

/// A page in the navigation.
pub(super) struct Tab {
    pub(super) address: &'static str,
    pub(super) name: &'static str,
    pub(super) is_here: bool,
}

/// What stands around a page.
pub(super) struct Frame {
    /// What it is called.
    pub(super) title: String,
    /// The navigation; none for those who may see nothing.
    pub(super) tabs: Vec<Tab>,
    /// When it was made, with its zone; nothing where that is not said.
    pub(super) made: String,
    /// What forms bring back; none where nobody may act.
    pub(super) form: Option<String>,
    /// What the form for signing out brings back; none where nobody has signed in.
    pub(super) sign_out: Option<String>,
    /// Who has signed in, with what the account may do.
    pub(super) account: Option<String>,
    /// Where the style sheet is.
    pub(super) style: &'static str,
    pub(super) version: &'static str,
}

impl Frame {
    /// Around a page that belongs to one in the navigation.
    pub(super) fn new(
        title: impl Into<String>,
        here: &str,
        viewer: &Viewer,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Self {
        let tab = |(address, name)| Tab { address, name, is_here: address == here };
        Self {
            tabs: PAGES.into_iter().map(tab).collect(),
            made: moment(now, now, zone),
            form: viewer.form(),
            sign_out: viewer.sign_out(),
            account: viewer.account().map(ToString::to_string),
            ..Self::bare(title)
        }
    }

    /// Around a page for those who may see no other.
    pub(super) fn bare(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            tabs: Vec::new(),
            made: String::new(),
            form: None,
            sign_out: None,
            account: None,
            style: STYLE_ADDRESS.as_str(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// A page as an answer.
pub(super) fn html(status: StatusCode, page: &impl Template) -> Response {
    const KIND: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    match page.render() {
        Ok(text) => (status, KIND, text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page cannot be written");
            (StatusCode::INTERNAL_SERVER_ERROR, "this page cannot be written\n").into_response()
        }
    }
}
