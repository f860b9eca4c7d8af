//! Signing in to the pages with an account, against a service that holds us to the specifications
//! and whose tokens are right, or wrong in one way.

use std::time::Duration;

use axum::http::StatusCode;
use budget_alertd::clock::Clock as _;
use reqwest::header::SET_COOKIE;
use serde_json::json;

use super::site::{Answer, Site};
use crate::support::client;
use crate::support::openid::{CLIENT, OpenIdService, Plan, SECRET, TENANT};
use crate::support::world::{Record, SPEND, World, plan};

const HTML: (&str, &str) = ("accept", "text/html");

/// Pages to which accounts sign in, and the service.
struct Scene {
    site: Site,
    service: OpenIdService,
    clock: std::sync::Arc<budget_alertd::clock::SimulatedClock>,
}

/// A browser that has begun to sign in.
struct Begun {
    /// What it brings along.
    cookie: String,
    /// Where the service sent it back to: path and question.
    back: String,
}

impl Scene {
    async fn new(token: Option<&str>) -> Self {
        Self::of(token, &[]).await
    }

    /// With what was reported of customers.
    async fn of(token: Option<&str>, plans: &[Record]) -> Self {
        let clock = World::new(SPEND).clock;
        let service = OpenIdService::start(clock.now()).await;
        let http = format!(
            "{SPEND}\n[http]\nlisten = \"127.0.0.1:0\"\n\
                public_url = \"https://alerts.partner.example\"\n\
                [http.sign_in]\ntype = \"entra\"\ntenant_id = \"{TENANT}\"\n\
                client_id = \"{CLIENT}\"\nclient_secret = \"{SECRET}\"\nlogin_url = \"{}\"\n",
            service.url()
        );
        let world = World::new(&http);
        let clock = std::sync::Arc::clone(&world.clock);
        if !plans.is_empty() {
            world.report("2026-11-14T21:41:00Z", plans).await;
            service.plan(|plan| plan.now = clock.now());
        }
        Self { site: Site::of(world, token).await, service, clock }
    }

    /// What the service does from now on.
    fn plan(&self, change: impl FnOnce(&mut Plan)) {
        self.service.plan(change);
    }

    async fn begin(&self, to: &str) -> Begun {
        let left = self.site.get(&format!("/sign-in?to={to}")).await;
        assert_eq!(left.status, 303, "{}", left.text);
        let cookie = left.cookie();
        let end = "; Path=/sign-in; Max-Age=600; HttpOnly; SameSite=Lax; Secure";
        assert!(cookie.ends_with(end), "{cookie}");
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let browser = client().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let answer = browser.get(left.location()).send().await.unwrap();
        let back = answer.headers()["location"].to_str().unwrap().to_owned();
        let back = back.strip_prefix("https://alerts.partner.example").unwrap().to_owned();
        Begun { cookie, back }
    }

    async fn back(&self, begun: &Begun) -> Answer {
        self.site.ask(&begun.back, &[HTML, ("cookie", &begun.cookie)]).await
    }

    /// Signs in and returns the cookie of the session.
    async fn session(&self) -> String {
        let answer = self.back(&self.begin("/alerts").await).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        cookies(&answer)[0].split(';').next().unwrap().to_owned()
    }

    /// What a sign-in is refused with.
    async fn refused(&self) -> (u16, String) {
        let answer = self.back(&self.begin("/").await).await;
        assert_eq!(answer.cookie(), "", "{}", answer.text);
        (answer.status, answer.words())
    }
}

fn cookies(answer: &Answer) -> Vec<&str> {
    answer.headers.get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap()).collect()
}

#[tokio::test]
async fn an_account_signs_in_once_and_is_named_on_every_page() {
    let scene = Scene::new(None).await;
    let asked = scene.site.get("/alerts?severity=critical").await;
    assert_eq!(asked.status, 401);
    let way = "href=\"https://alerts.partner.example/sign-in?to=%2Falerts%3Fseverity%3Dcritical\"";
    assert!(asked.text.contains(way), "{}", asked.text);
    assert!(!asked.text.contains("name=\"token\""), "there is no token: {}", asked.text);

    let begun = scene.begin("/alerts%3Fseverity%3Dcritical").await;
    let answer = scene.back(&begun).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.words().contains("As anna@partner.example (operator)."), "{}", answer.words());
    assert_eq!(answer.header("refresh"), "0; url=/alerts?severity=critical");
    let [session, over] = cookies(&answer)[..] else { panic!("{:?}", cookies(&answer)) };
    let end = "; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure";
    assert!(session.starts_with("budget-alertd=") && session.ends_with(end), "{session}");
    assert!(over.starts_with("budget-alertd-sign-in=; Path=/sign-in; Max-Age=0"), "{over}");
    let session = session.split(';').next().unwrap();

    let headers = [HTML, ("cookie", session), ("host", "alerts.partner.example")];
    let page = scene.site.ask("/alerts", &headers).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("<p class=\"account\">anna@partner.example (operator)</p>"));
    let own = [("origin", "https://alerts.partner.example"), ("host", "alerts.partner.example")];
    let out = scene.site.post("/logout", &format!("form={}", page.field("form")), &own).await;
    assert_eq!((out.status, out.location()), (303, "/login"));
    assert!(out.cookie().starts_with("budget-alertd=; Path=/; Max-Age=0"), "{}", out.cookie());
    scene.clock.advance(Duration::from_hours(12));
    assert_eq!(scene.site.ask("/alerts", &headers).await.status, 401, "12 hours are over");
}

#[tokio::test]
async fn roles_decide_who_sees_who_acts_and_who_gets_nothing() {
    let scene = Scene::new(None).await;
    let origin = scene.site.origin();
    for (roles, word, acts) in [
        (vec!["reader"], "reader", 403),
        (vec!["operator", "reader"], "operator", 405),
        (vec!["reader", "admin"], "admin", 405),
    ] {
        scene.plan(|plan| plan.roles = roles.into_iter().map(str::to_owned).collect());
        let session = scene.session().await;
        let cookie = ("cookie", session.as_str());
        let page = scene.site.ask("/alerts", &[HTML, cookie]).await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains(&format!("({word})")), "{}", page.text);
        // No page takes a POST at this address: the guard lets it through, or not.
        let act = scene.site.post("/alerts", "", &[HTML, cookie, ("origin", &origin)]).await;
        assert_eq!(act.status, acts, "{word}: {}", act.text);
    }
    for roles in [vec![], vec!["Reader".to_owned(), "owner".to_owned()]] {
        scene.plan(|plan| plan.roles = roles);
        let (status, words) = scene.refused().await;
        assert_eq!(status, 403);
        assert!(words.contains("anna@partner.example has no role here."), "{words}");
        assert!(words.contains("assign the account the role reader, operator or admin"), "{words}");
    }
    scene.plan(|plan| plan.claims = json!({ "roles": null }));
    assert_eq!(scene.refused().await.0, 403);
}

#[tokio::test]
async fn an_id_token_that_is_wrong_in_one_way_signs_nobody_in() {
    let scene = Scene::new(None).await;
    let now = scene.clock.now().as_second();
    let other = "11111111-8a3e-4d6b-9f55-0d6f6f0a2c11";
    let elsewhere = format!("{}/{other}/v2.0", scene.service.url());
    for (claims, why) in [
        (json!({ "iss": elsewhere }), "its issuer is another one"),
        (json!({ "iss": null }), "it cannot be read"),
        (json!({ "aud": "another application" }), "its audience is another application"),
        (json!({ "aud": [] }), "its audience is another application"),
        (json!({ "aud": null }), "it cannot be read"),
        (json!({ "nonce": "another" }), "it belongs to another sign-in (nonce)"),
        (json!({ "nonce": null }), "it belongs to another sign-in (nonce)"),
        (json!({ "tid": other }), "its tenant is another one"),
        (json!({ "tid": null }), "its tenant is another one"),
        (json!({ "exp": now - 120 }), "it is not valid at this time"),
        (json!({ "exp": null }), "it cannot be read"),
        (json!({ "nbf": now + 121 }), "it is not valid at this time"),
        (json!({ "name": " ", "preferred_username": null, "oid": null }), "it names nobody"),
    ] {
        scene.plan(|plan| plan.claims = claims.clone());
        let (status, words) = scene.refused().await;
        assert_eq!(status, 403, "{claims}");
        assert!(words.contains(&format!("the id token is not accepted: {why}.")), "{words}");
    }
    scene.plan(|plan| plan.claims = json!({ "exp": now - 119, "nbf": now + 120 }));
    scene.session().await;
}

#[tokio::test]
async fn an_id_token_that_somebody_else_signed_signs_nobody_in() {
    let scene = Scene::new(None).await;
    scene.plan(|plan| plan.key = "foreign");
    assert!(scene.refused().await.1.contains("its signature is wrong"));
    scene.plan(|plan| plan.algorithm = "HS256");
    assert!(scene.refused().await.1.contains("its algorithm is not RS256"));
    scene.plan(|plan| plan.algorithm = "none");
    let (status, words) = scene.refused().await;
    assert_eq!(status, 403);
    assert!(words.contains("the id token is not accepted"), "{words}");
}

#[tokio::test]
async fn a_key_that_nobody_knows_is_asked_for_and_not_again_and_again() {
    let scene = Scene::new(None).await;
    scene.session().await;
    assert_eq!(scene.service.asked("/keys"), 1);
    scene.plan(|plan| (plan.key_name, plan.key) = ("next", "next"));
    for _ in 0..3 {
        assert!(scene.refused().await.1.contains("the service has published no such key"));
    }
    assert_eq!(scene.service.asked("/keys"), 1, "it was asked half a minute ago at most");
    scene.clock.advance(Duration::from_secs(30));
    scene.plan(|plan| plan.published.push(("next", "next")));
    scene.session().await;
    scene.session().await;
    assert_eq!(scene.service.asked("/keys"), 2);
}

#[tokio::test]
async fn an_answer_counts_once_and_only_in_the_browser_that_asked() {
    let scene = Scene::new(None).await;
    let (one, other) = (scene.begin("/").await, scene.begin("/").await);
    let foreign = "This sign-in was not begun here in this browser";
    let without = scene.site.get(&one.back).await;
    let crossed = Begun { cookie: other.cookie.clone(), back: one.back.clone() };
    let crossed = scene.back(&crossed).await;
    let code = one.back.split("state=").next().unwrap();
    let stateless = Begun { cookie: one.cookie.clone(), back: code.to_owned() };
    let stateless = scene.back(&stateless).await;
    for answer in [without, crossed, stateless] {
        assert_eq!((answer.status, answer.cookie()), (403, ""));
        assert!(answer.words().contains(foreign), "{}", answer.words());
    }
    assert_eq!(scene.service.asked("/token"), 0, "none of them was asked about");
    assert_eq!(scene.back(&one).await.status, 200);
    let again = scene.back(&one).await;
    assert_eq!((again.status, again.cookie()), (403, ""));
    assert!(again.words().contains(foreign), "{}", again.words());
    scene.clock.advance(Duration::from_mins(10));
    assert!(scene.back(&other).await.words().contains(foreign), "10 minutes are over");
}

#[tokio::test]
async fn the_service_holds_us_to_the_verifier_and_to_one_use_of_a_code() {
    let scene = Scene::new(None).await;
    let begun = scene.begin("/").await;
    scene.service.change_last_code("code_challenge", &"x".repeat(43));
    let answer = scene.back(&begun).await;
    assert_eq!((answer.status, answer.cookie()), (403, ""));
    assert!(answer.words().contains("AADSTS50148"), "{}", answer.words());
    let (first, mut second) = (scene.begin("/").await, scene.begin("/").await);
    assert_eq!(scene.back(&first).await.status, 200);
    second.back = second.back.replace("code-2", "code-1");
    let answer = scene.back(&second).await;
    assert_eq!((answer.status, answer.cookie()), (403, ""));
    assert!(answer.words().contains("AADSTS54005"), "{}", answer.words());
    assert!(!answer.text.contains(SECRET), "{}", answer.text);
    let mut denied = scene.begin("/").await;
    denied.back =
        denied.back.replace("code=code-3", "error=access_denied&error_description=No%3Cb%3E");
    let answer = scene.back(&denied).await;
    assert_eq!(answer.status, 403);
    assert!(answer.text.contains("The sign-in service says: No&#60;b&#62;"), "{}", answer.text);
}

#[tokio::test]
async fn while_the_service_is_down_the_token_still_opens_the_pages() {
    let scene = Scene::new(Some("open sesame")).await;
    scene.plan(|plan| plan.down = Some(StatusCode::SERVICE_UNAVAILABLE));
    let page = scene.site.get("/sign-in").await;
    assert_eq!(page.status, 503);
    let words = page.words();
    assert!(words.contains("the sign-in service cannot be used now: it answers 503"), "{words}");
    assert_eq!(scene.site.get("/sign-in").await.status, 503);
    assert_eq!(scene.service.asked("/openid-configuration"), 1, "it is given half a minute");
    let login = scene.site.get("/login").await;
    let body = format!("token=open+sesame&form={}", login.field("form"));
    let origin = scene.site.origin();
    let own = [("origin", origin.as_str())];
    assert_eq!(scene.site.post("/login", &body, &own).await.status, 303);
    scene.plan(|plan| plan.down = None);
    scene.clock.advance(Duration::from_secs(30));
    let session = scene.session().await;
    let page = scene.site.ask("/alerts", &[HTML, ("cookie", &session)]).await;
    assert_eq!(page.status, 200);
    scene.plan(|plan| plan.down = Some(StatusCode::BAD_GATEWAY));
    assert_eq!(scene.site.ask("/alerts", &[HTML, ("cookie", &session)]).await.status, 200);
}

#[tokio::test]
async fn a_service_that_describes_another_one_is_not_followed() {
    let scene = Scene::new(None).await;
    for (description, why) in [
        (json!({ "issuer": "https://attacker.example/v2.0" }), "its issuer is not"),
        (json!({ "token_endpoint": "https://attacker.example/" }), "addresses of another server"),
        (json!({ "jwks_uri": null }), "its description cannot be read"),
    ] {
        scene.plan(|plan| plan.description = description);
        scene.clock.advance(Duration::from_secs(30));
        let page = scene.site.get("/sign-in").await;
        assert_eq!((page.status, page.cookie()), (403, ""), "{}", page.text);
        assert!(page.words().contains(why), "{}", page.words());
    }
}

#[tokio::test]
async fn programs_are_told_that_they_need_a_token() {
    let scene = Scene::new(None).await;
    let metrics = scene.site.ask("/metrics", &[("accept", "*/*")]).await;
    assert_eq!(metrics.status, 401);
    assert!(metrics.text.starts_with("programs need a token of [http]"), "{}", metrics.text);
    assert_eq!(scene.site.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn an_operator_acts_and_is_recorded_by_the_name_of_the_account() {
    let scene = one_over().await;
    let session = scene.session().await;
    let headers = from_page(&session);
    let page = scene.site.ask("/customers/A", &headers).await;
    let path = acknowledge(&page);
    let of_sign_out = format!("form={}", page.field("form"));
    let refused = scene.site.post(&path, &of_sign_out, &headers).await;
    assert_eq!(refused.status, 403, "who may look only has such a form, too");
    let own = page.proof("/acknowledge");
    let form = format!("form={own}&to=%2Fcustomers%2FA&note=we+call+them");
    let done = scene.site.post(&path, &form, &headers).await;
    assert_eq!((done.status, done.location()), (303, "/customers/A"), "{}", done.text);
    let words = scene.site.ask("/customers/A", &headers).await.words();
    let record = "acknowledged by anna@partner.example, Sat 14 Nov 21:41 UTC: we call them";
    assert!(words.contains(record), "{words}");
    let (cookie, host, origin) = (headers[1], headers[2], headers[3]);
    let silence = r#"{"customers": ["A"], "until": "period-end", "reason": "x"}"#;
    let program = [cookie, host, origin, ("x-form-token", own.as_str())];
    let made = scene.site.post("/api/v1/silence/add", silence, &program).await;
    assert!(made.text.contains("\"author\":\"anna@partner.example\""), "{}", made.text);
    let stolen = [HTML, ("cookie", &session), ("origin", "https://attacker.example")];
    assert_eq!(scene.site.post(&path, &form, &stolen).await.status, 403);
}

#[tokio::test]
async fn a_reader_sees_no_form_and_is_refused_who_tries_to_act() {
    let scene = one_over().await;
    let operator = scene.session().await;
    let offered = scene.site.ask("/customers/A", &from_page(&operator)).await;
    scene.plan(|plan| plan.roles = vec!["reader".to_owned()]);
    let session = scene.session().await;
    let headers = from_page(&session);
    let page = scene.site.ask("/customers/A", &headers).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.text.matches("method=\"post\"").count(), 1, "{}", page.text);
    assert!(page.text.contains("action=\"/logout\""), "{}", page.text);
    let api = scene.site.ask("/api/v1/customers", &[("cookie", &session)]).await;
    assert_eq!(api.status, 200);
    for form in [page.field("form"), offered.field("form")] {
        let tried =
            scene.site.post(&acknowledge(&offered), &format!("form={form}"), &headers).await;
        assert_eq!(tried.status, 403, "{}", tried.text);
        assert!(tried.words().contains("This account may look, but not act"), "{}", tried.text);
    }
    for path in ["/silences/new?customer=A&until=7d&reason=x", "/security-alerts/x/answer"] {
        let refused = scene.site.ask(path, &headers).await;
        assert_eq!(refused.status, 403, "{path}");
        assert!(refused.words().contains("This account may look"), "{path}: {}", refused.text);
    }
    let (cookie, host, origin) = (headers[1], headers[2], headers[3]);
    let form = offered.proof("/acknowledge");
    let program = [cookie, host, origin, ("x-form-token", form.as_str())];
    let refused = scene.site.post("/api/v1/ack", "{\"alerts\": [\"x\"]}", &program).await;
    assert_eq!((refused.status, refused.header("content-type")), (403, "application/problem+json"));
    let words = scene.site.ask("/customers/A", &headers).await.words();
    assert!(!words.contains("acknowledged by"), "{words}");
    let out = scene.site.post("/logout", &format!("form={}", page.field("form")), &headers).await;
    assert_eq!((out.status, out.location()), (303, "/login"));
}

/// A customer is over its budget.
async fn one_over() -> Scene {
    Scene::of(None, &[plan("A", "900", "100", "2026-11-14T17:08:00Z")]).await
}

/// What a browser says that is on a page of ours.
fn from_page(session: &str) -> [(&'static str, &str); 4] {
    let host = "alerts.partner.example";
    let origin = "https://alerts.partner.example";
    [HTML, ("cookie", session), ("host", host), ("origin", origin)]
}

/// Where the form of a page that acknowledges is sent to.
fn acknowledge(page: &Answer) -> String {
    let all = page.text.split("action=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    all.into_iter().find(|path| path.ends_with("/acknowledge")).expect(&page.text).to_owned()
}
