//! Every button is clicked, with scripts turned off. Whoever adds a button to a page adds its line
//! to [`ACTS`]; a button without one fails the test.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::json;

use super::chromium::Browser;
use super::scene::Scene;
use super::sign_in;

/// One button.
#[derive(Clone, Copy)]
pub(super) struct Act {
    /// The page that it is on; nothing: where the act before has led to.
    page: &'static str,
    /// The link of that page that leads to the button's own page, if it has one.
    way: &'static str,
    /// What its form is sent to; `{id}` stands for any.
    form: &'static str,
    /// What is filled in before.
    fields: &'static [(&'static str, &'static str)],
    /// Where it shows; nothing: on the page that it leads to.
    shows: &'static str,
    then: Then,
}

/// What is different afterwards.
#[derive(Clone, Copy)]
enum Then {
    /// The page says this.
    Says(&'static str),
    /// There is one such button less.
    Fewer,
}

impl Act {
    /// The same where the page says something else.
    pub(super) fn saying(self, words: &'static str) -> Self {
        Self { then: Then::Says(words), ..self }
    }
}

const NOTHING: Act = Act { page: "", way: "", form: "", fields: &[], shows: "", then: Then::Fewer };

/// What the first row of a list leads to.
const ROW: &str = "tbody th a";

/// Those that every ledger with an open alert has.
pub(super) const ACTS: [Act; 6] = [
    Act {
        page: "/",
        way: ROW,
        form: "/alerts/{id}/acknowledge",
        fields: &[("note", "we call them")],
        then: Then::Says("acknowledged by http token"),
        ..NOTHING
    },
    Act { form: "/alerts/{id}/undo", ..NOTHING },
    Act { page: "/alerts", form: "/alerts/{id}/acknowledge", ..NOTHING },
    Act {
        page: "/",
        way: ROW,
        form: "/silences/new",
        fields: &[("unless_above", "2000"), ("reason", "we migrate")],
        then: Then::Says("What it would hide now"),
        ..NOTHING
    },
    Act { form: "/silences/add", shows: "/silences", then: Then::Says("we migrate"), ..NOTHING },
    Act { page: "/silences", form: "/silences/{id}/expire", ..NOTHING },
];

/// Those of a ledger that knows a spike.
pub(super) const SPIKES: [Act; 3] = [
    Act {
        page: "/alerts",
        form: "/alerts/{id}/expected",
        // As the browser takes a date: month, day, year.
        fields: &[("note", "a migration"), ("until", "11302026")],
        ..NOTHING
    },
    Act { form: "/alerts/{id}/undo", ..NOTHING },
    Act { page: "/alerts", form: "/alerts/{id}/fraud", ..NOTHING },
];

/// That of a notifier.
pub(super) const TEST: Act = Act {
    page: "/notifiers",
    form: "/notifiers/{id}/test",
    then: Then::Says("accepted"),
    ..NOTHING
};

/// Those that take something else: a message that was given up or is held, a security alert, a
/// person who goes.
const MORE: [Act; 5] = [
    Act {
        page: "/deliveries?state=dead",
        way: ROW,
        form: "/deliveries/{id}/retry",
        then: Then::Says("pending"),
        ..NOTHING
    },
    Act {
        page: "/deliveries?state=held",
        way: ROW,
        form: "/deliveries/{id}/release",
        fields: &[("reason", "it is true")],
        ..NOTHING
    },
    Act {
        page: "/deliveries?state=held",
        way: ROW,
        form: "/deliveries/{id}/discard",
        fields: &[("reason", "it is not true")],
        ..NOTHING
    },
    Act { page: "/deliveries", form: "/deliveries/release", ..NOTHING },
    Act {
        page: "/security-alerts",
        way: "a[href$='/answer']",
        form: "/security-alerts/{id}/answer",
        fields: &[("reason", "fraud")],
        then: Then::Says("answered as fraud by http token"),
        ..NOTHING
    },
];

/// What ends it.
const LEAVE: Act = Act { page: "/", form: "/logout", then: Then::Says("Token"), ..NOTHING };

/// What takes the place of one of them.
const INSTEAD: Act = Act {
    page: "/deliveries",
    form: "/deliveries/discard",
    fields: &[("reason", "the prices were wrong")],
    ..NOTHING
};

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
    let acts: Vec<Act> = ACTS.into_iter().chain(SPIKES).chain(MORE).chain([TEST]).collect();
    let missing = click_all(&browser, &scene.url(""), &PAGES, &acts).await;
    let scene = Scene::begin().await;
    sign_in(&browser, &scene.site).await;
    click(&browser, &scene.url(""), &INSTEAD).await;
    click(&browser, &scene.url(""), &LEAVE).await;
    let last = [INSTEAD.form, LEAVE.form, "/login"];
    let missing: Vec<_> = missing.iter().filter(|form| !last.contains(&form.as_str())).collect();
    assert!(missing.is_empty(), "nobody clicks {missing:?}: add them to ACTS or MORE");
}

/// Clicks all of these in turn; returns the forms of these pages, and of those on the way, that
/// nobody clicked.
pub(super) async fn click_all(
    browser: &Browser,
    origin: &str,
    pages: &[&str],
    acts: &[Act],
) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    for page in pages {
        browser.open(&format!("{origin}{page}")).await;
        seen.extend(forms(browser).await);
    }
    for act in acts {
        seen.extend(click(browser, origin, act).await);
    }
    seen.retain(|form| acts.iter().all(|act| act.form != form));
    seen
}

/// Clicks a button as a person does and looks at what is different; returns the forms on its way.
pub(super) async fn click(browser: &Browser, origin: &str, act: &Act) -> BTreeSet<String> {
    if !act.page.is_empty() {
        browser.open(&format!("{origin}{}", act.page)).await;
    }
    if !act.way.is_empty() {
        browser.click(act.way).await;
    }
    let mut seen = forms(browser).await;
    assert!(seen.contains(act.form), "{} is not on {}", act.form, browser.address().await);
    let (form, before) = (selector(act.form), count(browser, act.form).await);
    browser.unfold(&form).await;
    for (name, value) in act.fields {
        browser.fill(&format!("{form} [name={name}]"), value).await;
    }
    browser.click(&format!("{form} button")).await;
    browser.expect_status(200).await;
    seen.extend(forms(browser).await);
    if !act.shows.is_empty() {
        browser.open(&format!("{origin}{}", act.shows)).await;
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

/// What the forms of the page are sent to, but for those that narrow the page itself.
async fn forms(browser: &Browser) -> BTreeSet<String> {
    let all = "return [...document.querySelectorAll('form')]\
        .filter(one => !one.matches(`[method=get][action='${location.pathname}']`))\
        .map(one => one.getAttribute('action'))";
    let actions: Vec<String> = browser.run(all).await;
    let id = "/([0-9a-f]{8}-[0-9a-f-]{27}|[0-9]+)(/|$)|^/(notifiers)/[^/]+(/)";
    let id = Regex::new(id).unwrap();
    let named = |action: &String| match id.captures(action) {
        Some(found) if found.get(3).is_some() => id.replace(action, "/$3/{id}$4").into_owned(),
        Some(_) => id.replace(action, "/{id}$2").into_owned(),
        None => action.clone(),
    };
    actions.iter().map(named).collect()
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
