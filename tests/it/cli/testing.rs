//! `test`: rule tests that pass, that differ, and that cannot be read.

use serde_json::json;

use super::Desk;

const DIFFERENT: &str = r#"
[[test]]
name = "it is as it should be"
[[test.poll]]
at = 2026-11-14T08:00:00Z
records = [{ customer = "C", cost = 85, currency = "SEK", budget = 100 }]
expect = [{ customer = "c", rule = "spend", at = 80 }]
[[test.poll]]
at = 2026-11-15T08:00:00Z
records = [{ customer = "C", cost = 300, currency = "SEK", budget = 100 }]

[[test]]
name = "nothing is as it should be"
[[test.poll]]
at = 2026-11-14T08:00:00Z
records = [{ customer = "C", cost = 85, currency = "SEK", budget = 100 }]
expect = []
[[test.poll]]
at = 2026-11-15T08:00:00Z
records = [
  { customer = "C", cost = 120, currency = "SEK", budget = 100 },
  { customer = "D", cost = 250, currency = "SEK", budget = 100 },
  { customer = "E", cost = 1, currency = "SEK", budget = 0 },
]
expect = [
  { customer = "D", rule = "spend", at = 100, value = 120, severity = "warning", passed = [], notify = ["hook", "mail"], budget = 120, baseline = true },
  { customer = "E", rule = "spend", value = 100 },
  { customer = "F", rule = "spend" },
  { customer = "F", rule = "spend", at = "80.0" },
  { customer = "F", rule = "spnd" },
]
"#;

/// A desk whose configuration names a secret that is nowhere, as in anybody's CI.
fn desk() -> Desk {
    let desk =
        Desk::with(&super::CONFIGURATION.replace(
            "[notifiers.other]",
            "[notifiers.other]\nsecret = { credential = \"nowhere\" }",
        ));
    assert_eq!(desk.run(&["check"]).code, 2);
    desk
}

fn write(desk: &Desk, name: &str, text: &str) -> String {
    let path = desk.house.path(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn tests_of_the_shipped_rules_pass_without_its_secrets() {
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/cases/shipped.toml");
    let told = Desk::new().told(&["test", shipped]);
    assert_eq!(told.matches("\n  ok  ").count(), 4, "{told}");
    assert!(told.ends_with("\nAll 4 tests passed.\n"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_difference_is_told_and_all_tests_run() {
    let desk = desk();
    let file = write(&desk, "different.toml", DIFFERENT);
    let ended = desk.run(&["test", &file]);
    assert_eq!((ended.code, ended.err.as_str()), (1, ""));
    insta::assert_snapshot!(ended.out, @r"
    {dir}/different.toml
      ok  it is as it should be
      FAILED nothing is as it should be
        poll 1 at TIME
          unexpected C, rule spend: warning at 80, value 85, to hook
        poll 2 at TIME
          different  D, rule spend: at is 200, expected 100; value is 250, expected 120; severity is
            critical, expected warning; passed is 80 100, expected none; notify is hook other, expected
            hook mail; budget is 100, expected 120; baseline is false, expected true
          different  E, rule spend: value is over a budget of zero, expected 100
          missing  F, rule spend: no alert was raised
          missing  F, rule spend: no alert was raised, expected one at 80
          missing  F, rule spnd: there is no such rule; there are spend, pounds, gold
          unexpected C, rule spend: critical at 100, value 120, to hook other
    1 of 2 tests failed.
    ");
    let said = desk.json(&["test", &file, "--format", "json"]);
    assert_eq!((&said["passed"], &said["failed"]), (&json!(1), &json!(1)));
    let differences = &said["files"][0]["tests"][1]["differences"];
    assert_eq!(differences.as_array().unwrap().len(), 7);
    assert_eq!(
        differences[0],
        json!({
            "poll": 1, "at": "2026-11-14T08:00:00Z", "kind": "unexpected", "customer": "C", "rule": "spend",
            "text": "C, rule spend: warning at 80, value 85, to hook",
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_named_with_its_line_and_ends_with_2() {
    let desk = desk();
    let sound = write(&desk, "sound.toml", DIFFERENT);
    let wrong = write(
        &desk,
        "wrong.toml",
        r#"rules = "alert-rules.toml"
[[test]]
name = "wrong"
[[test.poll]]
at = "noon"
records = [{ customer = "C", cots = 85 }, { customer = " ", cost = "much", plan = "azur-plan" }]
expect = [{ customer = "C", rule = "spend", severity = "fatal", passed = 80 }, { rule = "spend" }]
[[test.poll]]
at = 2026-11-14T08:00:00Z
records = [{ customer = "C", cost = 1, as_of = 2026-11-16T08:00:00Z, budget = -1 }]
[[test.poll]]
at = 2026-11-14T08:00:00Z
records = [{ customer = "L", plan = "legacy", cost = 1, billing = { first_day = "2026-11-27", last_day = "2026-10-27" } }]
[[tset]]
"#,
    );
    let ended = desk.run(&["test", &sound, &wrong, "/nonexistent.toml"]);
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    let first_lines: Vec<&str> = ended.err.lines().filter(|line| line.contains(".toml:")).collect();
    assert_eq!(
        first_lines,
        [
            "{dir}/wrong.toml:5:6: \"noon\" is no date with a time: write TIME",
            "{dir}/wrong.toml:6:12: [test.poll.records] has no \"cost\"",
            "{dir}/wrong.toml:6:30: unknown key \"cots\" in [test.poll.records]; did you mean \
                \"cost\"?",
            "{dir}/wrong.toml:6:56: \"customer\" must not be empty",
            "{dir}/wrong.toml:6:68: expected a number, found \"much\": not a number",
            "{dir}/wrong.toml:6:83: unknown plan \"azur-plan\"; did you mean \"azure-plan\"?",
            "{dir}/wrong.toml:7:56: unknown severity \"fatal\"; known are \"info\", \"warning\", \
                \"critical\"",
            "{dir}/wrong.toml:7:74: \"passed\" must be a list of numbers, found an integer",
            "{dir}/wrong.toml:7:80: [test.poll.expect] has no \"customer\"",
            "{dir}/wrong.toml:10:48: no data is dated more than 24 hours after its poll",
            "{dir}/wrong.toml:10:79: \"budget\" cannot be negative",
            "{dir}/wrong.toml:12:6: polls must come in the order of time",
            "{dir}/wrong.toml:13:57: a billing period ends after it starts, and lasts no longer \
                than two months",
            "{dir}/wrong.toml:14:3: unknown key \"tset\" at the top level; did you mean \"test\"?",
            "cannot read /nonexistent.toml: No such file or directory (os error 2)",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_do_not_load_end_with_2_and_no_test_is_a_mistake() {
    let desk = desk();
    let file = write(&desk, "sound.toml", DIFFERENT);
    desk.house.configure(
        "[rules.spend]\nmetric = \"percent_used\"\nnotify = [\"nobody\"]\nsteps = [{ at = 80 }]\n",
    );
    let ended = desk.run(&["test", &file]);
    assert_eq!(ended.code, 2);
    assert!(
        ended.err.contains("{dir}/alert-rules.toml:5:11: unknown notifier \"nobody\""),
        "{}",
        ended.err
    );
    let empty = write(&desk, "empty.toml", "");
    assert!(
        desk.run(&["test", &empty]).err.contains("empty.toml:1:1: there is no test: add [[test]]")
    );
    assert_eq!(desk.run(&["test"]).code, 2);
}
