//! Links of messages in a browser that has not signed in: one button, pressed once; none for
//! whoever forges a link, brings that of another ledger, or comes too late.

use super::chromium::Browser;
use super::scene::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn a_link_pressed_twice_changes_nothing_and_says_who_was_first() {
    let (scene, browser) = (Scene::begin().await, Browser::start().await);
    for (action, words) in [
        ("acknowledge", "Acknowledged by the link in hook"),
        ("silence", "Silenced by the link in"),
    ] {
        let link = scene.url(&scene.link(action));
        browser.open(&link).await;
        let first = browser.new_tab().await;
        browser.open(&link).await;
        browser.expect("You act without signing in").await;
        browser.click("main form button").await;
        browser.expect(words).await;
        let said = line(&browser, words).await;
        scene.clock.advance(std::time::Duration::from_mins(5));
        // The other tab still has the button.
        browser.tab(&first).await;
        browser.click("main form button").await;
        assert_eq!(line(&browser, words).await, said, "the second press");
        assert!(!browser.has("main form").await);
        browser.open(&link).await;
        assert_eq!(line(&browser, words).await, said, "opened again");
        assert!(!browser.has("main form").await);
    }
}

/// The line of the page that says this.
async fn line(browser: &Browser, words: &str) -> String {
    browser.expect(words).await;
    let text = browser.text().await;
    text.lines().find(|line| line.contains(words)).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_foreign_and_expired_links_are_refused_with_words() {
    let (scene, other) = (Scene::begin().await, Scene::of_another_ledger().await);
    let browser = Browser::start().await;
    let own = scene.link("acknowledge");
    let silence = own.replace("/link/acknowledge/", "/link/silence/");
    for path in [format!("{own}x"), other.link("acknowledge"), silence] {
        refused(&browser, &scene.url(&path), "This link was not made here").await;
    }
    // What was open before is refused as well.
    browser.open(&scene.url(&own)).await;
    scene.clock.advance_to("2026-12-04T00:00:00Z".parse().unwrap());
    browser.click("main form button").await;
    browser.expect("This link has expired").await;
    refused(&browser, &scene.url(&own), "This link has expired").await;
}

async fn refused(browser: &Browser, url: &str, words: &str) {
    browser.open(url).await;
    browser.expect_status(403).await;
    browser.expect(words).await;
    assert!(!browser.has("main form").await, "{url}");
}
