//! The regular report of a daemon as a process: sent once for each occasion, whatever becomes of
//! the process.

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::{HttpReceiver, Request};

use super::{over_budget, with_hook};
use crate::support::process::{House, eventually};

const SOON: std::time::Duration = std::time::Duration::from_mins(1);

fn types(requests: &[Request]) -> Vec<String> {
    let kind = |request: &Request| {
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        body["type"].as_str().unwrap().to_owned()
    };
    requests.iter().map(kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_occasion_that_passed_while_the_daemon_was_down_is_reported_once() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let report = "[report]\nevery = \"month\"\nnotify = [\"hook\"]\n";
    let house = House::new(&with_hook(&receiver.url("/hook"), "1h", report));
    house.save_usage(over_budget(0..1));
    let systemd = house.systemd();
    let process = house.start_ready(&systemd);
    // The first occasion is only noted: nobody asked for a report of the time before.
    eventually(SOON, "the occasion", || {
        (house.number("SELECT reported_at IS NOT NULL FROM file") == 1).then_some(())
    });
    assert_eq!(process.terminate().0, Some(0));
    assert_eq!(types(&receiver.received()), ["budget.alert.raised"]);
    house
        .sqlite()
        .execute("UPDATE file SET reported_at = reported_at - 40 * 86400000000000", [])
        .unwrap();
    let process = house.start_ready(&systemd);
    assert_eq!(
        types(&receiver.wait_for(2).await.unwrap()),
        ["budget.alert.raised", "operator.report"]
    );
    process.kill();
    let process = house.start_ready(&systemd);
    process.wait_for_log("poll good");
    assert_eq!(process.terminate().0, Some(0));
    assert_eq!(house.number("SELECT count(*) FROM message WHERE kind = 'operator.report'"), 1);
}
