//! The lists of a report: one for each question, the worst first, a line for each customer.

use std::collections::HashSet;

use jiff::tz::TimeZone;
use serde::Serialize;

use crate::domain::{
    BudgetLost, CustomerKey, Growth, Named, OverBudget, RepeatedlyOver, Report, Spend, Top, rounded,
};
use crate::notify::message::report_numbers::{count, grouped, sums};
use crate::text::amounts::{amount, estimate, money, percent};
use crate::text::names;
use crate::text::names::Name;
use crate::text::times::PeriodWords;
use crate::text::{clean, moment};

/// One list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Section {
    pub title: &'static str,
    /// What all of it comes to.
    pub summary: String,
    pub lines: Vec<Line>,
    /// That there are more.
    pub more: Option<String>,
}

/// One customer in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Line {
    pub name: String,
    /// The same, to be cut.
    #[serde(skip)]
    pub called: Name,
    pub detail: String,
    /// The number beside it.
    pub badge: String,
}

/// The lists that have anything in them.
pub(super) fn sections(report: &Report, zone: &TimeZone) -> Vec<Section> {
    let status = "budget-alertd status --all";
    let called = Called::of(report);
    let over = |one: &OverBudget| over_budget(one, &called, report);
    let growth = |one: &Growth| growth(one, &called);
    let spend = |one: &Spend| spend(one, &called);
    let repeatedly = |one: &RepeatedlyOver| repeatedly(one, &called);
    let lost = |one: &BudgetLost| budget_lost(one, &called, report, zone);
    let all = [
        section(
            "Over budget",
            &report.over_budget,
            |top| format!("{}, {} over", count(top.total, "customer"), sums(top)),
            over,
            status,
        ),
        section(
            "Top growth",
            &report.growth,
            |top| format!("{} since {}", sums(top), since(report, zone)),
            growth,
            status,
        ),
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
            |top| {
                format!(
                    "{}: a budget that is too small, or a cost that is too high",
                    count(top.total, "customer")
                )
            },
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

/// What the customers of a report are called, told apart wherever two of them read the same.
struct Called {
    alike: HashSet<CustomerKey>,
}

impl Called {
    fn of(report: &Report) -> Self {
        let over = report.over_budget.items.iter().map(|one| &one.customer);
        let growth = report.growth.items.iter().map(|one| &one.customer);
        let unbudgeted = report.unbudgeted.items.iter().map(|one| &one.customer);
        let repeatedly = report.repeatedly_over.items.iter().map(|one| &one.customer);
        let all = over
            .chain(growth)
            .chain(unbudgeted)
            .chain(repeatedly)
            .map(|one| (one.name.as_str(), one.id.as_str()));
        let all = all.chain(
            report.budgets_lost.items.iter().map(|one| (one.name.as_str(), one.id.as_str())),
        );
        Self {
            alike: names::alike(
                all.map(|(name, id)| (Name::among(&[name], id, false), CustomerKey::of(id))),
            ),
        }
    }

    fn line(&self, customer: &Named, detail: String, badge: String) -> Line {
        self.line_of((&customer.name, customer.id.as_str()), customer.has_namesake, detail, badge)
    }

    fn line_of(
        &self,
        (name, id): (&str, &str),
        has_namesake: bool,
        detail: String,
        badge: String,
    ) -> Line {
        let called =
            Name::among(&[name], id, has_namesake || self.alike.contains(&CustomerKey::of(id)));
        Line { name: called.whole(), called, detail, badge }
    }
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

/// `45,000 of 5,000 SEK, 40,000 over` and `900 %`; the period where it is not the month that
/// everybody is in.
fn over_budget(one: &OverBudget, called: &Called, report: &Report) -> Line {
    let over = one.cost.saturating_sub(one.budget);
    let is_over = one.billing_period.end <= report.at;
    let period = if is_over {
        format!(", {}", PeriodWords::of(&one.billing_period, report.at).short)
    } else {
        String::new()
    };
    let detail = format!(
        "{} of {}, {} over{period}",
        amount(one.cost),
        money(one.budget, one.currency),
        amount(over)
    );
    called.line(
        &one.customer,
        detail,
        one.percent.map(|value| percent(rounded(value, 0))).unwrap_or_default(),
    )
}

/// `600 → 45,000 SEK` and `+44,400 SEK`.
fn growth(one: &Growth, called: &Called) -> Line {
    let cost = money(one.cost, one.currency);
    let detail = one.from.map_or_else(
        || format!("{cost}, all of it in this billing period"),
        |from| format!("{} → {cost}", amount(from)),
    );
    called.line(&one.customer, detail, format!("+{}", money(one.by, one.currency)))
}

fn spend(one: &Spend, called: &Called) -> Line {
    let in_usd = one.usd.filter(|_| one.currency.is_none_or(|currency| currency.as_str() != "USD"));
    let detail = in_usd.map(|usd| format!("about {} USD", estimate(usd))).unwrap_or_default();
    called.line(&one.customer, detail, money(one.cost, one.currency))
}

/// `12,000, 12,400, 8,100 of 5,000 SEK` and `try 14,000 SEK`.
fn repeatedly(one: &RepeatedlyOver, called: &Called) -> Line {
    let costs: Vec<String> = one.costs.iter().map(|cost| amount(*cost)).collect();
    let detail = format!("{} of {}", costs.join(", "), money(one.budget, one.currency));
    called.line(&one.customer, detail, format!("try {}", money(one.suggested, one.currency)))
}

fn budget_lost(one: &BudgetLost, called: &Called, report: &Report, zone: &TimeZone) -> Line {
    let detail = format!("{} · {}", clean(&one.detail, 200), moment(one.at, report.at, zone));
    called.line_of((&one.name, &one.id), one.has_namesake, detail, String::new())
}

/// The rest of a list: `and 12 more; see budget-alertd status --all`.
fn more(total: u64, listed: usize, command: &str) -> Option<String> {
    let rest = total.saturating_sub(u64::try_from(listed).unwrap_or(u64::MAX));
    (rest > 0).then(|| format!("and {} more; see {command}", grouped(rest)))
}

/// Since when a report calls things new.
fn since(report: &Report, zone: &TimeZone) -> String {
    moment(report.since, report.at, zone)
}
