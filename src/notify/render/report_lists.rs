//! The lists of a report: one for each question, the worst first, a line for each customer.

use jiff::tz::TimeZone;

use crate::domain::{BudgetLost, Growth, OverBudget, RepeatedlyOver, Report, Spend, Top, rounded};
use crate::notify::render::amounts::{amount, estimate, money, percent};
use crate::notify::render::report::{Line, Section, count, more, name, since, sums};
use crate::notify::render::times::PeriodWords;
use crate::notify::render::{clean, moment};

/// The lists that have anything in them.
pub(super) fn sections(report: &Report, zone: &TimeZone) -> Vec<Section> {
    let status = "budget-alertd status --all";
    let over = |one: &OverBudget| over_budget(one, report);
    let lost = |one: &BudgetLost| budget_lost(one, report, zone);
    let all = [
        section("Over budget", &report.over_budget, |top| format!("{}, {} over", count(top.total, "customer"), sums(top)), over, status),
        section("Top growth", &report.growth, |top| format!("{} since {}", sums(top), since(report, zone)), growth, status),
        section(
            "No budget",
            &report.unbudgeted,
            |top| format!("{}, {}", count(top.total, "customer"), sums(top)),
            spend,
            "budget-alertd coverage",
        ),
        section(
            "Over three periods in a row",
            &report.repeatedly_over,
            |top| format!("{}: a budget that is too small, or a cost that is too high", count(top.total, "customer")),
            repeatedly,
            status,
        ),
        section(
            "Budgets cut or removed",
            &report.budgets_lost,
            |top| format!("{} since {}", top.total, since(report, zone)),
            lost,
            "budget-alertd status",
        ),
    ];
    all.into_iter().flatten().collect()
}

fn section<T>(
    title: &'static str,
    top: &Top<T>,
    summary: impl Fn(&Top<T>) -> String,
    line: impl Fn(&T) -> Line,
    command: &str,
) -> Option<Section> {
    (top.total > 0).then(|| Section {
        title,
        summary: summary(top),
        lines: top.items.iter().map(line).collect(),
        more: more(top.total, top.items.len(), command),
    })
}

/// `45,000 of 5,000 SEK, 40,000 over` and `900 %`; the period where it is not the month that everybody is in.
fn over_budget(one: &OverBudget, report: &Report) -> Line {
    let over = one.cost.saturating_sub(one.budget);
    let is_over = one.billing_period.end <= report.at;
    let period = if is_over { format!(", {}", PeriodWords::of(&one.billing_period, report.at).short) } else { String::new() };
    Line {
        name: name(&one.customer.name, one.customer.id.as_str()),
        detail: format!("{} of {}, {} over{period}", amount(one.cost), money(one.budget, one.currency), amount(over)),
        badge: one.percent.map(|value| percent(rounded(value, 0))).unwrap_or_default(),
    }
}

/// `600 → 45,000 SEK` and `+44,400 SEK`.
fn growth(one: &Growth) -> Line {
    let cost = money(one.cost, one.currency);
    Line {
        name: name(&one.customer.name, one.customer.id.as_str()),
        detail: one.from.map_or_else(|| format!("{cost}, all of it in this billing period"), |from| format!("{} → {cost}", amount(from))),
        badge: format!("+{}", money(one.by, one.currency)),
    }
}

fn spend(one: &Spend) -> Line {
    let in_usd = one.usd.filter(|_| one.currency.is_none_or(|currency| currency.as_str() != "USD"));
    Line {
        name: name(&one.customer.name, one.customer.id.as_str()),
        detail: in_usd.map(|usd| format!("about {} USD", estimate(usd))).unwrap_or_default(),
        badge: money(one.cost, one.currency),
    }
}

/// `12,000, 12,400, 8,100 of 5,000 SEK` and `try 14,000 SEK`.
fn repeatedly(one: &RepeatedlyOver) -> Line {
    let costs: Vec<String> = one.costs.iter().map(|cost| amount(*cost)).collect();
    Line {
        name: name(&one.customer.name, one.customer.id.as_str()),
        detail: format!("{} of {}", costs.join(", "), money(one.budget, one.currency)),
        badge: format!("try {}", money(one.suggested, one.currency)),
    }
}

fn budget_lost(one: &BudgetLost, report: &Report, zone: &TimeZone) -> Line {
    Line {
        name: name(&one.name, &one.id),
        detail: format!("{} · {}", clean(&one.detail, 200), moment(one.at, report.at, zone)),
        badge: String::new(),
    }
}
