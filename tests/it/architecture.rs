//! Which room may import which: the table of the crate's documentation, held against the code.

mod circles;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const FOUNDATION: &[&str] =
    &["text", "domain", "clock", "fs", "secret", "metrics", "http", "entra"];
const STAGES: &[&str] = &["budgets", "rules", "alerting", "source", "ledger", "notify"];
const JOBS: &[&str] = &["delivery", "poll", "reports", "analysis", "actions"];

/// Each room with the rooms it may import.
fn allowed() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let with = |groups: &[&[&'static str]]| {
        groups.iter().flat_map(|group| group.iter().copied()).collect::<BTreeSet<_>>()
    };
    let below_config = with(&[FOUNDATION, STAGES, JOBS, &["listings", "web"]]);
    BTreeMap::from([
        ("domain", with(&[])),
        ("text", with(&[&["domain"]])),
        ("clock", with(&[])),
        ("fs", with(&[])),
        ("secret", with(&[&["text", "fs"]])),
        ("metrics", with(&[&["domain"]])),
        ("http", with(&[&["text", "clock", "secret"]])),
        ("entra", with(&[&["text", "clock", "fs", "secret", "http"]])),
        ("source", with(&[FOUNDATION])),
        ("budgets", with(&[&["text", "domain"]])),
        ("rules", with(&[&["text", "domain"]])),
        ("alerting", with(&[&["domain", "text", "budgets", "rules"]])),
        ("ledger", with(&[&["text", "domain", "fs", "metrics", "clock", "alerting"]])),
        ("notify", with(&[FOUNDATION])),
        ("delivery", with(&[FOUNDATION, STAGES])),
        ("poll", with(&[FOUNDATION, STAGES, &["delivery"]])),
        ("reports", with(&[FOUNDATION, STAGES, &["delivery", "poll"]])),
        ("analysis", with(&[FOUNDATION, STAGES, &["poll"]])),
        ("actions", with(&[FOUNDATION, STAGES, &["delivery", "poll", "analysis"]])),
        ("listings", with(&[FOUNDATION, STAGES, JOBS])),
        // The guard and the pages read tokens and clocks.
        ("web", with(&[FOUNDATION, STAGES, JOBS, &["listings"]])),
        ("config", below_config.clone()),
        ("daemon", below_config.iter().copied().chain(["config"]).collect()),
        ("simulator", with(&[&["domain", "clock"]])),
        ("cli", below_config.into_iter().chain(["config", "daemon", "simulator"]).collect()),
    ])
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The product code of a file: what comes before its tests.
fn product(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

/// The rooms named after `crate::` in code, not in comments.
fn imports(text: &str) -> BTreeSet<String> {
    let code: String = product(text)
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let after = |part: &str| {
        part.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect::<String>()
    };
    let mut rooms: BTreeSet<String> = code.split("crate::").skip(1).map(after).collect();
    // `use crate::{a, b}` names rooms in braces.
    for list in code.split("crate::{").skip(1) {
        rooms.extend(
            list.split('}').next().unwrap_or_default().split(',').map(|part| after(part.trim())),
        );
    }
    rooms.retain(|room| !room.is_empty());
    rooms
}

fn room_files() -> Vec<(String, PathBuf, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let all = sources(&src).into_iter().filter(|path| path.parent() != Some(&src));
    all.map(|path| {
        let room = path
            .strip_prefix(&src)
            .unwrap()
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_str()
            .unwrap()
            .to_owned();
        let text = fs::read_to_string(&path).unwrap();
        (room, path, text)
    })
    .collect()
}

#[test]
fn a_room_imports_only_what_it_may() {
    let allowed = allowed();
    let mut broken = Vec::new();
    for (room, path, text) in room_files() {
        let may = allowed
            .get(room.as_str())
            .unwrap_or_else(|| panic!("the room {room} is not in the table"));
        if path.file_name().is_some_and(|name| name == "tests.rs") {
            continue;
        }
        for import in imports(&text) {
            if import != room && !may.contains(import.as_str()) {
                broken.push(format!("{} imports {import}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn no_files_of_a_room_import_each_other_in_a_circle() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let below_src = |path: &Path| path.strip_prefix(&src).unwrap().to_str().unwrap().to_owned();
    let files: Vec<(String, String)> = room_files()
        .into_iter()
        .filter(|(_, path, _)| !path.ends_with("tests.rs"))
        .map(|(_, path, text)| (below_src(&path), product(&text).to_owned()))
        .collect();
    let circles = circles::circles(&files);
    assert!(
        circles.is_empty(),
        "{}\nmove what both need into a file below both, or to its owner",
        circles.join("\n")
    );
}

#[test]
fn every_room_of_the_table_exists_and_is_documented_in_the_crate() {
    let rooms: BTreeSet<String> = room_files().into_iter().map(|(room, ..)| room).collect();
    let table: BTreeSet<String> = allowed().keys().map(ToString::to_string).collect();
    assert_eq!(rooms, table);
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    for room in rooms {
        assert!(
            lib.contains(&format!("| [`{room}`] |")),
            "{room} is missing in the table of src/lib.rs"
        );
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for (_, path, text) in room_files() {
        assert!(text.starts_with("//! "), "{} does not open with a sentence", path.display());
    }
}

#[test]
fn only_the_daemon_and_the_simulator_spawn_and_nobody_ends_the_process() {
    for (room, path, text) in room_files() {
        let code = product(&text);
        let may_spawn = matches!(room.as_str(), "daemon" | "simulator");
        assert!(
            may_spawn || !code.contains("tokio::spawn") && !code.contains("JoinSet"),
            "{} spawns tasks",
            path.display()
        );
        assert!(
            room == "ledger"
                || !code.contains("thread::Builder") && !code.contains("thread::spawn"),
            "{} starts a thread",
            path.display()
        );
        assert!(
            !code.contains("process::exit") && !code.contains("process::abort"),
            "{} ends the process",
            path.display()
        );
    }
}

#[test]
fn only_one_room_opens_and_changes_files() {
    let words = [
        "std::fs::",
        "tokio::fs",
        "File::open",
        "OpenOptions",
        "DirBuilder",
        "std::os::unix::fs::chown",
        "fchown",
        "rustix::fs::open",
    ];
    let may_look = [
        "std::fs::metadata(",
        "std::fs::canonicalize(",
        "std::fs::File;",
        "std::fs::{File, TryLockError};",
    ];
    for (room, path, text) in room_files() {
        let code =
            may_look.iter().fold(product(&text).to_owned(), |code, look| code.replace(look, ""));
        for word in words {
            assert!(
                room == "fs" || !code.contains(word),
                "{} uses {word}, which is the room fs's",
                path.display()
            );
        }
    }
}

#[test]
fn only_one_room_folds_names() {
    for (room, path, text) in room_files() {
        assert!(
            room == "domain" || !product(&text).contains("icu_normalizer"),
            "{} folds names: use domain::name_key",
            path.display()
        );
    }
    let manifest =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    assert!(!manifest.contains("unicode-normalization"), "there is icu_normalizer already");
}

#[test]
fn async_code_reads_the_ledger_on_a_thread_that_may_block() {
    for (room, path, text) in room_files() {
        // Commands have nobody to keep waiting, and a daemon loads on a thread of its own.
        let may = matches!(room.as_str(), "ledger" | "cli" | "config");
        assert!(
            may || !product(&text).contains("Reader::open"),
            "{} opens the ledger itself: use ledger::read",
            path.display()
        );
    }
}

#[test]
fn the_pure_rooms_do_no_io_and_know_no_clock() {
    for (room, path, text) in room_files() {
        let pure = matches!(room.as_str(), "text" | "domain" | "budgets" | "rules" | "alerting");
        let code = product(&text);
        for word in [
            "std::fs",
            "std::env",
            "std::net",
            "tokio::",
            "crate::clock",
            "Timestamp::now",
            "Instant",
            "reqwest",
            "rusqlite",
            ".await",
        ] {
            let may = word == "Instant" && !code.contains("time::Instant");
            assert!(!pure || may || !code.contains(word), "{} uses {word}", path.display());
        }
    }
}
