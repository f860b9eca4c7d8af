//! From the package alone to a standby: what a person does on a second machine, and what comes of it
//! when the first one ends.

use std::time::Duration;

use super::hosts::cluster::Cluster;
use super::hosts::fleet::Fleet;
use super::package::{CONFIGURATION, PACKAGES, UNIT, boot};
use super::process::eventually;

/// What is typed after `apt install`: the configuration and the secrets of the first machine are
/// copied, and the daemon starts.
const TYPED: &str = "set -e
cp /tmp/first/alert-rules.toml /etc/budget-alertd/alert-rules.toml
install --owner=budget-alertd --mode=400 /tmp/first/ledger-url /etc/budget-alertd/credentials/ledger-url
budget-alertd check
systemctl restart budget-alertd";

#[test]
fn a_second_machine_stands_by_and_goes_on_when_the_first_one_ends() {
    let cluster = Cluster::start();
    let url = format!("postgres://budget@{}/postgres", cluster.address());
    let mut fleet = Fleet::of(std::slice::from_ref(&url));
    fleet.customers_over(1);
    fleet.start(0);
    fleet.leader(&[0], Duration::from_secs(30));
    fleet.receiver_has(1);

    let machine = boot();
    machine.dpkg_install(&PACKAGES.newer);
    let first = std::fs::read_to_string(fleet.path("0/alert-rules.toml")).unwrap();
    // The machine has files of its own.
    let first = first
        .replace(&format!("\"{url}\""), "{ credential = \"ledger-url\" }")
        .replace(&fleet.path("0/state").display().to_string(), "/var/lib/budget-alertd")
        .replace(&fleet.path("usage.json").display().to_string(), "/etc/budget-alertd/usage.json");
    let usage = std::fs::read_to_string(fleet.path("usage.json")).unwrap();
    machine.write("/etc/budget-alertd/usage.json", &usage);
    machine.write("/tmp/first/alert-rules.toml", &first);
    machine.write("/tmp/first/ledger-url", &url);
    machine.succeed("sh", &["-c", TYPED]);
    machine.assert_runs();
    let status = || machine.output("budget-alertd", &["status", "--format", "json"]);
    let leads = |expected: bool| {
        eventually(Duration::from_secs(90), "it to lead, or to stand by", || {
            let status: serde_json::Value = serde_json::from_slice(&status().stdout).ok()?;
            (status["daemon"]["leader"] == expected).then_some(())
        });
    };
    leads(false);
    assert!(status().status.success());
    let asked = machine.program(&["status"]);
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert!(asked.contains(host.trim()), "{asked}");

    // The first machine ends: the second one leads, and what is new is told once.
    fleet.end(0);
    leads(true);
    fleet.customers_over(3);
    let usage = std::fs::read_to_string(fleet.path("usage.json")).unwrap();
    machine.write("/etc/budget-alertd/usage.json", &usage);
    fleet.told(3, Duration::from_mins(1));
    fleet.assert_told_once(0);
    assert_eq!(machine.property(UNIT, "ActiveState"), "active");
    assert!(std::fs::read_to_string(machine.path(CONFIGURATION)).unwrap().contains("ledger-url"));
}
