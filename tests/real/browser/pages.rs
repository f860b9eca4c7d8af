//! Every page on a telephone and on a desktop, by day and by night: it fits, it can be read and
//! used by everybody, it loads nothing from elsewhere. The pictures are left in
//! `target/screenshots` for whoever wants to look at them.

use std::path::Path;

use super::accessible;
use super::chromium::{Browser, VIEWS, View};
use super::month::{CONTOSO, LONG, MARKUP, MINING, TURNED};
use super::scene::Scene;
use super::sign_in;

/// A page: what its pictures are called, where it is, and what it is answered with.
pub(super) struct Page {
    name: &'static str,
    path: String,
    status: u16,
}

pub(super) fn page(name: &'static str, path: impl Into<String>) -> Page {
    Page { name, path: path.into(), status: 200 }
}

/// The pages of those who have not signed in.
fn outer_pages(scene: &Scene) -> Vec<Page> {
    let link = |action: &str| scene.link(action);
    vec![
        Page { status: 401, ..page("sign-in", "/") },
        page("link-acknowledge", link("acknowledge")),
        page("link-silence", link("silence")),
        page("link-explain", link("explain")),
        Page { status: 403, ..page("link-forged", format!("{}x", link("acknowledge"))) },
    ]
}

/// The pages of those who have.
async fn inner_pages(browser: &Browser, scene: &Scene) -> Vec<Page> {
    let customer = |id: &str| format!("/customers/{id}");
    let mut pages = vec![
        page("overview", "/"),
        page("overview-narrowed", "/?currency=sek&severity=critical"),
        page("overview-empty", "/?q=nobody"),
        page("customer", customer(CONTOSO)),
        page("customer-markup", customer(MARKUP)),
        page("customer-turned", customer(TURNED)),
        page("customer-long", customer(LONG)),
        page("customer-legacy", customer("legacy")),
        page("alerts", "/alerts"),
        page("deliveries", "/deliveries"),
        page("notifiers", "/notifiers"),
        page("silences", "/silences?all=yes"),
        page("silence", format!("/silences/new?customer={CONTOSO}&until=7d&reason=migration")),
        page("security-alerts", "/security-alerts"),
        page("security-answer", format!("/security-alerts/{MINING}/answer")),
        page("api", "/api"),
        Page { status: 404, ..page("missing", "/nothing") },
        Page { status: 400, ..page("misunderstood", "/?plan=gold") },
    ];
    for (name, state) in
        [("delivery", "sent"), ("delivery-dead", "dead"), ("delivery-held", "held")]
    {
        let list = scene.url(&format!("/deliveries?state={state}"));
        pages.push(page(name, first(browser, &list).await));
    }
    pages
}

/// Where the first row of a list leads to.
pub(super) async fn first(browser: &Browser, list: &str) -> String {
    browser.open(list).await;
    browser.run("return document.querySelector('tbody th a').getAttribute('href')").await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_fits_a_telephone_is_accessible_and_loads_nothing_from_elsewhere() {
    look_at_all(&VIEWS[..2]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_fits_a_desktop_is_accessible_and_loads_nothing_from_elsewhere() {
    look_at_all(&VIEWS[2..]).await;
}

async fn look_at_all(views: &[View]) {
    let (scene, browser) = (Scene::begin().await, Browser::start().await);
    look(&browser, &scene.url(""), views, &outer_pages(&scene)).await;
    sign_in(&browser, &scene.site).await;
    let inner = inner_pages(&browser, &scene).await;
    look(&browser, &scene.url(""), views, &inner).await;
}

/// Looks at each page in each way: nothing is wrong, and nobody else was asked for anything, since
/// the browser was asked for that last.
pub(super) async fn look(browser: &Browser, origin: &str, views: &[View], pages: &[Page]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
    std::fs::create_dir_all(&folder).unwrap();
    let mut wrong = Vec::new();
    for view in views {
        browser.look(*view).await;
        for page in pages {
            browser.open(&format!("{origin}{}", page.path)).await;
            let place = format!("{}-{}", page.name, view.name);
            browser.shoot(&folder, &place).await;
            let faults = faults(browser, page, *view).await;
            wrong.extend(faults.into_iter().map(|fault| format!("{place}: {fault}")));
        }
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
    let (asked, looks) = (asked_here(browser, origin).await, pages.len() * views.len());
    assert!(asked > looks, "{asked} of {looks} pages were asked for");
}

/// How much was asked for since this was called last: of our own pages alone.
pub(super) async fn asked_here(browser: &Browser, origin: &str) -> usize {
    let asked = browser.asked().await;
    let foreign = asked.iter().filter(|url| !url.starts_with(&format!("{origin}/")));
    let foreign: Vec<_> = foreign.collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    asked.len()
}

/// What is wrong with the page that is shown.
async fn faults(browser: &Browser, page: &Page, view: View) -> Vec<String> {
    let mut faults = accessible::faults(browser).await;
    let status = browser.status().await;
    if status != page.status {
        faults.push(format!("it is answered with {status}"));
    }
    let width: u32 = browser.run("return document.documentElement.scrollWidth").await;
    if width > view.width {
        faults.push(format!("it is {width} wide"));
    }
    let (sheets, brightness): (usize, u32) = browser.run(STYLE).await;
    if sheets != 1 || (brightness > 128) != (view.scheme == "light") {
        faults.push(format!("{sheets} style sheets, brightness {brightness}"));
    }
    // The browser itself says which pages were answered with an error.
    let complaints = browser.complaints().await;
    let expected = |text: &String| page.status >= 400 && text.contains("Failed to load resource");
    faults.extend(complaints.into_iter().filter(|text| !expected(text)));
    faults
}

/// How many style sheets have rules, and how bright the page is.
const STYLE: &str = "const back = getComputedStyle(document.body).backgroundColor.match(/\\d+/g); \
    return [[...document.styleSheets].filter(sheet => sheet.cssRules.length > 20).length, \
        Number(back[0])]";
