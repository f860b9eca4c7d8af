//! What is shipped for Prometheus and Grafana, and what the daemon answers them, against
//! Prometheus's own tool.

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::process::{Server, budget_alertd, eventually, free_port, succeed};

const RULES: &str = "packaging/prometheus/budget-alertd.rules.yml";

fn promtool(arguments: &[&str]) -> String {
    succeed(Command::new("promtool").args(arguments))
}

#[test]
fn the_alert_rules_are_sound_and_fire_when_they_are_to() {
    let checked = promtool(&["check", "rules", RULES]);
    assert!(checked.contains("SUCCESS: 15 rules found"), "{checked}");
    for tests in ["tests.yml", "tests-of-days.yml"] {
        promtool(&["test", "rules", &format!("packaging/prometheus/{tests}")]);
    }
}

#[test]
fn the_dashboard_asks_what_prometheus_understands() {
    let text = include_str!("../../packaging/grafana/budget-alertd.json");
    let dashboard: Value = serde_json::from_str(text).unwrap();
    // As rules, since the tool checks nothing else.
    let mut rules = String::from("groups:\n- name: dashboard\n  rules:\n");
    let panels = dashboard["panels"].as_array().unwrap();
    for target in panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap()) {
        let asked = target["expr"].as_str().unwrap();
        let asked = asked.replace("$__rate_interval", "5m").replace("$instance", ".*");
        assert!(!asked.contains('$'), "{asked}");
        let asked = serde_json::to_string(&asked).unwrap();
        writeln!(rules, "  - {{ record: \"a:b:c\", expr: {asked}, labels: {{ n: {asked} }} }}")
            .unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.yml");
    std::fs::write(&file, rules).unwrap();
    promtool(&["check", "rules", file.to_str().unwrap()]);
}

#[test]
fn prometheus_finds_nothing_to_complain_of_in_the_metrics_of_a_daemon_at_work() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let configuration = include_str!("alert-rules.toml")
        .replace("@HTTP@", &port.to_string())
        .replace("@HOOK@", "http://127.0.0.1:9/nobody")
        .replace("/etc/budget-alertd/usage.json", "usage.json")
        .replace("/var/lib/budget-alertd", folder.path().join("state").to_str().unwrap())
        .replace("secret = ", "# ");
    let file = folder.path().join("alert-rules.toml");
    std::fs::write(&file, configuration).unwrap();
    let usage = include_str!("../fixtures/customers_usagerecords.json");
    std::fs::write(folder.path().join("usage.json"), usage).unwrap();
    let program = budget_alertd();
    let arguments = ["--config", file.to_str().unwrap(), "run"];
    let _daemon = Server::start(program.to_str().unwrap(), &arguments, &folder.path().join("log"));

    let url = format!("http://127.0.0.1:{port}/metrics");
    let scraped = eventually(Duration::from_secs(20), "an attempt in the metrics", || {
        let output = Command::new("curl").args(["-sf", &url]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let tried = "budget_alertd_notifier_in_backoff{notifier=\"itsm\"} 1";
        text.lines().any(|line| line == tried).then_some(text)
    });
    let file = folder.path().join("metrics");
    std::fs::write(&file, scraped).unwrap();
    let said = succeed(
        Command::new("promtool")
            .args(["check", "metrics", "--extended"])
            .stdin(Stdio::from(std::fs::File::open(&file).unwrap())),
    );
    assert!(said.contains("budget_alertd_ledger_writable"), "{said}");
}
