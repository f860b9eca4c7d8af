//! Answers in odd pieces: cut, dripping, packed, with a mark at their start.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::script::{Answer, answer, chunked, cut, ok};
use super::stage::{SEED, SEED_RECORDS, Stage, page, page_with_next};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn packed(body: &[u8]) -> Answer {
    answer("200 OK", "Content-Encoding: gzip\r\n", body)
}

#[tokio::test]
async fn the_seed_reads_the_same_in_any_wrapping() {
    let marked = format!("\u{feff}{SEED}");
    for (name, answer) in [
        ("bytes", chunked(SEED.as_bytes(), 1)),
        ("a mark, bytes", chunked(marked.as_bytes(), 1)),
        ("threes", chunked(SEED.as_bytes(), 3)),
        ("hundreds", chunked(SEED.as_bytes(), 100)),
        ("packed", packed(&gzip(marked.as_bytes()))),
    ] {
        let (stage, _script) = Stage::scripted(vec![answer]).await;
        let reading = stage.read().await;
        assert_eq!(reading.records(), SEED_RECORDS, "{name}");
        assert_eq!(reading.account(), "4 records, 0 skipped, ok", "{name}");
    }
}

#[tokio::test]
async fn a_cut_page_is_read_again_from_its_start_as_another_attempt() {
    let first = page_with_next("a", r#"{"uri":"/v1/customers/usagerecords?page=2"}"#);
    let second = page("b c d");
    let after_c = second.find(r#"{"resourceId":"d""#).unwrap() + 9;
    let (stage, script) =
        Stage::scripted(vec![ok(&first), cut(&second, after_c), cut(&second, 20), ok(&second)])
            .await;
    let reading = stage.read().await;
    assert_eq!(reading.ids(), "a@0 b@0 c@0 b@1 c@1 d@1");
    assert_eq!(reading.account(), "4 records, 0 skipped, ok");
    assert_eq!(reading.report.errors, [] as [&str; 0]);
    let requests = script.header("ms-requestid");
    assert_ne!(requests[1], requests[2], "an answered request is over");
}

#[tokio::test]
async fn what_stays_cut_fails_the_poll_after_all_that_was_read() {
    let body = page("a b c");
    let after_b = body.find(r#"{"resourceId":"c""#).unwrap();
    let answers = vec![cut(&body, after_b), cut(&body, 150), cut(&body, after_b - 10)];
    let (stage, _script) = Stage::scripted(answers).await;
    let reading = stage.read().await;
    assert_eq!(reading.ids(), "a@0 b@0 a@1 a@2 a@3");
    assert_eq!(reading.account(), "2 records, 0 skipped, failed");
    assert_eq!(reading.report.errors.len(), 1);
    assert!(
        reading.report.errors[0].starts_with("Partner Center: the answer broke off"),
        "{:?}",
        reading.report.errors
    );
}

#[tokio::test]
async fn an_answer_that_ends_early_without_saying_so_is_cut_too() {
    let body = page("a b");
    for kept in [body.len() - 1, body.len() - 2, body.find(']').unwrap(), 30, 1] {
        let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
        let (stage, script) =
            Stage::scripted(vec![Answer::Bytes([head, &body[..kept]].concat().into_bytes())]).await;
        let reading = stage.read().await;
        assert_eq!(reading.report.errors, ["Partner Center: the answer is cut off"], "{kept}");
        assert_eq!(script.asked().len(), 4);
    }
}

#[tokio::test]
async fn a_skipped_record_is_counted_once_however_often_its_page_is_read() {
    let body = r#"{"items":[{"id":"a","totalCost":"x"},{"id":"b","totalCost":1,"lastModifiedDate":"?"},{"id":"c"}]}"#;
    let (stage, _script) = Stage::scripted(vec![cut(body, body.len() - 3), ok(body)]).await;
    let reading = stage.read().await;
    assert_eq!(reading.account(), "1 records, 2 skipped, ok");
    assert_eq!(
        reading.report.errors,
        [
            "record 1 skipped: customer a: its totalCost is no number (\"x\")",
            "record 3 skipped: customer c: its totalCost is no number (missing)"
        ]
    );
    assert_eq!(
        stage.counted("records_skipped_total"),
        "records_skipped_total{reason=\"bad-cost\"} 2"
    );
    assert_eq!(
        stage.counted("record_oddities_total"),
        "record_oddities_total{kind=\"bad-date\"} 1"
    );
}

#[tokio::test]
async fn a_packed_giant_is_read_past_without_being_kept() {
    let giant = format!(
        r#"{{"items":[{{"resourceId":"{}","totalCost":1}},{}"#,
        "x".repeat(16 << 20),
        &page("a")[10..]
    );
    let (stage, _script) = Stage::scripted(vec![packed(&gzip(giant.as_bytes()))]).await;
    let reading = stage.read().await;
    assert_eq!(reading.ids(), "a@0");
    assert_eq!(
        reading.report.errors,
        ["record 1 skipped: it is larger than a usage record can be"]
    );
}

#[tokio::test]
async fn a_giant_is_named_with_its_customer() {
    let giant = format!(
        r#"{{"items":[{{"resourceId":"g","name":"{}","totalCost":1}},{}"#,
        "x".repeat(2 << 20),
        &page("a")[10..]
    );
    let (stage, _script) = Stage::scripted(vec![ok(&giant)]).await;
    let reading = stage.read().await;
    assert_eq!(reading.ids(), "a@0");
    assert_eq!(
        reading.report.errors,
        ["record 1 skipped: customer g: it is larger than a usage record can be"]
    );
}

#[tokio::test]
async fn an_endless_chain_of_pages_ends_where_nothing_new_comes() {
    let link = |page: usize| format!(r#"{{"uri":"/v1/customers/usagerecords?page={page}"}}"#);
    let again = (1..30).map(|page| ok(&page_with_next("a b", &link(page)))).collect();
    let (stage, script) = Stage::scripted(again).await;
    let reading = stage.read().await;
    assert_eq!(reading.account(), "4 records, 0 skipped, failed");
    assert!(
        reading.report.errors[0].contains("the same records as a page before it"),
        "{:?}",
        reading.report.errors
    );
    assert_eq!(script.header("ms-requestid").len(), 2);
    let empty = (1..30).map(|page| ok(&page_with_next("", &link(page)))).collect();
    let (stage, script) = Stage::scripted(empty).await;
    let reading = stage.read().await;
    assert_eq!(reading.account(), "0 records, 0 skipped, failed");
    assert!(
        reading.report.errors[0].contains("10 pages without a record"),
        "{:?}",
        reading.report.errors
    );
    assert_eq!(script.header("ms-requestid").len(), 10);
}
