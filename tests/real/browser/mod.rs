//! The pages in a real browser: how they look, what can be clicked, and what must not happen.

mod accessible;
mod acting;
mod chromium;
mod demo;
mod filters;
mod keyboard;
mod links;
mod many;
mod month;
mod names;
mod pages;
mod readers;
#[path = "../../../benches/poll/records.rs"]
#[allow(dead_code, reason = "the benchmark uses the rest")]
pub(super) mod records;
mod refused;
mod scene;
mod session;
#[path = "../../it/web/site.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod site;
mod using;
mod watching;

use chromium::Browser;
use scene::TOKEN;
use site::Site;

/// Signs in with the token, by the page that asks for it.
async fn sign_in(browser: &Browser, site: &Site) {
    browser.forget().await;
    browser.open(&format!("{}/alerts", site.origin())).await;
    browser.fill("[name=token]", TOKEN).await;
    browser.click("form.login button").await;
    browser.expect("Sign out").await;
    // It says that it was asked for the token first.
    browser.complaints().await;
}
