//! Damage: what was recorded and told is never undone without a word, and a power cut is none.

use std::ops::Range;
use std::path::Path;

use super::*;

const HEADER: usize = 32;
const FRAME: usize = 24 + 4096;
/// How many alerts the log holds.
const ALERTS: u128 = 4;

/// The files of a killed process whose log holds some alerts, each recorded for itself.
async fn killed() -> tempfile::TempDir {
    let (folder, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ledger = open(&config(&folder)).unwrap();
    for number in 1..=ALERTS {
        ledger
            .record(one_alert(number, &format!("spend-{number}"), "slack", Severity::Critical))
            .await
            .unwrap();
    }
    for name in ["ledger.db", "ledger.db-wal", "ledger.made"] {
        std::fs::copy(folder.path().join(name), after.path().join(name)).unwrap();
    }
    ledger.close().await.unwrap();
    after
}

fn log(folder: &tempfile::TempDir) -> std::path::PathBuf {
    folder.path().join("ledger.db-wal")
}

/// The frames of each transaction, in order.
fn transactions(log: &[u8]) -> Vec<Range<usize>> {
    let mut begin = 0;
    let frames = (log.len() - HEADER) / FRAME;
    let is_commit = |frame: &usize| log[HEADER + frame * FRAME + 4..][..4] != [0; 4];
    (0..frames)
        .filter(is_commit)
        .map(|last| std::mem::replace(&mut begin, last + 1)..last + 1)
        .collect()
}

/// How many alerts there are when a ledger with this log is opened, or why it is not; nothing is
/// changed then.
async fn opened(sound: &tempfile::TempDir, log_of: &[u8]) -> Result<usize, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(config(sound).path, config(&folder).path).unwrap();
    std::fs::write(log(&folder), log_of).unwrap();
    let owed = async |ledger: Ledger| {
        let owed = ledger.due("slack", vec![], 10).await.unwrap().len();
        ledger.close().await.unwrap();
        owed
    };
    let looked = Reader::open(&config(&folder)).map(drop).map_err(|error| error.to_string());
    let previewed = Ledger::preview(&config(&folder), Metrics::new(), clock()).map(drop);
    match open(&config(&folder)) {
        Ok(ledger) => {
            assert!(looked.is_ok() && previewed.is_ok(), "{looked:?}");
            Ok(owed(ledger).await)
        }
        Err(error) => {
            assert!(std::fs::read(log(&folder)).unwrap() == log_of, "it is left as it is");
            assert_eq!(looked, Err(error.to_string()));
            assert!(previewed.is_err());
            Err(error.to_string().replace(&folder.path().display().to_string(), ""))
        }
    }
}

#[tokio::test]
async fn damage_to_the_log_is_refused_wherever_it_is() {
    let folder = killed().await;
    let sound = std::fs::read(log(&folder)).unwrap();
    let transactions = transactions(&sound);
    assert!(transactions.len() >= 4 && transactions.last().unwrap().len() > 2, "{transactions:?}");
    let with = |at: usize, length: usize| {
        let mut damaged = sound.clone();
        damaged[at..at + length].iter_mut().for_each(|byte| *byte ^= 0xa5);
        damaged
    };
    let last_commit = transactions.last().unwrap().end - 1;
    for frame in 0..last_commit {
        // The page's number, the salts, the checksum, the page itself, and a whole sector.
        for (place, length) in [(0, 1), (9, 1), (18, 1), (24 + frame % 4096, 1), (100, 512)] {
            let at = HEADER + frame * FRAME;
            let expected = format!(
                "/ledger.db-wal is damaged at byte {at}, and more was written after that: put a \
                    sound copy of it and of the ledger in their places, or move it away; what it \
                    holds is then lost, and may be told again"
            );
            assert_eq!(
                opened(&folder, &with(at + place, length)).await,
                Err(expected),
                "frame {frame}, byte {place}"
            );
        }
    }
    for at in [0, 3, 9, 17, 25] {
        let refused = opened(&folder, &with(at, 1)).await;
        assert!(
            refused.is_err_and(|text| text.contains("damaged at byte 0")),
            "the header, byte {at}"
        );
    }
    assert_eq!(opened(&folder, &sound).await, Ok(4));
    assert_eq!(opened(&folder, &[]).await, Ok(0));
}

#[tokio::test]
async fn a_power_cut_costs_what_was_not_on_disk_and_no_more() {
    let folder = killed().await;
    let sound = std::fs::read(log(&folder)).unwrap();
    let transactions = transactions(&sound);
    let first = transactions.len() - 4;
    let at = |frame: usize| HEADER + frame * FRAME;
    // The file ends anywhere, as if the rest had never been written.
    for (number, frames) in transactions[first..].iter().enumerate() {
        for end in
            [at(frames.start), at(frames.start) + 10, at(frames.end - 1) + 2000, at(frames.end) - 1]
        {
            assert_eq!(opened(&folder, &sound[..end]).await, Ok(number), "cut at {end}");
        }
    }
    // The blocks of the last transaction come to the disk in any order: one of them is missing, or
    // is of an earlier log.
    let last = transactions.last().unwrap();
    let older = (u32::from_be_bytes(sound[16..20].try_into().unwrap()) - 1).to_be_bytes();
    for frame in last.clone() {
        let mut missing = sound.clone();
        missing[at(frame)..at(frame) + FRAME].fill(0);
        assert_eq!(opened(&folder, &missing).await, Ok(3), "frame {frame}");
        missing[at(frame) + 8..at(frame) + 12].copy_from_slice(&older);
        assert_eq!(opened(&folder, &missing).await, Ok(3), "frame {frame}");
    }
}

#[tokio::test]
async fn what_a_poll_found_does_not_stay_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    let length = || std::fs::metadata(log(&folder)).unwrap().len();
    assert_eq!(length(), 0, "what is done at opening is in the file");
    ledger.record(one_alert(1, "spend", "slack", Severity::Critical)).await.unwrap();
    assert!(length() > 0);
    let result = PollResult {
        at: at("2026-10-05T12:00:00Z"),
        good: true,
        records: 1,
        skipped: 0,
        alerts: 1,
        newest: None,
        errors: vec![],
        uncovered: None,
        rules: vec!["spend".into()],
    };
    ledger.finish_poll(result.clone()).await.unwrap();
    assert_eq!(length(), 0);
    // A reader keeps the log, and nobody waits for it.
    let reader = rusqlite::Connection::open(config(&folder).path).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM alert").unwrap();
    let _row: i64 = reader.query_row("SELECT count(*) FROM alert", [], |row| row.get(0)).unwrap();
    ledger.record(one_alert(2, "other", "slack", Severity::Critical)).await.unwrap();
    ledger.finish_poll(PollResult { alerts: 2, ..result }).await.unwrap();
    assert!(length() > 0);
    drop(reader);
    ledger.checkpoint().await;
    assert_eq!(length(), 0);
    ledger.close().await.unwrap();
}

fn made(folder: &Path) -> std::path::PathBuf {
    folder.join("ledger.made")
}

#[tokio::test]
async fn a_ledger_that_is_lost_is_begun_anew_by_order_only() {
    let folder = tempfile::tempdir().unwrap();
    let (config, now) = (config(&folder), at("2026-10-05T12:00:00Z"));
    open(&config).unwrap().close().await.unwrap();
    assert!(
        std::fs::read_to_string(made(folder.path()))
            .unwrap()
            .starts_with("ledger.db was made here, as noted at 2026-10-05T12:00:00Z.")
    );
    let there = Ledger::make_new(&config, now).unwrap_err().to_string();
    assert!(
        there.ends_with("ledger.db is there: move it away before another one is begun"),
        "{there}"
    );
    std::fs::remove_file(&config.path).unwrap();
    let refused = [
        open(&config).err().unwrap(),
        Ledger::preview(&config, Metrics::new(), clock()).err().unwrap(),
        Reader::open(&config).err().unwrap(),
    ];
    for error in refused {
        let text = error.to_string().replace(&folder.path().display().to_string(), "");
        assert_eq!(
            text,
            "/ledger.db is gone, and was there (/ledger.made says so): bring a copy back with \
                `budget-alertd ledger restore FILE`, or begin a new one with `budget-alertd ledger new`, which tells everything \
                again"
        );
        assert!(!config.path.exists());
    }
    Ledger::make_new(&config, now).unwrap();
    let ledger = open(&config).unwrap();
    assert!(matches!(Ledger::make_new(&config, now), Err(LedgerError::Held { .. })));
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn an_older_ledger_gets_its_note_and_is_as_good_without() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let made = made(folder.path());
    open(&config).unwrap().close().await.unwrap();
    std::fs::remove_file(&made).unwrap();
    Reader::open(&config).unwrap();
    drop(Ledger::preview(&config, Metrics::new(), clock()).unwrap());
    assert!(!made.exists(), "who only looks writes nothing");
    // Nothing can be written there: the ledger is opened all the same.
    std::fs::create_dir(&made).unwrap();
    open(&config).unwrap().close().await.unwrap();
    std::fs::remove_dir(&made).unwrap();
    open(&config).unwrap().close().await.unwrap();
    assert!(made.exists());
}
