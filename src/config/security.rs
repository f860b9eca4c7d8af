//! Reads `[security_alerts]`: which API tells of them, where it is, and how often it is asked.

use std::time::Duration;

use crate::config::SecurityPlan;
use crate::config::reader::Table;
use crate::config::url::endpoint;
use crate::domain::Metric;
use crate::source::SecurityConfig;

const POLL_INTERVAL: Duration = Duration::from_mins(10);
/// Microsoft Graph of each cloud.
const GLOBAL: &str = "https://graph.microsoft.com";
const US_GOVERNMENT: &str = "https://graph.microsoft.us";
/// Only there security alerts of partners are told.
const VERSION: &str = "/beta";

/// The security alerts to ask for; none without the table, or where it is mistaken.
pub(crate) fn read(root: &Table<'_>) -> Option<SecurityPlan> {
    refuse_rules_without(root);
    let table = root.table("security_alerts")?;
    table.require("source");
    let source = root.table_or_empty("source");
    if source.text("type").is_some_and(|kind| kind.value == "file") {
        table.reader.mistake(
            table.span.clone(),
            "security alerts need the sign-in of source.type = \"partner-center\": a file has none; \
                leave [security_alerts] out",
        );
        return None;
    }
    let alerts = match table.text("source")?.value {
        "graph" => graph(&table, &source)?,
        "partner-center" => {
            if let Some(url) = table.text("url") {
                table.reader.mistake(
                    url.span,
                    "url is for source = \"graph\": Partner Center is asked at source.api_url",
                );
            }
            SecurityConfig::PartnerCenter
        }
        _ => return None,
    };
    let poll_interval = table.duration("poll_interval", POLL_INTERVAL);
    Some(SecurityPlan { alerts, poll_interval })
}

fn graph(table: &Table<'_>, source: &Table<'_>) -> Option<SecurityConfig> {
    let is_government = source.text("cloud").is_some_and(|cloud| cloud.value == "us-government");
    let host = if is_government { US_GOVERNMENT } else { GLOBAL };
    let url = match table.text("url") {
        Some(text) => table.reader.accept(&text.span, endpoint(text.value))?,
        None => endpoint(&format!("{host}{VERSION}")).ok()?,
    };
    let scope = format!("{host}/.default offline_access");
    Some(SecurityConfig::Graph { url, scope, has_score: !is_government })
}

/// Rules about security alerts where nothing tells of any.
fn refuse_rules_without(root: &Table<'_>) {
    if root.entry("security_alerts").is_some() {
        return;
    }
    for (_, rule) in root.named("rules") {
        let metric = rule.text("metric");
        let of_security = |name: &str| Metric::from_name(name) == Some(Metric::SecurityAlertHours);
        if let Some(metric) = metric.filter(|metric| of_security(metric.value)) {
            rule.reader.mistake(
                metric.span,
                "nothing tells of security alerts: add [security_alerts] with source = \"graph\"",
            );
        }
    }
}
