//! Who has changed a budget in Partner Center, as Microsoft's audit records tell.

use budget_alertd::simulator::{
    Answer, Endpoint, Fault, Request, SimAuditRecord, SimBudget, SimCustomer,
};
use rust_decimal::Decimal;

use super::{Desk, NORD, NOW, local, nord, told};

const ANNA: &str = "anna@partner.example";

/// Anna's change to 4,500 SEK, and her record of it.
fn changed(desk: &Desk) -> SimAuditRecord {
    desk.center.set_spending_budget(NORD, SimBudget::Amount(4500.into()));
    SimAuditRecord::budget(
        NORD,
        ANNA,
        Some("4500.0"),
        "2026-11-10T10:15:05.0589308Z".parse().unwrap(),
    )
}

/// The questions to the audit records.
fn asked(desk: &Desk) -> Vec<Request> {
    let all = desk.center.requests().into_iter();
    all.filter(|request| request.path.starts_with("/v1/auditrecords")).collect()
}

#[tokio::test]
async fn whoever_changed_a_budget_is_named_before_and_after_it_is_written_over() {
    let desk = Desk::of_nord().await;
    desk.center.add_audit_record(changed(&desk));
    let by = "changed there by anna@partner.example, Tue 10 Nov 10:15 UTC";
    let plan = desk.plan(None).await;
    assert_eq!(
        told(&plan),
        format!("Contoso Nord: 4500 → 5000 SEK, planned: would be written; {by}")
    );
    let [question] = asked(&desk).try_into().unwrap();
    assert_eq!(
        question.path,
        format!(
            "/v1/auditrecords?startDate=2026-11-09&size=500&filter=%7B%22Field%22%3A%22CustomerId%22\
                %2C%22Operator%22%3A%22equals%22%2C%22Value%22%3A%22{NORD}%22%7D"
        )
    );
    let rows = desk.write(&plan, None).await;
    assert_eq!(
        told(&rows),
        format!("Contoso Nord: 4500 → 5000 SEK, written: read back from Partner Center; {by}")
    );
}

#[tokio::test]
async fn whoever_changed_a_budget_meanwhile_is_named() {
    let desk = Desk::of_nord().await;
    let plan = desk.plan(None).await;
    assert!(asked(&desk).is_empty(), "it is what usage data told");
    desk.center.add_audit_record(changed(&desk));
    assert_eq!(
        told(&desk.write(&plan, None).await),
        "Contoso Nord: 4000 → 5000 SEK, skipped: changed meanwhile: Partner Center has 4,500 now; \
            changed there by anna@partner.example, Tue 10 Nov 10:15 UTC"
    );
}

#[tokio::test]
async fn what_was_pushed_from_here_is_nobody_elses() {
    let desk = Desk::of_nord().await;
    assert_eq!(desk.push().await.len(), 1);
    // The old budget comes back; ours is the only record of it.
    desk.world.clock.advance(std::time::Duration::from_hours(1));
    desk.center.set_spending_budget(NORD, SimBudget::Absent);
    let cleared = SimAuditRecord::budget(NORD, ANNA, None, "2026-11-10T12:30:00Z".parse().unwrap());
    let unknown = "Contoso Nord: - → 5000 SEK, planned: would be written; changed there, who is \
        unknown: the audit records since 2026-11-09 do not tell, or not yet";
    assert_eq!(told(&desk.plan(None).await), unknown);
    desk.center.add_audit_record(SimAuditRecord { status: "Failed".into(), ..cleared.clone() });
    assert_eq!(told(&desk.plan(None).await), unknown, "it was not made");
    desk.center.add_audit_record(cleared);
    assert_eq!(
        told(&desk.plan(None).await),
        "Contoso Nord: - → 5000 SEK, planned: would be written; changed there by \
            anna@partner.example, Tue 10 Nov 12:30 UTC"
    );
}

#[tokio::test]
async fn odd_records_cost_nothing_and_names_are_cleaned() {
    let desk = Desk::of_nord().await;
    let own = changed(&desk);
    let other = SimAuditRecord { user: Some("other@partner.example".into()), ..own.clone() };
    let without_name = SimAuditRecord {
        user: None,
        application: Some("Azure \u{202e}Portal\n".repeat(40)),
        new_value: Some("changed".into()),
        ..own
    };
    for record in [
        without_name,
        SimAuditRecord { operation: "something_nobody_knew".into(), ..other.clone() },
        SimAuditRecord { customer: None, ..other.clone() },
        SimAuditRecord { new_value: Some("{\"Amount\":1}".into()), ..other },
    ] {
        desk.center.add_audit_record(record);
    }
    desk.center.set_audit_page(1);
    let words = desk.plan(None).await.remove(0).words;
    assert!(
        words.starts_with("would be written; changed there by the application Azure Portal Azure"),
        "{words}"
    );
    assert!(words.ends_with("…, Tue 10 Nov 10:15 UTC"), "{words}");
    assert!(words.chars().count() < 220, "{words}");
    let tokens: Vec<_> =
        asked(&desk).iter().map(|page| page.header("MS-ContinuationToken").is_some()).collect();
    assert_eq!(tokens, [false, true, true], "one is of another customer");
}

#[tokio::test]
async fn a_push_does_not_fail_with_the_audit_records_and_asks_them_no_more() {
    let sud = "11111111-7a1c-4c53-b7fc-0f2bfca8a582";
    let other = SimCustomer::azure_plan(sud, "Contoso Sud", "SEK", NOW.parse().unwrap());
    let budgets = local(NORD, "5000", "SEK") + &local(sud, "5000", "SEK");
    let desk = Desk::new(vec![nord(), other.with_budget(Decimal::from(4000))], &budgets).await;
    let denied = Answer::error(403, "900150", "A privilege is missing.");
    desk.center.fail(Endpoint::AuditRecords, Fault::Answer(denied));
    for id in [NORD, sud] {
        desk.center.set_spending_budget(id, SimBudget::Amount(4500.into()));
    }
    let why = "changed there, who is unknown: the audit records cannot be read: Partner Center \
        denies access (403): A privilege is missing. (900150)";
    let plan = desk.plan(None).await;
    assert_eq!(
        told(&plan),
        format!(
            "Contoso Nord: 4500 → 5000 SEK, planned: would be written; {why}\nContoso Sud: 4500 → \
                5000 SEK, planned: would be written; {why}"
        )
    );
    assert_eq!(asked(&desk).len(), 1);
    let rows = desk.write(&plan, None).await;
    assert!(rows.iter().all(|row| row.outcome.unwrap().is_good()), "{}", told(&rows));
}
