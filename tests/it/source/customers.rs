//! Questions about one customer: its subscriptions, and the period and cost of one of them.

use std::io::Write;
use std::sync::Arc;

use budget_alertd::clock::Clock;
use budget_alertd::domain::CustomerId;
use budget_alertd::metrics::Metrics;
use budget_alertd::source::Config;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::script::{Answer, answer, cut, ok};
use super::stage::{Stage, clock};

const LEGACY: &str = include_str!("../../fixtures/subscription_usagesummary_legacy.json");
const PLAN: &str = include_str!("../../fixtures/subscription_usagesummary_azure_plan.json");

fn customer(id: &str) -> CustomerId {
    CustomerId::try_new(id).unwrap()
}

/// The subscriptions that these answers lead to, and how often was asked.
async fn subscriptions(answers: Vec<Answer>) -> (String, usize) {
    let (stage, script) = Stage::scripted(answers).await;
    let shown = match stage.source().subscriptions(&customer("c 1/?")).await {
        Ok(found) => found
            .unwrap()
            .iter()
            .map(|usage| format!("{} {} {}", usage.id, usage.name, usage.cost))
            .collect::<Vec<_>>()
            .join("; "),
        Err(error) => format!("failed: {error}"),
    };
    assert_eq!(script.asked()[0], "GET /v1/customers/c%201%2F%3F/subscriptions/usagerecords");
    (shown, script.asked().len())
}

/// The summary that these answers lead to, and how often was asked.
async fn summary(answers: Vec<Answer>) -> (String, usize) {
    let (stage, script) = Stage::scripted(answers).await;
    let shown = match stage.source().summary(&customer("c1"), "s/1").await {
        Ok(Some(found)) => {
            format!("{} .. {}: {}", found.dates.start.0, found.dates.end.1, found.cost)
        }
        Ok(None) => "none".into(),
        Err(error) => format!("failed: {error}"),
    };
    assert_eq!(script.asked()[0], "GET /v1/customers/c1/subscriptions/s%2F1/usagesummary");
    (shown, script.asked().len())
}

#[tokio::test]
async fn the_costliest_subscription_comes_first() {
    let legacy = include_str!("../../fixtures/subscriptions_usagerecords_legacy.json");
    assert_eq!(
        subscriptions(vec![ok(legacy)]).await.0,
        "11111111-F347-41B6-B02C-187B1B778A43 Microsoft Azure 22.861172"
    );
    let plans = include_str!("../../fixtures/subscriptions_usagerecords_azure_plan.json");
    assert_eq!(
        subscriptions(vec![ok(plans)]).await.0,
        "11111111-25aa-ebb8-2bb4-fb406307babd Azure plan 0; 11111111-7d58-6654-69fa-0797198155d3 \
            Azure plan 0"
    );
    let mixed = r#"{"items":[{"id":"a","totalCost":-1},{"id":"b","name":"B","totalCost":"2.50"},null,{"id":"c"},{"totalCost":1},{"id":"d","totalCost":30}]}"#;
    assert_eq!(subscriptions(vec![ok(mixed)]).await.0, "d  30; b B 2.50; a  -1");
}

#[tokio::test]
async fn the_summary_names_the_period_and_the_cost() {
    assert_eq!(summary(vec![ok(LEGACY)]).await.0, "2019-08-28T07:00:00Z .. 2019-09-27: 22.861172");
    assert_eq!(
        summary(vec![ok(&format!("\u{feff}{PLAN}"))]).await.0,
        "2019-09-01T00:00:00Z .. 2019-10-01: 28.82860766744404945074"
    );
}

#[tokio::test]
async fn no_usage_is_an_answer_and_no_failure() {
    let no_usage = br#"{"code":"3000","description":"Customer does not have usage data."}"#;
    for answers in [
        vec![answer("404 Not Found", "", b"")],
        vec![answer("400 Bad Request", "", no_usage)],
        vec![answer("500 Internal Server Error", "", no_usage)],
        vec![answer("204 No Content", "", b"")],
    ] {
        assert_eq!(subscriptions(answers.clone()).await, (String::new(), 1));
        assert_eq!(summary(answers).await, ("none".into(), 1));
    }
    for body in [
        "{}",
        "null",
        r#"{"billingStartDate":"2019-09-01T00:00:00Z","billingEndDate":"soon","totalCost":1}"#,
        &LEGACY.replace("22.861172", "\"?\""),
    ] {
        assert_eq!(summary(vec![ok(body)]).await.0, "none", "{body}");
    }
}

#[tokio::test]
async fn what_passes_is_tried_again_and_the_rest_is_not() {
    let down = answer("503 Service Unavailable", "", b"");
    assert_eq!(
        summary(vec![down.clone(), cut(LEGACY, 99), ok(LEGACY)]).await,
        ("2019-08-28T07:00:00Z .. 2019-09-27: 22.861172".into(), 3)
    );
    assert_eq!(
        summary(vec![down.clone()]).await,
        ("failed: Partner Center answered 503".into(), 4)
    );
    assert_eq!(subscriptions(vec![down]).await, ("failed: Partner Center answered 503".into(), 4));
    let denied = answer("403 Forbidden", "", b"");
    assert_eq!(
        subscriptions(vec![denied.clone()]).await,
        ("failed: Partner Center denies access (403)".into(), 1)
    );
    assert_eq!(
        summary(vec![denied]).await,
        ("failed: Partner Center denies access (403)".into(), 1)
    );
}

#[tokio::test]
async fn an_answer_that_unpacks_to_too_much_is_refused() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![b' '; 5 << 20]).unwrap();
    let bomb = answer("200 OK", "Content-Encoding: gzip\r\n", &encoder.finish().unwrap());
    let refused = ("failed: Partner Center: the answer is larger than 4194304 bytes".to_owned(), 1);
    assert_eq!(subscriptions(vec![bomb.clone()]).await, refused);
    assert_eq!(summary(vec![bomb]).await, refused);
}

#[tokio::test]
async fn a_file_cannot_be_asked_about_one_customer() {
    let clock: Arc<dyn Clock> = clock();
    let source = Config::File { path: "usage.json".into() }.build(clock, Metrics::new()).unwrap();
    assert_eq!(source.subscriptions(&customer("c1")).await.unwrap(), None);
    assert_eq!(source.summary(&customer("c1"), "s1").await.unwrap(), None);
}
