//! What a mail says, to people and to machines.

use budget_alertd::domain::{
    BudgetSource, BudgetView, Message, Metric, MetricValue, Recipients, Severity, WrittenBudget,
};
use budget_alertd::notify::{SampleKind, SmtpTls, sample_alert, sample_message};
use mail_parser::{MessageParser, MimeHeaders as _};

use super::receivers::{Script, Smtp};
use super::samples::{
    alert_delivery, attacked, channel, decimal, delivery, digest, email_config, legacy, placed,
    seed, time, told_by,
};

/// The mails that these messages become, as the server got them.
pub(super) async fn sent(messages: Vec<Message>) -> Vec<String> {
    let server = Smtp::playing(Script::default()).await;
    let channel = channel(&email_config(server.port, SmtpTls::None));
    for message in messages {
        let accepted = channel.attempt(&delivery(message)).await.unwrap();
        assert_eq!(accepted.detail, "250 2.0.0 Ok: queued as 4F2A");
    }
    server.seen().messages
}

pub(super) fn raised(sample: budget_alertd::domain::AlertSnapshot) -> Message {
    Message::Alert(Box::new(sample))
}

/// Subject and text.
pub(crate) async fn read(message: Message) -> String {
    let mail = sent(vec![message]).await.remove(0);
    let mail = MessageParser::default().parse(&mail).unwrap();
    format!(
        "{}\n\n{}",
        mail.subject().unwrap(),
        mail.body_text(0).unwrap().replace("\r\n", "\n").trim_end()
    )
}

/// Subject and first line.
pub(super) async fn headline(message: Message) -> String {
    let text = read(message).await;
    let mut lines = text.lines();
    format!("{}\n{}", lines.next().unwrap(), lines.nth(1).unwrap())
}

#[tokio::test]
async fn an_attacked_customer_is_told_with_all_that_is_known() {
    insta::assert_snapshot!(read(raised(attacked())).await, @r#"
    CRITICAL Contoso Nord 900% of budget: 45,000 of 5,000 SEK (+44,400 in 24 h)

    Contoso Nord is 40,000 SEK over its November budget (about 4,290 USD). 24 h before, it was at 12 %.
    Usage as of Sat 14 Nov 18:08, seen 22:41 CET (4 h 33 min old). If this is not expected, treat it as stolen credentials.

    Where     Prod 43,900 SEK · Azure plan 1,000 SEK · 2 others 100 SEK
    Pace      900 % used with 46 % of the period over; at this pace 98,400 SEK by 30 Nov
    Do        budget-alertd ack 5F0C1C3E · budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
              Customer in Partner Center: https://partner.microsoft.com/commerce/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions
    Contact   it@contoso.example
    Why you   rule "spend" (Share of the monthly budget), step 900 % (80 % and 100 % passed), 1–30 Nov, budget from Partner Center. Next message at 1,000 %.
    Ref       5F0C1C3E
    "#);
}

#[tokio::test]
async fn where_the_money_goes_is_told_by_resource_group_as_far_as_it_is_known() {
    let told = async |change: fn(&mut budget_alertd::domain::Alert)| {
        let mut sample = placed();
        change(&mut sample.alert);
        read(raised(sample))
            .await
            .lines()
            .find_map(|line| Some(line.strip_prefix("Where     ")?.to_owned()))
            .unwrap()
    };
    let alone =
        r#"Prod / subscription "Production", resource group "ml-rg" 43,000 SEK · others 2,000 SEK"#;
    assert_eq!(told(|_| ()).await, alone);
    let two = r#"Prod / subscription "Production", resource group "ml-rg" 23,000 SEK · subscription "Production", resource group "web-rg" 20,900 SEK · others 1,100 SEK"#;
    let second = |alert: &mut budget_alertd::domain::Alert| {
        alert.resources[0].cost = Some(decimal("23000"));
        (alert.resources[1].cost, alert.resources[1].percent) =
            (Some(decimal("20900")), decimal("47.6"));
    };
    assert_eq!(told(second).await, two);
    let share = r#"Prod / subscription "Production", resource group "ml-rg" 98 % of it"#;
    assert_eq!(told(|alert| alert.resources[0].cost = None).await, share);
    let same = r#"subscription "Prod", resource "gpu-node-01" 43,000 SEK · others 2,000 SEK"#;
    let named_alike = |alert: &mut budget_alertd::domain::Alert| {
        (alert.resources[0].subscription, alert.resources[0].resource_group) =
            (Some("Prod".into()), None);
    };
    assert_eq!(told(named_alike).await, same);
    let nameless = |alert: &mut budget_alertd::domain::Alert| {
        let one = &mut alert.resources[0];
        (one.subscription, one.resource_group, one.name) = (None, Some("\u{202e}".into()), None);
    };
    assert_eq!(told(nameless).await, "Prod 43,900 SEK · Azure plan 1,000 SEK · 2 others 100 SEK");
}

#[tokio::test]
async fn what_is_unknown_is_left_out() {
    insta::assert_snapshot!(read(raised(legacy())).await, @r#"
    WARNING Fabrikam Småland 82.5% of budget: 825 of 1,000

    Fabrikam Småland has used 82.5 % of its budget for 5 Nov – 4 Dec; 175 is left.
    Usage as of Sat 14 Nov 18:08, seen 22:41 CET (4 h 33 min old). If this is not expected, find out today what is running.

    Note      The billing period is assumed: Partner Center has not named it yet.
    Do        budget-alertd ack 5F0C1C3E · budget-alertd explain 65726577-C208-40FD-9735-8C85AC9CAC68
              Customer in Partner Center: https://partner.microsoft.com/commerce/customers/65726577-c208-40fd-9735-8c85ac9cac68/subscriptions
    Why you   rule "spend", step 80 %, 5 Nov – 4 Dec, budget from Partner Center. Next message at 100 %.
    Ref       5F0C1C3E
    "#);
    insta::assert_snapshot!(read(raised(seed())).await, @r#"
    CRITICAL Modern Azure Customer SE 602.84% of budget: 120.57 of 20 SEK

    Modern Azure Customer SE is 100.57 SEK over its September 2019 budget (about 10.34 USD).
    Usage as of Tue 17 Sep 2019 19:08 CEST, seen Sat 14 Nov 2026 22:41 CET (2615 d old). If this is not expected, find out today what is running.

    Where     Azure plan 120.57 SEK
    Pace      602.84 % used with 56 % of the period over
    Note      This billing period is over: it ended Tue 1 Oct 2019 02:00 CEST.
    Do        budget-alertd ack 5F0C1C3E · budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
              Customer in Partner Center: https://partner.microsoft.com/commerce/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions
    Why you   rule "spend", step 80 %, 1–30 Sep 2019, budget from Partner Center.
    Ref       5F0C1C3E
    "#);
}

#[tokio::test]
async fn every_metric_reads_naturally() {
    let mut over_zero = told_by(Metric::PercentUsed, "1", "80");
    over_zero.alert.budget.as_mut().unwrap().amount = decimal("0");
    over_zero.alert.value = Some(MetricValue::OverZero);
    over_zero.alert.computed_percent = None;
    let mut left = told_by(Metric::AmountLeft, "400", "500");
    left.alert.cost.amount = decimal("4600");
    left.alert.severity = Severity::Warning;
    let mut unbudgeted = told_by(Metric::UnbudgetedCost, "45000", "1000");
    unbudgeted.alert.budget = None;
    unbudgeted.alert.reported_percent = None;
    unbudgeted.alert.computed_percent = None;
    let mut all_used = told_by(Metric::PercentUsed, "100", "100");
    all_used.alert.cost.amount = decimal("5000");
    let samples = [
        over_zero,
        told_by(Metric::AmountOver, "40000", "1000"),
        left,
        told_by(Metric::TotalCost, "45000", "40000"),
        told_by(Metric::UsdTotalCost, "4826.25", "1000"),
        unbudgeted,
        all_used,
    ];
    let mut told = Vec::new();
    for sample in samples {
        told.push(headline(raised(sample)).await);
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    CRITICAL Contoso Nord 45,000 SEK with a budget of 0 (+44,400 in 24 h)
    Contoso Nord has cost 45,000 SEK (about 4,826 USD) in November with a budget of 0. 24 h before, it had cost 600 SEK.
    CRITICAL Contoso Nord 40,000 SEK over budget: 45,000 of 5,000 SEK (+44,400 in 24 h)
    Contoso Nord is 40,000 SEK over its November budget (about 4,290 USD). 24 h before, it had cost 600 SEK.
    WARNING Contoso Nord 400 SEK left of budget: 4,600 of 5,000 SEK (+4,000 in 24 h)
    Contoso Nord has 400 SEK left of its November budget. 24 h before, it had cost 600 SEK.
    CRITICAL Contoso Nord 45,000 SEK in November (+44,400 in 24 h)
    Contoso Nord has cost 45,000 SEK (about 4,826 USD) in November. 24 h before, it had cost 600 SEK.
    CRITICAL Contoso Nord 4,826.25 USD in November (+44,400 SEK in 24 h)
    Contoso Nord has cost 4,826.25 USD in November (45,000 SEK). 24 h before, it had cost 600 SEK.
    CRITICAL Contoso Nord 45,000 SEK without a budget (+44,400 in 24 h)
    Contoso Nord has cost 45,000 SEK (about 4,826 USD) in November and has no budget. 24 h before, it had cost 600 SEK.
    CRITICAL Contoso Nord 100% of budget: 5,000 of 5,000 SEK (+4,400 in 24 h)
    Contoso Nord has used all of its November budget. 24 h before, it was at 12 %.
    ");
}

#[tokio::test]
async fn changes_doubts_and_lateness_are_said() {
    let mut sample = attacked();
    sample.alert.baseline = true;
    sample.alert.budget.as_mut().unwrap().previous_amount = Some(decimal("500"));
    sample.alert.computed_percent = Some(decimal("880.5"));
    sample.alert.raised_at = time("2026-11-10T22:00:00Z");
    sample.alert.billing_period.end = time("2026-11-14T00:00:00Z");
    sample.context.carried_over = true;
    sample.context.previous = None;
    sample.context.other_budget = Some(BudgetView {
        amount: decimal("6000"),
        currency: sample.alert.budget.as_ref().unwrap().currency,
        source: BudgetSource::Local,
        previous_amount: None,
    });
    sample.context.pushed = Some(WrittenBudget {
        at: time("2026-11-10T12:00:00Z"),
        before: None,
        amount: decimal("6000"),
        currency: sample.alert.cost.currency.unwrap(),
    });
    insta::assert_snapshot!(read(raised(sample)).await, @r#"
    CRITICAL Contoso Nord 900% of budget: 45,000 of 5,000 SEK

    Contoso Nord is 40,000 SEK over its budget for 31 Oct – 13 Nov (about 4,290 USD).
    Usage as of Sat 14 Nov 18:08, seen Tue 10 Nov 23:00 CET. If this is not expected, treat it as stolen credentials.

    Where     Prod 43,900 SEK · Azure plan 1,000 SEK · 2 others 100 SEK
    Budget    changed since this step was last told: 500 → 5,000 SEK. 5,000 SEK from Partner Center counts; 6,000 SEK from the local configuration does not. 6,000 SEK pushed on Tue 10 Nov 13:00 CET, not yet in the usage data. Partner Center reports 900 %, cost and budget give 880.5 %; the larger counts
    Note      This was so already when the rule was first looked at. The data is dated in the next period, but carries on the cost of this one: taken for late data of it. This billing period is over: it ended Sat 14 Nov 01:00 CET. Delivered 3 d 23 h after it was seen.
    Do        budget-alertd ack 5F0C1C3E · budget-alertd explain 11111111-6fb9-4b05-8f15-b3d72e0596e6
              Customer in Partner Center: https://partner.microsoft.com/commerce/customers/11111111-6fb9-4b05-8f15-b3d72e0596e6/subscriptions
    Contact   it@contoso.example
    Why you   rule "spend" (Share of the monthly budget), step 900 % (80 % and 100 % passed), 31 Oct – 13 Nov, budget from Partner Center. Next message at 1,000 %.
    Ref       5F0C1C3E
    "#);
}

#[tokio::test]
async fn a_digest_names_the_worst_first() {
    insta::assert_snapshot!(read(Message::Digest(digest(6, false))).await, @r"
    [6 alerts, 3 CRITICAL] Contoso Nord 900%, Wingtip Toys 835%, Litware 770%, 3 more

    6 alerts about 6 customers, 3 critical.
    Usage as of Sat 14 Nov 18:08, seen 22:41 CET (4 h 33 min old). All about one: budget-alertd explain CUSTOMER
    The billing period of Fabrikam Småland is assumed.

    Alerts    3 critical · 3 warning
    Cost      77,000 GBP · 115,500 SEK · 1 customer in an unknown currency; about 19,250 USD in all (without 1 customer that has no cost in USD)
    Over      67,000 GBP · 100,500 SEK; about 16,750 USD in all

      Customer            Used  Cost / budget               Over  Rule, period, reference
    CRITICAL
      Contoso Nord       900 %  45,000 of 5,000 SEK  40,000 over  spend ≥ 900 % · Nov · 10000000
        12 % → 900 % in 24 h.
      Wingtip Toys       835 %  41,750 of 5,000 GBP  36,750 over  spend ≥ 900 % · Nov · 10000001
        12 % → 835 % in 24 h.
      Litware            770 %  38,500 of 5,000 SEK  33,500 over  spend ≥ 900 % · Nov · 10000002
        12 % → 770 % in 24 h.
    WARNING
      Northwind          705 %  35,250 of 5,000 GBP  30,250 over  spend ≥ 900 % · Nov · 10000003
        12 % → 705 % in 24 h.
      Adatum             640 %  32,000 of 5,000 SEK  27,000 over  spend ≥ 900 % · Nov · 10000004
        12 % → 640 % in 24 h.
      Fabrikam Småland  82.5 %  825 of 1,000            175 left  spend ≥ 80 % · 5 Nov – 4 Dec (assumed) · 10000005
    ");
    let mut part = digest(6, true);
    (part.part, part.parts, part.total) = (2, 3, 300);
    assert_eq!(
        headline(Message::Digest(part)).await,
        r"[300 alerts, 3 CRITICAL, part 2 of 3] First look: Contoso Nord 900%, Wingtip Toys 835%, Litware 770%, 3 more
First look: 300 alerts, 3 critical. This is part 2 of 3, worst first."
    );
    assert_eq!(
        headline(Message::Digest(digest(12, true))).await,
        r"[12 alerts, 3 CRITICAL] First look: Contoso Nord 900%, Wingtip Toys 835%, Litware 770%, 9 more
First look: 12 alerts about 12 customers, 3 critical."
    );
    let mut mild = digest(2, false);
    mild.criticals = 0;
    mild.alerts.iter_mut().for_each(|one| one.alert.severity = Severity::Warning);
    assert_eq!(
        headline(Message::Digest(mild)).await,
        r"[2 alerts] Contoso Nord 900%, 1 more
2 alerts about 2 customers, none critical."
    );
}

#[tokio::test]
async fn a_test_is_marked_as_one() {
    let text = read(Message::Test(Box::new(sample_alert(time(super::samples::NOW))))).await;
    let start: Vec<_> = text.lines().take(4).collect();
    assert_eq!(
        start.join("\n"),
        r"[TEST] INFO Example Customer (made up) 82.5% of budget: 825 of 1,000 EUR

[TEST] This message was asked for to try the notifier. Customer and amounts are made up.
"
    );
}

#[tokio::test]
async fn every_kind_of_message_can_be_tried_and_says_that_it_is_a_test() {
    let kinds = [
        SampleKind::Raised,
        SampleKind::Digest,
        SampleKind::Reminder,
        SampleKind::Resolved,
        SampleKind::Operator,
    ];
    let mut subjects = Vec::new();
    for kind in kinds {
        let text = read(sample_message(kind, time(super::samples::NOW))).await;
        assert!(text.contains("made up"), "{text}");
        subjects.push(text.lines().next().unwrap().to_owned());
    }
    assert_eq!(
        subjects.join("\n"),
        r"[TEST] INFO Example Customer (made up) 82.5% of budget: 825 of 1,000 EUR
[TEST] [3 alerts] Customer A (made… 82.5%, 2 more
[TEST] REMINDER INFO Customer A (made up) still 91.2% of budget: 912 of 1,000 EUR (open for 24 h)
[TEST] RESOLVED Customer A (made up): budget 1,000 → 2,000 EUR, 82.5% → 45.6%
[TEST] budget-alertd: the source has failed for 3 h (made up)"
    );
}

#[tokio::test]
async fn a_mail_carries_what_machines_need() {
    let mail = sent(vec![raised(attacked())]).await.remove(0);
    let head = mail.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
    let shown: Vec<_> = head.lines().filter(|line| !line.starts_with("Content-Type")).collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    From: "Budget alerts" <alerts@partner.example>
    To: "On call" <oncall@partner.example>
    Subject: CRITICAL Contoso Nord 900% of budget: 45,000 of 5,000 SEK (+44,400 in 24 h)
    Date: Sat, 14 Nov 2026 21:41:20 +0000
    Message-ID: <00c0ffee000040008000000000000001@partner.example>
    In-Reply-To: <alert.5f0c1c3e000040008000000000000001@partner.example>
    References: <budget.3c60fde956d38ee95fb10e1d711fc444@partner.example> <alert.5f0c1c3e000040008000000000000001@partner.example>
    Auto-Submitted: auto-generated
    X-Budget-Alert-Type: budget.alert.raised
    List-Id: <spend.budget-alerts.partner.example>
    X-Budget-Alert-Severity: critical
    X-Budget-Alert-Rule: spend
    X-Budget-Alert-Ref: 5F0C1C3E
    Importance: high
    X-Priority: 1 (Highest)
    MIME-Version: 1.0
    "#);
    let mail = MessageParser::default().parse(&mail).unwrap();
    assert_eq!((mail.text_body_count(), mail.html_body_count()), (1, 1));
    assert!(mail.body_html(0).unwrap().contains("Contoso Nord"));
}

#[tokio::test]
async fn a_mail_is_the_same_on_every_attempt_and_threads_by_customer_and_period() {
    let mut next_step = attacked();
    next_step.alert.rule = "another".into();
    let mut next_month = attacked();
    next_month.alert.billing_period.start = time("2026-12-01T00:00:00Z");
    let mails =
        sent(vec![raised(attacked()), raised(attacked()), raised(next_step), raised(next_month)])
            .await;
    let head = |mail: &str, name: &str| {
        mail.lines().find(|line| line.starts_with(name)).unwrap().to_owned()
    };
    let roots: Vec<_> = mails.iter().map(|mail| head(mail, "References")).collect();
    assert!(roots[0] == roots[1] && roots[0] == roots[2] && roots[0] != roots[3]);
    assert_eq!(head(&mails[0], "Message-ID"), head(&mails[1], "Message-ID"));
    assert_eq!(head(&mails[0], "Date"), head(&mails[1], "Date"));
}

#[tokio::test]
async fn each_recipient_is_addressed_alone_under_one_identity() {
    let server = Smtp::playing(Script::default()).await;
    let channel = channel(&email_config(server.port, SmtpTls::None));
    let recipients = channel.route().recipients.clone();
    assert_eq!(
        recipients,
        Recipients::Addresses(
            ["oncall@partner.example", "second@partner.example"].map(str::to_owned).to_vec()
        )
    );
    for recipient in recipients.each() {
        let mut delivery = alert_delivery(attacked());
        delivery.recipient = recipient.map(str::to_owned);
        channel.attempt(&delivery).await.unwrap();
    }
    let seen = server.seen();
    let to: Vec<_> = seen
        .messages
        .iter()
        .flat_map(|mail| mail.lines())
        .filter(|line| line.starts_with("To: "))
        .collect();
    assert_eq!(to, ["To: \"On call\" <oncall@partner.example>", "To: second@partner.example"]);
    let identities: Vec<_> = seen
        .messages
        .iter()
        .flat_map(|mail| mail.lines())
        .filter(|line| line.starts_with("Message-ID: "))
        .collect();
    assert_eq!(identities, ["Message-ID: <00c0ffee000040008000000000000001@partner.example>"; 2]);
}

#[tokio::test]
async fn the_chart_of_the_period_is_carried_in_the_mail_and_said_in_words() {
    let mails = sent(vec![
        raised(attacked()),
        raised(attacked()),
        raised(legacy()),
        Message::Digest(digest(6, false)),
    ])
    .await;
    assert_eq!(mails[0], mails[1], "every attempt sends the same bytes");
    let parsed = MessageParser::default().parse(&mails[0]).unwrap();
    let picture = parsed.attachment(0).unwrap();
    let html = parsed.body_html(0).unwrap();
    assert!(html.contains(&format!("<img src=\"cid:{}\"", picture.content_id().unwrap())));
    assert!(picture.contents().starts_with(b"\x89PNG\r\n") && picture.contents().len() < 15_000);
    let alt = html.split("alt=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(
        alt.replace('\u{a0}', " "),
        "Chart of November: 46 SEK on Sun 1 Nov 18:08, 45,000 SEK on Sat 14 Nov 18:08; at this \
            pace 98,400 SEK by 30 Nov, budget 5,000 SEK, step 900 %: 45,000 SEK."
    );
    let kinds: Vec<_> = parsed
        .parts
        .iter()
        .filter_map(|part| part.content_type()?.subtype().map(str::to_owned))
        .collect();
    assert_eq!(kinds, ["alternative", "plain", "related", "html", "png"]);
    for without in &mails[2..] {
        assert_eq!(
            MessageParser::default().parse(without).unwrap().attachment_count(),
            0,
            "without history, and in digests"
        );
    }
}
