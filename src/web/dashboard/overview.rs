//! `/`: can I trust it, what to act on, the customers worst first, and the blind spots.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use rust_decimal::Decimal;

use crate::ledger::{CustomerFilter, CustomerTotals, Leadership};
use crate::listings::words;
use crate::metrics::COVERAGE_REASONS;
use crate::poll::Namesakes;
use crate::text::amounts::estimate;
use crate::text::clean;
use crate::web::dashboard::customer_line::{Line, line};
use crate::web::dashboard::trust::{Trust, trust};
use crate::web::fault::Fault;
use crate::web::frame::{Frame, html};
use crate::web::health::condition;
use crate::web::lists;
use crate::web::look::Look;
use crate::web::shown::Shown;

#[derive(Template)]
#[template(path = "overview.html")]
struct Page {
    frame: Frame,
    trust: Trust,
    /// Which host leads, where this one does not.
    standby: Option<String>,
    totals: CustomerTotals,
    over_usd: String,
    filter: Filter,
    is_chosen: bool,
    /// Whether anything but the name is chosen.
    is_more_chosen: bool,
    found: String,
    /// How often it shows itself anew, while nothing is chosen.
    refresh: String,
    rows: Vec<Line>,
    next: Option<String>,
    blind: Blind,
    zone: String,
}

/// What the form of the filter shows.
struct Filter {
    q: String,
    plan: String,
    currency: String,
    tag: String,
    severity: String,
    budget: String,
    acknowledged: String,
}

/// Customers that can never alert.
struct Blind {
    /// Whether a poll has counted them.
    is_known: bool,
    total: String,
    reasons: Vec<(String, i64)>,
}

pub(super) async fn show(State(shown): State<Shown>, request: Request) -> Response {
    let look = Look::of(&shown, &request);
    match page(&look).await {
        Ok(page) => {
            let still = page.is_chosen || look.query.get("cursor").is_some();
            let mut response = html(StatusCode::OK, &page);
            if !still {
                let seconds = HeaderValue::from(look.known.refresh.as_secs());
                response.headers_mut().insert(header::REFRESH, seconds);
            }
            response
        }
        Err(fault) => fault.answer(look.reads),
    }
}

async fn page(look: &Look) -> Result<Page, Fault> {
    let (known, query, now) = (look.known.clone(), look.query.clone(), look.now);
    let metrics = look.shown.metrics.clone();
    let ((listed, total), totals, condition) = look
        .read(move |reader| {
            let customers = lists::customers(reader, &known, &query)?;
            Ok((customers, reader.customer_totals()?, condition(reader, &known, &metrics, now)?))
        })
        .await?;
    // Of others that read the same the id is there, under each name.
    let named = listed.rows.iter().map(|row| words::named(&row.seen));
    let namesakes = Namesakes::find(named, None)?;
    let filter = filter(look);
    let chosen = lists::customer_filter(&look.known, &look.query)?;
    let is_chosen = !chosen.is_empty();
    let named = CustomerFilter::default().named(look.query.get("q").unwrap_or_default());
    let is_more_chosen = is_chosen && chosen != named;
    let customers = words::count(total, "customer");
    Ok(Page {
        frame: look.frame("Overview", "/"),
        trust: trust(&condition, look),
        standby: standby(look),
        over_usd: estimate(Decimal::new(i64::try_from(totals.over_cents).unwrap_or(i64::MAX), 2)),
        found: if is_chosen { format!("{customers} found") } else { customers },
        rows: listed.rows.iter().map(|row| line(row, &namesakes, now, look.zone())).collect(),
        refresh: match look.known.refresh.as_secs() {
            60 => "minute".to_owned(),
            seconds => format!("{seconds} s"),
        },
        next: look.next(listed.next.as_deref()),
        blind: blind(look),
        zone: words::zone_note(look.zone()),
        totals,
        filter,
        is_chosen,
        is_more_chosen,
    })
}

fn filter(look: &Look) -> Filter {
    let of = |name| look.query.get(name).unwrap_or_default().to_owned();
    Filter {
        q: of("q"),
        plan: of("plan"),
        currency: of("currency"),
        tag: of("tag"),
        severity: of("severity"),
        budget: of("budget"),
        acknowledged: of("acknowledged"),
    }
}

fn standby(look: &Look) -> Option<String> {
    match &*look.shown.ledger.leadership().borrow() {
        Leadership::Leading => None,
        Leadership::Standby { leader } => Some(leader.as_ref().map_or_else(
            || "This host stands by; no host leads now.".to_owned(),
            |leader| format!("This host stands by; {} leads.", clean(leader, 100)),
        )),
    }
}

/// What the last poll of this process has counted.
fn blind(look: &Look) -> Blind {
    let metrics = &look.shown.metrics;
    let number =
        |reason: &str| metrics.customers_without_coverage.with_label_values(&[reason]).get();
    let reasons = COVERAGE_REASONS.map(|reason| (reason.replace('-', " "), number(reason)));
    Blind {
        is_known: metrics.polls.with_label_values(&["ok"]).get() > 0,
        total: words::count(
            reasons
                .iter()
                .map(|(_, number)| u64::try_from(*number).unwrap_or_default())
                .sum::<u64>(),
            "customer",
        ),
        reasons: reasons.into_iter().filter(|(_, number)| *number > 0).collect(),
    }
}
