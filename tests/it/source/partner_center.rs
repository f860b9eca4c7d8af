//! The `partner-center` source: pages, headers, and what each kind of answer leads to.

use std::time::Duration;

use budget_alertd::clock::Clock;

use super::script::{Answer, answer, ok};
use super::stage::{SEED, SEED_RECORDS, SEED_WARNING, Stage, now, page, page_with_next};

const NO_MFA: &str = "Partner Center wants a sign-in with multi-factor authentication";

#[tokio::test]
async fn the_seed_is_read_to_the_digit() {
    let mut stage = Stage::new().await;
    stage
        .usage()
        .match_header("authorization", "Bearer access-1")
        .with_body(SEED)
        .create_async()
        .await;
    let reading = stage.read().await;
    assert_eq!(reading.report.errors, [SEED_WARNING]);
    assert_eq!(reading.records(), SEED_RECORDS);
    assert_eq!(reading.account(), "4 records, 0 skipped, ok");
    assert_eq!(
        stage.counted("partner_center_requests"),
        "partner_center_requests_total{code=\"200\",endpoint=\"token\"} \
            1\npartner_center_requests_total{code=\"200\",endpoint=\"usagerecords\"} 1"
    );
}

#[tokio::test]
async fn a_reading_can_be_given_to_a_task() {
    let mut stage = Stage::new().await;
    stage.usage().with_body(page("a b")).create_async().await;
    let source = stage.source();
    let task = tokio::spawn(async move {
        let mut count = 0;
        source.read(now(), &mut |_| count += 1).await;
        count
    });
    assert_eq!(task.await.unwrap(), 2);
}

#[tokio::test]
async fn every_request_says_who_asks_and_for_what() {
    let (stage, script) = Stage::scripted(vec![ok(&page("a"))]).await;
    stage.read().await;
    stage.read().await;
    let once = |name: &str| script.header(name)[0].clone();
    assert_eq!(script.asked(), ["GET /v1/customers/usagerecords"; 2]);
    assert_eq!(once("authorization"), "Bearer access-1");
    assert_eq!(once("accept"), "application/json");
    assert_eq!(once("ms-contract-version"), "v1");
    assert_eq!(once("x-locale"), "en-US");
    assert_eq!(once("ms-partnercenter-application"), "budget-alertd");
    assert_eq!(once("accept-encoding"), "gzip");
    for name in ["ms-requestid", "ms-correlationid"] {
        let ids = script.header(name);
        assert!(ids[0].len() == 36 && ids[0] != ids[1], "{name} {ids:?}");
    }
}

#[tokio::test]
async fn pages_are_followed_with_the_headers_of_their_link() {
    let next = r#"{"uri":"/customers/usagerecords?seekOperation=Next","headers":[{"key":"MS-ContinuationToken","value":"AQAAAA=="},
        {"key":"Authorization","value":"Bearer stolen"},{"key":"Host","value":"evil.example"},{"key":"MS-RequestId","value":"x"},
        {"key":"bad name","value":"x"},{"key":"X-Bad","value":"a\u0000b"},{"value":"x"}]}"#;
    let (stage, script) =
        Stage::scripted(vec![ok(&page_with_next("a b", next)), ok(&page("c"))]).await;
    let reading = stage.read().await;
    assert_eq!(reading.ids(), "a@0 b@0 c@0");
    assert_eq!(reading.account(), "3 records, 0 skipped, ok");
    assert_eq!(reading.report.errors, [] as [&str; 0]);
    assert_eq!(script.asked()[1], "GET /v1/customers/usagerecords?seekOperation=Next");
    assert_eq!(script.header("ms-continuationtoken"), ["", "AQAAAA=="]);
    assert_eq!(script.header("authorization"), ["Bearer access-1"; 2]);
    assert_eq!(script.header("host"), [&script.url[7..]; 2]);
    assert_ne!(script.header("ms-requestid")[1], "x");
    assert_eq!(script.header("x-bad"), ["", ""]);
}

#[tokio::test]
async fn links_that_must_not_be_followed_end_the_poll_after_what_was_read() {
    for (next, expected) in [
        (
            r#"{"uri":"https://evil.example/v1/customers"}"#,
            "it leads to another host (evil.example)",
        ),
        (r#"{"uri":"//evil.example/v1/customers"}"#, "it leads to another host (unnamed)"),
        (r#"{"uri":"/customers/usagerecords"}"#, "it leads to a page that was read before"),
        (r#"{"headers":[]}"#, "it has no address"),
        ("nowhere", "it cannot be read"),
    ] {
        let body = page_with_next("a", next);
        let (stage, script) = Stage::scripted(vec![ok(&body)]).await;
        let reading = stage.read().await;
        assert_eq!(reading.ids(), "a@0");
        assert_eq!(reading.account(), "1 records, 0 skipped, failed");
        assert_eq!(
            reading.report.errors,
            [format!("the link to the next page is not followed: {expected}")]
        );
        assert_eq!(script.asked().len(), 1);
    }
}

#[tokio::test]
async fn one_address_with_another_continuation_token_is_another_page() {
    let next = |token: &str| {
        format!(
            r#"{{"uri":"/v1/customers/usagerecords","headers":[{{"key":"MS-ContinuationToken","value":"{token}"}}]}}"#
        )
    };
    let pages = vec![
        ok(&page_with_next("a", &next("1"))),
        ok(&page_with_next("b", &next("2"))),
        ok(&page_with_next("c", &next("1"))),
    ];
    let (stage, _script) = Stage::scripted(pages).await;
    let reading = stage.read().await;
    assert_eq!(reading.ids(), "a@0 b@0 c@0");
    assert_eq!(
        reading.report.errors,
        ["the link to the next page is not followed: it leads to a page that was read before"]
    );
}

#[tokio::test]
async fn an_answer_without_a_body_has_no_items() {
    for (status, body) in [
        ("204 No Content", ""),
        ("200 OK", ""),
        ("200 OK", " \r\n"),
        ("200 OK", r#"{"totalCount":0,"items":[]}"#),
        ("200 OK", r#"{"items":null}"#),
    ] {
        let (stage, _script) = Stage::scripted(vec![answer(status, "", body.as_bytes())]).await;
        let reading = stage.read().await;
        assert_eq!(
            (reading.account().as_str(), reading.report.errors.len()),
            ("0 records, 0 skipped, ok", 0),
            "{status} {body}"
        );
    }
}

/// Status, headers, body; what the poll says; how often it asked; how long it waited.
#[tokio::test]
async fn each_kind_of_refusal_has_its_tries_and_its_sentence() {
    let fault = r#"{"code":"900150","description":"The supplied role does not have the rights to perform the requested operation","data":[],"source":"PartnerCenter"}"#;
    let mfa = format!("{NO_MFA}: no MFA (900421)");
    for (status, headers, body, expected, asked, waited) in [
        (
            "500 Internal Server Error",
            "",
            "\u{feff}{\"code\":800003,\"description\":\"Oops\"}",
            "Partner Center answered 500: Oops (800003)",
            4,
            5500,
        ),
        (
            "503 Service Unavailable",
            "",
            "<html>maintenance</html>",
            "Partner Center answered 503: a page of HTML",
            4,
            5500,
        ),
        ("502 Bad Gateway", "", "", "Partner Center answered 502", 4, 5500),
        ("404 Not Found", "", "nothing\r\nhere", "Partner Center answered 404: nothing here", 1, 0),
        (
            "302 Found",
            "Location: https://evil.example/\r\n",
            "",
            "Partner Center answered 302",
            1,
            0,
        ),
        (
            "403 Forbidden",
            "",
            fault,
            "Partner Center denies access (403): The supplied role does not have the rights to \
                perform the requested operation (900150)",
            1,
            0,
        ),
        (
            "401 Unauthorized",
            "",
            "{\"code\":\"900420\",\"description\":\"audience\"}",
            "Partner Center refuses the sign-in (401): audience (900420)",
            2,
            0,
        ),
        ("401 Unauthorized", "", "{\"code\":\"900421\",\"description\":\"no MFA\"}", &mfa, 1, 0),
        ("401 Unauthorized", "", "{\"code\":900421,\"description\":\"no MFA\"}", &mfa, 1, 0),
        (
            "401 Unauthorized - MFA required",
            "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n",
            "",
            NO_MFA,
            1,
            0,
        ),
        (
            "401 Unauthorized",
            "WWW-Authenticate: Bearer error=\"invalid_token\", error_description=\"MFA \
                required\"\r\n",
            "",
            NO_MFA,
            1,
            0,
        ),
        (
            "429 Too Many Requests",
            "Retry-After: 57\r\n",
            r#"{ "statusCode": 429, "message": "Rate limit is exceeded. Try again in 57 seconds." }"#,
            "Partner Center limits the rate of requests; it asks to wait 57 s",
            1,
            0,
        ),
        ("429 Too Many Requests", "", "", "Partner Center limits the rate of requests", 1, 0),
        (
            "429 Too Many Requests",
            "Retry-After: Tue, 17 Sep 2019 20:41:45 GMT\r\n",
            "",
            "Partner Center limits the rate of requests; it asks to wait 600 s",
            1,
            0,
        ),
        (
            "429 Too Many Requests",
            "Retry-After: 2\r\n",
            "",
            "Partner Center limits the rate of requests; it asks to wait 2 s",
            4,
            6000,
        ),
        (
            "200 OK",
            "",
            "<html>sign in</html>",
            "Partner Center: the answer is not JSON, or not an object",
            4,
            5500,
        ),
        (
            "200 OK",
            "",
            r#"{"code":"1","description":"x"}"#,
            "Partner Center: the answer has no items",
            4,
            5500,
        ),
        (
            "200 OK",
            "Content-Encoding: gzip\r\n",
            "no gzip",
            "Partner Center: the answer broke off: Invalid gzip header",
            4,
            5500,
        ),
    ] {
        let (stage, script) = Stage::scripted(vec![answer(status, headers, body.as_bytes())]).await;
        let started = stage.clock.monotonic();
        let reading = stage.read().await;
        assert_eq!(reading.report.failure.unwrap().to_string(), expected, "{status} {body}");
        assert_eq!(script.asked().len(), asked, "{status} {body}");
        assert_eq!(
            stage.clock.monotonic(),
            started + Duration::from_millis(waited),
            "{status} {body}"
        );
    }
}

#[tokio::test]
async fn each_failure_tells_the_operator_what_to_do() {
    let role = "The account lacks the role";
    for (status, body, code, action) in [
        ("403 Forbidden", role, "role-missing", "Give the account the role \"Admin agent\""),
        ("401 Unauthorized", "MFA required", "mfa-required", "`budget-alertd login`"),
        ("401 Unauthorized", "", "sign-in-refused", "`budget-alertd login`"),
        ("500 Oops", "", "source-failing", "health of Partner Center"),
    ] {
        let (stage, _script) = Stage::scripted(vec![answer(status, "", body.as_bytes())]).await;
        let report = stage.read().await.report;
        let finding = report.failure.unwrap().finding();
        assert_eq!(
            report.errors[0].contains(&finding.action),
            code != "source-failing",
            "{:?}",
            report.errors
        );
        assert_eq!(finding.code.as_str(), code);
        assert!(finding.action.contains(action), "{}", finding.action);
        assert!(
            finding.summary.starts_with("Usage cannot be read: Partner Center "),
            "{}",
            finding.summary
        );
    }
}

#[tokio::test]
async fn what_passes_is_tried_again_until_it_has_passed() {
    let busy = answer("429 Too Many Requests", "Retry-After: 10\r\n", b"");
    let down = answer("503 Service Unavailable", "", b"");
    let (stage, script) =
        Stage::scripted(vec![busy.clone(), down.clone(), busy, down, ok(&page("a"))]).await;
    let reading = stage.read().await;
    assert_eq!((reading.ids().as_str(), reading.report.errors.len()), ("a@0", 0));
    assert_eq!(stage.clock.monotonic(), Duration::from_secs(22));
    let mut ids = script.header("ms-requestid");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5, "an answered request is over");
}

#[tokio::test]
async fn a_request_that_nobody_answered_is_repeated_under_its_id() {
    let (mut stage, script) =
        Stage::scripted(vec![Answer::HangUp, Answer::Stall(Vec::new()), ok(&page("a"))]).await;
    stage.config.timeout = Duration::from_secs(1);
    let reading = stage.read().await;
    assert_eq!(reading.account(), "1 records, 0 skipped, ok");
    let requests = script.header("ms-requestid");
    assert_eq!((&requests[0], &requests[1]), (&requests[1], &requests[2]));
    let mut correlations = script.header("ms-correlationid");
    correlations.sort();
    correlations.dedup();
    assert_eq!(correlations.len(), 3);
    assert_eq!(
        stage.counted("partner_center_requests_total{code=\"error\""),
        "partner_center_requests_total{code=\"error\",endpoint=\"usagerecords\"} 2"
    );
}

#[tokio::test]
async fn nobody_there_is_said_after_four_tries() {
    let mut stage = Stage::new().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    stage.config.api_url = format!("http://{free}").parse().unwrap();
    let reading = stage.read().await;
    assert_eq!(reading.report.errors.len(), 1);
    assert!(
        reading.report.errors[0]
            .starts_with(&format!("Partner Center: cannot connect to {free}: ")),
        "{:?}",
        reading.report.errors
    );
    assert_eq!(stage.clock.monotonic(), Duration::from_millis(5500));
}

#[tokio::test]
async fn an_answer_that_stops_coming_is_a_time_out() {
    let begun =
        "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{\"items\":[{\"id\":\"a\",\"totalCost\":1},";
    let (mut stage, script) =
        Stage::scripted(vec![Answer::Stall(begun.into()), ok(&page("a b"))]).await;
    stage.config.timeout = Duration::from_secs(1);
    let reading = stage.read().await;
    assert_eq!(reading.ids(), "a@0 a@1 b@1");
    assert_eq!(reading.account(), "2 records, 0 skipped, ok");
    let ids = script.header("ms-requestid");
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn a_total_count_is_a_promise_of_all_pages_together() {
    let last = |count: u32| {
        ok(&page("c").replace(r#"{"items""#, &format!(r#"{{"totalCount":{count},"items""#)))
    };
    for (count, warnings) in [(1, 0), (3, 0), (4, 1)] {
        let (stage, _script) = Stage::scripted(vec![
            ok(&page_with_next("a b", r#"{"uri":"/customers/usagerecords?2"}"#)),
            last(count),
        ])
        .await;
        let reading = stage.read().await;
        assert_eq!(
            (reading.account().as_str(), reading.report.errors.len()),
            ("3 records, 0 skipped, ok", warnings)
        );
    }
}
