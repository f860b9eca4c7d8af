//! The button of a link's page: does it once; whoever presses it again hears who was first.

use axum::body::to_bytes;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use tokio::sync::Mutex;

use crate::actions::{AckRequest, Action as _, ActionContext, ActionError, Author};
use crate::domain::LinkAction;
use crate::web::frame::html;
use crate::web::link::opened::{Opened, open, silence};
use crate::web::link::page::page;
use crate::web::look::Look;
use crate::web::query::Query;
use crate::web::refused::{refused, status_of};
use crate::web::same_origin::is_from_own_page;
use crate::web::shown::Shown;

/// No form is longer, in bytes.
const MOST: usize = 4 << 10;
/// One at a time: two who press at once are not both first.
static ONE: Mutex<()> = Mutex::const_new(());

const STRANGE: &str = "This form does not come from the page of this link, or the page is too \
    old. Nothing was done. Open the link again.";

pub(super) async fn press(
    State(shown): State<Shown>,
    Path((action, token)): Path<(String, String)>,
    request: Request,
) -> Response {
    let look = Look::of(&shown, &request);
    let refuse = |status, why: &str| refused(look.reads, status, why);
    let own = is_from_own_page(&request);
    let Ok(body) = to_bytes(request.into_body(), MOST).await else {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "The form is longer than any of ours.");
    };
    let form = Query::parse(&String::from_utf8_lossy(&body));
    let opened = match open(&look, &action, &token).await {
        Ok(opened) => opened,
        Err(answer) => return *answer,
    };
    let form = form.get("form").unwrap_or_default();
    if !own || !opened.key.holds_form(&opened.link, form, look.now) {
        return refuse(StatusCode::FORBIDDEN, STRANGE);
    }
    // Only who has a link waits for others who have one.
    let _alone = ONE.lock().await;
    let opened = match open(&look, &action, &token).await {
        Ok(opened) => opened,
        Err(answer) => return *answer,
    };
    let Some(context) = &shown.actions else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "Nobody can act here.");
    };
    if opened.done.is_none()
        && opened.over.is_none()
        && let Err(error) = act(context, &opened).await
    {
        return refuse(status_of(&error), &error.to_string());
    }
    match open(&look, &action, &token).await {
        Ok(opened) => html(StatusCode::OK, &page(&look, &opened)),
        Err(answer) => *answer,
    }
}

async fn act(context: &ActionContext, opened: &Opened) -> Result<(), ActionError> {
    let author = Author::by_link(&opened.link.notifier);
    let alert = &opened.row.snapshot.alert;
    match opened.link.action {
        LinkAction::Acknowledge => {
            let request =
                AckRequest { alerts: vec![alert.id.to_string()], ..AckRequest::default() };
            request.run(context, &author).await.map(drop)
        }
        LinkAction::Silence => silence(alert, &opened.row).run(context, &author).await.map(drop),
        LinkAction::Explain => Ok(()),
    }
}
