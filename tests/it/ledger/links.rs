//! The keys that sign links of messages: when one is made, and how long it is kept.

use super::*;

#[tokio::test]
async fn a_key_is_made_at_first_need_and_then_each_year_and_kept_while_its_links_hold() {
    let folder = tempfile::tempdir().unwrap();
    let start = "2026-01-01T00:00:00Z".parse::<jiff::Timestamp>().unwrap();
    let day = |days: i64| start + jiff::SignedDuration::from_hours(days * 24);
    let ledger = open(&config(&folder)).unwrap();
    let first = ledger.link_keys(day(0)).await.unwrap();
    assert_eq!(first.len(), 1);
    ledger.close().await.unwrap();

    let ledger = open(&config(&folder)).unwrap();
    assert_eq!(ledger.link_keys(day(364)).await.unwrap(), first, "after a restart");
    let both = ledger.link_keys(day(365)).await.unwrap();
    assert_eq!((both.len(), &both[0]), (2, &first[0]));
    assert_eq!(ledger.link_keys(day(500)).await.unwrap(), both);
    let third = ledger.link_keys(day(730)).await.unwrap();
    assert_eq!(third.iter().map(|key| key.id).collect::<Vec<_>>(), [2, 3]);
    let reader = Reader::open(&config(&folder)).unwrap();
    assert_eq!(reader.link_keys().unwrap(), third, "as another host reads them");
    assert!(format!("{third:?}").contains("***"));
}

#[tokio::test]
async fn a_clock_that_was_wrong_costs_no_key_that_is_needed_and_none_that_comes() {
    let folder = tempfile::tempdir().unwrap();
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    ledger.link_keys(at("1970-01-01T00:01:00Z")).await.unwrap();
    let ids = async |now: &str| {
        let keys = ledger.link_keys(at(now)).await.unwrap();
        keys.iter().map(|key| key.id).collect::<Vec<_>>()
    };
    assert_eq!(ids("2026-01-01T00:00:00Z").await, [1, 2], "what was sent before still holds");
    assert_eq!(ids("2099-01-01T00:00:00Z").await.len(), 2, "72 years are enough for the first");
    assert_eq!(ids("2026-01-02T00:00:00Z").await, [2, 3]);
    assert_eq!(ids("2027-01-02T00:00:00Z").await, [2, 3, 4], "and a new one each year");
    ledger.close().await.unwrap();
}
