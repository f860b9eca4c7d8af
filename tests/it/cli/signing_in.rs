//! `login`: a person signs in at a simulated Partner Center; what the terminal says, and what the
//! daemon then finds.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::{Answer, Endpoint, Fault, PartnerCenter, Person, SignIn};
use jiff::Timestamp;

use super::{Ended, masked};
use crate::support::client;
use crate::support::process::{House, SOON, eventually};

/// A Partner Center, and a house whose configuration names it.
pub(super) struct Place {
    pub(super) house: House,
    pub(super) partner_center: PartnerCenter,
}

/// What stands in `[source]` beside the addresses.
const APPLICATION: &str = "tenant_id = \"partner.onmicrosoft.example\"\nclient_id = \
    \"0b8a7d52-3c1e-4c55-9a41-6f2d1f5f7a10\"\n";
const SECRET: &str = "client_secret = \"simulated-client-secret\"\n";

const REST: &str = r#"
[rules.spend]
metric = "percent_used"
notify = ["hook"]
steps = [{ at = 80 }]
[notifiers.hook]
type = "webhook"
url = "http://127.0.0.1:9/"
"#;

impl Place {
    fn new() -> Self {
        Self::with(SECRET)
    }

    /// A place with these further keys in `[source]`.
    pub(super) fn with(keys: &str) -> Self {
        Self::of(keys, REST)
    }

    pub(super) fn of(keys: &str, rest: &str) -> Self {
        let partner_center =
            PartnerCenter::start(SystemClock::shared(), SignIn::default()).unwrap();
        let day: Timestamp = "2019-09-17T17:08:11Z".parse().unwrap();
        partner_center.set_customers(vec![budget_alertd::simulator::SimCustomer::azure_plan(
            "c1", "Contoso", "SEK", day,
        )]);
        let url = partner_center.api_url();
        let source = format!(
            "[source]\ntype = \"partner-center\"\napi_url = \"{url}\"\nlogin_url = \
                \"{url}\"\n{APPLICATION}{keys}"
        );
        Self { house: House::new(&format!("{source}{rest}")), partner_center }
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Ended {
        let folder = self.house.path("").display().to_string();
        Ended::of(&self.house.run(arguments), folder.trim_end_matches('/'))
    }

    /// The JSON that a command prints.
    pub(super) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_slice(&self.house.run(arguments).stdout).unwrap()
    }

    /// The refresh token that is kept.
    fn kept(&self) -> String {
        let Ok(text) = std::fs::read_to_string(self.house.path("state/sign-in.json")) else {
            return "nothing".into();
        };
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["refresh_token"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The refresh tokens that were used, in order.
    fn used(&self) -> Vec<String> {
        let given = |body: String| {
            body.split('&')
                .find_map(|field| field.strip_prefix("refresh_token=").map(str::to_owned))
        };
        self.partner_center.requests().iter().filter_map(|request| given(request.text())).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_signs_in_and_the_daemon_finds_the_sign_in() {
    // The refresh token that is configured does not exist yet, and another secret neither.
    let place =
        Place::with(&format!("{SECRET}refresh_token = {{ file = \"{{dir}}/refresh-token\" }}\n"));
    place.partner_center.change_sign_in(|sign_in| sign_in.person = Person::Accepts { after: 1 });
    let ended = place.run(&["login"]);
    assert_eq!(
        ended.err,
        "\
Open http://127.0.0.1:PORT/device in any browser and enter the code SIM000001 within 15 min.
Sign in there as the account that this program is to use: with the role Admin agent in Partner Center, and with
multi-factor authentication.

"
    );
    // How lines are broken depends on the length of the folder's name.
    assert_eq!(
        ended.out.replace("\n            ", " "),
        "\
✓ account  budgets@partner.onmicrosoft.example
✓ MFA  passed
✓ role  Partner Center answers with usage records
✓ saved  {dir}/state/sign-in.json, for its owner only; the daemon finds it there
! file  {dir}/alert-rules.toml does not load yet: `budget-alertd check` says why
"
    );
    assert_eq!(ended.code, 0);
    assert_eq!(place.kept(), "simulated-refresh-token-1");
    let mode =
        std::fs::metadata(place.house.path("state/sign-in.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let checked = place.run(&["check"]);
    assert_eq!(checked.code, 2);
    assert!(
        checked.err.contains("leave refresh_token out and run `budget-alertd login`"),
        "{}",
        checked.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_sign_in_is_used_and_the_configured_token_does_not_come_back() {
    let place = Place::with(&format!("{SECRET}refresh_token = \"simulated-refresh-token-0\"\n"));
    place.partner_center.revoke_sign_in();
    assert_eq!(place.run(&["poll"]).code, 1, "the configured token is dead");
    assert_eq!(place.run(&["login"]).code, 0);
    assert_eq!(place.run(&["poll"]).code, 0);
    assert_eq!(place.run(&["poll"]).code, 0);
    let renewed =
        ["simulated-refresh-token-0", "simulated-refresh-token-1", "simulated-refresh-token-2"];
    assert_eq!(place.used(), renewed, "the first one is tried once, and then never again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_daemon_takes_a_new_sign_in_and_polls_with_it() {
    let place = Place::with(&format!("{SECRET}poll_interval = \"1h\"\n"));
    let process = place.house.start_ready(&place.house.systemd());
    process.wait_for_log("there is no sign-in yet");
    process.wait_for_log("commands are taken at");
    let ended = place.run(&["login"]);
    assert_eq!(ended.code, 0, "{} {}", ended.out, ended.err);
    let said = ended.out.replace("\n            ", " ");
    assert!(
        said.contains(
            "✓ saved  {dir}/state/sign-in.json; the running daemon uses it, and polls with it now\n"
        ),
        "{said}"
    );
    process.wait_for_log("a new sign-in is kept");
    eventually(SOON, "the daemon to use it", || {
        (place.used() == ["simulated-refresh-token-1"]).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_application_signs_in_without_a_secret() {
    let place = Place::with("");
    place.partner_center.change_sign_in(|sign_in| sign_in.client_secret = None);
    assert_eq!(place.run(&["login"]).code, 0);
    assert_eq!(place.kept(), "simulated-refresh-token-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_partner_center_refuses_is_explained_and_not_kept() {
    let place = Place::new();
    place.partner_center.change_sign_in(|sign_in| sign_in.mfa = false);
    let ended = place.run(&["login"]);
    assert_eq!(ended.code, 1);
    let lines = "\
✓ account  budgets@partner.onmicrosoft.example
✗ MFA  the sign-in was made without multi-factor authentication, which Partner Center refuses
            (401, code 900421), if not yet everywhere. Require it for this account (security";
    assert!(ended.out.starts_with(lines), "{}", ended.out);
    assert!(
        ended
            .out
            .contains("✗ role  Partner Center wants a sign-in with multi-factor authentication"),
        "{}",
        ended.out
    );
    assert!(
        ended.out.ends_with("✗ saved  nothing; a sign-in made before stays as it is\n"),
        "{}",
        ended.out
    );

    place.partner_center.change_sign_in(|sign_in| sign_in.mfa = true);
    let role = Answer::error(
        403,
        "900150",
        "The supplied role does not have the rights to perform the requested operation.",
    );
    place.partner_center.fail_once(Endpoint::UsageRecords, Fault::Answer(role));
    let ended = place.run(&["login"]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.out.contains("✓ MFA  passed\n✗ role  Partner Center denies access (403)"),
        "{}",
        ended.out
    );
    assert!(ended.out.contains("Admin agent"), "{}", ended.out);
    assert_eq!(place.kept(), "nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_said_in_plain_words() {
    let place = Place::new();
    place.partner_center.change_sign_in(|sign_in| sign_in.person = Person::Declines);
    let ended = place.run(&["login"]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.out.contains("✗ sign-in  the sign-in is refused: authorization_declined"),
        "{}",
        ended.out
    );
    for (error, code, words) in [
        (
            "invalid_grant",
            53003,
            "many tenants block device codes. Sign in by `budget-alertd login --browser`",
        ),
        ("invalid_client", 7_000_222, "The application's secret has expired. Make a new one"),
        ("invalid_grant", 65001, "Nobody has consented"),
        ("unauthorized_client", 1, "`budget-alertd login --browser` may pass."),
    ] {
        let body = format!(
            r#"{{"error":"{error}","error_description":"AADSTS{code}: Something. Trace ID: 1"}}"#
        );
        place
            .partner_center
            .fail_once(Endpoint::DeviceCode, Fault::Answer(Answer::json(400, body)));
        let ended = place.run(&["login"]);
        let said = ended.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(ended.code == 1 && said.contains(words) && !said.contains("Trace"), "{said}");
        assert_eq!(said.contains("--browser"), [53003, 1].contains(&code), "{said}");
    }
    assert_eq!(place.kept(), "nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_signs_in_by_the_loopback() {
    for (keys, person, code, kept) in [
        (SECRET, Person::Accepts { after: 0 }, 0, "simulated-refresh-token-1"),
        ("", Person::Accepts { after: 0 }, 0, "simulated-refresh-token-1"),
        (SECRET, Person::Declines, 1, "nothing"),
    ] {
        let place = Place::with(keys);
        place.partner_center.change_sign_in(|sign_in| {
            sign_in.person = person;
            sign_in.client_secret =
                (!keys.is_empty()).then(|| "simulated-client-secret".to_owned());
        });
        let mut command = place.house.command(&["login", "--browser"]);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("http://") {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "no address came");
        }
        browse(line.trim()).await;
        let mut rest = String::new();
        said.read_to_string(&mut rest).unwrap();
        let output = child.wait_with_output().unwrap();
        let out = masked(std::str::from_utf8(&output.stdout).unwrap());
        assert_eq!((output.status.code(), place.kept().as_str()), (Some(code), kept), "{out}");
        assert!(rest.contains("ssh -N -L ") && !rest.contains("simulated-client-secret"), "{rest}");
        if person == Person::Declines {
            assert!(out.contains("AADSTS65004: User declined to consent"), "{out}");
        }
    }
}

/// Does what a browser does: is sent from the sign-in page to the loopback. A stranger who knocks
/// before gets nothing.
async fn browse(address: &str) {
    let client = client().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = client.get(address).send().await.unwrap();
    let back = answer.headers()["location"].to_str().unwrap().replace("localhost", "127.0.0.1");
    let idle =
        std::net::TcpStream::connect(back.trim_start_matches("http://").split('/').next().unwrap())
            .unwrap();
    let forged = back.split('?').next().unwrap().to_owned() + "?code=stolen&state=guessed";
    assert_eq!(client.get(forged).send().await.unwrap().status(), 404);
    assert_eq!(client.get(back).send().await.unwrap().status(), 200);
    drop(idle);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_needs_no_sign_in_and_a_wrong_table_is_a_mistake() {
    let desk = super::Desk::new();
    let ended = desk.run(&["login"]);
    assert_eq!(
        (ended.code, ended.err.as_str()),
        (2, "budget-alertd: the source is a file, which needs no sign-in\n")
    );
    let place = Place::with("tenat_id = \"x\"\n");
    let ended = place.run(&["login"]);
    assert!(
        ended.code == 2
            && ended
                .err
                .contains("unknown key \"tenat_id\" in [source]; did you mean \"tenant_id\"?"),
        "{}",
        ended.err
    );
    place.house.configure("[rules.x]\n");
    let ended = place.run(&["login"]);
    assert!(ended.code == 2 && ended.err.contains("there is nothing in [source]"), "{}", ended.err);
}
