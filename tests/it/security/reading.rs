//! How security alerts are read: pages, odd and broken answers, refusals.

use budget_alertd::simulator::{Answer, Endpoint, Fault};

use super::{CONTOSO, CRYPTO, LADDER, OTHER, Stage, crypto};

const ODD_PAGE: &str = r#"{"value": [{"id": "odd", "status": "unknownFutureValue", "severity":
    "informational", "alertType": "SomethingNew_2027", "confidenceLevel": "unknownFutureValue",
    "customerTenantId": "11111111-5892-4326-8541-9da1fdb233fb", "subscriptionId": "",
    "detectedDateTime": "2026-11-14T09:00:00Z", "isTest": "false", "affectedResources": null,
    "activityLogs": null, "additionalDetails": null, "futureProperty": { "a": 1 }}]}"#;
const MALFORMED: &str = r#"{"value": [{"id": "x", "status": "active", "activityLogs": [ { {
    "statusFrom": "active" } } ] }]}"#;

#[tokio::test]
async fn pages_are_read_by_their_links() {
    let stage = Stage::new(LADDER);
    let alerts: Vec<_> =
        (0..5).map(|number| crypto(&format!("id-{number}"), CONTOSO, "09:00")).collect();
    stage.set(&alerts);
    stage.microsoft.set_security_page(2);
    assert_eq!(stage.read("09:10").await.lines().count(), 5);
}

#[tokio::test]
async fn words_that_nobody_knows_are_kept_and_broken_answers_are_no_truth() {
    let stage = Stage::new(LADDER);
    let answer = |body: &str| Fault::Answer(Answer::json(200, body));
    stage.microsoft.fail(Endpoint::SecurityAlerts, answer(ODD_PAGE));
    let told = stage.read("09:10").await;
    let odd = "warning microsoft at 0 passed [], 0.17 h, SomethingNew_2027 informational, raised, \
        baseline\n";
    assert_eq!(told, odd);
    for broken in [MALFORMED, "", "[]", "<html>", r#"{"value": [{"id": "y""#, "{}"] {
        stage.microsoft.fail(Endpoint::SecurityAlerts, answer(broken));
        let told = stage.read("09:20").await;
        assert!(told.starts_with("! security alerts: Microsoft Graph: "), "{broken}: {told}");
    }
}

#[tokio::test]
async fn a_link_to_another_host_or_in_a_circle_ends_it() {
    let stage = Stage::new(LADDER);
    let list = "/beta/security/partner/securityAlerts";
    let own = format!("{}{list}", stage.microsoft.api_url());
    for (link, why) in [
        (format!("https://evil.example{list}"), "it leads to another host (evil.example)"),
        (own, "it leads to a page that was read before"),
        ("nowhere".to_owned(), "it is no address"),
    ] {
        let body = format!(r#"{{"@odata.nextLink": "{link}", "value": []}}"#);
        stage.microsoft.fail(Endpoint::SecurityAlerts, Fault::Answer(Answer::json(200, body)));
        let told = stage.read("09:10").await;
        let expected =
            format!("! security alerts: the link to the next page is not followed: {why}. ");
        assert!(told.starts_with(&expected), "{told}");
    }
}

#[tokio::test]
async fn refusals_are_told_in_words_with_what_to_do() {
    let stage = Stage::new(LADDER);
    stage.set(&[crypto(CRYPTO, CONTOSO, "09:00")]);
    stage.microsoft.change_sign_in(|sign_in| sign_in.mfa = false);
    let told = stage.read("09:10").await;
    assert!(
        told.starts_with(
            "! security alerts: Microsoft Graph wants a sign-in with multi-factor authentication: \
             MFA is required for this request. The provided authentication token does not have \
             MFA claims. (Unauthorized_MissingMFA). Sign in again"
        ),
        "{told}"
    );
    stage.microsoft.change_sign_in(|sign_in| sign_in.mfa = true);
    let denied = r#"{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges to complete the operation."}}"#;
    stage.microsoft.fail_once(Endpoint::SecurityAlerts, Fault::Answer(Answer::json(403, denied)));
    let told = stage.read("09:20").await;
    assert!(
        told.starts_with(
            "! security alerts: Microsoft Graph denies access (403): Insufficient privileges to \
             complete the operation. (Authorization_RequestDenied). Give the account the role"
        ),
        "{told}"
    );
    stage.microsoft.change_sign_in(|sign_in| sign_in.graph_consent = false);
    let told = stage.read("09:30").await;
    assert!(
        told.starts_with(
            "! security alerts: nobody has consented that this application reads security alerts: \
             invalid_grant: AADSTS65001"
        ),
        "{told}"
    );
    let ledger = stage.world.ledger();
    let open = ledger.read(budget_alertd::ledger::Reader::findings).await.unwrap();
    let codes: Vec<String> =
        open.iter().map(|open| open.finding.code.as_str().to_owned()).collect();
    assert_eq!(codes, ["security-source-failing"], "the sign-in is not expired");
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_throttling_is_heeded() {
    let stage = Stage::new(LADDER);
    stage.set(&[crypto(CRYPTO, CONTOSO, "09:00")]);
    stage.microsoft.fail_once(Endpoint::SecurityAlerts, Fault::status(401));
    stage.microsoft.fail_once(Endpoint::SecurityAlerts, Fault::Answer(Answer::throttled(2)));
    assert_eq!(stage.read("09:10").await.lines().count(), 1);
    stage.microsoft.fail(Endpoint::SecurityAlerts, Fault::Answer(Answer::throttled(600)));
    let report = stage.world.read_security("2026-11-14T09:20:00Z").await;
    assert_eq!(report.retry_after, Some(std::time::Duration::from_mins(10)));
}

#[tokio::test]
async fn fraud_events_are_read_page_by_page() {
    let stage = Stage::of("partner-center", LADDER);
    let alerts: Vec<_> =
        (0..130).map(|number| crypto(&format!("id-{number}"), CONTOSO, "09:00")).collect();
    stage.set(&alerts);
    let told = stage.read("09:10").await;
    assert_eq!(told.lines().count(), 130, "{told}");
    let asked = stage.microsoft.requests();
    let pages: Vec<&str> = asked
        .iter()
        .filter(|request| request.path.starts_with("/v1/fraudEvents"))
        .map(|request| request.path.as_str())
        .collect();
    let page = |number: u32| format!("/v1/fraudEvents?PageSize=100&PageNumber={number}");
    assert_eq!(pages, [page(1), page(2), page(3)]);
    stage.set(&alerts[..1]);
    stage.microsoft.fail(
        Endpoint::FraudEvents,
        Fault::Answer(Answer::json(200, r#"[{"eventId": "1" "resolvedBy": ""}]"#)),
    );
    assert!(stage.read("09:20").await.starts_with("! security alerts: Partner Center: "));
}

#[tokio::test]
async fn an_event_that_is_missing_is_looked_for_at_its_subscription() {
    let stage = Stage::of("partner-center", LADDER);
    stage.set(&[crypto(CRYPTO, CONTOSO, "09:00"), crypto(OTHER, CONTOSO, "09:00")]);
    stage.read("09:10").await;
    stage.set(&[crypto(OTHER, CONTOSO, "09:00")]);
    assert_eq!(stage.read("09:20").await, "");
    assert_eq!(stage.world.metric("budget_alertd_security_alerts_open{severity=\"high\"}"), "1");
}

#[tokio::test]
async fn an_answer_about_another_alert_says_nothing_of_the_one_asked_for() {
    let stage = Stage::new(LADDER);
    stage.set(&[crypto(CRYPTO, CONTOSO, "09:00")]);
    stage.read("09:10").await;
    let answer = |body: &str| Fault::Answer(Answer::json(200, body));
    stage.microsoft.fail_once(Endpoint::SecurityAlerts, answer(r#"{"value": []}"#));
    let other = format!(r#"{{"id": "{OTHER}", "status": "resolved"}}"#);
    stage.microsoft.fail_once(Endpoint::SecurityAlerts, answer(&other));
    let told = stage.read("09:20").await;
    let why = "! security alerts: Microsoft Graph: the answer is about another alert than was \
        asked for. ";
    assert!(told.starts_with(why), "{told}");
    assert_eq!(stage.world.metric("budget_alertd_security_alerts_open{severity=\"high\"}"), "1");
    let same = format!(r#"{{"id": "{}", "status": "resolved"}}"#, CRYPTO.to_uppercase());
    stage.microsoft.fail_once(Endpoint::SecurityAlerts, answer(r#"{"value": []}"#));
    stage.microsoft.fail_once(Endpoint::SecurityAlerts, answer(&same));
    assert_eq!(stage.read("09:30").await, "");
    assert_eq!(stage.world.metric("budget_alertd_security_alerts_open{severity=\"high\"}"), "0");
}

#[tokio::test]
async fn a_short_page_of_fraud_events_is_not_taken_for_the_last() {
    let stage = Stage::of("partner-center", LADDER);
    let alerts: Vec<_> =
        (0..130).map(|number| crypto(&format!("id-{number}"), CONTOSO, "09:00")).collect();
    stage.set(&alerts);
    stage.microsoft.set_most_events(50);
    assert_eq!(stage.read("09:10").await.lines().count(), 130);
}

#[tokio::test]
async fn a_page_of_fraud_events_that_comes_again_is_the_last() {
    let stage = Stage::of("partner-center", LADDER);
    let whole = format!(
        r#"[{{"eventId": "a", "eventStatus": "Active", "eventTime": "2026-11-14T09:00:00",
            "customerTenantId": "{CONTOSO}"}}, {{"eventId": "b", "eventStatus": "Resolved"}}]"#
    );
    let whole = Answer::json(200, whole);
    stage.microsoft.fail(Endpoint::FraudEvents, Fault::Answer(whole.clone()));
    assert_eq!(stage.read("09:10").await.lines().count(), 1);
    let asked = stage.microsoft.requests();
    let pages = asked.iter().filter(|request| request.path.starts_with("/v1/fraudEvents"));
    assert_eq!(pages.count(), 2);
    stage.microsoft.heal(Endpoint::FraudEvents);
    stage.microsoft.fail_once(Endpoint::FraudEvents, Fault::Answer(whole));
    stage.microsoft.fail_once(Endpoint::FraudEvents, Fault::status(404));
    assert_eq!(stage.read("09:20").await, "", "there is no second page");
}
