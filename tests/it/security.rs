//! Microsoft's security alerts: what the simulated Microsoft tells goes in, what is told to people
//! comes out.

mod again;
mod answering;
mod claims;
mod configuring;
mod destinations;
mod reading;
mod sending;
mod switching;
mod telling;

use std::fmt::Write as _;
use std::sync::Arc;

use budget_alertd::clock::{Clock, SimulatedClock};
use budget_alertd::domain::AlertSnapshot;
use budget_alertd::poll::SecurityReport;
use budget_alertd::simulator::{PartnerCenter, SignIn, SimCustomer, SimSecurityAlert};
use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::support::world::World;

pub(crate) const CONTOSO: &str = "11111111-6fb9-4b05-8f15-b3d72e0596e6";
const NOBODY: &str = "11111111-0000-4000-8000-000000000000";
pub(crate) const CRYPTO: &str = "7d0c1f3e-5a42-4c1b-9d77-0a51c0f3b101";
const OTHER: &str = "9a7f40e2-6f0e-4d2b-b1a4-93f3f5b5c202";

/// The rule that most of them are about.
const LADDER: &str = r#"
[rules.microsoft]
metric = "security_alert_hours"
notify = ["hook"]
steps = [{ at = 0 }, { at = 1 }, { at = 12, severity = "critical" }, { at = 20, severity = "critical" }]
"#;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// `HH:MM` of 14 November, or a whole instant.
fn on_the_14th(time: &str) -> String {
    format!("2026-11-14T{time}:00Z")
}

/// An alert that was detected at this time of that day.
pub(crate) fn crypto(id: &str, customer: &str, time: &str) -> SimSecurityAlert {
    SimSecurityAlert::crypto_mining(id, customer, at(&on_the_14th(time)))
}

/// A world that reads security alerts of a simulated Microsoft.
pub(crate) struct Stage {
    pub(crate) microsoft: PartnerCenter,
    pub(crate) world: World,
}

impl Stage {
    fn new(rules: &str) -> Self {
        Self::of("graph", rules)
    }

    /// By one of both APIs.
    pub(crate) fn of(source: &str, rules: &str) -> Self {
        let world = World::new(rules).with_clock_at("2026-11-14T00:00:00Z");
        let clock: Arc<SimulatedClock> = Arc::clone(&world.clock);
        let microsoft = PartnerCenter::start(clock as Arc<dyn Clock>, SignIn::default()).unwrap();
        Self { microsoft, world }.reading(source)
    }

    /// From now on by this one of them.
    fn reading(self, source: &str) -> Self {
        let url = if source == "graph" {
            format!("url = \"{}\"\n", self.microsoft.graph_url())
        } else {
            String::new()
        };
        let table = format!("[security_alerts]\nsource = \"{source}\"\n{url}");
        Self { world: self.world.with_source(usage(&self.microsoft) + &table), ..self }
    }

    /// From now on none are read, and these are the rules.
    fn reading_none(self, rules: &str) -> Self {
        let mut world = self.world.with_source(usage(&self.microsoft));
        world.change_rules(rules);
        Self { world, ..self }
    }

    /// The same with usage of Contoso Nord: 40 EUR a day for 13 days, then 890.
    async fn with_usage(self) -> Self {
        for day in 1..=14 {
            let cost = if day < 14 { day * 40 } else { 13 * 40 + 890 };
            let date = at(&format!("2026-11-{day:02}T17:00:00Z"));
            let customer = SimCustomer::azure_plan(CONTOSO, "Contoso Nord", "EUR", date)
                .with_budget(Decimal::from(5000))
                .with_cost(Decimal::from(cost));
            self.microsoft.set_customers(vec![customer]);
            self.world.poll_source(&format!("2026-11-{day:02}T18:00:00Z")).await;
        }
        self
    }

    /// From now on these are the alerts.
    pub(crate) fn set(&self, alerts: &[SimSecurityAlert]) {
        self.microsoft.set_security_alerts(alerts.to_vec());
    }

    /// Reads at this time of the day; what is told, a line each.
    pub(crate) async fn read(&self, time: &str) -> String {
        self.read_at(&on_the_14th(time)).await
    }

    async fn read_at(&self, now: &str) -> String {
        told(&self.world.read_security(now).await)
    }
}

/// The table that usage is read by.
fn usage(microsoft: &PartnerCenter) -> String {
    let sign_in = SignIn::default();
    format!(
        "[source]\ntype = \"partner-center\"\napi_url = \"{}\"\nlogin_url = \"{}\"\n\
         tenant_id = \"{}\"\nclient_id = \"{}\"\nclient_secret = \"{}\"\nrefresh_token = \"{}\"\n",
        microsoft.api_url(),
        microsoft.login_url(),
        sign_in.tenant_id,
        sign_in.client_id,
        sign_in.client_secret.as_deref().unwrap(),
        sign_in.refresh_token,
    )
}

/// What a read told, what went wrong with it.
fn told(report: &SecurityReport) -> String {
    let mut text = String::new();
    for AlertSnapshot { alert, .. } in &report.alerts {
        let security = alert.security.as_ref().unwrap();
        let passed: Vec<String> = alert.passed.iter().map(ToString::to_string).collect();
        writeln!(
            text,
            "{} {} at {} passed [{}], {} h, {} {}, {}{}",
            alert.severity.as_str(),
            alert.rule,
            alert.threshold,
            passed.join(" "),
            alert.number().unwrap(),
            security.kind,
            security.severity,
            alert.state.as_str(),
            if alert.baseline { ", baseline" } else { "" },
        )
        .unwrap();
    }
    for error in &report.errors {
        writeln!(text, "! {error}").unwrap();
    }
    assert_eq!(report.good, report.errors.is_empty());
    text
}
