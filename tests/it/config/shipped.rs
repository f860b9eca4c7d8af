//! The shipped `alert-rules.toml` is the reference of every key.

use std::path::Path;

use budget_alertd::config::{Config, Environment, load};

fn shipped() -> Config {
    let folder = tempfile::tempdir().unwrap();
    let secret = |name: &str, value: &str| std::fs::write(folder.path().join(name), value).unwrap();
    secret("client-secret", "abc\n");
    secret("smtp", "ghi\n");
    secret("slack-url", "https://hooks.slack.com/services/T/B/X\n");
    secret("webhook-secret", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n");
    let credentials = folder.path().to_str().unwrap();
    let environment = Environment::from([("CREDENTIALS_DIRECTORY", credentials)]);
    load(Path::new("alert-rules.toml"), &environment)
        .unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

#[test]
fn it_loads_without_a_warning() {
    let config = shipped();
    assert_eq!(config.warnings, Vec::<String>::new());
    assert_eq!(
        config.notifiers.iter().map(|notifier| &*notifier.name).collect::<Vec<_>>(),
        ["oncall", "account-team", "ops-slack"]
    );
    assert!(!format!("{config:?}").contains("hooks.slack.com"));
}

#[test]
fn its_rules_read_well() {
    assert_eq!(
        shipped().rules.sentences(),
        [
            "spend: a customer that has used 80 % of its budget is a warning to ops-slack, 100 % \
                is critical to ops-slack, oncall and account-team, and so is every further 100 % \
                above; it judges customers whose id, name or label is not like \"*[Test]*\" and \
                with a cost of at least 50 USD where that is known; each step alerts once per \
                billing period, and again under a raised budget.",
            "no-budget: a customer without a budget that has cost 100 EUR, 100 GBP, 1,000 SEK or \
                100 USD is a warning to ops-slack, and so is every further 1,000 EUR, 1,000 GBP, \
                10,000 SEK or 1,000 USD above; it judges every customer; each step alerts once per \
                billing period.",
            "spike: a customer that spends 3 times the usual on a day is a warning to ops-slack, \
                10 times the usual is critical to ops-slack and oncall, if that is at least 100 \
                EUR, 100 GBP, 1,000 SEK or 100 USD, or 2 % of its budget where that is more, above \
                the usual; it judges every customer; a spike is told when it begins and when it \
                grows by more than 10 %.",
        ]
    );
}

#[test]
fn what_it_has_commented_out_is_sound_too() {
    // Every line of the form `# key = value` becomes a key, if it is not there already.
    let text = std::fs::read_to_string("alert-rules.toml").unwrap();
    let shown = text
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|rest| is_key(rest)).unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n");
    assert_ne!(shown, text);
    let said = super::mistakes(&shown);
    let missing_secrets = said
        .lines()
        .filter(|line| line.starts_with("alert-rules.toml:"))
        .all(|line| line.contains("the secret ") && line.contains(" is missing"));
    assert!(missing_secrets, "{said}");
}

fn is_key(line: &str) -> bool {
    line.split_once(" = ")
        .is_some_and(|(key, _)| key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
}
