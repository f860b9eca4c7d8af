//! What stands before the month and after it: what runs here, and what came of it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use anstyle::Style;
use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::cli::demo::books::{Balance, Books};
use crate::cli::demo::inbox::{Door, Received};
use crate::cli::demo::screen::Screen;
use crate::cli::demo::stage::Stage;
use crate::cli::demo::words::{
    BOLD, CYAN, DIM, GREEN, RED, YELLOW, colour, fitted, is_late, moment, paint, span, whole,
    wrapped,
};
use crate::domain::{Alert, AlertSnapshot, Metric, grouped};

/// Columns for a table with the dates of the data.
const DATED: usize = 96;

/// What to do after the show.
const NEXT: [(&str, &str); 4] = [
    ("budget-alertd demo --print-config", "the configuration behind this month"),
    ("budget-alertd check", "what your own alert-rules.toml means"),
    ("budget-alertd poll --dry-run", "what it would tell today, and to whom"),
    ("README.md", "install, first configuration, promises"),
];

/// Says what runs.
pub(super) async fn open(screen: &mut Screen, stage: &Stage) -> io::Result<()> {
    let port = |url: &str| url.rsplit(':').next().unwrap_or_default().to_owned();
    let (center, slack, webhook) =
        (port(&stage.center.api_url()), port(&stage.slack.url("")), port(&stage.webhook.url("")));
    let servers = format!(
        "Partner Center :{center} · ✉ mail :{} · # Slack :{slack} · ⇢ webhook :{webhook}",
        stage.mail.port()
    );
    screen.line("")?;
    screen.line(&format!(
        " {}   a month of one partner and fourteen customers, in a minute",
        paint(CYAN.bold(), "budget-alertd demo")
    ))?;
    screen.line("")?;
    let plan = [
        (DIM, " Simulated, with real HTTP and SMTP on this machine:".to_owned()),
        (Style::new(), format!("   {servers}")),
        (
            DIM,
            " Between them the real pipeline with its ledger on disk, polling every hour of a \
            quick clock."
                .to_owned(),
        ),
    ];
    for (style, text) in plan {
        for line in wrapped(&text, screen.width()) {
            screen.line(&paint(style, &line))?;
        }
    }
    screen.line(&format!(
        " {} {}",
        paint(DIM, "The pages:"),
        paint(CYAN, &format!("http://{}/", stage.pages.address))
    ))?;
    screen.line("")?;
    screen.pause(Duration::from_millis(2_500)).await;
    Ok(())
}

/// Says what came of it.
pub(super) async fn close(screen: &mut Screen, books: &Books) -> io::Result<()> {
    let took = screen.elapsed();
    screen.line("")?;
    screen.line(&paint(BOLD, " Who was told of what"))?;
    let dated = screen.width() >= DATED;
    let date = if dated { format!("{:<14}", "data of") } else { String::new() };
    screen.line(&paint(
        DIM,
        &format!(
            " {date}{:<12}  {:<26} {:>10} {:>10}   by",
            "told", "customer", "limit", "reached"
        ),
    ))?;
    // In the order in which people were told, which is not the one in which it came up while a
    // destination was down.
    let mut told: Vec<&AlertSnapshot> = books.alerts.iter().collect();
    told.sort_by_key(|snapshot| first_told(books, snapshot).unwrap_or(Timestamp::MAX));
    for snapshot in told {
        screen.line(&row(books, snapshot, dated))?;
        screen.pause(Duration::from_millis(60)).await;
    }
    screen.line("")?;
    counts(screen, books)?;
    verdict(screen, books)?;
    screen
        .line(&paint(DIM, &format!(" A month and two days took {:.1} s.", took.as_secs_f64())))?;
    screen.line("")?;
    screen.line(&paint(BOLD, " Next"))?;
    for (command, what) in NEXT {
        screen.line(&format!("   {}  {}", paint(CYAN, &fitted(command, 34)), paint(DIM, what)))?;
    }
    screen.line("")
}

/// Says where the pages stay.
pub(super) fn served(screen: &mut Screen, address: SocketAddr) -> io::Result<()> {
    let url = paint(CYAN, &format!("http://{address}/"));
    screen.line(&format!(
        " {} {url} {}",
        paint(BOLD, "The pages stay:"),
        paint(DIM, "until Ctrl-C")
    ))
}

fn counts(screen: &mut Screen, books: &Books) -> io::Result<()> {
    let by = |wanted: fn(&Door) -> bool| {
        books.received.iter().filter(|received| wanted(&received.door)).count()
    };
    let (mails, chats, hooks) = (
        by(|door| matches!(door, Door::Mail(_))),
        by(|door| *door == Door::Slack),
        by(|door| *door == Door::Webhook),
    );
    screen.line(&format!(
        " {} polls, {} of them failed   {} records read   {} alerts   1 reboot",
        books.polls,
        books.failed_polls,
        grouped(&books.records.to_string()),
        books.alerts.len()
    ))?;
    screen.line(&format!(
        " {} messages: ✉ {mails} mails   # {chats} in Slack   ⇢ {hooks} webhooks",
        books.received.len()
    ))
}

fn verdict(screen: &mut Screen, books: &Books) -> io::Result<()> {
    let balance @ Balance { lost, doubled, raised_twice, given_up } = books.balance();
    let (owed, came) = (books.owed.len(), books.received.len());
    let numbers = format!(
        "lost: {lost}   received twice: {doubled}   raised twice: {raised_twice}   given up: \
            {given_up}"
    );
    let (style, words) = if balance.is_even() {
        (GREEN, "✓ Compared one by one")
    } else {
        (RED, "✗ They differ")
    };
    screen.line(&paint(
        style,
        &format!(" {words}: {owed} messages owed by the ledger, {came} received."),
    ))?;
    screen.line(&paint(style.bold(), &format!("   {numbers}")))
}

/// When the first message about an alert came.
fn first_told(books: &Books, snapshot: &AlertSnapshot) -> Option<Timestamp> {
    books.told(snapshot).map(|received| received.at).min()
}

fn row(books: &Books, snapshot: &AlertSnapshot, dated: bool) -> String {
    let alert = &snapshot.alert;
    let told: Vec<_> = books.told(snapshot).collect();
    let first = first_told(books, snapshot).map_or_else(|| "never".to_owned(), moment);
    let date = if dated {
        paint(DIM, &format!("{:<14}", moment(alert.usage_as_of.instant())))
    } else {
        String::new()
    };
    let (limit, reached) = reached(alert);
    format!(
        " {date}{first:<12}  {} {} {}   {}",
        fitted(alert.customer.called(), 26),
        paint(DIM, &format!("{limit:>10}")),
        paint(colour(alert.severity), &format!("{reached:>10}")),
        marks(alert, &told)
    )
}

/// The limit and what was reached: `80 %` and `87 %`, `1,000 EUR` and `1,004 EUR`.
fn reached(alert: &Alert) -> (String, String) {
    let money = |value| {
        format!(
            "{}{}",
            whole(value),
            alert.cost.currency.map(|currency| format!(" {currency}")).unwrap_or_default()
        )
    };
    match alert.number() {
        Some(value) if alert.metric == Metric::PercentUsed => {
            (format!("{} %", whole(alert.threshold)), format!("{} %", value.trunc()))
        }
        Some(value) if alert.metric == Metric::Spike => {
            (format!("{} ×", whole(alert.threshold)), format!("{} ×", value.trunc()))
        }
        Some(value) if alert.metric == Metric::SecurityAlertHours => {
            (format!("{} h", whole(alert.threshold)), format!("{} h", value.trunc()))
        }
        Some(value) => (money(alert.threshold), money(value)),
        None => (money(Decimal::ZERO), money(alert.cost.amount)),
    }
}

/// By which ways it came, and how late where it was late.
fn marks(alert: &Alert, told: &[&Received]) -> String {
    let mark = |sign: &str, wanted: fn(&Door) -> bool| {
        let came = told.iter().find(|received| wanted(&received.door));
        let late = came.filter(|received| is_late(alert.raised_at, received.at));
        match (came, late) {
            (None, _) => paint(DIM, "·"),
            (Some(_), None) => sign.to_owned(),
            (Some(_), Some(received)) => {
                paint(YELLOW, &format!("{sign} +{}", span(alert.raised_at, received.at)))
            }
        }
    };
    let mail = mark("✉", |door| matches!(door, Door::Mail(_)));
    format!(
        "{mail} {} {}",
        mark("⇢", |door| *door == Door::Webhook),
        mark("#", |door| *door == Door::Slack)
    )
}
