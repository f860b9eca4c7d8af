//! Reads rule tests: usage records over time, and the alerts that are expected of them. Running
//! them, and telling how the alerts differ, is the command's.

use std::path::PathBuf;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use toml::de::DeValue;

use crate::config::case_history;
use crate::config::reader::Table;
use crate::config::value::{moment, number};
use crate::domain::{CustomerId, LegacyCycle, Plan, Severity, UsageDate, UsageRecord};

/// A file of rule tests.
#[derive(Debug, Clone, PartialEq)]
pub struct Cases {
    /// The configuration that is tested; `None`: the one of the command line.
    pub rules: Option<PathBuf>,
    /// The tests, in the order of the file.
    pub tests: Vec<Case>,
}

/// One test.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// What must hold.
    pub name: String,
    /// What is read before them, and when; nothing is expected of it.
    pub history: Vec<(Timestamp, Vec<UsageRecord>)>,
    /// The polls, in the order of time.
    pub polls: Vec<CasePoll>,
}

/// One poll of a test.
#[derive(Debug, Clone, PartialEq)]
pub struct CasePoll {
    /// When.
    pub at: Timestamp,
    /// What it reads.
    pub records: Vec<UsageRecord>,
    /// Billing cycles of legacy customers that are known from now on.
    pub cycles: Vec<(CustomerId, LegacyCycle)>,
    /// Every alert it must raise; `None`: nothing is compared.
    pub expect: Option<Vec<Expected>>,
}

/// An alert that must be raised; of what is none, anything will do.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// The customer.
    pub customer: CustomerId,
    /// The rule's name.
    pub rule: String,
    /// The step.
    pub at: Option<Decimal>,
    /// The value.
    pub value: Option<Decimal>,
    /// How bad.
    pub severity: Option<Severity>,
    /// The steps passed, ascending.
    pub passed: Option<Vec<Decimal>>,
    /// The notifiers that are owed it, sorted.
    pub notify: Option<Vec<String>>,
    /// The budget amount.
    pub budget: Option<Decimal>,
    /// Whether it is of the first poll of its rule.
    pub baseline: Option<bool>,
}

/// The tests of a file; what is missing or out of order is a mistake.
pub(crate) fn read(root: &Table<'_>) -> Cases {
    if root.entry("test").is_none() {
        root.reader.mistake(0..0, "there is no test: add [[test]] with a name and [[test.poll]]");
    }
    let tests = root.tables("test").into_iter().flatten().map(|test| case(&test)).collect();
    Cases { rules: root.text("rules").map(|path| root.reader.path(&path)), tests }
}

fn case(test: &Table<'_>) -> Case {
    test.require("poll");
    let name = test.required_text("name").map(|name| name.value.to_owned()).unwrap_or_default();
    let mut polls: Vec<CasePoll> = Vec::new();
    for table in test.tables("poll").into_iter().flatten() {
        let Some(poll) = poll(&table) else { continue };
        if polls.last().is_some_and(|before| before.at >= poll.at) {
            let span = table.entry("at").map_or_else(|| table.span.clone(), |at| at.span);
            table.reader.mistake(span, "polls must come in the order of time");
        }
        polls.push(poll);
    }
    let known: Vec<_> = polls.iter().flat_map(|poll| &poll.records).collect();
    let history = case_history::read(test, polls.first().map(|poll| poll.at), &known);
    Case { name, history, polls }
}

fn poll(table: &Table<'_>) -> Option<CasePoll> {
    table.require("at");
    table.require("records");
    let at = date(table, "at");
    let tables: Vec<Table<'_>> = table.tables("records").into_iter().flatten().collect();
    let records = tables.iter().filter_map(|record| self::record(record, at)).collect();
    let cycles = tables.iter().filter_map(cycle).collect();
    let expect = table.entry("expect").map(|_| {
        table.tables("expect").into_iter().flatten().filter_map(|alert| expected(&alert)).collect()
    });
    Some(CasePoll { at: at?.instant(), records, cycles, expect })
}

fn record(table: &Table<'_>, polled: Option<UsageDate>) -> Option<UsageRecord> {
    table.require("cost");
    let customer = customer(table);
    let plan = table.text("plan").map_or(Some(Plan::AzurePlan), |plan| Plan::from_name(plan.value));
    let usage_as_of = date(table, "as_of").or(polled);
    if let (Some(data), Some(polled), Some(entry)) = (usage_as_of, polled, table.entry("as_of"))
        && data.instant().duration_since(polled.instant()) > SignedDuration::from_hours(24)
    {
        table.reader.mistake(entry.span, "no data is dated more than 24 hours after its poll");
    }
    let currency = table.currency("currency");
    let budget = table.positive("budget");
    let amount = |name| table.number(name).map(|number| number.value);
    let (usd_cost, reported_percent) = (amount("usd"), amount("percent"));
    let name = table.text("name").map_or_else(
        || customer.as_ref().map(ToString::to_string),
        |name| Some(name.value.to_owned()),
    );
    Some(UsageRecord {
        customer: customer?,
        subscription: None,
        name: name?,
        plan: plan?,
        cost: amount("cost")?,
        currency,
        usd_cost,
        budget,
        reported_percent,
        usage_as_of: usage_as_of?,
    })
}

fn cycle(record: &Table<'_>) -> Option<(CustomerId, LegacyCycle)> {
    let billing = record.table("billing")?;
    let day = |name| {
        let text = billing.required_text(name)?;
        let day = text
            .value
            .parse::<Date>()
            .map_err(|_| format!("\"{name}\" must be a day such as \"2026-10-28\""));
        billing.reader.accept(&text.span, day)
    };
    let (first, last) = (day("first_day"), day("last_day"));
    let cycle = LegacyCycle::try_new(first?, last?);
    if cycle.is_none() {
        billing.reader.mistake(
            billing.span.clone(),
            "a billing period ends after it starts, and lasts no longer than two months",
        );
    }
    Some((CustomerId::try_new(record.text("customer")?.value)?, cycle?))
}

fn expected(table: &Table<'_>) -> Option<Expected> {
    let customer = customer(table);
    let rule = table.required_text("rule").map(|rule| rule.value.to_owned());
    let amount = |name| table.number(name).map(|number| number.value);
    let notify = table
        .entry("notify")
        .map(|_| sorted(table.texts("notify").iter().map(|name| name.value.to_owned()).collect()));
    Some(Expected {
        customer: customer?,
        rule: rule?,
        at: amount("at"),
        value: amount("value"),
        severity: table.text("severity").and_then(|severity| Severity::from_name(severity.value)),
        passed: numbers(table, "passed").map(sorted),
        notify,
        budget: amount("budget"),
        baseline: table.boolean("baseline"),
    })
}

fn customer(table: &Table<'_>) -> Option<CustomerId> {
    CustomerId::try_new(table.required_text("customer")?.value)
}

fn date(table: &Table<'_>, name: &str) -> Option<UsageDate> {
    moment(table.entry(name)?.value).ok()
}

fn numbers(table: &Table<'_>, name: &str) -> Option<Vec<Decimal>> {
    let entry = table.entry(name)?;
    let DeValue::Array(items) = entry.value else { return None };
    Some(items.iter().filter_map(|item| number(item.get_ref()).ok()).collect())
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort_unstable();
    items
}
