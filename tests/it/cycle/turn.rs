//! The turn of a period: late data, carried-over cost.

use crate::support::world::{SPEND, World, plan};

const OLD: &str = "2019-09-01 .. 2019-10-01 month";
const NEW: &str = "2019-10-01 .. 2019-11-01 month";

#[tokio::test]
async fn data_of_september_read_in_october_belongs_to_september() {
    let world = World::new(SPEND);
    world.poll("2019-09-20T00:00:00Z", &[plan("A", "1", "100", "2019-09-19T00:00:00Z")]).await;
    let told =
        world.poll("2019-10-02T00:00:00Z", &[plan("A", "85", "100", "2019-09-30T23:00:00Z")]).await;
    assert_eq!(told, format!("A spend 80: 85 of 100, {OLD}"));
    let october =
        world.poll("2019-10-06T00:00:00Z", &[plan("A", "85", "100", "2019-10-05T23:00:00Z")]).await;
    assert_eq!(
        october,
        format!("A spend 80: 85 of 100, {NEW}"),
        "the same step in the next period"
    );
}

#[tokio::test]
async fn cost_carried_over_the_turn_is_no_new_overspend() {
    let world = World::new(SPEND);
    world.poll("2019-09-30T12:00:00Z", &[plan("A", "95", "100", "2019-09-30T10:00:00Z")]).await;
    let first =
        world.poll("2019-10-01T12:00:00Z", &[plan("A", "95", "100", "2019-10-01T04:00:00Z")]).await;
    assert_eq!(first, "1 duplicate", "the old month's alert");
    let more = world
        .poll("2019-10-02T12:00:00Z", &[plan("A", "101", "100", "2019-10-02T04:00:00Z")])
        .await;
    assert_eq!(
        more,
        format!("A spend 100: 101 of 100, {OLD} carried over"),
        "late data of the old month may still cross its steps"
    );
    assert_eq!(
        world
            .poll("2019-10-03T12:00:00Z", &[plan("A", "101", "100", "2019-10-03T04:00:00Z")])
            .await,
        "1 duplicate"
    );
    let late = world
        .poll("2019-10-05T12:00:00Z", &[plan("A", "101", "100", "2019-10-04T04:00:00Z")])
        .await;
    assert_eq!(
        late,
        format!("A spend 100 passed 80: 101 of 100, {NEW}\n1 passed"),
        "three days into the month nobody is late any more"
    );
}

#[tokio::test]
async fn a_new_month_that_starts_low_starts_anew() {
    let world = World::new(SPEND);
    world.poll("2019-09-30T12:00:00Z", &[plan("A", "95", "100", "2019-09-30T10:00:00Z")]).await;
    assert_eq!(
        world.poll("2019-10-01T12:00:00Z", &[plan("A", "3", "100", "2019-10-01T04:00:00Z")]).await,
        ""
    );
    let told =
        world.poll("2019-10-02T12:00:00Z", &[plan("A", "96", "100", "2019-10-02T04:00:00Z")]).await;
    assert_eq!(
        told,
        format!("A spend 80: 96 of 100, {NEW}"),
        "its cost was seen to be the new month's"
    );
}

#[tokio::test]
async fn far_more_than_before_is_the_new_months_whoever_reports_it() {
    let world = World::new(SPEND);
    world.poll("2019-09-30T12:00:00Z", &[plan("A", "95", "100", "2019-09-30T10:00:00Z")]).await;
    let told = world
        .poll("2019-10-01T12:00:00Z", &[plan("A", "200", "100", "2019-10-01T04:00:00Z")])
        .await;
    assert_eq!(told, format!("A spend 100 passed 80: 200 of 100, {NEW}\n1 passed"));
}

#[tokio::test]
async fn a_late_correction_of_the_old_month_does_not_bring_it_back() {
    let world = World::new(SPEND);
    world.poll("2019-09-30T12:00:00Z", &[plan("A", "95", "100", "2019-09-30T10:00:00Z")]).await;
    world.poll("2019-10-01T12:00:00Z", &[plan("A", "3", "100", "2019-10-01T04:00:00Z")]).await;
    let correction = world
        .poll("2019-10-01T13:00:00Z", &[plan("A", "101", "100", "2019-09-30T23:00:00Z")])
        .await;
    assert_eq!(correction, format!("A spend 100: 101 of 100, {OLD}"));
    let october = world
        .poll("2019-10-02T12:00:00Z", &[plan("A", "102", "100", "2019-10-02T04:00:00Z")])
        .await;
    assert_eq!(october, format!("A spend 100 passed 80: 102 of 100, {NEW}\n1 passed"));
}
