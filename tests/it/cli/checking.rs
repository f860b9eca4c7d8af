//! `check`, and how the arguments are taken.

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::{HttpReceiver, MailOptions, MailReceiver};
use serde_json::json;

use super::signing_in::Place;
use super::{Desk, SWEDEN};

#[tokio::test(flavor = "multi_thread")]
async fn a_good_configuration_is_said_in_words() {
    insta::assert_snapshot!(Desk::new().told(&["check"]), @r#"
    {dir}/alert-rules.toml is good.

    Source  the file {dir}/usage.json, every 1h
    Ledger  {dir}/state/ledger.db, which the first poll makes
    Time zone UTC
    Operator  nobody is named in [operator] notify; trouble is in the log and in status
    Customers 1 described here, 1 with a budget here, which counts before Partner Center's, 1 with muted
              rules

    Rules
      spend: a customer that has used 80 % of its budget is a warning to hook, 100 % is critical to hook
        and other, and so is every further 100 % above; it judges every customer; each step alerts once
        per billing period, and again under a raised budget.
      pounds: a customer that has cost 20 GBP is a warning to hook; it judges every customer; each step
        alerts once per billing period.
      gold: a customer that has used 20 % of its budget is a warning to hook, 90 % is a warning to hook;
        it judges customers tagged "gold"; each step alerts once per billing period, and again under a
        raised budget.

    Notifiers
      hook: unsigned webhooks to 127.0.0.1
      other: unsigned webhooks to 127.0.0.1
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_get_the_same() {
    let desk = Desk::new();
    let said = desk.json(&["check", "--format", "json"]);
    assert_eq!(
        (&said["valid"], &said["time_zone"], &said["customers"]),
        (&json!(true), &json!("UTC"), &json!(1))
    );
    assert_eq!(said["rules"][1]["name"], "pounds");
    assert_eq!(said["notifiers"][0]["name"], "hook");
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_shown_all_at_once_and_end_with_2() {
    let desk = Desk::new();
    desk.house.configure(
        &super::CONFIGURATION
            .replace("notify = [\"hook\"]", "notfy = [\"hook\"]")
            .replace("{receiver}", "http://127.0.0.1:9"),
    );
    let ended = desk.run(&["check"]);
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    assert_eq!(ended.err.matches("unknown key \"notfy\"").count(), 3, "{}", ended.err);
    assert!(
        ended.err.contains(
            "{dir}/alert-rules.toml:9:1: unknown key \"notfy\" in [rules.spend]; \
            did you mean \"notify\"?"
        ),
        "{}",
        ended.err
    );
    let said = desk.json(&["check", "--format", "json"]);
    assert_eq!(said["valid"], false);
    assert!(said["mistakes"].as_array().unwrap().len() >= 3);
    for command in [&["status"][..], &["alerts"], &["poll"], &["explain", "x"], &["run"]] {
        assert_eq!(desk.run(command).code, 2, "{command:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_file_and_wrong_arguments_end_with_2() {
    let desk = Desk::new();
    std::fs::remove_file(desk.house.path("alert-rules.toml")).unwrap();
    let ended = desk.run(&["check"]);
    assert_eq!(ended.code, 2);
    assert!(
        ended.err.starts_with("cannot read {dir}/alert-rules.toml: No such file"),
        "{}",
        ended.err
    );
    for arguments in
        [&["alerts", "--since", "yesterday"][..], &["pol"], &["alerts", "--format", "xml"], &[]]
    {
        assert_eq!(desk.run(arguments).code, 2, "{arguments:?}");
    }
    assert_eq!(desk.run(&["--help"]).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_impact_of_a_changed_file_is_what_a_reload_would_send() {
    let desk = Desk::polled();
    let unchanged = desk.told(&["check", "--impact"]);
    assert!(
        unchanged.ends_with(
            "If it took effect now\n  nobody would be told anything of the 4 \
            customers as they were last seen\n"
        ),
        "{unchanged}"
    );
    let file = desk.house.path("alert-rules.toml");
    let changed = std::fs::read_to_string(&file)
        .unwrap()
        .replace("GBP = 20", "GBP = 5, SEK = 100")
        .replace("[rules.gold]", "[rules.silver]");
    std::fs::write(&file, changed.replace("[rules.gold.match]", "[rules.silver.match]")).unwrap();
    let told = desk.told(&["check", "--impact"]);
    let (_, impact) = told.split_once("If it took effect now\n").unwrap();
    assert_eq!(
        impact,
        "  2 new alerts about 2 customers (4 looked at):
    WARNING  Contoso UK: 27.23 %, 27.23 of 100 GBP (rule silver, step 20 %) → hook
    WARNING  Modern Azure Customer SE: 120.57 of 20 SEK (rule pounds, step 100 SEK) → hook
  hook would get 2 messages
  rule \"gold\" is gone: 1 open alert would be closed
"
    );
    let document = desk.json(&["check", "--impact", "--format", "json"]);
    assert_eq!(document["impact"]["alerts"][1]["alert"]["rule"], "pounds");
    assert_eq!(
        document["impact"]["messages"],
        json!({ "hook": { "messages": 2, "digest_parts": 0 } })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_told_in_the_place_of_a_notifier_is_said() {
    let desk = Desk::new();
    let file = desk.house.path("alert-rules.toml");
    let changed = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        changed.replace(
            "[notifiers.hook]",
            "[notifiers.hook]\nfallback = [\"other\"]\nfallback_after = \"15m\"",
        ),
    )
    .unwrap();
    let said = desk.told(&["check"]);
    let (_, notifiers) = said.split_once("Notifiers\n").unwrap();
    assert_eq!(
        notifiers,
        "  hook: unsigned webhooks to 127.0.0.1; what it has not taken after 15m is told to other
  other: unsigned webhooks to 127.0.0.1
"
    );
}

/// A mail server on this machine, a webhook and Slack.
const NOTIFIERS: &str = r#"
[rules.spend]
metric = "percent_used"
notify = ["mail", "hook", "chat"]
steps = [{ at = 80 }]
[notifiers.mail]
type = "email"
from = "a@b.example"
to = ["c@d.example"]
smtp = { host = "127.0.0.1", port = {mail}, tls = "none", username = "alerts", password = "{password}" }
[notifiers.hook]
type = "webhook"
url = "{hook}/secret-path?secret=1"
[notifiers.chat]
type = "slack"
url = "{hook}/services/T/B/X"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn live_signs_in_and_reaches_each_destination_without_a_message() {
    let options = MailOptions { credentials: Some(("alerts".to_owned(), "right".to_owned())) };
    let mail = MailReceiver::start(SystemClock::shared(), options).unwrap();
    let hook = HttpReceiver::start(SystemClock::shared()).unwrap();
    let rest = |password: &str, hook: &str| {
        let port = mail.port().to_string();
        NOTIFIERS
            .replace("{mail}", &port)
            .replace("{password}", password)
            .replace("{hook}", hook.trim_end_matches('/'))
    };
    let keys = "client_secret = \"simulated-client-secret\"\nrefresh_token = \
        \"simulated-refresh-token-0\"\n";

    let place = Place::of(keys, &rest("right", &hook.url("")));
    let ended = place.run(&["check", "--live"]);
    let live =
        ended.out.split("\nLive\n").nth(1).unwrap_or_else(|| panic!("{} {}", ended.out, ended.err));
    assert_eq!(
        live,
        "\
✓ source  signed in, and Partner Center answers with usage records
✓ mail  127.0.0.1:PORT is reached without TLS, and takes the sign-in; no mail was sent
✓ hook  127.0.0.1:PORT is reached; no message was sent
✓ chat  127.0.0.1:PORT is reached; no message was sent
"
    );
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    assert!(place.house.path("state/sign-in.json").exists(), "the renewed sign-in is kept");
    assert_eq!(mail.attempts().len(), 0);
    assert!(
        hook.received()
            .iter()
            .all(|request| (request.method.as_str(), request.path.as_str()) == ("HEAD", "/"))
    );

    place.partner_center.revoke_sign_in();
    place.house.edit("\"right\"", "\"wrong\"");
    place.house.edit(&hook.url("/services"), "http://127.0.0.1:9/services");
    let ended = place.run(&["check", "--live"]);
    let said = ended.out.replace("\n            ", " ");
    assert_eq!(ended.code, 1, "{said}");
    for line in [
        "✗ source  the sign-in is refused: invalid_grant: AADSTS70008: The refresh token has \
            expired or was revoked. The kept sign-in has expired or was revoked. Sign in again: \
            `budget-alertd login`.",
        "✗ mail  the mail server refused the sign-in: 535",
        "✓ hook  127.0.0.1:PORT is reached; no message was sent",
        "✗ chat  cannot connect to 127.0.0.1:PORT: ",
    ] {
        assert!(said.contains(line), "{line} is not in {said}");
    }
    let said = place.json(&["check", "--live", "--format", "json"]);
    assert_eq!((&said["live"][0]["ok"], &said["live"][2]["ok"]), (&json!(false), &json!(true)));
    assert!(
        !said.to_string().contains("secret-path") && !said.to_string().contains("services"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_not_signed_in_yet_is_told_how() {
    let place = Place::with("client_secret = \"simulated-client-secret\"\n");
    let ended = place.run(&["check"]);
    assert!(
        ended.code == 0
            && ended.out.contains("Sign-in  nobody has signed in yet: run `budget-alertd login`\n"),
        "{}",
        ended.out
    );
    assert_eq!(place.run(&["login"]).code, 0);
    assert!(place.run(&["check"]).out.contains("Sign-in  kept in {dir}/state/sign-in.json\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn warnings_are_shown_by_check_and_named_in_one_line_elsewhere() {
    let desk = Desk::polled();
    let idle = "type = \"webhook\"\nurl = \"http://127.0.0.1:9/x\"\n";
    let path = desk.house.path("alert-rules.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}[notifiers.one]\n{idle}[notifiers.two]\n{idle}")).unwrap();
    for command in [
        &["status"][..],
        &["alerts"],
        &["alerts", "--format", "json"],
        &["coverage"],
        &["explain", SWEDEN],
        &["deliveries"],
        &["silence", "list"],
        &["report"],
        &["budgets", "export"],
        &["notify-test", "hook"],
        &["poll", "--dry-run"],
        &["poll"],
    ] {
        let ended = desk.run(command);
        assert_eq!(ended.err, "2 warnings: budget-alertd check\n", "{command:?}");
    }
    let checked = desk.told(&["check"]);
    assert_eq!(checked.matches("tells the notifier").count(), 2, "{checked}");
    let daemon = desk.house.start();
    let log = daemon.wait_for_log("started");
    assert_eq!(log.matches("tells the notifier").count(), 2, "{log}");
}
