//! Names from outside on all three destinations: no header, no mention, no markup, no panic.

use budget_alertd::domain::{
    AlertSnapshot, CustomerId, Ended, Message, MetricValue, OperatorNews, Report,
};
use budget_alertd::notify::SmtpTls;
use mail_parser::MessageParser;
use proptest::prelude::*;
use proptest::test_runner::{Config as Runs, TestRunner};

use super::metrics::WATCHED;
use super::receivers::{Answer, Http, Script, Smtp};
use super::reports::eventful;
use super::samples::{
    apart, attacked, channel, delivery, digest, email_config, ended, later, news, placed,
    slack_config, together, watched, webhook_config,
};

const HOSTILE: [&str; 12] = [
    "A\r\nBcc: x@evil.example",
    "A\nSubject: owned\n\nbody",
    "<!channel> <@U123> @here",
    "<script>alert(1)</script><img src=http://evil.example/x>",
    "<http://evil.example|click>",
    "{{7*7}}{% for x in range(9) %}y{% endfor %}",
    "\u{202e}evil\u{2066}\u{200f}",
    "nul\0and\u{1b}[31mred\u{7f}\u{9b}",
    "line\u{2028}para\u{2029}next\u{85}",
    "\"quotes\" \\ 'and' <a@b.example>, c@d.example",
    "=?utf-8?q?Bcc:_x?= . \r\n.\r\nMAIL FROM:<x>",
    " \u{feff}\t ",
];

/// A sample with `text` wherever text from outside can stand.
fn named(text: &str) -> AlertSnapshot {
    let mut sample = attacked();
    sample.alert.customer.name = text.into();
    sample.alert.customer.label = Some(text.into());
    sample.alert.customer.id = CustomerId::try_new(format!("x{text}")).unwrap();
    sample.alert.rule = text.into();
    sample.alert.reference = text.into();
    sample.alert.subscriptions.iter_mut().for_each(|one| one.name = text.into());
    sample.alert.resources = placed().alert.resources;
    for one in &mut sample.alert.resources {
        (one.subscription, one.resource_group, one.name) =
            (Some(text.into()), Some(text.into()), Some(text.into()));
    }
    sample.context.description = Some(text.into());
    sample.context.contacts = vec![text.into(), text.into()];
    sample.context.owner = Some(text.into());
    sample.alert.subscription = Some(text.into());
    sample.context.subscription_name = Some(text.into());
    sample
}

/// A report with `text` wherever text from outside can stand.
fn hostile(text: &str) -> Report {
    let mut report = eventful();
    report.over_budget.items.iter_mut().for_each(|one| one.customer.name = text.into());
    report.growth.items.iter_mut().for_each(|one| one.customer.name = text.into());
    report.unbudgeted.items.iter_mut().for_each(|one| one.customer.name = text.into());
    report.repeatedly_over.items.iter_mut().for_each(|one| one.customer.name = text.into());
    report
        .budgets_lost
        .items
        .iter_mut()
        .for_each(|one| (one.id, one.name, one.detail) = (text.into(), text.into(), text.into()));
    report.coverage.reasons.iter_mut().for_each(|one| one.reason = text.into());
    (report.trust.trouble, report.trust.failing_notifiers) = (vec![text.into()], vec![text.into()]);
    report
}

fn messages(text: &str) -> Vec<Message> {
    let mut parts = digest(6, true);
    parts.alerts = vec![named(text); 6];
    let alerts = WATCHED.map(|(metric, at)| {
        let mut sample = named(text);
        let watched = watched(metric, at).alert;
        (sample.alert.metric, sample.alert.value, sample.alert.inputs) =
            (metric, watched.value, watched.inputs);
        Message::Alert(Box::new(sample))
    });
    let over = |by| ended(later(named(text), "488", Some("61"), Some("80000")), by);
    let operator = |over| OperatorNews {
        subject: text.into(),
        summary: text.into(),
        action: text.into(),
        ..news(over)
    };
    let others = [
        Message::Alert(Box::new(named(text))),
        Message::Test(Box::new(named(text))),
        Message::Digest(parts),
        Message::Reminder(together(vec![later(named(text), "47000", Some("940"), Some("5000"))])),
        Message::Reminder(together(vec![
            later(named(text), "47000", Some("940"), Some("5000"));
            3
        ])),
        Message::Resolved(together(vec![over(Ended::Budget)])),
        Message::Resolved(apart(together(vec![over(Ended::Period); 3]))),
        Message::Operator(operator(false)),
        Message::Operator(operator(true)),
        Message::Report(Box::new(hostile(text))),
    ];
    others.into_iter().chain(alerts).collect()
}

/// Headers that a mail may have, each once.
const HEADERS: [&str; 20] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "List-Id",
    "X-Budget-Alert-Type",
    "X-Budget-Alert-Severity",
    "X-Budget-Alert-Rule",
    "X-Budget-Alert-Ref",
    "X-Budget-Alert-Code",
    "Importance",
    "X-Priority",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "",
];

fn assert_harmless_mail(mail: &str, text: &str) {
    let head = mail.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ").replace("\r\n\t", " ");
    let mut names: Vec<_> = head
        .split("\r\n")
        .map(|line| line.split_once(": ").unwrap_or_else(|| panic!("{line:?} of {text:?}")).0)
        .collect();
    assert!(names.iter().all(|name| HEADERS.contains(name)), "{names:?}");
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "{names:?}");
    assert!(
        head.bytes().all(|byte| byte == b'\r' || byte == b'\n' || (b' '..=b'~').contains(&byte)),
        "{head:?}"
    );
    let parsed = MessageParser::default().parse(mail).unwrap();
    // The one picture and the one link are the mail's own.
    let html = parsed
        .body_html(0)
        .unwrap()
        .replace("<img src=\"cid:chart.", "")
        .replace("<a href=\"https://partner.microsoft.com/", "");
    for markup in ["<script", "<img", "<a ", "<http", "<!channel", "49", "yyy"] {
        assert!(!html.contains(markup) || text.contains("49"), "{markup} of {text:?}");
    }
    for body in [html, parsed.body_text(0).unwrap().into_owned()] {
        assert!(!body.chars().any(|c| (c.is_control() && c != '\n' && c != '\r')
            || "\u{202e}\u{2066}\u{200f}\u{2028}\u{2029}".contains(c)));
        assert!(body.len() < 60_000);
    }
    assert!(parsed.subject().unwrap().chars().count() < 300);
}

/// Sends every message with `text` in it to all three destinations and looks at what they got.
async fn assert_harmless(text: &str) {
    let server = Smtp::playing(Script::default()).await;
    let http = Http::answering(Answer::with(200, "", "ok")).await;
    let (mail, slack, webhook) = (
        email_config(server.port, SmtpTls::None),
        slack_config(&http.url),
        webhook_config(&http.url),
    );
    let (mail, slack, webhook) = (channel(&mail), channel(&slack), channel(&webhook));
    let own = regex::Regex::new(r"<!date\^\d+\^\{date_short_pretty\} \{time\}\|[\w :]+>").unwrap();
    let messages = messages(text);
    for message in &messages {
        let delivery = delivery(message.clone());
        for channel in [&mail, &slack, &webhook] {
            channel.attempt(&delivery).await.unwrap_or_else(|error| panic!("{error} for {text:?}"));
        }
        let [slack, webhook] =
            http.requests().split_off(http.requests().len() - 2).try_into().unwrap();
        let texts = slack.json().to_string();
        // The one sequence is our own.
        let texts = own.replacen(&texts, 1, "");
        assert!(!texts.contains('<') && !texts.contains('>'), "{texts}");
        assert!(
            !texts.contains("\\u0000") && !texts.contains("\\r") && !texts.contains('\u{202e}'),
            "{texts}"
        );
        // The webhook is for machines: it says what it got, to the letter.
        let data = &webhook.json()["data"];
        let named = [
            &data["operator"]["summary"],
            &data["report"]["over_budget"]["items"][0]["customer"]["name"],
        ];
        let name = named
            .into_iter()
            .find(|name| name.is_string())
            .unwrap_or(&data["alerts"][0]["customer"]["name"]);
        assert_eq!(name.as_str(), Some(text));
    }
    let seen = server.seen();
    assert_eq!(seen.messages.len(), messages.len());
    seen.messages.iter().for_each(|mail| assert_harmless_mail(mail, text));
    assert_eq!(
        seen.commands.iter().filter(|command| command.starts_with("MAIL")).count(),
        messages.len(),
        "{:?}",
        seen.commands
    );
}

#[tokio::test]
async fn hostile_names_harm_nobody() {
    for text in HOSTILE {
        assert_harmless(text).await;
    }
    assert_harmless(&"Långt namn & <b>".repeat(700)).await;
}

#[tokio::test]
async fn a_hostile_display_name_of_the_configuration_breaks_no_header() {
    let server = Smtp::playing(Script::default()).await;
    let mut config = email_config(server.port, SmtpTls::None);
    if let budget_alertd::notify::Kind::Email(email) = &mut config.kind {
        email.from.name = Some("Alerts\r\nBcc: x@evil.example".into());
        email.to[0].name = Some("\u{202e}\0".into());
        email.smtp.sign_in = None;
    }
    channel(&config).attempt(&delivery(Message::Alert(Box::new(attacked())))).await.unwrap();
    let mail = server.seen().messages.remove(0);
    assert_harmless_mail(&mail, "");
    let from =
        MessageParser::default().parse(&mail).unwrap().from().unwrap().first().unwrap().clone();
    assert_eq!(
        (from.name(), from.address()),
        (Some("Alerts Bcc: x@evil.example"), Some("alerts@partner.example"))
    );
    assert!(mail.lines().any(|line| line == "To: oncall@partner.example"), "{mail}");
}

#[test]
fn no_name_and_no_amount_makes_rendering_fail() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner =
        TestRunner::new(Runs { cases: 48, failure_persistence: None, ..Runs::default() });
    let amounts = any::<(i128, u32, i128, u32, bool)>();
    let dates = (-62_000_000_000_i64..250_000_000_000, -62_000_000_000_i64..250_000_000_000);
    runner
        .run(
            &("\\PC{0,40}|(?s).{0,200}", amounts, dates),
            |(text, (cost, cost_scale, budget, budget_scale, known), (as_of, raised))| {
                let number = |value: i128, scale: u32| {
                    rust_decimal::Decimal::from_i128_with_scale(value >> 33, scale % 29)
                };
                let mut sample = named(&text);
                sample.alert.cost.amount = number(cost, cost_scale);
                sample.alert.budget.as_mut().unwrap().amount = number(budget, budget_scale).abs();
                sample.alert.computed_percent = known.then(|| number(budget, cost_scale));
                sample.alert.value = sample.alert.computed_percent.map(MetricValue::Number);
                let at = |seconds: i64| jiff::Timestamp::from_second(seconds).unwrap();
                sample.alert.usage_as_of = budget_alertd::domain::UsageDate::at(at(as_of));
                sample.alert.raised_at = at(raised);
                runtime.block_on(async {
                    let server = Smtp::playing(Script::default()).await;
                    let http = Http::answering(Answer::with(200, "", "ok")).await;
                    let mut owed = delivery(Message::Alert(Box::new(sample)));
                    owed.created_at = at(raised);
                    channel(&email_config(server.port, SmtpTls::None))
                        .attempt(&owed)
                        .await
                        .unwrap();
                    channel(&slack_config(&http.url)).attempt(&owed).await.unwrap();
                    let mail = server.seen().messages.remove(0);
                    let head = mail.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
                    assert!(
                        head.split("\r\n")
                            .all(|line| HEADERS.contains(&line.split_once(": ").unwrap().0)),
                        "{head}"
                    );
                });
                Ok(())
            },
        )
        .unwrap();
}
