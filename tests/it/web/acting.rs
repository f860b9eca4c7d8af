//! Acknowledging, silencing and trying again from a page: by its own forms only, recorded with who.

use super::site::{Answer, Site};
use crate::support::world::{SPEND, World, plan};

const NOW: &str = "2026-11-14T21:41:00Z";
const DATE: &str = "2026-11-14T17:08:00Z";
const TOKEN: (&str, &str) = ("authorization", "Bearer secret");
const HTML: (&str, &str) = ("accept", "text/html");

/// A site with a customer that is over its budget.
async fn one_over(local: bool, token: Option<&str>) -> Site {
    let http = format!("[http]\nlisten = \"127.0.0.1:1\"\nlocal_actions = {local}\n");
    let world = World::new(&format!("{SPEND}{http}"));
    world.report(NOW, &[plan("A", "900", "100", DATE)]).await;
    Site::of(world, token).await
}

async fn customer(site: &Site) -> Answer {
    site.ask("/customers/A", &[HTML, TOKEN]).await
}

/// The address that the first form of a page with this end is sent to.
fn action(page: &Answer, end: &str) -> String {
    let all = page.text.split("action=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    all.into_iter().find(|action| action.ends_with(end)).expect(&page.text).to_owned()
}

#[tokio::test]
async fn an_alert_is_acknowledged_with_a_note_and_the_first_stays() {
    let site = one_over(false, Some("secret")).await;
    let page = customer(&site).await;
    let path = action(&page, "/acknowledge");
    let origin = site.origin();
    let headers = [TOKEN, ("origin", origin.as_str())];
    let form = page.field("form");
    let body = |note: &str| format!("form={form}&to=%2Fcustomers%2FA&note={note}");
    let done = site.post(&path, &body("we+call+them"), &headers).await;
    assert_eq!((done.status, done.location()), (303, "/customers/A"), "{}", done.text);
    let words = customer(&site).await.words();
    assert!(
        words.contains("acknowledged by http token, Sat 14 Nov 21:41 UTC: we call them"),
        "{words}"
    );
    assert_eq!(site.post(&path, &body("a+second+note"), &headers).await.status, 303);
    let words = customer(&site).await.words();
    assert!(words.contains("we call them") && !words.contains("a second note"), "{words}");
    let overview = site.ask("/?acknowledged=yes", &[HTML, TOKEN]).await.words();
    assert!(overview.contains("http token, 14 Nov 21:41"), "{overview}");
    let undo = action(&customer(&site).await, "/undo");
    assert_eq!(site.post(&undo, &body(""), &headers).await.status, 303);
    assert!(!customer(&site).await.words().contains("acknowledged by"));
}

#[tokio::test]
async fn a_form_comes_back_through_a_proxy_that_asks_by_another_name() {
    let public = "public_url = \"https://alerts.partner.example\"\ntoken = \"secret\"\n";
    let http = format!("[http]\nlisten = \"127.0.0.1:1\"\n{public}");
    let world = World::new(&format!("{SPEND}{http}"));
    world.report(NOW, &[plan("A", "900", "100", DATE)]).await;
    let site = Site::of(world, Some("secret")).await;
    let page = customer(&site).await;
    let (path, body) = (action(&page, "/acknowledge"), format!("form={}", page.field("form")));
    for (origin, status) in
        [("https://alerts.example.evil", 403), ("https://alerts.partner.example", 303)]
    {
        let done = site.post(&path, &body, &[TOKEN, ("origin", origin)]).await;
        assert_eq!(done.status, status, "{origin}: {}", done.text);
    }
}

#[tokio::test]
async fn a_customer_is_silenced_and_the_silence_ended() {
    let site = one_over(false, Some("secret")).await;
    let origin = site.origin();
    let headers = [TOKEN, ("origin", origin.as_str())];
    let form = customer(&site).await.field("form");
    let silence = format!("form={form}&customer=A&rule=spend&unless_above=2+000&reason=migration");
    for (wrong, why) in [
        (format!("{silence}&until=soon"), "An end has to be chosen."),
        (format!("form={form}&customer=A&until=7d"), "say why"),
        (format!("form={form}&reason=x&until=7d"), "A customer has to be named."),
        (format!("form={form}&customer=A&reason=x&until=7d&unless_above=much"), "is no number"),
        (format!("form={form}&customer=A&reason=x&until=7d&unless_above=112,5"), "is no number"),
    ] {
        let refused = site.post("/silences/add", &wrong, &headers).await;
        assert_eq!(refused.status, 422, "{wrong}");
        assert!(refused.words().contains(why), "{}", refused.words());
    }
    let made = site.post("/silences/add", &format!("{silence}&until=7d"), &headers).await;
    assert_eq!(made.status, 303, "{}", made.text);
    let page = site.ask("/silences", &[HTML, TOKEN]).await;
    let words = page.words();
    assert!(words.contains("customer A, rule spend, unless above 2000"), "{words}");
    assert!(page.text.contains("<a href=\"/customers/A\">"), "its customer by name: {words}");
    assert!(words.contains("Sat 21 Nov 21:41 UTC"), "{words}");
    assert!(words.contains("http token, 14 Nov 21:41 migration"), "{words}");
    let end = action(&page, "/expire");
    let ended = site.post(&end, &format!("form={form}&to=%2Fsilences"), &headers).await;
    assert_eq!((ended.status, ended.location()), (303, "/silences"));
    let words = site.ask("/silences", &[HTML, TOKEN]).await.words();
    assert!(words.contains("No silences are in force."), "{words}");
}

#[tokio::test]
async fn nothing_is_done_for_another_site_nor_without_the_field_of_a_page() {
    let site = one_over(false, Some("secret")).await;
    let page = customer(&site).await;
    let (path, body) = (action(&page, "/acknowledge"), format!("form={}", page.field("form")));
    let origin = site.origin();
    let own = ("origin", origin.as_str());
    let of_everybody = format!("form={}", site.get("/login").await.field("form"));
    for (body, headers, status) in [
        (body.as_str(), vec![TOKEN], 403),
        (&body, vec![TOKEN, ("origin", "null")], 403),
        (&body, vec![TOKEN, ("origin", "https://attacker.example")], 403),
        (&body, vec![TOKEN, own, ("sec-fetch-site", "cross-site")], 403),
        ("form=1.x", vec![TOKEN, own], 403),
        ("", vec![TOKEN, own], 403),
        (&of_everybody, vec![TOKEN, own], 403),
        (&body, vec![own], 401),
    ] {
        assert_eq!(site.post(&path, body, &headers).await.status, status, "{headers:?}");
    }
    assert_eq!(site.ask(&path, &[TOKEN, HTML]).await.status, 405);
    assert!(!customer(&site).await.words().contains("acknowledged by"));
}

#[tokio::test]
async fn without_a_token_this_machine_acts_only_where_that_is_allowed() {
    let site = one_over(false, None).await;
    let page = customer(&site).await;
    assert!(!page.text.contains("method=\"post\""), "{}", page.text);
    let origin = site.origin();
    let own = [("origin", origin.as_str())];
    let refused = site.post("/silences/1/expire", "form=x", &own).await;
    assert_eq!(refused.status, 403);
    assert!(refused.words().contains("local_actions"), "{}", refused.words());

    let site = one_over(true, None).await;
    let page = customer(&site).await;
    let (path, body) = (action(&page, "/acknowledge"), format!("form={}", page.field("form")));
    let origin = site.origin();
    assert_eq!(site.post(&path, &body, &[("origin", origin.as_str())]).await.status, 303);
    let words = customer(&site).await.words();
    assert!(words.contains("acknowledged by someone on "), "{words}");
}
