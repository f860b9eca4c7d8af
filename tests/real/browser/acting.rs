//! Every button is clicked, with scripts turned off. Whoever adds a button to a page adds its line
//! to [`ACTS`]; a button without one fails the test.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::json;

use super::chromium::Browser;
use super::scene::Scene;
use super::sign_in;
use super::site::Site;

/// One button.
pub(super) struct Act {
    /// The page that it is on; nothing: where the act before has led to.
    page: &'static str,
    /// Whether it is on the page that the first row of that list leads to.
    row: bool,
    /// What its form is sent to; `{id}` stands for any.
    form: &'static str,
    /// What is filled in before.
    fields: &'static [(&'static str, &'static str)],
    /// Where it shows; nothing: on the page that it leads to.
    shows: &'static str,
    then: Then,
}

/// What is different afterwards.
enum Then {
    /// The page says this.
    Says(&'static str),
    /// There is one such button less.
    Fewer,
}

const NOTHING: Act =
    Act { page: "", row: false, form: "", fields: &[], shows: "", then: Then::Fewer };

/// Those that every ledger with an open alert has.
pub(super) const ACTS: [Act; 5] = [
    Act {
        page: "/",
        row: true,
        form: "/alerts/{id}/acknowledge",
        fields: &[("note", "we call them")],
        then: Then::Says("acknowledged by http token"),
        ..NOTHING
    },
    Act { form: "/alerts/{id}/undo", ..NOTHING },
    Act { page: "/alerts", form: "/alerts/{id}/acknowledge", ..NOTHING },
    Act {
        page: "/",
        row: true,
        form: "/silences/add",
        fields: &[("until", "7d"), ("unless_above", "2000"), ("reason", "we migrate")],
        shows: "/silences",
        then: Then::Says("we migrate"),
    },
    Act { page: "/silences", form: "/silences/{id}/expire", ..NOTHING },
];

/// Those that take something else: a delivery that was given up, a person who goes.
const MORE: [Act; 2] = [
    Act {
        page: "/deliveries?state=dead",
        row: true,
        form: "/deliveries/{id}/retry",
        then: Then::Says("pending"),
        ..NOTHING
    },
    Act { page: "/", form: "/logout", then: Then::Says("Token"), ..NOTHING },
];

/// Where buttons are looked for.
const PAGES: [&str; 8] = [
    "/",
    "/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6",
    "/customers/22222222-6fb9-4b05-8f15-b3d72e0596e6",
    "/alerts",
    "/deliveries",
    "/notifiers",
    "/silences?all=yes",
    "/security-alerts",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_button_is_clicked_and_does_what_it_says_without_scripts() {
    let (scene, browser) = (Scene::begin().await, Browser::start().await);
    browser.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await;
    sign_in(&browser, &scene.site).await;
    let mut seen = BTreeSet::new();
    for page in PAGES {
        browser.open(&scene.url(page)).await;
        seen.extend(forms(&browser).await);
    }
    for act in ACTS.iter().chain(&MORE) {
        let forms = click(&browser, &scene.site, act).await;
        seen.extend(forms);
    }
    let clicked: BTreeSet<String> =
        ACTS.iter().chain(&MORE).map(|act| act.form.to_owned()).collect();
    let login = "/login".to_owned();
    let missing: Vec<_> =
        seen.iter().filter(|form| **form != login && !clicked.contains(*form)).collect();
    assert!(missing.is_empty(), "nobody clicks {missing:?}: add them to ACTS or MORE");
}

/// Clicks a button as a person does and looks at what is different; returns the forms on its way.
pub(super) async fn click(browser: &Browser, site: &Site, act: &Act) -> BTreeSet<String> {
    if !act.page.is_empty() {
        browser.open(&format!("{}{}", site.origin(), act.page)).await;
    }
    if act.row {
        browser.click("tbody th a").await;
    }
    let mut seen = forms(browser).await;
    assert!(seen.contains(act.form), "{} is not on {}", act.form, browser.address().await);
    let (form, before) = (selector(act.form), count(browser, act.form).await);
    browser.unfold(&form).await;
    for (name, value) in act.fields {
        browser.fill(&format!("{form} [name={name}]"), value).await;
    }
    browser.click(&format!("{form} button")).await;
    seen.extend(forms(browser).await);
    if !act.shows.is_empty() {
        browser.open(&format!("{}{}", site.origin(), act.shows)).await;
    }
    match act.then {
        Then::Says(words) => browser.expect(words).await,
        Then::Fewer => {
            let after = count(browser, act.form).await;
            assert_eq!(after + 1, before, "{}: {}", act.form, browser.text().await);
        }
    }
    seen
}

/// What the forms of the page that act are sent to.
async fn forms(browser: &Browser) -> BTreeSet<String> {
    let all = "return [...document.querySelectorAll('form[method=post]')]\
        .map(form => form.getAttribute('action'))";
    let actions: Vec<String> = browser.run(all).await;
    let id = Regex::new("/([0-9a-f]{8}-[0-9a-f-]{27}|[0-9]+)(/|$)").unwrap();
    actions.iter().map(|action| id.replace(action, "/{id}$2").into_owned()).collect()
}

async fn count(browser: &Browser, form: &str) -> usize {
    let all = json!(selector(form));
    browser.run(&format!("return document.querySelectorAll({all}).length")).await
}

/// The CSS selector of a form.
fn selector(form: &str) -> String {
    match form.split_once("{id}") {
        Some((start, end)) => format!("form[action^='{start}'][action$='{end}']"),
        None => format!("form[action='{form}']"),
    }
}
