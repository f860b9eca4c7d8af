//! `explain`.

use std::sync::Arc;

use budget_alertd::clock::{Clock, SimulatedClock};
use budget_alertd::config::{self, Environment};
use budget_alertd::daemon::assemble;
use budget_alertd::domain::{Glob, Silence};
use budget_alertd::ledger::{AlertFilter, AttemptRecord, Ledger, Reader};
use budget_alertd::metrics::Metrics;
use budget_alertd::simulator::{Answer, Fault};
use serde_json::json;

use super::{BRITAIN, Desk, SWEDEN};

/// Rules that read history, and steps that are told again.
const RULES: &str = r#"
[source]
type = "file"
path = "{dir}/usage.json"
[rules.spend]
metric = "percent_used"
notify = ["hook"]
steps = [{ at = 80, remind_every = "24h" }, { at = 100 }]
[rules.forecast]
metric = "forecast_percent"
notify = ["hook"]
steps = [{ at = 300 }]
[rules.pace]
metric = "pace"
notify = ["hook"]
steps = [{ at = 90 }]
[rules.daily]
metric = "daily_cost"
notify = ["hook"]
steps = [{ at = { SEK = 500 } }]
[notifiers.hook]
type = "webhook"
url = "http://127.0.0.1:9/"
"#;

/// Does something to the desk's ledger at `now`.
async fn at<T>(
    desk: &Desk,
    now: &str,
    work: impl AsyncFnOnce(&Ledger, &config::Config, Arc<dyn Clock>) -> T,
) -> T {
    let clock: Arc<dyn Clock> = SimulatedClock::starting_at(now.parse().unwrap());
    let config =
        config::load(&desk.house.path("alert-rules.toml"), &Environment::default()).unwrap();
    let ledger = Ledger::open(&config.ledger, Metrics::new(), Arc::clone(&clock)).unwrap();
    let done = work(&ledger, &config, clock).await;
    ledger.close().await.unwrap();
    done
}

/// Polls customer A with this cost and budget, dated twelve hours before.
async fn poll(desk: &Desk, now: &str, cost: u32, budget: u32) {
    let date: jiff::Timestamp =
        now.parse::<jiff::Timestamp>().unwrap() - jiff::SignedDuration::from_hours(12);
    let record = format!(
        "{{\"resourceId\": \"A-1\", \"resourceName\": \"Contoso\", \"isUpgraded\": true, \"totalCost\": {cost},
          \"budget\": {{\"amount\": {budget}}}, \"currencyCode\": \"SEK\", \"lastModifiedDate\": \"{date}\"}}"
    );
    std::fs::write(
        desk.house.path("usage.json"),
        format!("{{\"totalCount\": 1, \"items\": [{record}]}}"),
    )
    .unwrap();
    at(desk, now, async |ledger, config, clock| {
        assemble(config, ledger, &clock, &Metrics::new()).unwrap().cycle.run(false).await.unwrap();
        for delivery in ledger.due("hook", Vec::new(), 100).await.unwrap() {
            let accepted = AttemptRecord {
                delivery: delivery.id,
                at: clock.now(),
                outcome: "accepted",
                detail: "200 OK".into(),
                message: None,
            };
            ledger.mark_sent(accepted).await.unwrap();
        }
    })
    .await;
}

/// A customer with eight days of history: an alert, a budget cut, a reminder, an acknowledgement, a
/// silence, a higher step.
async fn with_history() -> Desk {
    let desk = Desk::with(RULES);
    poll(&desk, "2019-09-10T12:00:00Z", 400, 1000).await;
    poll(&desk, "2019-09-11T12:00:00Z", 850, 1000).await;
    poll(&desk, "2019-09-12T12:00:00Z", 840, 900).await;
    at(&desk, "2019-09-12T13:00:00Z", async |ledger, config, clock| {
        let reader = Reader::open(&config.ledger).unwrap();
        let alert = reader.alerts(&AlertFilter::default()).unwrap().pop().unwrap().snapshot.alert;
        ledger.acknowledge(&alert.reference, "alice (uid 1000)", clock.now()).await.unwrap();
        let silence = Silence {
            id: 0,
            customers: vec![Glob::try_new("contoso").unwrap()],
            rules: vec![Glob::try_new("spend").unwrap()],
            unless_above: Some("500".parse().unwrap()),
            created_at: clock.now(),
            as_of: clock.now(),
            ends_at: Some("2019-09-16T00:00:00Z".parse().unwrap()),
            author: "bob (uid 1001)".into(),
            reason: "agreed by phone".into(),
            expired_at: None,
        };
        ledger.add_silence(silence).await.unwrap();
    })
    .await;
    poll(&desk, "2019-09-14T12:00:00Z", 950, 900).await;
    poll(&desk, "2019-09-16T12:00:00Z", 960, 900).await;
    desk
}

/// The standard output of a command that succeeds, references and ids masked.
#[track_caller]
fn explained(desk: &Desk, arguments: &[&str]) -> String {
    let output = desk.house.run(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    regex::Regex::new(r"\b[0-9A-F]{8}\b").unwrap().replace_all(&text, "REF").into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_time_is_told_as_it_was_known_then() {
    let desk = with_history().await;
    insta::assert_snapshot!(explained(&desk, &["explain", "a-1", "--at", "2019-09-14T13:00:00Z"]), @r"
    Contoso
      Azure plan, id A-1
      as it was known Sat 14 Sep 13:00 UTC, judged by today's configuration, name and plan
      of what is older than 8 days, history keeps one reading a day

    Usage   950 SEK
            as of Sat 14 Sep 00:00 UTC (13 h old), read Sat 14 Sep 12:00 UTC
    Budget  900 SEK from Partner Center: 105.56 % used
    Period  1–30 Sep, the calendar month in UTC, as for every Azure plan
            ends Tue 1 Oct 00:00 UTC

    History
      DATE OF THE DATA     COST  BUDGET THERE  READ
      14 Sep 00:00      950 SEK           900  14 Sep 12:00
      12 Sep 00:00      840 SEK           900  12 Sep 12:00
      11 Sep 00:00      850 SEK         1,000  11 Sep 12:00
      10 Sep 00:00      400 SEK         1,000  10 Sep 12:00

    What happened to its data
      Thu 12 Sep 12:00 UTC  budget cut: budget 1,000 → 900 SEK
      Thu 12 Sep 12:00 UTC  cost fell: cost 850 → 840 SEK

    Rules
      spend: 105.56 % of the budget used; step 100 % is reached
        no new alert: this step was raised before in this billing period
        silenced by bob (uid 1001) until Mon 16 Sep 00:00 UTC, unless above 500: agreed by phone
          (silence 1)
        step 80 % was raised under a budget of 1,000 SEK (REF)
        step 100 % was raised under a budget of 900 SEK (REF)
        alerts again under a budget above 1,000 SEK, once it was below the step under that, or in the
          next billing period
      forecast: 243.59 % of the budget at the end of the period, as it goes on; its first step is 300 %
        950 SEK in 312 of 720 hours comes to 2,192.31 SEK
      pace: 62.22 points ahead of the period; its first step is 90 points
        105.56 % of the budget used, 43.33 % of the period over
      daily: 50 SEK a day; its first step is 500 SEK
        from 850 SEK to 950 SEK in 48 hours since Thu 12 Sep 00:00 UTC: 50 SEK a day

    Alerts of this billing period
      REF WARNING spend, step 100 %: 105.56 %, 950 of 900 SEK; raised Sat 14 Sep 12:00 UTC
        told to nobody by then
      REF WARNING spend, step 80 %: 85 %, 850 of 1,000 SEK; raised Wed 11 Sep 12:00 UTC
        acknowledged by alice (uid 1000), Thu 12 Sep 13:00 UTC
        hook sent
          Wed 11 Sep 12:00 UTC accepted: 200 OK
        reminder, hook sent
          Thu 12 Sep 12:00 UTC accepted: 200 OK
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_told_as_it_was_known_at_its_end() {
    let desk = with_history().await;
    let said = explained(&desk, &["explain", "contoso", "--at", "2019-09-11"]);
    assert!(
        said.contains(
            "  as it was known Wed 11 Sep 23:59 UTC, judged by today's \
        configuration, name and plan\n"
        ),
        "{said}"
    );
    assert!(
        said.contains("Usage   850 SEK\n")
            && said.contains("Budget  1,000 SEK from Partner Center: 85 % used\n"),
        "{said}"
    );
    assert!(
        said.contains("hook sent") && !said.contains("acknowledged") && !said.contains("silenced"),
        "{said}"
    );
    let json = desk.json(&["explain", "contoso", "--at", "2019-09-11", "--format", "json"]);
    assert_eq!(
        (&json["at"], &json["usage"]["cost"]["amount"]),
        (&json!("2019-09-11T23:59:59Z"), &json!("850"))
    );
    assert_eq!(
        (json["history"].as_array().unwrap().len(), json["events"].as_array().unwrap().len()),
        (2, 0)
    );
    assert!(json["alerts"][0]["acknowledged"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_without_history_is_refused_with_when_it_begins() {
    let desk = with_history().await;
    let refused = |when| {
        let output = desk.house.run(&["explain", "contoso", "--at", when]);
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(
        refused("2019-09-10T11:59:59Z"),
        "budget-alertd: nothing is known of Contoso at Tue 10 Sep 2019 11:59 UTC: its history \
            begins Tue 10 Sep 2019 12:00 UTC\n"
    );
    assert!(refused("2999-01-01").contains("this one is yet to come"));
    assert!(refused("yesterday").contains("write 2026-11-14"));
}

#[tokio::test(flavor = "multi_thread")]
async fn history_events_silences_and_later_messages_are_told_of_now() {
    let desk = with_history().await;
    let said = explained(&desk, &["explain", "contoso"]);
    let (_, alerts) = said.split_once("\nAlerts of this billing period\n  ").unwrap();
    insta::assert_snapshot!(alerts, @r"
    REF WARNING spend, step 100 %: 105.56 %, 950 of 900 SEK; raised Sat 14 Sep 2019 12:00 UTC
        hook sent
          Mon 16 Sep 2019 12:00 UTC accepted: 200 OK
      REF WARNING spend, step 80 %: 85 %, 850 of 1,000 SEK; raised Wed 11 Sep 2019 12:00 UTC
        acknowledged by alice (uid 1000), Thu 12 Sep 2019 13:00 UTC
        hook sent
          Wed 11 Sep 2019 12:00 UTC accepted: 200 OK
        reminder, hook sent
          Thu 12 Sep 2019 12:00 UTC accepted: 200 OK
    ");
    assert!(!said.contains("silenced by"), "{said}");
    let json = desk.json(&["explain", "contoso", "--format", "json"]);
    assert_eq!(
        (&json["at"], &json["alerts"][1]["acknowledged"]["by"]),
        (&json!(null), &json!("alice (uid 1000)"))
    );
    let events: Vec<_> =
        json["events"].as_array().unwrap().iter().map(|event| event["code"].clone()).collect();
    assert_eq!(events, ["budget-cut", "cost-fell"]);
    assert_eq!(
        json["rules"][1]["inputs"],
        json!({"elapsed_hours": "360", "period_hours": "720", "forecast_cost": "1920"})
    );
    assert_eq!(json["rules"][0]["silences"], json!([]));
    let then = desk.json(&["explain", "contoso", "--at", "2019-09-15", "--format", "json"]);
    assert_eq!(then["rules"][0]["silences"][0]["author"], "bob (uid 1001)");
    at(&desk, "2019-09-17T12:00:00Z", async |ledger, config, clock| {
        std::fs::write(
            desk.house.path("usage.json"),
            r#"{"totalCount": 1, "items": [{"resourceId": "B-1", "totalCost": 1}]}"#,
        )
        .unwrap();
        assemble(config, ledger, &clock, &Metrics::new()).unwrap().cycle.run(false).await.unwrap();
    })
    .await;
    let said = explained(&desk, &["explain", "contoso"]);
    assert!(
        said.contains(
            "no longer reported: good polls had no record of it since Tue 17 Sep 2019 12:00 UTC"
        ),
        "{said}"
    );
    assert!(
        said.contains(
            "Tue 17 Sep 2019 12:00 UTC  disappeared: the last good poll had no record of it"
        ),
        "{said}"
    );
    assert!(
        !explained(&desk, &["explain", "contoso", "--at", "2019-09-16"])
            .contains("no longer reported")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_about_a_customer_is_told_in_order() {
    let desk = Desk::with_one_notifier();
    desk.receiver.fail_once(Fault::Answer(Answer::new(503).with_header("Retry-After", "1")));
    desk.run(&["poll"]);
    insta::assert_snapshot!(desk.told(&["explain", "contoso uk"]), @r#"
    Contoso UK
      Azure plan, id 11111111-641b-4c53-b7fc-0f2bfca8a581
      called "Modern Azure Customer UK" in Partner Center
      tagged gold
      muted for pounds

    Usage  27.23 GBP, 33.28 USD; exactly 27.23292827625710931604
            as of Tue 17 Sep 2019 17:08 UTC (AGE old), read NOW
    Budget  100 GBP from the local configuration: 27.23 % used
            97 GBP from Partner Center does not count, since prefer = "local"
    Period  1–30 Sep 2019, the calendar month in UTC, as for every Azure plan
            over since Tue 1 Oct 2019 00:00 UTC; no newer usage was read

    Rules
      spend: 27.23 % of the budget used; its first step is 80 %
      pounds does not apply: the customer's mute_rules names this rule
      gold: 27.23 % of the budget used; step 20 % is reached, the next one is 90 %
        no new alert: this step was raised before in this billing period
        step 20 % was raised under a budget of 100 GBP (REF)
        alerts again at 90 %, or under a budget above 100 GBP, once it was below the step under that, or
          in the next billing period

    Alerts of this billing period
      REF WARNING gold, step 20 %: 27.23 %, 27.23 of 100 GBP; raised NOW
        hook sent
          NOW accepted: 200 OK
    "#);
    insta::assert_snapshot!(desk.told(&["explain", SWEDEN]), @r"
    Modern Azure Customer SE
      Azure plan, id 11111111-6fb9-4b05-8f15-b3d72e0596e6

    Usage  120.57 SEK, 12.40 USD; exactly 120.5682999999995904716
            as of Tue 17 Sep 2019 17:08 UTC (AGE old), read NOW
    Budget  20 SEK from Partner Center: 602.84 % used
    Period  1–30 Sep 2019, the calendar month in UTC, as for every Azure plan
            over since Tue 1 Oct 2019 00:00 UTC; no newer usage was read

    Rules
      spend: 602.84 % of the budget used; step 600 % is reached, the next one is 700 %
        no new alert: this step was raised before in this billing period
        step 600 % was raised under a budget of 20 SEK (REF, 80 % to 500 % passed)
        alerts again at 700 %, or under a budget above 20 SEK, once it was below the step under that, or
          in the next billing period
      pounds does not apply: no step is given in the customer's currency
      gold does not apply: the customer has none of the tags of match.tags

    Alerts of this billing period
      REF CRITICAL spend, step 600 %: 602.84 %, 120.57 of 20 SEK; raised NOW
        hook sent
          NOW destination-failed: 503 Service Unavailable
          NOW accepted: 200 OK
    ");
    insta::assert_snapshot!(desk.told(&["explain", "legacy"]), @r"
    LEGACY AZURE CUSTOMER SE
      legacy Azure subscription, id 11111111-1843-4b3b-872f-206e08a08e51

    Usage  0
            as of Thu 1 Aug 2019 23:00 UTC (AGE old), read NOW
            the currency is unknown: legacy records name none, and neither [customers] nor
            legacy_currency does
    Budget  none, in Partner Center or locally
    Period  1–31 Aug 2019, assumed: the calendar month, until Partner Center names the true one
            over since Sun 1 Sep 2019 00:00 UTC; no newer usage was read

    Rules
      spend does not apply: the customer has no budget, in Partner Center or locally
      pounds does not apply: the steps are by currency and the customer's currency is unknown
      gold does not apply: the customer has none of the tags of match.tags

    Alerts of this billing period
      none
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_get_the_reasons_as_words_of_a_closed_set() {
    let desk = Desk::polled();
    let said = desk.json(&["explain", BRITAIN, "--format", "json"]);
    let reasons: Vec<_> = said["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| (&rule["rule"], &rule["applies"], &rule["reason"]))
        .collect();
    let expected = [
        (&json!("spend"), &json!(true), &json!("below-first-step")),
        (&json!("pounds"), &json!(false), &json!("muted")),
        (&json!("gold"), &json!(true), &json!("already-raised")),
    ];
    assert_eq!(reasons, expected);
    assert_eq!(
        said["budget"],
        json!({"amount": "100", "currency": "GBP", "source": "local", "previous_amount": null})
    );
    assert_eq!(said["other_budget"]["amount"], "97");
    assert_eq!(said["usage"]["cost"]["amount"], "27.23292827625710931604");
    let delivery = &said["alerts"][0]["deliveries"][0];
    assert_eq!(
        (&delivery["state"], &delivery["tries"][0]["outcome"]),
        (&json!("sent"), &json!("accepted"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_next_poll_would_do_under_a_changed_configuration_is_said_and_done() {
    let desk = Desk::polled();
    let raised = super::CONFIGURATION
        .replace("amount = 100", "amount = 30")
        .replace("{receiver}", &desk.receiver.url(""));
    desk.house.configure(&raised);
    let said = desk.json(&["explain", BRITAIN, "--format", "json"]);
    let would: Vec<_> = said["rules"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|rule| !rule["would_raise"].is_null())
        .collect();
    let would: Vec<_> = would
        .iter()
        .map(|rule| (rule["rule"].clone(), rule["would_raise"]["threshold"].clone()))
        .collect();
    assert_eq!(would, [(json!("spend"), json!("80")), (json!("gold"), json!("90"))]);
    let alerts = desk.json(&["poll", "--format", "json"])["alerts"].take();
    let mut done: Vec<_> = alerts
        .as_array()
        .unwrap()
        .iter()
        .map(|alert| (alert["rule"].clone(), alert["threshold"].clone()))
        .collect();
    done.sort_by_key(|(rule, _)| rule == "gold");
    assert_eq!(done, would);
}

/// A message shows a reference; a name would have to be typed.
#[tokio::test(flavor = "multi_thread")]
async fn the_reference_of_an_alert_is_as_good_as_the_name() {
    let desk = Desk::polled();
    let alerts = desk.json(&["alerts", "--format", "json"]);
    let alert = alerts
        .as_array()
        .unwrap()
        .iter()
        .find(|alert| alert["customer"]["id"] == super::SWEDEN)
        .unwrap();
    let reference = alert["ref"].as_str().unwrap();
    let by_id = desk.told(&["explain", super::SWEDEN]);
    assert_eq!(desk.told(&["explain", reference]), by_id);
    assert_eq!(desk.told(&["explain", &reference.to_lowercase()]), by_id);
    assert_eq!(desk.told(&["explain", alert["id"].as_str().unwrap()]), by_id);
    assert_eq!(desk.run(&["explain", "0000FFFF"]).code, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_several_bear_is_refused_with_a_list() {
    let desk = Desk::polled();
    let ended = desk.run(&["explain", "modern"]);
    assert_eq!(ended.code, 2);
    assert_eq!(
        ended.err,
        "\
budget-alertd: 2 customers are called something like \"modern\"; say which, by its id:
  11111111-641b-4c53-b7fc-0f2bfca8a581  Contoso UK
  11111111-6fb9-4b05-8f15-b3d72e0596e6  Modern Azure Customer SE
"
    );
    let unknown = desk.run(&["explain", "nobody"]);
    assert_eq!((unknown.code, unknown.out.as_str()), (2, ""));
    assert_eq!(
        unknown.err,
        "budget-alertd: no customer is called \"nobody\": give an id, a name or a label, or a part \
            of a name\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_age_of_one_customers_data_is_no_news_while_all_data_is_old() {
    let stale = "[rules.stale]\nmetric = \"stale_hours\"\nnotify = [\"hook\"]\nsteps = \
        [{ at = 48 }]\n[rules.gold]\n";
    let desk = Desk::with(&super::CONFIGURATION.replace("[rules.gold]\n", stale));
    assert_eq!(desk.run(&["poll"]).code, 0);
    let told = desk.told(&["explain", SWEDEN]).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        told.contains(
            "the age of the data is judged against the whole collection, which is old itself"
        ),
        "{told}"
    );
    let impact = desk.told(&["check", "--impact"]);
    assert!(impact.contains("nobody would be told anything"), "{impact}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daily_rule_alerts_again_on_the_next_day_of_the_data() {
    let desk = Desk::with(RULES);
    poll(&desk, "2026-11-13T22:00:00Z", 1000, 100_000).await;
    poll(&desk, "2026-11-14T22:00:00Z", 2000, 100_000).await;
    let explained =
        desk.told(&["explain", "Contoso"]).split_whitespace().collect::<Vec<_>>().join(" ");
    let expected = "no new alert: this step was raised before on this day of the data step 500 SEK \
        was raised for 14 Nov 2026 (REF) alerts again on the next day of the data";
    assert!(explained.contains(expected), "{explained}");
    let listed = desk.told(&["alerts"]).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        listed.contains("Contoso 1,000 SEK daily REF hook 2,000 of 100,000 SEK 500 SEK"),
        "{listed}"
    );
    poll(&desk, "2026-11-15T22:00:00Z", 2010, 100_000).await;
    let explained =
        desk.told(&["explain", "Contoso"]).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(explained.contains("step 500 SEK was raised for 14 Nov 2026 (REF)"), "{explained}");
    assert!(!explained.contains("alerts again on"), "{explained}");
}
