//! Receivers, mail servers, proxies, sign-in services and sources that send back whatever they are
//! sent: none of the secrets among it gets into an output, a log or the ledger, in whatever form it
//! comes back.

mod server;

use std::process::Output;

use server::{Echo, Form};

use crate::support::process::House;

/// The secrets; each holds "hush", and no word of ours does.
const NOTIFIERS: &str = r#"
[source]
type = "file"
path = "{dir}/usage.json"
[operator]
notify = ["slack"]
heartbeat_url = "{http}/ping/1hush-Heartbeat9"
[rules.spend]
metric = "percent_used"
notify = ["slack", "teams", "hook", "pager", "mirror", "plain", "login", "graph", "graph-refused"]
steps = [{ at = 80 }]
[notifiers.slack]
type = "slack"
url = "{http}/services/T0hush00/B0hush00/x9hushSlackToken"
[notifiers.teams]
type = "teams"
url = "{http}/workflows/4f1hushflow/triggers/manual/paths/invoke?api-version=2016-06-01&sig=q1%2Bhush%2FSig-natur3"
[notifiers.hook]
type = "webhook"
url = "{http}/hooks/99hushHook?code=7hush%3DCode8"
headers = { Authorization = "Basic dXNlcjpwNGh1c2gtQmFzaWM=", X-Api-Key = "k3y/hush\"&Quoted" }
[notifiers.pager]
type = "pagerduty"
routing_key = "0hush5678901234567890123456789ab"
url = "{http}/enqueue"
[notifiers.mirror]
type = "alertmanager"
url = "{http}/"
headers = { Authorization = "Bearer b3hushBearerOfMirror" }
fallback = ["hook"]
[notifiers.plain]
type = "email"
from = "a@partner.example"
to = ["b@partner.example"]
smtp = { host = "127.0.0.1", port = {smtp}, tls = "none", username = "user", password = "p1 hush@Plain=", auth = "plain" }
[notifiers.login]
type = "email"
from = "a@partner.example"
to = ["b@partner.example"]
smtp = { host = "127.0.0.1", port = {smtp}, tls = "none", username = "user", password = "hush10", auth = "login" }
[notifiers.graph]
type = "graph-mail"
from = "a@partner.example"
to = ["b@partner.example"]
url = "{http}/v1.0"
oauth = { tenant_id = "t.example", client_id = "c", client_secret = "s1~hush.ClientSecret", login_url = "{http}/gives" }
[notifiers.graph-refused]
type = "graph-mail"
from = "a@partner.example"
to = ["b@partner.example"]
oauth = { tenant_id = "t.example", client_id = "c", refresh_token = "0.AXhushRefresh", client_secret = "s2~hush+Other/1", login_url = "{http}/refuses" }
"#;

const SOURCE: &str = r#"
[source]
type = "partner-center"
api_url = "{http}/"
login_url = "{http}/{signs}"
tenant_id = "t.example"
client_id = "11111111-2222-3333-4444-555555555555"
client_secret = "s3~hush.ClientSecret"
refresh_token = "0.AYhushRefresh-of-1"
[rules.spend]
metric = "percent_used"
notify = ["hook"]
steps = [{ at = 80 }]
[notifiers.hook]
type = "webhook"
url = "{http}/hooks/99hushHook"
"#;

/// The echo, what is configured to speak with it, and all that was said by the commands.
struct Stage {
    house: House,
    echo: Echo,
    said: String,
}

impl Stage {
    fn new(configuration: &str, form: Form) -> Self {
        let echo = Echo::start(form);
        let configuration = configuration
            .replace("{http}", &echo.http)
            .replace("{smtp}", &echo.smtp_port.to_string());
        let house = House::new(&configuration);
        house.save_usage([("contoso".to_owned(), 90)]);
        Self { house, echo, said: String::new() }
    }

    fn run(&mut self, arguments: &[&str], variables: &[(&str, &str)]) {
        let mut command = self.house.command(arguments);
        let Output { stdout, stderr, .. } =
            command.envs(variables.iter().copied()).output().unwrap();
        self.said += &String::from_utf8_lossy(&stdout);
        self.said += &String::from_utf8_lossy(&stderr);
    }

    /// Every piece of a secret that the echo sent back is in no output, and in no file of the state
    /// folder but the sign-in itself.
    fn holds_its_tongue(&self, least: usize) {
        let echoed = self.echo.echoed();
        assert!(echoed.len() >= least, "only {echoed:?} came back");
        let mut places = vec![("the outputs".to_owned(), self.said.clone())];
        let files =
            std::fs::read_dir(self.house.path("state")).unwrap().map(|file| file.unwrap().path());
        for file in files.filter(|file| file.is_file()) {
            if !file.file_name().unwrap().to_str().unwrap().starts_with("sign-in") {
                places.push((
                    file.display().to_string(),
                    String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned(),
                ));
            }
        }
        for (place, text) in places {
            assert!(!text.contains("hush"), "{place} holds a secret: {text}");
            for piece in &echoed {
                assert!(!text.contains(piece.as_str()), "{place} holds {piece}: {text}");
            }
        }
    }
}

fn notifiers_hold_their_tongue(form: Form) {
    let mut stage = Stage::new(NOTIFIERS, form);
    let poll = ["--log", "trace", "poll", "--wait", "1s"];
    stage.run(&poll, &[]);
    stage.run(&["check", "--live"], &[]);
    stage.run(&["notify-test", "plain"], &[]);
    stage.run(&["notify-test", "graph"], &[]);
    stage.run(&["status"], &[]);
    stage.run(&["deliveries"], &[]);
    stage.run(&["explain", "contoso"], &[]);
    stage.holds_its_tongue(10);
    assert!(stage.said.contains("***"), "{}", stage.said);
}

#[test]
fn an_echo_as_it_came_tells_nothing() {
    notifiers_hold_their_tongue(Form::Plain);
}

#[test]
fn an_echo_escaped_for_json_tells_nothing() {
    notifiers_hold_their_tongue(Form::Json);
}

#[test]
fn an_echo_percent_encoded_tells_nothing() {
    notifiers_hold_their_tongue(Form::Percent);
}

#[test]
fn an_echo_in_base64_tells_nothing() {
    notifiers_hold_their_tongue(Form::Base64);
}

#[test]
fn a_proxy_that_sends_back_its_own_password_tells_nothing() {
    let mut stage = Stage::new(NOTIFIERS, Form::Plain);
    let proxy = stage.echo.http.replace("http://", "http://user:pr0xy%2Fhush@");
    stage.run(&["poll", "--wait", "1s"], &[("http_proxy", proxy.as_str())]);
    stage.run(&["deliveries"], &[]);
    stage.holds_its_tongue(10);
}

#[test]
fn a_source_and_a_sign_in_service_that_send_everything_back_tell_nothing() {
    for signs in ["gives", "refuses"] {
        for form in [Form::Plain, Form::Base64] {
            let mut stage = Stage::new(&SOURCE.replace("{signs}", signs), form);
            stage.run(&["poll"], &[]);
            stage.run(&["check", "--live"], &[]);
            stage.run(&["status"], &[]);
            stage.run(&["login"], &[]);
            stage.holds_its_tongue(1);
        }
    }
}

#[test]
fn the_daemon_tells_nothing_either() {
    let stage = Stage::new(NOTIFIERS, Form::Plain);
    let systemd = stage.house.systemd();
    let daemon = stage.house.start_ready(&systemd);
    daemon.wait_for_log("delivery failed");
    let stage = Stage { said: daemon.log(), ..stage };
    stage.holds_its_tongue(3);
}
