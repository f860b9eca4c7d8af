//! `/notifiers`: what each owes, and how its destination is doing.

use askama::Template;
use axum::extract::{Request, State};
use axum::response::Response;

use crate::domain::Audience;
use crate::listings::notifiers::{NotifierAccount, in_words};
use crate::listings::words;
use crate::text::{clean, seconds_between, span};
use crate::web::address;
use crate::web::fault::Fault;
use crate::web::frame::Frame;
use crate::web::health::accounts;
use crate::web::look::Look;
use crate::web::query::Query;
use crate::web::shown::Shown;

#[derive(Template)]
#[template(path = "notifiers.html")]
struct Page {
    frame: Frame,
    /// Its address, where forms lead back to.
    to: &'static str,
    rows: Vec<Line>,
}

/// A notifier as its row shows it.
struct Line {
    name: String,
    /// How it does: a class of the style sheet.
    mood: &'static str,
    state: String,
    error: Option<String>,
    pending: u64,
    oldest: String,
    dead: u64,
    deliveries: String,
    /// Where a test is asked for; none where customers read it, or where it is not configured.
    test: Option<String>,
}

pub(super) async fn show(State(shown): State<Shown>, request: Request) -> Response {
    let look = Look::of(&shown, &request);
    look.answer(page(&look).await)
}

async fn page(look: &Look) -> Result<Page, Fault> {
    let known = look.known.clone();
    let found = look.read(move |reader| Ok(accounts(reader, &known)?)).await?;
    let rows = found.iter().map(|account| line(account, look)).collect();
    Ok(Page { frame: look.frame("Notifiers", "/notifiers"), to: "/notifiers", rows })
}

fn line(account: &NotifierAccount, look: &Look) -> Line {
    let fails = account.state.failures > 0;
    let error = account.state.last_error.as_deref().filter(|_| fails);
    let oldest = account.owed.oldest.map(|oldest| span(seconds_between(oldest, look.now)));
    Line {
        name: words::clean(&account.name),
        mood: match (fails, account.owed.dead > 0 || !account.deferred.is_empty()) {
            (true, _) => "dead",
            (false, true) => "pending",
            (false, false) => "sent",
        },
        state: in_words(account, look.now, look.zone()),
        error: error.map(|error| clean(error, 300)),
        pending: account.owed.pending,
        oldest: oldest.unwrap_or_default(),
        dead: account.owed.dead,
        test: is_tried(account, look).then(|| address::notifier_test(&account.name)),
        deliveries: Query::default().with("/deliveries", "notifier", Some(&account.name)),
    }
}

fn is_tried(account: &NotifierAccount, look: &Look) -> bool {
    let own = look.known.notifiers.iter().find(|one| *one.name == *account.name);
    own.is_some_and(|one| one.route().readers.audience() == Audience::Partner)
}
