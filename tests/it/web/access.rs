//! Who may look at the pages, and what every page says to the browser.

use super::site::Site;
use crate::support::world::{SPEND, World};

const HTML: (&str, &str) = ("accept", "text/html");

#[tokio::test]
async fn without_a_token_this_machine_sees_every_page_and_nothing_else_is_served() {
    let site = Site::of(World::new(SPEND), None).await;
    for path in ["/alerts", "/deliveries", "/notifiers", "/silences", "/security-alerts"] {
        let page = site.get(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.text);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    }
    let unknown = site.get("/alerts/x").await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.words().contains("There is no such page"), "{}", unknown.text);
    let login = site.get("/login").await;
    assert_eq!(login.status, 404, "there is nothing to sign in with");
    assert_eq!(site.post("/alerts", "", &[]).await.status, 405);
}

#[tokio::test]
async fn every_answer_lets_the_browser_load_run_frame_and_keep_nothing() {
    let site = Site::of(World::new(SPEND), None).await;
    for path in ["/alerts", "/nothing", "/metrics", "/style.css"] {
        let page = site.get(path).await;
        assert_eq!(
            page.header("content-security-policy"),
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri \
                'none'; frame-ancestors 'none'",
            "{path}"
        );
        assert_eq!(page.header("referrer-policy"), "same-origin");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        let kept =
            if path == "/style.css" { "public, max-age=31536000, immutable" } else { "no-store" };
        assert_eq!(page.header("cache-control"), kept, "{path}");
    }
    let page = site.get("/alerts").await.text;
    for foreign in ["<script", "style=", "http://", "https://", "//cdn"] {
        assert!(!page.contains(foreign), "{foreign} in {page}");
    }
    let style = page.split("rel=\"stylesheet\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let style = site.get(style).await;
    assert_eq!((style.status, style.header("content-type")), (200, "text/css; charset=utf-8"));
    assert!(!style.text.contains("url("), "{}", style.text);
}

#[tokio::test]
async fn another_name_of_this_address_is_refused() {
    let site = Site::of(World::new(SPEND), None).await;
    let page = site.ask("/alerts", &[HTML, ("host", "attacker.example")]).await;
    assert_eq!(page.status, 421);
    assert!(!page.text.contains("<main"), "{}", page.text);
}

#[tokio::test]
async fn with_a_token_programs_bear_it_and_people_sign_in_once() {
    let site = Site::of(World::new(SPEND), Some("open sesame")).await;
    let refused = site.ask("/alerts", &[("accept", "*/*")]).await;
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, "Bearer"));
    assert!(refused.text.starts_with("send Authorization: Bearer"), "{}", refused.text);
    let bearer = ("authorization", "Bearer open sesame");
    assert_eq!(site.ask("/alerts", &[HTML, bearer]).await.status, 200);
    assert_eq!(site.ask("/alerts", &[HTML, ("authorization", "Bearer x")]).await.status, 401);

    let asked = site.get("/alerts?severity=critical").await;
    assert_eq!(asked.status, 401);
    assert_eq!(asked.field("to"), "/alerts?severity=critical");
    let form = asked.field("form");
    let origin = site.origin();
    let send = |token: &str, to: &str| format!("token={token}&to={to}&form={form}");
    let own = [("origin", origin.as_str())];
    let wrong = site.post("/login", &send("sesame", "%2Falerts"), &own).await;
    assert_eq!((wrong.status, wrong.cookie()), (401, ""));
    assert!(wrong.words().contains("That is not the token."), "{}", wrong.text);
    let right = site.post("/login", &send("open+sesame", "%2Falerts%3Fa%3Db"), &own).await;
    assert_eq!((right.status, right.location()), (303, "/alerts?a=b"));
    let cookie = right.cookie();
    assert!(cookie.starts_with("budget-alertd="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"), "{cookie}");
    let session = cookie.split(';').next().unwrap();

    let page = site.ask("/alerts", &[HTML, ("cookie", session)]).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("Sign out"));
    let out = site.post("/logout", &format!("form={}", page.field("form")), &own).await;
    assert_eq!((out.status, out.location()), (303, "/login"));
    assert!(out.cookie().starts_with("budget-alertd=; Path=/; Max-Age=0"), "{}", out.cookie());
    assert_eq!(site.get("/login").await.status, 200);
    let forged = format!("{session}x");
    assert_eq!(site.ask("/alerts", &[HTML, ("cookie", &forged)]).await.status, 401);
}

#[tokio::test]
async fn a_form_of_another_site_signs_nobody_in_and_leads_nowhere() {
    let site = Site::of(World::new(SPEND), Some("secret")).await;
    let form = site.get("/").await.field("form");
    let body = format!("token=secret&form={form}");
    let origin = site.origin();
    for headers in [
        vec![],
        vec![("origin", "null")],
        vec![("origin", "http://attacker.example")],
        vec![("origin", origin.as_str()), ("sec-fetch-site", "cross-site")],
    ] {
        let page = site.post("/login", &body, &headers).await;
        assert_eq!((page.status, page.cookie()), (403, ""), "{headers:?}");
    }
    let own = [("origin", origin.as_str())];
    assert_eq!(site.post("/login", "token=secret&form=1.x", &own).await.status, 403);
    for elsewhere in
        ["//attacker.example", "http://attacker.example", "/%5Cattacker", "x", "/login"]
    {
        let page = site.post("/login", &format!("{body}&to={elsewhere}"), &own).await;
        assert_eq!((page.status, page.location()), (303, "/"), "{elsewhere}");
    }
}

#[tokio::test]
async fn a_link_of_a_mail_asks_again_from_here_for_the_cookie_of_this_site() {
    let site = Site::of(World::new(SPEND), Some("secret")).await;
    let navigation = [HTML, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
    assert_eq!(site.ask("/alerts", &navigation).await.header("refresh"), "0");
    let again = [HTML, ("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "navigate")];
    assert_eq!(site.ask("/alerts", &again).await.header("refresh"), "");
}
