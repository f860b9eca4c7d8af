//! Opening: one holder, sound files only, usable by the daemon whoever ran a command first.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::*;

/// The text of a refusal to open, with its causes, without the folder.
fn refusal(folder: &tempfile::TempDir) -> String {
    let error = open(&config(folder)).err().expect("opening is refused");
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text.replace(&folder.path().display().to_string(), "")
}

/// What a killed process leaves behind: its files as they are while it has them open.
fn killed_image(of: &Path, into: &Path) {
    for name in ["ledger.db", "ledger.db-wal"] {
        std::fs::copy(of.join(name), into.join(name)).unwrap();
    }
}

#[tokio::test]
async fn a_second_opening_is_refused_and_says_who_holds_it() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    let held = open(&config(&folder)).err().unwrap();
    assert!(
        matches!(held, LedgerError::Held { by: Some(pid), .. } if pid == std::process::id()),
        "{held}"
    );
    ledger.close().await.unwrap();
    assert!(matches!(known(&ledger).await, Err(LedgerError::Gone)));
    open(&config(&folder)).unwrap().close().await.unwrap();
}

#[tokio::test]
async fn files_are_for_their_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { path: folder.path().join("made/here/ledger.db"), ..config(&folder) };
    let ledger = open(&config).unwrap();
    ledger.record(one_alert(1, "spend", "slack", Severity::Critical)).await.unwrap();
    let folder = config.path.parent().unwrap();
    let mode =
        |path: &Path| format!("{:o}", path.metadata().unwrap().permissions().mode() & 0o7777);
    assert_eq!(mode(folder), "700");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), "600", "{}", path.display());
    }
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn what_root_makes_belongs_to_the_owner_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    // Only root can give a folder away; anybody else finds nothing to check, since all files are
    // theirs anyway.
    let owner = if std::os::unix::fs::chown(folder.path(), Some(65534), Some(65534)).is_ok() {
        65534
    } else {
        folder.path().metadata().unwrap().uid()
    };
    let ledger = open(&config(&folder)).unwrap();
    ledger.record(one_alert(1, "spend", "slack", Severity::Critical)).await.unwrap();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().uid(), owner, "{}", entry.path().display());
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(
        names,
        ["ledger.db", "ledger.db-shm", "ledger.db-wal", "ledger.db.lock", "ledger.made"]
    );
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn a_folder_reached_by_a_symbolic_link_is_as_good_as_any() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("private")).unwrap();
    std::os::unix::fs::symlink("private", folder.path().join("public")).unwrap();
    let config = Config { path: folder.path().join("public/ledger.db"), ..config(&folder) };
    open(&config).unwrap().close().await.unwrap();
    assert!(folder.path().join("private/ledger.db").exists());
}

#[tokio::test]
async fn after_a_kill_everything_recorded_is_there() {
    let (folder, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ledger = open(&config(&folder)).unwrap();
    ledger.record(one_alert(1, "spend", "slack", Severity::Critical)).await.unwrap();
    killed_image(folder.path(), after.path());
    ledger.close().await.unwrap();
    assert_eq!(Reader::open(&config(&after)).unwrap().owed().unwrap()[0].pending, 1);
    let ledger = open(&config(&after)).unwrap();
    ledger.alive().await.unwrap();
    assert_eq!(ledger.due("slack", vec![], 10).await.unwrap().len(), 1);
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn after_a_kill_damaged_pages_are_found_and_refused() {
    let (folder, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ledger = open(&config(&folder)).unwrap();
    ledger.record(one_alert(1, "spend", "slack", Severity::Critical)).await.unwrap();
    ledger.close().await.unwrap();
    let ledger = open(&config(&folder)).unwrap();
    ledger.record(one_alert(2, "other", "slack", Severity::Critical)).await.unwrap();
    killed_image(folder.path(), after.path());
    ledger.close().await.unwrap();
    let path = config(&after).path;
    let mut bytes = std::fs::read(&path).unwrap();
    // The third page: not among those that the log would replace.
    bytes[2 * 4096..2 * 4096 + 100].fill(0xa5);
    std::fs::write(&path, &bytes).unwrap();
    let text = refusal(&after);
    assert!(
        text.starts_with("/ledger.db is damaged (")
            && text.contains("bring a copy back with `budget-alertd ledger restore FILE --force`"),
        "{text}"
    );
    assert!(std::fs::read(&path).unwrap() == bytes, "the file is left as it is");
    assert!(
        std::fs::metadata(after.path().join("ledger.db-wal")).unwrap().len() > 0,
        "so is its log"
    );
}

#[tokio::test]
async fn what_is_no_sound_ledger_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = config(&folder).path;
    let ledger = open(&config(&folder)).unwrap();
    ledger.record(one_alert(1, "spend", "slack", Severity::Critical)).await.unwrap();
    ledger.close().await.unwrap();
    let sound = std::fs::read(&path).unwrap();
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = sound.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    let damaged = "bring a copy back with `budget-alertd ledger restore FILE --force`, or move it \
        away and begin a new one with \
        `budget-alertd ledger new`, which tells everything again";
    let foreign = "name another file, or move this one away";
    let cases = [
        (Vec::new(), format!("/ledger.db is damaged (it is empty): {damaged}")),
        (
            b"hello, world".to_vec(),
            format!(
                "/ledger.db is no ledger of budget-alertd (not an \
            SQLite file): {foreign}"
            ),
        ),
        (
            with(68, &[0; 4]),
            format!(
                "/ledger.db is no ledger of budget-alertd (an SQLite file of \
            another program): {foreign}"
            ),
        ),
        (sound[..50].to_vec(), format!("/ledger.db is damaged (it is cut off): {damaged}")),
        (
            sound[..sound.len() / 2].to_vec(),
            format!(
                "/ledger.db is damaged (database disk image is \
            malformed): {damaged}"
            ),
        ),
        (
            with(60, &99_u32.to_be_bytes()),
            "/ledger.db has schema version 99, and this version knows up to 8: use the newer \
                budget-alertd that wrote it"
                .into(),
        ),
    ];
    for (bytes, text) in cases {
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(refusal(&folder), text);
        let (reader, preview) = (
            Reader::open(&config(&folder)),
            Ledger::preview(&config(&folder), Metrics::new(), clock()),
        );
        assert!(reader.is_err() && preview.is_err(), "{text}");
        assert!(std::fs::read(&path).unwrap() == bytes, "{text}");
    }
    std::fs::write(&path, &sound).unwrap();
    open(&config(&folder)).unwrap().close().await.unwrap();
}

#[tokio::test]
async fn a_lost_file_whose_log_is_left_is_not_started_anew() {
    let (folder, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ledger = open(&config(&folder)).unwrap();
    ledger.record(one_alert(1, "spend", "slack", Severity::Critical)).await.unwrap();
    killed_image(folder.path(), after.path());
    ledger.close().await.unwrap();
    std::fs::remove_file(config(&after).path).unwrap();
    assert!(
        refusal(&after)
            .starts_with("/ledger.db is damaged (it is gone, but its write-ahead log is there)")
    );
}

#[tokio::test]
async fn an_opening_cut_short_leaves_nothing_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ledger.db.new"), b"half a led").unwrap();
    let ledger = open(&config(&folder)).unwrap();
    assert!(!folder.path().join("ledger.db.new").exists());
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn a_full_disk_is_said_and_leaves_everything_intact() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    ledger.record(one_alert(1, "spend", "slack", Severity::Critical)).await.unwrap();
    ledger.close().await.unwrap();
    let pages =
        u32::try_from(std::fs::metadata(config(&folder).path).unwrap().len() / 4096).unwrap();
    let more = Recording {
        seen: (1..100).map(seen).collect(),
        ..one_alert(2, "other", "slack", Severity::Critical)
    };
    let mut refused = 0;
    // The disk is full at each page in turn, until there is enough of it.
    for limit in pages.. {
        let ledger = Ledger::open_within(&config(&folder), limit, Metrics::new(), clock()).unwrap();
        let recorded = ledger.record(more.clone()).await;
        let (customers, due) =
            (known(&ledger).await.unwrap().len(), ledger.due("slack", vec![], 10).await.unwrap());
        ledger.close().await.unwrap();
        let Err(full) = recorded else {
            assert_eq!((customers, due.len()), (99, 2));
            break;
        };
        assert!(matches!(full, LedgerError::Full { .. }), "{full:?}");
        assert!(
            full.to_string().ends_with("ledger.db cannot grow, the disk is full: free some space"),
            "{full}"
        );
        assert_eq!((customers, due.len()), (1, 1));
        refused += 1;
    }
    assert!(refused > 3, "{refused}");
}

#[tokio::test]
async fn what_is_queued_is_finished_when_the_last_handle_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    let queued = ledger.clone();
    let recording = tokio::spawn(async move {
        queued.record(one_alert(1, "spend", "slack", Severity::Critical)).await
    });
    drop(ledger);
    recording.await.unwrap().unwrap();
    let reader = Reader::open(&config(&folder)).unwrap();
    assert_eq!(reader.owed().unwrap()[0].pending, 1);
}

/// A ledger as version 1 wrote it: one customer with one alert, which was sent to `slack` and is
/// owed to `oncall`.
fn version_1(path: &Path) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.pragma_update(None, "application_id", 0x6267_616c).unwrap();
    connection.execute_batch(include_str!("../../../src/ledger/schema.sql")).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    let alert = serde_json::to_string(&snapshot(1, "spend", Severity::Warning)).unwrap();
    let hour = 3_600_000_000_000_i64;
    let start = i64::try_from(period().start.as_nanosecond()).unwrap();
    let key = customer(1).key();
    connection.execute("INSERT INTO file VALUES (1, 0, 1)", []).unwrap();
    connection.execute("INSERT INTO customer VALUES (1, ?1, 7)", [key.as_str()]).unwrap();
    connection
        .execute(
            "INSERT INTO seen (customer, received_id, name, plan, usage_as_of, seen_at, cost, budget, period_start, period_end, period_source,
             closing_cost) VALUES (1, ?1, 'Contoso', 'azure-plan', '2026-10-05T11:08:11.1433330Z', ?2, '120.50', '20.00', ?2, ?3, ?4, '0')",
            rusqlite::params![customer(1).as_str(), start, start + 31 * 24 * hour, period().source.as_str()],
        )
        .unwrap();
    connection
        .execute(
            "INSERT INTO alert (id, customer, rule, severity, state, raised_at, snapshot) VALUES \
                (?1, 1, 'spend', 'warning', 'raised', ?2, ?3)",
            rusqlite::params![id(1).as_bytes().as_slice(), start, alert],
        )
        .unwrap();
    for (row, notifier, state) in [(1_i64, "slack", "sent"), (2, "oncall", "pending")] {
        connection
            .execute(
                "INSERT INTO message VALUES (?1, ?2, 'raised', 0, 0, 0, 0, 0)",
                (row, Uuid::new_v4().as_bytes().as_slice()),
            )
            .unwrap();
        connection
            .execute(
                "INSERT INTO message_alert VALUES (?1, 0, ?2)",
                (row, id(1).as_bytes().as_slice()),
            )
            .unwrap();
        for recipient in ["a@x.example", "b@x.example"] {
            connection
                .execute(
                    "INSERT INTO delivery (id, message, notifier, recipient, severity, state, created_at, probes_then, possible_then)
                     VALUES (?1, ?2, ?3, ?4, 1, ?5, 0, 0, 0)",
                    (Uuid::new_v4().as_bytes().as_slice(), row, notifier, recipient, state),
                )
                .unwrap();
        }
    }
}

#[tokio::test]
async fn a_ledger_of_version_1_goes_on_with_whom_its_alerts_were_told_and_with_a_first_date() {
    let folder = tempfile::tempdir().unwrap();
    version_1(&config(&folder).path);
    open(&config(&folder)).unwrap().close().await.unwrap();
    let reader = Reader::open(&config(&folder)).unwrap();
    let key = customer(1).key();
    let alerts = reader.open_alerts(&key).unwrap();
    assert_eq!(alerts.len(), 1);
    let mut notify = alerts[0].notify.clone();
    notify.sort_unstable();
    assert_eq!(notify, ["oncall".into(), "slack".into()], "each once");
    let history = reader.history(&key).unwrap();
    let dates: Vec<_> = history
        .iter()
        .map(|sample| {
            (sample.usage_as_of.to_string(), sample.cost.to_string(), sample.carried_over)
        })
        .collect();
    assert_eq!(dates, [("2026-10-05T11:08:11.143333Z".to_owned(), "120.50".to_owned(), false)]);
    assert_eq!(
        history[0].usage_as_of,
        UsageDate::parse("2026-10-05T11:08:11.1433330Z").unwrap().instant()
    );
}

/// A ledger as version 4 wrote it: the first one with what a later version adds taken away.
fn version_4(path: &Path) {
    version_1(path);
    let connection = rusqlite::Connection::open(path).unwrap();
    for step in [
        include_str!("../../../src/ledger/schema-2.sql"),
        include_str!("../../../src/ledger/schema-3.sql"),
        include_str!("../../../src/ledger/schema-4.sql"),
    ] {
        connection.execute_batch(step).unwrap();
    }
    connection.pragma_update(None, "user_version", 4).unwrap();
}

/// A ledger as version 7 wrote it: the first one with a day that was a spike, told and marked by
/// nobody.
fn version_7(path: &Path) {
    version_4(path);
    let connection = rusqlite::Connection::open(path).unwrap();
    for step in [
        include_str!("../../../src/ledger/schema-5.sql"),
        include_str!("../../../src/ledger/schema-6.sql"),
        include_str!("../../../src/ledger/schema-7.sql"),
    ] {
        connection.execute_batch(step).unwrap();
    }
    connection
        .execute(
            "INSERT INTO spike_day (customer, rule, day, rate, usual, told, alert, ended, ended_by) \
                VALUES (1, 'spike', '2026-10-04', '240', '40', '200', ?1, NULL, NULL)",
            [id(1).as_bytes().as_slice()],
        )
        .unwrap();
    connection.pragma_update(None, "user_version", 7).unwrap();
}

#[tokio::test]
async fn a_ledger_of_version_7_keeps_its_spikes_and_its_acknowledgements() {
    let folder = tempfile::tempdir().unwrap();
    version_7(&config(&folder).path);
    let connection = rusqlite::Connection::open(&config(&folder).path).unwrap();
    connection.execute("UPDATE alert SET acked_at = 7, acked_by = 'alice'", []).unwrap();
    drop(connection);
    open(&config(&folder)).unwrap().close().await.unwrap();
    assert_eq!(verify_copy(&folder.path().join("ledger.db.before-8"), None).unwrap().version, 7);
    let reader = Reader::open(&config(&folder)).unwrap();
    let spikes = reader.recollection(&customer(1).key()).unwrap().unwrap().spikes;
    let spike = &spikes[0];
    assert_eq!(
        (spikes.len(), &*spike.rule, spike.day.to_string()),
        (1, "spike", "2026-10-04".into())
    );
    assert_eq!((spike.told, spike.told_at), (Some(200.into()), None));
    assert_eq!((&spike.note, spike.ended), (&None, None));
    let alerts = reader.alerts(&AlertFilter::default()).unwrap();
    assert_eq!(alerts[0].acknowledged.as_ref().map(|(_, by)| &**by), Some("alice"));
    assert_eq!((&alerts[0].note, &alerts[0].marked), (&None, &None));
}

#[tokio::test]
async fn before_a_ledger_is_brought_up_to_date_it_is_kept_for_the_program_that_wrote_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = config(&folder).path;
    version_4(&path);
    open(&config(&folder)).unwrap().close().await.unwrap();
    let before = folder.path().join("ledger.db.before-8");
    assert_eq!(verify_copy(&before, None).unwrap().version, 4);
    assert_eq!(verify(&config(&folder), None).unwrap().version, 8);
    assert_eq!(std::fs::metadata(&before).unwrap().permissions().mode() & 0o7777, 0o600);
    // It is made once.
    let made = std::fs::metadata(&before).unwrap().modified().unwrap();
    open(&config(&folder)).unwrap().close().await.unwrap();
    assert_eq!(std::fs::metadata(&before).unwrap().modified().unwrap(), made);
    // A program that does not know the version any more says how to go back.
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 9).unwrap();
    drop(connection);
    std::fs::rename(&before, folder.path().join("ledger.db.before-9")).unwrap();
    assert_eq!(
        refusal(&folder),
        "/ledger.db has schema version 9, and this version knows up to 8: use the newer \
            budget-alertd that wrote it, or bring the ledger of before back with `budget-alertd \
            ledger restore /ledger.db.before-9 --force`"
    );
    let copy = folder.path().join("ledger.db.before-9");
    Restore::begin(&config(&folder), &copy, true)
        .unwrap()
        .finish(at("2026-10-05T12:00:00Z"))
        .unwrap();
    open(&config(&folder)).unwrap().close().await.unwrap();
    let restored = verify(&config(&folder), None).unwrap();
    assert_eq!((restored.version, restored.alerts, restored.deliveries), (8, 1, 4));
}

#[tokio::test]
async fn an_upgrade_that_fails_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = config(&folder).path;
    version_4(&path);
    let connection = rusqlite::Connection::open(&path).unwrap();
    // What a later step makes is there already.
    connection.execute_batch("CREATE TABLE sent_message (other INTEGER)").unwrap();
    drop(connection);
    assert!(open(&config(&folder)).is_err());
    let connection = rusqlite::Connection::open(&path).unwrap();
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    let steps = "SELECT count(*) FROM pragma_table_info('file') WHERE name = 'interim'";
    let added: i64 = connection.query_row(steps, [], |row| row.get(0)).unwrap();
    assert_eq!((version, added), (4, 0), "no step without the others");
}

#[tokio::test]
async fn a_ledger_of_version_4_tells_what_a_broken_off_mass_crossing_has_gathered_and_keeps_its_findings()
 {
    let folder = tempfile::tempdir().unwrap();
    let path = config(&folder).path;
    version_4(&path);
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute(
            "INSERT INTO gathered (notifier, mildness, dollars, percent, alert, baseline, \
                customer) VALUES ('slack', 1, -100, -200, ?1, 0, 1)",
            [id(1).as_bytes().as_slice()],
        )
        .unwrap();
    for code in ["coverage-lost", "unusable-records", "sign-in-aging"] {
        connection
            .execute(
                "INSERT INTO finding (code, subject, summary, action, since) VALUES \
            (?1, '', 's', 'a', 0)",
                [code],
            )
            .unwrap();
    }
    drop(connection);
    let ledger = open(&config(&folder)).unwrap();
    assert!(ledger.write_digests(&[], at("2026-10-05T12:00:00Z")).await.unwrap());
    assert_eq!(ledger.read(Reader::interim).await.unwrap(), None);
    let told = ledger.due("slack", Vec::new(), 10).await.unwrap();
    assert_eq!(told.len(), 1);
    let codes: Vec<_> = ledger
        .read(Reader::findings)
        .await
        .unwrap()
        .into_iter()
        .map(|open| open.finding.code.as_str())
        .collect();
    assert_eq!(codes, ["coverage-grew", "records-unusable", "sign-in-expiring"]);
    ledger.close().await.unwrap();
}
