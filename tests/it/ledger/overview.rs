//! Customers page by page, the worst first by money.

use std::collections::HashSet;

use budget_alertd::ledger::{CustomerCursor, CustomerFilter, CustomerPage};

use super::*;

/// A customer with its cost, its cost in US dollars and its budget.
fn with(number: u128, cost: &str, usd: Option<&str>, budget: Option<&str>) -> CustomerState {
    CustomerState {
        name: format!("N{number}"),
        label: None,
        cost: decimal(cost),
        usd_cost: usd.map(decimal),
        budget: budget.map(decimal),
        partner_center_budget: None,
        ..seen(number)
    }
}

fn names(page: &CustomerPage) -> Vec<&str> {
    page.rows.iter().map(|row| row.seen.name.as_str()).collect()
}

/// A ledger with a customer of each kind, and its reader.
async fn eight(folder: &tempfile::TempDir) -> (Ledger, Reader) {
    let ledger = open(&config(folder)).unwrap();
    let seen = vec![
        with(1, "300", Some("30"), Some("100")),
        with(2, "1010", Some("1010"), Some("1000")),
        with(3, "900", None, Some("100")),
        CustomerState { plan: Plan::AzurePlan, ..with(4, "90", Some("9000"), Some("100")) },
        with(5, "95", None, Some("100")),
        with(6, "70000", Some("7000"), None),
        CustomerState { name: "Çınar %_".into(), ..with(7, "1", Some("0.1"), Some("0")) },
        CustomerState { currency: None, ..with(8, "0", None, None) },
    ];
    ledger.record(Recording { seen, ..Recording::default() }).await.unwrap();
    let reader = Reader::open(&config(folder)).unwrap();
    (ledger, reader)
}

#[tokio::test]
async fn customers_stand_by_dollars_over_then_percent_then_cost_without_a_budget() {
    let folder = tempfile::tempdir().unwrap();
    let (_ledger, reader) = eight(&folder).await;
    let all = reader.customer_page(&CustomerFilter::default(), None, 10).unwrap();
    let order = ["N1", "N2", "Çınar %_", "N3", "N5", "N4", "N6", "N8"];
    assert_eq!((names(&all), all.total, all.next), (order.to_vec(), 8, None));
    let worst = reader.customers_worst_first(3).unwrap();
    assert_eq!(worst.iter().map(|seen| &*seen.name).collect::<Vec<_>>(), order[..3]);
    let totals = reader.customer_totals().unwrap();
    assert_eq!(
        (totals.customers, totals.over, totals.over_cents, totals.over_uncounted),
        (8, 4, 2000 + 1000 + 10, 1)
    );
}

#[tokio::test]
async fn pages_go_on_behind_the_last_customer_with_and_without_a_filter() {
    let folder = tempfile::tempdir().unwrap();
    let (_ledger, reader) = eight(&folder).await;
    for filter in [CustomerFilter::default(), CustomerFilter::default().named("n")] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = reader.customer_page(&filter, after, 3).unwrap();
            seen.extend(page.rows.iter().map(|row| row.seen.name.clone()));
            let Some(next) = page.next else { break };
            assert_eq!(page.rows.len(), 3);
            after = CustomerCursor::parse(&next.as_text());
            assert_eq!(after, Some(next));
        }
        assert_eq!(seen.len(), 8);
        assert_eq!(seen.iter().collect::<HashSet<_>>().len(), 8);
    }
    assert_eq!(CustomerCursor::parse("1"), None);
    assert_eq!(CustomerCursor::parse("1-'; DROP"), None);
}

#[tokio::test]
async fn customers_are_chosen_by_name_plan_currency_budget_and_alerts() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, reader) = eight(&folder).await;
    ledger.record(one_alert(1, "spend", "slack", Severity::Critical)).await.unwrap();
    let found = |filter: CustomerFilter| {
        let page = reader.customer_page(&filter, None, 10).unwrap();
        names(&page).into_iter().map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let all = CustomerFilter::default;
    assert_eq!(found(all().named("ÇINAR %_")), ["Çınar %_"; 0], "dotless i is another letter");
    assert_eq!(found(all().named("çınar  %_")), ["Çınar %_"]);
    assert_eq!(found(all().named("%")), ["Çınar %_"], "no pattern");
    assert_eq!(found(all().named(customer(4).as_str())), ["N4"]);
    assert_eq!(found(CustomerFilter { plan: Some(Plan::AzurePlan), ..all() }), ["N4"]);
    assert_eq!(found(CustomerFilter { currency: Some(String::new()), ..all() }), ["N8"]);
    assert_eq!(found(CustomerFilter { has_budget: Some(false), ..all() }), ["N6", "N8"]);
    let keys = Some(HashSet::from([customer(5).key()]));
    assert_eq!(found(CustomerFilter { keys, ..all() }), ["N5"]);
    let critical = CustomerFilter { severity: Some(Severity::Critical), ..all() };
    let known = CustomerFilter { acknowledged: Some(true), ..all() };
    let unknown = CustomerFilter { acknowledged: Some(false), ..all() };
    assert_eq!(
        [critical, unknown, known].map(|filter| found(filter).len()),
        [1, 1, 0],
        "one customer has an open alert, and nobody knows of it"
    );
    assert_eq!(reader.customer_totals().unwrap().unacknowledged_critical, 1);

    // Of the critical one somebody knows, of another one nobody: the number and the list agree.
    ledger.record(one_alert(2, "other", "slack", Severity::Warning)).await.unwrap();
    ledger.acknowledge(&id(1).to_string(), "alice", at("2026-10-05T13:00:00Z")).await.unwrap();
    let unknown_of = |severity| CustomerFilter {
        severity: Some(severity),
        acknowledged: Some(false),
        ..CustomerFilter::default()
    };
    let both = [Severity::Critical, Severity::Warning].map(unknown_of);
    assert_eq!(both.map(|filter| found(filter).len()), [0, 1]);
    let totals = reader.customer_totals().unwrap();
    assert_eq!((totals.unacknowledged_critical, totals.unacknowledged_other), (0, 1));
}
