//! `init` with a person at a terminal: a wrong answer is asked again, and nothing else is lost.

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::{Fault, HttpReceiver};

use super::Ended;
use super::starting::{Empty, TENANT};
use crate::support::terminal;

/// Runs `init` on a terminal of its own. Each answer is typed when its question is there: the piece
/// of text that is waited for, and the keys.
#[track_caller]
fn at_terminal(house: &Empty, options: &[&str], answers: &[(&str, &str)]) -> Ended {
    let inner = house.0.command(&[&["init"][..], options].concat());
    let credentials = house.0.path("credentials").display().to_string();
    let environment = [("CREDENTIALS_DIRECTORY", &*credentials), ("TZ", "Europe/Stockholm")];
    let output = terminal::at_terminal(&inner, &environment, answers);
    let folder = house.0.path("").display().to_string();
    Ended::of(&output, folder.trim_end_matches('/'))
}

#[test]
fn each_wrong_answer_is_refused_in_one_line_and_asked_again() {
    let house = Empty::new();
    let answers = [
        ("Tenant of the partner, a domain or an id: ", "https://x\n"),
        ("\r\n  a tenant is a domain such as", "\n"),
        ("\r\n  there is no answer\r\n", "partner.example\n"),
        ("Application (client) id: ", "seven\n"),
        ("\r\n  an application's id is a GUID", "0b8a7d52-3c1e-4c55-9a41-6f2d1f5f7a10\n"),
        ("Its secret, Enter for a public application: ", "hush \n"),
        ("\r\n  the secret ends with a blank: write it again without that\r\n", ""),
        ("Its secret, Enter for a public application: ", "hush\n"),
        ("Where alerts go", "mail, pigeon\n"),
        ("\r\n  write some of: graph-mail, email, teams", "mail, teams, pagerduty, webhook\n"),
        ("Mail server", "smtp.partner.example:x\n"),
        ("\r\n  write a host and a port as in", "smtp.partner.example\n"),
        ("Recipients", "oncall\n"),
        ("\r\n  \"oncall\" is no mail address", "oncall@partner.example\n"),
        ("Sender: ", "alerts@partner.example\n"),
        ("User name at the mail server, Enter for none: ", "alerts\n"),
        ("Its password: ", "\n"),
        ("\r\n  there is no answer\r\nIts password: ", "p4ssphrase\n"),
        ("Address of the Teams workflow: ", "http://teams.example/w0rkflow\n"),
        ("\r\n  http:// is allowed to this machine only", ""),
        ("Address of the Teams workflow: ", "https://teams.example/w0rkflow\n"),
        ("Routing key of PagerDuty (Integration Key, Events API v2): ", "k3y\n"),
        ("\r\n  a routing key is 32 letters and digits", ""),
        ("Events API v2): ", "0123456789abcdef0123456789abcdef\n"),
        ("Address of the webhook: ", "itsm\n"),
        ("\r\n  not a URL", "https://itsm.example/hook\n"),
        ("Key that signs, whsec_…, Enter for a new one: ", "whsec_\n"),
        ("\r\n  a signing key is \"whsec_\" followed by", ""),
        ("Enter for a new one: ", "\n"),
        ("the last one critical [80, 100]: ", "100, 80\n"),
        ("\r\n  write ascending percents as in 80, 100", "80, 100\n"),
        ("Time zone of messages [Europe/Stockholm]: ", "Stockholm\n"),
        ("\r\n  there is no such time zone", "\n"),
        ("inline in the configuration [", "envelope\n"),
        ("\r\n  write credentials or inline\r\n", "credentials\n"),
        ("Sign in to Partner Center now [yes]: ", "perhaps\n"),
        ("\r\n  one of: yes, no\r\n", "no\n"),
        ("Send a test message now [yes]: ", "no\n"),
    ];
    let ended = at_terminal(&house, &[], &answers);
    assert_eq!(ended.code, 0, "{}", ended.out);
    for hidden in ["hush", "p4ssphrase", "w0rkflow", "k3y", "0123456789abcdef"] {
        assert!(!ended.out.contains(hidden), "{hidden} was shown: {}", ended.out);
    }
    let made = ended.out.matches("webhook signs with whsec_").count();
    assert!(made == 1 && ended.out.contains("It is shown only now."), "{}", ended.out);
    for (name, secret) in [
        ("client-secret", "hush"),
        ("smtp", "p4ssphrase"),
        ("teams-url", "https://teams.example/w0rkflow"),
        ("pagerduty-key", "0123456789abcdef0123456789abcdef"),
    ] {
        assert_eq!(house.file(&format!("credentials/{name}")).0, secret);
    }
    assert!(house.file("credentials/webhook-secret").0.starts_with("whsec_"));
    assert_eq!(house.run(&["check"], "").code, 0);
}

#[test]
fn who_stops_in_the_middle_can_go_on_from_there() {
    // Ctrl-D, and Ctrl-C where nothing is shown: the terminal has to be as before.
    for end in ["\u{4}", "abc\u{3}"] {
        stopped_by(end);
    }
}

fn stopped_by(end: &str) {
    let house = Empty::new();
    let answers = [
        ("Tenant of the partner, a domain or an id: ", "partner.example\n"),
        ("\r\n  --client-id: an application's id is a GUID", ""),
        ("Application (client) id: ", "0b8a7d52-3c1e-4c55-9a41-6f2d1f5f7a10\n"),
        ("Its secret, Enter for a public application: ", "\n"),
        ("Where alerts go", "slack\n"),
        ("Address of a Slack webhook: ", end),
    ];
    let ended = at_terminal(&house, &["--client-id", "seven"], &answers);
    assert_eq!(ended.code, 2, "{}", ended.out);
    let go_on = "Nothing is written. To go on from here:\r\nbudget-alertd --config \
        {dir}/alert-rules.toml init --tenant 'partner.example' --client-id 'UUID' --destinations \
        'slack'\r\n";
    assert!(ended.out.contains(go_on), "{}", ended.out);
    assert!(!house.has("alert-rules.toml"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_fails_is_offered_again_and_costs_no_other() {
    let slack = HttpReceiver::start(SystemClock::shared()).unwrap();
    slack.fail_once(Fault::status(404));
    let house = Empty::new();
    // Nobody is at the address of the sign-in.
    let nowhere = "http://127.0.0.1:9";
    let urls = ["--api-url", nowhere, "--login-url", nowhere];
    let address = format!("{}\n", slack.url("/services/T/B/X"));
    let answers = [
        ("Its secret, Enter for a public application: ", "\n"),
        ("Where alerts go", "slack\n"),
        ("Address of a Slack webhook: ", &*address),
        ("the last one critical [80, 100]: ", "\n"),
        ("Time zone of messages [Europe/Stockholm]: ", "\n"),
        ("inline in the configuration [", "inline\n"),
        ("Sign in to Partner Center now [yes]: ", "\n"),
        ("or go on without [without]: ", "code\n"),
        ("or go on without [without]: ", "\n"),
        ("Send a test message now [yes]: ", "\n"),
        ("Try again [no]: ", "yes\n"),
    ];
    let ended = at_terminal(&house, &[&TENANT[..], &urls].concat(), &answers);
    assert_eq!(ended.code, 1, "{}", ended.out);
    for said in [
        "✗ sign-in",
        "slack: failed",
        "✓ test  accepted by slack",
        "Next: budget-alertd --config {dir}/alert-rules.toml login\r\n",
    ] {
        assert!(ended.out.contains(said), "{said} is not in {}", ended.out);
    }
    assert_eq!(house.file("alert-rules.toml").1, 0o600);
}
