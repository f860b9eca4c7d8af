//! Every choice of every form that narrows a list is made, by clicking, as is every way from page
//! to page.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;

use super::chromium::Browser;
use super::scene::Scene;
use super::sign_in;

/// The lists that can be narrowed.
const LISTS: [&str; 3] = ["/", "/alerts", "/deliveries"];

/// A field of such a form.
#[derive(Deserialize)]
struct Field {
    name: String,
    /// What there is to choose; none where something is typed.
    choices: Vec<String>,
}

const FIELDS: &str = "return [...document.querySelectorAll(\
    'form[method=get] select, form[method=get] input:not([type=hidden])')]\
    .map(field => ({ name: field.name, choices: [...field.options ?? []].map(one => one.value) }))";

const ROWS: &str = "return document.querySelectorAll('tbody tr').length";

/// Makes each choice of each list; returns how many rows each page of them shows.
pub(super) async fn every_choice(browser: &Browser, origin: &str) -> Vec<(String, usize)> {
    let mut made = Vec::new();
    for list in LISTS {
        let url = format!("{origin}{list}");
        browser.open(&url).await;
        let fields: Vec<Field> = browser.run(FIELDS).await;
        assert!(!fields.is_empty(), "{list} can be narrowed");
        for Field { name, choices } in fields {
            let typed = if choices.is_empty() { vec![typed(&name).to_owned()] } else { choices };
            for value in typed {
                browser.open(&url).await;
                choose(browser, &name, &value).await;
                let rows: usize = browser.run(ROWS).await;
                made.push((format!("{list}?{name}={value}"), rows));
            }
        }
    }
    made
}

/// What is typed into a field.
fn typed(name: &str) -> &'static str {
    match name {
        "q" => "nord",
        "currency" => "SEK",
        "tag" => "gold",
        _ => panic!("say what is typed into the field \"{name}\""),
    }
}

/// Makes one choice; the list that comes of it still shows it.
async fn choose(browser: &Browser, name: &str, value: &str) {
    let field = format!("[name={name}]");
    browser.unfold(&format!("form[method=get] {field}")).await;
    browser.fill(&field, value).await;
    browser.click("form[method=get] button").await;
    browser.arrive_with(name, value).await;
    browser.expect_status(200).await;
    let shown = format!("return document.querySelector({}).value", json!(format!("main {field}")));
    assert_eq!(browser.run::<String>(&shown).await, value, "{name}");
}

/// Follows each way of the navigation, and each that the pages offer, until all were taken; of ways
/// that differ by an id alone, a few.
pub(super) async fn every_way(browser: &Browser, origin: &str) -> BTreeSet<String> {
    let (mut taken, mut kinds) = (BTreeSet::new(), Vec::<String>::new());
    let mut open = vec!["/".to_owned()];
    while let Some(path) = open.pop() {
        let kind = path.split('?').next().unwrap().split('/').nth(1).unwrap().to_owned();
        let alike = kinds.iter().filter(|known| **known == kind).count();
        if alike >= 8 || !taken.insert(path.clone()) {
            continue;
        }
        kinds.push(kind);
        browser.open(&format!("{origin}{path}")).await;
        browser.expect_status(200).await;
        let ways = "return [...document.querySelectorAll('a[href^=\"/\"]')]\
            .map(way => way.getAttribute('href'))";
        open.extend(browser.run::<Vec<String>>(ways).await);
    }
    taken
}

#[tokio::test(flavor = "multi_thread")]
async fn every_choice_is_made_and_every_way_is_taken() {
    let (scene, browser) = (Scene::begin().await, Browser::start().await);
    sign_in(&browser, &scene.site).await;
    let made = every_choice(&browser, &scene.url("")).await;
    assert!(made.len() > 20, "{made:?}");
    let taken = every_way(&browser, &scene.url("")).await;
    for page in ["/alerts", "/deliveries", "/notifiers", "/silences", "/security-alerts"] {
        assert!(taken.contains(page), "no way leads to {page}: {taken:?}");
    }
    for kind in ["/customers/", "/deliveries/"] {
        assert!(taken.iter().any(|path| path.starts_with(kind)), "no way leads to {kind}");
    }
    let complaints = browser.complaints().await;
    assert!(complaints.is_empty(), "{complaints:?}");
}
