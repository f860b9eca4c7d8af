//! Pages that list what the ledger has: the words, and where they lead.

use super::site::Site;
use crate::support::world::{Record, SPEND, World, legacy, plan};

const NOW: &str = "2026-11-14T21:41:00Z";
const DATE: &str = "2026-11-14T17:08:00Z";

/// A world in which two customers have reached a step.
async fn two_over() -> World {
    let world = World::new(SPEND);
    let records = [
        plan("A", "900", "100", DATE),
        legacy("B", "85", "100", DATE),
        plan("C", "10", "100", DATE),
    ];
    world.report(NOW, &records).await;
    world
}

#[tokio::test]
async fn alerts_are_told_in_the_words_of_the_command_and_chosen_by_severity() {
    let site = Site::of(two_over().await, None).await;
    let page = site.get("/alerts").await;
    assert_eq!(page.status, 200);
    let words = page.words();
    assert!(words.contains("critical 14 Nov 21:41 Customer A 900 %, 900 of 100 SEK"), "{words}");
    assert!(words.contains("warning 14 Nov 21:41 Customer B 85 %, 85 of 100"), "{words}");
    assert!(words.contains("Times in UTC."), "{words}");
    assert!(page.text.contains("href=\"/customers/A\""));
    let critical = site.get("/alerts?severity=critical").await.words();
    assert!(critical.contains("Customer A") && !critical.contains("Customer B"), "{critical}");
    assert!(site.get("/alerts?acknowledged=yes").await.words().contains("No alerts."));
    let wrong = site.get("/alerts?severity=%3Cb%3Egrave").await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.text.contains("&#60;b&#62;grave"), "{}", wrong.text);
}

#[tokio::test]
async fn a_delivery_leads_to_its_message_and_attempts() {
    let site = Site::of(two_over().await, None).await;
    let page = site.get("/deliveries?state=pending&notifier=hook").await;
    assert!(page.words().contains("pending 14 Nov 21:41 alert"), "{}", page.words());
    let (_, rest) = page.text.split_once("href=\"/deliveries/").unwrap();
    let id = rest.split('"').next().unwrap();
    let delivery = site.get(&format!("/deliveries/{id}")).await;
    let words = delivery.words();
    assert!(words.contains("Nothing was sent yet."), "{words}");
    assert!(words.contains(&format!("Delivery {id}")), "{words}");
    for missing in ["x", "5f0c1c3e-0000-8000-8000-000000000000"] {
        assert_eq!(site.get(&format!("/deliveries/{missing}")).await.status, 404);
    }
    let notifiers = site.get("/notifiers").await;
    assert!(notifiers.words().contains("hook ok 2"), "{}", notifiers.words());
}

#[tokio::test]
async fn lists_go_on_page_by_page() {
    let world = World::new(&format!("{SPEND}\n[customers.x]\nlabel = \"x\"\n"));
    let records: Vec<Record> =
        (0..120).map(|number| plan(&format!("C{number:03}"), "90", "100", DATE)).collect();
    world.report(NOW, &records).await;
    let site = Site::of(world, None).await;
    let (mut path, mut seen) = ("/alerts?severity=warning".to_owned(), Vec::new());
    loop {
        let page = site.get(&path).await;
        let links = page.text.split("href=\"/customers/").skip(1);
        seen.extend(links.map(|rest| rest.split('"').next().unwrap().to_owned()));
        let Some((_, rest)) = page.text.split_once("rel=\"next\" href=\"") else { break };
        path = rest.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&");
        assert!(path.contains("severity=warning"), "{path}");
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 120);
}

#[tokio::test]
async fn names_from_outside_are_text_whatever_is_in_them() {
    let world = World::new(SPEND);
    let name = format!("<script>alert(1)</script>\\u202e \\u05d0 {}", "x".repeat(10_000));
    let record = Record {
        more: format!(", \"resourceName\": \"{name}\""),
        ..plan("<b>/\\\"'", "900", "100", DATE)
    };
    world.report(NOW, &[record]).await;
    let site = Site::of(world, None).await;
    for path in ["/alerts", "/deliveries"] {
        let page = site.get(path).await;
        assert_eq!(page.status, 200);
        assert!(page.text.len() < 10_000, "{path}: {}", page.text.len());
        assert!(!page.text.contains("<script") && !page.text.contains("<b>"), "{}", page.text);
        assert!(!page.text.contains('\u{202e}'));
    }
}
