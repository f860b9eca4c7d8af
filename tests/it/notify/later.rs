//! What comes after an alert: reminders that cannot be taken for news, and that it is over.

use budget_alertd::domain::spike::{RunSummary, SpikeView};
use budget_alertd::domain::{AlertSnapshot, Ended, Message, Metric, Severity, UsageDate};

use super::mail::{headline, raised, read, sent};
use super::metrics::spike;
use super::samples::{attacked, decimal, digest, ended, later, time, together, told_by, watched};
use super::slack::{payload, shown};

fn reminder(alerts: Vec<AlertSnapshot>) -> Message {
    Message::Reminder(together(alerts))
}

fn resolved(alerts: Vec<AlertSnapshot>) -> Message {
    Message::Resolved(together(alerts))
}

/// Raised two days ago, and worse since.
fn grown() -> AlertSnapshot {
    let mut sample = later(attacked(), "47000", Some("940"), Some("5000"));
    sample.alert.raised_at = time("2026-11-12T21:41:20Z");
    sample
}

/// Three customers, two of them critical.
fn several() -> Vec<AlertSnapshot> {
    digest(3, false)
        .alerts
        .into_iter()
        .map(|one| later(one, "47000", Some("940"), Some("5000")))
        .collect()
}

/// At 97 % of 500 SEK, until the budget became this.
fn relieved(value: Option<&str>, budget: Option<&str>) -> AlertSnapshot {
    let mut sample = told_by(Metric::PercentUsed, "97", "80");
    sample.alert.budget.as_mut().unwrap().amount = decimal("500");
    sample.alert.cost.amount = decimal("485");
    ended(later(sample, "488", value, budget), Ended::Budget)
}

#[tokio::test]
async fn a_reminder_says_since_when_what_it_was_and_how_to_end_it() {
    insta::assert_snapshot!(read(reminder(vec![grown()])).await, @r#"
    REMINDER CRITICAL Contoso Nord still 940% of budget: 47,000 of 5,000 SEK (open for 2 d)

    Reminder: Contoso Nord is 42,000 SEK over its November budget. Open since Thu 12 Nov 22:41 CET (2 d), not acknowledged.
    900 % when raised, 940 % now. Usage as of Sat 14 Nov 21:08 CET (1 h 36 min old). To end the reminders: budget-alertd ack 5F0C1C3E

    Raised    Thu 12 Nov 22:41 CET: 900 %, 45,000 of 5,000 SEK
    Now       940 %, 47,000 of 5,000 SEK, usage as of Sat 14 Nov 21:08 CET
    Where     Prod 43,900 SEK · Azure plan 1,000 SEK · 2 others 100 SEK (when raised)
    Pace      940 % used with 46 % of the period over; at this pace 102,000 SEK by 30 Nov
    Do        budget-alertd ack 5F0C1C3E · budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
              Customer in Partner Center: https://partner.microsoft.com/commerce/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions
    Contact   it@contoso.example
    Why you   rule "spend" (Share of the monthly budget), step 900 % (80 % and 100 % passed), 1–30 Nov, budget from Partner Center. Next message at 1,000 %.
    Ref       5F0C1C3E
    "#);
    assert_eq!(
        shown(&payload(reminder(vec![grown()])).await),
        r"🔁 🔴 REMINDER Contoso Nord still 940 % — 47,000 of 5,000 SEK, 42,000 over
Open for 2 d since Thu 12 Nov 22:41 CET, 900 % → 940 %. Usage as of Sat 14 Nov 21:08 CET (1 h 36 min old).
[section] 🔁 🔴 *REMINDER Contoso Nord still 940 %* — 47,000 of 5,000 SEK, 42,000 over
Open for 2 d since Thu 12 Nov 22:41 CET, 900 % → 940 %. Usage as of <!date^1794686891^{date_short_pretty} {time}|Sat 14 Nov 21:08 CET> (1 h 36 min old).
[context] Contact it@contoso.example
[context] To end the reminders: budget-alertd ack 5F0C1C3E · budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
[context] <https://partner.microsoft.com/commerce/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions|Partner Center> · spend ≥ 900 % · Nov · 5F0C1C3E"
    );
}

#[tokio::test]
async fn a_reminder_under_another_budget_says_so() {
    let mut sample = later(attacked(), "45000", Some("900"), Some("4000"));
    sample.alert.raised_at = time("2026-11-12T21:41:20Z");
    let text = read(reminder(vec![sample])).await;
    let wanted = [
        "900 % when raised and now.",
        "Budget    5,000 → 4,000 SEK since it was raised",
        "still 900% of budget: 45,000 of 4,000 SEK",
    ];
    assert!(wanted.iter().all(|wanted| text.contains(wanted)), "{text}");
}

#[tokio::test]
async fn every_metric_is_reminded_of_in_its_own_words() {
    let samples = [
        (Metric::ForecastPercent, "120", "140.2"),
        (Metric::Pace, "9", "10"),
        (Metric::DailyCost, "1000", "2000"),
        (Metric::DailyPercent, "20", "40"),
        (Metric::StaleHours, "48", "76.4"),
        (Metric::AmountLeft, "2500", "2050"),
        (Metric::TotalCost, "1000", "2950"),
        (Metric::UsdTotalCost, "100", "295"),
    ];
    let mut told = Vec::new();
    for (metric, at, value) in samples {
        let mut sample = later(watched(metric, at), "2950", Some(value), Some("5000"));
        sample.alert.raised_at = time("2026-11-12T21:41:20Z");
        told.push(headline(reminder(vec![sample])).await);
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    REMINDER WARNING Contoso Nord is still heading for 140% of budget: 2,950 of 5,000 SEK after 46% of November (open for 2 d)
    Reminder: Contoso Nord is heading for 140 % of its November budget: 7,010 SEK by 30 Nov if it goes on as so far. Open since Thu 12 Nov 22:41 CET (2 d), not acknowledged.
    REMINDER WARNING Contoso Nord is still 10 points ahead of the month: 2,950 of 5,000 SEK after 46% of November (open for 2 d)
    Reminder: Contoso Nord has used 59 % of its November budget with 46 % of the month over: 10 points ahead of the month. Open since Thu 12 Nov 22:41 CET (2 d), not acknowledged.
    REMINDER WARNING Contoso Nord still +2,000 SEK a day: 2,950 of 5,000 SEK (open for 2 d)
    Reminder: Contoso Nord rises by 2,000 SEK a day and has cost 2,950 SEK in November; 2,050 SEK of its November budget is left. Open since Thu 12 Nov 22:41 CET (2 d), not acknowledged.
    REMINDER WARNING Contoso Nord still +40% of budget a day: 2,950 of 5,000 SEK (open for 2 d)
    Reminder: Contoso Nord rises by 40 % of its November budget a day and has cost 2,950 SEK in November; 2,050 SEK of it is left. Open since Thu 12 Nov 22:41 CET (2 d), not acknowledged.
    REMINDER WARNING Contoso Nord: still no new usage for 76 h: 2,950 of 5,000 SEK so far (open for 2 d)
    Reminder: Contoso Nord has had no new usage for 76 h, since Sat 14 Nov 21:08 CET; it stands at 2,950 of 5,000 SEK. Open since Thu 12 Nov 22:41 CET (2 d), not acknowledged.
    REMINDER WARNING Contoso Nord still 2,050 SEK left of budget: 2,950 of 5,000 SEK (open for 2 d)
    Reminder: Contoso Nord has 2,050 SEK left of its November budget. Open since Thu 12 Nov 22:41 CET (2 d), not acknowledged.
    REMINDER WARNING Contoso Nord still 2,950 SEK in November (open for 2 d)
    Reminder: Contoso Nord has cost 2,950 SEK in November. Open since Thu 12 Nov 22:41 CET (2 d), not acknowledged.
    REMINDER WARNING Contoso Nord still 295 USD in November (open for 2 d)
    Reminder: Contoso Nord has cost 295 USD in November (2,950 SEK). Open since Thu 12 Nov 22:41 CET (2 d), not acknowledged.
    ");
}

#[tokio::test]
async fn several_reminders_are_a_digest_of_them() {
    insta::assert_snapshot!(read(reminder(several())).await, @r"
    REMINDER [3 alerts still open, 3 CRITICAL] Contoso Nord 940%, Wingtip Toys 940%, Litware 940%

    Reminder: 3 alerts are still open and not acknowledged, 3 critical.
    Usage as of Sat 14 Nov 21:08 CET (1 h 36 min old). To end the reminders of one: budget-alertd ack REF

    Alerts    3 critical
    Cost      47,000 GBP · 94,000 SEK
    Over      42,000 GBP · 84,000 SEK

      Customer       Used  Cost / budget               Over  Rule, period, reference
    CRITICAL
      Contoso Nord  940 %  47,000 of 5,000 SEK  42,000 over  spend ≥ 900 % · Nov · 10000000
        Raised Sat 14 Nov 22:41 CET (900 %).
      Wingtip Toys  940 %  47,000 of 5,000 GBP  42,000 over  spend ≥ 900 % · Nov · 10000001
        Raised Sat 14 Nov 22:41 CET (835 %).
      Litware       940 %  47,000 of 5,000 SEK  42,000 over  spend ≥ 900 % · Nov · 10000002
        Raised Sat 14 Nov 22:41 CET (770 %).
    ");
    insta::assert_snapshot!(shown(&payload(reminder(several())).await), @r"
    REMINDER [3 alerts still open, 3 CRITICAL] Contoso Nord 940%, Wingtip Toys 940%, Litware 940%
    Usage as of Sat 14 Nov 21:08 CET (1 h 36 min old). To end the reminders of one: budget-alertd ack REF
    [section] *REMINDER [3 alerts still open, 3 CRITICAL] Contoso Nord 940%, Wingtip Toys 940%, Litware 940%*
    Usage as of Sat 14 Nov 21:08 CET (1 h 36 min old). To end the reminders of one: budget-alertd ack REF
    [section] 🔁 🔴 *Contoso Nord 940 %* — 47,000 of 5,000 SEK, 42,000 over · Raised Sat 14 Nov 22:41 CET (900 %) · 10000000
    🔁 🔴 *Wingtip Toys 940 %* — 47,000 of 5,000 GBP, 42,000 over · Raised Sat 14 Nov 22:41 CET (835 %) · 10000001
    🔁 🔴 *Litware 940 %* — 47,000 of 5,000 SEK, 42,000 over · Raised Sat 14 Nov 22:41 CET (770 %) · 10000002
    [context] Alerts: 3 critical
    [context] Cost: 47,000 GBP · 94,000 SEK
    [context] Over: 42,000 GBP · 84,000 SEK
    ");
}

#[tokio::test]
async fn what_a_changed_budget_ended_is_told_calmly() {
    insta::assert_snapshot!(read(resolved(vec![relieved(Some("61"), Some("800"))])).await, @r#"
    RESOLVED Contoso Nord: budget 500 → 800 SEK, 97% → 61%

    The budget of Contoso Nord was changed: 500 → 800 SEK, 97 % → 61 %. The step of 80 % is no longer reached.
    488 of 800 SEK in November. Usage as of Sat 14 Nov 21:08 CET (1 h 36 min old). Nothing to do.

    Raised    Sat 14 Nov 22:41 CET: 97 %, 485 of 500 SEK
    Now       61 %, 488 of 800 SEK, usage as of Sat 14 Nov 21:08 CET
    Budget    500 → 800 SEK since it was raised
    Explain   budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
    Why you   rule "spend" (Share of the monthly budget), step 80 %, 1–30 Nov, budget from Partner Center.
    Ref       5F0C1C3E
    "#);
    assert_eq!(
        shown(&payload(resolved(vec![relieved(Some("61"), Some("800"))])).await),
        r"🟢 RESOLVED Contoso Nord 61 % — 488 of 800 SEK, 312 left
The budget of Contoso Nord was changed: 500 → 800 SEK, 97 % → 61 %. The step of 80 % is no longer reached.
[section] 🟢 *RESOLVED Contoso Nord 61 %* — 488 of 800 SEK, 312 left
The budget of Contoso Nord was changed: 500 → 800 SEK, 97 % → 61 %. The step of 80 % is no longer reached.
[context] Raised Sat 14 Nov 22:41 CET (97 %).
[context] spend ≥ 80 % · Nov · 5F0C1C3E"
    );
    assert_eq!(
        headline(resolved(vec![relieved(None, None)])).await,
        r"RESOLVED Contoso Nord: budget 500 SEK → none
The budget of Contoso Nord was changed: 500 SEK → none. The step of 80 % is no longer reached."
    );
}

#[tokio::test]
async fn what_the_end_of_its_period_ended_has_its_final_numbers() {
    insta::assert_snapshot!(read(resolved(vec![ended(grown(), Ended::Period)])).await, @r#"
    RESOLVED Contoso Nord: November is over, ended at 940% of budget: 47,000 of 5,000 SEK

    November is over for Contoso Nord. It ended at 47,000 of 5,000 SEK, 940 % of the budget.
    Usage as of Sat 14 Nov 21:08 CET (1 h 36 min old). Nothing to do.

    Raised    Thu 12 Nov 22:41 CET: 900 %, 45,000 of 5,000 SEK
    Now       940 %, 47,000 of 5,000 SEK, usage as of Sat 14 Nov 21:08 CET
    Explain   budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
    Why you   rule "spend" (Share of the monthly budget), step 900 % (80 % and 100 % passed), 1–30 Nov, budget from Partner Center.
    Ref       5F0C1C3E
    "#);
    assert_eq!(
        shown(&payload(resolved(vec![ended(grown(), Ended::Period)])).await),
        r"🟢 RESOLVED Contoso Nord 940 % — 47,000 of 5,000 SEK, 42,000 over
November is over for Contoso Nord. It ended at 47,000 of 5,000 SEK, 940 % of the budget.
[section] 🟢 *RESOLVED Contoso Nord 940 %* — 47,000 of 5,000 SEK, 42,000 over
November is over for Contoso Nord. It ended at 47,000 of 5,000 SEK, 940 % of the budget.
[context] Raised Thu 12 Nov 22:41 CET (900 %).
[context] spend ≥ 900 % · Nov · 5F0C1C3E"
    );
}

#[tokio::test]
async fn the_first_numbers_of_the_next_period_are_not_taken_for_the_last_of_this_one() {
    let mut sample = ended(grown(), Ended::Period);
    let latest = sample.context.latest.as_mut().unwrap();
    latest.usage_as_of = UsageDate::parse("2026-12-01T17:08:11Z").unwrap();
    (latest.cost, latest.value) = (decimal("12"), Some(decimal("0.24")));
    let text = read(resolved(vec![sample])).await;
    assert!(!text.contains("12 of 5,000") && !text.contains("0.24"), "{text}");
    assert_eq!(
        text.lines().take(3).collect::<Vec<_>>().join("\n"),
        r"RESOLVED Contoso Nord: November is over, raised at 900% of budget: 45,000 of 5,000 SEK

November is over for Contoso Nord. When it was raised, it stood at 45,000 of 5,000 SEK, 900 % of the budget."
    );
}

#[tokio::test]
async fn an_alert_that_a_silence_covered_is_new_with_its_latest_numbers() {
    insta::assert_snapshot!(read(raised(grown())).await, @r#"
    CRITICAL Contoso Nord 940% of budget: 47,000 of 5,000 SEK

    Contoso Nord is 42,000 SEK over its November budget.
    Usage as of Sat 14 Nov 21:08, seen 22:45 CET (1 h 36 min old). If this is not expected, treat it as stolen credentials.

    Silence   Raised Thu 12 Nov 22:41 CET (900 %) under a silence; told now that none covers it.
    Pace      940 % used with 46 % of the period over; at this pace 102,000 SEK by 30 Nov
    Do        budget-alertd ack 5F0C1C3E · budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
              Customer in Partner Center: https://partner.microsoft.com/commerce/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions
    Contact   it@contoso.example
    Why you   rule "spend" (Share of the monthly budget), step 900 % (80 % and 100 % passed), 1–30 Nov, budget from Partner Center. Next message at 1,000 %.
    Ref       5F0C1C3E
    "#);
    assert_eq!(
        shown(&payload(raised(grown())).await),
        r"🔴 Contoso Nord 940 % — 47,000 of 5,000 SEK, 42,000 over
Data Sat 14 Nov 21:08 CET (1 h 36 min old)
[section] 🔴 *Contoso Nord 940 %* — 47,000 of 5,000 SEK, 42,000 over
Data <!date^1794686891^{date_short_pretty} {time}|Sat 14 Nov 21:08 CET> (1 h 36 min old)
[context] Raised Thu 12 Nov 22:41 CET (900 %) under a silence; told now that none covers it.
[context] Contact it@contoso.example
[context] If this is not expected, treat it as stolen credentials. budget-alertd ack 5F0C1C3E · budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
[context] <https://partner.microsoft.com/commerce/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions|Partner Center> · spend ≥ 900 % · Nov · 5F0C1C3E"
    );
}

#[tokio::test]
async fn several_that_are_over_are_a_digest_of_them() {
    let alerts = || {
        let over = several().into_iter().map(|one| ended(one, Ended::Period));
        std::iter::once(relieved(Some("61"), Some("800"))).chain(over).collect()
    };
    insta::assert_snapshot!(read(resolved(alerts())).await, @r"
    RESOLVED [4 alerts] Contoso Nord (id 11111111…96e6) 61%, Contoso Nord (id customer-0) 940%, Wingtip Toys 940%, Litware 940%

    4 alerts are resolved. The budget was changed for 1 of them, the billing period is over for 3.
    Usage as of Sat 14 Nov 21:08 CET (1 h 36 min old). Nothing to do.

      Customer                          Used  Cost / budget               Over  Rule, period, reference
    was CRITICAL
      Contoso Nord (id 11111111…96e6)   61 %  488 of 800 SEK          312 left  spend ≥ 80 % · Nov · 5F0C1C3E
        Budget 500 → 800 SEK, 97 % → 61 %. Raised Sat 14 Nov 22:41 CET (97 %).
      Contoso Nord (id customer-0)     940 %  47,000 of 5,000 SEK  42,000 over  spend ≥ 900 % · Nov · 10000000
        November is over. Raised Sat 14 Nov 22:41 CET (900 %).
      Wingtip Toys                     940 %  47,000 of 5,000 GBP  42,000 over  spend ≥ 900 % · Nov · 10000001
        November is over. Raised Sat 14 Nov 22:41 CET (835 %).
      Litware                          940 %  47,000 of 5,000 SEK  42,000 over  spend ≥ 900 % · Nov · 10000002
        November is over. Raised Sat 14 Nov 22:41 CET (770 %).
    ");
    assert_eq!(
        shown(&payload(resolved(alerts())).await),
        r"RESOLVED [4 alerts] Contoso Nord (id 11111111…96e6) 61%, Contoso Nord (id customer-0) 940%, Wingtip Toys 940%, Litware 940%
Usage as of Sat 14 Nov 21:08 CET (1 h 36 min old). Nothing to do.
[section] *RESOLVED [4 alerts] Contoso Nord (id 11111111…96e6) 61%, Contoso Nord (id customer-0) 940%, Wingtip Toys 940%, Litware 940%*
Usage as of Sat 14 Nov 21:08 CET (1 h 36 min old). Nothing to do.
[section] 🟢 *Contoso Nord (id 11111111…96e6) 61 %* — 488 of 800 SEK, 312 left · Budget 500 → 800 SEK, 97 % → 61 %. Raised Sat 14 Nov 22:41 CET (97 %) · 5F0C1C3E
🟢 *Contoso Nord (id customer-0) 940 %* — 47,000 of 5,000 SEK, 42,000 over · November is over. Raised Sat 14 Nov 22:41 CET (900 %) · 10000000
🟢 *Wingtip Toys 940 %* — 47,000 of 5,000 GBP, 42,000 over · November is over. Raised Sat 14 Nov 22:41 CET (835 %) · 10000001
🟢 *Litware 940 %* — 47,000 of 5,000 SEK, 42,000 over · November is over. Raised Sat 14 Nov 22:41 CET (770 %) · 10000002"
    );
}

#[tokio::test]
async fn mails_about_one_alert_are_one_thread_and_its_end_is_not_urgent() {
    let mut other = attacked();
    other.alert.id = uuid::Uuid::from_u128(9);
    let mails = sent(vec![
        raised(attacked()),
        reminder(vec![grown()]),
        resolved(vec![ended(grown(), Ended::Period)]),
        raised(other),
        reminder(several()),
    ])
    .await;
    let header = |mail: &String, name: &str| {
        let unfolded = mail.replace("\r\n ", " ");
        unfolded.lines().find(|line| line.starts_with(name)).map(ToOwned::to_owned)
    };
    let threads: Vec<_> = mails.iter().map(|mail| header(mail, "References: ")).collect();
    assert!(
        threads[0] == threads[1] && threads[0] == threads[2] && threads[0] != threads[3],
        "{threads:?}"
    );
    assert_eq!(threads[4], None);
    let root =
        |thread: &Option<String>| thread.as_ref().unwrap().split(' ').nth(1).unwrap().to_owned();
    assert_eq!(
        root(&threads[0]),
        root(&threads[3]),
        "alerts of one customer and period stay together"
    );
    let urgent: Vec<_> = mails.iter().map(|mail| header(mail, "Importance").is_some()).collect();
    assert_eq!(urgent, [true, true, false, true, true]);
    assert!(
        mails.iter().all(|mail| header(mail, "Auto-Submitted").as_deref()
            == Some("Auto-Submitted: auto-generated"))
    );
}

#[tokio::test]
async fn what_comes_later_stays_within_the_limits_of_a_chat() {
    let mut alerts = digest(30, false).alerts;
    for sample in &mut alerts {
        sample.alert.customer.label = Some("&".repeat(200));
        sample.alert.severity = Severity::Critical;
        *sample = ended(
            later(sample.clone(), "79228162514264337593543950335", Some("1"), Some("1")),
            Ended::Period,
        );
    }
    for message in [reminder(alerts.clone()), resolved(alerts)] {
        let payload = payload(message).await;
        let blocks = payload["blocks"].as_array().unwrap();
        let lengths: Vec<_> =
            blocks.iter().map(|block| block["text"]["text"].as_str().map_or(0, str::len)).collect();
        assert!(blocks.len() <= 50 && lengths.iter().all(|length| *length <= 3000), "{lengths:?}");
        assert!(
            blocks.iter().map(|block| block.to_string().chars().count()).sum::<usize>() <= 13_000,
            "{lengths:?}"
        );
    }
}

/// A spike of three days, with how the day after is.
fn run_over(by: Ended) -> AlertSnapshot {
    let mut over = ended(later(spike("40", Some("31")), "4200", Some("1.03"), Some("5000")), by);
    let latest = over.context.latest.as_mut().unwrap();
    latest.spike = Some(SpikeView {
        day: "2026-11-17".parse().unwrap(),
        rate: decimal("41"),
        excess: decimal("1"),
        times: Some(decimal("1.03")),
        ..over.alert.spike.unwrap()
    });
    latest.run = Some(RunSummary {
        first_day: "2026-11-14".parse().unwrap(),
        last_day: "2026-11-16".parse().unwrap(),
        days: 3,
        excess: decimal("3600"),
        over_on: Some("2026-11-17".parse().unwrap()),
    });
    over
}

/// One that is usual again.
pub(super) fn over_again(spike: AlertSnapshot) -> AlertSnapshot {
    AlertSnapshot { context: run_over(Ended::Usual).context, ..spike }
}

#[tokio::test]
async fn the_end_of_a_spike_says_why_and_what_it_came_to() {
    let mut told = Vec::new();
    for by in [Ended::Usual, Ended::Expected, Ended::NewNormal, Ended::NewSeries] {
        told.push(headline(resolved(vec![run_over(by)])).await);
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    RESOLVED Contoso Nord: spending is usual again, 3,600 SEK more than usual in 3 days
    Contoso Nord spends as usual again: about 41 SEK on Tue 17 Nov. From Sat 14 Nov to Mon 16 Nov it spent 3,600 SEK more than usual.
    RESOLVED Contoso Nord: the spike was expected, 3,600 SEK more than usual in 3 days
    The spike of Contoso Nord was marked as expected. From Sat 14 Nov to Mon 16 Nov it spent 3,600 SEK more than usual.
    RESOLVED Contoso Nord: the spending counts as usual now, 3,600 SEK more than usual in 3 days
    What Contoso Nord has been spending for 14 days counts as usual from now on. From Sat 14 Nov to Mon 16 Nov it spent 3,600 SEK more than usual.
    RESOLVED Contoso Nord: its currency or plan has changed, 3,600 SEK more than usual in 3 days
    The currency or the plan of Contoso Nord has changed: what is usual is learned anew. From Sat 14 Nov to Mon 16 Nov it spent 3,600 SEK more than usual.
    ");
}

#[tokio::test]
async fn the_end_of_a_spike_shows_no_day_after_it() {
    let mut late = run_over(Ended::Usual);
    let newest = late.context.latest.as_mut().unwrap().spike.as_mut().unwrap();
    (newest.day, newest.rate) = ("2026-11-18".parse().unwrap(), decimal("900"));
    insta::assert_snapshot!(headline(resolved(vec![late])).await, @r"
    RESOLVED Contoso Nord: spending is usual again, 3,600 SEK more than usual in 3 days
    Contoso Nord spends as usual again. From Sat 14 Nov to Mon 16 Nov it spent 3,600 SEK more than usual.
    ");
}

#[tokio::test]
async fn a_reminder_of_a_spike_has_the_numbers_of_the_day_as_they_are_now() {
    let mut grown = later(spike("40", Some("31")), "4200", Some("35"), Some("5000"));
    let now = SpikeView {
        rate: decimal("1400"),
        excess: decimal("1360"),
        times: Some(decimal("35")),
        ..grown.alert.spike.unwrap()
    };
    grown.context.latest.as_mut().unwrap().spike = Some(now);
    insta::assert_snapshot!(read(reminder(vec![grown])).await, @r#"
    REMINDER CRITICAL Contoso Nord spent 35 times the usual: 1,400 SEK on 14 Nov (usually 40) (open for 3 min)

    Reminder: Contoso Nord spent about 1,400 SEK on Sat 14 Nov; 40 is usual (median of 35 days), 1,360 more than usual. Open since Sat 14 Nov 22:41 CET (3 min), not acknowledged.
    31 times the usual when raised, 35 times the usual now. Usage as of Sat 14 Nov 21:08 CET (1 h 36 min old). To end the reminders: budget-alertd ack 5F0C1C3E

    Raised    Sat 14 Nov 22:41 CET: 31 times the usual, 2,950 of 5,000 SEK
    Now       35 times the usual, 4,200 of 5,000 SEK, usage as of Sat 14 Nov 21:08 CET
    Pace      84 % used with 46 % of the period over; at this pace 9,100 SEK by 30 Nov
    Do        budget-alertd ack 5F0C1C3E · budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
              Customer in Partner Center: https://partner.microsoft.com/commerce/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions
    Contact   it@contoso.example
    Why you   rule "spend" (Share of the monthly budget), step 3 times the usual, 1–30 Nov.
    Ref       5F0C1C3E
    "#);
}
