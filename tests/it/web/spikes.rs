//! What people say of spikes on the pages: expected, fraud, and that taken back.

use super::described::Described;
use super::site::{Answer, Site};
use crate::support::world::{World, plan};

const RULE: &str = r#"
[rules.attack]
metric = "spike"
floor = { SEK = 100 }
notify = ["hook"]
steps = [{ at = 3 }]
"#;

/// Ten days of 40, then one of 400.
async fn attacked() -> Site {
    let world = World::new(RULE);
    for day in 1..=11 {
        let cost = if day < 11 { day * 40 } else { 800 };
        let date = format!("2026-10-{day:02}T17:00:00Z");
        let now = format!("2026-10-{day:02}T18:00:00Z");
        world.report(&now, &[plan("A", &cost.to_string(), "100000", &date)]).await;
    }
    Site::of(world, Some("secret")).await
}

async fn press(site: &Site, page: &Answer, end: &str, fields: &str) {
    let done = site.press(page, end, fields).await;
    assert_eq!(done.status, 303, "{}", done.text);
}

#[tokio::test]
async fn a_spike_is_expected_up_to_a_day_from_the_customers_page() {
    let site = attacked().await;
    let page = site.see("/customers/A").await;
    press(&site, &page, "/expected", "note=load+test&until=2026-12-05").await;
    let words = site.see("/customers/A").await.words();
    let said = "marked as expected by http token, Sun 11 Oct 18:00 UTC: load test; spikes are \
        expected up to Sat 5 Dec 2026";
    assert!(words.contains(said), "{words}");
    let headers = [("authorization", "Bearer secret")];
    let alerts = site.ask("/api/v1/alerts", &headers).await.text;
    let alerts: serde_json::Value = serde_json::from_str(&alerts).unwrap();
    assert_eq!(
        (&alerts[0]["marked"]["as"], &alerts[0]["marked"]["until"]),
        (&"expected".into(), &"2026-12-05".into())
    );
    let described = Described::by(&site).await;
    described.check("get", "/api/v1/alerts", &alerts);
    let story = site.ask("/api/v1/customers/A", &headers).await.text;
    described.check("get", "/api/v1/customers/{id}", &serde_json::from_str(&story).unwrap());
    press(&site, &site.see("/customers/A").await, "/undo", "").await;
    let words = site.see("/customers/A").await.words();
    assert!(!words.contains("marked as") && !words.contains("acknowledged by"), "{words}");
}

#[tokio::test]
async fn a_spike_is_fraud_from_the_list_of_alerts() {
    let site = attacked().await;
    let page = site.see("/alerts").await;
    let done = site.press(&page, "/fraud", "note=stolen+key").await;
    assert_eq!((done.status, done.location()), (303, "/alerts"), "{}", done.text);
    let words = site.see("/alerts").await.words();
    assert!(words.contains("fraud") && words.contains("stolen key"), "{words}");
    let words = site.see("/customers/A").await.words();
    assert!(words.contains("marked as fraud by http token"), "{words}");
    press(&site, &site.see("/alerts").await, "/undo", "").await;
    assert!(!site.see("/customers/A").await.words().contains("marked as"));
}

#[tokio::test]
async fn a_day_that_makes_no_sense_marks_nothing() {
    let site = attacked().await;
    let page = site.see("/customers/A").await;
    for (until, why) in
        [("soon", "is no day"), ("2026-10-01", "is over"), ("2027-10-01", "too far")]
    {
        let refused = site.press(&page, "/expected", &format!("until={until}")).await;
        assert_eq!(refused.status, 422, "{until}");
        assert!(refused.words().contains(why), "{until}: {}", refused.words());
    }
    assert!(!site.see("/customers/A").await.words().contains("marked as"));
}
