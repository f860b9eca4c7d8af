//! `simulate`: other rules on recorded history and on saved collections.

use serde_json::json;

use super::{CONFIGURATION, Desk, USAGE};

/// The desk's rules with a lower first step, a rule less and a rule more.
fn other_rules() -> String {
    let changed = CONFIGURATION
        .replace("{ at = 80 }, { at = 100,", "{ at = 20 }, { at = 100,")
        .replace("then_every = 100\n", "");
    let (kept, _) = changed.split_once("[rules.gold]").unwrap();
    let (_, rest) = changed.split_once("tags = [\"gold\"]\n[customers").unwrap();
    format!(
        "{kept}[rules.kronor]\nmetric = \"total_cost\"\nnotify = [\"hook\"]\nsteps = \
            [{{ at = {{ SEK = 100 }} }}]\n[customers{rest}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn other_rules_are_compared_on_recorded_history() {
    let desk = Desk::polled();
    std::fs::write(
        desk.house.path("other.toml"),
        other_rules().replace("mute_rules = [\"pounds\"]\n", ""),
    )
    .unwrap();
    let file = desk.house.path("other.toml").display().to_string();
    let told = desk.told(&["simulate", "--rules", &file]);
    let moment = regex::Regex::new(r"20\d\d-\d\d-\d\d \d\d:\d\d").unwrap();
    insta::assert_snapshot!(moment.replace_all(&told, "WHEN"), @r"
    With {dir}/other.toml: 3 appear, 1 disappear, 1 move, 0 stay as they are (4 readings replayed).

    Appear
      WHEN  WARNING  Contoso UK: 27.23 of 100 GBP (rule pounds, step 20 GBP)
      WHEN  WARNING  Contoso UK: 27.23 %, 27.23 of 100 GBP (rule spend, step 20 %)
      WHEN  WARNING  Modern Azure Customer SE: 120.57 of 20 SEK (rule kronor, step 100 SEK)

    Disappear
      WHEN  WARNING  Contoso UK: 27.23 %, 27.23 of 100 GBP (rule gold, step 20 %)

    Move
      WHEN  CRITICAL Modern Azure Customer SE: 602.84 %, 120.57 of 20 SEK (rule spend, step
        600 %)
      → WHEN  CRITICAL Modern Azure Customer SE: 602.84 %, 120.57 of 20 SEK (rule spend,
        step 100 %)

    Beyond 8 days history has one reading a day: alerts may have been raised earlier in it.
    Times in UTC.
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn saved_collections_are_replayed_in_their_order_without_any_ledger() {
    let desk = Desk::new();
    std::fs::write(desk.house.path("other.toml"), other_rules()).unwrap();
    std::fs::write(desk.house.path("second.json"), USAGE.replace("2019-09-17", "2019-09-18"))
        .unwrap();
    let path = |name: &str| desk.house.path(name).display().to_string();
    let (rules, first, second) = (path("other.toml"), path("usage.json"), path("second.json"));
    let same = desk.json(&[
        "simulate",
        "--rules",
        &path("alert-rules.toml"),
        "--collections",
        &first,
        &second,
        "--format",
        "json",
    ]);
    assert_eq!(
        (&same["polls"], &same["appear"], &same["disappear"], &same["move"]),
        (&json!(2), &json!([]), &json!([]), &json!([]))
    );
    let other = desk.json(&[
        "simulate",
        "--rules",
        &rules,
        "--collections",
        &first,
        &second,
        "--format",
        "json",
    ]);
    let rules_of = |what: &str| {
        other[what]
            .as_array()
            .unwrap()
            .iter()
            .map(|alert| alert["rule"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (rules_of("appear"), rules_of("disappear")),
        (vec![json!("spend"), json!("kronor")], vec![json!("gold")])
    );
    assert!(!desk.house.ledger().path.exists(), "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_history_there_is_nothing_to_replay() {
    let desk = Desk::new();
    assert_eq!(
        desk.run(&[
            "silence",
            "add",
            "--customer",
            "*",
            "--for",
            "1h",
            "--reason",
            "makes the ledger"
        ])
        .code,
        0
    );
    let rules = desk.house.path("alert-rules.toml").display().to_string();
    let told = desk.told(&["simulate", "--rules", &rules]);
    assert!(
        told.starts_with("There is no recorded history yet of the last 90 d: nothing to replay."),
        "{told}"
    );
}
