//! A person's sign-in as the source sees it: how a device code is asked about, what ends it, and
//! what is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use budget_alertd::clock::Clock;
use budget_alertd::secret::Secret;
use budget_alertd::source::{Grant, SourceError};

use super::stage::{Stage, field, page};

const OFFER: &str = r#"{"device_code":"device-1","user_code":"ABCD-EFGH","verification_uri":"https://login.example/device","expires_in":900,"interval":5}"#;
const PENDING: (u16, &str) = (400, r#"{"error":"authorization_pending"}"#);
const SLOWER: (u16, &str) = (400, r#"{"error":"slow_down"}"#);
const TOKENS: (u16, &str) =
    (200, r#"{"access_token":"a","refresh_token":"refresh-1","expires_in":3600}"#);

/// A sign-in whose questions are answered so, in order, the last one again and again: how it came
/// out, and after how many seconds and questions.
async fn signed_in(
    stage: &mut Stage,
    offer: (u16, &str),
    answers: &[(u16, &str)],
) -> (Result<Grant, SourceError>, i64, usize) {
    let door =
        stage.server.mock("POST", "/contoso/oauth2/v2.0/devicecode").with_status(offer.0.into());
    let scope =
        "https://api.partnercenter.microsoft.com/user_impersonation offline_access openid profile";
    door.match_body(field("scope", scope)).with_body(offer.1).create_async().await;
    let count = Arc::new(AtomicUsize::new(0));
    let answers: Vec<(u16, String)> =
        answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
    for (turn, (status, body)) in answers.iter().enumerate() {
        let (seen, last) = (Arc::clone(&count), answers.len() - 1);
        let due = move |request: &mockito::Request| {
            let form = request.utf8_lossy_body().unwrap().into_owned();
            form.contains("device_code=device-1")
                && form.contains("client_secret=")
                && seen.load(Ordering::SeqCst).min(last) == turn
        };
        let (seen, body) = (Arc::clone(&count), body.clone().into_bytes());
        let answer = move |_: &mockito::Request| {
            seen.fetch_add(1, Ordering::SeqCst);
            body.clone()
        };
        stage
            .token("")
            .with_status((*status).into())
            .match_request(due)
            .with_body_from_request(answer)
            .create_async()
            .await;
    }
    let source = stage.source();
    let before = stage.clock.now();
    let result =
        source.login().unwrap().by_device_code(|prompt| assert_eq!(prompt.code, "ABCD-EFGH")).await;
    (result, stage.clock.now().duration_since(before).as_secs(), count.load(Ordering::SeqCst))
}

#[tokio::test]
async fn a_code_is_asked_about_at_the_pace_that_is_wanted() {
    for (answers, seconds) in [
        (&[TOKENS][..], 5),
        (&[PENDING, PENDING, TOKENS], 15),
        (&[SLOWER, PENDING, TOKENS], 5 + 10 + 10),
        (&[(503, "busy"), TOKENS], 5 + 10),
    ] {
        let mut stage = Stage::bare().await;
        let (grant, took, asked) = signed_in(&mut stage, (200, OFFER), answers).await;
        assert_eq!((took, asked), (seconds, answers.len()));
        assert_eq!(grant.unwrap().into_refresh_token().expose(), "refresh-1");
    }
}

#[tokio::test]
async fn what_ends_a_sign_in_is_told_with_what_to_do() {
    let declined = r#"{"error":"authorization_declined","error_description":"AADSTS70017: Denied. Trace ID: 1"}"#;
    let blocked = r#"{"error":"invalid_grant","error_description":"AADSTS53003: Blocked for device-1.\r\nTrace ID: 1"}"#;
    for (offer, answer, expected, fix) in [
        (
            (200, OFFER),
            (400, declined),
            "the sign-in is refused: authorization_declined: AADSTS70017: Denied.",
            "Start again",
        ),
        (
            (200, OFFER),
            (400, blocked),
            "the sign-in is refused: invalid_grant: AADSTS53003: Blocked for ***.",
            "--browser",
        ),
        (
            (200, OFFER),
            PENDING,
            "the sign-in is refused: expired_token: nobody finished signing in while the code was \
                good",
            "Start again",
        ),
        (
            (200, OFFER),
            (200, r#"{"access_token":"a"}"#),
            "holds no refresh token",
            "offline_access",
        ),
        (
            (200, "<html>"),
            TOKENS,
            "the sign-in service: the answer holds no code to sign in with",
            "",
        ),
        ((404, "nowhere"), TOKENS, "the sign-in service answered 404", ""),
    ] {
        let mut stage = Stage::bare().await;
        let (result, took, _) = signed_in(&mut stage, offer, &[answer]).await;
        let said = result.unwrap_err().in_full();
        assert!(said.contains(expected) && said.contains(fix), "{said}");
        assert!(took <= 900, "{took}");
    }
}

#[tokio::test]
async fn what_is_kept_forgets_the_sign_in_before_and_outlives_the_configured_token() {
    let mut stage = Stage::bare().await;
    stage
        .token(r#"{"access_token":"old"}"#)
        .match_body(field("refresh_token", "refresh-seed"))
        .expect(1)
        .create_async()
        .await;
    let new = stage
        .token(r#"{"access_token":"new"}"#)
        .match_body(field("refresh_token", "from-a-person"));
    let new = new.expect(2).create_async().await;
    stage.usage().with_body(page("c1")).create_async().await;
    let source = stage.source();
    source.probe().await.unwrap();
    assert!(source.keep_sign_in(Secret::new("from-a-person")).await.unwrap());
    assert!(
        stage.config.has_sign_in()
            && stage.config.sign_in_file() == stage.state.path().join("sign-in.json")
    );
    // The same process at once, though the access token before lives on; and another one after it.
    source.probe().await.unwrap();
    stage.source().probe().await.unwrap();
    new.assert_async().await;
}

#[tokio::test]
async fn a_token_configured_after_a_sign_in_replaces_it_and_one_left_out_does_not() {
    let mut stage = Stage::bare().await;
    stage.usage().with_body(page("c1")).create_async().await;
    let keep =
        async |stage: &Stage, token: &str| stage.source().keep_sign_in(Secret::new(token)).await;
    let configured = stage.config.refresh_token.clone();
    keep(&stage, "person-1").await.unwrap();
    // Left out while the next person signs in: the old one stays the old one.
    stage.config.refresh_token = None;
    keep(&stage, "person-2").await.unwrap();
    stage.config.refresh_token = configured;
    let used = stage
        .token(r#"{"access_token":"a"}"#)
        .match_body(field("refresh_token", "person-2"))
        .expect(1)
        .create_async()
        .await;
    stage.source().probe().await.unwrap();
    used.assert_async().await;
    stage.config.refresh_token = Some(Secret::new("another"));
    let used = stage
        .token(r#"{"access_token":"a"}"#)
        .match_body(field("refresh_token", "another"))
        .expect(1)
        .create_async()
        .await;
    stage.source().probe().await.unwrap();
    used.assert_async().await;
}

#[tokio::test]
async fn a_probe_takes_no_page_of_somebody_in_between_for_usage() {
    let mut stage = Stage::new().await;
    stage.usage().with_body("<html>Sign in to the guest network</html>").create_async().await;
    let error = stage.source().probe().await.unwrap_err();
    assert_eq!(error.to_string(), "Partner Center: the answer is no collection of usage records");
}
