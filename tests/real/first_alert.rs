//! From the package alone to the first alert: what a person types on a fresh machine, and what
//! comes of it.

use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::{HttpReceiver, PartnerCenter, SignIn, SimCustomer};

use super::package::{PACKAGES, boot};
use super::process::{eventually, said};

/// What is typed after `apt install`: one command, and a line for each of its questions. The
/// options name the simulated servers, which nobody else types.
const TYPED: &str = r#"export NO_COLOR=1
script --quiet --return --command "budget-alertd init --api-url $1 --login-url $1" /dev/null <<END
partner.onmicrosoft.example
0b8a7d52-3c1e-4c55-9a41-6f2d1f5f7a10
simulated-client-secret
slack
$2

Europe/Stockholm

yes
yes
yes
END
"#;

/// What a program calls to begin anew, with the secrets in the file.
const ANEW: &str = "budget-alertd init --force --tenant partner.onmicrosoft.example \
  --client-id 0b8a7d52-3c1e-4c55-9a41-6f2d1f5f7a10 --client-secret-file /tmp/secret \
  --slack-url-file /tmp/hook --secrets inline --start --api-url $1 --login-url $1 </dev/null";

/// What the person sees at the end, without the lines of the sign-in.
const TICKS: [&str; 9] = [
    "✓ written   /etc/budget-alertd/alert-rules.toml",
    "✓ before    kept as /etc/budget-alertd/alert-rules.toml.20",
    "✓ secrets   client-secret, slack-url in /etc/budget-alertd/credentials",
    "✓ account   budgets@partner.onmicrosoft.example",
    "✓ role      Partner Center answers with usage records",
    "✓ saved     /var/lib/budget-alertd/sign-in.json",
    "✓ test      accepted by slack",
    "✓ service   running, now and from every boot on",
    "Next: budget-alertd status",
];

#[tokio::test(flavor = "multi_thread")]
async fn one_command_leads_from_the_package_to_the_first_alert() {
    let clock = SystemClock::shared();
    let center = PartnerCenter::start(clock.clone(), SignIn::default()).unwrap();
    let id = "11111111-6fb9-4b05-8f15-b3d72e0596e6";
    let customer = SimCustomer::azure_plan(id, "Contoso Nord", "SEK", clock.now());
    center.set_customers(vec![customer.with_budget(100.into()).with_cost(150.into())]);
    let slack = HttpReceiver::start(clock).unwrap();
    let machine = boot();
    machine.dpkg_install(&PACKAGES.newer);

    let hook = slack.url("/services/T/B/X");
    let typed = machine.succeed("sh", &["-c", TYPED, "sh", &center.api_url(), &hook]);
    for tick in TICKS {
        assert!(typed.contains(tick), "{tick} is not in {typed}");
    }
    eventually(Duration::from_mins(1), "the first alert", || {
        let messages = slack.received();
        let alert = |text: &str| text.contains("Contoso Nord") && !text.contains("[TEST]");
        messages.iter().any(|message| alert(&message.text())).then_some(())
    });
    eventually(Duration::from_secs(20), "the status to be ok", || {
        machine.output("budget-alertd", &["status"]).stdout.starts_with(b"ok").then_some(())
    });

    machine.assert_runs();
    assert_eq!(machine.succeed("systemctl", &["is-enabled", "budget-alertd"]).trim(), "enabled");
    machine.assert_private("/etc/budget-alertd/credentials");
    for (file, user, mode) in [
        ("credentials/client-secret", "budget-alertd", 0o400),
        ("credentials/slack-url", "budget-alertd", 0o400),
        ("alert-rules.toml", "root", 0o644),
    ] {
        let data = machine.path(&format!("/etc/budget-alertd/{file}")).metadata().unwrap();
        assert_eq!((data.uid(), data.mode() & 0o777), (machine.uid(user), mode), "{file}");
    }

    // Once more over its own file, from a program: nothing changes.
    let again = machine.output("sh", &["-c", "budget-alertd init </dev/null"]);
    let unchanged = "✓ unchanged /etc/budget-alertd/alert-rules.toml";
    assert!(again.status.success() && said(&again).contains(unchanged), "{}", said(&again));
    machine.assert_runs();

    // With the secrets in the file, it belongs to the daemon's user alone, who can read it.
    machine.write("/tmp/secret", "simulated-client-secret");
    machine.write("/tmp/hook", &hook);
    let anew = machine.output("sh", &["-c", ANEW, "sh", &center.api_url()]);
    assert!(anew.status.success(), "{}", said(&anew));
    let data = machine.path("/etc/budget-alertd/alert-rules.toml").metadata().unwrap();
    assert_eq!((data.uid(), data.mode() & 0o777), (machine.uid("budget-alertd"), 0o600));
    machine.assert_runs();

    // A service that cannot be started is said to be so.
    machine.systemctl(&["mask", "--now", "budget-alertd"]);
    let masked = machine.output("sh", &["-c", "budget-alertd init --start </dev/null"]);
    assert_eq!(masked.status.code(), Some(1), "{}", said(&masked));
    let failed = "✗ service   `systemctl enable budget-alertd` has failed: ";
    assert!(said(&masked).contains(failed), "{}", said(&masked));
    assert!(
        said(&masked).ends_with("Next: journalctl --unit budget-alertd\n"),
        "{}",
        said(&masked)
    );
}
