//! Alerts, deliveries and configurations to try notifiers with.

use std::time::Duration;

use budget_alertd::clock::SimulatedClock;
use budget_alertd::domain::{
    Alert, AlertContext, AlertSnapshot, AlertState, Audience, BillingPeriod, BudgetSource,
    BudgetView, CostView, Currency, CustomerId, CustomerView, Delivery, Digest, Ended, FindingCode,
    Inputs, Latest, Message, Metric, MetricValue, OperatorNews, PeriodSource, Plan, Point,
    Previous, ResourceCost, Rise, Severity, SubscriptionCost, Timing, UsageDate,
};
use budget_alertd::metrics::Metrics;
use budget_alertd::notify::{
    Channel, Config, EmailConfig, Kind, PagerDutyConfig, SlackConfig, SmtpConfig, SmtpTls,
    TeamsConfig, Templates, WebhookConfig,
};
use budget_alertd::secret::Secret;
use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::Uuid;

/// When the samples are sent, four minutes after they were raised.
pub(super) const NOW: &str = "2026-11-14T21:45:00Z";

pub(super) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(super) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn currency(code: &str) -> Option<Currency> {
    Currency::try_new(code).ok()
}

/// A customer at 900 % of its budget, attacked since yesterday.
pub(super) fn attacked() -> AlertSnapshot {
    let alert = Alert {
        id: Uuid::from_u128(0x5f0c_1c3e_0000_4000_8000_0000_0000_0001),
        rule: "spend".into(),
        metric: Metric::PercentUsed,
        threshold: decimal("900"),
        passed: vec![decimal("80"), decimal("100")],
        value: Some(MetricValue::Number(decimal("900"))),
        severity: Severity::Critical,
        baseline: false,
        reference: "5F0C1C3E".into(),
        customer: CustomerView {
            id: CustomerId::try_new("11111111-6fb9-4b05-8f15-b3d72e0596e6").unwrap(),
            name: "Contoso Nord AB".into(),
            label: Some("Contoso Nord".into()),
            plan: Plan::AzurePlan,
        },
        subscription: None,
        budget: Some(BudgetView {
            amount: decimal("5000"),
            currency: currency("SEK"),
            source: BudgetSource::PartnerCenter,
            previous_amount: None,
        }),
        cost: CostView {
            amount: decimal("45000.00"),
            currency: currency("SEK"),
            usd: Some(decimal("4826.25")),
        },
        reported_percent: Some(decimal("900")),
        computed_percent: Some(decimal("900")),
        billing_period: BillingPeriod::calendar_month(
            time("2026-11-14T17:08:00Z"),
            PeriodSource::CalendarMonth,
        ),
        subscriptions: vec![
            SubscriptionCost { id: "s1".into(), name: "Prod".into(), cost: decimal("43900") },
            SubscriptionCost { id: "s2".into(), name: "Azure plan".into(), cost: decimal("1000") },
            SubscriptionCost { id: "s3".into(), name: "Lab".into(), cost: decimal("60") },
            SubscriptionCost { id: "s4".into(), name: "Lab 2".into(), cost: decimal("40") },
        ],
        resources: Vec::new(),
        usage_as_of: UsageDate::parse("2026-11-14T17:08:11.1433333Z").unwrap(),
        inputs: None,
        spike: None,
        security: None,
        raised_at: time("2026-11-14T21:41:20Z"),
        state: AlertState::Raised,
    };
    let context = AlertContext {
        description: Some("Share of the monthly budget".into()),
        next_at: Some(decimal("1000")),
        contacts: vec!["it@contoso.example".into()],
        previous: Some(Previous {
            usage_as_of: time("2026-11-13T17:08:00Z"),
            cost: decimal("600"),
            value: Some(decimal("12")),
        }),
        cost_history: cost_history(),
        ..AlertContext::default()
    };
    AlertSnapshot { alert, context }
}

/// The same where it is known which resource groups the money goes to.
pub(super) fn placed() -> AlertSnapshot {
    let mut sample = attacked();
    let place = |group: &str, cost: &str, percent: &str| ResourceCost {
        subscription: Some("Production".into()),
        resource_group: Some(group.into()),
        name: Some("gpu-node-01".into()),
        cost: Some(decimal(cost)),
        percent: decimal(percent),
    };
    sample.alert.resources = vec![place("ml-rg", "43000", "97.95"), place("web-rg", "900", "2.05")];
    sample
}

/// A quiet month so far: about 46 SEK a day.
fn cost_history() -> Vec<Point> {
    (1_i64..=13)
        .map(|day| Point {
            at: time(&format!("2026-11-{day:02}T17:08:00Z")),
            cost: Decimal::from(day * 600 / 13),
        })
        .collect()
}

/// The same customer, told by another metric.
pub(super) fn told_by(metric: Metric, value: &str, at: &str) -> AlertSnapshot {
    let mut sample = attacked();
    sample.alert.metric = metric;
    sample.alert.value = Some(MetricValue::Number(decimal(value)));
    sample.alert.threshold = decimal(at);
    sample.alert.passed.clear();
    sample.context.next_at = None;
    sample
}

/// A customer of whom this metric says something before the budget is used up: 2,950 of 5,000 SEK,
/// 600 of them until the day before.
pub(super) fn watched(metric: Metric, at: &str) -> AlertSnapshot {
    let mut sample = told_by(metric, "0", at);
    let alert = &mut sample.alert;
    alert.severity = Severity::Warning;
    alert.cost =
        CostView { amount: decimal("2950"), currency: currency("SEK"), usd: Some(decimal("295")) };
    let as_of =
        if metric == Metric::StaleHours { "2026-11-12T17:23:20Z" } else { "2026-11-14T17:08:00Z" };
    alert.usage_as_of = UsageDate::parse(as_of).unwrap();
    alert.computed_percent = Some(decimal("59"));
    alert.reported_percent = Some(decimal("59"));
    alert.subscriptions.clear();
    let inputs = Inputs {
        cost: alert.cost.amount,
        usd_cost: alert.cost.usd,
        budget: alert.budget.as_ref().map(|budget| budget.amount),
        reported_percent: alert.reported_percent,
        timing: Ok(Timing::try_new(
            alert.billing_period.start,
            alert.billing_period.end,
            alert.usage_as_of.instant(),
        )
        .unwrap()),
        rise: Ok(Rise {
            since: time("2026-11-13T17:08:00Z"),
            from: decimal("600"),
            seconds: 86_400,
            per_day: decimal("2350"),
        }),
        stale_hours: Ok(decimal("52.3")),
    };
    alert.value = metric.value(&inputs).ok();
    assert!(alert.number().is_some(), "{metric:?} has a value");
    alert.inputs = metric.formula_inputs(&inputs);
    sample
}

/// The same alert some time after, with these numbers now.
pub(super) fn later(
    mut raised: AlertSnapshot,
    cost: &str,
    value: Option<&str>,
    budget: Option<&str>,
) -> AlertSnapshot {
    let budget = budget.map(|amount| BudgetView {
        amount: decimal(amount),
        currency: raised.alert.cost.currency,
        source: BudgetSource::PartnerCenter,
        previous_amount: None,
    });
    let usage_as_of = UsageDate::parse("2026-11-14T20:08:11Z").unwrap();
    raised.context.latest = Some(Latest {
        usage_as_of,
        cost: decimal(cost),
        value: value.map(decimal),
        budget,
        ended: None,
        security: None,
        security_now: None,
        spike: None,
        run: None,
    });
    raised
}

/// The same alert once this ended it.
pub(super) fn ended(mut later: AlertSnapshot, by: Ended) -> AlertSnapshot {
    later.alert.state = AlertState::Resolved;
    later.context.latest.as_mut().unwrap().ended = Some(by);
    later
}

/// These alerts in one message.
pub(super) fn together(alerts: Vec<AlertSnapshot>) -> Digest {
    let total = u32::try_from(alerts.len()).unwrap();
    let criticals = alerts.iter().filter(|one| one.alert.severity == Severity::Critical).count();
    Digest {
        alerts,
        part: 1,
        parts: 1,
        total,
        criticals: u32::try_from(criticals).unwrap(),
        totals: None,
        baseline: false,
    }
}

/// The same about customers of their own, who only look the same.
pub(super) fn apart(mut digest: Digest) -> Digest {
    for (number, one) in digest.alerts.iter_mut().enumerate().skip(1) {
        let id = format!("{}-{number}", one.alert.customer.id);
        one.alert.customer.id = CustomerId::try_new(id).unwrap();
    }
    digest
}

/// News about the daemon, three hours after it began.
pub(super) fn news(over: bool) -> OperatorNews {
    OperatorNews {
        code: FindingCode::SourceFailing,
        subject: String::new(),
        summary: if over {
            "the source answers again; 4 alerts may be up to 25 h late"
        } else {
            "the source has failed for 3 h"
        }
        .into(),
        action: if over { "" } else { "look at what it says, with: budget-alertd status" }.into(),
        since: time("2026-11-14T18:40:00Z"),
        over,
        from: None,
    }
}

/// A customer on a legacy plan: a period of its own, a currency nobody knows, nothing else either.
pub(super) fn legacy() -> AlertSnapshot {
    let mut sample = attacked();
    let alert = &mut sample.alert;
    alert.customer = CustomerView {
        id: CustomerId::try_new("65726577-C208-40FD-9735-8C85AC9CAC68").unwrap(),
        name: "Fabrikam Småland".into(),
        label: None,
        plan: Plan::Legacy,
    };
    alert.severity = Severity::Warning;
    alert.threshold = decimal("80");
    alert.passed.clear();
    alert.value = Some(MetricValue::Number(decimal("82.5")));
    alert.reported_percent = Some(decimal("82.5"));
    alert.computed_percent = Some(decimal("82.5"));
    alert.cost = CostView { amount: decimal("825"), currency: None, usd: None };
    alert.budget = Some(BudgetView {
        amount: decimal("1000"),
        currency: None,
        source: BudgetSource::PartnerCenter,
        previous_amount: None,
    });
    alert.billing_period = BillingPeriod {
        start: time("2026-11-05T08:00:00Z"),
        end: time("2026-12-05T08:00:00Z"),
        source: PeriodSource::Assumed,
    };
    alert.subscriptions.clear();
    sample.context = AlertContext { next_at: Some(decimal("100")), ..AlertContext::default() };
    sample
}

/// The seed's own customer: 602.84 %, long ago.
pub(super) fn seed() -> AlertSnapshot {
    let mut sample = attacked();
    let alert = &mut sample.alert;
    alert.threshold = decimal("80");
    alert.passed.clear();
    alert.value = Some(MetricValue::Number(decimal("602.84")));
    alert.reported_percent = Some(decimal("602.84"));
    alert.computed_percent = Some(decimal("602.84"));
    alert.customer.name = "Modern Azure Customer SE".into();
    alert.customer.label = None;
    alert.cost = CostView {
        amount: decimal("120.5682999999995904716"),
        currency: currency("SEK"),
        usd: Some(decimal("12.39999999999999985235")),
    };
    alert.budget.as_mut().unwrap().amount = decimal("20");
    alert.usage_as_of = UsageDate::parse("2019-09-17T17:08:11.1433333+00:00").unwrap();
    alert.billing_period = BillingPeriod::calendar_month(
        time("2019-09-17T17:08:11Z"),
        PeriodSource::SubscriptionSummary,
    );
    alert.subscriptions = vec![SubscriptionCost {
        id: "s1".into(),
        name: "Azure plan".into(),
        cost: decimal("120.5682999999995904716"),
    }];
    sample.context = AlertContext::default();
    sample
}

/// A digest of `count` alerts, the first three critical, in two currencies and one unknown.
pub(super) fn digest(count: u32, baseline: bool) -> Digest {
    let names = [
        "Contoso Nord",
        "Wingtip Toys",
        "Litware",
        "Northwind",
        "Adatum",
        "Tailspin",
        "Proseware",
        "Fourth Coffee",
    ];
    let alerts: Vec<_> = (0..count)
        .map(|index| {
            let mut sample = if index == 5 { legacy() } else { attacked() };
            let id = Uuid::from_u128(
                0x1000_0000_0000_4000_8000_0000_0000_0000 + (u128::from(index) << 96),
            );
            let name = names
                .get(index as usize)
                .map_or_else(|| format!("Customer {index}"), ToString::to_string);
            let percent = Decimal::from(900 - i64::from(index) * 65);
            let alert = &mut sample.alert;
            alert.id = id;
            alert.reference = Alert::reference_of(id);
            alert.baseline = baseline;
            alert.severity = if index < 3 { Severity::Critical } else { Severity::Warning };
            if index != 5 {
                alert.customer.id = CustomerId::try_new(format!("customer-{index}")).unwrap();
                alert.customer.label = Some(name);
                alert.value = Some(MetricValue::Number(percent));
                alert.computed_percent = Some(percent);
                alert.reported_percent = Some(percent);
                alert.cost.amount = percent * Decimal::from(50);
                alert.cost.usd = Some(percent * Decimal::from(5));
                if index % 2 == 1 {
                    alert.cost.currency = currency("GBP");
                    alert.budget.as_mut().unwrap().currency = currency("GBP");
                }
            }
            sample
        })
        .collect();
    Digest {
        alerts,
        part: 1,
        parts: 1,
        total: count,
        criticals: count.min(3),
        totals: None,
        baseline,
    }
}

/// A delivery of `message`, to a mail address for mail.
pub(super) fn delivery(message: Message) -> Delivery {
    Delivery {
        id: Uuid::from_u128(7),
        identity: Uuid::from_u128(0x00c0_ffee_0000_4000_8000_0000_0000_0001),
        notifier: "oncall".into(),
        recipient: Some("oncall@partner.example".into()),
        stands_in_for: None,
        audience: Audience::Partner,
        created_at: time("2026-11-14T21:41:20Z"),
        message,
    }
}

pub(super) fn alert_delivery(sample: AlertSnapshot) -> Delivery {
    delivery(Message::Alert(Box::new(sample)))
}

/// A notifier's configuration around `kind`, with a time-out that no answer of a test comes near.
pub(super) fn config(kind: Kind) -> Config {
    Config {
        name: "oncall".into(),
        kind,
        digest_above: Some(5),
        send_resolved: false,
        readers: budget_alertd::domain::Readers::Partner,
        show_cost: false,
        give_up_after: Duration::from_hours(72),
        timeout: Duration::from_secs(20),
        fallback: Vec::new(),
        fallback_after: Duration::from_mins(10),
        time_zone: jiff::tz::TimeZone::get("Europe/Stockholm").unwrap(),
        templates: Templates::default(),
        partner: None,
    }
}

pub(super) fn webhook_config(url: &str) -> Config {
    config(Kind::Webhook(WebhookConfig {
        url: url.parse().unwrap(),
        keys: Vec::new(),
        headers: Vec::new(),
    }))
}

pub(super) fn slack_config(url: &str) -> Config {
    config(Kind::Slack(SlackConfig { url: Secret::new(url) }))
}

pub(super) fn teams_config(url: &str) -> Config {
    config(Kind::Teams(TeamsConfig { url: Secret::new(url) }))
}

/// The key of the integration that [`pagerduty_config`] sends to.
pub(super) const ROUTING_KEY: &str = "R0123456789ABCDEFSESAMESESAME012";

pub(super) fn pagerduty_config(url: &str) -> Config {
    config(Kind::PagerDuty(PagerDutyConfig {
        routing_key: Secret::new(ROUTING_KEY),
        url: url.parse().unwrap(),
    }))
}

pub(super) fn email_config(port: u16, tls: SmtpTls) -> Config {
    config(Kind::Email(Box::new(EmailConfig {
        from: "Budget alerts <alerts@partner.example>".parse().unwrap(),
        to: vec![
            "On call <oncall@partner.example>".parse().unwrap(),
            "second@partner.example".parse().unwrap(),
        ],
        reply_to: None,
        smtp: SmtpConfig { host: "localhost".into(), port, tls, hello_name: None, sign_in: None },
    })))
}

/// The notifier of `config`, at [`NOW`].
pub(super) fn channel(config: &Config) -> Channel {
    config.build(SimulatedClock::starting_at(time(NOW)), Metrics::new()).unwrap()
}
