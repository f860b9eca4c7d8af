//! The README is true: its configurations load, and the commands it names exist.

use std::process::Command;

use budget_alertd::config::{self, Config, Environment};
use regex::Regex;

fn readme() -> String {
    std::fs::read_to_string("README.md").unwrap()
}

/// The contents of the fenced blocks in this language, in order.
fn blocks(language: &str) -> Vec<String> {
    let fence = Regex::new(&format!("(?ms)^```{language}\n(.*?)^```$")).unwrap();
    fence.captures_iter(&readme()).map(|block| block[1].to_owned()).collect()
}

/// What is in code: fenced blocks, and what stands between backticks.
fn code() -> String {
    let text = readme();
    let fenced = Regex::new("(?ms)^```[a-z]*\n(.*?)^```$").unwrap();
    let inline = Regex::new("`([^`\n]+)`").unwrap();
    let outside = fenced.replace_all(&text, "");
    let inside = fenced.captures_iter(&text).chain(inline.captures_iter(&outside));
    inside.map(|code| code[1].to_owned()).collect::<Vec<_>>().join("\n")
}

/// Loads a text; each secret that it names has a value of the form that is wanted there.
fn load(text: &str) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let credential = Regex::new(r#"credential = "([a-z-]+)""#).unwrap();
    for name in credential.captures_iter(text) {
        let value = match &name[1] {
            url if url.ends_with("-url") => "https://hooks.example/x",
            key if key.ends_with("-routing-key") => "0123456789abcdef0123456789abcdef",
            _ => "dummy",
        };
        std::fs::write(folder.path().join(&name[1]), value).unwrap();
    }
    let key = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let environment = Environment::from([("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap()), ("HOOK_SECRET", key)]);
    std::fs::write(folder.path().join("customers.csv"), &blocks("csv")[0]).unwrap();
    config::parse(text, &folder.path().join("README.md"), &environment).unwrap_or_else(|mistakes| panic!("{mistakes}\n{text}"))
}

fn help(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_budget-alertd")).args(arguments).arg("--help").output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn each_configuration_loads_whole_or_added_to_the_first() {
    let (tests, blocks): (Vec<String>, Vec<String>) = blocks("toml").into_iter().partition(|block| block.contains("[[test]]"));
    let first = blocks.first().unwrap();
    for block in &blocks {
        let whole = if block.contains("[source]") { block.clone() } else { format!("{first}\n{block}") };
        assert_eq!(load(&whole).warnings, Vec::<String>::new());
    }
    assert_eq!((blocks.len(), tests.len()), (9, 1));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("alert-rules.test.toml");
    std::fs::write(folder.path().join("alert-rules.toml"), first).unwrap();
    std::fs::write(&file, &tests[0]).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_budget-alertd")).arg("test").arg(&file).output().unwrap();
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}

#[test]
fn each_command_exists_with_its_options() {
    let code = code();
    let call = Regex::new(r"(?m)(?:^|cargo run --release -- |\s)(?:budget-alertd |-- )([a-z][a-z-]*)([^#\n|]*)").unwrap();
    let option = Regex::new(r"--[a-z][a-z-]*").unwrap();
    let mut named = Vec::new();
    for call in call.captures_iter(&code) {
        let (command, rest) = (&call[1], &call[2]);
        let order = rest
            .split_whitespace()
            .next()
            .filter(|order| ["retry", "release", "export", "import", "add", "list", "expire"].contains(order));
        let known = order.map_or_else(|| help(&[command]), |order| help(&[command, order]));
        for option in option.find_iter(rest) {
            assert!(known.contains(option.as_str()), "budget-alertd {command} has no {}", option.as_str());
        }
        named.push(command.to_owned());
    }
    let all = [
        "demo",
        "init",
        "login",
        "check",
        "poll",
        "notify-test",
        "status",
        "alerts",
        "deliveries",
        "explain",
        "budgets",
        "test",
        "silence",
        "ack",
    ];
    for command in all {
        assert!(named.iter().any(|name| name == command), "{command} is not named");
    }
}

#[test]
fn each_picture_and_file_that_it_points_to_is_there_and_small() {
    let link = Regex::new(r"\]\(([^):]+)\)").unwrap();
    let links: Vec<String> = link.captures_iter(&readme()).map(|link| link[1].to_owned()).collect();
    for link in &links {
        let length = std::fs::metadata(link).unwrap_or_else(|error| panic!("{link}: {error}")).len();
        assert!(length <= 150_000, "{link} has {length} bytes");
    }
    assert!(!links.is_empty());
}

#[test]
fn the_name_that_mail_servers_are_greeted_by_is_described_with_the_mail_server() {
    let text = readme();
    let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what} is not in the README"));
    let described = at("| `hello_name` of `smtp` |");
    assert!(at("| value | where it comes from |") < described && described < at("hello_name = \"alerts.partner.example\""));
}

#[test]
fn each_metric_exists_and_each_one_is_named() {
    let metrics = budget_alertd::metrics::Metrics::new();
    metrics.know_rule("r");
    metrics.know_notifier("n");
    let scraped = metrics.render().unwrap();
    let text = readme();
    let family = Regex::new(r"(?m)^# TYPE budget_alertd_([a-z_]+) ").unwrap();
    let missing: Vec<&str> = family
        .captures_iter(&scraped)
        .map(|family| family.extract::<1>().1[0])
        .filter(|name| !text.contains(&format!("`{name}`")) && !text.contains(&format!("`{name}{{")))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}
