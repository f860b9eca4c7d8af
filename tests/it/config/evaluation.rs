//! What rules say of records: TOML and records in, text out.

use std::fmt::Write as _;
use std::sync::Arc;

use budget_alertd::domain::{
    Assessed, BillingPeriod, Budget, BudgetSource, CrossedStep, Currency, CustomerId, Evaluation,
    MissingInput, PeriodSource, Plan, Profile, UsageDate, UsageRecord, Verdict, percent_of,
};

use super::{read, with_rules};

/// A record of Contoso Nord: an Azure plan in SEK with a budget of 1000 in Partner Center, and what
/// a test changes.
struct Record {
    cost: &'static str,
    usd: Option<&'static str>,
    budget: Option<&'static str>,
    local: bool,
    percent: Option<&'static str>,
    currency: Option<&'static str>,
    plan: Plan,
    profile: Profile,
}

fn record(cost: &'static str) -> Record {
    Record {
        cost,
        usd: None,
        budget: Some("1000"),
        local: false,
        percent: None,
        currency: Some("SEK"),
        plan: Plan::AzurePlan,
        profile: Profile::default(),
    }
}

impl Record {
    fn assessed(&self) -> Assessed {
        let number = |text: &str| text.parse::<rust_decimal::Decimal>().unwrap();
        let currency = self.currency.map(|code| Currency::try_new(code).unwrap());
        let source = if self.local { BudgetSource::Local } else { BudgetSource::PartnerCenter };
        let budget =
            self.budget.map(|amount| Budget::try_new(number(amount), currency, source).unwrap());
        let usage_as_of = UsageDate::parse("2019-09-17T17:08:11Z").unwrap();
        Assessed {
            record: UsageRecord {
                subscription: None,
                customer: CustomerId::try_new("11111111-6FB9-4b05").unwrap(),
                name: "Åkeri [Nord] AB".into(),
                plan: self.plan,
                cost: number(self.cost),
                currency,
                usd_cost: self.usd.map(number),
                budget: self.budget.map(number),
                reported_percent: self.percent.map(number),
                usage_as_of,
            },
            profile: Arc::new(self.profile.clone()),
            currency,
            budget,
            other_budget: None,
            computed_percent: budget
                .and_then(|budget| percent_of(number(self.cost), budget.amount())),
            period: BillingPeriod::calendar_month(
                usage_as_of.instant(),
                PeriodSource::CalendarMonth,
            ),
            carried_over: false,
            rise: Err(MissingInput::EarlierDate),
            spending: None,
            stale_hours: Err(MissingInput::CollectionAge),
        }
    }
}

/// What the rules of a configuration say of a record, one line each.
fn said(rules: &str, record: &Record) -> String {
    let rules = read(&with_rules(rules)).unwrap_or_else(|mistakes| panic!("{mistakes}")).rules;
    let assessed = record.assessed();
    let evaluations = rules.evaluate(&assessed);
    evaluations.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn line(evaluation: &Evaluation) -> String {
    let mut text = format!("{}: ", evaluation.rule.name);
    match &evaluation.verdict {
        Verdict::NotApplicable(reason) => text.push_str(reason.code()),
        Verdict::Below { value, next_at } => write!(text, "{value}, next {next_at}").unwrap(),
        Verdict::Crossed { value, crossing } => {
            let value = value.number().map_or("over zero".to_owned(), |value| value.to_string());
            let steps: Vec<String> = crossing.steps.iter().map(step).collect();
            let next = crossing.next_at.map(|at| format!(", next {at}")).unwrap_or_default();
            write!(text, "{value} >= {}{next}", steps.join(" ")).unwrap();
        }
    }
    text
}

fn step(step: &CrossedStep) -> String {
    let mark = if step.written { "" } else { "*" };
    format!("{}{mark}", step.at)
}

/// One rule "r" on a metric with steps, and more keys.
fn rule(metric: &str, steps: &str, more: &str) -> String {
    format!("[rules.r]\nmetric = \"{metric}\"\nnotify = [\"ops\"]\nsteps = {steps}\n{more}")
}

#[test]
fn steps_fire_at_or_above_their_threshold() {
    let spend = rule("percent_used", "[{ at = 80 }, { at = 99.5 }, { at = \"100.0\" }]", "");
    let at = |cost| said(&spend, &record(cost));
    assert_eq!(at("799.94"), "r: 79.99, next 80");
    assert_eq!(at("799.95"), "r: 80 >= 80, next 99.5");
    assert_eq!(at("995"), "r: 99.5 >= 80 99.5, next 100");
    assert_eq!(at("1000"), "r: 100 >= 80 99.5 100");
    assert_eq!(at("-5"), "r: 0, next 80");
}

#[test]
fn the_larger_percentage_counts_and_a_local_budget_has_only_the_computed_one() {
    let spend = rule("percent_used", "[{ at = 80 }]", "");
    let reported = Record { percent: Some("85.50"), ..record("500") };
    assert_eq!(said(&spend, &reported), "r: 85.5 >= 80");
    assert_eq!(said(&spend, &Record { local: true, ..reported }), "r: 50, next 80");
}

#[test]
fn a_ladder_goes_on_without_end_and_names_the_last_fifty_steps() {
    let spend = rule("percent_used", "[{ at = 50, severity = \"info\" }]", "then_every = 100");
    assert_eq!(said(&spend, &record("1499.99")), "r: 150 >= 50 150*, next 250");
    assert_eq!(said(&spend, &record("1499.94")), "r: 149.99 >= 50, next 150");
    assert_eq!(said(&spend, &record("3600")), "r: 360 >= 50 150* 250* 350*, next 450");
    let far = said(&spend, &record("10000000"));
    assert!(
        far.starts_with("r: 1000000 >= 50 994950* 995050*")
            && far.ends_with(" 999950*, next 1000050"),
        "{far}"
    );
    assert_eq!(far.matches('*').count(), 51, "the highest and the 50 before it");
}

#[test]
fn a_ladder_in_money_goes_by_currency_and_downwards_for_what_is_left() {
    let left = rule(
        "amount_left",
        "[{ at = { SEK = 200, EUR = 20 } }, { at = { SEK = 0.0 } }]",
        "then_every = { SEK = 500, EUR = 10 }",
    );
    assert_eq!(said(&left, &record("799.99")), "r: 200.01, next 200");
    assert_eq!(said(&left, &record("800")), "r: 200 >= 200, next 0");
    assert_eq!(said(&left, &record("2001")), "r: -1001 >= 200 0 -500* -1000*, next -1500");
    let euro = |cost| said(&left, &Record { currency: Some("EUR"), ..record(cost) });
    assert_eq!(euro("985"), "r: 15 >= 20, next 10");
    assert_eq!(euro("1000"), "r: 0 >= 20 10* 0*, next -10");
}

#[test]
fn steps_in_fractions_are_exact() {
    let spend = rule("usd_total_cost", "[{ at = \"0.1\" }]", "then_every = 0.1");
    let at = |usd| said(&spend, &Record { usd: Some(usd), ..record("1") });
    assert_eq!(at("0.3"), "r: 0.3 >= 0.1 0.2* 0.3*, next 0.4");
    assert_eq!(
        at("0.2999999999999999999999999999"),
        "r: 0.2999999999999999999999999999 >= 0.1 0.2*, next 0.3"
    );
    // The quotient of this distance is rounded up to a whole step, which is not reached.
    let sixes = rule("usd_total_cost", "[{ at = 1 }]", "then_every = 6");
    let almost = "6.9999999999999999999999999999";
    assert_eq!(
        said(&sixes, &Record { usd: Some(almost), ..record("1") }),
        format!("r: {almost} >= 1, next 7")
    );
}

#[test]
fn any_cost_over_a_budget_of_zero_reaches_every_written_step() {
    let spend = rule("percent_used", "[{ at = 80 }, { at = 100 }]", "then_every = 100");
    let zero = |cost| said(&spend, &Record { budget: Some("0"), ..record(cost) });
    assert_eq!(zero("0.01"), "r: over zero >= 80 100");
    assert_eq!(zero("0"), "r: 0, next 80");
    assert_eq!(zero("-1"), "r: 0, next 80");
}

#[test]
fn huge_values_neither_overflow_nor_take_long() {
    let huge = "79228162514264337593543950335";
    let spend =
        rule("percent_used", "[{ at = 80 }]", "then_every = \"0.0000000000000000000000000001\"");
    assert!(
        read(&with_rules(&spend))
            .is_err_and(|mistakes| mistakes.to_string().contains("large enough"))
    );
    for metric in ["percent_used", "usd_total_cost"] {
        for every in ["0.00001", "1", "9999999999999999999999999999"] {
            let rule = rule(metric, "[{ at = 80 }]", &format!("then_every = \"{every}\""));
            let said =
                said(&rule, &Record { usd: Some(huge), budget: Some("0.0001"), ..record(huge) });
            assert!(said.contains(&format!("r: {huge} >= 80 ")), "{said}");
        }
    }
    let left = rule("amount_left", "[{ at = { SEK = 0 } }]", "then_every = { SEK = 1 }");
    assert!(
        said(&left, &Record { budget: Some("0"), ..record(huge) })
            .starts_with(&format!("r: -{huge} >= 0 "))
    );
}

#[test]
fn every_metric_says_why_it_does_not_apply() {
    let no_budget = Record { budget: None, ..record("500") };
    let unknown = Record { currency: None, ..record("500") };
    let steps = "[{ at = { SEK = 400 } }]";
    assert_eq!(said(&rule("percent_used", "[{ at = 80 }]", ""), &no_budget), "r: no-budget");
    assert_eq!(said(&rule("amount_over", steps, ""), &no_budget), "r: no-budget");
    assert_eq!(said(&rule("amount_left", steps, ""), &no_budget), "r: no-budget");
    assert_eq!(said(&rule("unbudgeted_cost", steps, ""), &no_budget), "r: 500 >= 400");
    assert_eq!(said(&rule("unbudgeted_cost", steps, ""), &record("500")), "r: has-budget");
    assert_eq!(
        said(&rule("usd_total_cost", "[{ at = 400 }]", ""), &record("500")),
        "r: no-usd-cost"
    );
    assert_eq!(said(&rule("total_cost", steps, ""), &record("500")), "r: 500 >= 400");
    assert_eq!(said(&rule("total_cost", steps, ""), &unknown), "r: currency-unknown");
    assert_eq!(said(&rule("percent_used", "[{ at = 80 }]", ""), &unknown), "r: 50, next 80");
    assert_eq!(
        said(&rule("total_cost", "[{ at = { EUR = 1 } }]", ""), &record("500")),
        "r: currency-without-step"
    );
    assert_eq!(said(&rule("amount_over", steps, ""), &record("1400")), "r: 400 >= 400");
}

#[test]
fn every_part_of_match_must_hold_and_the_first_that_does_not_is_the_reason() {
    let labelled =
        Profile { label: Some("Kund 7".into()), tags: vec!["gold".into()], ..Profile::default() };
    let nord = Record { usd: Some("60"), profile: labelled, ..record("900") };
    let matched = |part: &str| {
        said(&rule("percent_used", "[{ at = 80 }]", &format!("match = {{ {part} }}")), &nord)
    };
    for part in [
        r#"customers = ["11111111-6fb9-*"]"#,
        r#"customers = ["other", "åKERI [nord] ab"]"#,
        r#"customers = ["?keri*"]"#,
        r#"customers = ["kund ?"], exclude = ["*Test*"]"#,
        r#"tags = ["silver", "gold"], plan = "azure-plan", currency = ["eur", "sek"]"#,
        r#"budget = { currency = "SEK", at_least = 1000, below = 1000.01 }"#,
        r"usd_cost = { at_least = 60 }",
    ] {
        assert_eq!(matched(part), "r: 90 >= 80", "{part}");
    }
    for (part, reason) in [
        (r#"customers = ["Åkeri"], exclude = ["*"]"#, "customer-not-selected"),
        (r#"customers = ["*"], exclude = ["*[NORD]*"], tags = ["none"]"#, "customer-excluded"),
        (r#"tags = ["silver"], plan = "legacy""#, "tag-not-selected"),
        (r#"plan = "legacy", currency = ["EUR"]"#, "plan-not-selected"),
        (r#"currency = ["EUR"], budget = { currency = "EUR" }"#, "currency-not-selected"),
        (
            r#"budget = { currency = "EUR", at_least = 1 }, usd_cost = { at_least = 100 }"#,
            "budget-not-selected",
        ),
        (r#"budget = { currency = "SEK", below = 1000 }"#, "budget-not-selected"),
        (r#"usd_cost = { at_least = "60.01" }"#, "usd-cost-too-small"),
    ] {
        assert_eq!(matched(part), format!("r: {reason}"), "{part}");
    }
}

#[test]
fn what_is_unknown_matches_no_currency_and_no_budget_but_any_cost_in_dollars() {
    let matched = |part: &str, record: &Record| {
        said(&rule("percent_used", "[{ at = 80 }]", &format!("match = {{ {part} }}")), record)
    };
    let unknown = Record { currency: None, ..record("900") };
    assert_eq!(matched(r#"currency = ["SEK"]"#, &unknown), "r: currency-not-selected");
    assert_eq!(matched(r#"budget = { currency = "SEK" }"#, &unknown), "r: budget-not-selected");
    assert_eq!(matched("usd_cost = { at_least = 50 }", &unknown), "r: 90 >= 80");
    assert_eq!(
        matched(r#"budget = { currency = "SEK" }"#, &Record { budget: None, ..record("900") }),
        "r: budget-not-selected"
    );
}

#[test]
fn a_muted_rule_is_muted_before_anything_else() {
    let muted = Record {
        profile: Profile { mute_rules: vec!["r".into()], ..Profile::default() },
        ..record("900")
    };
    let rules = format!(
        "{}\n[rules.other]\nmetric = \"percent_used\"\nnotify = [\"ops\"]\nsteps = [{{ at = 95 }}]",
        rule("percent_used", "[{ at = 80 }]", "match = { plan = \"legacy\" }")
    );
    assert_eq!(said(&rules, &muted), "r: muted\nother: 90, next 95");
}

#[test]
fn a_step_is_owed_to_its_own_notifiers_else_the_rules_and_to_the_customers() {
    let text = with_rules(
        r#"[rules.r]
metric = "percent_used"
notify = ["ops"]
then_every = 100
steps = [{ at = 50 }, { at = 80, severity = "critical", notify = ["mail", "ops", "mail"] }]

[notifiers.mail]
type = "slack"
url = "https://hooks.example/x"
[notifiers.account]
type = "slack"
url = "https://hooks.example/y""#,
    );
    let rules = read(&text).unwrap_or_else(|mistakes| panic!("{mistakes}")).rules;
    let profile = Profile { notify: vec!["account".into(), "ops".into()], ..Profile::default() };
    let evaluations = rules.evaluate(&Record { profile, ..record("1900") }.assessed());
    let Verdict::Crossed { crossing, .. } = &evaluations[0].verdict else { panic!("not crossed") };
    let owed: Vec<String> = crossing
        .steps
        .iter()
        .map(|step| format!("{} {} {}", step.at, step.severity.as_str(), step.notify.join(" ")))
        .collect();
    assert_eq!(
        owed,
        ["50 warning ops account", "80 critical mail ops account", "180 critical mail ops account"]
    );
}

#[test]
fn rules_are_evaluated_in_the_order_of_the_file() {
    let one = |name: &str| {
        format!(
            "[rules.{name}]\nmetric = \"percent_used\"\nnotify = [\"ops\"]\nsteps = \
                [{{ at = 80 }}]\n"
        )
    };
    let rules = ["z", "\"a b\"", "m", "\"\""].map(one).concat();
    assert_eq!(
        said(&rules, &record("1")),
        "z: 0.1, next 80\na b: 0.1, next 80\nm: 0.1, next 80\n: 0.1, next 80"
    );
}
