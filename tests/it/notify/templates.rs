//! Messages in the user's own words.

use budget_alertd::domain::Message;
use budget_alertd::notify::{
    Config, Escape, SampleKind, SmtpTls, Template, Templates, sample_message,
};
use mail_parser::MessageParser;

use super::receivers::{Answer, Http, Script, Smtp};
use super::samples::{
    NOW, attacked, channel, delivery, digest, email_config, later, news, slack_config, time,
    together, webhook_config,
};

fn template(source: &str, escape: Escape) -> Template {
    Template::try_new(source, escape).unwrap()
}

/// The same as a notifier has it.
fn own(source: &str, escape: Escape) -> Option<Template> {
    Some(template(source, escape)).filter(|_| !source.is_empty())
}

fn with(config: Config, subject: Option<Template>, body: Option<Template>) -> Config {
    Config { templates: Templates { subject, body }, ..config }
}

/// One of each kind.
fn messages() -> Vec<Message> {
    vec![
        Message::Alert(Box::new(attacked())),
        Message::Digest(digest(6, false)),
        Message::Reminder(together(vec![later(attacked(), "47000", Some("940"), Some("5000"))])),
        Message::Operator(news(false)),
        sample_message(SampleKind::Raised, time(NOW)),
    ]
}

#[tokio::test]
async fn a_mail_says_it_in_own_words() {
    let server = Smtp::playing(Script::default()).await;
    let subject = template("{{ severity | upper }}: {{ who or first }}\n", Escape::Plain);
    let body = template(
        "{{ first }}\n{% for row in rows %}{{ row.label }}: {{ row.text }}\n{% endfor %}",
        Escape::Plain,
    );
    let channel =
        channel(&with(email_config(server.port, SmtpTls::None), Some(subject), Some(body)));
    for message in messages() {
        channel.attempt(&delivery(message)).await.unwrap();
    }
    let mails = server.seen().messages;
    let read = |mail: &str| {
        let mail = MessageParser::default().parse(mail).unwrap();
        (
            mail.subject().unwrap().to_owned(),
            mail.body_text(0).unwrap().into_owned(),
            mail.body_html(0).unwrap().into_owned(),
        )
    };
    let subjects: Vec<_> = mails.iter().map(|mail| read(mail).0).collect();
    assert_eq!(
        subjects,
        [
            "CRITICAL: Contoso Nord",
            "CRITICAL: 6 alerts about 6 customers, 3 critical.",
            "CRITICAL: Contoso Nord",
            "WARNING: The source has failed for 3 h.",
            "[TEST] INFO: Example Customer (made up)",
        ]
    );
    let (_, text, html) = read(&mails[0]);
    assert!(
        text.starts_with("Contoso Nord is 40,000 SEK over its November budget (about 4,290 USD)."),
        "{text}"
    );
    assert!(text.contains("Ref: 5F0C1C3E") && html.contains("Ref: 5F0C1C3E<br>"), "{text}\n{html}");
    assert!(read(&mails[4]).1.starts_with("[TEST] This message was asked for"), "a test stays one");
}

#[tokio::test]
async fn values_are_escaped_for_where_they_go() {
    let mut hostile = attacked();
    hostile.alert.customer.label = Some("<!channel> \"A\" & <b>B</b>".into());
    let server = Smtp::playing(Script::default()).await;
    let mail =
        with(email_config(server.port, SmtpTls::None), None, own("<p>{{ who }}", Escape::Plain));
    channel(&mail).attempt(&delivery(Message::Alert(Box::new(hostile.clone())))).await.unwrap();
    let mail = server.seen().messages.remove(0);
    let html = MessageParser::default().parse(&mail).unwrap().body_html(0).unwrap().into_owned();
    assert!(!html.contains("<b>B") && !html.contains("<p>"), "{html}");

    let http = Http::answering(Answer::with(200, "", "ok")).await;
    let slack = with(
        slack_config(&http.url),
        None,
        own("*{{ who }}* <https://example.com|look>", Escape::Slack),
    );
    channel(&slack).attempt(&delivery(Message::Alert(Box::new(hostile.clone())))).await.unwrap();
    let hook = with(
        webhook_config(&http.url),
        None,
        own(
            r#"{"to": {{ who }}, "cost": {{ alert.cost if alert else none }}, "n": {{ alerts | length }}}"#,
            Escape::Json,
        ),
    );
    for message in [Message::Alert(Box::new(hostile))] {
        channel(&hook).attempt(&delivery(message)).await.unwrap();
    }
    let [slack, hook] = http.requests().try_into().unwrap();
    assert_eq!(
        slack.json()["blocks"][0]["text"]["text"],
        "*&lt;!channel&gt; \"A\" &amp; &lt;b&gt;B&lt;/b&gt;* <https://example.com|look>"
    );
    let cost = r#"{"amount":"45000.00","currency":"SEK","usd":"4826.25"}"#;
    let expected = format!(r#"{{"to":"<!channel> \"A\" & <b>B</b>","cost":{cost},"n":1}}"#);
    assert_eq!(hook.json(), serde_json::from_str::<serde_json::Value>(&expected).unwrap());
}

#[tokio::test]
async fn a_template_that_fails_on_a_message_costs_no_alert() {
    // No sample is called so.
    let fails =
        "{% if who == 'Contoso Nord' %}{{ alert.nothing_of_this_name }}{% endif %}{{ first }}";
    let http = Http::answering(Answer::with(200, "", "ok")).await;
    let slack = with(slack_config(&http.url), None, own(fails, Escape::Slack));
    let endless = "{% if who == 'Contoso Nord' %}{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}{% endif %}{{ first }}";
    let bounded = with(slack_config(&http.url), None, own(endless, Escape::Slack));
    for config in [slack, bounded] {
        channel(&config).attempt(&delivery(Message::Alert(Box::new(attacked())))).await.unwrap();
    }
    for request in http.requests() {
        let text = request.json()["blocks"][0]["text"]["text"].to_string();
        assert!(text.contains("*Contoso Nord 900 %* — 45,000 of 5,000 SEK, 40,000 over"), "{text}");
    }
}

#[test]
fn what_is_wrong_with_a_template_is_said_with_its_line() {
    let wrong = |source: &str, escape| Template::try_new(source, escape).unwrap_err().to_string();
    let said = [
        wrong("one\n{{ whom }}", Escape::Plain),
        wrong("{{ alert.rule }}", Escape::Plain),
        wrong("{% include 'other' %}", Escape::Plain),
        wrong("{% if test %}x{% endif %}", Escape::Plain),
        wrong("{\"a\": \"{{ first }}\"}", Escape::Json),
        wrong("{{ who", Escape::Slack),
    ];
    assert_eq!(
        said.join("\n"),
        r#"line 2 of the template, `{{ whom }}`: undefined value (tried with a new alert)
line 1 of the template, `{{ alert.rule }}`: undefined value (tried with a digest)
line 1 of the template, `{% include 'other' %}`: template not found: tried to include non-existing template 'other' (tried with a new alert)
it comes to an empty text (tried with a new alert)
it comes to no JSON: expected `,` or `}` at line 1 column 9; write values without quotes around them, as in {"text": {{ first }}} (tried with a new alert)
line 1 of the template, `{{ who`: syntax error: unexpected end of input, expected end of variable block"#
    );
}
