//! The running daemon tells its operator.

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::{Fault, HttpReceiver, Request};

use crate::support::process::House;

/// What the operator was told, a line each: the type of the message that came, and the code that
/// the ledger has for it.
fn news(house: &House, receiver: &HttpReceiver) -> Vec<String> {
    let codes = house.sqlite();
    let one = |request: &Request| {
        let body: serde_json::Value = serde_json::from_str(&request.text()).unwrap();
        let identity =
            uuid::Uuid::parse_str(request.header("webhook-id").unwrap().trim_start_matches("msg_"))
                .unwrap();
        let code: String = codes
            .query_row(
                "SELECT operator ->> 'code' FROM message WHERE identity = ?1",
                [identity.as_bytes()],
                |row| row.get(0),
            )
            .unwrap();
        format!("{} {code}", body["type"].as_str().unwrap())
    };
    receiver.received().iter().map(one).collect()
}

/// Usage from a file, alerts and news to one receiver.
fn configuration(receiver: &HttpReceiver) -> String {
    format!(
        "[source]\ntype = \"file\"\npath = \"{{dir}}/usage.json\"\npoll_interval = \
            \"1h\"\n[http]\nlisten = \"127.0.0.1:0\"\n[operator]\nnotify = \
            [\"oncall\"]\n[rules.spend]\nmetric = \"percent_used\"\nnotify = [\"hook\"]\nsteps = \
            [{{ at = 80 }}]\n[notifiers.hook]\ntype = \"webhook\"\nurl = \
            \"{}\"\n[notifiers.oncall]\ntype = \"webhook\"\nurl = \"{}\"\n",
        receiver.url("/hook"),
        receiver.url("/oncall")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_reload_is_told_once_across_restarts_and_so_is_its_end() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let house = House::new(&configuration(&receiver));
    house.save_usage([("A".to_owned(), 1)]);
    let process = house.start();
    // The shipped records are of 2019.
    receiver.wait_for(1).await.unwrap();
    assert_eq!(news(&house, &receiver), ["operator.raised usage-stale"]);

    house.configure(&configuration(&receiver).replace("steps", "stepz"));
    process.hang_up();
    process.wait_for_log("the configuration was not reloaded");
    receiver.wait_for(2).await.unwrap();
    process.hang_up();
    process.wait_for_metric("config_last_reload_successful", "0");
    let (code, log) = process.terminate();
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(news(&house, &receiver)[1..], ["operator.raised reload-refused"]);

    house.configure(&configuration(&receiver));
    let process = house.start();
    receiver.wait_for(3).await.unwrap();
    process.wait_for_metric("polls_total{result=\"ok\"}", "1");
    process.wait_for_metric("deliveries_pending{notifier=\"oncall\"}", "0");
    let all = receiver.received();
    assert_eq!(news(&house, &receiver)[2..], ["operator.resolved reload-refused"]);
    let mut identities: Vec<_> =
        all.iter().map(|request| request.header("webhook-id").unwrap().to_owned()).collect();
    identities.sort();
    identities.dedup();
    assert_eq!(identities.len(), all.len());
    assert!(all.iter().all(|request| request.path == "/oncall"), "never to the rule's notifiers");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_poll_tells_also_what_became_of_its_own_deliveries() {
    let [hook, oncall] = [(), ()].map(|()| HttpReceiver::start(SystemClock::shared()).unwrap());
    hook.fail(Fault::status(422));
    let house =
        House::new(&configuration(&hook).replace(&hook.url("/oncall"), &oncall.url("/oncall")));
    house.save_usage([("A".to_owned(), 90)]);
    assert_eq!(house.run(&["poll", "--wait", "0s"]).status.code(), Some(1));
    assert_eq!(
        news(&house, &oncall),
        ["operator.raised usage-stale", "operator.raised delivery-dead"]
    );
    assert_eq!(house.run(&["poll", "--wait", "0s"]).status.code(), Some(0));
    assert_eq!(oncall.received().len(), 2, "once");
}
