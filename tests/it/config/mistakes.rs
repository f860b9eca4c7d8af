//! One file for each mistake, named after it, with what is said of it beside.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::mistakes;

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new("tests/fixtures/config");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}

/// `UPDATE_FIXTURES=1 cargo test` writes what is said now; look at the difference before it is
/// kept.
#[test]
fn every_mistake_is_named_with_its_place_and_its_line() {
    let update = std::env::var_os("UPDATE_FIXTURES").is_some();
    let mut differences = String::new();
    for file in fixtures() {
        let said = mistakes(&std::fs::read_to_string(&file).unwrap());
        let expected = file.with_extension("txt");
        if update {
            std::fs::write(&expected, &said).unwrap();
        }
        let wanted = std::fs::read_to_string(&expected).unwrap_or_default();
        if said.is_empty() || said != wanted {
            writeln!(differences, "--- {}\nexpected:\n{wanted}\nsaid:\n{said}", file.display())
                .unwrap();
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn secrets_are_in_no_message() {
    for file in fixtures() {
        let said = mistakes(&std::fs::read_to_string(&file).unwrap());
        assert!(
            !said.contains("hunter2") && !said.contains("AAECAwQF"),
            "{}: {said}",
            file.display()
        );
    }
}

#[test]
fn all_mistakes_are_shown_at_once_in_the_order_of_the_file() {
    let text = r#"[source]
type = "file"
path = 5
poll_intervall = "1h"

[rules.spend]
metric = "percent_usd"
notify = ["opps"]
steps = [{ at = 80 }, { at = 70, severity = "bad" }]

[notifiers.ops]
type = "webhook"
url = "http://ops.example/hook"
secret = { env = "UNSET", file = "x" }
"#;
    let heads: Vec<String> = mistakes(text)
        .lines()
        .filter(|line| line.starts_with("alert-rules.toml:"))
        .map(str::to_owned)
        .collect();
    assert_eq!(
        heads,
        [
            "alert-rules.toml:3:8: \"path\" must be a text in quotes, found an integer",
            "alert-rules.toml:4:1: unknown key \"poll_intervall\" in [source]; did you mean \
                \"poll_interval\"?",
            "alert-rules.toml:7:10: unknown metric \"percent_usd\"; did you mean \"percent_used\"?",
            "alert-rules.toml:8:11: unknown notifier \"opps\"; did you mean \"ops\"?",
            "alert-rules.toml:9:45: unknown severity \"bad\"; known are \"info\", \"warning\", \
                \"critical\"",
            "alert-rules.toml:13:7: http:// is allowed to this machine only; use https://",
            "alert-rules.toml:14:10: \"secret\" needs exactly one of env, file and credential",
        ]
    );
}

#[test]
fn columns_count_letters_and_the_mark_stays_below_its_place() {
    let text = super::with_rules(
        "[rules.\"Åsa ö\"]\nmetric = \"percent_used\"\nnotify = [\"ops\", \"öps\"]\nsteps = \
            [{ at = 80 }]",
    );
    assert_eq!(
        mistakes(&text),
        "alert-rules.toml:7:18: unknown notifier \"öps\"; did you mean \"ops\"?\n    7 | notify = \
            [\"ops\", \"öps\"]\n      |                  ^^^^^\n"
    );
}

#[test]
fn inline_secrets_are_masked_wherever_they_stand_on_the_line() {
    let text = super::with_rules("").replace(
        "url = ",
        "headers = { Authorization = \"hunter2\", \"X-Y\" = 7 }\nsecret = [\"hunter2\", 5]\n# url \
            = \"hunter2\"\ntimeout = 5 # hunter2\nurl = ",
    ) + "[notifiers.mail]\ntype = \"email\"\nfrom = \"a@b.example\"\nto = [\"a@b.example\"]\n\
         smtp = { password = '''\nhunter2''', username = \"hunter1\", host = 7, pasword = \"hunter2\" }\n\
         [notifiers.mail.token]\nvalue = \"hunter2\"\nat = 5\n";
    let said = mistakes(&text);
    assert!(!said.contains("hunter2"), "{said}");
    assert!(
        said.contains("\"***\", username = \"hunter1\", host = 7, pasword = \"***\" }"),
        "{said}"
    );
}

#[test]
fn a_file_that_is_no_toml_shows_its_first_mistake_only() {
    let said = mistakes("[source\ntype = file\n[[[\n");
    assert_eq!(
        said.lines().filter(|line| line.starts_with("alert-rules.toml:")).count(),
        1,
        "{said}"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let environment = budget_alertd::config::Environment::default();
    let missing =
        budget_alertd::config::load(Path::new("/nonexistent/alert-rules.toml"), &environment)
            .unwrap_err();
    assert_eq!(
        missing.to_string(),
        "cannot read /nonexistent/alert-rules.toml: No such file or directory (os error 2)"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("latin.toml");
    std::fs::write(&file, b"[source]\n# caf\xe9\n").unwrap();
    let latin = budget_alertd::config::load(&file, &environment).unwrap_err().to_string();
    assert!(latin.contains("latin.toml:2:6: not UTF-8 text"), "{latin}");
}
