//! Every mail is a page of its own: nothing in it is loaded from elsewhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use budget_alertd::domain::{AlertSnapshot, Ended, Message, Metric, Point};
use budget_alertd::notify::SmtpTls;
use jiff::SignedDuration;
use mail_parser::{MessageParser, MimeHeaders as _};
use rust_decimal::Decimal;

use super::later::over_again;
use super::metrics::{WATCHED, spike};
use super::receivers::{Script, Smtp};
use super::reports::{eventful, quiet};
use super::samples::{
    attacked, channel, delivery, digest, email_config, ended, later, legacy, news, placed, time,
    together, told_by, watched,
};

/// The same after a month of days of 25 to 55.
fn after_a_month(mut spike: AlertSnapshot) -> AlertSnapshot {
    let start = time("2026-10-10T00:00:00Z");
    let day = |number: i64| Point {
        at: start + SignedDuration::from_hours(24 * number),
        cost: Decimal::from(25 + number * 11 % 31),
    };
    spike.context.days = (0..35).map(day).collect();
    spike
}

#[tokio::test]
async fn mails_load_nothing_from_elsewhere() {
    let server = Smtp::playing(Script::default()).await;
    let channel = channel(&email_config(server.port, SmtpTls::None));
    let part = channel.route().digest_part;
    let grown = |mut one: AlertSnapshot| {
        one.alert.raised_at = time("2026-11-12T21:41:20Z");
        later(one, "47000", Some("940"), Some("5000"))
    };
    let reminders = |count| together(digest(count, false).alerts.into_iter().map(grown).collect());
    let over = |by, budget| {
        ended(
            later(told_by(Metric::PercentUsed, "900", "80"), "48800", Some("61"), Some(budget)),
            by,
        )
    };
    let messages = [
        ("critical", Message::Alert(Box::new(attacked()))),
        ("placed", Message::Alert(Box::new(placed()))),
        ("legacy", Message::Alert(Box::new(legacy()))),
        ("forecast", Message::Alert(Box::new(watched(Metric::ForecastPercent, "120")))),
        ("pace", Message::Alert(Box::new(watched(Metric::Pace, "9")))),
        ("daily", Message::Alert(Box::new(watched(Metric::DailyCost, "1000")))),
        ("spike", Message::Alert(Box::new(after_a_month(spike("40", Some("31")))))),
        ("spike-over", Message::Resolved(together(vec![over_again(spike("40", Some("31")))]))),
        ("stale", Message::Alert(Box::new(watched(Metric::StaleHours, "48")))),
        ("digest", Message::Digest(digest(12, true))),
        ("largest", Message::Digest(digest(part, false))),
        ("reminder", Message::Reminder(together(vec![grown(attacked())]))),
        ("reminders", Message::Reminder(reminders(6))),
        ("most-reminders", Message::Reminder(reminders(part))),
        ("resolved", Message::Resolved(together(vec![over(Ended::Budget, "80000")]))),
        (
            "resolved-several",
            Message::Resolved(together(vec![
                over(Ended::Budget, "80000"),
                over(Ended::Period, "5000"),
            ])),
        ),
        (
            "mixed",
            Message::Digest(together(WATCHED.map(|(metric, at)| watched(metric, at)).to_vec())),
        ),
        ("operator", Message::Operator(news(false))),
        ("report", Message::Report(Box::new(eventful()))),
        ("report-quiet", Message::Report(Box::new(quiet()))),
        ("operator-over", Message::Operator(news(true))),
    ];
    let names = messages.each_ref().map(|(name, _)| *name);
    for (_, message) in messages {
        channel.attempt(&delivery(message)).await.unwrap();
    }
    let mails = server.seen().messages;
    assert_eq!(mails.len(), names.len());
    for (mail, name) in mails.iter().zip(names) {
        let parsed = MessageParser::default().parse(mail).unwrap();
        let whole = parsed.body_html(0).unwrap().into_owned();
        let html = whole.replace("<img src=\"cid:", "");
        if name == "spike" {
            let said = "Chart of the days since 10 Oct: cost a day, 1,240 SEK on Sat 14 Nov; usual \
                31 to 47 SEK a day.";
            assert!(html.contains(said), "{html}");
        }
        // A link loads nothing before somebody follows it.
        let html = html.replace("href=\"https://partner.microsoft.com/", "");
        for loading in ["http:", "https:", "<img", "<link", "url(", "@import", "<script"] {
            assert!(!html.contains(loading), "{loading}");
        }
        assert!(html.len() < 100_000, "mail clients cut longer ones: {}", html.len());
        // For whoever wants to look at them.
        if let Some(folder) = std::env::var_os("MAIL_PICTURES") {
            let png = |part: &mail_parser::MessagePart<'_>| {
                Some((part.content_id()?.to_owned(), STANDARD.encode(part.contents())))
            };
            let shown = parsed.attachments().filter_map(png).fold(whole, |html, (id, png)| {
                html.replace(&format!("cid:{id}"), &format!("data:image/png;base64,{png}"))
            });
            std::fs::write(std::path::Path::new(&folder).join(name).with_extension("html"), shown)
                .unwrap();
        }
    }
}
