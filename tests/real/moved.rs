//! An installation of one machine is brought to another by its backup: nothing is lost, and nothing
//! is told twice.

use std::time::Duration;

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::HttpReceiver;

use super::package::{CONFIGURATION, PACKAGES, STATE, UNIT, boot};
use super::process::eventually;
use super::systemd::Machine;

const BACKUP: &str = "/root/budget-alertd.backup";
const USAGE: &str = include_str!("../fixtures/customers_usagerecords.json");

/// Installs the package, with a configuration whose alerts go to this receiver.
fn install(machine: &Machine, receiver: &HttpReceiver) {
    machine.dpkg_install(&PACKAGES.older);
    machine.systemctl(&["stop", UNIT]);
    machine.succeed("sh", &["-c", &format!("rm -r {STATE}/*")]);
    machine.write("/etc/budget-alertd/usage.json", USAGE);
    let configuration = format!(
        r#"
[source]
type = "file"
path = "/etc/budget-alertd/usage.json"
[rules.spend]
metric = "percent_used"
notify = ["hook"]
steps = [{{ at = 100, severity = "critical" }}]
[notifiers.hook]
type = "webhook"
url = "{}"
"#,
        receiver.url("/hook")
    );
    machine.write(CONFIGURATION, &configuration);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_one_machine_is_restored_on_another_and_nothing_is_told_twice() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let listed = |machine: &Machine| machine.program(&["alerts", "--format", "json"]);
    let sent = |machine: &Machine| {
        let sent = machine.program(&["deliveries", "--state", "sent", "--format", "json"]);
        sent.contains("\"sent\"").then_some(sent)
    };

    let old = boot();
    install(&old, &receiver);
    old.systemctl(&["start", UNIT]);
    let delivered = eventually(Duration::from_secs(20), "the alert to be sent", || sent(&old));
    let reference = old.program(&["alerts", "--format", "csv"]);
    let reference = reference.lines().nth(1).unwrap().split(',').nth(1).unwrap().to_owned();
    old.program(&["ack", &reference]);
    // Beside the daemon.
    old.program(&["ledger", "backup", BACKUP]);
    let raised = listed(&old);
    let head = old.program(&["ledger", "verify"]);
    let backup = std::fs::read(old.path(BACKUP)).unwrap();
    drop(old);
    let told = receiver.received().len();

    let new = boot();
    install(&new, &receiver);
    std::fs::write(new.path(BACKUP), backup).unwrap();
    new.program(&["ledger", "verify", BACKUP]);
    new.program(&["ledger", "restore", BACKUP]);
    new.assert_private(STATE);
    assert_eq!(new.program(&["ledger", "verify"]), head);
    new.systemctl(&["start", UNIT]);
    new.assert_runs();
    new.program(&["poll"]);
    assert_eq!(listed(&new), raised);
    assert_eq!(sent(&new), Some(delivered));
    assert_eq!(receiver.received().len(), told);
}
