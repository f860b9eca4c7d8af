//! Every mail is a page of its own: nothing in it is loaded from elsewhere.

use budget_alertd::domain::Message;
use budget_alertd::notify::SmtpTls;
use mail_parser::MessageParser;

use super::receivers::{Script, Smtp};
use super::samples::{alert_delivery, attacked, channel, delivery, digest, email_config, legacy};

#[tokio::test]
async fn mails_load_nothing_from_elsewhere() {
    let server = Smtp::playing(Script::default()).await;
    let channel = channel(&email_config(server.port, SmtpTls::None));
    let largest = delivery(Message::Digest(digest(channel.route().digest_part, false)));
    for message in [alert_delivery(attacked()), alert_delivery(legacy()), delivery(Message::Digest(digest(12, true))), largest] {
        channel.attempt(&message).await.unwrap();
    }
    let mails = server.seen().messages;
    assert_eq!(mails.len(), 4);
    for (mail, name) in mails.iter().zip(["critical", "legacy", "digest", "largest"]) {
        let html = MessageParser::default().parse(mail).unwrap().body_html(0).unwrap().into_owned();
        for loading in ["http:", "https:", "<img", "<link", "url(", "@import", "<script"] {
            assert!(!html.contains(loading), "{loading}");
        }
        assert!(html.len() < 100_000, "mail clients cut longer ones: {}", html.len());
        // For whoever wants to look at them.
        if let Some(folder) = std::env::var_os("MAIL_PICTURES") {
            std::fs::write(std::path::Path::new(&folder).join(name).with_extension("html"), &html).unwrap();
        }
    }
}
