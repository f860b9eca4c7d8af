//! `ledger backup`, `ledger verify`, `ledger restore`.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::process::Stdio;

use super::{Desk, Ended};

const TOKEN: &str = "0.AXEAgoodrefreshtoken";

/// A desk whose alerts are told, with a sign-in.
fn signed_in() -> Desk {
    let desk = Desk::polled();
    sign_in(&desk, TOKEN, "2026-11-01T00:00:00Z");
    desk
}

fn sign_in(desk: &Desk, token: &str, issued_at: &str) {
    let text = format!(
        "{{\"refresh_token\":\"{token}\",\"seed_sha256\":\"\",\"issued_at\":\"{issued_at}\"}}"
    );
    std::fs::write(desk.house.path("state/sign-in.json"), text).unwrap();
}

fn kept_token(desk: &Desk) -> String {
    std::fs::read_to_string(desk.house.path("state/sign-in.json")).unwrap()
}

fn ledger(desk: &Desk, arguments: &[&str]) -> Ended {
    desk.run(&[&["ledger"], arguments].concat())
}

fn backup(desk: &Desk) -> String {
    let file = desk.house.path("backup").display().to_string();
    let ended = ledger(desk, &["backup", &file]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    file
}

/// The head that is printed.
fn head(desk: &Desk, arguments: &[&str]) -> String {
    let out = ledger(desk, &[&["verify"], arguments].concat()).out;
    let head = out.lines().nth(1).unwrap_or_else(|| panic!("{out}"));
    assert!(head.len() == 64 && head.bytes().all(|digit| digit.is_ascii_hexdigit()), "{out}");
    head.to_owned()
}

/// The names in a folder that a write left unfinished.
fn unfinished(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains("unfinished") || name.contains("restored")).collect()
}

fn lose(desk: &Desk) {
    for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        let _there_or_not = std::fs::remove_file(desk.house.path("state").join(name));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_beside_a_daemon_is_one_private_file_and_brings_all_back() {
    let desk = signed_in();
    let before = desk.json(&["deliveries", "--format", "json"]);
    let held = super::hold(&desk);
    let file = desk.house.path("backup").display().to_string();
    let ended = ledger(&desk, &["backup", &file]);
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (0, "✓ made  {dir}/backup: the ledger and the sign-in: a secret\n"),
        "{}",
        ended.err
    );
    let mode = std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode, 0o600);
    let last = head(&desk, &[]);
    assert_eq!(
        ledger(&desk, &["verify", &file]).out,
        format!("✓ sound  {{dir}}/backup: version 8, 2 alerts, 3 deliveries\n{last}\n")
    );
    assert_eq!(
        ledger(&desk, &["verify"]).out,
        format!("✓ sound  {{dir}}/state/ledger.db: version 8, 2 alerts, 3 deliveries\n{last}\n")
    );
    let again = ledger(&desk, &["backup", &file]);
    assert_eq!(
        (again.code, again.err.as_str()),
        (1, "budget-alertd: {dir}/backup is there already: name another file\n")
    );
    assert_eq!(ledger(&desk, &["restore", &file, "--force"]).code, 3, "beside a daemon");
    held.close().await.unwrap();

    lose(&desk);
    std::fs::remove_file(desk.house.path("state/sign-in.json")).unwrap();
    let refused = desk.run(&["poll"]);
    assert_eq!(refused.code, 1);
    for command in ["`budget-alertd ledger restore FILE`", "`budget-alertd ledger new`"] {
        assert!(refused.err.contains(command), "{}", refused.err);
    }
    let restored = ledger(&desk, &["restore", &file]);
    assert_eq!(restored.code, 0, "{}", restored.err);
    let said = restored.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in ["version 8, 2 alerts, 3 deliveries", "sign-in {dir}/state/sign-in.json"] {
        assert!(said.contains(part), "{said}");
    }
    assert_eq!(desk.json(&["deliveries", "--format", "json"]), before);
    assert!(kept_token(&desk).contains(TOKEN));
    let bytes = std::fs::read(desk.house.path("state/ledger.db")).unwrap();
    assert!(!bytes.windows(TOKEN.len()).any(|part| part == TOKEN.as_bytes()), "no secret in it");
    let told = desk.receiver.received().len();
    assert_eq!(desk.run(&["poll"]).code, 0);
    assert_eq!(desk.receiver.received().len(), told, "nothing is told twice");
    assert_eq!(unfinished(&desk.house.path("state")), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_is_replaced_by_force_only_and_kept_and_a_newer_sign_in_stays() {
    let desk = signed_in();
    let file = backup(&desk);
    sign_in(&desk, "newer", "2026-11-20T00:00:00Z");
    desk.house.edit("at = 20 }", "at = 10 }");
    let refused = ledger(&desk, &["restore", &file]);
    assert_eq!(
        (refused.code, refused.err.as_str()),
        (
            1,
            "budget-alertd: {dir}/state/ledger.db is there: with --force it is replaced, and kept \
                as {dir}/state/ledger.db.replaced\n"
        )
    );
    // What is damaged is replaced as well.
    let damaged = desk.house.path("state/ledger.db");
    std::fs::write(&damaged, [b"SQLite format 3\0".to_vec(), vec![7; 50_000]].concat()).unwrap();
    assert_eq!(desk.run(&["poll"]).code, 1);
    let restored = ledger(&desk, &["restore", &file, "--force"]);
    assert_eq!(restored.code, 0, "{}", restored.err);
    assert!(restored.out.contains("the one there is newer, and stays"), "{}", restored.out);
    assert!(kept_token(&desk).contains("newer"));
    let replaced = std::fs::read(desk.house.path("state/ledger.db.replaced")).unwrap();
    assert_eq!(replaced.len(), 50_016);
    assert_eq!(ledger(&desk, &["verify"]).code, 0);
    assert_eq!(desk.run(&["poll"]).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_found_and_what_is_damaged_replaces_nothing() {
    let desk = signed_in();
    let file = backup(&desk);
    let sound = std::fs::read(&file).unwrap();
    let own = std::fs::read(desk.house.path("state/ledger.db")).unwrap();
    let pages = sound.len() / 4096;
    for page in [1, pages / 2, pages - 1] {
        let mut damaged = sound.clone();
        damaged[page * 4096..page * 4096 + 64].fill(0xa5);
        std::fs::write(&file, &damaged).unwrap();
        for arguments in [&["verify", &file][..], &["restore", &file, "--force"]] {
            let ended = ledger(&desk, arguments);
            assert_eq!(ended.code, 1, "page {page}: {}", ended.out);
            assert!(ended.err.contains("{dir}/backup is damaged ("), "{}", ended.err);
            assert!(ended.err.ends_with("): use another copy\n"), "{}", ended.err);
        }
    }
    assert!(std::fs::read(desk.house.path("state/ledger.db")).unwrap() == own);
    for (bytes, text) in [
        (b"".as_slice(), "{dir}/backup is damaged (it is empty): use another copy"),
        (b"nothing of the kind", "{dir}/backup is no ledger of budget-alertd (not an SQLite file)"),
    ] {
        std::fs::write(&file, bytes).unwrap();
        let ended = ledger(&desk, &["verify", &file]);
        assert!(ended.code == 1 && ended.err.contains(text), "{}", ended.err);
    }
    // A table that is not as it should be, and a row that refers to nothing.
    std::fs::write(&file, &sound).unwrap();
    for (change, text) in [
        ("DELETE FROM message", "refers to a row of \"message\" that is not there"),
        ("DROP INDEX alert_by_customer", "\"alert_by_customer\" is not as version 8 has it"),
    ] {
        let connection = rusqlite::Connection::open(&file).unwrap();
        connection.execute_batch(&format!("PRAGMA foreign_keys = OFF; {change}")).unwrap();
        drop(connection);
        let ended = ledger(&desk, &["verify", &file]);
        assert!(ended.code == 1 && ended.err.contains(text), "{}", ended.err);
        std::fs::write(&file, &sound).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_in_the_place_of_the_ledger_is_refused_with_the_way_back() {
    let desk = signed_in();
    let file = backup(&desk);
    lose(&desk);
    std::fs::copy(&file, desk.house.path("state/ledger.db")).unwrap();
    let refused = desk.run(&["poll"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("`budget-alertd ledger restore FILE`"), "{}", refused.err);
    // A plain copy of a ledger is as good as a backup.
    let plain = desk.house.path("plain").display().to_string();
    let other = signed_in();
    std::fs::copy(other.house.path("state/ledger.db"), &plain).unwrap();
    lose(&desk);
    assert_eq!(ledger(&desk, &["restore", &plain]).code, 0);
    assert_eq!(desk.run(&["status"]).out, other.run(&["status"]).out);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_root_restores_belongs_to_the_owner_of_the_state_folder() {
    let desk = signed_in();
    let file = backup(&desk);
    lose(&desk);
    std::fs::remove_file(desk.house.path("state/sign-in.json")).unwrap();
    let state = desk.house.path("state");
    let _only_root_can = chown(&state, Some(65534), Some(65534));
    let owner = std::fs::metadata(&state).unwrap().uid();
    assert_eq!(ledger(&desk, &["restore", &file]).code, 0);
    for name in ["ledger.db", "sign-in.json"] {
        let data = std::fs::metadata(state.join(name)).unwrap();
        assert_eq!((data.uid(), data.permissions().mode() & 0o7777), (owner, 0o600), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_and_after_a_kill_no_half_file_is_there() {
    let desk = Desk::new();
    desk.house.save_usage((0..3000).map(|number| (format!("customer-{number:04}"), 50)));
    desk.run(&["poll", "--wait", "0s"]);
    let file = desk.house.path("backup");
    let arguments = ["ledger", "backup", &file.display().to_string()];
    let mut limited = std::process::Command::new("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 300; exec \"$0\" \"$@\""])
        .arg(env!("CARGO_BIN_EXE_budget-alertd"));
    let ended = desk.house.command_as(limited, &arguments).output().unwrap();
    assert_eq!(ended.status.code(), Some(1), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(!file.exists() && unfinished(&desk.house.path("")).is_empty());

    let mut cut_short = 0;
    for _ in 0..20 {
        let mut child = desk
            .house
            .command(&arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // As soon as something of it is there.
        while unfinished(&desk.house.path("")).is_empty() && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        if file.exists() {
            // It was faster.
            assert_eq!(desk.run(&["ledger", "verify", arguments[2]]).code, 0);
            std::fs::remove_file(&file).unwrap();
        } else {
            cut_short += 1;
        }
    }
    assert!(cut_short > 0);
    assert_eq!(desk.run(&arguments).code, 0);
    assert_eq!(unfinished(&desk.house.path("")), [""; 0], "what was left is swept");
    assert_eq!(desk.run(&["ledger", "verify", arguments[2]]).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_cut_short_leaves_no_ledger_that_would_be_taken_for_whole() {
    let desk = Desk::new();
    desk.house.save_usage((0..3000).map(|number| (format!("customer-{number:04}"), 50)));
    desk.run(&["poll", "--wait", "0s"]);
    let file = backup(&desk);
    let alerts = desk.json(&["alerts", "--format", "json"]);
    for _ in 0..10 {
        let mut child = desk
            .house
            .command(&["ledger", "restore", &file, "--force"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while unfinished(&desk.house.path("state")).is_empty()
            && child.try_wait().unwrap().is_none()
        {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // Either the one before, or the one restored, or none that is said to be lost.
        let looked = ledger(&desk, &["verify"]);
        assert!(looked.code == 0 || looked.err.contains("is gone"), "{}", looked.err);
    }
    assert_eq!(ledger(&desk, &["restore", &file, "--force"]).code, 0);
    assert_eq!(desk.json(&["alerts", "--format", "json"]), alerts);
    assert_eq!(unfinished(&desk.house.path("state")), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chain_shows_what_was_changed_and_whether_a_head_is_in_it() {
    let desk = signed_in();
    let before = head(&desk, &[]);
    let file = backup(&desk);
    let alerts = desk.json(&["alerts", "--format", "json"]);
    assert_eq!(desk.run(&["ack", alerts[0]["id"].as_str().unwrap()]).code, 0);
    assert_ne!(head(&desk, &[]), before);
    let asked = ledger(&desk, &["verify", "--head", &before]);
    assert_eq!(asked.code, 0);
    assert!(asked.out.contains(" is that of event "), "{}", asked.out);
    assert_eq!(ledger(&desk, &["verify", &file, "--head", &before[..16]]).code, 0);
    let now = head(&desk, &[]);
    let missing = ledger(&desk, &["verify", &file, "--head", &now]);
    assert!(missing.code == 1 && missing.out.contains("is not in the chain"), "{}", missing.out);
    assert_eq!(ledger(&desk, &["verify", "--head", "beef"]).code, 2);
    // As somebody with the file could do it.
    desk.house.sqlite().execute("UPDATE attempt SET detail = '500 no' WHERE id = 1", []).unwrap();
    let changed = ledger(&desk, &["verify"]);
    assert_eq!(changed.code, 1);
    let event = regex::Regex::new(r"^event \d+ \(attempt, TIME, UUID\) was changed\n$").unwrap();
    assert!(event.is_match(&changed.out), "{}", changed.out);
    // It is no damage: it goes on, and stays said.
    assert_eq!(desk.run(&["poll"]).code, 0);
    assert_eq!(ledger(&desk, &["verify"]).code, 1);
}
