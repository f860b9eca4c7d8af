//! Reports that the tests tell of.

use budget_alertd::domain::{
    Backlog, BillingPeriod, BudgetLost, Coverage, CustomerId, DataQuality, EventCode, Every,
    Growth, Named, OpenAlerts, OverBudget, PeriodSource, RepeatedlyOver, Report, Spend, Sum, Top,
    Trust, Uncovered,
};

use super::samples::{currency, decimal, time};

fn named(name: &str) -> Named {
    Named {
        id: CustomerId::try_new(format!("id of {name}")).unwrap(),
        name: name.into(),
        has_namesake: false,
    }
}

fn over(name: &str, cost: &str, budget: &str, code: &str, percent: Option<&str>) -> OverBudget {
    OverBudget {
        customer: named(name),
        cost: decimal(cost),
        budget: decimal(budget),
        currency: currency(code),
        percent: percent.map(decimal),
        usd_over: None,
        billing_period: BillingPeriod::calendar_month(
            time("2026-11-14T17:08:00Z"),
            PeriodSource::CalendarMonth,
        ),
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
            silences: 0,
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
        security: None,
        record: String::new(),
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
            silences: 0,
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
                has_namesake: false,
            }],
            ..Top::default()
        },
        data: DataQuality {
            missing: 2,
            skipped: 1,
            currency_unknown: 61,
            costs_fell: 1,
            percents_disagree: 0,
        },
        ..quiet()
    }
}
