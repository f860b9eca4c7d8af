//! `deliveries release`, and what the other commands say of what is held, and of customers that
//! nobody can tell.

use serde_json::json;

use super::Desk;

const CONFIGURATION: &str = r#"
[source]
type = "file"
path = "{dir}/usage.json"
[rules.spend]
metric = "percent_used"
notify = ["customers"]
steps = [{ at = 80 }]
[notifiers.customers]
type = "webhook"
audience = "customer"
url = "{receiver}/portal"
"#;

/// So many customers at this cost of 100.
fn customers(number: usize, cost: u32) -> impl Iterator<Item = (String, u32)> {
    (0..number).map(move |number| (format!("customer-{number:04}"), cost))
}

/// The standard output of a command that succeeds; the log warns that these rules tell customers
/// only.
#[track_caller]
fn said(desk: &Desk, arguments: &[&str]) -> String {
    let ended = desk.run(arguments);
    assert_eq!(ended.code, 0, "{}", ended.err);
    ended.out
}

/// A desk that holds what 30 customers would be told.
fn holding() -> Desk {
    let desk = Desk::with(CONFIGURATION);
    desk.house.save_usage(customers(30, 10));
    assert_eq!(desk.run(&["poll"]).code, 0);
    desk.house.save_usage(customers(30, 90));
    let ended = desk.run(&["poll"]);
    assert_eq!(ended.code, 1, "they are still owed");
    let end = "Deliveries: 0 sent, 30 still owed (30 held: budget-alertd deliveries release), 0 \
        given up.\n";
    assert!(ended.out.ends_with(end), "{}", ended.out);
    desk
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_named_everywhere_and_the_next_poll_delivers_what_was_released() {
    let desk = holding();
    let status = desk.run(&["status"]).out;
    assert!(
        status.contains("30 owed (30 held: budget-alertd deliveries release), 0 given up"),
        "{status}"
    );
    assert_eq!(desk.json(&["status", "--format", "json"])["held"], json!(30));
    let listed = said(&desk, &["deliveries"]);
    assert_eq!(
        desk.json(&["deliveries", "--state", "held", "--format", "json"]).as_array().unwrap().len(),
        30
    );
    assert_eq!(desk.json(&["deliveries", "--state", "dead", "--format", "json"]), json!([]));
    assert!(
        listed.contains(
            "30 deliveries: 0 sent, 30 owed (30 held: budget-alertd deliveries \
        release), 0 given up."
        ),
        "{listed}"
    );
    let explained = said(&desk, &["explain", "customer-0007"]);
    assert!(
        explained.contains("customers held: suspiciously many customers reached a step at once"),
        "{explained}"
    );
    let answer = desk.json(&["poll", "--format", "json"]);
    assert_eq!(answer["deliveries"], json!({"sent": 0, "pending": 30, "dead": 0}));

    assert_eq!(
        said(&desk, &["deliveries", "release"]),
        "30 held deliveries are released; the next `poll`, or `run`, delivers them.\n"
    );
    assert!(!desk.run(&["status"]).out.contains("mass-crossing"));
    assert!(said(&desk, &["poll"]).ends_with("Deliveries: 30 sent, 0 still owed, 0 given up.\n"));
    assert_eq!(said(&desk, &["deliveries", "release"]), "No such delivery is held.\n");
    assert_eq!(desk.receiver.received().len(), 30);
    assert_eq!(desk.json(&["deliveries", "--state", "held", "--format", "json"]), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn some_are_chosen_by_customer_by_notifier_and_by_id_and_the_rest_is_discarded() {
    let desk = holding();
    assert_eq!(
        said(&desk, &["deliveries", "release", "--customer", "customer-0003"]),
        "1 held delivery is released; the next `poll`, or `run`, delivers it.\n29 deliveries still \
            held.\n"
    );
    let held = desk.json(&["deliveries", "--state", "pending", "--format", "json"]);
    let held: Vec<&str> = held
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["held"] == true)
        .map(|row| row["id"].as_str().unwrap())
        .collect();
    assert_eq!(held.len(), 29);
    assert_eq!(
        said(&desk, &["deliveries", "release", "--notifier", "customers", &held[0][..8], held[1]]),
        "2 held deliveries are released; the next `poll`, or `run`, delivers them.\n27 deliveries \
            still held.\n"
    );
    for (wrong, why) in [
        (vec![held[0]], "that is held: see budget-alertd deliveries --state pending"),
        (vec!["abcdef"], "there is no delivery abcdef that is held"),
        (
            vec!["--customer", "nobody"],
            "no customer is called \"nobody\": give an id, a name or a label",
        ),
        (vec!["--notifier", "nobody"], "nothing is held that is owed to \"nobody\""),
    ] {
        let ended = desk.run(&[&["deliveries", "release"], &wrong[..]].concat());
        assert_eq!(ended.code, 2);
        assert!(ended.err.contains(why), "{}", ended.err);
    }
    assert_eq!(
        said(&desk, &["deliveries", "release", "--discard", "--reason", "prices were wrong"]),
        "27 held deliveries are discarded and will never be sent.\n"
    );
    assert!(said(&desk, &["poll"]).ends_with("Deliveries: 3 sent, 0 still owed, 0 given up.\n"));
    let listed = said(&desk, &["deliveries", "--state", "dead"]);
    assert!(
        listed.matches("discarded").count() > 27 && listed.contains("prices were wrong"),
        "{listed}"
    );
    let again = desk.run(&["deliveries", "retry", held[5]]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("is held or was discarded"), "{}", again.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_that_a_notifier_has_no_contacts_of_are_named() {
    let mail = "type = \"email\"\naudience = \"customer\"\nto_customer_contacts = true\nfrom = \
        \"a@partner.example\"\nsmtp = \
        { host = \"127.0.0.1\", tls = \"none\" }\n[customers.customer-0001]\ncontacts = \
        [\"it@one.example\"]";
    let (before, _) = CONFIGURATION.split_once("type = \"webhook\"").unwrap();
    let desk = Desk::with(&format!("{before}{mail}"));
    desk.house.save_usage(customers(9, 10));
    assert_eq!(desk.run(&["poll"]).code, 0);
    let named = said(&desk, &["coverage"]).split_whitespace().collect::<Vec<_>>().join(" ");
    let untold =
        "customer-0000, customer-0002, customer-0003, customer-0004, customer-0005 and 3 more";
    assert!(
        named.contains(&format!(
            "no contacts: the notifier customers tells nobody about 8 customers: {untold}"
        )),
        "{named}"
    );
    let rows = &desk.json(&["coverage", "--format", "json"])["without_contacts"];
    assert_eq!(rows, &json!([{ "notifier": "customers", "customers": 8 }]));
    let line = "no contacts: the customers' notifier customers tells nobody about it";
    assert!(said(&desk, &["explain", "customer-0002"]).contains(line));
    assert!(!said(&desk, &["explain", "customer-0001"]).contains(line));
}
