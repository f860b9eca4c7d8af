//! `deliveries retry`.

use budget_alertd::simulator::{Answer, Fault};

use super::Desk;

/// A desk whose deliveries were all refused.
fn refused() -> Desk {
    let desk = Desk::new();
    desk.receiver.fail(Fault::Answer(Answer::new(422)));
    let ended = desk.run(&["poll"]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.out.ends_with("Deliveries: 0 sent, 0 still owed, 3 given up.\n"),
        "{}",
        ended.out
    );
    desk.receiver.heal();
    desk
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_is_owed_again_and_the_next_poll_delivers_it() {
    let desk = refused();
    assert_eq!(desk.json(&["status", "--format", "json"])["dead"], 3);
    assert_eq!(
        desk.told(&["deliveries", "retry"]),
        "3 deliveries are owed again; the next `poll`, or `run`, delivers them.\n"
    );
    assert_eq!(desk.json(&["status", "--format", "json"])["dead"], 0);
    assert!(desk.told(&["poll"]).ends_with("Deliveries: 3 sent, 0 still owed, 0 given up.\n"));
    assert_eq!(
        desk.told(&["deliveries", "retry"]),
        "Nothing was given up that could be owed again.\n"
    );
    let identities = |requests: Vec<budget_alertd::simulator::Request>| {
        let mut all: Vec<_> = requests
            .iter()
            .map(|request| request.header("webhook-id").unwrap().to_owned())
            .collect();
        all.sort();
        all
    };
    let attempts = desk.receiver.attempts();
    let first =
        attempts.iter().filter(|seen| !seen.accepted()).map(|seen| seen.request.clone()).collect();
    assert_eq!(
        identities(desk.receiver.received()),
        identities(first),
        "the same messages under the same identities"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn some_are_chosen_and_sent_elsewhere() {
    let desk = refused();
    let dead =
        desk.json(&["deliveries", "--state", "dead", "--notifier", "other", "--format", "json"]);
    let id = dead[0]["id"].as_str().unwrap();
    assert_eq!(
        desk.told(&["deliveries", "retry", &id[..8], "--to", "hook"]),
        "1 delivery is owed again; the next `poll`, or `run`, delivers it.\n"
    );
    let moved = &desk.json(&["deliveries", "--state", "pending", "--format", "json"])[0];
    assert_eq!((moved["id"].as_str().unwrap(), moved["notifier"].as_str().unwrap()), (id, "hook"));
    let again = desk.run(&["deliveries", "retry", id]);
    assert_eq!(again.code, 2);
    assert_eq!(again.err, "budget-alertd: delivery UUID is owed and tried again anyway\n");
    assert_eq!(desk.run(&["deliveries", "retry", "abcdef"]).code, 2);
    for option in ["--to", "--notifier"] {
        let ended = desk.run(&["deliveries", "retry", option, "nobody"]);
        assert_eq!(ended.code, 2);
        assert!(
            ended.err.contains("there is no notifier \"nobody\"; there are: "),
            "{}",
            ended.err
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_of_a_notifier_that_is_gone_need_another() {
    let desk = refused();
    desk.house.configure(&super::one_notifier().replace("{receiver}", &desk.receiver.url("")));
    assert_eq!(
        desk.told(&["deliveries", "retry", "--notifier", "other"]),
        "\
1 delivery is owed again; the next `poll`, or `run`, delivers it.
Notifier \"other\" is no longer configured: add --to NOTIFIER, or they are given up again.
"
    );
}
