//! `/silences`: who keeps which alerts from being told, why, and until when.

use askama::Template;
use axum::extract::{Request, State};
use axum::response::Response;

use crate::listings::silences::{SilenceRow, scope, until};
use crate::listings::words;
use crate::text::clean;
use crate::web::fault::Fault;
use crate::web::frame::Frame;
use crate::web::lists;
use crate::web::look::Look;
use crate::web::shown::Shown;

#[derive(Template)]
#[template(path = "silences.html")]
struct Page {
    frame: Frame,
    /// Its address, where forms lead back to.
    to: &'static str,
    all: bool,
    rows: Vec<Line>,
}

/// A silence as its row shows it.
struct Line {
    id: i64,
    is_in_force: bool,
    of: String,
    until: String,
    hides: usize,
    by: String,
    made: String,
    why: String,
}

pub(super) async fn show(State(shown): State<Shown>, request: Request) -> Response {
    let look = Look::of(&shown, &request);
    look.answer(page(&look).await)
}

async fn page(look: &Look) -> Result<Page, Fault> {
    let (query, now) = (look.query.clone(), look.now);
    let rows = look.read(move |reader| lists::silences(reader, &query, now)).await?;
    Ok(Page {
        frame: look.frame("Silences", "/silences"),
        to: "/silences",
        all: look.query.get("all").is_some(),
        rows: rows.iter().map(|row| line(row, look)).collect(),
    })
}

fn line(row: &SilenceRow, look: &Look) -> Line {
    let silence = &row.silence;
    Line {
        id: silence.id,
        is_in_force: row.in_force,
        of: scope(silence),
        until: until(silence, look.now, look.zone()),
        hides: row.silenced,
        by: words::clean(&silence.author),
        made: words::short_moment(silence.created_at, look.now, look.zone()),
        why: clean(&silence.reason, 300),
    }
}
