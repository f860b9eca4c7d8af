//! A ledger that fails in the middle of a push: what was written is told all the same.

use rusqlite::Connection;

use super::{Desk, JAPAN, NORD, NOW, local, nord, told};
use budget_alertd::simulator::SimCustomer;

const SUD: &str = "11111111-7a1c-4c53-b7fc-0f2bfca8a582";

/// Three customers, the names in their order of the plan, whose ledger fails by this trigger.
async fn pushed(trigger: &str) -> (Desk, String) {
    let at = NOW.parse().unwrap();
    let japan = SimCustomer::azure_plan(JAPAN, "Contoso Japan", "JPY", at);
    let sud = SimCustomer::azure_plan(SUD, "Contoso Sud", "SEK", at).with_budget(4000.into());
    let budgets =
        [local(NORD, "5000", "SEK"), local(JAPAN, "70000", "JPY"), local(SUD, "5", "SEK")];
    let desk = Desk::new(vec![nord(), japan, sud], &budgets.concat()).await;
    let plan = desk.plan(None).await;
    let ledger = desk.world.config().ledger.path;
    let sql = |sql: &str| Connection::open(&ledger).unwrap().execute_batch(sql).unwrap();
    sql(&format!("CREATE TRIGGER full {trigger} BEGIN SELECT RAISE(ABORT, 'no space'); END"));
    let rows = desk.write(&plan, None).await;
    sql("DROP TRIGGER full");
    let why = format!("{} already has an entry of what was to be recorded", ledger.display());
    (desk, told(&rows).replace(&format!("{why}, or lacks one it refers to"), "WHY"))
}

#[tokio::test]
async fn what_was_written_before_the_ledger_failed_is_told() {
    let (desk, rows) =
        pushed("BEFORE INSERT ON budget_push WHEN EXISTS (SELECT 1 FROM budget_push)").await;
    insta::assert_snapshot!(rows, @r"
    Contoso Japan: - → 70000 JPY, written: read back from Partner Center
    Contoso Nord: 4000 → 5000 SEK, failed: not asked: WHY
    Contoso Sud: 4000 → 5 SEK, failed: not asked: WHY
    ");
    assert_eq!(desk.patches().len(), 1, "nothing is asked for that is not noted");
    let rows = desk.push().await;
    assert_eq!(told(&rows).matches("written: ").count(), 2);
}

#[tokio::test]
async fn what_was_written_but_cannot_be_noted_is_looked_at_the_next_time() {
    let (desk, rows) = pushed("BEFORE UPDATE OF outcome ON budget_push").await;
    insta::assert_snapshot!(rows, @r"
    Contoso Japan: - → 70000 JPY, failed: read back from Partner Center; that cannot be noted (WHY): push again, which looks at it first
    Contoso Nord: 4000 → 5000 SEK, failed: not asked: WHY
    Contoso Sud: 4000 → 5 SEK, failed: not asked: WHY
    ");
    let rows = desk.push().await;
    let first = told(&rows).lines().next().unwrap().to_owned();
    assert_eq!(
        first,
        "Contoso Japan: 70000 → 70000 JPY, written: an earlier push that was broken off had \
            written it"
    );
    assert_eq!(desk.patches().len(), 3);
}
