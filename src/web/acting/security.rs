//! Answers a security alert at Microsoft, after a page that says what that does.

use askama::Template;
use axum::extract::{Path, Request, State};
use axum::response::Response;

use crate::actions::{ActionContext, ResolveRequest, meant};
use crate::listings::security::SecurityRow;
use crate::listings::words;
use crate::source::AnswerReason;
use crate::web::acting::forms::{acting, context, order, taken};
use crate::web::address;
use crate::web::fault::Fault;
use crate::web::frame::Frame;
use crate::web::look::Look;
use crate::web::query::Query;
use crate::web::shown::Shown;

/// Every answer, and what it says.
const REASONS: [(AnswerReason, &str); 3] = [
    (AnswerReason::Fraud, "somebody abuses the subscription"),
    (AnswerReason::Legitimate, "the customer did it and meant it"),
    (AnswerReason::Ignore, "neither is worth saying"),
];

#[derive(Template)]
#[template(path = "answer.html")]
struct Page {
    frame: Frame,
    /// Where the form is sent to.
    action: String,
    /// Where it leads back to.
    to: &'static str,
    facts: Vec<(&'static str, String)>,
    /// Why there is nothing to answer.
    over: Option<String>,
    /// The word and what it says.
    reasons: Vec<(&'static str, &'static str)>,
}

pub(super) async fn confirm(
    State(shown): State<Shown>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let reasons = match acting(&request).and_then(|_| context(&shown)).map(reasons) {
        Ok(reasons) => reasons,
        Err(answer) => return *answer,
    };
    let look = Look::of(&shown, &request);
    let own = look.clone();
    let row = look.read(move |reader| {
        let memory = reader.security(jiff::Timestamp::MIN)?;
        let found = meant(&memory.alerts, &id);
        let one = found.map_err(|error| Fault::Missing(error.to_string()))?;
        Ok(SecurityRow::of(one, reader, own.now)?)
    });
    look.answer(row.await.map(|row| page(&look, &row, reasons)))
}

pub(super) async fn answer(
    State(shown): State<Shown>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let read = |form: &Query| {
        let reason = form.get("reason").and_then(|word| word.parse().ok());
        Ok(ResolveRequest { id, reason: reason.ok_or("An answer has to be chosen.")? })
    };
    order(&shown, taken(request).await, read).await
}

/// The answers that the source takes.
fn reasons(context: &ActionContext) -> Vec<(&'static str, &'static str)> {
    let Ok(cycle) = context.cycle() else { return Vec::new() };
    let Some(reading) = &cycle.security else { return Vec::new() };
    let taken = REASONS.into_iter().filter(|(reason, _)| reading.alerts.takes(*reason).is_ok());
    taken.map(|(reason, what)| (reason.as_str(), what)).collect()
}

fn page(look: &Look, row: &SecurityRow, reasons: Vec<(&'static str, &'static str)>) -> Page {
    let status = crate::listings::security::status(row, None);
    let over = if row.answered_at.is_some() {
        Some(format!("There is nothing to answer: {status}."))
    } else if reasons.is_empty() {
        Some("No security alerts are read now, so that none can be answered.".to_owned())
    } else {
        None
    };
    let alert = &row.alert;
    Page {
        frame: look.frame("Answer a security alert", "/security-alerts"),
        action: address::security_answer(&alert.id),
        to: "/security-alerts",
        facts: vec![
            ("Type", words::clean(&alert.kind)),
            ("Customer", words::clean(row.called())),
            ("Severity", words::clean(&alert.severity)),
            ("Since", words::short_moment(row.since, look.now, look.zone())),
            ("Status", words::clean(&alert.status)),
            ("Microsoft's id", words::clean(&alert.id)),
        ],
        over,
        reasons,
    }
}
