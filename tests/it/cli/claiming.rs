//! `evidence --incident`: what a claim for fraud needs, as people and programs see it.

use regex::Regex;
use serde_json::{Value, json};

use super::Desk;

const CONFIGURATION: &str = r#"
[source]
type = "file"
path = "{dir}/usage.json"
[rules.attack]
metric = "spike"
floor = { SEK = 100 }
notify = ["hook"]
steps = [{ at = 3 }]
[rules.spend]
metric = "total_cost"
notify = ["hook"]
steps = [{ at = { SEK = 700 } }]
[notifiers.hook]
type = "webhook"
url = "{receiver}/hook"
"#;

/// One poll of Contoso with this cost up to a day, and of another customer.
fn poll(desk: &Desk, day: u32, cost: u32) {
    let record = |id: &str, name: &str, cost: u32| {
        json!({
            "resourceId": id, "resourceName": name, "isUpgraded": true, "totalCost": cost,
            "budget": { "amount": 1000 }, "currencyCode": "SEK",
            "lastModifiedDate": format!("2026-10-{day:02}T17:00:00Z"),
        })
    };
    let items = [record("A", "Contoso", cost), record("B", "Wingtip Toys", 100_000 + cost)];
    let usage = json!({ "totalCount": 2, "items": items });
    std::fs::write(desk.house.path("usage.json"), usage.to_string()).unwrap();
    desk.told(&["poll"]);
}

/// Twelve days of 40, an attack of two days, and two days of 40; returns the references of the spike
/// and of the other alert.
fn attacked() -> (Desk, String, String) {
    let desk = Desk::with(CONFIGURATION);
    for day in 1..=12 {
        poll(&desk, day, 40 * day);
    }
    for (day, cost) in [(13, 880), (14, 1280), (15, 1320), (16, 1360)] {
        poll(&desk, day, cost);
    }
    let alerts = desk.json(&["alerts", "--customer", "Contoso", "--format", "json"]);
    let of = |rule: &str| {
        let alert = alerts.as_array().unwrap().iter().rfind(|alert| alert["rule"] == rule).unwrap();
        alert["ref"].as_str().unwrap().to_owned()
    };
    let references = (of("attack"), of("spend"));
    (desk, references.0, references.1)
}

/// What the folder of an incident says, and what the command said of it.
fn evidence(desk: &Desk, incident: &str, folder: &str) -> (Value, String, String) {
    let path = desk.house.path(folder).display().to_string();
    let said = desk.told(&["evidence", "--incident", incident, "--output", &path]);
    let read = |name: &str| std::fs::read_to_string(desk.house.path(folder).join(name)).unwrap();
    (serde_json::from_str(&read("evidence.json")).unwrap(), read("index.html"), said)
}

/// The text of the part of a page about an incident, what differs from run to run masked.
fn incident_in_words(page: &str) -> String {
    let part = page.split("<h2>Incident</h2>").nth(1).unwrap().split("<h2>").next().unwrap();
    let cells = Regex::new("</(td|th|dt)>").unwrap().replace_all(part, " | ");
    let text = Regex::new("<br>").unwrap().replace_all(&cells, " / ").into_owned();
    let text = Regex::new("<[^>]*>").unwrap().replace_all(&text, "").into_owned();
    let text = Regex::new("[0-9]{4}-[0-9-]{5} [0-9:]{8} UTC").unwrap().replace_all(&text, "TIME");
    let text = Regex::new("[0-9A-F]{8}\\b").unwrap().replace_all(&text, "REF").into_owned();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_what_a_claim_needs() {
    let (desk, spike, _) = attacked();
    let marked = desk.told(&["ack", &spike, "--fraud", "--reason", "stolen key"]);
    assert!(marked.contains(": budget-alertd evidence --incident REF."), "{marked}");
    let (whole, page, said) = evidence(&desk, &spike, "claim");
    assert!(said.ends_with("Nobody is reminded of this claim any more.\n"), "{said}");
    insta::assert_snapshot!(incident_in_words(&page), @"
    First day of the misuse | Tue 13 Oct 2026 (UTC, estimate)
    Last day of the misuse | Wed 14 Oct 2026 (UTC, estimate)
    File by | Sat 12 Dec 2026, 60 days after the first day
    Charges covered until | Thu 12 Nov 2026, 30 days after the first day
    Cost in these 30 days | 880 SEK, of which 720 SEK more than usual
    Cost on the days of the misuse | 800 SEK, of which 720 SEK more than usual
    Usual in a day before | 40 SEK (median of up to 35 days)
    Marked as fraud | TIME by root (uid 0)
    Partner tenant | not known
    Customer tenant | A
    Subscriptions | not known
    Resources | not known
    Budget | 1,000 SEK
    The days are estimated from the cost and from Microsoft’s alerts: the first is the earliest day that either points to. Microsoft decides what it credits.
    Microsoft’s alerts
    None is known of this customer at this time.
    Days that cost far more than usual
    Ref | Rule | First day | Last day | Days | Marked as fraud |
    REF | attack | Tue 13 Oct 2026 | Wed 14 Oct 2026 | 2 | yes |
    Cost by day
    Day (UTC) |  | Cost | More than usual |  |
    Tue 29 Sep 2026 | before | not known |  |  |
    Wed 30 Sep 2026 | before | not known |  |  |
    Thu 1 Oct 2026 | before | 40 SEK | 0 SEK |  |
    Fri 2 Oct 2026 | before | 40 SEK | 0 SEK |  |
    Sat 3 Oct 2026 | before | 40 SEK | 0 SEK |  |
    Sun 4 Oct 2026 | before | 40 SEK | 0 SEK |  |
    Mon 5 Oct 2026 | before | 40 SEK | 0 SEK |  |
    Tue 6 Oct 2026 | before | 40 SEK | 0 SEK |  |
    Wed 7 Oct 2026 | before | 40 SEK | 0 SEK |  |
    Thu 8 Oct 2026 | before | 40 SEK | 0 SEK |  |
    Fri 9 Oct 2026 | before | 40 SEK | 0 SEK |  |
    Sat 10 Oct 2026 | before | 40 SEK | 0 SEK |  |
    Sun 11 Oct 2026 | before | 40 SEK | 0 SEK |  |
    Mon 12 Oct 2026 | before | 40 SEK | 0 SEK |  |
    Tue 13 Oct 2026 | during | 400 SEK | +360 SEK | far more than usual |
    Wed 14 Oct 2026 | during | 400 SEK | +360 SEK | far more than usual |
    Thu 15 Oct 2026 | after | 40 SEK | 0 SEK |  |
    Fri 16 Oct 2026 | after | 40 SEK | 0 SEK |  |
    What a day has cost is the rise of the cost in Partner Center from one date of the data to the next; days without data share it evenly. A correction is below zero.
    Cost by resource
    Not known: no alert of this time says where the cost is.
    Who was told when
    When | Receiver | About | Answer of the receiver |
    TIME | hook | REF, REF | sent: 200 OK |
    Each message as it was sent is below.
    What was done
    When | Who | What |
    TIME | root (uid 0) | acknowledged REF: stolen key |
    TIME | root (uid 0) | marked the spike REF as fraud: stolen key |
    TIME | root (uid 0) | acknowledged REF: stolen key |
    What was done in Azure, such as cancelling a subscription or renewing credentials, is not known here: add it to the claim.
    ");
    let incident = &whole["incident"];
    for (field, expected) in [
        ("ref", json!(spike)),
        ("first_bad_day", json!("2026-10-13")),
        ("last_bad_day", json!("2026-10-14")),
        ("is_estimate", json!(true)),
        ("file_by", json!("2026-12-12")),
        ("charges_covered_until", json!("2026-11-12")),
        ("customer_tenant_id", json!("A")),
        ("partner_tenant_id", Value::Null),
    ] {
        assert_eq!(incident[field], expected, "{field}");
    }
    let costs = &incident["costs"];
    assert_eq!(
        (&costs["during"], &costs["during_above_usual"], &costs["usual_per_day"]),
        (&json!("800"), &json!("720"), &json!("40"))
    );
    assert!(!page.contains("Wingtip") && !whole.to_string().contains("Wingtip"));
    let recorded = "SELECT count(*) FROM chain WHERE kind = 'order' AND content LIKE \
        '%\"order\":\"evidence --incident\"%' AND content LIKE '%\"first_day\":\"2026-10-13\"%'";
    assert_eq!(desk.house.number(recorded), 1);
    assert_eq!(desk.house.number("SELECT count(*) FROM spike_day WHERE evidence_at > 0"), 2);
    assert_eq!(desk.run(&["ledger", "verify"]).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn any_alert_of_the_time_names_it_and_what_is_unmarked_says_how_to_mark_it() {
    let (desk, spike, spend) = attacked();
    let (whole, page, said) = evidence(&desk, &spend, "by-another");
    assert_eq!(whole["incident"]["spikes"][0]["ref"], spike);
    assert_eq!(whole["incident"]["first_bad_day"], "2026-10-13");
    assert_eq!(whole["incident"]["marked_as_fraud"], Value::Null);
    assert!(page.contains("<dt>Marked as fraud</dt><dd>no</dd>"));
    assert!(said.contains("It is not marked as fraud"), "{said}");
    assert_eq!(desk.house.number("SELECT count(*) FROM spike_day WHERE evidence_at > 0"), 0);
    let ended = desk.run(&["evidence", "--incident", "FFFFFFFF"]);
    assert_eq!(ended.code, 2, "{}", ended.err);
    assert!(ended.err.contains("there is no alert \"REF\""), "{}", ended.err);
    assert_eq!(desk.run(&["evidence"]).code, 2);
    assert_eq!(desk.run(&["evidence", "--customer", "A", "--incident", &spike]).code, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_daemon_it_is_recorded_by_the_daemon() {
    let (desk, spike, _) = attacked();
    desk.told(&["ack", &spike, "--fraud"]);
    let daemon = desk.house.start();
    daemon.wait_for_log("commands are taken at");
    evidence(&desk, &spike, "claim");
    assert_eq!(desk.house.number("SELECT count(*) FROM spike_day WHERE evidence_at > 0"), 2);
    assert_eq!(daemon.terminate().0, Some(0));
}
