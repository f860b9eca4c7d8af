//! Several reasons about one customer in one message: the worst is told, the others stand below it,
//! in every destination.

use budget_alertd::domain::{AlertSnapshot, Audience, Digest, Ended, Message, Metric, Severity};
use budget_alertd::notify::{Escape, SmtpTls, Template, Templates};
use mail_parser::MessageParser;
use uuid::Uuid;

use super::mail::{read, sent};
use super::metrics::spike;
use super::receivers::{Answer, Http, Script, Smtp};
use super::samples::{
    channel, decimal, delivery, email_config, ended, later, pagerduty_config, slack_config,
    together, watched, webhook_config,
};
use super::{pagerduty, slack, teams};

/// An alert about the customer by another rule, with a reference that begins with these digits.
fn another(mut sample: AlertSnapshot, rule: &str, severity: Severity, start: u8) -> AlertSnapshot {
    sample.alert.id = Uuid::from_u128(u128::from(start) << 120 | 7);
    sample.alert.reference = format!("{start:02X}000000");
    (sample.alert.rule, sample.alert.severity) = (rule.into(), severity);
    sample
}

/// A spike, and what two more rules say of the same customer.
fn three() -> Vec<AlertSnapshot> {
    let mut used = watched(Metric::PercentUsed, "80");
    used.alert.value = used.alert.computed_percent.map(budget_alertd::domain::MetricValue::Number);
    used.alert.budget.as_mut().unwrap().previous_amount = Some(decimal("1000"));
    let mut attack = spike("40", Some("31"));
    attack.alert.rule = "attack".into();
    vec![
        attack,
        another(used, "spend", Severity::Warning, 0x7a),
        another(watched(Metric::ForecastPercent, "120"), "trend", Severity::Info, 0x7b),
    ]
}

fn raised() -> Message {
    Message::Alerts(Digest::of_one_customer(three()))
}

#[tokio::test]
async fn a_mail_tells_the_worst_and_names_the_others_below() {
    insta::assert_snapshot!(read(raised()).await, @r#"
    CRITICAL Contoso Nord spent 31 times the usual: 1,240 SEK on 14 Nov (usually 40)

    On Sat 14 Nov Contoso Nord spent about 1,240 SEK; 40 is usual (median of 35 days), 1,200 more than usual.
    Usage as of Sat 14 Nov 18:08, seen 22:41 CET (4 h 33 min old). If this is not expected, treat it as stolen credentials.

    Also      WARNING 59 % of its November budget: 2,950 of 5,000 SEK · budget 1,000 → 5,000 SEK · spend ≥ 80 % · Nov · 7A000000
    Also      INFO heading for 129 %: 2,950 of 5,000 SEK after 46 % of November · trend ≥ 120 % · Nov · 7B000000
    Formula   1,240 − 40 SEK = 1,200 SEK more than usual; it must be 100 SEK, and over 10 % above the highest of the days before, 16.47 SEK
    Pace      59 % used with 46 % of the period over; at this pace 6,450 SEK by 30 Nov
    Do        budget-alertd ack 5F0C1C3E · budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
              Customer in Partner Center: https://partner.microsoft.com/commerce/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions
    Contact   it@contoso.example
    Why you   rule "attack" (Share of the monthly budget), step 3 times the usual, 1–30 Nov.
    Ref       5F0C1C3E
    "#);
}

#[tokio::test]
async fn a_reminder_and_an_end_tell_all_reasons_in_one_message() {
    let now = || three().into_iter().map(|one| later(one, "2400", Some("120"), Some("2000")));
    insta::assert_snapshot!(read(Message::Reminder(together(now().collect()))).await, @r#"
    REMINDER CRITICAL Contoso Nord spent 31 times the usual: 1,240 SEK on 14 Nov (usually 40) (open for 3 min)

    Reminder: Contoso Nord spent about 1,240 SEK on Sat 14 Nov; 40 is usual (median of 35 days), 1,200 more than usual. Open since Sat 14 Nov 22:41 CET (3 min), not acknowledged.
    31 times the usual when raised and now. Usage as of Sat 14 Nov 21:08 CET (1 h 36 min old). To end the reminders: budget-alertd ack 5F0C1C3E

    Also      WARNING 120 % of its November budget: 2,400 of 2,000 SEK · spend ≥ 80 % · Nov · 7A000000
    Also      INFO heading for 120 %: 2,400 of 2,000 SEK after 46 % of November · trend ≥ 120 % · Nov · 7B000000
    Raised    Sat 14 Nov 22:41 CET: 31 times the usual, 2,950 of 5,000 SEK
    Now       31 times the usual, 2,400 of 2,000 SEK, usage as of Sat 14 Nov 21:08 CET
    Pace      120 % used with 46 % of the period over; at this pace 5,200 SEK by 30 Nov
    Budget    5,000 → 2,000 SEK since it was raised
    Do        budget-alertd ack 5F0C1C3E · budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
              Customer in Partner Center: https://partner.microsoft.com/commerce/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions
    Contact   it@contoso.example
    Why you   rule "attack" (Share of the monthly budget), step 3 times the usual, 1–30 Nov.
    Ref       5F0C1C3E
    "#);
    let over = now().map(|one| ended(one, Ended::Period)).collect();
    insta::assert_snapshot!(read(Message::Resolved(together(over))).await, @r#"
    RESOLVED Contoso Nord: November is over, ended at 120% of budget: 2,400 of 2,000 SEK

    November is over for Contoso Nord. It ended at 2,400 of 2,000 SEK, 120 % of the budget.
    Usage as of Sat 14 Nov 21:08 CET (1 h 36 min old). Nothing to do.

    Also      was WARNING · November is over. Raised Sat 14 Nov 22:41 CET (59 %) · spend ≥ 80 % · Nov · 7A000000
    Also      was INFO · November is over. Raised Sat 14 Nov 22:41 CET (heading for 129 %) · trend ≥ 120 % · Nov · 7B000000
    Raised    Sat 14 Nov 22:41 CET: 31 times the usual, 2,950 of 5,000 SEK
    Now       31 times the usual, 2,400 of 2,000 SEK, usage as of Sat 14 Nov 21:08 CET
    Budget    5,000 → 2,000 SEK since it was raised
    Explain   budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
    Why you   rule "attack" (Share of the monthly budget), step 3 times the usual, 1–30 Nov.
    Ref       5F0C1C3E
    "#);
}

#[tokio::test]
async fn chats_name_the_others_below() {
    insta::assert_snapshot!(slack::shown(&slack::payload(raised()).await), @r"
    🔴 Contoso Nord 31 times the usual — 1,240 SEK on 14 Nov (usually 40)
    Data Sat 14 Nov 18:08 CET (4 h 33 min old)
    [section] 🔴 *Contoso Nord 31 times the usual* — 1,240 SEK on 14 Nov (usually 40)
    Data <!date^1794676080^{date_short_pretty} {time}|Sat 14 Nov 18:08 CET> (4 h 33 min old)
    Also: WARNING 59 % of its November budget: 2,950 of 5,000 SEK · budget 1,000 → 5,000 SEK · spend ≥ 80 % · Nov · 7A000000
    Also: INFO heading for 129 %: 2,950 of 5,000 SEK after 46 % of November · trend ≥ 120 % · Nov · 7B000000
    [context] Contact it@contoso.example
    [context] If this is not expected, treat it as stolen credentials. budget-alertd ack 5F0C1C3E · budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
    [context] <https://partner.microsoft.com/commerce/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions|Partner Center> · attack ≥ 3 times the usual · Nov · 5F0C1C3E
    ");
    insta::assert_snapshot!(teams::shown(&teams::card(raised()).await), @r#"
    [attention]
    CRITICAL
    Contoso Nord
    31 times the usual
    On Sat 14 Nov Contoso Nord spent about 1,240 SEK; 40 is usual (median of 35 days), 1,200 more than usual.
    Usage as of Sat 14 Nov 18:08, seen 22:41 CET (4 h 33 min old). If this is not expected, treat it as stolen credentials.
    Also: WARNING 59 % of its November budget: 2,950 of 5,000 SEK · budget 1,000 → 5,000 SEK · spend ≥ 80 % · Nov · 7A000000
    Also: INFO heading for 129 %: 2,950 of 5,000 SEK after 46 % of November · trend ≥ 120 % · Nov · 7B000000
    Formula: 1,240 − 40 SEK = 1,200 SEK more than usual; it must be 100 SEK, and over 10 % above the highest of the days before, 16.47 SEK
    Pace: 59 % used with 46 % of the period over; at this pace 6,450 SEK by 30 Nov
    Do: budget-alertd ack 5F0C1C3E · budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
    Contact: it@contoso.example
    Why you: rule "attack" (Share of the monthly budget), step 3 times the usual, 1–30 Nov.
    Ref: 5F0C1C3E
    [Customer in Partner Center](https://partner.microsoft.com/commerce/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions)
    "#);
}

#[tokio::test]
async fn a_digest_has_one_row_for_the_customer() {
    let mut all = three();
    let mut other = another(watched(Metric::ForecastPercent, "120"), "trend", Severity::Warning, 1);
    other.alert.customer.id = budget_alertd::domain::CustomerId::try_new("another").unwrap();
    other.alert.customer.label = Some("Fabrikam".into());
    all.push(other);
    insta::assert_snapshot!(read(Message::Digest(together(all.clone()))).await, @r"
    [4 alerts, 1 CRITICAL] Contoso Nord 31 times the usual, 1 more

    4 alerts about 2 customers, 1 critical.
    Usage as of Sat 14 Nov 18:08, seen 22:41 CET (4 h 33 min old). All about one: budget-alertd explain CUSTOMER

    Alerts    1 critical · 2 warning · 1 info
    Cost      5,900 SEK; about 590 USD in all

      Customer                    Used  Cost / budget             Over  Rule, period, reference
    CRITICAL
      Contoso Nord  31 times the usual  2,950 of 5,000 SEK  2,050 left  attack ≥ 3 times the usual · Nov · 5F0C1C3E
        Also: WARNING 59 % of its November budget: 2,950 of 5,000 SEK · budget 1,000 → 5,000 SEK · spend ≥ 80 % · Nov · 7A000000
        Also: INFO heading for 129 %: 2,950 of 5,000 SEK after 46 % of November · trend ≥ 120 % · Nov · 7B000000
    WARNING
      Fabrikam       heading for 129 %  2,950 of 5,000 SEK  2,050 left  trend ≥ 120 % · Nov · 01000000
        12 % → 129 % in 24 h.
    ");
    insta::assert_snapshot!(
        slack::shown(&slack::payload(Message::Digest(together(all.clone()))).await),
        @r"
    [4 alerts, 1 CRITICAL] Contoso Nord 31 times the usual, 1 more
    Usage as of Sat 14 Nov 18:08, seen 22:41 CET (4 h 33 min old). All about one: budget-alertd explain CUSTOMER
    [section] *[4 alerts, 1 CRITICAL] Contoso Nord 31 times the usual, 1 more*
    Usage as of Sat 14 Nov 18:08, seen 22:41 CET (4 h 33 min old). All about one: budget-alertd explain CUSTOMER
    [section] 🔴 *Contoso Nord 31 times the usual* — 1,240 SEK on 14 Nov (usually 40) · 5F0C1C3E
          Also: WARNING 59 % of its November budget: 2,950 of 5,000 SEK · budget 1,000 → 5,000 SEK · spend ≥ 80 % · Nov · 7A000000
          Also: INFO heading for 129 %: 2,950 of 5,000 SEK after 46 % of November · trend ≥ 120 % · Nov · 7B000000
    🟠 *Fabrikam heading for 129 %* — 2,950 of 5,000 SEK after 46 % of November · 12 % → 129 % in 24 h · 01000000
    [context] Alerts: 1 critical · 2 warning · 1 info
    [context] Cost: 5,900 SEK; about 590 USD in all
    "
    );
    insta::assert_snapshot!(teams::shown(&teams::card(Message::Digest(together(all))).await), @r"
    [attention]
    4 alerts, 1 critical
    4 alerts about 2 customers, 1 critical.
    Usage as of Sat 14 Nov 18:08, seen 22:41 CET (4 h 33 min old). All about one: budget-alertd explain CUSTOMER
    🔴 **Contoso Nord 31 times the usual** — 1,240 SEK on 14 Nov (usually 40) · 5F0C1C3E

    Also: WARNING 59 % of its November budget: 2,950 of 5,000 SEK · budget 1,000 → 5,000 SEK · spend ≥ 80 % · Nov · 7A000000

    Also: INFO heading for 129 %: 2,950 of 5,000 SEK after 46 % of November · trend ≥ 120 % · Nov · 7B000000
    🟠 **Fabrikam heading for 129 %** — 2,950 of 5,000 SEK after 46 % of November · 12 % → 129 % in 24 h · 01000000
    ");
}

#[tokio::test]
async fn an_incident_that_lists_a_digest_names_every_reason() {
    let service = pagerduty::service();
    let channel = channel(&pagerduty_config(&service.url()));
    channel.attempt(&delivery(Message::Digest(together(three())))).await.unwrap();
    let incidents = service.incidents();
    let details = &incidents[0].triggers[0]["payload"]["custom_details"];
    insta::assert_snapshot!(details["Alerts"][0].as_str().unwrap(), @"CRITICAL Contoso Nord 31 times the usual — 1,240 SEK on 14 Nov (usually 40) · attack ≥ 3 times the usual · Nov · 5F0C1C3E · Also: WARNING 59 % of its November budget: 2,950 of 5,000 SEK · budget 1,000 → 5,000 SEK · spend ≥ 80 % · Nov · 7A000000 · Also: INFO heading for 129 %: 2,950 of 5,000 SEK after 46 % of November · trend ≥ 120 % · Nov · 7B000000");
}

#[tokio::test]
async fn a_webhook_has_every_alert_in_its_place_and_no_digest() {
    let receiver = Http::answering(Answer::with(200, "", "")).await;
    let channel = channel(&webhook_config(&receiver.url));
    let now = three().into_iter().map(|one| later(one, "2400", Some("120"), Some("2000")));
    for message in [raised(), Message::Reminder(together(now.collect()))] {
        channel.attempt(&delivery(message)).await.unwrap();
    }
    for (request, kind) in
        receiver.requests().iter().zip(["budget.alert.raised", "budget.alert.reminder"])
    {
        let body = request.json();
        assert_eq!(body["type"], kind);
        let rules = body["data"]["alerts"].as_array().unwrap().iter().map(|one| &one["rule"]);
        assert_eq!(rules.collect::<Vec<_>>(), ["attack", "spend", "trend"]);
        assert!(body["data"]["digest"].is_null(), "{body}");
    }
}

#[tokio::test]
async fn a_mail_is_found_by_each_of_its_rules_and_references() {
    let mail = sent(vec![raised()]).await.remove(0);
    let header = |name: &str| {
        let mail = MessageParser::default().parse(&mail).unwrap();
        mail.header_raw(name).unwrap().trim().to_owned()
    };
    assert_eq!(header("X-Budget-Alert-Type"), "budget.alert.raised");
    assert_eq!(header("X-Budget-Alert-Severity"), "critical");
    assert_eq!(header("X-Budget-Alert-Rule"), "attack, spend, trend");
    assert_eq!(header("X-Budget-Alert-Ref"), "5F0C1C3E, 7A000000, 7B000000");
    assert_eq!(header("List-Id"), "<attack.budget-alerts.partner.example>");
    let references = header("References");
    for one in three() {
        let id = format!("<alert.{}@partner.example>", one.alert.id.simple());
        assert!(references.contains(&id), "{id} in {references}");
    }
    assert!(header("In-Reply-To").contains(&three()[0].alert.id.simple().to_string()));
}

#[tokio::test]
async fn the_customer_reads_one_mail_with_shares_alone() {
    let server = Smtp::playing(Script::default()).await;
    let mut owed = delivery(raised());
    owed.audience = Audience::Customer;
    channel(&email_config(server.port, SmtpTls::None)).attempt(&owed).await.unwrap();
    let mail = server.seen().messages.remove(0);
    let mail = MessageParser::default().parse(&mail).unwrap();
    let text = mail.body_text(0).unwrap().replace("\r\n", "\n");
    let whole = format!("{}\n\n{}", mail.subject().unwrap(), text.trim_end());
    assert!(!whole.contains("SEK") && !whole.contains("trend"), "{whole}");
    insta::assert_snapshot!(whole, @r"
    Important: Contoso Nord AB: Azure usage rises unusually fast

    Your Azure usage rises unusually fast; 59 % of your November budget is used.
    Usage as of Sat 14 Nov 18:08, seen 22:41 CET (4 h 33 min old). If you did not expect this, look now at what is running and who signed in, and contact your Azure provider.

    Also      59 % of the Azure budget for November used
    Also      heading for 129 % of the Azure budget for November
    Period    1–30 Nov, 46 % of it over
    Ref       5F0C1C3E, 7A000000, 7B000000
    ");
}

#[tokio::test]
async fn own_words_that_name_one_reason_lose_none() {
    let slack = Http::answering(Answer::with(200, "", "ok")).await;
    let template = Template::try_new(
        "{{ who or first }}: {% if reasons %}{{ reasons[0] }}{% endif %}",
        Escape::Slack,
    );
    let config = budget_alertd::notify::Config {
        templates: Templates { subject: None, body: Some(template.unwrap()) },
        ..slack_config(&slack.url)
    };
    channel(&config).attempt(&delivery(raised())).await.unwrap();
    let body = slack.requests().remove(0).json();
    insta::assert_snapshot!(body["blocks"][0]["text"]["text"].as_str().unwrap(), @r"
    Contoso Nord: WARNING 59 % of its November budget: 2,950 of 5,000 SEK · budget 1,000 → 5,000 SEK · spend ≥ 80 % · Nov · 7A000000
    Also: INFO heading for 129 %: 2,950 of 5,000 SEK after 46 % of November · trend ≥ 120 % · Nov · 7B000000
    ");
}

#[tokio::test]
async fn own_words_know_every_reason() {
    let slack = Http::answering(Answer::with(200, "", "ok")).await;
    let source = "{{ who or first }}{% for reason in reasons %}\n+ {{ reason }}{% endfor %}";
    let template = Template::try_new(source, Escape::Slack).unwrap();
    let config = budget_alertd::notify::Config {
        templates: Templates { subject: None, body: Some(template) },
        ..slack_config(&slack.url)
    };
    channel(&config).attempt(&delivery(raised())).await.unwrap();
    let body = slack.requests().remove(0).json();
    insta::assert_snapshot!(body["blocks"][0]["text"]["text"].as_str().unwrap(), @r"
    Contoso Nord
    + WARNING 59 % of its November budget: 2,950 of 5,000 SEK · budget 1,000 → 5,000 SEK · spend ≥ 80 % · Nov · 7A000000
    + INFO heading for 129 %: 2,950 of 5,000 SEK after 46 % of November · trend ≥ 120 % · Nov · 7B000000
    ");
}
