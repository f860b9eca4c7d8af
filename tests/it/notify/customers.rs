//! What the customer itself is told: shares in plain words, amounts only where it may see them,
//! nothing of the partner's own.

use budget_alertd::domain::{
    Audience, BudgetView, Delivery, Digest, Ended, Latest, Message, Metric, MetricValue, Readers,
};
use budget_alertd::notify::{Config, Partner, SmtpTls};
use budget_alertd::simulator::HttpReceiver;
use mail_parser::MessageParser;

use super::receivers::{Script, Smtp};
use super::samples::{
    attacked, channel, decimal, delivery, email_config, legacy, time, told_by, watched,
    webhook_config,
};

fn customers(config: Config, show_cost: bool) -> Config {
    Config { readers: Readers::Contacts, show_cost, ..config }
}

fn for_customer(message: Message) -> Delivery {
    Delivery {
        audience: Audience::Customer,
        recipient: Some("it@contoso.example".into()),
        ..delivery(message)
    }
}

async fn raw(message: Message, show_cost: bool) -> String {
    let server = Smtp::playing(Script::default()).await;
    channel(&customers(email_config(server.port, SmtpTls::None), show_cost))
        .attempt(&for_customer(message))
        .await
        .unwrap();
    server.seen().messages.remove(0)
}

/// Subject and text.
async fn read(message: Message, show_cost: bool) -> String {
    let mail = raw(message, show_cost).await;
    let mail = MessageParser::default().parse(&mail).unwrap();
    format!(
        "{}\n\n{}",
        mail.subject().unwrap(),
        mail.body_text(0).unwrap().replace("\r\n", "\n").trim_end()
    )
}

fn raised(sample: budget_alertd::domain::AlertSnapshot) -> Message {
    Message::Alert(Box::new(sample))
}

fn alone(sample: budget_alertd::domain::AlertSnapshot) -> Digest {
    Digest {
        alerts: vec![sample],
        part: 1,
        parts: 1,
        total: 1,
        criticals: 0,
        totals: None,
        baseline: false,
    }
}

fn now(budget: &str, ended: Option<Ended>) -> Digest {
    let mut sample = attacked();
    let budget =
        sample.alert.budget.clone().map(|view| BudgetView { amount: decimal(budget), ..view });
    let (cost, value) = (decimal("47000"), Some(decimal("58.75")));
    sample.context.latest = Some(Latest {
        usage_as_of: sample.alert.usage_as_of,
        cost,
        value,
        budget,
        ended,
        security: None,
        security_now: None,
        spike: None,
        run: None,
    });
    alone(sample)
}

#[tokio::test]
async fn a_customer_reads_shares_and_nothing_of_the_partners_own() {
    assert_eq!(
        read(raised(attacked()), false).await,
        "Important: Contoso Nord AB: 900% of the Azure budget for November used\n\nYour Azure \
            usage has exceeded your November budget: 900 % of it is used.\nUsage as of Sat 14 Nov \
            18:08, seen 22:41 CET (4 h 33 min old). If you did not expect this, look now at what \
            is running and who signed in, and contact your Azure provider.\n\nPeriod    1–30 Nov, \
            46 % of it over\nRef       5F0C1C3E"
    );
    let mail = raw(raised(attacked()), false).await;
    for hidden in [
        "SEK",
        "USD",
        "45",
        "spend",
        "Share of the",
        "budget-alertd explain",
        "List-Id",
        "Rule:",
        "Prod",
        "it@contoso.example,",
    ] {
        let shown = mail.lines().filter(|line| {
            !line.contains("Message-ID") && !line.contains("boundary") && !line.starts_with("--")
        });
        let shown: Vec<_> = shown
            .filter(|line| {
                line.contains(hidden) && !line.contains("@partner.example") && !line.contains("px")
            })
            .collect();
        assert!(shown.is_empty(), "{hidden}: {shown:?}");
    }
}

#[tokio::test]
async fn with_show_cost_it_reads_its_own_amounts() {
    assert_eq!(
        read(raised(attacked()), true).await,
        "Important: Contoso Nord AB: 900% of the Azure budget for November used, 45,000 of 5,000 \
            SEK\n\nYour Azure usage has exceeded your November budget: 900 % of it is used. So \
            far: 45,000 of 5,000 SEK.\nUsage as of Sat 14 Nov 18:08, seen 22:41 CET (4 h 33 min \
            old). If you did not expect this, look now at what is running and who signed in, and \
            contact your Azure provider.\n\nSpent     45,000 of 5,000 SEK\nWhere     Prod 43,900 \
            SEK · Azure plan 1,000 SEK · 2 others 100 SEK\nPeriod    1–30 Nov, 46 % of it \
            over\nRef       5F0C1C3E"
    );
}

#[tokio::test]
async fn every_metric_has_words_without_amounts() {
    let mut unbudgeted = told_by(Metric::UnbudgetedCost, "45000.25", "1000");
    unbudgeted.alert.budget = None;
    unbudgeted.alert.reported_percent = None;
    unbudgeted.alert.computed_percent = None;
    let mut over_zero = told_by(Metric::PercentUsed, "1", "80");
    over_zero.alert.budget.as_mut().unwrap().amount = decimal("0");
    over_zero.alert.value = Some(MetricValue::OverZero);
    over_zero.alert.computed_percent = None;
    let samples = vec![
        watched(Metric::ForecastPercent, "100"),
        watched(Metric::Pace, "10"),
        watched(Metric::DailyPercent, "10"),
        watched(Metric::DailyCost, "100"),
        watched(Metric::StaleHours, "48"),
        told_by(Metric::AmountOver, "40000.25", "1000"),
        told_by(Metric::UsdTotalCost, "4826.25", "1000"),
        unbudgeted,
        over_zero,
        legacy(),
    ];
    let mut told = Vec::new();
    for sample in samples {
        let text = read(raised(sample), false).await;
        assert!(!text.contains("SEK") && !text.contains("USD"), "{text}");
        told.push(
            text.lines().take(3).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n"),
        );
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    Contoso Nord AB: heading for 129% of the Azure budget for November
    If it goes on as so far, your Azure usage will reach 129 % of your November budget.
    Contoso Nord AB: the Azure budget for November is used faster than the time goes by, 13 points ahead
    Your Azure usage is 13 points ahead of the month; 59 % of your November budget is used.
    Contoso Nord AB: Azure usage rises by 47% of the budget a day
    Your Azure usage rises by 47 % of your November budget a day.
    Contoso Nord AB: Azure usage rises unusually fast
    Your Azure usage rises unusually fast; 59 % of your November budget is used.
    Contoso Nord AB: no new Azure usage for 52 h
    Azure has reported no new usage of yours for 52 h.
    Important: Contoso Nord AB: 900% of the Azure budget for November used
    Your Azure usage has exceeded your November budget: 900 % of it is used.
    Important: Contoso Nord AB: 900% of the Azure budget for November used
    Your Azure usage has exceeded your November budget: 900 % of it is used.
    Important: Contoso Nord AB: Azure usage in November has reached a threshold
    Your Azure usage in November has reached a threshold that is watched.
    Important: Contoso Nord AB: Azure usage in November with a budget of 0
    There is Azure usage in November although your November budget is 0.
    Fabrikam Småland: 82.5% of the Azure budget for 5 Nov – 4 Dec used
    Your Azure usage has reached 82.5 % of your budget for 5 Nov – 4 Dec.
    ");
}

#[tokio::test]
async fn reminders_and_ends_are_told_in_the_same_words() {
    let first = |text: String| {
        text.lines()
            .take(4)
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
            .join("\n")
    };
    let mut told = Vec::new();
    for message in [
        Message::Reminder(now("5000", None)),
        Message::Resolved(now("80000", Some(Ended::Budget))),
        Message::Resolved(now("5000", Some(Ended::Period))),
    ] {
        let text = read(message, false).await;
        assert!(!text.contains("SEK") && !text.contains("budget-alertd"), "{text}");
        told.push(first(text));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    Reminder: Contoso Nord AB: 58.75% of the Azure budget for November used
    Reminder: Your Azure usage has reached 58.75 % of your November budget.
    Usage as of Sat 14 Nov 18:08 CET (4 h 36 min old). If you did not expect this, look now at what is running and who signed in, and contact your Azure provider.
    Resolved: Contoso Nord AB: your November budget was changed, 58.75% of it is used
    Your November budget was changed, 58.75 % of it is used.
    Usage as of Sat 14 Nov 18:08 CET (4 h 36 min old). There is nothing to do.
    Resolved: Contoso Nord AB: November is over: 58.75% of your budget was used
    November is over: 58.75 % of your budget was used.
    Usage as of Sat 14 Nov 18:08 CET (4 h 36 min old). There is nothing to do.
    ");
}

#[tokio::test]
async fn several_alerts_of_one_customer_share_a_mail_and_those_of_two_never_do() {
    let digest = |alerts: Vec<_>| Message::Digest(Digest { total: 2, alerts, ..alone(attacked()) });
    let both = read(digest(vec![attacked(), watched(Metric::Pace, "10")]), false).await;
    insta::assert_snapshot!(both, @r"
    Important: Contoso Nord AB: 2 notices about your Azure usage

    2 notices about your Azure usage, the most important first.
    Usage as of Sat 14 Nov 18:08, seen 22:41 CET (4 h 33 min old). If you did not expect this, look now at what is running and who signed in, and contact your Azure provider.

    1. IMPORTANT Contoso Nord AB: 900 % of the Azure budget for November used
       1–30 Nov · 5F0C1C3E
    2. PLEASE NOTE Contoso Nord AB: the Azure budget for November is used faster than the time goes by, 13 points ahead
       1–30 Nov · 5F0C1C3E
    ");
    let server = Smtp::playing(Script::default()).await;
    let channel = channel(&customers(email_config(server.port, SmtpTls::None), true));
    let refused =
        channel.attempt(&for_customer(digest(vec![attacked(), legacy()]))).await.unwrap_err();
    assert!(refused.to_string().contains("not about one customer"), "{refused}");
    assert!(server.seen().messages.is_empty());
}

#[tokio::test]
async fn what_was_recorded_for_the_partner_never_goes_through_a_notifier_that_customers_read_now() {
    let server = Smtp::playing(Script::default()).await;
    let channel = channel(&customers(email_config(server.port, SmtpTls::None), true));
    let refused = channel.attempt(&delivery(raised(attacked()))).await.unwrap_err();
    assert_eq!(refused.verdict, budget_alertd::notify::Verdict::Message);
    assert!(refused.to_string().contains("customers read what \"oncall\" sends now"), "{refused}");
    assert!(server.seen().messages.is_empty());
}

async fn posted(message: Message, show_cost: bool) -> serde_json::Value {
    let receiver = HttpReceiver::start(budget_alertd::clock::SimulatedClock::starting_at(time(
        super::samples::NOW,
    )))
    .unwrap();
    let config =
        Config { readers: Readers::Program, show_cost, ..webhook_config(&receiver.url("/hook")) };
    channel(&config).attempt(&for_customer(message)).await.unwrap();
    serde_json::from_slice(&receiver.received()[0].body).unwrap()
}

#[tokio::test]
async fn a_webhook_for_customers_has_no_amounts_labels_or_rules() {
    let body = posted(raised(attacked()), false).await;
    let alert = &body["data"]["alerts"][0];
    assert_eq!(alert["customer"]["label"], serde_json::Value::Null);
    assert_eq!(
        (&alert["cost"], &alert["budget"], &alert["rule"]),
        (&serde_json::Value::Null, &serde_json::Value::Null, &serde_json::Value::Null)
    );
    assert_eq!(
        (
            alert["value"].as_str(),
            alert["threshold"].as_str(),
            alert["subscriptions"].as_array().map(Vec::len)
        ),
        (Some("900"), Some("900"), Some(0))
    );
    let shown = posted(raised(attacked()), true).await;
    assert_eq!(shown["data"]["alerts"][0]["cost"]["amount"], "45000.00");
    let money = posted(raised(told_by(Metric::AmountOver, "40000.25", "1000")), false).await;
    assert!(!money.to_string().contains("1000") && !money.to_string().contains("40000"), "{money}");
    let daily = posted(raised(watched(Metric::DailyCost, "100")), false).await;
    assert!(
        !daily.to_string().contains("2350") && !daily.to_string().contains("\"600\""),
        "{daily}"
    );
    let reminder = posted(Message::Reminder(now("5000", None)), false).await;
    assert_eq!(reminder["data"]["latest"][0]["cost"], serde_json::Value::Null);
    assert_eq!(reminder["data"]["latest"][0]["value"], "58.75");
}

#[tokio::test]
async fn a_customers_mail_names_the_partner_and_how_to_reach_it() {
    let partner = |contact: Option<&str>| {
        Some(Partner { name: "Contoso Cloud".into(), contact: contact.map(Into::into) })
    };
    let mail = async |message: Message, partner: Option<Partner>| {
        let server = Smtp::playing(Script::default()).await;
        let config =
            Config { partner, ..customers(email_config(server.port, SmtpTls::None), false) };
        channel(&config).attempt(&for_customer(message)).await.unwrap();
        let mail = server.seen().messages.remove(0);
        let mail = MessageParser::default().parse(&mail).unwrap();
        (mail.body_text(0).unwrap().replace("\r\n", "\n"), mail.body_html(0).unwrap().into_owned())
    };
    let reached = "+46 8 123 45 67, support@partner.example";
    let (text, html) = mail(raised(attacked()), partner(Some(reached))).await;
    assert!(
        text.contains(
            "look now at what is running and who signed in, and contact Contoso Cloud.\n"
        ),
        "{text}"
    );
    assert!(
        text.contains(&format!("\nContact   Contoso Cloud, {reached}\n"))
            && !text.contains("Azure provider"),
        "{text}"
    );
    assert!(
        html.contains(&format!("Contoso Cloud, {reached}")) && !html.contains("<a "),
        "no link: {html}"
    );
    let several = Message::Digest(Digest {
        total: 2,
        alerts: vec![attacked(), watched(Metric::Pace, "10")],
        ..alone(attacked())
    });
    let (text, html) = mail(several, partner(Some(reached))).await;
    assert!(
        text.contains("and contact Contoso Cloud.\n")
            && text.contains(&format!("\nContact   Contoso Cloud, {reached}\n")),
        "{text}"
    );
    assert!(html.contains(&format!("Contoso Cloud, {reached}")), "{html}");
    let (text, _) = mail(Message::Resolved(now("80000", Some(Ended::Budget))), partner(None)).await;
    assert!(
        text.contains("There is nothing to do.\n") && text.contains("\nContact   Contoso Cloud\n"),
        "{text}"
    );
}

#[tokio::test]
async fn answers_go_to_whom_the_configuration_names() {
    let server = Smtp::playing(Script::default()).await;
    let mut config = email_config(server.port, SmtpTls::None);
    if let budget_alertd::notify::Kind::Email(email) = &mut config.kind {
        email.reply_to = Some("Support <support@partner.example>".parse().unwrap());
    }
    channel(&config).attempt(&delivery(raised(attacked()))).await.unwrap();
    channel(&customers(config, false)).attempt(&for_customer(raised(attacked()))).await.unwrap();
    let mails = server.seen().messages;
    assert_eq!(mails.len(), 2);
    for mail in mails {
        assert!(
            mail.lines().any(|line| line == "Reply-To: Support <support@partner.example>"),
            "{mail}"
        );
    }
}
