//! The regular report: one glance for people, everything for programs.

use budget_alertd::domain::{
    Backlog, BillingPeriod, BudgetLost, Coverage, CustomerId, DataQuality, EventCode, Every, Growth, Message, Named, OpenAlerts,
    OverBudget, PeriodSource, RepeatedlyOver, Report, Spend, Sum, Top, Trust, Uncovered,
};

use super::mail::read;
use super::receivers::{Answer, Http};
use super::samples::{channel, currency, decimal, delivery, time, webhook_config};
use super::slack::{payload, shown};

fn named(name: &str) -> Named {
    Named { id: CustomerId::try_new(format!("id of {name}")).unwrap(), name: name.into() }
}

fn over(name: &str, cost: &str, budget: &str, code: &str, percent: Option<&str>) -> OverBudget {
    OverBudget {
        customer: named(name),
        cost: decimal(cost),
        budget: decimal(budget),
        currency: currency(code),
        percent: percent.map(decimal),
        usd_over: None,
        billing_period: BillingPeriod::calendar_month(time("2026-11-14T17:08:00Z"), PeriodSource::CalendarMonth),
    }
}

fn sum(code: &str, customers: u64, amount: &str) -> Sum {
    Sum { currency: currency(code), customers, amount: Some(decimal(amount)) }
}

/// A report on a day on which nothing happened.
pub(super) fn quiet() -> Report {
    Report {
        every: Every::Day,
        at: time("2026-11-20T07:00:04Z"),
        since: time("2026-11-19T07:00:00Z"),
        trust: Trust {
            customers: 2_500,
            stale: 0,
            last_good_poll: Some(time("2026-11-20T06:41:20Z")),
            last_poll_good: true,
            newest_data: Some(time("2026-11-20T02:10:00Z")),
            failing_notifiers: Vec::new(),
            trouble: Vec::new(),
        },
        alerts: OpenAlerts::default(),
        deliveries: Backlog::default(),
        coverage: Coverage::default(),
        over_budget: Top::default(),
        growth: Top::default(),
        unbudgeted: Top::default(),
        repeatedly_over: Top::default(),
        budgets_lost: Top::default(),
        data: DataQuality::default(),
    }
}

/// One on a day on which everything did.
pub(super) fn eventful() -> Report {
    let growth = |name: &str, by: &str, from: Option<&str>, cost: &str, code: &str| Growth {
        customer: named(name),
        by: decimal(by),
        from: from.map(decimal),
        cost: decimal(cost),
        currency: currency(code),
        usd: None,
    };
    let spend = |name: &str, cost: &str, code: &str, usd: Option<&str>| Spend {
        customer: named(name),
        cost: decimal(cost),
        currency: currency(code),
        usd: usd.map(decimal),
    };
    Report {
        trust: Trust {
            stale: 3,
            last_poll_good: false,
            failing_notifiers: vec!["ops-slack".into()],
            trouble: vec!["the sign-in is 76 of its 90 days old".into()],
            ..quiet().trust
        },
        alerts: OpenAlerts { critical: 2, critical_unacknowledged: 1, warning: 11, info: 0 },
        deliveries: Backlog { owed: 4, oldest: Some(time("2026-11-20T05:30:00Z")), dead: 1 },
        coverage: Coverage {
            never: 388,
            reasons: vec![
                Uncovered { reason: "no-budget".into(), customers: 301 },
                Uncovered { reason: "currency-unknown".into(), customers: 61 },
                Uncovered { reason: "muted".into(), customers: 26 },
            ],
        },
        over_budget: Top {
            total: 14,
            items: vec![
                over("Contoso Nord", "45000.25", "5000", "SEK", Some("900.01")),
                over("Fabrikam Maschinenbau GmbH", "1838.4", "1500", "EUR", Some("122.56")),
                over("Trey Research (offboarded)", "981", "0", "SEK", None),
            ],
            sums: vec![sum("SEK", 11, "52300"), sum("EUR", 3, "1200")],
            usd: Some(decimal("5120.4")),
        },
        growth: Top {
            total: 2,
            items: vec![
                growth("Contoso Nord", "44400", Some("600"), "45000.25", "SEK"),
                growth("Wingtip Airlines", "812", None, "812", "USD"),
            ],
            sums: vec![sum("SEK", 1, "44400"), sum("USD", 1, "812")],
            usd: Some(decimal("5451.8")),
        },
        unbudgeted: Top {
            total: 1,
            items: vec![spend("School of Fine Art", "2082", "EUR", Some("2419"))],
            sums: vec![sum("EUR", 1, "2082")],
            usd: Some(decimal("2419")),
        },
        repeatedly_over: Top {
            total: 1,
            items: vec![RepeatedlyOver {
                customer: named("Adventure Works Cykel AB"),
                costs: ["12000", "12400", "8100"].map(decimal).to_vec(),
                budget: decimal("5000"),
                suggested: decimal("14000"),
                currency: currency("SEK"),
            }],
            ..Top::default()
        },
        budgets_lost: Top {
            total: 1,
            items: vec![BudgetLost {
                id: "x".into(),
                name: "Litware Health".into(),
                at: time("2026-11-19T20:10:00Z"),
                code: EventCode::BudgetRemoved,
                detail: "the budget of 2200 GBP is gone".into(),
            }],
            ..Top::default()
        },
        data: DataQuality { missing: 2, skipped: 1, currency_unknown: 61, costs_fell: 1, percents_disagree: 0 },
        ..quiet()
    }
}

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
    assert_eq!(
        read(message(eventful())).await,
        r#"Daily budget report Fri 20 Nov: needs attention, 14 over budget (about 5,120 USD), 1 critical not acknowledged

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
  Litware Health: the budget of 2200 GBP is gone · Thu 19 Nov 21:10 CET"#
    );
}

#[tokio::test]
async fn a_chat_shows_the_first_of_each_list() {
    let text = shown(&payload(message(eventful())).await);
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with(['[', '•'])).collect();
    assert_eq!(
        lines,
        [
            "[section] 🔴 *Daily budget report Fri 20 Nov: needs attention, 14 over budget (about 5,120 USD), 1 critical not acknowledged*",
            "[section] *Over budget* 14 customers, 52,300 SEK · 1,200 EUR (about 5,120 USD) over",
            "• Contoso Nord *900 %* — 45,000.25 of 5,000 SEK, 40,000.25 over",
            "• Fabrikam Maschinenbau G… *123 %* — 1,838.40 of 1,500 EUR, 338.40 over",
            "• Trey Research (offboard… — 981 of 0 SEK, 981 over",
            "[section] *Top growth* 44,400 SEK · 812 USD (about 5,452 USD) since Thu 19 Nov 08:00 CET",
            "• Contoso Nord *+44,400 SEK* — 600 → 45,000.25 SEK",
            "• Wingtip Airlines *+812 USD* — 812 USD, all of it in this billing period",
            "[section] *No budget* 1 customer, 2,082 EUR (about 2,419 USD)",
            "• School of Fine Art *2,082 EUR* — about 2,419 USD",
            "[section] *Over three periods in a row* 1 customer: a budget that is too small, or a cost that is too high",
            "• Adventure Works Cykel AB *try 14,000 SEK* — 12,000, 12,400, 8,100 of 5,000 SEK",
            "[section] *Budgets cut or removed* 1 since Thu 19 Nov 08:00 CET",
            "• Litware Health — the budget of 2200 GBP is gone · Thu 19 Nov 21:10 CET",
            "[context] Owed: 4 deliveries, the oldest since Fri 20 Nov 06:30 CET",
        ]
    );
    assert_eq!(shown(&payload(message(quiet())).await).lines().next().unwrap(), "🟢 Daily budget report Fri 20 Nov: all quiet");
}

#[tokio::test]
async fn without_a_good_poll_nothing_is_claimed() {
    let trust = Trust { last_good_poll: None, last_poll_good: false, newest_data: None, customers: 0, ..quiet().trust };
    let text = read(message(Report { trust, ..quiet() })).await;
    assert!(text.contains("\n\nNo poll has been good yet: nothing below can be trusted.\n") && !text.contains("all quiet"), "{text}");
}

#[tokio::test]
async fn a_webhook_gets_all_of_it() {
    let hook = Http::answering(Answer::with(204, "", "")).await;
    channel(&webhook_config(&hook.url)).attempt(&delivery(message(eventful()))).await.unwrap();
    let body = hook.requests().remove(0).json();
    assert_eq!(body["type"], "operator.report");
    let report = &body["data"]["report"];
    assert_eq!(report["over_budget"]["items"][0]["cost"], "45000.25");
    assert_eq!(report["over_budget"]["sums"][1], serde_json::json!({ "currency": "EUR", "customers": 3, "amount": "1200" }));
    assert_eq!(report["trust"]["failing_notifiers"][0], "ops-slack");
    let back: Report = serde_json::from_value(report.clone()).unwrap();
    assert_eq!(back, eventful(), "what was recorded is what is sent");
}
