//! Texts that nobody would write are refused, never a panic, and never show a secret.

use proptest::prelude::*;

use super::mistakes;

const SECRET: &str = "hunter2";

fn sound() -> String {
    let shipped = std::fs::read_to_string("alert-rules.toml").unwrap();
    shipped
        .replace("{ credential = \"smtp\" }", "\"hunter2\"")
        .replace("{ credential = \"slack-url\" }", "\"https://hooks.slack.com/hunter2\"")
        .replace("{ credential = \"webhook-secret\" }", "[\"hunter2\", '''\nhunter2''']")
        .replace("{ credential = \"client-secret\" }", "\"\"\"\n hunter2 \\\"\n\"\"\"")
}

/// Cuts, swaps and inserts at a place of the text.
fn mutated(mut text: String, changes: &[(usize, usize, String)]) -> String {
    for (at, length, insert) in changes {
        let start = (0..=at % (text.len() + 1)).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        let end = (start..=text.len()).find(|end| end - start >= *length && text.is_char_boundary(*end)).unwrap_or(text.len());
        text.replace_range(start..end, insert);
    }
    text
}

fn insert() -> impl Strategy<Value = String> {
    let pieces = [
        "",
        "\"",
        "'",
        "\"\"\"",
        "'''",
        "[",
        "]",
        "{",
        "}",
        "=",
        ",",
        ".",
        "#",
        "\n",
        "\r\n",
        "\\",
        "-",
        "1e999",
        "0x",
        "nan",
        "[[",
        "]]",
        "å",
        "\u{feff}",
        "\u{0}",
        "at = ",
        "true",
        "[rules.spend]\n",
        "\"***\"",
        "steps = [{",
        "99999999999999999999999999999999",
        "_",
    ];
    prop_oneof![proptest::sample::select(pieces.to_vec()).prop_map(str::to_owned), ".{0,6}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(changes in prop::collection::vec((any::<usize>(), 0_usize..40, insert()), 1..6)) {
        // Its credentials are not there, so there is always something to say.
        prop_assert_ne!(mistakes(&mutated(sound(), &changes)), "");
    }

    #[test]
    fn one_lost_or_added_letter_shows_no_secret(at in any::<usize>(), length in 0_usize..2, insert in insert()) {
        let said = mistakes(&mutated(sound(), &[(at, length, insert)]));
        prop_assert!(!said.contains(SECRET), "{}", said);
    }

    #[test]
    fn random_text_panics_never(text in any::<String>()) {
        let _ = mistakes(&text);
    }
}

#[test]
fn deep_nesting_neither_overflows_nor_takes_long() {
    for (open, close) in [("[", "]"), ("{ a = ", "}"), ("a.", "a"), ("[[", "]]")] {
        for front in ["x = ", "", "[rules.spend]\nsteps = "] {
            let text = format!("{front}{}{}", open.repeat(20_000), close.repeat(20_000));
            assert_ne!(mistakes(&text), "", "{front}{open}");
        }
    }
}

#[test]
fn a_byte_order_mark_and_windows_lines_do_no_harm() {
    let text = super::with_rules("[rules.spend]\nmetric = \"percent_used\"\nnotify = [\"ops\"]\nsteps = [{ at = 80 }]");
    let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    assert_eq!(mistakes(&windows), "");
    let wrong = windows.replace("[source]", "[sauce]");
    assert!(
        mistakes(&wrong).contains(
            "alert-rules.toml:1:2: unknown key \"sauce\" at the top level; did you mean \"source\"?\n    1 | [sauce]\n      |  ^^^^^\n"
        ),
        "{}",
        mistakes(&wrong)
    );
}
