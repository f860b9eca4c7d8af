//! How security alerts are configured, and what is refused.

use std::path::Path;

use budget_alertd::config::{self, Environment};
use budget_alertd::source::SecurityConfig;

const CENTER: &str = "[source]\ntype = \"partner-center\"\ntenant_id = \"contoso.example\"\n\
    client_id = \"11111111-2222-3333-4444-555555555555\"\n";
const FILE: &str = "[source]\ntype = \"file\"\npath = \"usage.json\"\n";
const REST: &str = "[rules.microsoft]\nmetric = \"security_alert_hours\"\nnotify = [\"hook\"]\n\
    steps = [{ at = 0 }]\n[notifiers.hook]\ntype = \"webhook\"\nurl = \"https://hooks.example/\"\n";
const SPEND: &str = "[rules.spend]\nmetric = \"percent_used\"\nnotify = [\"hook\"]\n\
    steps = [{ at = 80 }]\n[notifiers.hook]\ntype = \"webhook\"\nurl = \"https://hooks.example/\"\n";

fn parse(text: &str) -> Result<config::Config, String> {
    config::parse(text, Path::new("alert-rules.toml"), &Environment::default())
        .map_err(|mistakes| mistakes.to_string())
}

/// The first line of what is wrong.
#[track_caller]
fn mistake(text: &str) -> String {
    let mistakes = parse(text).unwrap_err();
    mistakes.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn each_cloud_has_its_microsoft_graph() {
    let graph = |source: &str, more: &str| {
        let text = format!("{source}[security_alerts]\nsource = \"graph\"\n{more}{REST}");
        let plan = parse(&text).unwrap().security.unwrap();
        let SecurityConfig::Graph { url, scope, .. } = plan.alerts else { panic!("no graph") };
        format!("{url} {scope} {}", plan.poll_interval.as_secs())
    };
    assert_eq!(
        graph(CENTER, ""),
        "https://graph.microsoft.com/beta https://graph.microsoft.com/.default offline_access 600"
    );
    assert_eq!(
        graph(&format!("{CENTER}cloud = \"us-government\"\n"), "poll_interval = \"2m\"\n"),
        "https://graph.microsoft.us/beta https://graph.microsoft.us/.default offline_access 120"
    );
    assert!(
        graph(CENTER, "url = \"http://127.0.0.1:9/beta\"\n").starts_with("http://127.0.0.1:9/")
    );
}

#[test]
fn what_cannot_work_is_refused_with_what_to_do() {
    for (text, expected) in [
        (
            format!("{FILE}[security_alerts]\nsource = \"graph\"\n{SPEND}"),
            "alert-rules.toml:4:2: security alerts need the sign-in of source.type = \
                \"partner-center\": a file has none; leave [security_alerts] out",
        ),
        (
            format!("{CENTER}{REST}"),
            "alert-rules.toml:6:10: nothing tells of security alerts: add [security_alerts] with \
                source = \"graph\"",
        ),
        (
            format!("{CENTER}[security_alerts]\nsource = \"graf\"\n{REST}"),
            "alert-rules.toml:6:10: unknown source of security alerts \"graf\"; did you mean \
                \"graph\"?",
        ),
        (
            format!(
                "{CENTER}[security_alerts]\nsource = \"graph\"\nurl = \"http://x.example\"\n{REST}"
            ),
            "alert-rules.toml:7:7: http:// is allowed to this machine only; use https://",
        ),
        (
            format!(
                "{CENTER}[security_alerts]\nsource = \"partner-center\"\nurl = \"https://x.example\"\n{REST}"
            ),
            "alert-rules.toml:7:7: url is for source = \"graph\": Partner Center is asked at \
                source.api_url",
        ),
        (
            format!("{CENTER}[security_alerts]\nintervall = \"1m\"\n{REST}"),
            "alert-rules.toml:5:2: [security_alerts] has no \"source\"",
        ),
        (
            format!("{CENTER}{SPEND}[rules.spend.match]\nalert_type = [\"*\"]\n"),
            "alert-rules.toml:12:1: match.alert_type, alert_severity and confidence are for metric \
                = \"security_alert_hours\" only",
        ),
        (
            format!(
                "{CENTER}[security_alerts]\nsource = \"graph\"\n{REST}audience = \"customer\"\n"
            ),
            "alert-rules.toml:9:11: customers read the messages of \"hook\": security alerts must \
                not go there",
        ),
    ] {
        assert_eq!(mistake(&text), expected, "{text}");
    }
}
