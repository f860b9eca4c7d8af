//! `explain`.

use budget_alertd::simulator::{Answer, Fault};
use serde_json::json;

use super::{BRITAIN, Desk, SWEDEN};

#[tokio::test(flavor = "multi_thread")]
async fn everything_about_a_customer_is_told_in_order() {
    let desk = Desk::with_one_notifier();
    desk.receiver.fail_once(Fault::Answer(Answer::new(503).with_header("Retry-After", "1")));
    desk.run(&["poll"]);
    assert_eq!(
        desk.told(&["explain", "contoso uk"]),
        "\
Contoso UK
  Azure plan, id 11111111-641b-4c53-b7fc-0f2bfca8a581
  called \"Modern Azure Customer UK\" in Partner Center
  tagged gold
  muted for pounds

Usage  27.23 GBP, 33.28 USD; exactly 27.23292827625710931604
        as of Tue 17 Sep 2019 17:08 UTC (AGE old), read NOW
Budget  100 GBP from the local configuration: 27.23 % used
        97 GBP from Partner Center does not count, since prefer = \"local\"
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
"
    );
    assert_eq!(
        desk.told(&["explain", SWEDEN]),
        "\
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
"
    );
    assert_eq!(
        desk.told(&["explain", "legacy"]),
        "\
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
"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_get_the_reasons_as_words_of_a_closed_set() {
    let desk = Desk::polled();
    let said = desk.json(&["explain", BRITAIN, "--format", "json"]);
    let reasons: Vec<_> = said["rules"].as_array().unwrap().iter().map(|rule| (&rule["rule"], &rule["applies"], &rule["reason"])).collect();
    let expected = [
        (&json!("spend"), &json!(true), &json!("below-first-step")),
        (&json!("pounds"), &json!(false), &json!("muted")),
        (&json!("gold"), &json!(true), &json!("already-raised")),
    ];
    assert_eq!(reasons, expected);
    assert_eq!(said["budget"], json!({"amount": "100", "currency": "GBP", "source": "local", "previous_amount": null}));
    assert_eq!(said["other_budget"]["amount"], "97");
    assert_eq!(said["usage"]["cost"]["amount"], "27.23292827625710931604");
    let delivery = &said["alerts"][0]["deliveries"][0];
    assert_eq!((&delivery["state"], &delivery["tries"][0]["outcome"]), (&json!("sent"), &json!("accepted")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_next_poll_would_do_under_a_changed_configuration_is_said_and_done() {
    let desk = Desk::polled();
    let raised = super::CONFIGURATION.replace("amount = 100", "amount = 30").replace("{receiver}", &desk.receiver.url(""));
    desk.house.configure(&raised);
    let said = desk.json(&["explain", BRITAIN, "--format", "json"]);
    let would: Vec<_> = said["rules"].as_array().unwrap().iter().filter(|rule| !rule["would_raise"].is_null()).collect();
    let would: Vec<_> = would.iter().map(|rule| (rule["rule"].clone(), rule["would_raise"]["threshold"].clone())).collect();
    assert_eq!(would, [(json!("spend"), json!("80")), (json!("gold"), json!("90"))]);
    let alerts = desk.json(&["poll", "--format", "json"])["alerts"].take();
    let mut done: Vec<_> = alerts.as_array().unwrap().iter().map(|alert| (alert["rule"].clone(), alert["threshold"].clone())).collect();
    done.sort_by_key(|(rule, _)| rule == "gold");
    assert_eq!(done, would);
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
    assert_eq!(unknown.err, "budget-alertd: no customer is called \"nobody\": give an id, a name or a label, or a part of a name\n");
}
