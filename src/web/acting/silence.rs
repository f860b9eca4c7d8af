//! Makes a silence of one customer, after a page that says what it would hide; ends one.

use askama::Template;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::actions::{ExpireRequest, SilencePreviewed, SilenceRequest, Until, UntilWord};
use crate::listings::silences::{HiddenLine, hidden, scope, until as until_in_words};
use crate::listings::words;
use crate::text::clean;
use crate::web::acting::forms::{acting, context, day, failed, order, taken, unread};
use crate::web::address::own_path;
use crate::web::frame::{Frame, html};
use crate::web::look::Look;
use crate::web::query::Query;
use crate::web::shown::Shown;
use crate::web::viewer::Viewer;

#[derive(Template)]
#[template(path = "silence.html")]
struct Page {
    frame: Frame,
    /// Where it leads back to.
    to: String,
    facts: Vec<(&'static str, String)>,
    warnings: Vec<String>,
    doubt: Option<String>,
    fits: String,
    crossing: u64,
    worst: Vec<HiddenLine>,
    unnamed: u64,
    reminders: u64,
    /// What the form says again.
    fields: Vec<(&'static str, String)>,
}

pub(super) async fn preview(State(shown): State<Shown>, request: Request) -> Response {
    let look = Look::of(&shown, &request);
    let viewer = acting(&request);
    previewed(&look, viewer).await.unwrap_or_else(|answer| *answer)
}

async fn previewed(
    look: &Look,
    viewer: Result<Viewer, Box<Response>>,
) -> Result<Response, Box<Response>> {
    let (author, context) = (viewer?.author(), context(&look.shown)?);
    let asked = read(&look.query, look.now, look.zone()).map_err(|why| Box::new(unread(&why)))?;
    let previewed = asked.clone().preview(context, &author).await;
    let previewed = previewed.map_err(|error| Box::new(failed(&error)))?;
    Ok(html(StatusCode::OK, &page(look, &asked, previewed)))
}

fn page(look: &Look, asked: &SilenceRequest, previewed: SilencePreviewed) -> Page {
    let SilencePreviewed { silence, reach, doubt } = previewed;
    let named = u64::try_from(reach.worst.len()).unwrap_or(u64::MAX);
    Page {
        frame: look.frame("Silence", "/silences"),
        to: own_path(look.query.get("to").unwrap_or("/silences")).to_owned(),
        facts: vec![
            ("Of", scope(&silence)),
            ("Until", until_in_words(&silence, look.now, look.zone())),
            ("Why", clean(&silence.reason, 500)),
        ],
        warnings: reach.warnings.iter().map(|warning| clean(warning, 500)).collect(),
        fits: words::count(usize::try_from(reach.customers).unwrap_or(usize::MAX), "customer"),
        crossing: reach.crossing,
        worst: reach.worst.iter().map(hidden).collect(),
        unnamed: reach.crossing.saturating_sub(named),
        reminders: reach.reminders,
        fields: fields(asked, doubt.is_some()),
        doubt,
    }
}

/// The same silence, as a form has it; its end does not move until the button is pressed.
fn fields(asked: &SilenceRequest, doubted: bool) -> Vec<(&'static str, String)> {
    let until = match asked.until {
        Until::At(end) => end.to_string(),
        Until::Word(UntilWord::PeriodEnd) => "period-end".to_owned(),
    };
    let customers = asked.customers.iter().map(|one| ("customer", one.clone()));
    let rules = asked.rules.iter().map(|one| ("rule", one.clone()));
    let above = asked.unless_above.map(|limit| ("unless_above", limit.to_string()));
    let own = [("until", until), ("reason", asked.reason.clone())];
    let yes = doubted.then(|| ("yes", "yes".to_owned()));
    customers.chain(rules).chain(above).chain(own).chain(yes).collect()
}

pub(super) async fn add(State(shown): State<Shown>, request: Request) -> Response {
    let look = Look::of(&shown, &request);
    let read = |form: &Query| read(form, look.now, look.zone());
    order(&shown, taken(request).await, read).await
}

pub(super) async fn expire(
    State(shown): State<Shown>,
    Path(id): Path<i64>,
    request: Request,
) -> Response {
    order(&shown, taken(request).await, |_| Ok(ExpireRequest { id })).await
}

fn read(form: &Query, now: Timestamp, zone: &TimeZone) -> Result<SilenceRequest, String> {
    let customer = form.get("customer").ok_or("A customer has to be named.")?;
    let unless_above = form.get("unless_above").map(|text| {
        let number = text.replace(' ', "").parse::<Decimal>();
        // A comma is a decimal one to some and parts thousands for others: nobody guesses.
        number.map_err(|_| {
            let text = clean(text, 40);
            format!("\"{text}\" is no number: write 1500.50, without commas.")
        })
    });
    let until = match form.get("day") {
        Some(text) => end_of(text, zone)?,
        None => until(form.get("until").unwrap_or_default(), now)?,
    };
    Ok(SilenceRequest {
        customers: vec![customer.to_owned()],
        rules: form.get("rule").map(ToOwned::to_owned).into_iter().collect(),
        unless_above: unless_above.transpose()?,
        until,
        reason: form.get("reason").unwrap_or_default().to_owned(),
        yes: form.get("yes").is_some(),
    })
}

/// The end of a day, which is included.
fn end_of(text: &str, zone: &TimeZone) -> Result<Until, String> {
    let next = day(text)?.tomorrow().map(|next| next.to_datetime(Time::midnight()));
    let end = next.and_then(|next| next.to_zoned(zone.clone()));
    end.map(|end| Until::At(end.timestamp())).map_err(|_| "That end is too far away.".to_owned())
}

/// The end of the billing period, a time, or so many days from now.
fn until(text: &str, now: Timestamp) -> Result<Until, String> {
    if text == "period-end" {
        return Ok(Until::Word(UntilWord::PeriodEnd));
    }
    if let Ok(end) = text.parse() {
        return Ok(Until::At(end));
    }
    let days = text.strip_suffix('d').and_then(|days| days.parse::<u8>().ok());
    let days = days.ok_or("An end has to be chosen.")?;
    let end = now.checked_add(SignedDuration::from_hours(i64::from(days) * 24));
    end.map(Until::At).map_err(|error| error.to_string())
}
