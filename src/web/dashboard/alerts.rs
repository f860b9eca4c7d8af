//! `/alerts`: what was raised, the newest first.

use askama::Template;
use axum::extract::{Request, State};
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use uuid::Uuid;

use crate::actions::Acknowledgement;
use crate::domain::{AlertState, Metric};
use crate::ledger::AlertRow;
use crate::listings::alerts::{told, usage};
use crate::listings::words;
use crate::notify::message::AlertWording;
use crate::poll::Namesakes;
use crate::text::clean;
use crate::web::fault::Fault;
use crate::web::frame::Frame;
use crate::web::look::Look;
use crate::web::shown::Shown;
use crate::web::{address, lists};

#[derive(Template)]
#[template(path = "alerts.html")]
struct Page {
    frame: Frame,
    /// Its address, where forms lead back to.
    to: String,
    severity: String,
    acknowledged: String,
    customer: String,
    rows: Vec<Line>,
    next: Option<String>,
    zone: String,
}

/// An alert as its row shows it.
struct Line {
    severity: &'static str,
    is_open: bool,
    raised: String,
    who: String,
    address: String,
    usage: Vec<String>,
    rule: String,
    step: String,
    reference: String,
    told: Vec<String>,
    note: Option<String>,
    /// Its id, where somebody may still acknowledge it.
    unknown: Option<Uuid>,
    /// Its id, where it is about a spike.
    spike: Option<Uuid>,
    /// Whether somebody said what the spike was.
    is_marked: bool,
}

pub(super) async fn show(State(shown): State<Shown>, request: Request) -> Response {
    let look = Look::of(&shown, &request);
    look.answer(page(&look).await)
}

async fn page(look: &Look) -> Result<Page, Fault> {
    let query = look.query.clone();
    let listed = look
        .read(move |reader| {
            let mut listed = lists::alerts(reader, &query)?;
            let alerts = listed.rows.iter().map(|row| &row.snapshot.alert);
            let namesakes = Namesakes::find(words::named_in(alerts), None)?;
            for snapshot in listed.rows.iter_mut().map(|row| &mut row.snapshot) {
                snapshot.context.has_namesake |= namesakes.has_view(&snapshot.alert.customer);
            }
            Ok(listed)
        })
        .await?;
    let of = |name| look.query.get(name).unwrap_or_default().to_owned();
    Ok(Page {
        frame: look.frame("Alerts", "/alerts"),
        to: look.query.with("/alerts", "", None),
        severity: of("severity"),
        acknowledged: of("acknowledged"),
        customer: of("customer"),
        rows: listed.rows.iter().map(|row| line(row, look.now, look.zone())).collect(),
        next: look.next(listed.next.as_deref()),
        zone: words::zone_note(look.zone()),
    })
}

fn line(row: &AlertRow, now: Timestamp, zone: &TimeZone) -> Line {
    let alert = &row.snapshot.alert;
    let wording = AlertWording::new(&row.snapshot, zone);
    let is_open = matches!(alert.state, AlertState::Raised | AlertState::Silenced);
    let note = Acknowledgement::of(row).and_then(|known| known.note);
    Line {
        severity: alert.severity.as_str(),
        is_open,
        unknown: (is_open && row.acknowledged.is_none()).then_some(alert.id),
        spike: (alert.metric == Metric::Spike).then_some(alert.id),
        is_marked: row.marked.is_some(),
        raised: words::short_moment(alert.raised_at, now, zone),
        who: wording.who.clone(),
        address: address::customer(alert.customer.id.as_str()),
        usage: usage(&wording),
        rule: words::clean(&alert.rule),
        step: wording.on_scale(alert.threshold),
        reference: wording.reference(),
        told: told(row),
        note: note.map(|note| clean(&note, 300)),
    }
}
