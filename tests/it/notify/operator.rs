//! News about the daemon itself: to people, never like a customer's alert; to machines, as
//! promised.

use budget_alertd::domain::{Message, OperatorNews, Origin};

use super::mail::{read, sent};
use super::samples::news;
use super::slack::{payload, shown};

#[tokio::test]
async fn trouble_says_what_happened_since_when_and_what_to_do() {
    assert_eq!(
        read(Message::Operator(news(false))).await,
        r"budget-alertd: the source has failed for 3 h

The source has failed for 3 h.
Since Sat 14 Nov 19:40 CET. Look at what it says, with: budget-alertd status

Code      source-failing
Why you   you are an operator of budget-alertd ([operator] notify); this is no alert about a customer."
    );
    assert_eq!(
        shown(&payload(Message::Operator(news(false))).await),
        r"🔴 budget-alertd: the source has failed for 3 h
Since Sat 14 Nov 19:40 CET. Look at what it says, with: budget-alertd status
[section] 🔴 *budget-alertd: the source has failed for 3 h*
Since Sat 14 Nov 19:40 CET. Look at what it says, with: budget-alertd status
[context] news about budget-alertd itself · source-failing"
    );
}

#[tokio::test]
async fn the_end_of_trouble_says_what_was_missed() {
    assert_eq!(
        read(Message::Operator(news(true))).await,
        r"budget-alertd: over: the source answers again; 4 alerts may be up to 25 h late

Over: the source answers again; 4 alerts may be up to 25 h late.
It began Sat 14 Nov 19:40 CET. Nothing to do.

Code      source-failing
Why you   you are an operator of budget-alertd ([operator] notify); this is no alert about a customer."
    );
    assert_eq!(
        shown(&payload(Message::Operator(news(true))).await),
        r"🟢 budget-alertd: over: the source answers again; 4 alerts may be up to 25 h late
It began Sat 14 Nov 19:40 CET. Nothing to do.
[section] 🟢 *budget-alertd: over: the source answers again; 4 alerts may be up to 25 h late*
It began Sat 14 Nov 19:40 CET. Nothing to do.
[context] news about budget-alertd itself · source-failing"
    );
}

#[tokio::test]
async fn mails_about_one_trouble_are_one_thread_and_a_list_of_their_own() {
    let mut other = news(false);
    other.subject = "oncall".into();
    let mails = sent([news(false), news(true), other].map(Message::Operator).to_vec()).await;
    let head = |mail: &String, name: &str| {
        mail.lines().find(|line| line.starts_with(name)).map(ToOwned::to_owned)
    };
    let threads: Vec<_> = mails.iter().map(|mail| head(mail, "References: ").unwrap()).collect();
    assert!(threads[0] == threads[1] && threads[0] != threads[2], "{threads:?}");
    let lists: Vec<_> = mails.iter().map(|mail| head(mail, "List-Id: ").unwrap()).collect();
    assert_eq!(lists, ["List-Id: <operator.budget-alerts.partner.example>"; 3]);
    let urgent: Vec<_> = mails.iter().map(|mail| head(mail, "Importance").is_some()).collect();
    assert_eq!(urgent, [true, false, true]);
    assert_eq!(
        head(&mails[0], "X-Budget-Alert-Code").as_deref(),
        Some("X-Budget-Alert-Code: source-failing")
    );
    assert_eq!(head(&mails[0], "X-Budget-Alert-Severity"), None);
}

#[tokio::test]
async fn trouble_names_the_host_and_its_configuration() {
    let origin =
        Origin { host: "alerts-01".into(), config: "/etc/budget-alertd/alert-rules.toml".into() };
    let at = |over| Message::Operator(OperatorNews { from: Some(origin.clone()), ..news(over) });
    let text = read(at(false)).await;
    assert_eq!(
        text.lines().nth(3),
        Some(
            "Since Sat 14 Nov 19:40 CET on alerts-01. Look at what it says, with: budget-alertd \
                status"
        )
    );
    assert!(
        text.contains("\nHost      alerts-01\nConfig    /etc/budget-alertd/alert-rules.toml\n"),
        "{text}"
    );
    assert!(
        read(at(true)).await.contains("It began Sat 14 Nov 19:40 CET on alerts-01. Nothing to do.")
    );
    let chat = payload(at(false)).await;
    assert!(
        chat["text"].as_str().unwrap().contains(" on alerts-01. ")
            && chat.to_string().contains("/etc/budget-alertd/alert-rules.toml")
    );
}

#[tokio::test]
async fn a_sentence_that_ends_with_a_question_has_no_full_stop_behind_it() {
    let summary =
        "the configuration is not reloaded: unknown metric; did you mean \"percent_used\"?".into();
    let text = read(Message::Operator(OperatorNews { summary, ..news(false) })).await;
    assert!(
        text.contains("did you mean \"percent_used\"?\n")
            && !text.contains("?.")
            && !text.contains("?\"."),
        "{text}"
    );
}
