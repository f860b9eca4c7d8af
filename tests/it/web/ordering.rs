//! Orders over the API: who may give them, how they are recorded, and that no other site can.

use serde_json::json;

use super::site::Site;
use crate::support::world::{SPEND, World, plan};

const NOW: &str = "2026-11-14T21:41:00Z";
const DATE: &str = "2026-11-14T17:08:00Z";
const ACK: &str = "/api/v1/ack";

/// A site with a customer that is over its budget, and the alert's reference.
async fn one_over(local: bool, token: Option<&str>) -> (Site, String) {
    let http = format!("[http]\nlisten = \"127.0.0.1:1\"\nlocal_actions = {local}\n");
    let world = World::new(&format!("{SPEND}{http}"));
    let report = world.report(NOW, &[plan("A", "900", "100", DATE)]).await;
    (Site::of(world, token).await, report.alerts[0].alert.reference.clone())
}

#[tokio::test]
async fn a_program_that_bears_the_token_acts_by_the_actions_of_the_commands() {
    let (site, alert) = one_over(false, Some("secret")).await;
    let done = site.order(ACK, &json!({"alerts": [alert], "reason": "we call them"}), 200).await;
    assert_eq!(done[0]["now"]["by"], "http token");
    assert_eq!(
        (&done[0]["now"]["note"], &done[0]["before"]),
        (&json!("we call them"), &json!(null))
    );
    let again = site.order(ACK, &json!({"alerts": [alert]}), 200).await;
    assert_eq!(again[0]["before"], done[0]["now"]);
    let until = "2026-11-21T00:00:00Z";
    let silence = json!({"customers": ["A"], "until": until, "reason": "migration"});
    let made = site.order("/api/v1/silence/add", &silence, 200).await;
    assert_eq!(
        (&made["silence"]["author"], &made["silence"]["until"], &made["crossing"]),
        (&json!("http token"), &json!(until), &json!(1))
    );
    let end = json!({"id": made["silence"]["id"]});
    assert_eq!(site.order("/api/v1/silence/expire", &end, 200).await["already"], false);
}

#[tokio::test]
async fn what_makes_no_sense_is_a_problem_in_words() {
    let (site, _) = one_over(false, Some("secret")).await;
    for (path, body, status, why) in [
        (ACK, json!({"alerts": ["ABCD1234"]}), 422, "there is no alert"),
        (ACK, json!({"alert": "x"}), 400, "unknown field `alert`"),
        (ACK, json!("x"), 400, "the request is not understood"),
        (ACK, json!({"alerts": ["x".repeat(1 << 20)]}), 413, "more than 1 MiB"),
        ("/api/v1/silence/add", json!({"rules": ["*"], "reason": "x"}), 400, "`until`"),
        ("/api/v1/silence/expire", json!({"id": 7}), 422, "there is no silence 7"),
        ("/api/v1/resolve", json!({"id": "abcd", "reason": "fraud"}), 422, "no security alerts"),
        ("/api/v1/notify-test", json!({"notifier": "x"}), 422, "there are: hook"),
        ("/api/v1/poll", json!({}), 503, "no daemon polls here"),
        ("/api/v1/reload", json!({}), 403, "on the control socket only"),
        ("/api/v1/budgets/push", json!({}), 403, "on the control socket only"),
        // What a program's list that came out empty must not mean.
        ("/api/v1/deliveries/release", json!({}), 422, "\"all\": true"),
        ("/api/v1/deliveries/release", json!({"ids": [], "discard": true}), 422, "\"all\": true"),
        ("/api/v1/deliveries/retry", json!({"ids": [], "to": "hook"}), 422, "\"all\": true"),
        (ACK, json!({"alerts": vec!["x"; 1001]}), 422, "at most 1000 alerts"),
        ("/api/v1/notify-test", json!({"notifier": "hook", "to": "a@b.example"}), 422, "--to only"),
        (
            "/api/v1/silence/add",
            json!({"rules": ["x".repeat(501)], "until": "period-end", "reason": "x"}),
            422,
            "of 500 letters",
        ),
        (
            "/api/v1/silence/add",
            json!({"customers": vec!["x"; 1001], "until": "period-end", "reason": "x"}),
            422,
            "at most 1000 patterns",
        ),
        ("/api/v1/nothing", json!({}), 404, "Nothing is served"),
    ] {
        let refused = site.order(path, &body, status).await;
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains(why), "{path}: {detail}");
    }
}

#[tokio::test]
async fn a_session_acts_from_a_page_of_ours_only() {
    let (site, alert) = one_over(false, Some("secret")).await;
    let origin = site.origin();
    let own = ("origin", origin.as_str());
    let login = site.get("/login").await.field("form");
    let signed_in = site.post("/login", &format!("token=secret&form={login}"), &[own]).await;
    let cookie = signed_in.cookie().split(';').next().unwrap().to_owned();
    let cookie = ("cookie", cookie.as_str());
    let page = site.ask("/customers/A", &[("accept", "text/html"), cookie]).await;
    let form = page.proof("/acknowledge");
    let form = ("x-form-token", form.as_str());
    let of_everybody = ("x-form-token", login.as_str());
    let body = json!({"alerts": [alert]}).to_string();
    for (headers, status) in [
        (vec![own, form], 401),
        (vec![cookie], 403),
        (vec![cookie, own], 403),
        (vec![cookie, form], 403),
        (vec![cookie, own, of_everybody], 403),
        (vec![cookie, form, ("origin", "null")], 403),
        (vec![cookie, form, ("origin", "https://attacker.example")], 403),
        (vec![cookie, form, own, ("sec-fetch-site", "cross-site")], 403),
        (vec![cookie, form, own], 200),
    ] {
        let answer = site.post(ACK, &body, &headers).await;
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.text);
    }
    let wrong = [("authorization", "Bearer sesame")];
    assert_eq!(site.post(ACK, &body, &wrong).await.status, 401);
}

#[tokio::test]
async fn this_machine_acts_as_it_does_on_the_pages() {
    let (site, alert) = one_over(false, None).await;
    let body = json!({"alerts": [alert]}).to_string();
    let refused = site.post(ACK, &body, &[]).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("local_actions"), "{}", refused.text);

    let (site, alert) = one_over(true, None).await;
    let body = json!({"alerts": [alert]}).to_string();
    assert_eq!(site.post(ACK, &body, &[]).await.status, 403, "any page of a browser could send it");
    let form = site.get("/customers/A").await.field("form");
    let origin = site.origin();
    let headers = [("origin", origin.as_str()), ("x-form-token", form.as_str())];
    let done = site.post(ACK, &body, &headers).await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert!(done.text.contains("someone on "), "{}", done.text);
}
