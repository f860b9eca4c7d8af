//! What each field of a usage record may hold, and what is made of it: an item in, a line out.

use super::stage::{Reading, Stage};

/// Reads these items, as they stand.
async fn read_items(items: &str) -> (Stage, Reading) {
    let mut stage = Stage::new().await;
    let body = format!(r#"{{"items":[{items}]}}"#);
    stage.usage().with_body(body).create_async().await;
    let reading = stage.read().await;
    (stage, reading)
}

/// The record that one item with these fields, an id and a date makes; else why it was skipped.
/// Then the oddities.
async fn made(fields: &str) -> String {
    let item =
        format!(r#"{{"resourceId":"c1","lastModifiedDate":"2019-09-17T00:00:00Z",{fields}}}"#);
    let (stage, reading) = read_items(&item).await;
    let oddities = stage
        .counted("record_oddities_total")
        .replace("record_oddities_total{kind=", "")
        .replace(['{', '}', '"'], "")
        .replace('\n', ", ");
    let made =
        if reading.reads.is_empty() { reading.report.errors.join("; ") } else { reading.records() };
    [made, oddities].join(" + ").trim_end_matches(" + ").to_owned()
}

async fn check(table: &[(&str, &str)]) {
    for (fields, expected) in table {
        assert_eq!(made(fields).await, *expected, "{fields}");
    }
}

#[tokio::test]
async fn numbers_are_exact_and_may_stand_in_quotes() {
    check(&[
        (
            r#""totalCost":0.0081829712368561032"#,
            "c1 |  | legacy | 0.0081829712368561032 - | usd - | budget - | reported - | \
                2019-09-17T00:00:00Z",
        ),
        (r#""totalCost":"12.50""#, "c1 |  | legacy | 12.50 - | usd - | budget - | reported - | \
            2019-09-17T00:00:00Z"),
        (r#""totalCost":-3e2"#, "c1 |  | legacy | -300 - | usd - | budget - | reported - | \
            2019-09-17T00:00:00Z"),
        (
            r#""totalCost":1.00000000000000000000000000050"#,
            "c1 |  | legacy | 1.000000000000000000000000001 - | usd - | budget - | reported - | \
                2019-09-17T00:00:00Z + rounded 1",
        ),
        (
            r#""totalCost":1,"usdTotalCost":0.33333333333333333333333333333,"percentUsed":"80.5","budget":{"amount":"1e2"}"#,
            "c1 |  | legacy | 1 - | usd 0.3333333333333333333333333333 | budget 100 | reported \
                80.5 | 2019-09-17T00:00:00Z + rounded 1",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_cost_that_is_no_number_is_no_cost() {
    let skipped = |found: &str| {
        format!("record 1 skipped: customer c1: its totalCost is no number ({found})")
    };
    for (cost, found) in [
        ("null", "null"),
        ("\"twelve\"", "\"twelve\""),
        ("1e400", "1e400"),
        ("10000000000000000000000000000", "10000000000000000000000000000"),
        ("true", "true"),
        ("[1]", "[1]"),
        ("{\"amount\":1}", "{\"amount\":1}"),
    ] {
        assert_eq!(made(&format!(r#""totalCost":{cost}"#)).await, skipped(found));
    }
    assert_eq!(made(r#""name":"x""#).await, skipped("missing"));
}

#[tokio::test]
async fn a_budget_is_an_amount_of_zero_or_more_or_none() {
    let with = |budget: &str, more: &str| {
        format!(
            "c1 |  | legacy | 1 - | usd - | budget {budget} | reported - | \
                2019-09-17T00:00:00Z{more}"
        )
    };
    for (budget, expected) in [
        (r#"{"amount":20}"#, with("20", "")),
        (r#"{"amount":0}"#, with("0", "")),
        (r#"{"attributes":{"objectType":"SpendingBudget"}}"#, with("-", "")),
        (r#"{"amount":null}"#, with("-", "")),
        ("null", with("-", "")),
        (r#"{"amount":-1}"#, with("-", " + bad-budget 1")),
        (r#"{"amount":"plenty"}"#, with("-", " + bad-budget 1")),
        (r#"{"amount":[]}"#, with("-", " + bad-budget 1")),
        ("20", with("-", " + bad-budget 1")),
    ] {
        assert_eq!(
            made(&format!(r#""totalCost":1,"budget":{budget}"#)).await,
            expected,
            "{budget}"
        );
    }
}

#[tokio::test]
async fn plan_currency_and_us_dollars_are_taken_for_what_they_are() {
    check(&[
        (
            r#""totalCost":1,"currencyCode":"sek","usdTotalCost":0,"isUpgraded":true,"percentUsed":0"#,
            "c1 |  | azure-plan | 1 SEK | usd - | budget - | reported 0 | 2019-09-17T00:00:00Z",
        ),
        (
            r#""totalCost":0,"currencyCode":"SEK","usdTotalCost":0"#,
            "c1 |  | azure-plan | 0 SEK | usd 0 | budget - | reported - | 2019-09-17T00:00:00Z",
        ),
        (
            r#""totalCost":1,"currencyCode":"SEK","isUpgraded":false"#,
            "c1 |  | legacy | 1 SEK | usd - | budget - | reported - | 2019-09-17T00:00:00Z",
        ),
        (
            r#""totalCost":1,"currencyLocale":"fr-FR","isUpgraded":"true""#,
            "c1 |  | azure-plan | 1 - | usd - | budget - | reported - | 2019-09-17T00:00:00Z",
        ),
        (
            r#""totalCost":1,"currencyCode":"kronor","percentUsed":"many","usdTotalCost":{}"#,
            "c1 |  | azure-plan | 1 - | usd - | budget - | reported - | 2019-09-17T00:00:00Z + \
                bad-percent 1",
        ),
        (
            r#""totalCost":1,"currencyCode":null,"percentUsed":null,"isUpgraded":null"#,
            "c1 |  | legacy | 1 - | usd - | budget - | reported - | 2019-09-17T00:00:00Z",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_date_that_cannot_be_is_the_time_of_the_poll() {
    for (date, expected) in [
        ("\"2019-09-17T17:08:11.1433333+00:00\"", "2019-09-17T17:08:11.1433333Z"),
        ("\"2019-08-28T00:00:00-07:00\"", "2019-08-28T07:00:00Z"),
        ("\"2010-01-01T00:00:00Z\"", "2010-01-01T00:00:00Z"),
        ("\"2019-09-18T20:31:45Z\"", "2019-09-18T20:31:45Z"),
        ("\"2009-12-31T23:59:59Z\"", "2019-09-17T20:31:45Z, bad-date"),
        ("\"2019-09-18T20:31:46Z\"", "2019-09-17T20:31:45Z, bad-date"),
        ("\"9999-12-04T00:00:00Z\"", "2019-09-17T20:31:45Z, bad-date"),
        ("\"soon\"", "2019-09-17T20:31:45Z, bad-date"),
        ("null", "2019-09-17T20:31:45Z, bad-date"),
        ("1568735291", "2019-09-17T20:31:45Z, bad-date"),
    ] {
        let (stage, reading) =
            read_items(&format!(r#"{{"id":"c1","totalCost":1,"lastModifiedDate":{date}}}"#)).await;
        let odd = !stage.counted("record_oddities_total{kind=\"bad-date\"}").is_empty();
        let shown = format!(
            "{}{}",
            reading.reads[0].record.usage_as_of,
            if odd { ", bad-date" } else { "" }
        );
        assert_eq!(shown, expected, "{date}");
        assert_eq!(
            reading.report.newest.is_none(),
            odd,
            "a date that did not come is not the newest: {date}"
        );
    }
}

#[tokio::test]
async fn ids_and_names_come_from_either_field_and_from_the_last_of_a_repeated_one() {
    let (_stage, reading) = read_items(
        r#"{"id":"A-1","name":"one","totalCost":1},
           {"resourceId":"a-2","id":"other","resourceName":"two","name":"other","totalCost":1},
           {"resourceId":null,"id":"a-3","resourceName":" ","name":"three","totalCost":1},
           {"resourceId":"lost","resourceId":"a-4","totalCost":7,"totalCost":1,"unknown":{"deep":[{"totalCost":9}]}},
           {"resourceId":"","id":" ","totalCost":1}, {"totalCost":1}, {"resourceId":5,"totalCost":1}"#,
    )
    .await;
    let named: Vec<_> = reading
        .reads
        .iter()
        .map(|read| format!("{}={}:{}", read.record.customer, read.record.name, read.record.cost))
        .collect();
    assert_eq!(named, ["A-1=one:1", "a-2=two:1", "a-3=three:1", "a-4=:1"]);
    assert_eq!(
        reading.report.errors,
        [5, 6, 7].map(|place| format!("record {place} skipped: it has no id"))
    );
}

#[tokio::test]
async fn an_odd_value_costs_its_own_field_and_no_other() {
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    let nested = format!("{}1{}", r#"{"a":"#.repeat(5000), "}".repeat(5000));
    for odd in [
        "NaN",
        "-Infinity",
        "undefined",
        "'text'",
        "0x10",
        "",
        "{\"a\":NaN}",
        "[1,,2]",
        "\"\\q\"",
        &deep,
        &nested,
    ] {
        let sound = r#""totalCost":5,"budget":{"amount":4,"attributes":{}},"currencyCode":"SEK","isUpgraded":true,"usdTotalCost":3"#;
        let made_with = |field: &str| format!(r"{field}:{odd},{sound},{field}:{odd}");
        let whole =
            "c1 |  | azure-plan | 5 SEK | usd 3 | budget 4 | reported - | 2019-09-17T00:00:00Z";
        assert_eq!(made(&made_with("\"attributes\"")).await, whole, "{odd:.20}");
        assert_eq!(made(&made_with("\"resourceName\"")).await, whole, "{odd:.20}");
        let percent = made(&made_with("\"percentUsed\"")).await;
        assert!(percent.starts_with(whole), "{odd:.20}: {percent}");
        let budget = made(&format!(r#"{sound},"budget":{{"amount":4,"attributes":{odd}}}"#)).await;
        assert_eq!(budget, whole, "{odd:.20}");
        let no_budget = made(&format!(r#"{sound},"budget":{{"amount":{odd}}}"#)).await;
        assert!(no_budget.contains("| 5 SEK | usd 3 | budget - |"), "{odd:.20}: {no_budget}");
        let no_currency = made(&format!(r#"{sound},"currencyCode":{odd}"#)).await;
        assert!(no_currency.contains("| 5 - | usd 3 | budget 4 |"), "{odd:.20}: {no_currency}");
    }
}

#[tokio::test]
async fn odd_names_do_not_cost_the_record() {
    let huge = "x".repeat(10_000);
    for (name, expected) in [
        ("A\\r\\nBcc: x", "A\r\nBcc: x"),
        ("\\u00c5sa \\ud83d\\ude00", "Åsa 😀"),
        ("lone \\ud800 half", "lone \u{fffd}\u{fffd}\u{fffd} half"),
        ("raw \n line", "raw   line"),
        ("\\u0000\\u202e", "\0\u{202e}"),
        ("</script><!channel>", "</script><!channel>"),
        ("brace } and { and ] and \\\" and \\\\", "brace } and { and ] and \" and \\"),
        (&huge, &huge),
    ] {
        let (_stage, reading) = read_items(&format!(
            r#"{{"id":"c1","name":"{name}","totalCost":1}},{{"id":"c2","totalCost":1}}"#
        ))
        .await;
        assert_eq!(reading.ids(), "c1@0 c2@0", "{name}");
        assert_eq!(reading.reads[0].record.name, expected);
    }
}

#[tokio::test]
async fn a_name_that_is_no_utf8_does_not_cost_the_record() {
    let mut stage = Stage::new().await;
    let body =
        [br#"{"items":[{"id":"c1","name":"M"#.as_slice(), b"\xfcnchen", br#"","totalCost":1}]}"#]
            .concat();
    stage.usage().with_body(body).create_async().await;
    let reading = stage.read().await;
    assert_eq!(reading.reads[0].record.name, "M\u{fffd}nchen");
}

#[tokio::test]
async fn items_that_are_no_records_are_skipped_and_reading_goes_on() {
    let (nothing, nobody) = ("it is no usage record", "it has no id");
    for (garbage, why, reason) in [
        ("null", nothing, "bad-json"),
        ("[]", nothing, "bad-json"),
        ("[1,{\"id\":\"x\"}]", nothing, "bad-json"),
        ("42", nothing, "bad-json"),
        ("\"text, with ] and }\"", nothing, "bad-json"),
        ("nonsense", nothing, "bad-json"),
        ("}", nothing, "bad-json"),
        ("tru", nothing, "bad-json"),
        ("{id:1}", nobody, "no-id"),
        ("{\"a\":}", nobody, "no-id"),
        ("{\"id\" \"x\"}", nobody, "no-id"),
        ("{\"name\":\"X\",\"totalCost\":1}", "it has no id (its name is \"X\")", "no-id"),
        (
            "{\"id\":\"x\",\"totalCost\":NaN}",
            "customer x: its totalCost is no number (NaN)",
            "bad-cost",
        ),
        (
            "{\"totalCost\":-Infinity,\"id\":\"x\"}",
            "customer x: its totalCost is no number (-Infinity)",
            "bad-cost",
        ),
        (
            "{\"id\":\"x\",\"totalCost\":1 \"a\":2}",
            "customer x: its totalCost is no number (1 \"a\":2)",
            "bad-cost",
        ),
    ] {
        let (stage, reading) = read_items(&format!(
            r#"{{"id":"c1","totalCost":1}},{garbage},{{"id":"c2","totalCost":1}}"#
        ))
        .await;
        assert_eq!(reading.ids(), "c1@0 c2@0", "{garbage}");
        assert_eq!(reading.account(), "2 records, 1 skipped, ok", "{garbage}");
        assert_eq!(reading.report.errors, [format!("record 2 skipped: {why}")], "{garbage}");
        assert_eq!(
            stage.counted("records_skipped_total"),
            format!("records_skipped_total{{reason=\"{reason}\"}} 1")
        );
    }
}

#[tokio::test]
async fn twenty_skipped_records_are_named_and_the_rest_is_a_number() {
    let items = vec![r#"{"totalCost":1}"#; 23].join(",");
    let (stage, reading) = read_items(&items).await;
    assert_eq!(reading.account(), "0 records, 23 skipped, ok");
    assert_eq!(reading.report.errors.len(), 21);
    assert_eq!(reading.report.errors[19], "record 20 skipped: it has no id");
    assert_eq!(reading.report.errors[20], "and 3 more records were skipped");
    assert_eq!(
        stage.counted("records_skipped_total"),
        "records_skipped_total{reason=\"no-id\"} 23"
    );
}
