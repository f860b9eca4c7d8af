//! `/silences`: who keeps which alerts from being told, why, and until when.

use askama::Template;
use axum::extract::{Request, State};
use axum::response::Response;

use crate::alerting::CustomerState;
use crate::domain::CustomerKey;
use crate::ledger::Reader;
use crate::listings::silences::{SilenceRow, scope, until};
use crate::listings::words;
use crate::poll::Namesakes;
use crate::text::clean;
use crate::web::address;
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
    /// The one customer that it is about, with its page.
    customer: Option<(String, String)>,
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
    let rows = look.read(move |reader| {
        let rows = lists::silences(reader, &query, now)?.into_iter();
        rows.map(|row| Ok((customer(&row, reader)?, row))).collect::<Result<Vec<_>, Fault>>()
    });
    let rows = rows.await?;
    Ok(Page {
        frame: look.frame("Silences", "/silences"),
        to: "/silences",
        all: look.query.get("all").is_some(),
        rows: rows.into_iter().map(|(customer, row)| line(&row, customer, look)).collect(),
    })
}

/// The customer whose id is the only one that a silence names.
fn customer(row: &SilenceRow, reader: &Reader) -> Result<Option<(String, String)>, Fault> {
    let [id] = row.silence.customers.as_slice() else { return Ok(None) };
    let known = reader.recollection(&CustomerKey::written(id))?;
    let named = |seen: &CustomerState| {
        let address = address::customer(seen.customer.as_str());
        (words::called(seen, &Namesakes::default()), address)
    };
    Ok(known.map(|known| named(&known.seen)))
}

fn line(row: &SilenceRow, customer: Option<(String, String)>, look: &Look) -> Line {
    let silence = &row.silence;
    Line {
        id: silence.id,
        is_in_force: row.in_force,
        customer,
        of: scope(silence),
        until: until(silence, look.now, look.zone()),
        hides: row.silenced,
        by: words::clean(&silence.author),
        made: words::short_moment(silence.created_at, look.now, look.zone()),
        why: clean(&silence.reason, 300),
    }
}
