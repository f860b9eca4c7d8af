//! Silencing from a customer's page: what it would hide is shown before it is made.

use super::site::{Site, encoded};
use crate::support::world::{SPEND, World, plan};

const NOW: &str = "2026-11-14T21:41:00Z";
const DATE: &str = "2026-11-14T17:08:00Z";

async fn one_over() -> Site {
    let rules = SPEND.replace("{ at = 80 }", "{ at = 80, remind_every = \"1h\" }");
    let world = World::new(&rules).in_zone("Europe/Stockholm");
    world.report(NOW, &[plan("A", "90", "100", DATE)]).await;
    Site::of(world, Some("secret")).await
}

#[tokio::test]
async fn a_page_says_what_would_be_hidden_and_its_button_makes_it() {
    let site = one_over().await;
    let customer = site.see("/customers/A").await;
    let (action, hidden) = customer.form("/silences/new");
    let asked = "rule=spend&until=period-end&unless_above=200&reason=%22migration%22+%26+more";
    let page = site.see(&format!("{action}?{hidden}&{asked}")).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let words = page.words();
    for part in [
        "customer A, rule spend, unless above 200",
        "the end of each customer's billing period (Tue 1 Dec 01:00 CET for Azure plans)",
        "\"migration\" & more",
        "It fits 1 customer. Over a step now and covered: 1, worst first.",
        "warning Customer A spend, 80 % 90 %",
        "already told: only reminders stop",
        "Nobody is reminded of 1 open alert meanwhile.",
    ] {
        let words = words.replace("&#34;", "\"").replace("&#38;", "&").replace("&#39;", "'");
        assert!(words.contains(part), "{part}: {words}");
    }
    let silences = site.see("/silences").await.words();
    assert!(silences.contains("No silences are in force."), "a look makes nothing: {silences}");
    let made = site.press(&page, "/silences/add", "").await;
    assert_eq!((made.status, made.location()), (303, "/customers/A"), "{}", made.text);
    let silences = site.see("/silences").await.words();
    assert!(silences.contains("customer A, rule spend, unless above 200"), "{silences}");
}

#[tokio::test]
async fn it_may_last_until_a_day_of_choice_which_is_included() {
    let site = one_over().await;
    let page = site.see("/silences/new?customer=A&until=period-end&day=2026-11-20&reason=x").await;
    assert!(page.words().contains("Until Sat 21 Nov 00:00 CET"), "{}", page.words());
    assert_eq!(site.press(&page, "/silences/add", "").await.status, 303);
    for (day, why) in [("soon", "is no day"), ("2026-11-13", "it would end before it begins")] {
        let page = site.see(&format!("/silences/new?customer=A&day={day}&reason=x")).await;
        assert_eq!(page.status, 422, "{day}");
        assert!(page.words().contains(why), "{day}: {}", page.words());
    }
}

#[tokio::test]
async fn what_is_most_likely_not_meant_is_asked_again_and_made_where_it_is() {
    let site = one_over().await;
    for (asked, doubt) in [
        ("customer=A&day=2027-06-01", "it would last for 199 days, longer than 90"),
        ("customer=B&until=7d", "no customer has an id, a name or a label like"),
    ] {
        let page = site.see(&format!("/silences/new?{asked}&reason=x")).await;
        let words = page.words();
        assert!(words.contains("Is it meant so?") && words.contains(doubt), "{words}");
        let origin = site.origin();
        let headers = [("authorization", "Bearer secret"), ("origin", origin.as_str())];
        let form = encoded(&page.field("form"));
        let unsure = format!("form={form}&{asked}&reason=x");
        assert_eq!(site.post("/silences/add", &unsure, &headers).await.status, 422);
        assert_eq!(site.press(&page, "/silences/add", "").await.status, 303, "{words}");
    }
}

#[tokio::test]
async fn who_may_not_act_is_shown_no_button() {
    let world = World::new(SPEND);
    world.report(NOW, &[plan("A", "90", "100", DATE)]).await;
    let site = Site::of(world, None).await;
    let page = site.get("/silences/new?customer=A&until=7d&reason=x").await;
    assert_eq!(page.status, 403);
}
