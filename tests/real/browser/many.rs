//! The same with 100,000 customers: every list, choice, page and button.

use super::acting::{ACTS, click};
use super::chromium::Browser;
use super::filters::{every_choice, every_way};
use super::records::{Form, write};
use super::scene::TOKEN;
use super::sign_in;
use super::site::Site;
use crate::support::world::{SPEND, World};

const CUSTOMERS: u64 = 100_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_customers_are_listed_narrowed_and_acted_on() {
    let http = format!("[http]\nlisten = \"127.0.0.1:1\"\ntoken = \"{TOKEN}\"\n");
    let world = World::new(&format!("{SPEND}{http}"));
    let usage = world.write_beside("usage.json", "");
    let over = write(usage.as_ref(), CUSTOMERS, Form::Compact).unwrap();
    let report = world.poll_source("2019-09-29T00:00:00Z").await;
    assert!(report.good, "{:?}", report.errors);
    let (site, browser) = (Site::of(world, Some(TOKEN)).await, Browser::start().await);
    sign_in(&browser, &site).await;
    browser.open(&site.origin()).await;
    browser.expect("100000 customers").await;
    assert!(over > 1000, "{over} are over 80 %");
    every_choice(&browser, &site.origin()).await;
    every_way(&browser, &site.origin()).await;
    for act in &ACTS {
        click(&browser, &site.origin(), act).await;
    }
    let complaints = browser.complaints().await;
    assert!(complaints.is_empty(), "{complaints:?}");
}
