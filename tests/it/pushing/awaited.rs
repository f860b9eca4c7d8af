//! A budget that was pushed and that usage data does not show yet: alerts and `explain` say so.

use budget_alertd::domain::WrittenBudget;
use budget_alertd::simulator::SimCustomer;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Desk, NORD, nord};

/// What `explain` prints.
fn explained(desk: &Desk, format: &str) -> String {
    let explained = desk.world.run(&["explain", NORD, "--format", format]);
    String::from_utf8(explained.stdout).unwrap()
}

/// What messages of the alert about this customer know of a push.
async fn told(desk: &Desk, at: &str, customer: SimCustomer) -> Option<WrittenBudget> {
    desk.center.set_customers(vec![customer]);
    let mut report = desk.world.poll_source(at).await;
    assert_eq!(report.alerts.len(), 1);
    report.alerts.remove(0).context.pushed
}

#[tokio::test]
async fn a_pushed_budget_is_told_of_until_usage_data_shows_it() {
    let desk = Desk::of_nord().await;
    assert!(desk.push().await[0].outcome.unwrap().is_good());
    let cost = |cost: u32| nord().with_cost(Decimal::from(cost));
    let pushed = told(&desk, "2026-11-10T13:00:00Z", cost(4100)).await.unwrap();
    assert_eq!((pushed.amount, pushed.before), (5000.into(), Some(4000.into())));
    let page = explained(&desk, "text");
    let line = "        5,000 SEK pushed on Tue 10 Nov 12:00 UTC, not yet in the usage data\n";
    assert!(page.contains(line), "{page}");
    let document: Value = serde_json::from_str(&explained(&desk, "json")).unwrap();
    let pushed = json!({
        "at": "2026-11-10T12:00:00Z", "before": "4000", "amount": "5000.00", "currency": "SEK"
    });
    assert_eq!(document["pushed"], pushed);
    // The next data has it.
    let shown = cost(5100).with_budget(5000.into());
    assert_eq!(told(&desk, "2026-11-11T13:00:00Z", shown).await, None);
    assert!(!explained(&desk, "text").contains("pushed on"));
}
