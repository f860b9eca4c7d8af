//! Everything can be done by keyboard alone, and it can be seen where one is.

use std::collections::BTreeSet;

use super::chromium::{Browser, VIEWS};
use super::month::CONTOSO;
use super::scene::Scene;
use super::sign_in;

/// The keys, as `WebDriver` names them.
const TAB: char = '\u{e004}';
const ENTER: char = '\u{e007}';

/// Marks all that can be used, and tells how many there are.
const MARK: &str = "const all = [...document.querySelectorAll(\
    'a[href], button, input:not([type=hidden]), select, summary')]\
    .filter(one => one.checkVisibility()); \
    all.forEach((one, number) => one.dataset.place = number); return all.length";

/// Where the focus is, and whether that can be seen: an outline, within the page.
const FOCUS: &str = "const one = document.activeElement, style = getComputedStyle(one), \
    place = one.getBoundingClientRect(); \
    return [one.dataset.place ?? '', style.outlineStyle !== 'none' \
        && parseFloat(style.outlineWidth) >= 2 && place.right > 0 && place.height > 0]";

#[tokio::test(flavor = "multi_thread")]
async fn every_field_and_button_is_reached_by_tab_and_shows_it() {
    let (scene, browser) = (Scene::begin().await, Browser::start().await);
    all_reached(&browser, &scene.url("/login")).await;
    all_reached(&browser, &scene.url(&scene.link("acknowledge"))).await;
    sign_in(&browser, &scene.site).await;
    for view in [VIEWS[0], VIEWS[3]] {
        browser.look(view).await;
        for path in ["/?q=nord", &format!("/customers/{CONTOSO}"), "/alerts", "/silences"] {
            all_reached(&browser, &scene.url(path)).await;
        }
    }
}

async fn all_reached(browser: &Browser, url: &str) {
    browser.open(url).await;
    let all: usize = browser.run(MARK).await;
    assert!(all > 0, "{url}");
    let mut reached = BTreeSet::new();
    // One more leads past the end, to the start of the page.
    for _ in 0..=all {
        browser.press(TAB).await;
        let (place, visible): (String, bool) = browser.run(FOCUS).await;
        if place.is_empty() {
            continue;
        }
        assert!(visible, "{url}: the focus at {place} cannot be seen");
        reached.insert(place);
    }
    assert_eq!(reached.len(), all, "{url}: {reached:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_acknowledged_by_keyboard_alone() {
    let (scene, browser) = (Scene::begin().await, Browser::start().await);
    sign_in(&browser, &scene.site).await;
    browser.open(&scene.url(&format!("/customers/{CONTOSO}"))).await;
    browser.press(TAB).await;
    let word: String = browser.run("return document.activeElement.innerText").await;
    assert_eq!(word, "Skip to the content");
    browser.press(ENTER).await;
    // From there, not from the navigation, it goes on to the first field.
    let at_note = "return document.activeElement.name === 'note'";
    let in_navigation = "return document.activeElement.closest('header') !== null";
    while !browser.run::<bool>(at_note).await {
        browser.press(TAB).await;
        assert!(!browser.run::<bool>(in_navigation).await, "the navigation is skipped");
    }
    for letter in "we call".chars() {
        browser.press(letter).await;
    }
    browser.press(ENTER).await;
    browser.expect("acknowledged by http token").await;
    browser.expect("we call").await;
}
