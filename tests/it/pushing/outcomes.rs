//! What becomes of each budget, under a clock that waits for nobody.

use std::time::Duration;

use budget_alertd::actions::{ActionError, Author, PushRequest};
use budget_alertd::domain::PushOutcome;
use budget_alertd::ledger::Reader;
use budget_alertd::simulator::{Answer, Endpoint, Fault, Request, SimBudget, SimCustomer};
use rust_decimal::Decimal;

use super::{Desk, JAPAN, NORD, NOW, local, nord, told};

const WRITTEN: &str = "Contoso Nord: 4000 → 5000 SEK, written: read back from Partner Center";

/// What is said of a change of which there is no record.
const NOBODY: &str = "; changed there, who is unknown: the audit records since 2026-11-09 do not \
                      tell, or not yet";

/// The true answer.
fn sound() -> Fault {
    Fault::Slow(Duration::ZERO)
}

fn error(status: u16) -> Fault {
    Fault::Answer(Answer::error(status, "3000", "Invalid property."))
}

#[tokio::test]
async fn a_budget_is_written_exactly_and_once() {
    let desk = Desk::of_nord().await;
    let plan = desk.plan(None).await;
    assert_eq!(told(&plan), "Contoso Nord: 4000 → 5000 SEK, planned: would be written");
    assert!(desk.patches().is_empty(), "a plan changes nothing");
    let rows = desk.write(&plan, None).await;
    assert_eq!(told(&rows), WRITTEN);
    let [patch] = desk.patches().try_into().unwrap();
    assert_eq!(patch.path, format!("/v1/customers/{NORD}/usagebudget"));
    assert_eq!(patch.text(), r#"{"Amount":5000.00,"Attributes":{"ObjectType":"SpendingBudget"}}"#);
    assert_eq!(patch.header("Content-Type"), Some("application/json"));
    let id = rows[0].ms_request_id.unwrap().to_string();
    assert_eq!(patch.header("MS-RequestId"), Some(&*id));
    assert_ne!(patch.header("MS-CorrelationId"), Some(&*id));

    let rows = desk.plan(None).await;
    assert_eq!(
        told(&rows),
        "Contoso Nord: 5000.00 → 5000 SEK, same: Partner Center has it already"
    );
    assert_eq!(desk.center.budget_changes().len(), 1);
    let config = desk.world.config().ledger;
    let mut events = Vec::new();
    let reader = Reader::open(&config).unwrap();
    reader
        .each_event(|event| {
            if event.about == "budgets" {
                events.push(event.content);
            }
        })
        .unwrap();
    let event: serde_json::Value = serde_json::from_str(&events[0]).unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(
        event,
        serde_json::json!({
            "order": "budgets push", "by": "root (uid 0)", "customer": NORD, "from": "4000",
            "to": "5000.00", "currency": "SEK", "outcome": "written",
            "words": "read back from Partner Center", "ms_request_id": id
        })
    );
    let outcomes: Vec<_> =
        reader.budget_pushes().unwrap().iter().map(|push| push.outcome).collect();
    assert_eq!(outcomes, [Some(PushOutcome::Written)]);
    assert_eq!(reader.prove().unwrap().changed, None);
}

#[tokio::test]
async fn what_may_not_be_written_is_skipped_with_words() {
    let ids: Vec<String> =
        (1..=7).map(|n| format!("11111111-0000-4000-8000-00000000000{n}")).collect();
    let at = NOW.parse().unwrap();
    let customer = |n: usize, name: &str, currency: &str| {
        SimCustomer::azure_plan(&ids[n], name, currency, at).with_budget(4000.into())
    };
    let legacy = SimCustomer::legacy(&ids[1], "B legacy", "fr-FR", 5, at);
    let customers = vec![
        customer(0, "A euro", "EUR"),
        legacy,
        customer(2, "C digits", "SEK"),
        customer(3, "D high", "SEK"),
        customer(4, "E unreadable", "SEK"),
        customer(5, "F zero", "SEK"),
        SimCustomer::azure_plan(JAPAN, "G yen", "JPY", at),
    ];
    let budgets = [
        local(&ids[0], "5000", "SEK"),
        local(&ids[1], "5000", "SEK"),
        local(&ids[2], "5000.125", "SEK"),
        local(&ids[3], "40000.01", "SEK"),
        local(&ids[4], "5000", "SEK"),
        local(&ids[5], "0", "SEK"),
        local(JAPAN, "5000.5", "JPY"),
        format!("{}label = \"H unseen\"\n", local(&ids[6], "5000", "SEK")),
    ];
    let desk = Desk::new(customers, &budgets.concat()).await;
    desk.center.set_spending_budget(&ids[4], SimBudget::Malformed);
    let plan = desk.plan(None).await;
    insta::assert_snapshot!(told(&plan), @r"
    A euro: - → 5000 SEK, skipped: its usage is in EUR, the budget in SEK
    B legacy: - → 5000 SEK, skipped: the currency of its usage is not known
    C digits: - → 5000.125 SEK, skipped: amounts in SEK have 2 decimals at most
    D high: 4000 → 40000.01 SEK, skipped: more than 10 times what Partner Center has (4,000): if it is meant, name the customer with --customer
    E unreadable: - → 5000 SEK, skipped: what Partner Center has cannot be read, and is left alone
    F zero: - → 0 SEK, skipped: only amounts above 0 are written
    G yen: - → 5000.5 JPY, skipped: amounts in JPY are whole numbers
    H unseen: - → 5000 SEK, skipped: no usage of this customer was ever read
    ");
    assert!(plan.iter().all(|row| row.outcome == Some(PushOutcome::Skipped)));
    // Named, a budget may be as high as it is.
    let plan = desk.plan(Some("d high")).await;
    assert_eq!(told(&plan), "D high: 4000 → 40000.01 SEK, planned: would be written");
    let rows = desk.write(&plan, Some("d high")).await;
    assert_eq!(rows[0].outcome, Some(PushOutcome::Written));
    assert_eq!(desk.center.budget_changes()[0].amount, Some("40000.01".parse().unwrap()));
    assert_eq!(desk.patches().len(), 1);
}

#[tokio::test]
async fn a_budget_far_above_the_mean_of_whole_months_needs_its_customer_named() {
    let desk = Desk::new(
        vec![SimCustomer::azure_plan(NORD, "Contoso Nord", "SEK", NOW.parse().unwrap())],
        &local(NORD, "2001", "SEK"),
    )
    .await;
    let months =
        [("2026-11-30T20:00:00Z", 120), ("2026-12-31T20:00:00Z", 80), ("2027-01-05T00:00:00Z", 9)];
    for (at, cost) in months {
        let customer = SimCustomer::azure_plan(NORD, "Contoso Nord", "SEK", at.parse().unwrap());
        desk.center.set_customers(vec![customer.with_cost(cost.into())]);
        assert!(desk.world.poll_source(at).await.good);
    }
    assert_eq!(
        told(&desk.plan(None).await),
        "Contoso Nord: - → 2001 SEK, skipped: more than 20 times its mean month (100): if it is \
            meant, name the customer with --customer"
    );
    assert_eq!(desk.plan(Some(NORD)).await[0].outcome, None);
}

#[tokio::test]
async fn no_budget_and_null_are_written_over_and_digits_follow_the_currency() {
    let japan = SimCustomer::azure_plan(JAPAN, "Contoso Japan", "JPY", NOW.parse().unwrap());
    let budgets = local(NORD, "5000.5", "SEK") + &local(JAPAN, "70000", "JPY");
    let desk = Desk::new(vec![nord(), japan], &budgets).await;
    desk.center.set_spending_budget(NORD, SimBudget::Null);
    let rows = desk.push().await;
    assert_eq!(
        told(&rows),
        format!(
            "Contoso Japan: - → 70000 JPY, written: read back from Partner Center\nContoso Nord: \
                - → 5000.5 SEK, written: read back from Partner Center{NOBODY}"
        )
    );
    let sent: Vec<String> = desk.patches().iter().map(Request::text).collect();
    assert!(sent[0].starts_with(r#"{"Amount":70000,"#), "{sent:?}");
    assert!(sent[1].starts_with(r#"{"Amount":5000.50,"#), "{sent:?}");
}

#[tokio::test]
async fn each_budget_is_compared_with_the_currency_of_its_own_customers_usage() {
    let at = NOW.parse().unwrap();
    let ids: Vec<String> =
        (1..=4).map(|n| format!("11111111-0000-4000-8000-00000000000{n}")).collect();
    let customers = ["SEK", "EUR", "JPY", "EUR"].iter().zip(&ids).map(|(currency, id)| {
        SimCustomer::azure_plan(id, &format!("{currency} {}", &id[35..]), currency, at)
    });
    let budgets = [
        local(&ids[0], "5000", "SEK"),
        local(&ids[1], "500", "EUR"),
        local(&ids[2], "70000", "JPY"),
        local(&ids[3], "5000", "SEK"),
    ];
    let desk = Desk::new(customers.collect(), &budgets.concat()).await;
    insta::assert_snapshot!(told(&desk.plan(None).await), @r"
    EUR 2: - → 500 EUR, planned: would be written
    EUR 4: - → 5000 SEK, skipped: its usage is in EUR, the budget in SEK
    JPY 3: - → 70000 JPY, planned: would be written
    SEK 1: - → 5000 SEK, planned: would be written
    ");
    insta::assert_snapshot!(told(&desk.push().await), @r"
    EUR 2: - → 500 EUR, written: read back from Partner Center
    JPY 3: - → 70000 JPY, written: read back from Partner Center
    SEK 1: - → 5000 SEK, written: read back from Partner Center
    ");
    let mut sent: Vec<String> = desk.patches().iter().map(Request::text).collect();
    for body in &mut sent {
        body.truncate(body.find(',').unwrap());
    }
    assert_eq!(sent, ["{\"Amount\":500.00", "{\"Amount\":70000", "{\"Amount\":5000.00"]);
}

#[tokio::test]
async fn what_somebody_else_changed_meanwhile_is_left_alone() {
    let desk = Desk::of_nord().await;
    let plan = desk.plan(None).await;
    for (now, outcome) in [
        (
            SimBudget::Amount(4500.into()),
            "skipped: changed meanwhile: Partner Center has 4,500 now",
        ),
        (SimBudget::Absent, "skipped: changed meanwhile: Partner Center has no budget now"),
        (SimBudget::Amount(Decimal::new(500_000, 2)), "same: Partner Center has it already"),
        (
            SimBudget::Malformed,
            "skipped: what Partner Center has cannot be read, and is left alone",
        ),
    ] {
        desk.center.set_spending_budget(NORD, now);
        let rows = desk.write(&plan, None).await;
        let who = if outcome.contains("meanwhile") { NOBODY } else { "" };
        assert_eq!(told(&rows), format!("Contoso Nord: 4000 → 5000 SEK, {outcome}{who}"));
    }
    assert!(desk.patches().is_empty());
    // Nor is written what is no longer wanted here.
    let mut changed = plan;
    changed[0].to = 6000.into();
    let confirmed = Some(vec![changed[0].confirmed()]);
    let refused =
        desk.ask(&Author::of(0), PushRequest { customer: None, confirmed }).await.unwrap_err();
    assert!(refused.to_string().contains("have changed since they were shown"), "{refused}");
    assert!(desk.patches().is_empty());
}

#[tokio::test]
async fn what_is_refused_is_not_asked_for_again() {
    for status in [400, 403, 404, 422] {
        let desk = Desk::of_nord().await;
        desk.center.fail(Endpoint::BudgetChange, error(status));
        let rows = desk.push().await;
        assert_eq!(rows[0].outcome, Some(PushOutcome::Refused), "{status}");
        assert!(rows[0].words.contains("Invalid property. (3000)"), "{}", rows[0].words);
        assert_eq!(desk.patches().len(), 1, "{status}");
    }
    let desk = Desk::of_nord().await;
    desk.center.set_spending_budget(NORD, SimBudget::Denied);
    let rows = desk.plan(None).await;
    assert_eq!(
        told(&rows),
        "Contoso Nord: - → 5000 SEK, refused: Partner Center denies access (403): There is no \
            relationship with this customer. (900159)"
    );
}

#[tokio::test]
async fn a_change_that_was_made_without_an_answer_is_not_made_again() {
    for fault in [Fault::Reset, Fault::Cut { after: 5 }] {
        let desk = Desk::of_nord().await;
        desk.center.fail_once(Endpoint::BudgetChange, fault);
        assert_eq!(told(&desk.push().await), WRITTEN);
        assert_eq!(desk.patches().len(), 1);
    }
}

#[tokio::test]
async fn a_change_that_failed_is_tried_again_under_the_same_request_id() {
    for status in [409, 500, 503] {
        let desk = Desk::of_nord().await;
        desk.center.fail_once(Endpoint::BudgetChange, error(status));
        let rows = desk.push().await;
        assert_eq!(told(&rows), WRITTEN, "{status}");
        let id = rows[0].ms_request_id.unwrap().to_string();
        assert_eq!(desk.request_ids(), [id.clone(), id], "{status}");
        let correlation =
            |index: usize| desk.patches()[index].header("MS-CorrelationId").map(str::to_owned);
        assert_ne!(correlation(0), correlation(1));
    }
    let desk = Desk::of_nord().await;
    desk.center.fail(Endpoint::BudgetChange, error(503));
    assert_eq!(
        told(&desk.push().await),
        "Contoso Nord: 4000 → 5000 SEK, failed: it is not written after 3 tries: Partner Center \
            answered 503: Invalid property. (3000)"
    );
    assert_eq!(desk.patches().len(), 3);
}

#[tokio::test]
async fn only_the_reading_afterwards_says_what_was_written() {
    let desk = Desk::of_nord().await;
    // Success is answered, and nothing is changed.
    desk.center.fail(Endpoint::BudgetChange, Fault::status(200));
    assert_eq!(
        told(&desk.push().await),
        "Contoso Nord: 4000 → 5000 SEK, failed: written, but read back as 4,000"
    );
    // A failure is answered, and somebody else has changed it.
    let desk = Desk::of_nord().await;
    desk.center.fail_once(Endpoint::BudgetChange, error(500));
    for fault in [sound(), sound(), Fault::Answer(Answer::json(200, r#"{"amount":1}"#))] {
        desk.center.fail_once(Endpoint::Budget, fault);
    }
    assert_eq!(
        told(&desk.push().await),
        format!(
            "Contoso Nord: 4000 → 5000 SEK, skipped: changed meanwhile: Partner Center has 1 \
                now{NOBODY}"
        )
    );
    assert_eq!(desk.patches().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_read_back_is_looked_at_first_the_next_time() {
    let desk = Desk::of_nord().await;
    for fault in [sound(), sound(), Fault::Answer(Answer::json(200, "<html>"))] {
        desk.center.fail_once(Endpoint::Budget, fault);
    }
    let first = desk.push().await;
    assert_eq!(
        told(&first),
        "Contoso Nord: 4000 → 5000 SEK, failed: it may be written, but cannot be read back (the \
            answer is unreadable): push again, which looks at it first"
    );
    let plan = desk.plan(None).await;
    assert_eq!(
        told(&plan),
        "Contoso Nord: 5000.00 → 5000 SEK, planned: an earlier push was broken off: it is looked \
            at first"
    );
    let rows = desk.write(&plan, None).await;
    assert_eq!(
        told(&rows),
        "Contoso Nord: 5000.00 → 5000 SEK, written: an earlier push that was broken off had \
            written it"
    );
    assert_eq!(rows[0].ms_request_id, first[0].ms_request_id);
    assert_eq!(desk.patches().len(), 1);
}

#[tokio::test]
async fn a_change_that_was_broken_off_goes_on_within_the_hour_only() {
    for (later, outcome, patches) in [
        (Duration::from_mins(59), "written: read back from Partner Center", 2),
        (
            Duration::from_mins(61),
            "skipped: an earlier push was broken off more than an hour ago and has written \
                nothing: order it again",
            1,
        ),
    ] {
        let desk = Desk::of_nord().await;
        for fault in [sound(), sound(), Fault::Answer(Answer::json(200, "<html>"))] {
            desk.center.fail_once(Endpoint::Budget, fault);
        }
        desk.push().await;
        desk.center.set_spending_budget(NORD, SimBudget::Amount(4000.into()));
        desk.world.clock.advance(later);
        assert_eq!(told(&desk.push().await), format!("Contoso Nord: 4000 → 5000 SEK, {outcome}"));
        let ids = desk.request_ids();
        assert_eq!(ids.len(), patches);
        assert!(ids.iter().all(|id| *id == ids[0]));
    }
    // What somebody else has made of it meanwhile stays.
    let desk = Desk::of_nord().await;
    for fault in [sound(), sound(), Fault::Answer(Answer::json(200, "<html>"))] {
        desk.center.fail_once(Endpoint::Budget, fault);
    }
    desk.push().await;
    desk.center.set_spending_budget(NORD, SimBudget::Amount(4200.into()));
    assert_eq!(
        told(&desk.push().await),
        format!(
            "Contoso Nord: 4200 → 5000 SEK, skipped: changed meanwhile: Partner Center has 4,200 \
                now{NOBODY}"
        )
    );
    assert_eq!(desk.patches().len(), 1);
}

#[tokio::test]
async fn a_wait_that_partner_center_asks_for_is_waited_for() {
    let desk = Desk::of_nord().await;
    desk.center.fail_once(Endpoint::BudgetChange, Fault::Answer(Answer::throttled(90)));
    desk.center.fail_once(Endpoint::Budget, Fault::Answer(Answer::throttled(60)));
    assert_eq!(told(&desk.push().await), WRITTEN);
    let patches = desk.patches();
    assert!(patches[1].at.duration_since(patches[0].at).as_secs() >= 90);
    assert_eq!(patches[0].header("MS-RequestId"), patches[1].header("MS-RequestId"));

    let japan = SimCustomer::azure_plan(JAPAN, "Contoso Japan", "JPY", NOW.parse().unwrap());
    let budgets = local(NORD, "5000", "SEK") + &local(JAPAN, "70000", "JPY");
    let desk = Desk::new(vec![nord(), japan], &budgets).await;
    desk.center.fail(Endpoint::BudgetChange, Fault::Answer(Answer::throttled(3600)));
    assert_eq!(
        told(&desk.push().await),
        "Contoso Japan: - → 70000 JPY, failed: Partner Center limits the rate of requests; it asks \
            to wait 3600 s\nContoso Nord: 4000 → 5000 SEK, skipped: not asked: Partner Center \
            limits the rate of requests; it asks to wait 3600 s"
    );
    assert_eq!(desk.patches().len(), 1);
}

#[tokio::test]
async fn changes_are_a_second_apart() {
    let japan = SimCustomer::azure_plan(JAPAN, "Contoso Japan", "JPY", NOW.parse().unwrap());
    let budgets = local(NORD, "5000", "SEK") + &local(JAPAN, "70000", "JPY");
    let desk = Desk::new(vec![nord(), japan], &budgets).await;
    desk.push().await;
    let patches = desk.patches();
    assert_eq!(patches[1].at.duration_since(patches[0].at).as_secs(), 1);
}

#[tokio::test]
async fn nobody_but_root_and_the_daemons_user_may_order_it() {
    let desk = Desk::of_nord().await;
    let plan = desk.plan(None).await;
    let before = desk.center.requests().len();
    for confirmed in [None, Some(vec![plan[0].confirmed()])] {
        let request = PushRequest { customer: None, confirmed };
        let refused = desk.ask(&Author::of(65_533), request).await.unwrap_err();
        assert!(matches!(refused, ActionError::Forbidden(_)), "{refused}");
        assert!(
            refused.to_string().contains("may not push budgets to Partner Center: root may"),
            "{refused}"
        );
    }
    assert_eq!(desk.center.requests().len(), before, "nothing is asked for them");
}
