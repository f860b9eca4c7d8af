//! A test message, sent from the page of the notifiers.

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::HttpReceiver;

use super::site::Site;
use crate::support::world::{SPEND, World};

#[tokio::test]
async fn a_test_is_sent_and_what_the_receiver_said_is_shown() {
    let hook = HttpReceiver::start(SystemClock::shared()).unwrap();
    let world = World::new(&format!(
        "{SPEND}[notifiers.hook]\ntype = \"webhook\"\nurl = \"{}\"\n\
         [notifiers.\"all o'them\"]\ntype = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\n\
         [notifiers.portal]\ntype = \"webhook\"\naudience = \"customer\"\nurl = \"{}\"\n",
        hook.url("/hook"),
        hook.url("/portal"),
    ));
    let site = Site::of(world, Some("secret")).await;
    let page = site.see("/notifiers").await;
    assert!(!page.text.contains("/notifiers/portal/test"), "customers read it: {}", page.text);
    let sent = site.press(&page, "/notifiers/hook/test", "").await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    assert!(sent.words().contains("accepted"), "{}", sent.words());
    let received = hook.received();
    let body = String::from_utf8(received[0].body.clone()).unwrap();
    assert_eq!(received.len(), 1);
    assert!(body.contains("budget.test"), "{body}");
    let failed = site.press(&page, "/notifiers/all%20o'them/test", "").await;
    assert_eq!(failed.status, 200, "{}", failed.text);
    assert!(failed.words().contains("failed"), "{}", failed.words());
    assert!(site.see("/deliveries").await.words().contains("No deliveries."));
}
