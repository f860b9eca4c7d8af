//! `/security-alerts`: Microsoft's security alerts that are open, and those answered of late.

use askama::Template;
use axum::extract::{Request, State};
use axum::response::Response;

use crate::alerting::SecurityPoll;
use crate::listings::security::{SecurityRow, how_old, status};
use crate::listings::words;
use crate::web::fault::Fault;
use crate::web::frame::Frame;
use crate::web::look::Look;
use crate::web::shown::Shown;
use crate::web::{address, lists};

#[derive(Template)]
#[template(path = "security.html")]
struct Page {
    frame: Frame,
    read: String,
    open: usize,
    rows: Vec<Line>,
}

/// A security alert as its row shows it.
struct Line {
    is_open: bool,
    severity: String,
    kind: String,
    who: String,
    address: String,
    since: String,
    hours: String,
    status: String,
    reference: String,
    /// Where it is answered.
    answer: String,
}

pub(super) async fn show(State(shown): State<Shown>, request: Request) -> Response {
    let look = Look::of(&shown, &request);
    look.answer(page(&look).await)
}

async fn page(look: &Look) -> Result<Page, Fault> {
    let now = look.now;
    let (rows, poll) = look.read(move |reader| lists::security(reader, now)).await?;
    Ok(Page {
        frame: look.frame("Security alerts", "/security-alerts"),
        read: how_old(poll.as_ref(), now),
        open: rows.iter().filter(|row| row.answered_at.is_none() && !row.alert.is_test).count(),
        rows: rows.iter().map(|row| line(row, poll.as_ref(), look)).collect(),
    })
}

fn line(row: &SecurityRow, poll: Option<&SecurityPoll>, look: &Look) -> Line {
    Line {
        is_open: row.answered_at.is_none(),
        severity: words::clean(&row.alert.severity),
        kind: words::clean(&row.alert.kind),
        who: words::clean(row.called()),
        address: address::customer(&row.customer.id),
        since: words::short_moment(row.since, look.now, look.zone()),
        hours: row.hours.to_string(),
        status: status(row, poll),
        reference: row.reference.clone().unwrap_or_default(),
        answer: address::security_answer(&row.alert.id),
    }
}
