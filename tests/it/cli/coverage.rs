//! `coverage`.

use budget_alertd::simulator::Fault;
use serde_json::json;

use super::Desk;

#[tokio::test(flavor = "multi_thread")]
async fn customers_that_can_never_alert_are_counted_by_reason_and_listed_costliest_first() {
    let desk = Desk::with(
        &super::one_notifier()
            .replace("mute_rules = [\"pounds\"]", "mute_rules = [\"pounds\", \"spend\", \"gold\"]"),
    );
    assert_eq!(desk.run(&["poll"]).code, 0);
    insta::assert_snapshot!(desk.told(&["coverage"]), @r#"
    2 of 4 customers can never alert.
      no-budget: 1 customer
        → set a budget in Partner Center or in [customers."ID"], or add a rule that needs none: metric =
          "unbudgeted_cost" or "usd_total_cost"
      muted: 1 customer
        → take the rules out of its mute_rules, unless nobody should ever hear of it

    Customers, costliest first
      CUSTOMER  COST  IN USD  REASON
      Contoso UK  27.23 GBP  33.28  muted
      LEGACY AZURE CUSTOMER SE  0  0  no-budget
    "#);
    assert_eq!(
        desk.told(&["coverage", "--format", "csv"]),
        "\
customer_id,customer,plan,reason,cost,currency,usd_cost,usage_as_of
11111111-641b-4c53-b7fc-0f2bfca8a581,Contoso UK,azure-plan,muted,27.23292827625710931604,GBP,33.280000000000001044,2019-09-17T17:08:11.1433333Z
11111111-1843-4b3b-872f-206e08a08e51,LEGACY AZURE CUSTOMER SE,legacy,no-budget,0,,0,2019-08-01T23:00:16.57Z
"
    );
    let said = desk.json(&["coverage", "--format", "json"]);
    assert_eq!((&said["customers"], &said["without_coverage"]), (&json!(4), &json!(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_whose_notifiers_all_fail_are_named_beside_the_others() {
    let desk = Desk::with_one_notifier();
    desk.receiver.fail(Fault::status(503));
    while desk.receiver.attempts().is_empty() {
        assert_eq!(desk.run(&["poll", "--wait", "0s"]).code, 1);
    }
    let said = desk.json(&["coverage", "--format", "json"]);
    let numbers: Vec<String> = said["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| format!("{} {}", row["reason"].as_str().unwrap(), row["customers"]))
        .collect();
    assert_eq!(
        numbers,
        [
            "no-budget 1",
            "no-rule 0",
            "no-floor 0",
            "currency-unknown 0",
            "muted 0",
            "dead-notifier 3"
        ]
    );
    assert_eq!(said["without_coverage"], json!(1));
    let budgets = "[customers.\"11111111-1843-4b3b-872f-206e08a08e51\"]\nbudget = \
        { amount = 9, currency = \"SEK\" }\n[notifiers.hook]";
    desk.house.configure(
        &super::one_notifier()
            .replace("[notifiers.hook]", budgets)
            .replace("{receiver}", &desk.receiver.url("")),
    );
    let told = desk.told(&["coverage"]).split_whitespace().collect::<Vec<_>>().join(" ");
    let first = "Each of 4 customers has a rule that can alert, but of 4 nobody would hear now: \
        the notifiers fail. dead-notifier: ";
    assert!(told.starts_with(first), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_that_are_learnt_are_listed_with_how_many_days_are_known() {
    let rule = "[rules.attack]\nmetric = \"spike\"\nfloor = { SEK = 100 }\nnotify = \
        [\"hook\"]\nsteps = [{ at = 3 }]\n[rules.attack.match]\nplan = \"azure-plan\"\n[rules.pounds]";
    let desk = Desk::with(&super::one_notifier().replace("[rules.pounds]", rule));
    for day in 17..=22 {
        let usage = super::USAGE.replace("2019-09-17T17", &format!("2019-09-{day}T17"));
        let cost = format!("{}.5", 103 + day);
        std::fs::write(
            desk.house.path("usage.json"),
            usage.replace("120.5682999999995904716", &cost),
        )
        .unwrap();
        assert_eq!(desk.run(&["poll", "--wait", "0s"]).err, "");
    }
    let told = desk.told(&["coverage"]);
    assert!(
        told.contains("  learning: 1 customer, which rules about spikes judge from 7 usable"),
        "{told}"
    );
    let listed: Vec<&str> =
        told.lines().skip_while(|line| !line.starts_with("Not judged by rules about")).collect();
    assert_eq!(
        listed,
        [
            "Not judged by rules about spikes yet",
            "  CUSTOMER  REASON",
            "  Modern Azure Customer SE  learning, 4 of 7 days",
        ]
    );
    let said = desk.json(&["coverage", "--format", "json"]);
    assert_eq!(said["learning"][0]["reason"], "learning, 4 of 7 days");
    assert_eq!(
        (&said["learning"][0]["days"], &said["learning"][0]["customer"]["id"]),
        (&json!(4), &json!(super::SWEDEN))
    );
    assert!(
        said["uncovered"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["customer"]["id"] != super::SWEDEN)
    );
}
