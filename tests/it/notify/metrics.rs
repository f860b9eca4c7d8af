//! What alerts on time and history say: the metric in its own words, the numbers of its formula,
//! what to think of first.

use budget_alertd::domain::spike::SpikeView;
use budget_alertd::domain::{
    AlertSnapshot, FormulaInputs, Metric, MetricValue, Point, Previous, Severity,
};

use super::mail::{headline, raised, read};
use super::samples::{attacked, decimal, legacy, time, told_by, watched};
use super::slack::{payload, shown};

/// The metrics on time and history, each with a step that the sample has reached.
pub(super) const WATCHED: [(Metric, &str); 5] = [
    (Metric::ForecastPercent, "120"),
    (Metric::Pace, "9"),
    (Metric::DailyCost, "1000"),
    (Metric::DailyPercent, "20"),
    (Metric::StaleHours, "48"),
];

#[tokio::test]
async fn each_metric_has_its_own_words_and_shows_its_formula() {
    let mut told = Vec::new();
    for (metric, at) in WATCHED {
        told.push(read(raised(watched(metric, at))).await);
    }
    insta::assert_snapshot!(told.join("\n\n"), @r#"
    WARNING Contoso Nord is heading for 129% of budget: 2,950 of 5,000 SEK after 46% of November

    Contoso Nord is heading for 129 % of its November budget: 6,453 SEK by 30 Nov if it goes on as so far. 24 h before, it was heading for 12 %.
    Usage as of Sat 14 Nov 18:08, seen 22:41 CET (4 h 33 min old). If this is not expected, find out today what is running.

    Formula   2,950 SEK in 329.13 of 720 hours → 6,453 SEK by the end = 129.07 % of 5,000 SEK
    Do        budget-alertd ack 5F0C1C3E · budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
              Customer in Partner Center: https://partner.microsoft.com/commerce/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions
    Contact   it@contoso.example
    Why you   rule "spend" (Share of the monthly budget), step 120 %, 1–30 Nov, budget from Partner Center.
    Ref       5F0C1C3E

    WARNING Contoso Nord is 13 points ahead of the month: 2,950 of 5,000 SEK after 46% of November

    Contoso Nord has used 59 % of its November budget with 46 % of the month over: 13 points ahead of the month. 24 h before, it was 12 points ahead.
    Usage as of Sat 14 Nov 18:08, seen 22:41 CET (4 h 33 min old). If this is not expected, find out today what is running.

    Formula   59 % used − 45.71 % of the period = 13.29 points
    Pace      59 % used with 46 % of the period over; at this pace 6,450 SEK by 30 Nov
    Do        budget-alertd ack 5F0C1C3E · budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
              Customer in Partner Center: https://partner.microsoft.com/commerce/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions
    Contact   it@contoso.example
    Why you   rule "spend" (Share of the monthly budget), step 9 points, 1–30 Nov, budget from Partner Center.
    Ref       5F0C1C3E

    WARNING Contoso Nord +2,350 SEK in a day: 2,950 of 5,000 SEK (was 600 SEK on Fri 13 Nov 18:08)

    Contoso Nord went from 600 to 2,950 SEK in 24 h, 2,350 SEK a day; 2,050 SEK of its November budget is left.
    Usage as of Sat 14 Nov 18:08, seen 22:41 CET (4 h 33 min old). If this is not expected, find out today what is running.

    Formula   (2,950 − 600) SEK in 24 h since Fri 13 Nov 18:08 CET → 2,350 SEK a day
    Pace      59 % used with 46 % of the period over; at this pace 6,450 SEK by 30 Nov
    Do        budget-alertd ack 5F0C1C3E · budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
              Customer in Partner Center: https://partner.microsoft.com/commerce/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions
    Contact   it@contoso.example
    Why you   rule "spend" (Share of the monthly budget), step 1,000 SEK, 1–30 Nov.
    Ref       5F0C1C3E

    WARNING Contoso Nord +47% of budget in a day: 2,950 of 5,000 SEK (was 600 SEK on Fri 13 Nov 18:08)

    Contoso Nord went from 600 to 2,950 SEK in 24 h, 47 % of its November budget a day; 2,050 SEK of it is left.
    Usage as of Sat 14 Nov 18:08, seen 22:41 CET (4 h 33 min old). If this is not expected, find out today what is running.

    Formula   (2,950 − 600) SEK in 24 h since Fri 13 Nov 18:08 CET → 2,350 SEK a day = 47 % of 5,000 SEK
    Pace      59 % used with 46 % of the period over; at this pace 6,450 SEK by 30 Nov
    Do        budget-alertd ack 5F0C1C3E · budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
              Customer in Partner Center: https://partner.microsoft.com/commerce/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions
    Contact   it@contoso.example
    Why you   rule "spend" (Share of the monthly budget), step 20 points, 1–30 Nov, budget from Partner Center.
    Ref       5F0C1C3E

    WARNING Contoso Nord: no new usage for 52 h: 2,950 of 5,000 SEK so far

    Contoso Nord has had no new usage for 52 h, since Thu 12 Nov 18:23 CET; it stands at 2,950 of 5,000 SEK.
    Usage as of Thu 12 Nov 18:23, seen Sat 14 Nov 22:41 CET (2 d 4 h old). Look whether the subscription was cancelled, or Microsoft is late.

    Do        budget-alertd ack 5F0C1C3E · budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
              Customer in Partner Center: https://partner.microsoft.com/commerce/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions
    Contact   it@contoso.example
    Why you   rule "spend" (Share of the monthly budget), step 48 h, 1–30 Nov.
    Ref       5F0C1C3E
    "#);
}

#[tokio::test]
async fn each_metric_has_its_own_words_in_a_chat() {
    let mut told = Vec::new();
    for (metric, at) in WATCHED {
        let text = shown(&payload(raised(watched(metric, at))).await);
        told.extend(
            text.lines().filter(|line| !line.starts_with("[section]")).map(ToOwned::to_owned),
        );
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    🟠 Contoso Nord heading for 129 % — 2,950 of 5,000 SEK after 46 % of November
    12 % → 129 % in 24 h, data Sat 14 Nov 18:08 CET (4 h 33 min old)
    12 % → 129 % in 24 h, data <!date^1794676080^{date_short_pretty} {time}|Sat 14 Nov 18:08 CET> (4 h 33 min old)
    [context] Contact it@contoso.example
    [context] If this is not expected, find out today what is running. budget-alertd ack 5F0C1C3E · budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
    [context] <https://partner.microsoft.com/commerce/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions|Partner Center> · spend ≥ 120 % · Nov · 5F0C1C3E
    🟠 Contoso Nord 13 points ahead — 2,950 of 5,000 SEK after 46 % of November
    12 points ahead → 13 points ahead in 24 h, data Sat 14 Nov 18:08 CET (4 h 33 min old)
    12 points ahead → 13 points ahead in 24 h, data <!date^1794676080^{date_short_pretty} {time}|Sat 14 Nov 18:08 CET> (4 h 33 min old)
    [context] Contact it@contoso.example
    [context] If this is not expected, find out today what is running. budget-alertd ack 5F0C1C3E · budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
    [context] <https://partner.microsoft.com/commerce/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions|Partner Center> · spend ≥ 9 points · Nov · 5F0C1C3E
    🟠 Contoso Nord +2,350 SEK a day — 2,950 of 5,000 SEK, was 600 SEK on Fri 13 Nov 18:08
    600 → 2,950 SEK in 24 h, data Sat 14 Nov 18:08 CET (4 h 33 min old)
    600 → 2,950 SEK in 24 h, data <!date^1794676080^{date_short_pretty} {time}|Sat 14 Nov 18:08 CET> (4 h 33 min old)
    [context] Contact it@contoso.example
    [context] If this is not expected, find out today what is running. budget-alertd ack 5F0C1C3E · budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
    [context] <https://partner.microsoft.com/commerce/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions|Partner Center> · spend ≥ 1,000 SEK · Nov · 5F0C1C3E
    🟠 Contoso Nord +47 % of budget a day — 2,950 of 5,000 SEK, was 600 SEK on Fri 13 Nov 18:08
    600 → 2,950 SEK in 24 h, data Sat 14 Nov 18:08 CET (4 h 33 min old)
    600 → 2,950 SEK in 24 h, data <!date^1794676080^{date_short_pretty} {time}|Sat 14 Nov 18:08 CET> (4 h 33 min old)
    [context] Contact it@contoso.example
    [context] If this is not expected, find out today what is running. budget-alertd ack 5F0C1C3E · budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
    [context] <https://partner.microsoft.com/commerce/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions|Partner Center> · spend ≥ 20 points · Nov · 5F0C1C3E
    🟠 Contoso Nord no usage for 52 h — 2,950 of 5,000 SEK so far
    Data Thu 12 Nov 18:23 CET (2 d 4 h old)
    Data <!date^1794504200^{date_short_pretty} {time}|Thu 12 Nov 18:23 CET> (2 d 4 h old)
    [context] Contact it@contoso.example
    [context] Look whether the subscription was cancelled, or Microsoft is late. budget-alertd ack 5F0C1C3E · budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
    [context] <https://partner.microsoft.com/commerce/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions|Partner Center> · spend ≥ 48 h · Nov · 5F0C1C3E
    ");
}

/// A spike of 1,240 on a Saturday.
pub(super) fn spike(usual: &str, times: Option<&str>) -> AlertSnapshot {
    let mut spike = watched(Metric::DailyCost, "3");
    (spike.alert.metric, spike.alert.inputs) = (Metric::Spike, None);
    let number = times.map(|times| MetricValue::Number(decimal(times)));
    spike.alert.value = number.or(Some(MetricValue::OverZero));
    spike.alert.severity = Severity::Critical;
    spike.alert.spike = Some(SpikeView {
        day: "2026-11-14".parse().unwrap(),
        rate: decimal("1240"),
        usual: decimal(usual),
        excess: decimal("1240") - decimal(usual),
        highest_earlier_excess: decimal("16.47"),
        floor: decimal("100"),
        days: 35,
        times: times.map(decimal),
    });
    spike
}

#[tokio::test]
async fn a_spike_is_told_by_what_is_usual() {
    let stolen = "If this is not expected, treat it as stolen credentials.";
    assert_eq!(advice(spike("40", Some("31"))).await, stolen);
    let mut told = Vec::new();
    for sample in [spike("40", Some("31")), spike("0", None)] {
        told.push(headline(raised(sample)).await);
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    CRITICAL Contoso Nord spent 31 times the usual: 1,240 SEK on 14 Nov (usually 40)
    On Sat 14 Nov Contoso Nord spent about 1,240 SEK; 40 is usual (median of 35 days), 1,200 more than usual.
    CRITICAL Contoso Nord spent 1,240 SEK on 14 Nov (usually nothing)
    On Sat 14 Nov Contoso Nord spent about 1,240 SEK; usually it is nothing (median of 35 days).
    ");
}

#[tokio::test]
async fn rises_over_other_spans_behind_the_month_and_near_a_step_are_told_as_they_are() {
    let mut quick = watched(Metric::DailyCost, "5000");
    quick.alert.value = Some(MetricValue::Number(decimal("9400")));
    quick.alert.inputs = Some(FormulaInputs {
        since: Some(time("2026-11-14T11:08:00Z")),
        since_cost: Some(decimal("600")),
        hours: Some(decimal("6")),
        daily_cost: Some(decimal("9400")),
        ..FormulaInputs::default()
    });
    let mut behind = watched(Metric::Pace, "-20");
    behind.alert.value = Some(MetricValue::Number(decimal("-1")));
    let mut near = watched(Metric::ForecastPercent, "120");
    near.alert.value = Some(MetricValue::Number(decimal("129.6")));
    near.context.next_at = Some(decimal("130"));
    let mut over_zero = watched(Metric::ForecastPercent, "120");
    over_zero.alert.value = Some(MetricValue::OverZero);
    over_zero.alert.budget.as_mut().unwrap().amount = decimal("0");
    let mut unbudgeted = quick.clone();
    unbudgeted.alert.budget = None;
    let mut of_its_own = legacy();
    of_its_own.alert.metric = Metric::Pace;
    of_its_own.alert.value = Some(MetricValue::Number(decimal("51.25")));
    let mut told = Vec::new();
    for sample in [quick, behind, near, over_zero, unbudgeted, of_its_own] {
        told.push(headline(raised(sample)).await);
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    WARNING Contoso Nord +2,350 SEK in 6 h, 9,400 SEK a day: 2,950 of 5,000 SEK (was 600 SEK on Sat 14 Nov 12:08)
    Contoso Nord went from 600 to 2,950 SEK in 6 h, 9,400 SEK a day; 2,050 SEK of its November budget is left.
    WARNING Contoso Nord is 1 point behind the month: 2,950 of 5,000 SEK after 46% of November
    Contoso Nord has used 59 % of its November budget with 46 % of the month over: 1 point behind the month. 24 h before, it was 12 points ahead.
    WARNING Contoso Nord is heading for 129.6% of budget: 2,950 of 5,000 SEK after 46% of November
    Contoso Nord is heading for 129.6 % of its November budget: 6,453 SEK by 30 Nov if it goes on as so far. 24 h before, it was heading for 12 %.
    WARNING Contoso Nord 2,950 SEK with a budget of 0 (+2,350 in 24 h)
    Contoso Nord has cost 2,950 SEK (about 295 USD) in November with a budget of 0. 24 h before, it had cost 600 SEK.
    WARNING Contoso Nord +2,350 SEK in 6 h, 9,400 SEK a day: 2,950 SEK (was 600 SEK on Sat 14 Nov 12:08)
    Contoso Nord went from 600 to 2,950 SEK in 6 h, 9,400 SEK a day.
    WARNING Fabrikam Småland is 51.25 points ahead of the period: 825 of 1,000 after 31% of the period 5 Nov – 4 Dec
    Fabrikam Småland has used 82.5 % of its budget for 5 Nov – 4 Dec with 31 % of the period over: 51.25 points ahead of the period.
    ");
}

#[tokio::test]
async fn an_alert_about_a_subscription_names_it_and_its_owner() {
    let mut sample = attacked();
    sample.alert.subscription = Some("s1".into());
    sample.context.subscription_name = Some("Prod".into());
    sample.context.owner = Some("Anna Svensson".into());
    insta::assert_snapshot!(read(raised(sample.clone())).await, @r#"
    CRITICAL Contoso Nord / Prod 900% of budget: 45,000 of 5,000 SEK (+44,400 in 24 h)

    Contoso Nord / Prod is 40,000 SEK over the subscription's November budget (about 4,290 USD). 24 h before, it was at 12 %.
    Usage as of Sat 14 Nov 18:08, seen 22:41 CET (4 h 33 min old). If this is not expected, treat it as stolen credentials.

    Pace      900 % used with 46 % of the period over; at this pace 98,400 SEK by 30 Nov
    Do        budget-alertd ack 5F0C1C3E · budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
              Customer in Partner Center: https://partner.microsoft.com/commerce/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions
    Contact   it@contoso.example
    Owner     Anna Svensson
    Why you   rule "spend" (Share of the monthly budget), step 900 % (80 % and 100 % passed), 1–30 Nov, budget of the subscription from Partner Center. Next message at 1,000 %.
    Ref       5F0C1C3E
    "#);
    sample.context.subscription_name = None;
    let told = shown(&payload(raised(sample)).await);
    assert!(told.starts_with("🔴 Contoso Nord / a subscription 900 % — "), "{told}");
}

/// What the second line advises.
async fn advice(sample: AlertSnapshot) -> String {
    let text = read(raised(sample)).await;
    let line = text.lines().nth(3).unwrap();
    line.rsplit_once("old). ").map_or("", |(_, advice)| advice).to_owned()
}

#[tokio::test]
async fn only_a_daily_rise_or_a_steep_climb_far_over_the_budget_is_treated_as_stolen_credentials() {
    let risen = |from: &str, to: &str, hours: i64| {
        let mut sample = told_by(Metric::PercentUsed, "100", "100");
        sample.alert.cost.amount = decimal(to);
        let since = sample.alert.usage_as_of.instant() - jiff::SignedDuration::from_hours(hours);
        sample.context.previous =
            Some(Previous { usage_as_of: since, cost: decimal(from), value: None });
        sample.context.cost_history.clear();
        sample
    };
    let stolen = "If this is not expected, treat it as stolen credentials.";
    let look = "If this is not expected, find out today what is running.";
    assert_eq!(advice(risen("9950", "10000", 24)).await, look, "200 %, but as on any day");
    assert_eq!(
        advice(risen("8700", "10000", 24)).await,
        stolen,
        "more than a quarter of the budget in a day"
    );
    assert_eq!(advice(risen("8800", "10000", 24)).await, look);
    assert_eq!(advice(risen("8800", "10000", 12)).await, stolen);
    assert_eq!(advice(risen("4900", "10000", 240)).await, stolen, "more than doubled");
    assert_eq!(advice(risen("100", "9999.99", 24)).await, look, "not far over");
    assert_eq!(advice(risen("1.50", "4.50", 24)).await, look, "small change");
    assert_eq!(advice(risen("10000", "10000", 0)).await, look, "a changed budget");
    assert_eq!(advice(risen("11000", "10000", 24)).await, look, "a correction downwards");
    let mut unknown = risen("100", "10000", 24);
    unknown.context.previous = None;
    assert_eq!(advice(unknown.clone()).await, look, "nothing is known of the time before");
    unknown.context.cost_history =
        vec![Point { at: time("2026-11-13T17:08:00Z"), cost: decimal("600") }];
    assert_eq!(advice(unknown).await, stolen, "history knows");
    let mut mild = risen("600", "10000", 24);
    mild.alert.severity = Severity::Warning;
    assert_eq!(advice(mild.clone()).await, look);
    mild.alert.severity = Severity::Info;
    assert_eq!(advice(mild).await, "");
    let mut unbudgeted = risen("100", "10000", 24);
    (unbudgeted.alert.metric, unbudgeted.alert.budget) = (Metric::UnbudgetedCost, None);
    assert_eq!(advice(unbudgeted).await, look, "there is no budget to be far over");
    let mut rise = watched(Metric::DailyCost, "1000");
    rise.alert.severity = Severity::Critical;
    assert_eq!(advice(rise).await, stolen);
    let mut stale = watched(Metric::StaleHours, "48");
    stale.alert.severity = Severity::Critical;
    assert_eq!(
        advice(stale).await,
        "Look whether the subscription was cancelled, or Microsoft is late."
    );
}
