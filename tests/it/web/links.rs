//! Links of messages, from what a receiver gets to what is done by them: for whom there are any,
//! what they do without a session, and which are refused.

use std::sync::Arc;
use std::time::Duration;

use budget_alertd::clock::Clock;
use budget_alertd::daemon::assemble;
use budget_alertd::ledger::{AlertFilter, DeliveryFilter, Reader};
use budget_alertd::simulator::{Fault, HttpReceiver};
use serde_json::Value;

use super::site::{Answer, Site};
use crate::support::world::{Record, World, plan};

const PUBLIC: &str = "https://alerts.example";
const ID: &str = "1b2c3d4e-0000-4000-8000-000000000001";
const NOW: &str = "2026-11-14T21:41:00Z";

/// Sends what is owed, one step of each worker.
pub(super) async fn deliver(world: &World) {
    let ledger = world.ledger();
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    let mut assembly = assemble(&world.config(), &ledger, &clock, &world.metrics).unwrap();
    for worker in &mut assembly.workers {
        worker.step(&|| false).await.unwrap();
    }
    drop(assembly);
    ledger.close().await.unwrap();
}

/// A world whose webhook takes messages, and what it has taken.
struct Told {
    world: World,
    hook: HttpReceiver,
}

impl Told {
    /// With these lines about `[http]` and about the webhook.
    fn new(http: &str, hook_keys: &str) -> Self {
        let clock = World::new("").with_clock_at(NOW).clock;
        let hook = HttpReceiver::start(clock).unwrap();
        let world = World::new(&rules(http, &hook.url("/hook"), hook_keys));
        Self { world, hook }
    }

    fn with_links() -> Self {
        Self::new(&format!("token = \"secret\"\npublic_url = \"{PUBLIC}\""), "")
    }

    /// A customer that rises to this cost at `now`; returns what is told of it.
    async fn rise(&self, now: &str, cost: &str) -> Value {
        self.rise_unseen(now, cost).await;
        self.last()
    }

    /// The same where nothing may be told.
    async fn rise_unseen(&self, now: &str, cost: &str) {
        self.world.report(now, &[of(cost, now)]).await;
        self.deliver().await;
    }

    async fn deliver(&self) {
        deliver(&self.world).await;
    }

    fn last(&self) -> Value {
        serde_json::from_str(&self.hook.attempts().last().unwrap().request.text()).unwrap()
    }

    /// The paths of the links of a customer over its budget, once it has risen.
    async fn links(&self) -> Value {
        self.rise("2026-11-12T21:41:00Z", "30").await;
        links(&self.rise(NOW, "85").await)
    }
}

fn rules(http: &str, url: &str, hook_keys: &str) -> String {
    format!(
        "[http]\nlisten = \"127.0.0.1:0\"\n{http}\n\
         [rules.spend]\nmetric = \"percent_used\"\nnotify = [\"hook\"]\n\
         steps = [{{ at = 20 }}, {{ at = 80, severity = \"critical\" }}, {{ at = 150 }}]\n\
         [notifiers.hook]\ntype = \"webhook\"\nurl = \"{url}\"\n{hook_keys}\n"
    )
}

fn of(cost: &str, date: &str) -> Record {
    plan(ID, cost, "100", date)
}

/// The links of the one alert of a message.
fn links(body: &Value) -> Value {
    let id = body["data"]["alerts"][0]["id"].as_str().unwrap();
    body["data"]["links"][id].clone()
}

fn path(links: &Value, action: &str) -> String {
    let url = links[action].as_str().unwrap_or_else(|| panic!("no {action} in {links}"));
    url.strip_prefix(PUBLIC).unwrap().to_owned()
}

async fn site(told: Told) -> (Site, HttpReceiver) {
    (Site::of(told.world, Some("secret")).await, told.hook)
}

/// Presses the button of a page that was shown.
async fn press(site: &Site, path: &str, shown: &Answer, origin: &str) -> Answer {
    site.post(path, &format!("form={}", shown.field("form")), &[HTML, ("origin", origin)]).await
}

const HTML: (&str, &str) = ("accept", "text/html");

#[tokio::test]
async fn a_message_has_links_that_stay_the_same_when_it_is_sent_again() {
    let told = Told::with_links();
    told.rise("2026-11-12T21:41:00Z", "30").await;
    told.hook.fail_once(Fault::status(503));
    let first = links(&told.rise(NOW, "85").await);
    for action in ["acknowledge", "silence", "explain"] {
        assert!(path(&first, action).starts_with(&format!("/link/{action}/")), "{first}");
    }
    assert_eq!(
        first["customer"],
        format!("https://partner.microsoft.com/commerce/customers/{ID}/subscriptions")
    );
    told.world.clock.advance(Duration::from_mins(1));
    told.deliver().await;
    let all = told.hook.attempts();
    let (again, before) = (&all[all.len() - 1].request, &all[all.len() - 2].request);
    assert!(before.text() == again.text(), "{} {}", before.text(), again.text());
}

#[tokio::test]
async fn without_an_address_of_the_pages_and_for_customers_there_are_none() {
    let none = Told::new("", "");
    assert!(none.rise(NOW, "85").await["data"].get("links").is_none());
    let http = format!("token = \"secret\"\npublic_url = \"{PUBLIC}\"");
    let customers = Told::new(&http, "audience = \"customer\"");
    customers.rise_unseen("2026-11-12T21:41:00Z", "10").await;
    let body = customers.rise(NOW, "85").await.to_string();
    assert!(body.contains("alerts") && !body.contains("link"), "{body}");
}

#[tokio::test]
async fn what_is_kept_of_a_message_lets_nobody_act() {
    let told = Told::with_links();
    let links = told.links().await;
    let reader = Reader::open(&told.world.config().ledger).unwrap();
    let rows = reader.deliveries(&DeliveryFilter::default()).unwrap();
    let kept: Vec<_> = rows.iter().filter_map(|row| reader.sent_message(row.id).unwrap()).collect();
    assert!(!kept.is_empty());
    let body = kept.iter().filter_map(|(_, message)| message.body.clone()).collect::<String>();
    assert!(body.contains(&format!("{PUBLIC}/link/acknowledge/***")), "{body}");
    assert!(!body.contains(links["explain"].as_str().unwrap()), "{body}");
}

#[tokio::test]
async fn an_alert_is_acknowledged_by_its_link_once_and_nothing_is_done_by_looking() {
    let told = Told::with_links();
    let path = path(&told.links().await, "acknowledge");
    let ledger = told.world.config().ledger;
    let (site, _hook) = site(told).await;
    for _ in 0..2 {
        let page = site.get(&path).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(page.words().contains("You act without signing in"), "{}", page.words());
        assert!(!page.text.contains("href=\"/alerts\""), "{}", page.text);
    }
    let acknowledged = || {
        let rows = Reader::open(&ledger).unwrap().alerts(&AlertFilter::default()).unwrap();
        rows.iter().filter_map(|row| row.acknowledged.clone()).collect::<Vec<_>>()
    };
    assert!(acknowledged().is_empty());
    let shown = site.get(&path).await;
    let pressed = press(&site, &path, &shown, &site.origin()).await;
    assert_eq!(pressed.status, 200, "{}", pressed.text);
    let words = "Acknowledged by the link in hook, ";
    assert!(pressed.words().contains(words), "{}", pressed.words());
    let first = acknowledged();
    assert_eq!(first.iter().map(|(_, by)| by.as_str()).collect::<Vec<_>>(), ["the link in hook"]);
    let again = press(&site, &path, &shown, PUBLIC).await;
    assert_eq!(again.status, 200, "{}", again.text);
    assert!(again.words().contains(words) && !again.text.contains("<form"), "{}", again.text);
    assert_eq!(acknowledged(), first);
    let later = site.get(&path).await;
    assert!(later.words().contains(words) && !later.text.contains("<form"), "{}", later.text);
}

#[tokio::test]
async fn a_rule_is_silenced_by_a_link_until_the_period_ends_unless_it_gets_worse() {
    let told = Told::with_links();
    let path = path(&told.links().await, "silence");
    let ledger = told.world.config().ledger;
    let (site, _hook) = site(told).await;
    let shown = site.get(&path).await;
    assert!(
        shown.words().contains("until the billing period ends, unless it goes above 150 %."),
        "{}",
        shown.words()
    );
    for _ in 0..2 {
        let pressed = press(&site, &path, &shown, &site.origin()).await;
        assert!(pressed.words().contains("Silenced by the link in hook"), "{}", pressed.text);
    }
    let silences = Reader::open(&ledger).unwrap().silences().unwrap();
    let [silence] = &*silences else { panic!("{silences:?}") };
    assert_eq!(silence.customers[0].as_str(), ID);
    assert_eq!(silence.rules[0].as_str(), "spend");
    assert_eq!(silence.unless_above.unwrap().to_string(), "150");
    assert_eq!((silence.ends_at, silence.author.as_str()), (None, "the link in hook"));
}

#[tokio::test]
async fn a_customer_is_explained_by_a_link_alone_and_no_other_page_is_open() {
    let told = Told::with_links();
    let path = path(&told.links().await, "explain");
    let clock = Arc::clone(&told.world.clock);
    let (site, _hook) = site(told).await;
    let page = site.get(&path).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let words = page.words();
    assert!(words.contains("Usage 85 SEK") && words.contains("spend: 85 %"), "{words}");
    assert!(!page.text.contains("<form") && !page.text.contains("href=\"/deliveries"), "{words}");
    assert_eq!(site.get(&format!("/customers/{ID}")).await.status, 401);
    let public = [HTML, ("host", "alerts.example")];
    assert_eq!(site.ask(&path, &public).await.status, 200);
    assert_eq!(site.ask("/", &public).await.status, 401, "the address of the pages is known");
    assert_eq!(site.ask(&path, &[HTML, ("host", "other.example")]).await.status, 421);
    clock.advance_to("2026-12-02T12:00:00Z".parse().unwrap());
    let then = site.get(&path).await;
    assert_eq!(then.status, 200, "{}", then.text);
    assert!(then.words().contains("Usage 85 SEK"), "after the period: {}", then.words());
}

#[tokio::test]
async fn forged_foreign_and_expired_links_are_refused_with_words() {
    let told = Told::with_links();
    let own = told.links().await;
    let acknowledge = path(&own, "acknowledge");
    let foreign = path(&Told::with_links().links().await, "acknowledge");
    let clock = Arc::clone(&told.world.clock);
    let (site, _hook) = site(told).await;
    let shown = site.get(&acknowledge).await;
    let changed = {
        let mut letters: Vec<char> = acknowledge.chars().collect();
        let place = "/link/acknowledge/".len() + 20;
        letters[place] = if letters[place] == 'A' { 'B' } else { 'A' };
        letters.into_iter().collect::<String>()
    };
    let other_action = acknowledge.replace("/link/acknowledge/", "/link/silence/");
    let cut = acknowledge[..acknowledge.len() - 4].to_owned();
    for path in [&changed, &foreign, &other_action, &cut, &"/link/acknowledge/x".to_owned()] {
        let page = site.get(path).await;
        assert_eq!(page.status, 403, "{path}: {}", page.text);
        assert!(page.words().contains("This link was not made here"), "{}", page.words());
        assert_eq!(press(&site, path, &shown, &site.origin()).await.status, 403, "{path}");
    }
    assert_eq!(site.get("/link/forget/x").await.status, 403);
    let program = site.ask(&changed, &[("accept", "*/*")]).await;
    assert!(program.text.starts_with("This link was not made here"), "{}", program.text);
    clock.advance_to("2026-12-03T23:59:00Z".parse().unwrap());
    assert_eq!(site.get(&acknowledge).await.status, 200);
    clock.advance_to("2026-12-04T00:00:00Z".parse().unwrap());
    let expired = site.get(&acknowledge).await;
    assert_eq!(expired.status, 403);
    assert!(expired.words().contains("This link has expired"), "{}", expired.words());
}

#[tokio::test]
async fn a_button_works_from_its_own_page_only() {
    let told = Told::with_links();
    let links = told.links().await;
    let (path, other) = (path(&links, "acknowledge"), path(&links, "silence"));
    let ledger = told.world.config().ledger;
    let (site, _hook) = site(told).await;
    let (shown, foreign) = (site.get(&path).await, site.get(&other).await);
    for origin in ["null", "https://evil.example", "https://alerts.example.evil"] {
        assert_eq!(press(&site, &path, &shown, origin).await.status, 403, "{origin}");
    }
    assert_eq!(press(&site, &path, &foreign, &site.origin()).await.status, 403, "another form");
    let form = format!("form={}", shown.field("form"));
    assert_eq!(site.post(&path, &form, &[]).await.status, 403, "no origin");
    let (own, crossed) = (site.origin(), ("sec-fetch-site", "cross-site"));
    assert_eq!(site.post(&path, &form, &[("origin", &own), crossed]).await.status, 403);
    let rows = Reader::open(&ledger).unwrap().alerts(&AlertFilter::default()).unwrap();
    assert!(rows.iter().all(|row| row.acknowledged.is_none()));
}

#[tokio::test]
async fn a_key_is_renewed_each_year_and_the_old_one_holds_for_what_it_signed() {
    let told = Told::with_links();
    told.rise("2025-11-20T21:41:00Z", "85").await;
    told.rise("2026-11-18T21:41:00Z", "85").await;
    let old = path(&links(&told.last()), "acknowledge");
    told.rise("2026-11-21T21:41:00Z", "160").await;
    let new = path(&links(&told.last()), "acknowledge");
    let reader = Reader::open(&told.world.config().ledger).unwrap();
    let keys: Vec<_> = reader.link_keys().unwrap().iter().map(|key| key.id).collect();
    assert_eq!(keys, [1, 2]);
    assert_eq!(&old[..22], "/link/acknowledge/AAAA");
    let (site, _hook) = site(told).await;
    assert_eq!(site.get(&old).await.status, 200);
    assert_eq!(site.get(&new).await.status, 200);
}
