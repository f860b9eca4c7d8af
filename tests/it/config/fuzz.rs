//! Texts that nobody would write are refused, never a panic, and never show a secret.

use budget_alertd::budgets::sheet::{Sheet, parse_money, write_money};
use proptest::prelude::*;
use rust_decimal::Decimal;

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
        let start =
            (0..=at % (text.len() + 1)).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        let end = (start..=text.len())
            .find(|end| end - start >= *length && text.is_char_boundary(*end))
            .unwrap_or(text.len());
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_spreadsheet_panics_and_every_fault_has_its_place(text in "(customer_id[,;\t](label|budget|currency|tags)[,;\t]?)?([a,;\"#\r\n\t '5.å\u{a0}=]{0,40})") {
        let mut faults = Vec::new();
        if let Some(sheet) = Sheet::open(&text, &mut faults) {
            for mut row in sheet.rows() {
                prop_assert!(text.get(row.span.clone()).is_some());
                prop_assert!(row.line <= text.matches('\n').count() + 1);
                faults.append(&mut row.faults);
            }
        }
        for fault in faults {
            prop_assert!(text.get(fault.span.clone()).is_some(), "{fault:?}");
        }
    }

    #[test]
    fn an_amount_that_is_written_is_read_again(units in any::<i64>(), scale in 0_u32..12, comma in any::<bool>()) {
        let amount = Decimal::new(units, scale).abs();
        let written = write_money(amount, if comma { ',' } else { '.' });
        prop_assert_eq!(parse_money(&written), Ok(amount), "{}", written);
    }

    #[test]
    fn thousands_may_be_parted_in_every_usual_way(units in 0_i64..10_000_000_000, marks in proptest::sample::select(vec![(' ', ','), ('\u{a0}', ','), ('\u{202f}', '.'), ('.', ','), (',', '.'), ('\'', '.')])) {
        let (group, point) = marks;
        let digits = (units / 100).to_string();
        let whole: Vec<String> = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8(group.to_vec()).unwrap()).collect();
        let written = format!("{}{point}{:02}", whole.join(&group.to_string()), units % 100);
        prop_assert_eq!(parse_money(&written), Ok(Decimal::new(units, 2)), "{}", written);
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
    let text = super::with_rules(
        "[rules.spend]\nmetric = \"percent_used\"\nnotify = [\"ops\"]\nsteps = [{ at = 80 }]",
    );
    let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    assert_eq!(mistakes(&windows), "");
    let wrong = windows.replace("[source]", "[sauce]");
    assert!(
        mistakes(&wrong).contains(
            "alert-rules.toml:1:2: unknown key \"sauce\" at the top level; did you mean \
                \"source\"?\n    1 | [sauce]\n      |  ^^^^^\n"
        ),
        "{}",
        mistakes(&wrong)
    );
}
