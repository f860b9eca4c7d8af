//! The demonstration as a new user sees it: the program is started, its month passes, and all that
//! its pages offer is looked at and clicked.

use std::time::Duration;

use tempfile::TempDir;

use super::acting::{ACTS, Act, SPIKES, TEST, click_all};
use super::chromium::{Browser, VIEWS};
use super::filters::every_choice;
use super::pages::{Page, asked_here, first, look, page};
use crate::process::{Server, budget_alertd, eventually};

/// How long a month may take that is built for debugging, beside other tests.
const MONTH: Duration = Duration::from_mins(5);

/// Far over its budget for days, and told while Slack is down and the server is rebooted.
const FABRIKAM: &str = "/customers/3df40dce-2828-4be5-8360-c3efd14d99e3";
/// Without a budget, with a spike.
const SCHOOL: &str = "/customers/56f891ac-4159-4067-b2cc-44f90c30daeb";
/// With a security alert, which was answered.
const NORDWIND: &str = "/customers/47f85272-8b6f-4bd4-a7bc-0dc464cec17a";

/// Legacy, in the middle of its period.
const BLUE_YONDER: &str = "/customers/73c86307-a197-4fc7-bee5-ecf20015773b";

/// Where buttons are looked for.
const BUTTONS: [&str; 9] = [
    "/",
    FABRIKAM,
    SCHOOL,
    NORDWIND,
    "/alerts",
    "/deliveries",
    "/notifiers",
    "/silences?all=yes",
    "/security-alerts",
];

/// How many rows each choice shows; of 57 messages the first 50.
const NARROWED: [(&str, usize); 33] = [
    ("/?q=nord", 1),
    ("/?plan=", 14),
    ("/?plan=azure-plan", 12),
    ("/?plan=legacy", 2),
    ("/?currency=SEK", 3),
    ("/?tag=gold", 0),
    ("/?severity=", 14),
    ("/?severity=critical", 1),
    ("/?severity=warning", 0),
    ("/?severity=info", 0),
    ("/?budget=", 14),
    ("/?budget=yes", 13),
    ("/?budget=no", 1),
    ("/?acknowledged=", 14),
    ("/?acknowledged=yes", 0),
    ("/?acknowledged=no", 1),
    ("/alerts?severity=", 30),
    ("/alerts?severity=critical", 15),
    ("/alerts?severity=warning", 15),
    ("/alerts?severity=info", 0),
    ("/alerts?acknowledged=", 30),
    ("/alerts?acknowledged=yes", 0),
    ("/alerts?acknowledged=no", 30),
    ("/deliveries?state=", 50),
    ("/deliveries?state=pending", 0),
    ("/deliveries?state=held", 0),
    ("/deliveries?state=sent", 50),
    ("/deliveries?state=dead", 0),
    ("/deliveries?notifier=", 50),
    ("/deliveries?notifier=oncall", 15),
    ("/deliveries?notifier=finance", 4),
    ("/deliveries?notifier=ops", 24),
    ("/deliveries?notifier=itsm", 14),
];

/// A demonstration that plays.
struct Demo {
    program: Server,
    _folder: TempDir,
}

impl Demo {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let (program, arguments) = (budget_alertd(), ["demo", "--fast", "--serve"]);
        let log = folder.path().join("told");
        let program = Server::start(program.to_str().unwrap(), &arguments, &log);
        Self { program, _folder: folder }
    }

    /// Waits until its month is over; says where its pages stay.
    fn pages(&mut self) -> String {
        eventually(MONTH, "the end of the month", || {
            self.program.assert_alive();
            let told = self.program.said();
            let (_, rest) = told.split_once("The pages stay: ")?;
            Some(rest.split_once("/ until Ctrl-C")?.0.to_owned())
        })
    }
}

/// Its pages.
async fn pages(browser: &Browser, origin: &str) -> Vec<Page> {
    let delivery = first(browser, &format!("{origin}/deliveries")).await;
    let silence = SCHOOL.replace("/customers/", "/silences/new?customer=");
    vec![
        page("demo-overview", "/"),
        page("demo-customer-worst", first(browser, origin).await),
        page("demo-customer-attacked", FABRIKAM),
        page("demo-customer", BLUE_YONDER),
        page("demo-alerts", "/alerts"),
        page("demo-deliveries", "/deliveries"),
        page("demo-delivery", delivery),
        page("demo-notifiers", "/notifiers"),
        page("demo-silences", "/silences?all=yes"),
        page("demo-silence", format!("{silence}&until=7d&reason=migration")),
        page("demo-security-alerts", "/security-alerts"),
        page("demo-api", "/api"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_month_of_the_demonstration_is_looked_at_narrowed_and_acted_on() {
    let (mut demo, browser) = (Demo::start(), Browser::start().await);
    let origin = demo.pages();
    look(&browser, &origin, &VIEWS, &pages(&browser, &origin).await).await;
    let shown = every_choice(&browser, &origin).await;
    assert_eq!(shown, NARROWED.map(|(choice, rows)| (choice.to_owned(), rows)));
    // Whoever is on this machine acts. Nothing was given up, so no page offers to try again.
    let [acknowledge, acts @ ..] = ACTS;
    let acknowledge = acknowledge.saying("acknowledged by someone on");
    let acts: Vec<Act> =
        [acknowledge].into_iter().chain(acts).chain(SPIKES).chain([TEST]).collect();
    let missing = click_all(&browser, &origin, &BUTTONS, &acts).await;
    assert!(missing.is_empty(), "nobody clicks {missing:?}");
    assert!(asked_here(&browser, &origin).await > shown.len());
    let complaints = browser.complaints().await;
    assert!(complaints.is_empty(), "{complaints:?}");
    let ended = demo.program.end();
    assert_eq!(ended.code(), Some(0), "{}", demo.program.said());
}
