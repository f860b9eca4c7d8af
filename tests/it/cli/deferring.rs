//! A recipient whose mailbox is full, as `status`, `deliveries` and `explain` tell of it.

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::{MailOptions, MailReceiver};

use super::{Desk, SWEDEN, masked, one_notifier};

#[tokio::test(flavor = "multi_thread")]
async fn a_deferred_recipient_is_named_wherever_somebody_looks() {
    let mail = MailReceiver::start(SystemClock::shared(), MailOptions::default()).unwrap();
    mail.refuse("full@partner.example", 452);
    let others = one_notifier().split("[notifiers.hook]").next().unwrap().to_owned();
    let desk = Desk::with(&format!(
        "{others}[notifiers.hook]\ntype = \"email\"\nfrom = \"alerts@partner.example\"\nto = \
            [\"ops@partner.example\", \"full@partner.example\"]\nsmtp = \
            {{ host = \"127.0.0.1\", port = {}, tls = \"none\" }}\n",
        mail.port()
    ));
    let deferred =
        || desk.json(&["status", "--format", "json"])["notifiers"][0]["deferred"].clone();
    loop {
        assert_eq!(desk.run(&["poll", "--wait", "1s"]).code, 1);
        if !deferred().is_null() && !mail.received().is_empty() {
            break;
        }
    }
    assert_eq!(deferred()[0]["recipient"], "full@partner.example");
    assert_eq!(
        deferred()[0]["last_error"],
        "the mail server refused the recipient: 452 4.1.1 <address>: refused"
    );

    // Lines are broken where they are too long, inside what is masked too.
    let flat = |text: String| masked(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    let status = desk.run(&["status"]);
    assert_eq!(status.code, 1, "no daemon runs");
    let status = flat(status.out);
    let said = "ok, but takes nothing for full@partner.example, next try SOON: the mail server \
        refused the recipient: 452 4.1.1 <address>: refused";
    assert!(status.contains(said), "{status}");

    let explained = flat(desk.told(&["explain", SWEDEN]));
    let waits = ", its mail server takes nothing for this recipient at the moment; next try SOON";
    assert!(explained.contains(waits), "{explained}");
    assert!(
        explained.contains("recipient-deferred: the mail server refused the recipient: 452"),
        "{explained}"
    );
    assert!(explained.contains("hook ops@partner.example sent"), "{explained}");

    let listed = desk.told(&["deliveries", "--state", "pending"]);
    let rows: Vec<_> = listed
        .lines()
        .skip(1)
        .map_while(|line| line.split_once(' '))
        .map(|(state, _)| state)
        .filter(|state| !state.is_empty())
        .collect();
    assert!(!rows.is_empty() && rows.iter().all(|state| *state == "deferred"), "{listed}");
    let listed = desk.json(&["deliveries", "--state", "pending", "--format", "json"]);
    assert!(listed[0]["deferred_until"].is_string(), "{listed}");
    let listed = desk.json(&["deliveries", "--state", "sent", "--format", "json"]);
    assert!(listed[0].get("deferred_until").is_none(), "{listed}");
}
