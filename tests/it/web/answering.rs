//! Answering a security alert of Microsoft, from its page.

use super::described::Described;
use super::site::Site;
use crate::security::{CONTOSO, CRYPTO, Stage, crypto};

const RULE: &str = r#"
[rules.microsoft]
metric = "security_alert_hours"
notify = ["hook"]
steps = [{ at = 0 }]
"#;

/// A site with one alert that is not answered.
async fn open(source: &str) -> (Site, budget_alertd::simulator::PartnerCenter) {
    let stage = Stage::of(source, RULE);
    stage.set(&[crypto(CRYPTO, CONTOSO, "10:00")]);
    stage.read("12:00").await;
    let Stage { microsoft, world } = stage;
    (Site::of(world, Some("secret")).await, microsoft)
}

#[tokio::test]
async fn a_page_says_what_an_answer_does_and_its_button_answers() {
    let (site, microsoft) = open("graph").await;
    let page = site.see("/security-alerts").await;
    let path = format!("/security-alerts/{CRYPTO}/answer");
    assert!(page.text.contains(&format!("href=\"{path}\"")), "{}", page.text);
    let asked = site.see(&path).await;
    let words = asked.words();
    for part in ["is written to Microsoft", "fraud", "legitimate", "ignore"] {
        assert!(words.contains(part), "{part}: {words}");
    }
    let unread = site.press(&asked, "/answer", "").await;
    assert_eq!(unread.status, 422);
    assert!(unread.words().contains("An answer has to be chosen."), "{}", unread.words());
    let status = |microsoft: &budget_alertd::simulator::PartnerCenter| {
        format!("{:?}", microsoft.security_alerts()[0])
    };
    let before = status(&microsoft);
    let answered = site.press(&asked, "/answer", "reason=legitimate").await;
    assert_eq!(
        (answered.status, answered.location()),
        (303, "/security-alerts"),
        "{}",
        answered.text
    );
    assert_ne!(status(&microsoft), before);
    let words = site.see("/security-alerts").await.words();
    assert!(words.contains("answered as legitimate by http token"), "{words}");
    let again = site.see(&path).await;
    assert!(again.words().contains("There is nothing to answer"), "{}", again.words());
    let listed = site.ask("/api/v1/security-alerts", &[("authorization", "Bearer secret")]).await;
    let listed = serde_json::from_str(&listed.text).unwrap();
    Described::by(&site).await.check("get", "/api/v1/security-alerts", &listed);
}

#[tokio::test]
async fn what_partner_center_does_not_take_is_not_offered() {
    let (site, _microsoft) = open("partner-center").await;
    let asked = site.see(&format!("/security-alerts/{CRYPTO}/answer")).await;
    assert!(!asked.text.contains("value=\"legitimate\""), "{}", asked.text);
    let refused = site.press(&asked, "/answer", "reason=legitimate").await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    let fraud = serde_json::json!({"id": CRYPTO, "reason": "fraud"});
    let answered = site.order("/api/v1/resolve", &fraud, 200).await;
    assert_eq!(
        (&answered["already"], &answered["end"]["by"]),
        (&false.into(), &"http token".into())
    );
    Described::by(&site).await.check("post", "/api/v1/resolve", &answered);
    assert_eq!(site.see("/security-alerts/abcdef/answer").await.status, 404);
}
