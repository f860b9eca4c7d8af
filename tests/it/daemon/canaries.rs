//! What must never be seen anywhere: every secret of a configuration, at the most talkative level,
//! in the log, the listings, the metrics, the answers of the control socket and the files. Receivers
//! fail first and repeat what they were sent.

use std::path::Path;
use std::process::Output;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::{
    Fault, HttpReceiver, MailOptions, MailReceiver, PagerDutyService, PartnerCenter, SignIn,
    SimCustomer,
};

use crate::support::process::{House, ask_socket, get};

const CLIENT_SECRET: &str = "canary-client-Q7w";
const REFRESH_TOKEN: &str = "canary-refresh-Z3x";
const SLACK: &str = "canary-slack-B8n";
const TEAMS: &str = "canary-teams-M2k";
const ROUTING_KEY: &str = "canaryroutingkey0123456789abcdef";
const PASSWORD: &str = "canary-smtp+P4/v";
const SIGNING_KEY: &str = "Y2FuYXJ5LXNpZ25pbmcta2V5LTAwMDAwMDAwMDA=";
const HEADER: &str = "canary-header-J6t";
const TOKEN: &str = "canary-http-L1r";
const HEARTBEAT: &str = "canary-heartbeat-W9s";
const ALL: [&str; 10] = [
    CLIENT_SECRET,
    REFRESH_TOKEN,
    SLACK,
    TEAMS,
    ROUTING_KEY,
    PASSWORD,
    SIGNING_KEY,
    HEADER,
    TOKEN,
    HEARTBEAT,
];
/// Addresses of people, which the log need not know.
const ADDRESS: &str = "canary-person@partner.example";

struct Stage {
    house: House,
    center: PartnerCenter,
    receiver: HttpReceiver,
    _mail: MailReceiver,
    _pager: PagerDutyService,
}

impl Stage {
    fn new() -> Self {
        let clock = SystemClock::shared();
        let sign_in = SignIn {
            client_secret: Some(CLIENT_SECRET.to_owned()),
            refresh_token: REFRESH_TOKEN.to_owned(),
            rotates: false,
            ..SignIn::default()
        };
        let (tenant, client) = (sign_in.tenant_id.clone(), sign_in.client_id.clone());
        let center = PartnerCenter::start(clock.clone(), sign_in).unwrap();
        let receiver = HttpReceiver::start(clock.clone()).unwrap();
        let options = MailOptions { credentials: Some(("alerts".to_owned(), PASSWORD.to_owned())) };
        let mail = MailReceiver::start(clock.clone(), options).unwrap();
        let pager = PagerDutyService::start(clock, ROUTING_KEY).unwrap();
        let as_of = "2026-11-20T17:08:11Z".parse().unwrap();
        let customer = SimCustomer::azure_plan(
            "11111111-6fb9-4b05-8f15-b3d72e0596e6",
            "Contoso",
            "SEK",
            as_of,
        );
        center.set_customers(vec![customer.with_budget(100.into()).with_cost(150.into())]);
        let configuration = format!(
            r#"
[source]
type = "partner-center"
api_url = "{api}"
login_url = "{api}"
tenant_id = "{tenant}"
client_id = "{client}"
client_secret = "{CLIENT_SECRET}"
refresh_token = "{REFRESH_TOKEN}"
[http]
listen = "127.0.0.1:0"
token = "{TOKEN}"
[operator]
notify = ["chat"]
heartbeat_url = "{heartbeat}"
[rules.spend]
metric = "percent_used"
notify = ["chat", "teams", "pager", "mail", "hook"]
steps = [{{ at = 80 }}]
[notifiers.chat]
type = "slack"
url = "{slack}"
[notifiers.teams]
type = "teams"
url = "{teams}"
[notifiers.pager]
type = "pagerduty"
routing_key = "{ROUTING_KEY}"
url = "{pager_url}"
[notifiers.mail]
type = "email"
from = "alerts@partner.example"
to = ["{ADDRESS}"]
smtp = {{ host = "127.0.0.1", port = {port}, tls = "none", username = "alerts", password = "{PASSWORD}" }}
[notifiers.hook]
type = "webhook"
url = "{hook}"
secret = "whsec_{SIGNING_KEY}"
headers = {{ "X-Token" = "{HEADER}" }}
"#,
            api = center.api_url(),
            heartbeat = receiver.url(&format!("/ping/{HEARTBEAT}")),
            slack = receiver.url(&format!("/services/{SLACK}")),
            teams = receiver.url(&format!("/teams/{TEAMS}")),
            pager_url = pager.url(),
            port = mail.port(),
            hook = receiver.url("/hook"),
        );
        let house = House::new(&configuration);
        Self { house, center, receiver, _mail: mail, _pager: pager }
    }
}

/// Every form of it that may travel: as it is, in base64, percent-encoded.
fn forms(secret: &str) -> Vec<String> {
    let percent = secret.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    vec![secret.to_owned(), STANDARD.encode(secret), percent]
}

#[track_caller]
fn assert_clean(what: &str, text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    for secret in ALL {
        for form in forms(secret) {
            assert!(!text.contains(&form), "{secret} is in {what}:\n{text}");
        }
    }
}

/// Everything in the folder, and whether it is the file where the sign-in is kept.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_seen_anywhere_whatever_fails() {
    let stage = Stage::new();
    let house = &stage.house;
    let told = |output: &Output| [output.stdout.clone(), output.stderr.clone()].concat();
    // First everything fails, and says what it was sent.
    stage.receiver.fail(Fault::status(500));
    stage.center.change_sign_in(|sign_in| sign_in.mfa = false);
    let failed = house.run(&["--log", "trace", "poll", "--wait", "2s"]);
    assert_clean("a poll that fails", &told(&failed));
    stage.center.change_sign_in(|sign_in| sign_in.mfa = true);
    stage.receiver.heal();

    let systemd = house.systemd();
    let mut command = house.command(&["--log", "trace", "run"]);
    let process =
        crate::support::process::Process::start(command.env("NOTIFY_SOCKET", &systemd.path));
    systemd.wait_for("READY=1");
    stage.receiver.wait_for(4).await.unwrap();
    process.wait_for_log("mail took alert");
    process.wait_for_log("pager took alert");
    for arguments in [
        &["check"][..],
        &["check", "--live"],
        &["check", "--format", "json"],
        &["status", "--format", "json"],
        &["alerts", "--format", "json"],
        &["deliveries", "--format", "json"],
        &["explain", "Contoso", "--format", "json"],
        &["coverage"],
        &["report"],
        &["silence", "list"],
        &["reload"],
        &["notify-test", "chat"],
        &["notify-test", "hook"],
        &["notify-test", "mail"],
        &["--log", "trace", "poll"],
        &["poll", "--dry-run", "--log", "trace"],
    ] {
        assert_clean(&format!("{arguments:?}"), &told(&house.run(arguments)));
    }
    for path in ["/metrics", "/healthz", "/readyz", "/"] {
        assert_clean(path, format!("{:?}", get(process.address(), path)).as_bytes());
    }
    let socket = house.path("state/control.sock");
    for (method, path) in
        [("GET", "/api/v1/daemon"), ("POST", "/api/v1/poll"), ("POST", "/api/v1/nothing")]
    {
        assert_clean(path, ask_socket(&socket, method, path, b"").1.as_bytes());
    }
    // A file with a mistake in the line of each secret.
    let good = std::fs::read_to_string(house.path("alert-rules.toml")).unwrap();
    house.configure(&good.replace("_secret =", "_secrt =").replace("routing_key", "routing"));
    assert_clean("a mistaken file", &told(&house.run(&["check"])));
    assert_clean("a refused reload", &told(&house.run(&["reload"])));
    house.configure(&good);

    let (_, log) = process.terminate();
    assert_clean("the log", log.as_bytes());
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "the level is not what was asked for");
    assert!(!log.contains(ADDRESS), "an address is in the log: {log}");
    for (name, content) in files(&house.path("state")) {
        if !name.contains("sign-in") {
            assert_clean(&name, &content);
        }
    }
}
