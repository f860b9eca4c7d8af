//! What Slack gets: a text, blocks within its limits, no markup and no mention from outside.

use budget_alertd::clock::{Clock, SimulatedClock};
use budget_alertd::domain::{AlertSnapshot, Message};
use budget_alertd::metrics::Metrics;
use budget_alertd::notify::sample_alert;
use serde_json::Value;

use super::receivers::{Answer, Http};
use super::samples::{
    NOW, alert_delivery, attacked, channel, decimal, delivery, digest, legacy, placed,
    slack_config, time,
};

/// The payload that this message becomes.
pub(super) async fn payload(message: Message) -> Value {
    let slack = Http::answering(Answer::with(200, "", "ok")).await;
    let accepted = channel(&slack_config(&slack.url)).attempt(&delivery(message)).await.unwrap();
    assert_eq!(accepted.detail, "200 ok");
    slack.requests().remove(0).json()
}

/// The fallback text, and each block's texts below it.
pub(super) fn shown(payload: &Value) -> String {
    let mut lines = vec![payload["text"].as_str().unwrap().to_owned()];
    for block in payload["blocks"].as_array().unwrap() {
        let texts =
            block["elements"].as_array().cloned().unwrap_or_else(|| vec![block["text"].clone()]);
        for text in texts {
            assert_eq!((&text["type"], &text["verbatim"]), (&"mrkdwn".into(), &true.into()));
            lines.push(format!(
                "[{}] {}",
                block["type"].as_str().unwrap(),
                text["text"].as_str().unwrap()
            ));
        }
    }
    lines.join("\n")
}

#[tokio::test]
async fn an_alert_is_two_lines_and_where_it_comes_from() {
    assert_eq!(
        shown(&payload(Message::Alert(Box::new(attacked()))).await),
        r#"🔴 Contoso Nord 900 % — 45,000 of 5,000 SEK, 40,000 over
12 % → 900 % in 24 h, data Sat 14 Nov 18:08 CET (4 h 33 min old), most of it in "Prod"
[section] 🔴 *Contoso Nord 900 %* — 45,000 of 5,000 SEK, 40,000 over
12 % → 900 % in 24 h, data <!date^1794676091^{date_short_pretty} {time}|Sat 14 Nov 18:08 CET> (4 h 33 min old), most of it in "Prod"
[context] Contact it@contoso.example
[context] If this is not expected, treat it as stolen credentials. budget-alertd ack 5F0C1C3E · budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
[context] <https://partner.microsoft.com/commerce/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions|Partner Center> · spend ≥ 900 % · Nov · 5F0C1C3E"#
    );
}

#[tokio::test]
async fn the_second_line_says_where_most_of_it_is() {
    let most = async |change: fn(&mut AlertSnapshot)| {
        let mut sample = placed();
        change(&mut sample);
        let text =
            payload(Message::Alert(Box::new(sample))).await["text"].as_str().unwrap().to_owned();
        text.split_once("old)").unwrap().1.to_owned()
    };
    assert_eq!(most(|_| ()).await, r#", most of it in "Production / ml-rg""#);
    assert_eq!(
        most(|sample| sample.alert.resources[0].resource_group = None).await,
        r#", most of it in "Production / gpu-node-01""#
    );
    let guid = |sample: &mut AlertSnapshot| {
        sample.alert.resources[0].subscription =
            Some("5F0C1C3E-6fb9-4b05-8f15-b3d72e0596e6".into());
    };
    assert_eq!(most(guid).await, r#", most of it in "ml-rg""#, "no GUID in the first two lines");
    assert_eq!(
        most(|sample| sample.alert.resources[0].cost = Some(decimal("20000"))).await,
        r#", most of it in "Prod""#
    );
    let share = |sample: &mut AlertSnapshot| sample.alert.resources[0].cost = None;
    assert_eq!(
        most(share).await,
        r#", most of it in "Prod""#,
        "a share of one plan of several is no share of it all"
    );
}

#[tokio::test]
async fn doubts_and_changes_stand_below() {
    let mut sample = legacy();
    sample.alert.budget.as_mut().unwrap().previous_amount = Some(decimal("500"));
    assert_eq!(
        shown(&payload(Message::Alert(Box::new(sample))).await),
        r"🟠 Fabrikam Småland 82.5 % — 825 of 1,000, 175 left
Data Sat 14 Nov 18:08 CET (4 h 33 min old)
[section] 🟠 *Fabrikam Småland 82.5 %* — 825 of 1,000, 175 left
Data <!date^1794676091^{date_short_pretty} {time}|Sat 14 Nov 18:08 CET> (4 h 33 min old)
[context] Budget changed since this step was last told: 500 → 1,000. The billing period is assumed: Partner Center has not named it yet.
[context] If this is not expected, find out today what is running. budget-alertd ack 5F0C1C3E · budget-alertd explain 65726577-C208-40FD-9735-8C85AC9CAC68
[context] <https://partner.microsoft.com/commerce/customers/65726577-c208-40fd-9735-8c85ac9cac68/subscriptions|Partner Center> · spend ≥ 80 % · 5 Nov – 4 Dec (assumed) · 5F0C1C3E"
    );
}

#[tokio::test]
async fn a_digest_is_a_list_with_the_worst_first() {
    insta::assert_snapshot!(shown(&payload(Message::Digest(digest(6, true))).await), @r"
    [6 alerts, 3 CRITICAL] First look: Contoso Nord 900%, Wingtip Toys 835%, Litware 770%, 3 more
    Usage as of Sat 14 Nov 18:08, seen 22:41 CET (4 h 33 min old). From now on, each new step is told once.
    [section] *[6 alerts, 3 CRITICAL] First look: Contoso Nord 900%, Wingtip Toys 835%, Litware 770%, 3 more*
    Usage as of Sat 14 Nov 18:08, seen 22:41 CET (4 h 33 min old). From now on, each new step is told once.
    [section] 🔴 *Contoso Nord 900 %* — 45,000 of 5,000 SEK, 40,000 over · 12 % → 900 % in 24 h · 10000000
    🔴 *Wingtip Toys 835 %* — 41,750 of 5,000 GBP, 36,750 over · 12 % → 835 % in 24 h · 10000001
    🔴 *Litware 770 %* — 38,500 of 5,000 SEK, 33,500 over · 12 % → 770 % in 24 h · 10000002
    🟠 *Northwind 705 %* — 35,250 of 5,000 GBP, 30,250 over · 12 % → 705 % in 24 h · 10000003
    🟠 *Adatum 640 %* — 32,000 of 5,000 SEK, 27,000 over · 12 % → 640 % in 24 h · 10000004
    🟠 *Fabrikam Småland 82.5 %* — 825 of 1,000, 175 left · 10000005
    [context] Alerts: 3 critical · 3 warning
    [context] Cost: 77,000 GBP · 115,500 SEK · 1 customer in an unknown currency; about 19,250 USD in all (without 1 customer that has no cost in USD)
    [context] Over: 67,000 GBP · 100,500 SEK; about 16,750 USD in all
    [context] The billing period of Fabrikam Småland is assumed.
    ");
}

#[tokio::test]
async fn a_test_is_marked_as_one() {
    let text = shown(&payload(Message::Test(Box::new(sample_alert(time(NOW))))).await);
    assert!(text.starts_with("[TEST] 🔵 Example Customer (made up)"), "{text}");
    assert!(text.contains("[section] *[TEST]* This message was asked for"), "{text}");
}

#[tokio::test]
async fn the_largest_digest_stays_within_the_limits() {
    let mut largest = digest(30, false);
    for sample in &mut largest.alerts {
        sample.alert.customer.label = Some("&".repeat(200));
        sample.alert.cost.amount = decimal("79228162514264337593543950335");
    }
    let payload = payload(Message::Digest(largest)).await;
    let blocks = payload["blocks"].as_array().unwrap();
    let lengths: Vec<_> =
        blocks.iter().map(|block| block["text"]["text"].as_str().map_or(0, str::len)).collect();
    assert!(blocks.len() <= 50 && lengths.iter().all(|length| *length <= 3000), "{lengths:?}");
    assert!(
        blocks.iter().map(|block| block.to_string().chars().count()).sum::<usize>() <= 13_000,
        "{lengths:?}"
    );
    assert_eq!(
        payload.to_string().matches("🟠").count() + payload.to_string().matches("🔴").count(),
        30
    );
}

#[tokio::test]
async fn messages_are_a_second_apart() {
    let slack = Http::answering(Answer::with(200, "", "ok")).await;
    let clock = SimulatedClock::starting_at(time(NOW));
    let config = slack_config(&slack.url);
    let channel = config.build(clock.clone(), Metrics::new()).unwrap();
    let mut moments = Vec::new();
    for _ in 0..3 {
        channel.attempt(&alert_delivery(attacked())).await.unwrap();
        moments.push(clock.monotonic().as_secs());
    }
    assert_eq!(moments, [0, 1, 2]);
    assert_eq!(slack.requests().len(), 3);
}
