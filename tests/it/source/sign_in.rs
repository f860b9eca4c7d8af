//! Signing in: what is asked, what is kept, and what is told when it is refused.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use budget_alertd::secret::Secret;
use mockito::{Matcher, Mock};

use super::script::{Script, answer, ok};
use super::stage::{Stage, field, now, page};

/// What is kept, without the time; a line.
fn kept(stage: &Stage) -> String {
    let Ok(text) = std::fs::read_to_string(stage.state.path().join("sign-in.json")) else {
        return "nothing".into();
    };
    let kept: serde_json::Value = serde_json::from_str(&text).unwrap();
    format!(
        "{} from {}",
        kept["refresh_token"].as_str().unwrap(),
        &kept["seed_sha256"].as_str().unwrap().get(..8).unwrap_or("nobody")
    )
}

/// Tokens `access-N` and `refresh-N`, counted from 1.
async fn rotating(stage: &mut Stage, expires_in: &str) -> Mock {
    let count = AtomicU32::new(0);
    let expires_in = expires_in.to_owned();
    let body = move |_: &mockito::Request| {
        let turn = count.fetch_add(1, Ordering::SeqCst) + 1;
        format!(r#"{{"access_token":"access-{turn}","refresh_token":"refresh-{turn}","expires_in":{expires_in}}}"#).into_bytes()
    };
    stage.token("").with_body_from_request(body).create_async().await
}

#[tokio::test]
async fn the_refresh_token_is_exchanged_for_partner_center_as_this_user() {
    let mut stage = Stage::bare().await;
    let scope = "https://api.partnercenter.microsoft.com/user_impersonation offline_access";
    let form = Matcher::AllOf(vec![
        field("grant_type", "refresh_token"),
        field("client_id", "11111111-2222-3333-4444-555555555555"),
        field("client_secret", "client-secret-1"),
        field("refresh_token", "refresh-seed"),
        field("scope", scope),
    ]);
    let token = stage
        .token(r#"{"access_token":"a","expires_in":"3600","ext_expires_in":"3600"}"#)
        .match_body(form)
        .create_async()
        .await;
    stage
        .usage()
        .match_header("authorization", "Bearer a")
        .with_body(page("c1"))
        .create_async()
        .await;
    assert_eq!(stage.read().await.account(), "1 records, 0 skipped, ok");
    token.assert_async().await;
    assert_eq!(kept(&stage), "nothing", "no new refresh token came");
    assert_eq!(stage.counted("sign_in_expires"), "");
}

#[tokio::test]
async fn a_public_client_has_no_secret_to_send() {
    let mut stage = Stage::bare().await;
    stage.config.client_secret = None;
    let unsecret =
        |request: &mockito::Request| !request.utf8_lossy_body().unwrap().contains("client_secret");
    stage.token(r#"{"access_token":"a"}"#).match_request(unsecret).create_async().await;
    stage.usage().with_body(page("c1")).create_async().await;
    assert_eq!(stage.read().await.account(), "1 records, 0 skipped, ok");
}

#[tokio::test]
async fn a_rotated_token_is_on_disk_before_the_access_token_is_used() {
    let mut stage = Stage::bare().await;
    rotating(&mut stage, "3600").await;
    // Only root can give the folder away, and only then is there an owner to follow.
    drop(std::os::unix::fs::chown(stage.state.path(), Some(65534), Some(65534)));
    let leftover = stage.state.path().join(format!(".sign-in.json.{}", std::process::id()));
    std::fs::write(leftover, "a process that was killed left this, readable by all").unwrap();
    let file = stage.state.path().join("sign-in.json");
    let body = move |_: &mockito::Request| {
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        page(if kept.contains("refresh-1") { "on-disk" } else { "not-on-disk" }).into_bytes()
    };
    stage.usage().with_body_from_request(body).create_async().await;
    assert_eq!(stage.read().await.ids(), "on-disk@0");
    assert_eq!(kept(&stage), "refresh-1 from 0010bd71");
    let file = std::fs::metadata(stage.state.path().join("sign-in.json")).unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
    assert_eq!(file.uid(), std::fs::metadata(stage.state.path()).unwrap().uid());
    assert_eq!(std::fs::read_dir(stage.state.path()).unwrap().count(), 1, "nothing is left over");
    // 2019-12-16T20:31:45Z: 90 days later.
    assert_eq!(stage.counted("sign_in_expires"), "sign_in_expires_timestamp_seconds 1576528305");
}

#[tokio::test]
async fn the_access_token_is_used_until_shortly_before_its_end() {
    for (life, used_for) in
        [("3600", 3299), ("\"3600\"", 3299), ("600", 539), ("60", 29), ("18446744073709551615", 0)]
    {
        let mut stage = Stage::bare().await;
        let renewals = if used_for == 0 { 1 } else { 2 };
        let token = rotating(&mut stage, life).await.expect(renewals);
        stage.usage().with_body(page("c1")).create_async().await;
        let source = stage.source();
        for wait in [0, used_for, 1] {
            stage.clock.advance(Duration::from_secs(wait));
            source.read(now(), &mut |_| ()).await;
        }
        token.assert_async().await;
        assert_eq!(kept(&stage), format!("refresh-{renewals} from 0010bd71"));
    }
}

#[tokio::test]
async fn the_kept_token_is_used_until_another_one_is_configured() {
    let mut stage = Stage::bare().await;
    rotating(&mut stage, "3600").await;
    stage.usage().with_body(page("c1")).create_async().await;
    stage.read().await;
    let used = |token: &str| field("refresh_token", token);
    let seen = stage
        .token(r#"{"access_token":"b","refresh_token":"refresh-b"}"#)
        .match_body(used("refresh-1"))
        .create_async()
        .await;
    stage.read().await;
    seen.assert_async().await;
    stage.config.refresh_token = None;
    let seen = stage
        .token(r#"{"access_token":"c","refresh_token":"refresh-c"}"#)
        .match_body(used("refresh-b"))
        .create_async()
        .await;
    stage.read().await;
    seen.assert_async().await;
    assert_eq!(kept(&stage), "refresh-c from 0010bd71");
    stage.config.refresh_token = Some(Secret::new("another-seed"));
    let seen = stage
        .token(r#"{"access_token":"d","refresh_token":"refresh-d"}"#)
        .match_body(used("another-seed"))
        .create_async()
        .await;
    stage.read().await;
    seen.assert_async().await;
    assert!(kept(&stage).starts_with("refresh-d from ") && !kept(&stage).contains("0010bd71"));
}

#[tokio::test]
async fn without_any_token_the_way_to_one_is_named() {
    let mut stage = Stage::bare().await;
    stage.config.refresh_token = None;
    let reading = stage.read().await;
    let expected = "there is no sign-in yet. Sign in (`budget-alertd login`), or put a refresh \
        token where source.refresh_token reads it.";
    assert_eq!(reading.report.errors, [expected]);
    let finding = reading.report.failure.unwrap().finding();
    assert_eq!(
        (finding.code.as_str(), finding.action.as_str()),
        (
            "sign-in-refused",
            "Sign in (`budget-alertd login`), or put a refresh token where source.refresh_token \
                reads it."
        )
    );
}

#[tokio::test]
async fn a_damaged_file_gives_way_to_the_configured_token() {
    let mut stage = Stage::bare().await;
    rotating(&mut stage, "3600").await;
    stage.usage().with_body(page("c1")).create_async().await;
    std::fs::write(stage.state.path().join("sign-in.json"), "{\"refresh_token\": \"half").unwrap();
    assert_eq!(stage.read().await.account(), "1 records, 0 skipped, ok");
    assert_eq!(kept(&stage), "refresh-1 from 0010bd71");
    std::fs::write(stage.state.path().join("sign-in.json"), "{\"refresh_token\": \"half").unwrap();
    stage.config.refresh_token = None;
    assert_eq!(
        stage.read().await.report.failure.unwrap().to_string(),
        "the kept sign-in cannot be read: it is damaged"
    );
}

#[tokio::test]
async fn usage_is_read_even_when_the_new_token_cannot_be_saved_and_that_is_said() {
    let mut stage = Stage::bare().await;
    rotating(&mut stage, "3600").await;
    stage.usage().with_body(page("c1")).create_async().await;
    let folder = stage.state.path().join("file-in-the-way");
    std::fs::write(&folder, "").unwrap();
    stage.config.state_dir = folder.clone();
    let source = stage.source();
    let mut records = 0;
    let mut read = async || source.read(now(), &mut |_| records += 1).await;
    let report = read().await;
    assert!(report.failure.is_none());
    assert_eq!(report.errors.len(), 1);
    assert!(
        report.errors[0].starts_with("the renewed sign-in cannot be saved in the state folder: "),
        "{:?}",
        report.errors
    );
    // The token in memory is the one that is used next, and saved as soon as that is possible.
    std::fs::remove_file(&folder).unwrap();
    std::fs::create_dir(&folder).unwrap();
    let seen = stage
        .token(r#"{"access_token":"b"}"#)
        .match_body(field("refresh_token", "refresh-1"))
        .create_async()
        .await;
    stage.clock.advance(Duration::from_hours(1));
    assert_eq!(read().await.errors.len(), 0);
    seen.assert_async().await;
    assert!(std::fs::read_to_string(folder.join("sign-in.json")).unwrap().contains("refresh-1"));
    assert_eq!(records, 2);
}

#[tokio::test]
async fn a_refused_access_token_is_renewed_once() {
    let mut stage = Stage::bare().await;
    let token = rotating(&mut stage, "3600").await.expect(2);
    let script =
        Script::serve(vec![answer("401 Unauthorized", "", b"expired"), ok(&page("c1"))]).await;
    stage.config.api_url = script.url.parse().unwrap();
    assert_eq!(stage.read().await.account(), "1 records, 0 skipped, ok");
    assert_eq!(script.header("authorization"), ["Bearer access-1", "Bearer access-2"]);
    token.assert_async().await;
}

#[tokio::test]
async fn questions_that_come_together_sign_in_once() {
    let mut stage = Stage::bare().await;
    let token = rotating(&mut stage, "3600").await.expect(1);
    stage.usage().with_body(page("c1")).create_async().await;
    let source = Arc::new(stage.source());
    let tasks: Vec<_> = (0..8)
        .map(|_| Arc::clone(&source))
        .map(|source| tokio::spawn(async move { source.read(now(), &mut |_| ()).await.records }))
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 1);
    }
    token.assert_async().await;
}

#[tokio::test]
async fn a_refusal_is_told_without_trace_ids_and_secrets_and_not_tried_again() {
    let documented = include_str!("../../fixtures/token_error_invalid_grant.json");
    for (body, expected) in [
        (
            documented,
            "the sign-in is refused: invalid_grant: AADSTS70002: Error validating credentials. \
                AADSTS50126: Invalid username or password",
        ),
        (
            r#"{"error":"invalid_client","error_description":"AADSTS7000215: no client-secret-1 nor refresh-seed. Trace ID: 1 Correlation ID: 2"}"#,
            "the sign-in is refused: invalid_client: AADSTS7000215: no *** nor ***.",
        ),
        (
            r#"{"error":"interaction_required","suberror":"x"}"#,
            "the sign-in is refused: interaction_required",
        ),
        (r#"{"error":"unauthorized_client"}"#, "the sign-in is refused: unauthorized_client"),
        ("<html>", "the sign-in service answered 400"),
    ] {
        let mut stage = Stage::bare().await;
        let token = stage.token(body).with_status(400).expect(1).create_async().await;
        let report = stage.read().await.report;
        assert!(
            report.errors.len() == 1 && !report.errors[0].contains("Trace ID"),
            "{:?}",
            report.errors
        );
        assert_eq!(report.failure.unwrap().to_string(), expected);
        token.assert_async().await;
    }
}

#[tokio::test]
async fn a_code_that_notifiers_know_is_known_to_the_source_too() {
    let mut stage = Stage::bare().await;
    let body = r#"{"error":"invalid_request","error_description":"AADSTS1002012: The scope is not valid."}"#;
    stage.token(body).with_status(400).create_async().await;
    let [said] = stage.read().await.report.errors.try_into().unwrap();
    let expected = "the sign-in is refused: invalid_request: AADSTS1002012: The scope is not \
        valid. The application does not know Partner Center in this tenant. Add the delegated \
        permission";
    assert!(said.starts_with(expected), "{said}");
}

#[tokio::test]
async fn a_sign_in_service_in_trouble_is_tried_again() {
    for (status, headers, expected, asked) in [
        ("503 Service Unavailable", "", "the sign-in service answered 503", 4),
        (
            "429 Too Many Requests",
            "Retry-After: 60\r\n",
            "the sign-in service limits the rate of requests; it asks to wait 60 s",
            1,
        ),
        ("200 OK", "", "the sign-in service: the answer holds no access token", 4),
    ] {
        let mut stage = Stage::bare().await;
        let script = Script::serve(vec![answer(status, headers, b"{}")]).await;
        stage.config.login_url = script.url.parse().unwrap();
        let reading = stage.read().await;
        assert_eq!(reading.report.errors, [expected]);
        assert_eq!(script.asked(), vec!["POST /contoso/oauth2/v2.0/token"; asked]);
    }
}
