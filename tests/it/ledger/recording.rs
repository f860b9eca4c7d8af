//! What is recorded is there exactly, and whole or not at all.

use std::collections::BTreeSet;

use super::*;

#[tokio::test]
async fn what_is_recorded_is_recalled_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    ledger.record(one_alert(7, "spend", "slack", Severity::Critical)).await.unwrap();
    ledger.record(Recording { seen: vec![seen(2)], ..Recording::default() }).await.unwrap();
    ledger.close().await.unwrap();

    let ledger = open(&config(&folder)).unwrap();
    let known = known(&ledger).await.unwrap();
    let fingerprints: Vec<u64> = known.iter().map(KnownCustomer::fingerprint).collect();
    assert_eq!(fingerprints, [u64::MAX - 5; 2]);

    let remembered = ledger
        .recall(
            [1, 2, 3].map(|number| (customer(number).key(), period().start)).to_vec(),
            Depth::default(),
        )
        .await
        .unwrap();
    assert_eq!(remembered.len(), 2);
    let one = &remembered[&customer(1).key()];
    // Debug shows the digits, which equality of decimals and ids does not ask for.
    assert_eq!(format!("{:?}", one.seen), format!("{:?}", seen(1)));
    assert_eq!(one.steps.len(), 1);
    assert_eq!(one.steps[0].at.to_string(), "100");
    assert_eq!(one.steps[0].amount, Some(decimal("20")));
    assert!(one.steps[0].raised && one.steps[0].seen_below.is_none());

    let due = ledger.due("slack", vec![], 10).await.unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].identity, id(1007));
    assert_eq!(
        format!("{:?}", due[0].message),
        format!("{:?}", Message::Alert(Box::new(snapshot(7, "spend", Severity::Critical))))
    );
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn a_last_seen_state_replaces_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    let bare = CustomerState {
        customer: CustomerId::try_new(customer(1).as_str().to_lowercase()).unwrap(),
        label: None,
        plan: Plan::AzurePlan,
        usd_cost: None,
        currency: None,
        reported_percent: None,
        computed_percent: None,
        budget: None,
        partner_center_budget: None,
        named: NamedPeriods::NONE,
        series_since: None,
        own_currency: None,
        asked: None,
        fingerprint: 3,
        ..seen(1)
    };
    ledger.record(Recording { seen: vec![seen(1)], ..Recording::default() }).await.unwrap();
    ledger.record(Recording { seen: vec![bare.clone()], ..Recording::default() }).await.unwrap();
    let known = known(&ledger).await.unwrap();
    assert_eq!(known.iter().map(KnownCustomer::fingerprint).collect::<Vec<_>>(), [3]);
    let remembered =
        ledger.recall(vec![(customer(1).key(), period().start)], Depth::default()).await.unwrap();
    assert_eq!(format!("{:?}", remembered[&customer(1).key()].seen), format!("{bare:?}"));
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn the_same_recording_twice_is_refused_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    ledger.record(one_alert(7, "spend", "slack", Severity::Critical)).await.unwrap();
    let again = Recording {
        seen: vec![seen(1), seen(2)],
        ..one_alert(7, "spend", "slack", Severity::Critical)
    };
    assert!(matches!(ledger.record(again).await, Err(LedgerError::Conflict { .. })));
    assert_eq!(known(&ledger).await.unwrap().len(), 1);
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn one_entry_that_does_not_fit_keeps_all_of_its_recording_out() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    ledger.record(one_alert(1, "spend", "slack", Severity::Critical)).await.unwrap();
    let sound = || one_alert(2, "other", "slack", Severity::Critical);
    let misfits: [(&str, Recording); 6] = [
        (
            "a step that is spent",
            Recording {
                steps: vec![NewStep { alert: id(2), ..step(2, "spend", "100.00") }],
                ..sound()
            },
        ),
        (
            "a step of an unknown alert",
            Recording { steps: vec![step(99, "other", "100")], ..sound() },
        ),
        (
            "a step of an unknown customer",
            Recording {
                steps: vec![NewStep { customer: customer(9).key(), ..step(2, "other", "100") }],
                ..sound()
            },
        ),
        (
            "a message of an unknown alert",
            Recording { messages: vec![message(1002, "slack", 99, Severity::Info)], ..sound() },
        ),
        (
            "a message that is owed",
            Recording { messages: vec![message(1001, "slack", 2, Severity::Info)], ..sound() },
        ),
        (
            "one recipient twice",
            Recording {
                messages: vec![NewMessage {
                    recipients: Recipients::Addresses(vec!["oncall@x.example".into(); 2]),
                    ..message(1002, "slack", 2, Severity::Info)
                }],
                ..sound()
            },
        ),
    ];
    for (what, misfit) in misfits {
        let misfit = Recording { seen: vec![seen(1), seen(2)], ..misfit };
        assert!(matches!(ledger.record(misfit).await, Err(LedgerError::Conflict { .. })), "{what}");
        assert_eq!(known(&ledger).await.unwrap().len(), 1, "{what}");
        assert_eq!(ledger.due("slack", vec![], 10).await.unwrap().len(), 1, "{what}");
        assert_eq!(
            ledger
                .recall(vec![(customer(1).key(), period().start)], Depth::default())
                .await
                .unwrap()[&customer(1).key()]
                .steps
                .len(),
            1,
            "{what}"
        );
    }
    ledger.record(sound()).await.unwrap();
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn a_step_is_spent_again_under_another_amount_or_in_another_period() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    ledger.record(one_alert(1, "spend", "slack", Severity::Critical)).await.unwrap();
    let november =
        BillingPeriod::calendar_month(at("2026-11-05T12:00:00Z"), PeriodSource::CalendarMonth);
    let steps = vec![
        NewStep { amount: Some(decimal("30")), ..step(1, "spend", "100") },
        NewStep { amount: None, ..step(1, "spend", "100") },
        NewStep { period: november, ..step(1, "spend", "100") },
        NewStep { raised: false, ..step(1, "spend", "80") },
    ];
    ledger.record(Recording { steps, ..Recording::default() }).await.unwrap();
    let steps =
        ledger.recall(vec![(customer(1).key(), period().start)], Depth::default()).await.unwrap()
            [&customer(1).key()]
            .steps
            .clone();
    let amounts: Vec<_> = steps
        .iter()
        .map(|step| step.amount.map(|amount| amount.to_string()).unwrap_or_default())
        .collect();
    assert_eq!(amounts, ["20", "30", "", "20", "20"]);
    assert!(!steps[4].raised);
    ledger
        .record(Recording {
            seen_below: vec![(steps[1].row, Some(decimal("45.50")))],
            ..Recording::default()
        })
        .await
        .unwrap();
    let below =
        ledger.recall(vec![(customer(1).key(), period().start)], Depth::default()).await.unwrap()
            [&customer(1).key()]
            .steps
            .clone();
    assert_eq!(
        below.iter().map(|step| step.seen_below).collect::<Vec<_>>(),
        [None, Some(decimal("45.50")), None, None, None]
    );
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn polls_are_remembered_and_good_ones_settle_their_rules() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    assert_eq!(ledger.read(Reader::poll_memory).await.unwrap(), PollMemory::default());
    let good = PollResult {
        at: at("2026-10-05T12:00:00Z"),
        good: true,
        records: 4,
        skipped: 1,
        alerts: 2,
        newest: Some(at("2026-10-05T11:00:00.1234567Z")),
        errors: vec!["a \"quoted\" oddity".into()],
        uncovered: Some(3),
        rules: vec!["spend".into(), "abc".into()],
    };
    let failed = PollResult {
        at: at("2026-10-05T13:00:00Z"),
        good: false,
        newest: None,
        rules: vec!["new".into()],
        ..good.clone()
    };
    ledger.finish_poll(good.clone()).await.unwrap();
    ledger.finish_poll(failed.clone()).await.unwrap();
    let memory = ledger.read(Reader::poll_memory).await.unwrap();
    assert_eq!(memory.last_good_at, Some(good.at));
    assert_eq!(memory.last_good_items, Some(5), "usable or not");
    assert_eq!(memory.uncovered, Some(3));
    assert_eq!(memory.settled_rules, ["abc".into(), "spend".into()]);
    let status = Reader::open(&config(&folder)).unwrap().polls().unwrap();
    assert_eq!(status.last, Some(PollResult { rules: vec![], ..failed }));
    assert_eq!(status.last_good, Some(PollResult { rules: vec![], ..good }));
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn a_failed_poll_leaves_the_last_good_one_when_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    let good = PollResult {
        at: at("2026-10-05T12:00:00Z"),
        good: true,
        records: 4,
        skipped: 1,
        alerts: 0,
        newest: Some(at("2026-10-05T11:08:11Z")),
        errors: vec![],
        uncovered: Some(3),
        rules: vec!["spend".into()],
    };
    let steady = PollResult { at: at("2026-10-05T18:00:00Z"), ..good.clone() };
    let failed =
        PollResult { at: at("2026-10-05T19:00:00Z"), good: false, newest: None, ..good.clone() };
    for result in [
        good,
        steady.clone(),
        failed.clone(),
        PollResult { at: at("2026-10-05T20:00:00Z"), ..failed },
    ] {
        ledger.finish_poll(result).await.unwrap();
    }
    assert_eq!(ledger.read(Reader::poll_memory).await.unwrap().last_good_at, Some(steady.at));
    let status = Reader::open(&config(&folder)).unwrap().polls().unwrap();
    assert_eq!(status.last_good, Some(PollResult { rules: vec![], ..steady }));
    assert_eq!(status.last.unwrap().at, at("2026-10-05T20:00:00Z"));
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn a_clock_that_was_ahead_costs_no_history() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    let sample = |date| NewSample {
        customer: customer(1).key(),
        usage_as_of: at(date),
        seen_at: at(date),
        cost: decimal("1"),
        usd_cost: None,
        partner_center_budget: None,
        reported_percent: None,
        carried_over: false,
    };
    let record = |dates: [&'static str; 2]| {
        let samples = dates.map(sample).to_vec();
        ledger.record(Recording { seen: vec![seen(1)], samples, ..Recording::default() })
    };
    let good = PollResult {
        at: at("2036-10-05T12:00:00Z"),
        good: true,
        records: 1,
        skipped: 0,
        alerts: 0,
        newest: Some(at("2026-10-05T11:00:00Z")),
        errors: vec![],
        uncovered: None,
        rules: vec![],
    };
    let dates = || {
        let history = Reader::open(&config(&folder)).unwrap().history(&customer(1).key()).unwrap();
        history.iter().map(|sample| sample.usage_as_of.to_string()).collect::<Vec<_>>()
    };
    record(["2026-09-01T10:00:00Z", "2026-10-05T11:00:00Z"]).await.unwrap();
    ledger.finish_poll(good).await.unwrap();
    ledger.forget_old(at("2036-10-05T12:00:00Z"), jiff::SignedDuration::ZERO).await.unwrap();
    assert_eq!(dates(), ["2026-09-01T10:00:00Z", "2026-10-05T11:00:00Z"]);
    record(["2026-09-02T10:00:00Z", "2026-09-02T11:00:00Z"]).await.unwrap();
    ledger.forget_old(at("2026-10-05T12:00:00Z"), jiff::SignedDuration::ZERO).await.unwrap();
    assert_eq!(
        dates(),
        ["2026-09-01T10:00:00Z", "2026-09-02T11:00:00Z", "2026-10-05T11:00:00Z"],
        "it is thinned again at once"
    );
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn an_alert_told_by_a_clock_that_was_ahead_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    let alert = NewAlert {
        remind_every: Some(Duration::from_hours(24)),
        ..told(snapshot(1, "spend", Severity::Warning))
    };
    ledger
        .record(Recording { seen: vec![seen(1)], alerts: vec![alert], ..Recording::default() })
        .await
        .unwrap();
    for (now, customers) in
        [("2026-10-05T11:59:59Z", 1), ("2026-10-05T12:00:00Z", 0), ("2026-10-06T12:00:00Z", 1)]
    {
        assert_eq!(
            ledger.to_review(vec![], at(now), None).await.unwrap().len(),
            customers,
            "{now}"
        );
    }
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn a_hundred_thousand_customers_are_recorded_and_scanned() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&config(&folder)).unwrap();
    for batch in 0..50_u128 {
        let seen = (0..2000).map(|number| seen(batch * 2000 + number)).collect();
        ledger.record(Recording { seen, ..Recording::default() }).await.unwrap();
    }
    let known = known(&ledger).await.unwrap();
    let known: BTreeSet<u128> = known.iter().map(KnownCustomer::customer).collect();
    assert!(known.into_iter().eq(0..100_000));
    ledger.close().await.unwrap();
}

#[tokio::test]
async fn a_preview_reads_and_writes_a_copy() {
    let folder = tempfile::tempdir().unwrap();
    let empty = Ledger::preview(&config(&folder), Metrics::new(), clock()).unwrap();
    empty.record(one_alert(1, "spend", "slack", Severity::Critical)).await.unwrap();
    assert_eq!(known(&empty).await.unwrap().len(), 1);
    assert!(!config(&folder).path.exists());

    let ledger = open(&config(&folder)).unwrap();
    ledger.record(one_alert(1, "spend", "slack", Severity::Critical)).await.unwrap();
    let preview = Ledger::preview(&config(&folder), Metrics::new(), clock()).unwrap();
    assert!(known(&preview).await.unwrap().iter().any(|known| known.customer() == 1));
    preview.record(one_alert(2, "other", "slack", Severity::Critical)).await.unwrap();
    assert_eq!(preview.due("slack", vec![], 10).await.unwrap().len(), 2);
    assert_eq!(ledger.due("slack", vec![], 10).await.unwrap().len(), 1);
    preview.close().await.unwrap();
    ledger.close().await.unwrap();
}
