//! How numbers are spelled, whatever the message: `900%` where room is short, in subjects, and
//! `900 %` in every sentence.

use budget_alertd::domain::{Audience, Delivery, Ended, Message, Readers};
use budget_alertd::notify::{Config, SmtpTls};
use mail_parser::MessageParser;

use super::metrics::WATCHED;
use super::receivers::{Script, Smtp};
use super::reports::eventful;
use super::samples::{
    apart, attacked, channel, delivery, digest, email_config, ended, later, legacy, news, placed,
    together, watched,
};

fn messages() -> Vec<Message> {
    let now = || later(attacked(), "47000", Some("940"), Some("5000"));
    let over = |by| ended(later(attacked(), "488", Some("61"), Some("80000")), by);
    let all = [
        Message::Alert(Box::new(attacked())),
        Message::Alert(Box::new(placed())),
        Message::Alert(Box::new(legacy())),
        Message::Digest(digest(6, true)),
        Message::Reminder(together(vec![now()])),
        Message::Reminder(apart(together(vec![now(); 3]))),
        Message::Resolved(together(vec![over(Ended::Budget)])),
        Message::Resolved(together(vec![over(Ended::Period)])),
        Message::Resolved(apart(together(vec![over(Ended::Period); 3]))),
        Message::Operator(news(false)),
        Message::Report(Box::new(eventful())),
    ];
    all.into_iter()
        .chain(WATCHED.map(|(metric, at)| Message::Alert(Box::new(watched(metric, at)))))
        .collect()
}

/// The places where a percentage is written the other way.
fn misspelled(text: &str, in_subject: bool) -> Vec<&str> {
    let other = if in_subject { r"\d %" } else { r"\d%" };
    regex::Regex::new(other).unwrap().find_iter(text).map(|found| found.as_str()).collect()
}

#[tokio::test]
async fn a_percentage_is_spelled_one_way_in_subjects_and_one_way_in_texts() {
    let server = Smtp::playing(Script::default()).await;
    let ours = email_config(server.port, SmtpTls::None);
    let customers = Config { readers: Readers::Contacts, show_cost: true, ..ours.clone() };
    for message in messages() {
        channel(&ours).attempt(&delivery(message.clone())).await.unwrap();
        if message.alerts().is_empty()
            || message
                .alerts()
                .iter()
                .any(|one| one.alert.customer.id != message.alerts()[0].alert.customer.id)
        {
            continue;
        }
        channel(&customers)
            .attempt(&Delivery { audience: Audience::Customer, ..delivery(message) })
            .await
            .unwrap();
    }
    for mail in server.seen().messages {
        let mail = MessageParser::default().parse(&mail).unwrap();
        let (subject, text) = (mail.subject().unwrap(), mail.body_text(0).unwrap());
        assert_eq!(misspelled(subject, true), Vec::<&str>::new(), "{subject}");
        assert_eq!(misspelled(&text, false), Vec::<&str>::new(), "{text}");
    }
}
