//! The regular report: one glance for people, everything for programs.

use budget_alertd::domain::{Message, Report, Trust};

use super::mail::read;
use super::receivers::{Answer, Http};
use super::reports::{eventful, quiet};
use super::samples::{channel, delivery, webhook_config};
use super::slack::{payload, shown};

fn message(report: Report) -> Message {
    Message::Report(Box::new(report))
}

#[tokio::test]
async fn a_quiet_day_is_two_lines_that_say_so() {
    assert_eq!(
        read(message(quiet())).await,
        "Daily budget report Fri 20 Nov: all quiet

2,500 customers read Fri 20 Nov 07:41 CET; the newest data is of Fri 20 Nov 03:10 CET (4 h 50 min old).
No alert is open. Nobody is over budget."
    );
}

#[tokio::test]
async fn an_eventful_one_begins_with_whether_it_can_be_trusted() {
    insta::assert_snapshot!(read(message(eventful())).await, @r#"
    Daily budget report Fri 20 Nov: needs attention, 14 over budget (about 5,120 USD), 1 critical not acknowledged

    2,500 customers read Fri 20 Nov 07:41 CET; the newest data is of Fri 20 Nov 03:10 CET (4 h 50 min old). 3 customers had nothing new for three days.
    Open alerts: 2 critical (1 not acknowledged), 11 warnings.
    ! The last poll failed.
    ! Notifier "ops-slack" takes no messages.
    ! 1 delivery was given up: run budget-alertd deliveries --state dead.
    ! The sign-in is 76 of its 90 days old.

    Owed      4 deliveries, the oldest since Fri 20 Nov 06:30 CET
    Coverage  388 customers can never alert: 301 no budget, 61 currency unknown, 26 muted; see budget-alertd coverage
    Data      2 without a record, 1 unusable, 61 of unknown currency, 1 with a cost that fell

    Over budget: 14 customers, 52,300 SEK · 1,200 EUR (about 5,120 USD) over
      Contoso Nord 900 %: 45,000.25 of 5,000 SEK, 40,000.25 over
      Fabrikam Maschinenbau GmbH 123 %: 1,838.40 of 1,500 EUR, 338.40 over
      Trey Research (offboarded): 981 of 0 SEK, 981 over
      and 11 more; see budget-alertd status --all

    Top growth: 44,400 SEK · 812 USD (about 5,452 USD) since Thu 19 Nov 08:00 CET
      Contoso Nord +44,400 SEK: 600 → 45,000.25 SEK
      Wingtip Airlines +812 USD: 812 USD, all of it in this billing period

    No budget: 1 customer, 2,082 EUR (about 2,419 USD)
      School of Fine Art 2,082 EUR: about 2,419 USD

    Over three periods in a row: 1 customer: a budget that is too small, or a cost that is too high
      Adventure Works Cykel AB try 14,000 SEK: 12,000, 12,400, 8,100 of 5,000 SEK

    Budgets cut or removed: 1 since Thu 19 Nov 08:00 CET
      Litware Health: the budget of 2200 GBP is gone · Thu 19 Nov 21:10 CET
    "#);
}

#[tokio::test]
async fn a_chat_shows_the_first_of_each_list() {
    let text = shown(&payload(message(eventful())).await);
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with(['[', '•'])).collect();
    assert_eq!(
        lines,
        [
            "[section] 🔴 *Daily budget report Fri 20 Nov: needs attention, 14 over budget (about \
                5,120 USD), 1 critical not acknowledged*",
            "[section] *Over budget* 14 customers, 52,300 SEK · 1,200 EUR (about 5,120 USD) over",
            "• Contoso Nord *900 %* — 45,000.25 of 5,000 SEK, 40,000.25 over",
            "• Fabrikam Maschinenbau G… *123 %* — 1,838.40 of 1,500 EUR, 338.40 over",
            "• Trey Research (offboard… — 981 of 0 SEK, 981 over",
            "[section] *Top growth* 44,400 SEK · 812 USD (about 5,452 USD) since Thu 19 Nov 08:00 \
                CET",
            "• Contoso Nord *+44,400 SEK* — 600 → 45,000.25 SEK",
            "• Wingtip Airlines *+812 USD* — 812 USD, all of it in this billing period",
            "[section] *No budget* 1 customer, 2,082 EUR (about 2,419 USD)",
            "• School of Fine Art *2,082 EUR* — about 2,419 USD",
            "[section] *Over three periods in a row* 1 customer: a budget that is too small, or a \
                cost that is too high",
            "• Adventure Works Cykel AB *try 14,000 SEK* — 12,000, 12,400, 8,100 of 5,000 SEK",
            "[section] *Budgets cut or removed* 1 since Thu 19 Nov 08:00 CET",
            "• Litware Health — the budget of 2200 GBP is gone · Thu 19 Nov 21:10 CET",
            "[context] Owed: 4 deliveries, the oldest since Fri 20 Nov 06:30 CET",
        ]
    );
    assert_eq!(
        shown(&payload(message(quiet())).await).lines().next().unwrap(),
        "🟢 Daily budget report Fri 20 Nov: all quiet"
    );
}

#[tokio::test]
async fn without_a_good_poll_nothing_is_claimed() {
    let trust = Trust {
        last_good_poll: None,
        last_poll_good: false,
        newest_data: None,
        customers: 0,
        ..quiet().trust
    };
    let text = read(message(Report { trust, ..quiet() })).await;
    assert!(
        text.contains("\n\nNo poll has been good yet: nothing below can be trusted.\n")
            && !text.contains("all quiet"),
        "{text}"
    );
}

#[tokio::test]
async fn the_head_of_what_is_recorded_is_a_row() {
    let text = read(message(Report { record: "0123456789abcdef0123".into(), ..quiet() })).await;
    assert!(text.ends_with("\nRecord    0123456789abcdef"), "{text}");
    assert!(!read(message(quiet())).await.contains("Record"));
}

#[tokio::test]
async fn a_webhook_gets_all_of_it() {
    let hook = Http::answering(Answer::with(204, "", "")).await;
    channel(&webhook_config(&hook.url)).attempt(&delivery(message(eventful()))).await.unwrap();
    let body = hook.requests().remove(0).json();
    assert_eq!(body["type"], "operator.report");
    let report = &body["data"]["report"];
    assert_eq!(report["over_budget"]["items"][0]["cost"], "45000.25");
    assert_eq!(
        report["over_budget"]["sums"][1],
        serde_json::json!({ "currency": "EUR", "customers": 3, "amount": "1200" })
    );
    assert_eq!(report["trust"]["failing_notifiers"][0], "ops-slack");
    let back: Report = serde_json::from_value(report.clone()).unwrap();
    assert_eq!(back, eventful(), "what was recorded is what is sent");
}
