//! The daily backups as the daemon makes them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::HttpReceiver;

use super::{configuration, within_budget};
use crate::support::process::{House, SOON, eventually};

fn house(more: &str) -> House {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let house = House::new(&format!("{}{more}", configuration(&receiver, "1h")));
    house.save_usage(within_budget());
    house
}

fn backups(house: &House) -> Vec<PathBuf> {
    let Ok(names) = std::fs::read_dir(house.path("state/backups")) else { return Vec::new() };
    let paths = names.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|ending| ending == "backup")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_made_at_the_start_and_none_again_after_a_restart() {
    let house = house("");
    let process = house.start();
    eventually(SOON, "a backup", || (!backups(&house).is_empty()).then_some(()));
    let made = backups(&house);
    assert_eq!(process.terminate().0, Some(0));
    let rights = std::fs::metadata(&made[0]).unwrap().permissions().mode() & 0o7777;
    assert_eq!(rights, 0o600);
    let verified = house.run(&["ledger", "verify", &made[0].display().to_string()]);
    assert_eq!(verified.status.code(), Some(0));
    let systemd = house.systemd();
    let process = house.start_ready(&systemd);
    assert_eq!(process.terminate().0, Some(0));
    assert_eq!(backups(&house), made);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_folder_name_is_for_none() {
    let house = house("[ledger]\nbackups = \"\"\n");
    let systemd = house.systemd();
    let process = house.start_ready(&systemd);
    assert_eq!(process.terminate().0, Some(0));
    assert!(!house.path("state/backups").exists());
}
