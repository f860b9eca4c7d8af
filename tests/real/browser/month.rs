//! The customers of that month, called by names that attack, what they cost, and by which rules that
//! is told.

use budget_alertd::simulator::{SimCustomer, SimResource, SimSecurityAlert};
use jiff::Timestamp;
use rust_decimal::Decimal;

/// Costs far more than usual since today.
pub(super) const CONTOSO: &str = "11111111-6fb9-4b05-8f15-b3d72e0596e6";
/// Is called by markup.
pub(super) const MARKUP: &str = "22222222-6fb9-4b05-8f15-b3d72e0596e6";
/// Is called by letters that turn the line around.
pub(super) const TURNED: &str = "33333333-6fb9-4b05-8f15-b3d72e0596e6";
/// Is called by 10 kB without a space.
pub(super) const LONG: &str = "44444444-6fb9-4b05-8f15-b3d72e0596e6";

/// An open security alert.
pub(super) const MINING: &str = "7d0c1f3e-5a42-4c1b-9d77-0a51c0f3b101";

/// What would run, if anything of it were more than text.
pub(super) const ATTACK: &str = "<script>document.title='taken'</script>\
    <img src=x onerror=\"document.title='taken'\"></td></table>\"'><b>Nord";
/// A right-to-left override before the name of a file, as attackers use it.
pub(super) const OVERRIDE: &str = "\u{202e}fdp.exe \u{202d}شركة كونتوسو";

/// Rules of every kind.
pub(super) const RULES: &str = r#"
[rules.spend]
metric = "percent_used"
notify = ["hook", "desk", "pager"]
steps = [{ at = 80 }, { at = 100, severity = "critical" }, { at = 400, severity = "critical" }]
[rules.spike]
metric = "spike"
floor = { SEK = 100 }
notify = ["hook"]
steps = [{ at = 4, severity = "critical" }]
[rules.microsoft]
metric = "security_alert_hours"
notify = ["hook"]
steps = [{ at = 0 }, { at = 12, severity = "critical" }]
[rules.portal]
metric = "percent_used"
notify = ["customers"]
steps = [{ at = 50 }]
[operator]
notify = ["hook"]
"#;

/// As they are on a day of November.
pub(super) fn customers(day: i64) -> Vec<SimCustomer> {
    let date: Timestamp = format!("2026-11-{day:02}T17:00:00Z").parse().unwrap();
    let customer = |id: &str, name: &str, budget: i64, cost: i64| {
        SimCustomer::azure_plan(id, name, "SEK", date)
            .with_usd_rate(Decimal::new(95, 3))
            .with_budget(Decimal::from(budget))
            .with_cost(Decimal::from(cost))
    };
    let cost = if day < 14 { day * 40 } else { 13 * 40 + 4890 };
    let part = |share: i64| Decimal::from(cost * share / 100);
    let resource = |name: &str, share| SimResource::new("s", ATTACK, name, part(share));
    let contoso = customer(CONTOSO, "Contoso Nord AB", 1000, cost)
        .with_subscription("22222222-1111-4b05-8f15-b3d72e0596e6", "Production", part(90))
        .with_subscription("22222222-2222-4b05-8f15-b3d72e0596e6", ATTACK, part(10))
        .with_resources(vec![resource("vm-1", 10)]);
    let risen = |id, name: &str| customer(id, name, 100, if day < 13 { day } else { 150 });
    let long = "x".repeat(10_000);
    let mut all = vec![
        contoso,
        risen(MARKUP, ATTACK),
        risen(TURNED, OVERRIDE),
        risen(LONG, &long),
        SimCustomer::azure_plan("no-budget", "Without a budget", "SEK", date)
            .with_cost(date_cost(day)),
        SimCustomer::legacy("legacy", "Fabrikam Legacy", "fr-FR", 20, date)
            .with_budget(Decimal::from(100))
            .with_cost(date_cost(day)),
    ];
    // So many at once that what customers would be told is held.
    all.extend((1..=30).map(|number| {
        let cost = if day < 12 { day } else { 60 };
        customer(&format!("many-{number:02}"), &format!("Kund {number}"), 100, cost)
    }));
    all
}

fn date_cost(day: i64) -> Decimal {
    Decimal::new(day * 1234, 2)
}

pub(super) fn security() -> Vec<SimSecurityAlert> {
    let detected = |id: &str, customer: &str, time: &str| {
        let at = format!("2026-11-14T{time}:00Z").parse().unwrap();
        SimSecurityAlert::crypto_mining(id, customer, at)
    };
    let mut attack = detected("9a7f40e2-6f0e-4d2b-b1a4-93f3f5b5c202", MARKUP, "16:00");
    ATTACK.clone_into(&mut attack.kind);
    let mut answered = detected("5b7f40e2-6f0e-4d2b-b1a4-93f3f5b5c203", CONTOSO, "09:00");
    "resolved".clone_into(&mut answered.status);
    answered.reason = Some("fraud".to_owned());
    answered.resolved =
        Some(("anna@partner.example".to_owned(), "2026-11-14T10:00:00Z".parse().unwrap()));
    vec![detected(MINING, CONTOSO, "05:00"), attack, answered]
}
