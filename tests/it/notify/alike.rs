//! Whose message it is: a name stands for one customer in every destination, and one written from
//! right to left moves nothing beside it.

use budget_alertd::domain::{AlertSnapshot, CustomerId, Message, Metric};
use budget_alertd::notify::{AlertmanagerConfig, Config, Kind, SmtpTls};
use mail_parser::MessageParser;
use serde_json::Value;

use super::mail::{raised, read, sent};
use super::receivers::{Answer, Http, Script, Smtp};
use super::reports::eventful;
use super::samples::{
    attacked, channel, config, delivery, digest, email_config, pagerduty_config, slack_config,
    teams_config, together, told_by,
};

const HEBREW: &str = "חברת צפון";
const ISOLATED: &str = "\u{2068}חברת צפון\u{2069}";

fn called(name: &str, id: &str) -> AlertSnapshot {
    let mut sample = attacked();
    (sample.alert.customer.name, sample.alert.customer.label) = (name.into(), None);
    sample.alert.customer.id = CustomerId::try_new(id).unwrap();
    sample
}

fn alertmanager(url: &str) -> Config {
    config(Kind::Alertmanager(AlertmanagerConfig {
        url: url.parse().unwrap(),
        headers: Vec::new(),
    }))
}

/// What every destination but mail gets of a message.
async fn everywhere(message: &Message) -> [(&'static str, Value); 4] {
    let get = async |name, status, answer: &'static str, of: fn(&str) -> Config| {
        let http = Http::answering(Answer::with(status, "", answer)).await;
        channel(&of(&http.url))
            .attempt(&delivery(message.clone()))
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, http.requests().remove(0).json())
    };
    [
        get("Slack", 200, "ok", slack_config).await,
        get("Teams", 202, "", teams_config).await,
        get("PagerDuty", 202, "", pagerduty_config).await,
        get("Alertmanager", 200, "", alertmanager).await,
    ]
}

/// Every text of a message, with the path that it is found at.
fn texts<'v>(value: &'v Value, path: &str, found: &mut Vec<(String, &'v str)>) {
    match value {
        Value::String(text) => found.push((path.to_owned(), text)),
        Value::Array(items) => items.iter().for_each(|item| texts(item, path, found)),
        Value::Object(fields) => {
            fields.iter().for_each(|(name, item)| texts(item, &format!("{path}/{name}"), found));
        }
        _ => {}
    }
}

#[tokio::test]
async fn a_name_from_right_to_left_is_isolated_in_a_mail() {
    let mail = sent(vec![raised(called(HEBREW, "A-17"))]).await.remove(0);
    let mail = MessageParser::default().parse(&mail).unwrap();
    assert_eq!(
        mail.subject().unwrap(),
        format!("CRITICAL {ISOLATED} 900% of budget: 45,000 of 5,000 SEK (+44,400 in 24 h)")
    );
    let plain = mail.body_text(0).unwrap();
    assert!(
        plain.starts_with(&format!("{ISOLATED} is 40,000 SEK over its November budget")),
        "{plain}"
    );
    let html = mail.body_html(0).unwrap();
    assert_eq!(
        html.matches(HEBREW).count(),
        html.matches(&format!("<bdi>{HEBREW}</bdi>")).count() + 1,
        "only the title has no elements"
    );
    assert!(
        !html.contains('\u{2068}') && html.contains(&format!("<title>CRITICAL {HEBREW} 900%")),
        "{html}"
    );
}

#[tokio::test]
async fn a_name_from_right_to_left_is_isolated_wherever_people_read_it() {
    let mut sample = called(HEBREW, "A-17");
    sample.context.owner = Some("דנה".into());
    for (destination, body) in everywhere(&raised(sample)).await {
        let mut found = Vec::new();
        texts(&body, "", &mut found);
        let named: Vec<_> = found.iter().filter(|(_, text)| text.contains(HEBREW)).collect();
        assert!(!named.is_empty(), "{destination}: {body}");
        for (path, text) in named {
            let for_machines =
                path.ends_with("/labels/customer") || path.ends_with("/alert/customer/name");
            assert_eq!(text.contains(ISOLATED), !for_machines, "{destination} {path}: {text:?}");
        }
    }
}

#[tokio::test]
async fn a_list_names_customers_from_right_to_left_whole_and_in_their_place() {
    let long = called(&"צפון ".repeat(12), "A-17");
    let body = &everywhere(&Message::Digest(together(vec![attacked(), long]))).await[0].1;
    let text = body["text"].as_str().unwrap();
    assert!(
        text.starts_with(
            "[2 alerts, 2 CRITICAL] Contoso Nord 900%, \u{2068}צפון צפון צפון \
        צפון צפו…\u{2069} 900%"
        ),
        "{text}"
    );
}

/// Pairs of names that would read the same.
fn pairs() -> Vec<(String, String)> {
    let long = "Donaudampfschifffahrtsgesellschaft ".repeat(3);
    let same = [
        ("Contoso Nord", "Contoso Nord"),
        ("Contoso Nord", "CONTOSO  nord"),
        ("Contoso Nord", "Contoso\nNord"),
        ("Contoso Nord", "Contoso Nord\0"),
        ("Contoso Nord", "Contoso\u{200b} Nord"),
        ("Contoso Nord", "\u{202e}Contoso Nord"),
        ("Café", "Cafe\u{301}"),
        ("\u{feff}", "\u{200b} \u{2800}"),
        (HEBREW, HEBREW),
    ];
    let same = same.into_iter().map(|(one, other)| (one.to_owned(), other.to_owned()));
    same.chain([(format!("{long}Nord"), format!("{long}Syd"))]).collect()
}

#[tokio::test]
async fn two_customers_never_read_the_same_in_one_message() {
    let [one, other] =
        ["11111111-6fb9-4b05-8f15-b3d72e0596e6", "22222222-6fb9-4b05-8f15-b3d72e0596e7"];
    for (name, alike) in pairs() {
        let message = Message::Digest(together(vec![called(&name, one), called(&alike, other)]));
        let mail = read(message.clone()).await;
        assert!(
            mail.lines().take(3).all(|line| !line.contains(one)),
            "no GUID in the first lines: {mail}"
        );
        let mut all = vec![("mail", mail)];
        all.extend(
            everywhere(&message)
                .await
                .into_iter()
                .map(|(destination, body)| (destination, body.to_string())),
        );
        for (destination, text) in all {
            let apart = ["(id 11111111…96e6)", "(id 22222222…96e7)"].map(|id| text.contains(id));
            assert_eq!(apart, [true, true], "{destination} of {name:?} and {alike:?}: {text}");
        }
    }
}

#[tokio::test]
async fn a_name_that_hides_something_has_its_id_beside_it_even_alone() {
    let id = "22222222-6fb9-4b05-8f15-b3d72e0596e7";
    for name in
        ["Contoso Nord\0", "Contoso\u{200b} Nord", "\u{202e}Contoso Nord", "Contoso\r\nNord"]
    {
        for (destination, body) in everywhere(&raised(called(name, id))).await {
            let mut found = Vec::new();
            texts(&body, "", &mut found);
            let named = found
                .iter()
                .filter(|(path, text)| text.contains("Contoso Nord") && !path.contains("/alert/"));
            for (path, text) in named {
                assert!(
                    text.contains("Contoso Nord (id 22222222…96e7)"),
                    "{destination} {path} of {name:?}: {text:?}"
                );
            }
        }
    }
    let nameless = read(raised(called("\u{200b}", id))).await;
    assert!(
        nameless
            .starts_with("CRITICAL a customer without a name (id 22222222…96e7) 900% of budget"),
        "{nameless}"
    );
}

#[tokio::test]
async fn a_customer_known_to_have_a_namesake_is_told_apart_in_a_message_of_its_own() {
    let mut sample = attacked();
    sample.context.has_namesake = true;
    let text = read(raised(sample.clone())).await;
    assert!(text.starts_with("CRITICAL Contoso Nord (id 11111111…96e6) 900% of budget"), "{text}");
    sample.alert.subscription = Some("s1".into());
    sample.context.subscription_name = Some("Prod".into());
    let text = read(raised(sample)).await;
    assert!(
        text.contains(
            "\nContoso Nord (id 11111111…96e6) / Prod is 40,000 SEK over the \
        subscription's November budget"
        ),
        "{text}"
    );
}

#[tokio::test]
async fn a_report_tells_customers_apart_that_read_the_same() {
    let mut report = eventful();
    let (over, grown) =
        (&mut report.over_budget.items[0].customer, &mut report.growth.items[0].customer);
    (over.name, over.id) = ("Contoso Nord".into(), CustomerId::try_new("A-17").unwrap());
    (grown.name, grown.id) = ("Contoso\u{a0}Nord".into(), CustomerId::try_new("B-18").unwrap());
    let message = Message::Report(Box::new(report));
    let [slack, teams, ..] = everywhere(&message).await.map(|(_, body)| body.to_string());
    for text in [read(message).await, slack, teams] {
        assert!(
            text.contains("Contoso Nord (id A-17)") && text.contains("Contoso Nord (id B-18)"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_subject_names_each_customer_once() {
    let mut alerts = digest(3, false).alerts;
    let again = AlertSnapshot {
        alert: alerts[0].alert.clone(),
        ..told_by(Metric::ForecastPercent, "1900", "120")
    };
    alerts.insert(1, again);
    let text = read(Message::Digest(together(alerts))).await;
    assert!(
        text.starts_with(
            "[4 alerts, 4 CRITICAL] Contoso Nord 900%, Wingtip Toys 835%, Litware 770%\n"
        ),
        "{text}"
    );
}

#[tokio::test]
async fn people_are_listed_as_mail_programs_write_them() {
    let mut sample = attacked();
    sample.context.contacts =
        ["Contoso IT <it@contoso.example>", "\"Berg, Bo\" <bo@contoso.example>", "a@b.example"]
            .map(String::from)
            .to_vec();
    sample.context.owner = Some("Anna Svensson <anna@partner.example>".into());
    let text = read(raised(sample.clone())).await;
    let wanted = "\nContact   Contoso IT <it@contoso.example>, \"Berg, Bo\" <bo@contoso.example>, \
        a@b.example\nOwner     Anna Svensson <anna@partner.example>\n";
    assert!(text.contains(wanted), "{text}");
    sample.context.contacts =
        (0..9).map(|number| format!("someone-{number}@contoso.example")).collect();
    let text = read(raised(sample)).await;
    assert!(text.contains("someone-3@contoso.example and 5 more\n"), "{text}");
}

#[tokio::test]
async fn a_template_has_names_in_the_same_form() {
    let server = Smtp::playing(Script::default()).await;
    let template = |text| {
        budget_alertd::notify::Template::try_new(text, budget_alertd::notify::Escape::Plain).ok()
    };
    let mut config = email_config(server.port, SmtpTls::None);
    config.templates.subject = template("{{ who }} uses {{ percent }}");
    config.templates.body = template("{{ who }} uses {{ percent }}");
    channel(&config).attempt(&delivery(raised(called(HEBREW, "A-17")))).await.unwrap();
    let mail = server.seen().messages.remove(0);
    let mail = MessageParser::default().parse(&mail).unwrap();
    assert_eq!(mail.subject().unwrap(), format!("{ISOLATED} uses 900 %"));
    assert!(mail.body_html(0).unwrap().contains(&format!("<bdi>{HEBREW}</bdi> uses 900 %")));
}

#[tokio::test]
async fn every_destination_says_whom_to_ask_and_what_to_do() {
    let mut sample = attacked();
    sample.context.owner = Some("Anna Svensson".into());
    let mail = read(raised(sample.clone())).await;
    assert!(
        mail.contains("Customer in Partner Center: https://partner.microsoft.com/"),
        "the text has the link of the HTML: {mail}"
    );
    let mut all = vec![("mail", mail)];
    all.extend(
        everywhere(&raised(sample))
            .await
            .into_iter()
            .map(|(destination, body)| (destination, body.to_string())),
    );
    for (destination, text) in all {
        for wanted in [
            "Anna Svensson",
            "it@contoso.example",
            "budget-alertd ack 5F0C1C3E",
            "budget-alertd explain 11111111",
        ] {
            assert!(text.contains(wanted), "{destination} lacks {wanted}: {text}");
        }
    }
}

#[tokio::test]
async fn a_digest_says_of_each_who_looks_after_it_what_changed_and_whose_period_is_assumed() {
    let mut alerts = digest(6, false).alerts;
    alerts[0].context.owner = Some("Anna Svensson".into());
    let message = Message::Digest(together(alerts));
    let mail = read(message.clone()).await;
    assert!(mail.contains("\n    12 % → 900 % in 24 h. Owner: Anna Svensson.\n"), "{mail}");
    assert!(mail.contains("spend ≥ 80 % · 5 Nov – 4 Dec (assumed) · 10000005"), "{mail}");
    for (destination, body) in everywhere(&message).await.into_iter().take(3) {
        let text = body.to_string();
        for wanted in [
            "12 % → 900 % in 24 h. Owner: Anna Svensson",
            "The billing period of Fabrikam Småland is assumed.",
        ] {
            assert!(text.contains(wanted), "{destination} lacks {wanted}: {text}");
        }
    }
}
