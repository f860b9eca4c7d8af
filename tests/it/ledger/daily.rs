//! The daily copies: when one is made, which ones stay.

use std::path::PathBuf;

use super::*;

/// A folder with a ledger of one alert, and where its copies go.
async fn ledger() -> (tempfile::TempDir, Config, Backups) {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let ledger = open(&config).unwrap();
    ledger.record(one_alert(1, "spend", "slack", Severity::Critical)).await.unwrap();
    ledger.close().await.unwrap();
    let backups = Backups { folder: folder.path().join("backups"), keep: 3 };
    (folder, config, backups)
}

fn names(backups: &Backups) -> Vec<String> {
    let names = std::fs::read_dir(&backups.folder).unwrap();
    let mut names: Vec<_> =
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn made(config: &Config, backups: &Backups, now: &str) -> Option<PathBuf> {
    match copy_if_due(config, backups, &[], at(now)).unwrap() {
        DailyCopy::Made(path) => Some(path),
        DailyCopy::NotDue(_) | DailyCopy::NoRoom { .. } => None,
    }
}

#[tokio::test]
async fn one_is_made_a_day_and_the_newest_stay() {
    let (_folder, config, backups) = ledger().await;
    let first = made(&config, &backups, "2026-10-05T12:00:00Z").unwrap();
    assert_eq!(
        verify_copy(&first, None).unwrap(),
        Verified { alerts: 1, deliveries: 1, ..verify(&config, None).unwrap() }
    );
    assert_eq!(
        copy_if_due(&config, &backups, &[], at("2026-10-06T11:59:59Z")).unwrap(),
        DailyCopy::NotDue(jiff::SignedDuration::new(86_399, 0))
    );
    for day in 6..=9 {
        assert!(made(&config, &backups, &format!("2026-10-{day:02}T12:00:00Z")).is_some());
    }
    assert_eq!(
        names(&backups),
        [
            "000003-20261007T120000Z.backup",
            "000004-20261008T120000Z.backup",
            "000005-20261009T120000Z.backup"
        ]
    );
}

#[tokio::test]
async fn a_clock_that_jumps_removes_none_of_the_newest_and_keeps_none_from_being_made() {
    let (_folder, config, backups) = ledger().await;
    for (now, is_due) in [
        ("2026-10-05T12:00:00Z", true),
        // A year ahead, and back.
        ("2027-10-05T12:00:00Z", true),
        ("2026-10-05T13:00:00Z", true),
        ("2026-10-05T14:00:00Z", false),
        ("2026-10-06T14:00:00Z", true),
    ] {
        assert_eq!(made(&config, &backups, now).is_some(), is_due, "{now}");
    }
    assert_eq!(
        names(&backups),
        [
            "000002-20271005T120000Z.backup",
            "000003-20261005T130000Z.backup",
            "000004-20261006T140000Z.backup"
        ]
    );
}

#[tokio::test]
async fn other_files_stay_and_what_a_kill_left_is_swept() {
    let (_folder, config, backups) = ledger().await;
    std::fs::create_dir(&backups.folder).unwrap();
    for name in ["mine.backup", ".000001-20261005T120000Z.backup.7-0.unfinished"] {
        std::fs::write(backups.folder.join(name), "x").unwrap();
    }
    for day in 5..=9 {
        made(&config, &backups, &format!("2026-10-{day:02}T12:00:00Z")).unwrap();
    }
    assert_eq!(names(&backups).len(), 4);
    assert_eq!(names(&backups)[3], "mine.backup");
}

#[tokio::test]
async fn without_twice_the_room_none_is_made_and_none_removed() {
    let (_folder, config, backups) = ledger().await;
    made(&config, &backups, "2026-10-05T12:00:00Z").unwrap();
    // As large as no disk, and with nothing in it.
    let size = 1 << 43;
    std::fs::File::options().write(true).open(&config.path).unwrap().set_len(size).unwrap();
    assert_eq!(
        copy_if_due(&config, &backups, &[], at("2026-10-07T12:00:00Z")).unwrap(),
        DailyCopy::NoRoom { size }
    );
    assert_eq!(names(&backups).len(), 1);
}
