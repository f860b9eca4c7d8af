//! The `file` source.

use std::sync::Arc;

use budget_alertd::clock::Clock;
use budget_alertd::metrics::Metrics;
use budget_alertd::source::Config;

use super::stage::{Reading, SEED, SEED_RECORDS, SEED_WARNING, clock, read};

async fn read_file(content: &[u8]) -> Reading {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("usage.json");
    std::fs::write(&path, content).unwrap();
    let clock: Arc<dyn Clock> = clock();
    let source = Config::File { path }.build(clock, Metrics::new()).unwrap();
    let mut reading = read(&source).await;
    let shown = folder.path().display().to_string();
    reading.report.errors.iter_mut().for_each(|text| *text = text.replace(&shown, "."));
    reading
}

#[tokio::test]
async fn the_saved_seed_is_read_to_the_digit() {
    let reading = read_file(SEED.as_bytes()).await;
    assert_eq!(reading.records(), SEED_RECORDS);
    assert_eq!(reading.account(), "4 records, 0 skipped, ok");
    assert_eq!(reading.report.errors, [SEED_WARNING]);
    assert_eq!(reading.report.newest.unwrap().to_string(), "2019-09-17T17:08:11.1433333Z");
}

#[tokio::test]
async fn a_file_that_is_not_whole_fails_after_what_it_holds() {
    let cut = SEED.find("11111111-641b").unwrap();
    let garbled = SEED.replace("],\n    \"links\"", "] \"links\"");
    for (content, account, expected) in [
        (&SEED[..cut], "3 records, 0 skipped, failed", "./usage.json: the collection is cut off"),
        (&garbled, "4 records, 0 skipped, failed", "./usage.json: the collection is garbled JSON"),
        ("", "0 records, 0 skipped, failed", "./usage.json: the collection is empty"),
        (
            "[]",
            "0 records, 0 skipped, failed",
            "./usage.json: the collection is not JSON, or not an object",
        ),
        (
            r#"{"totalCount":0}"#,
            "0 records, 0 skipped, failed",
            "./usage.json: the collection has no items",
        ),
        (
            r#"{"items":[]} {"items":[]}"#,
            "0 records, 0 skipped, failed",
            "./usage.json: the collection is garbled JSON",
        ),
    ] {
        let reading = read_file(content.as_bytes()).await;
        assert_eq!(reading.account(), account, "{content}");
        assert_eq!(reading.report.errors, [expected], "{content}");
    }
}

#[tokio::test]
async fn a_file_names_its_pages_and_its_absence() {
    let reading =
        read_file(br#"{"items":[{"id":"c1","totalCost":1}],"links":{"next":{"uri":"/x"}}}"#).await;
    assert_eq!(reading.account(), "1 records, 0 skipped, ok");
    assert_eq!(reading.report.errors, ["the file has a link to a next page, which is not in it"]);
    let clock: Arc<dyn Clock> = clock();
    let source = Config::File { path: "/nonexistent/usage.json".into() }
        .build(clock, Metrics::new())
        .unwrap();
    let reading = read(&source).await;
    assert_eq!(
        reading.report.errors,
        ["/nonexistent/usage.json: No such file or directory (os error 2)"]
    );
    assert_eq!(reading.report.failure.unwrap().finding().code.as_str(), "source-failing");
}
