//! What other sites and strangers try in the same browser, really clicked: nothing comes of it.

use std::net::SocketAddr;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use tokio::net::TcpListener;

use super::chromium::Browser;
use super::month::CONTOSO;
use super::scene::{Scene, TOKEN};
use super::sign_in;

/// Serves a page of somebody else at another port.
async fn foreign_page(html: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = Router::new().route("/", get(move || async move { Html(html) }));
    // It ends with the test's runtime.
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    address
}

/// A page with a form that is sent to us.
fn form(action: &str, fields: &[(&str, &str)]) -> String {
    let field = |(name, value): &(&str, &str)| format!("<input name={name} value=\"{value}\">");
    let fields: String = fields.iter().map(field).collect();
    format!(
        "<!doctype html><form method=post action=\"{action}\">{fields}<button>Win</button></form>"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_site_does_nothing_even_with_the_field_of_our_page() {
    let (scene, browser) = (Scene::begin().await, Browser::start().await);
    sign_in(&browser, &scene.site).await;
    let customer = scene.url(&format!("/customers/{CONTOSO}"));
    browser.open(&customer).await;
    let acknowledge = "form[action$='/acknowledge']";
    let script = format!(
        "const form = document.querySelector(\"{acknowledge}\"); \
            return [form.action, form.querySelector('[name=form]').value]"
    );
    let (action, stolen): (String, String) = browser.run(&script).await;
    let page = form(&action, &[("form", &stolen), ("note", "mischief")]);
    let port = foreign_page(page).await.port();
    // The same host by another port, whose cookies the browser brings along, and another host,
    // for which it does not.
    for (host, words, status) in
        [("127.0.0.1", "This form does not come from", 403), ("attacker.example", "Token", 401)]
    {
        browser.open(&format!("http://{host}:{port}/")).await;
        browser.click("button").await;
        browser.arrive("/acknowledge").await;
        browser.expect(words).await;
        browser.expect_status(status).await;
        browser.open(&customer).await;
        assert!(browser.has(acknowledge).await, "{host}: {}", browser.text().await);
        assert!(!browser.text().await.contains("mischief"), "{host}");
    }
    let login = scene.url("/login");
    let page = form(&login, &[("token", TOKEN), ("form", &stolen)]);
    let port = foreign_page(page).await.port();
    browser.forget().await;
    browser.open(&format!("http://attacker.example:{port}/")).await;
    browser.click("button").await;
    browser.expect_status(403).await;
    browser.expect("This form does not come from a page of this server").await;
    browser.open(&customer).await;
    browser.expect_status(401).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_name_a_missing_token_and_a_frame_show_nothing() {
    let (scene, browser) = (Scene::begin().await, Browser::start().await);
    let port = scene.site.address.port();
    browser.open(&format!("http://attacker.example:{port}/alerts")).await;
    browser.expect_status(421).await;
    browser.expect("this server answers to addresses, localhost and this host's own name").await;

    for path in ["/", "/alerts", "/deliveries", "/notifiers", "/silences", "/security-alerts"] {
        browser.open(&scene.url(path)).await;
        browser.expect_status(401).await;
        assert!(!browser.text().await.contains("Contoso"), "{path}");
        assert!(browser.has("[name=token]").await, "{path}");
    }
    browser.fill("[name=token]", "sesame").await;
    browser.click("form.login button").await;
    browser.expect_status(401).await;
    browser.expect("That is not the token.").await;

    sign_in(&browser, &scene.site).await;
    let frame = format!("<!doctype html><iframe src=\"{}\"></iframe>", scene.url("/alerts"));
    let port = foreign_page(frame).await.port();
    browser.complaints().await;
    browser.open(&format!("http://127.0.0.1:{port}/")).await;
    let complaints = browser.complaints().await.join("\n");
    assert!(complaints.contains("frame-ancestors"), "{complaints}");
}
