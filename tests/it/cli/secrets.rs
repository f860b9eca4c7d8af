//! A secret is needed only by what uses it: commands that send nothing run without any, and each
//! missing one is named with its key.

use super::Desk;

/// Every kind of place that a secret may stand in, and none of them is there.
const CONFIGURATION: &str = r#"
[source]
type = "file"
path = "{dir}/usage.json"
[operator]
heartbeat_url = { env = "NO_SUCH_HEARTBEAT" }
[rules.spend]
metric = "percent_used"
notify = ["hook", "chat", "pager", "mail", "portal"]
steps = [{ at = 80 }]
[notifiers.hook]
type = "webhook"
url = "{receiver}/hook"
[notifiers.chat]
type = "slack"
url = { credential = "no-such-chat" }
[notifiers.pager]
type = "pagerduty"
routing_key = { file = "{dir}/no-such-pager" }
[notifiers.mail]
type = "email"
from = "alerts@partner.example"
to = ["oncall@partner.example"]
smtp = { host = "127.0.0.1", port = 9, tls = "none", username = "u", password = { env = "NO_SUCH_SMTP" } }
[notifiers.portal]
type = "webhook"
url = "{receiver}/portal"
secret = { credential = "no-such-portal" }
headers = { "X-Token" = { env = "NO_SUCH_TOKEN" } }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_send_nothing_need_none() {
    let desk = Desk::with(CONFIGURATION);
    for command in [
        &["status"][..],
        &["coverage"],
        &["alerts"],
        &["deliveries"],
        &["silence", "list"],
        &["check", "--no-secrets"],
        &["poll", "--dry-run"],
        &["silence", "add", "--customer", "Contoso*", "--for", "1h", "--reason", "x"],
        &["budgets", "export"],
        &["report"],
        &["notify-test", "hook"],
    ] {
        let ended = desk.run(command);
        // Without a ledger some fail all the same, and for that reason.
        assert!(
            !ended.err.contains("NO_SUCH") && !ended.err.contains("no-such"),
            "{command:?}: {}",
            ended.err
        );
        assert_ne!(ended.code, 2, "{command:?}: {}", ended.err);
    }
    assert_eq!(desk.receiver.received().len(), 1, "the test of hook alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_sends_says_each_that_is_missing() {
    let desk = Desk::with(CONFIGURATION);
    let missing = |arguments: &[&str]| {
        let ended = desk.run(arguments);
        assert_eq!(ended.code, 2, "{arguments:?}: {}", ended.out);
        let keys = ended.err.lines().filter(|line| line.contains(": ") && line.contains(".toml:"));
        keys.map(|line| line.split_once(": ").unwrap().1.to_owned()).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(missing(&["check"]), @"
    the secret operator.heartbeat_url is missing: the environment variable NO_SUCH_HEARTBEAT is not set
    the secret notifiers.chat.url is missing: cannot read /etc/budget-alertd/credentials/no-such-chat: No such file or directory (os error 2)
    the secret notifiers.pager.routing_key is missing: cannot read {dir}/no-such-pager: No such file or directory (os error 2)
    the secret notifiers.mail.smtp.password is missing: the environment variable NO_SUCH_SMTP is not set
    the secret notifiers.portal.secret is missing: cannot read /etc/budget-alertd/credentials/no-such-portal: No such file or directory (os error 2)
    the secret notifiers.portal.headers.X-Token is missing: the environment variable NO_SUCH_TOKEN is not set
    ");
    assert_eq!(missing(&["poll"]), missing(&["check"]));
    assert_eq!(missing(&["run"]), missing(&["check"]));
    insta::assert_snapshot!(missing(&["notify-test", "chat"]), @"the secret notifiers.chat.url is missing: cannot read /etc/budget-alertd/credentials/no-such-chat: No such file or directory (os error 2)");
    insta::assert_snapshot!(missing(&["notify-test", "portal"]), @"
    the secret notifiers.portal.secret is missing: cannot read /etc/budget-alertd/credentials/no-such-portal: No such file or directory (os error 2)
    the secret notifiers.portal.headers.X-Token is missing: the environment variable NO_SUCH_TOKEN is not set
    ");
}
