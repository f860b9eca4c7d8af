//! Assessment: data in, text out.

use std::sync::Arc;

use rust_decimal::Decimal;

use crate::budgets::{
    Config, FreshSummary, LocalBudget, LocalCustomer, LocalSubscription, PeriodMemory, Prefer,
    SubscriptionKey,
};
use crate::domain::{
    Assessed, Currency, CustomerId, CustomerKey, LegacyCycle, NamedPeriods, Plan, Profile,
    Subscription, SummaryDates, UsageDate, UsageRecord,
};

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn record(plan: Plan, cost: &str, date: &str) -> UsageRecord {
    UsageRecord {
        subscription: None,
        customer: CustomerId::try_new("C-1").unwrap(),
        name: "Contoso".into(),
        plan,
        cost: decimal(cost),
        currency: (plan == Plan::AzurePlan).then(|| Currency::try_new("SEK").unwrap()),
        usd_cost: None,
        budget: Some(decimal("100")),
        reported_percent: None,
        usage_as_of: UsageDate::parse(date).unwrap(),
    }
}

/// What was seen last, and the periods that are named.
type Known = (PeriodMemory, NamedPeriods);

fn last(plan: Plan, closing: &str, date: &str, cycle: Option<LegacyCycle>) -> Known {
    let named = cycle.into_iter().collect();
    let seen = Config::default().join(record(plan, closing, date)).place(None, &named, None);
    (
        PeriodMemory {
            usage_as_of: date.parse().unwrap(),
            period: seen.period,
            closing_cost: decimal(closing),
        },
        named,
    )
}

fn fresh(start: &str, end: &str, total: &str, listed: &str) -> FreshSummary {
    FreshSummary {
        dates: SummaryDates::parse(start, end).unwrap(),
        total: decimal(total),
        listed_cost: decimal(listed),
    }
}

fn shown(assessed: &Assessed) -> String {
    let carried = if assessed.carried_over { " carried over" } else { "" };
    format!(
        "{} .. {} {}{carried}",
        assessed.period.start,
        assessed.period.end,
        assessed.period.source.as_str()
    )
}

fn placed(record: UsageRecord, known: Option<&Known>, fresh: Option<FreshSummary>) -> String {
    let named = known.map_or(NamedPeriods::NONE, |(_, named)| named.clone());
    let named = fresh.map_or_else(|| named.clone(), |fresh| fresh.added_to(&named));
    shown(&Config::default().join(record).place(
        known.map(|(last, _)| last),
        &named,
        fresh.as_ref(),
    ))
}

#[test]
fn an_azure_plan_is_placed_in_the_utc_month_of_its_data() {
    let at = |date| placed(record(Plan::AzurePlan, "1", date), None, None);
    assert_eq!(
        at("2019-09-30T23:59:59Z"),
        "2019-09-01T00:00:00Z .. 2019-10-01T00:00:00Z calendar-month"
    );
    let summary = fresh("2019-09-01T00:00:00+00:00", "2019-10-01T00:00:00+00:00", "1", "1");
    let named = placed(record(Plan::AzurePlan, "1", "2019-09-17T00:00:00Z"), None, Some(summary));
    assert_eq!(named, "2019-09-01T00:00:00Z .. 2019-10-01T00:00:00Z subscription-summary");
    let other = placed(record(Plan::AzurePlan, "1", "2019-08-31T00:00:00Z"), None, Some(summary));
    assert_eq!(other, "2019-08-01T00:00:00Z .. 2019-09-01T00:00:00Z calendar-month");
}

#[test]
fn a_legacy_customer_is_placed_by_its_summary_else_by_what_is_remembered_else_by_the_month() {
    let at = |date, last, fresh| placed(record(Plan::Legacy, "1", date), last, fresh);
    assert_eq!(
        at("2019-09-17T00:00:00Z", None, None),
        "2019-09-01T00:00:00Z .. 2019-10-01T00:00:00Z assumed"
    );
    let summary = fresh("2019-08-28T00:00:00-07:00", "2019-09-27T00:00:00-07:00", "1", "1");
    assert_eq!(
        at("2019-09-17T00:00:00Z", None, Some(summary)),
        "2019-08-28T07:00:00Z .. 2019-09-28T07:00:00Z subscription-summary"
    );
    assert_eq!(
        at("2019-08-01T23:00:16Z", None, Some(summary)),
        "2019-07-28T07:00:00Z .. 2019-08-28T07:00:00Z assumed"
    );
    let cycle = LegacyCycle::from_summary(&summary.dates);
    let remembered = last(Plan::Legacy, "0", "2019-09-17T00:00:00Z", cycle);
    assert_eq!(
        at("2019-09-18T00:00:00Z", Some(&remembered), None),
        "2019-08-28T07:00:00Z .. 2019-09-28T07:00:00Z subscription-summary"
    );
    assert_eq!(
        at("2019-10-18T00:00:00Z", Some(&remembered), None),
        "2019-09-28T07:00:00Z .. 2019-10-28T07:00:00Z assumed"
    );
}

#[test]
fn cost_repeated_at_the_turn_belongs_to_the_old_month() {
    let september = last(Plan::AzurePlan, "96", "2019-09-30T20:00:00Z", None);
    let at =
        |cost, date, fresh| placed(record(Plan::AzurePlan, cost, date), Some(&september), fresh);
    let old = "2019-09-01T00:00:00Z .. 2019-10-01T00:00:00Z calendar-month carried over";
    let named = "2019-09-01T00:00:00Z .. 2019-10-01T00:00:00Z subscription-summary carried over";
    let new = "2019-10-01T00:00:00Z .. 2019-11-01T00:00:00Z calendar-month";
    assert_eq!(at("96", "2019-10-01T04:00:00Z", None), old);
    assert_eq!(at("120", "2019-10-04T00:00:00Z", None), old);
    assert_eq!(at("120.01", "2019-10-01T04:00:00Z", None), new, "more than a quarter more");
    assert_eq!(at("95.99", "2019-10-01T04:00:00Z", None), new, "less than before");
    assert_eq!(at("96", "2019-10-04T00:00:01Z", None), new, "more than three days into it");
    let confirming = fresh("2019-10-01T00:00:00Z", "2019-11-01T00:00:00Z", "96", "96");
    assert_eq!(
        at("96", "2019-10-01T04:00:00Z", Some(confirming)),
        "2019-10-01T00:00:00Z .. 2019-11-01T00:00:00Z subscription-summary"
    );
    let behind = fresh("2019-10-01T00:00:00Z", "2019-11-01T00:00:00Z", "2", "96");
    assert_eq!(
        at("96", "2019-10-01T04:00:00Z", Some(behind)),
        old,
        "a summary that totals less confirms nothing"
    );
    let still_old = fresh("2019-09-01T00:00:00Z", "2019-10-01T00:00:00Z", "96", "96");
    assert_eq!(
        at("96", "2019-10-01T04:00:00Z", Some(still_old)),
        named,
        "a summary of the old month confirms nothing, and names it"
    );
}

#[test]
fn nothing_is_carried_over_from_a_month_that_does_not_directly_precede() {
    let august = last(Plan::AzurePlan, "96", "2019-08-30T20:00:00Z", None);
    let placed = placed(record(Plan::AzurePlan, "96", "2019-10-01T04:00:00Z"), Some(&august), None);
    assert_eq!(placed, "2019-10-01T00:00:00Z .. 2019-11-01T00:00:00Z calendar-month");
}

#[test]
fn late_data_stays_measured_against_the_last_cost_dated_in_the_old_month() {
    let mut september = last(Plan::AzurePlan, "96", "2019-09-30T20:00:00Z", None);
    september.0.usage_as_of = "2019-10-01T04:00:00Z".parse().unwrap();
    let placed =
        placed(record(Plan::AzurePlan, "97", "2019-10-02T04:00:00Z"), Some(&september), None);
    assert_eq!(placed, "2019-09-01T00:00:00Z .. 2019-10-01T00:00:00Z calendar-month carried over");
}

fn with_local(amount: &str, currency: &str, prefer: Prefer) -> Config {
    let customer = LocalCustomer {
        profile: Arc::new(Profile { label: Some("Nord".into()), ..Profile::default() }),
        budget: Some(LocalBudget {
            amount: decimal(amount),
            currency: Currency::try_new(currency).unwrap(),
        }),
        ..LocalCustomer::default()
    };
    Config { customers: [(CustomerKey::of("c-1"), customer)].into(), prefer, legacy_currency: None }
}

fn budgets(config: &Config, record: UsageRecord) -> String {
    let joined = config.join(record);
    let show = |budget: Option<crate::domain::Budget>| {
        budget.map_or("none".to_owned(), |budget| {
            let currency =
                budget.currency().map_or("?".to_owned(), |currency| currency.to_string());
            format!("{} {currency} from {}", budget.amount(), budget.source().in_words())
        })
    };
    let percent = joined.computed_percent().map_or("-".to_owned(), |percent| percent.to_string());
    format!(
        "{} | other {} | {percent} % | {:?}",
        show(joined.budget),
        show(joined.other_budget),
        joined.oddity
    )
}

#[test]
fn the_preferred_budget_is_in_force_and_the_other_one_is_known() {
    let sek = || record(Plan::AzurePlan, "50", "2019-09-17T00:00:00Z");
    assert_eq!(
        budgets(&with_local("40", "SEK", Prefer::Local), sek()),
        "40 SEK from the local configuration | other 100 SEK from Partner Center | 125 % | None"
    );
    assert_eq!(
        budgets(&with_local("40", "SEK", Prefer::PartnerCenter), sek()),
        "100 SEK from Partner Center | other 40 SEK from the local configuration | 50 % | None"
    );
    let bare = UsageRecord { budget: None, ..sek() };
    assert_eq!(
        budgets(&with_local("40", "SEK", Prefer::PartnerCenter), bare.clone()),
        "40 SEK from the local configuration | other none | 125 % | None"
    );
    assert_eq!(budgets(&Config::default(), bare), "none | other none | - % | None");
}

#[test]
fn a_record_about_a_subscription_has_the_budget_of_that_subscription_only() {
    let mut config = with_local("40", "SEK", Prefer::Local);
    let own = LocalSubscription {
        label: None,
        budget: LocalBudget { amount: decimal("25"), currency: Currency::try_new("SEK").unwrap() },
    };
    config.customers.get_mut("c-1").unwrap().subscriptions.insert(SubscriptionKey::of("s-1"), own);
    let of = |id: &str| {
        let subscription = Some(Subscription { id: id.into(), name: "Azure plan".into() });
        let record = UsageRecord {
            subscription,
            budget: None,
            ..record(Plan::AzurePlan, "50", "2019-09-17T00:00:00Z")
        };
        budgets(&config, record)
    };
    assert_eq!(of("S-1"), "25 SEK from the local configuration | other none | 200 % | None");
    assert_eq!(of("S-2"), "none | other none | - % | None");
    assert_eq!(config.customers_with_subscription_budgets().count(), 1);
}

#[test]
fn a_local_budget_in_another_currency_is_not_used_and_against_an_unknown_one_it_is() {
    let clash = budgets(
        &with_local("40", "EUR", Prefer::Local),
        record(Plan::AzurePlan, "50", "2019-09-17T00:00:00Z"),
    );
    assert_eq!(
        clash,
        "100 SEK from Partner Center | other none | 50 % | Some(CurrencyClash \
            { local: EUR, record: SEK })"
    );
    let unknown = budgets(
        &with_local("40", "EUR", Prefer::Local),
        record(Plan::Legacy, "50", "2019-09-17T00:00:00Z"),
    );
    assert_eq!(
        unknown,
        "40 EUR from the local configuration | other 100 ? from Partner Center | 125 % | \
            Some(CurrencyUnknown { local: EUR })"
    );
}

#[test]
fn an_assumed_old_period_gives_way_to_the_known_one() {
    let (assumed, _) = last(Plan::Legacy, "96", "2019-09-12T20:00:00Z", None);
    let named = LegacyCycle::try_new("2019-08-14".parse().unwrap(), "2019-09-13".parse().unwrap());
    let known = (assumed, named.into_iter().collect());
    let placed = placed(record(Plan::Legacy, "96", "2019-09-14T12:00:00Z"), Some(&known), None);
    assert_eq!(
        placed,
        "2019-08-14T07:00:00Z .. 2019-09-14T07:00:00Z subscription-summary carried over"
    );
}
