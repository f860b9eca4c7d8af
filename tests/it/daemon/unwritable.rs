//! A ledger that cannot be written while the daemon runs: said everywhere, told from memory, and
//! over by itself.

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::HttpReceiver;
use serde_json::json;

use super::{configuration, over_budget};
use crate::support::process::{House, Process, get};

/// The daemon under a limit of 400 KiB for each file that it writes, as on a disk that is full.
fn start_cramped(house: &House) -> Process {
    let run = house.command(&["run"]);
    let mut cramped = std::process::Command::new("sh");
    // What would end the process becomes an error of the write, in the daemon too.
    cramped
        .args(["-c", "trap '' XFSZ; ulimit -f 800; exec \"$0\" \"$@\""])
        .arg(run.get_program())
        .args(run.get_args());
    for (name, _) in run.get_envs().filter(|(_, value)| value.is_none()) {
        cramped.env_remove(name);
    }
    Process::start(&mut cramped)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_cannot_grow_is_failing_everywhere_until_it_can_be_written_again() {
    let (receiver, oncall) = (
        HttpReceiver::start(SystemClock::shared()).unwrap(),
        HttpReceiver::start(SystemClock::shared()).unwrap(),
    );
    let operator = format!(
        "[operator]\nnotify = [\"oncall\"]\n[notifiers.oncall]\ntype = \"webhook\"\nurl = \"{}\"\n",
        oncall.url("/oncall")
    );
    let house = House::new(&format!("{}{operator}", configuration(&receiver, "1s")));
    house.save_usage(over_budget(0..2000));
    let process = start_cramped(&house);
    process.wait_for_metric("ledger_writable", "0");
    assert_eq!(
        process.metric("operator_findings{code=\"ledger-unwritable\"}").as_deref(),
        Some("1")
    );
    let (code, why) = get(process.address(), "/readyz").unwrap();
    assert_eq!(code, 503);
    assert!(why.contains("nothing can be recorded since ") && why.contains("ledger.db"), "{why}");
    assert_eq!(get(process.address(), "/healthz"), Some((200, "ok\n".to_owned())));

    let status = house.run(&["status"]);
    let said = String::from_utf8(status.stdout).unwrap();
    assert_eq!(status.status.code(), Some(1), "{said}");
    assert!(said.starts_with("FAILING (ledger-unwritable: nothing can be recorded for "), "{said}");
    assert_eq!(receiver.received().len(), 0, "what is not recorded is not sent");

    // Told without the ledger, once.
    let told = oncall.wait_for(1).await.unwrap();
    let news: serde_json::Value = serde_json::from_str(&told[0].text()).unwrap();
    assert_eq!(
        (&news["type"], &news["data"]["operator"]["code"]),
        (&json!("operator.raised"), &json!("ledger-unwritable"))
    );

    // There is room again, since less is to be recorded.
    house.save_usage(over_budget(0..1));
    receiver.wait_for(1).await.unwrap();
    process.wait_for_metric("ledger_writable", "1");
    assert_eq!(get(process.address(), "/readyz"), Some((200, "ready\n".to_owned())));
    assert_eq!(
        oncall
            .received()
            .iter()
            .filter(|request| request.text().contains("ledger-unwritable"))
            .count(),
        1
    );
    drop(process);
    assert_eq!(
        house
            .number("SELECT count(*) FROM message WHERE operator ->> 'code' = 'ledger-unwritable'"),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_another_program_holds_is_unwritable_until_it_lets_go() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let house = House::new(&configuration(&receiver, "1s"));
    house.save_usage(over_budget(0..1));
    let process = house.start();
    receiver.wait_for(1).await.unwrap();
    process.wait_for_metric("deliveries_pending{notifier=\"hook\"}", "0");
    let holder = house.sqlite();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    house.save_usage(over_budget(0..2));
    process.wait_for_metric("ledger_writable", "0");
    holder.execute_batch("ROLLBACK").unwrap();
    process.wait_for_metric("ledger_writable", "1");
    receiver.wait_for(2).await.unwrap();
}
