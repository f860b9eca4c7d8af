//! Names and words of others are text, whatever they hold, and the browser would run nothing of
//! them if they were not.

use serde_json::json;

use super::chromium::{Browser, VIEWS};
use super::month::{ATTACK, CONTOSO, LONG, MARKUP, TURNED};
use super::scene::Scene;
use super::sign_in;

/// Where names and words of others are shown.
fn pages() -> Vec<String> {
    let mut pages: Vec<String> =
        ["/", "/alerts", "/deliveries", "/silences", "/security-alerts"].map(String::from).into();
    pages.extend([CONTOSO, MARKUP, TURNED, LONG].map(|id| format!("/customers/{id}")));
    pages
}

#[tokio::test(flavor = "multi_thread")]
async fn names_with_markup_show_as_text_and_nothing_of_them_runs() {
    let (scene, browser) = (Scene::begin().await, Browser::start().await);
    sign_in(&browser, &scene.site).await;
    let mut shown = 0;
    for path in pages() {
        browser.open(&scene.url(&path)).await;
        let (title, made): (String, usize) = browser
            .run("return [document.title, document.querySelectorAll('script, img, b b').length]")
            .await;
        assert!(title.ends_with("budget-alertd") && made == 0, "{path}: {title}, {made} made");
        let text = browser.text().await;
        shown += usize::from(text.contains("<script>document.title='taken'"));
        // Letters that turn the line around are gone, or keep to their own element.
        let turned = "return [...document.querySelectorAll('main *')].filter(element => \
            [...element.childNodes].some(node => node.nodeType === 3 \
                && /[\\u202a-\\u202e]/.test(node.data)) && !element.closest('bdi')).length";
        assert_eq!(browser.run::<usize>(turned).await, 0, "{path}: {text}");
    }
    assert!(shown >= 4, "markup is shown on {shown} pages");
    assert!(ATTACK.len() > 60);
    let complaints = browser.complaints().await;
    assert!(complaints.is_empty(), "{complaints:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_got_into_a_page_all_the_same_would_not_run() {
    let (scene, browser) = (Scene::begin().await, Browser::start().await);
    sign_in(&browser, &scene.site).await;
    browser.open(&scene.url("/alerts")).await;
    browser.complaints().await;
    let smuggled = "const add = (name, made) => \
        document.body.append(Object.assign(document.createElement(name), made)); \
        add('script', { text: 'document.title = \"taken\"' }); \
        add('img', { src: 'http://attacker.example/x.png' }); \
        add('style', { textContent: 'body { display: none }' }); \
        add('div', { innerHTML: '<p style=\"position:fixed\" onclick=\"document.title=1\">x</p>' }); \
        return [document.title, getComputedStyle(document.body).display]";
    let (title, display): (String, String) = browser.run(smuggled).await;
    assert!(title.ends_with("budget-alertd") && display == "block", "{title} {display}");
    let complaints = browser.complaints().await.join("\n");
    for policy in ["script-src", "img-src", "style-src"] {
        assert!(complaints.contains(policy), "{policy}: {complaints}");
    }
    let asked = browser.asked().await;
    assert!(asked.iter().all(|url| url.starts_with(&scene.site.origin())), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_10_kb_leaves_room_for_everything_else() {
    let (scene, browser) = (Scene::begin().await, Browser::start().await);
    sign_in(&browser, &scene.site).await;
    for view in VIEWS {
        browser.look(view).await;
        for path in ["/", "/alerts", "/deliveries", &format!("/customers/{LONG}")] {
            browser.open(&scene.url(path)).await;
            let wide = "const shows = one => getComputedStyle(one).overflowX === 'visible' \
                && one.clientWidth > 0 && one.scrollWidth > one.clientWidth + 1; \
                return [...document.querySelectorAll('main *')].filter(one => \
                    one.checkVisibility() && !one.closest('.hidden, .scroll, svg') \
                    && (shows(one) || one.getBoundingClientRect().right > innerWidth + 1))\
                .map(one => one.outerHTML.slice(0, 200))";
            let wide: Vec<String> = browser.run(wide).await;
            assert!(wide.is_empty(), "{path} {}: {wide:?}", view.name);
            let tall = format!(
                "return Math.max(0, ...[...document.querySelectorAll({})]\
                    .map(element => element.offsetHeight))",
                json!("h1, tr, li, dd")
            );
            let tall: u32 = browser.run(&tall).await;
            assert!(tall < 900, "{path} {}: something is {tall} high", view.name);
        }
    }
}
