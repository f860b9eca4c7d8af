//! The control socket: commands that act through a running daemon, and what becomes of its file.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use budget_alertd::clock::{Clock, Sleep, SystemClock};
use budget_alertd::simulator::{
    Answer, Endpoint, Fault, HttpReceiver, PartnerCenter, SignIn, SimCustomer,
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::life::from_partner_center;
use super::{configuration, over_budget, within_budget};
use crate::support::process::{House, Process, SOON, ask_socket, eventually};

fn receiver() -> HttpReceiver {
    HttpReceiver::start(SystemClock::shared()).unwrap()
}

/// A daemon that has polled once and raised nothing.
fn quiet(receiver: &HttpReceiver) -> (House, Process) {
    let house = House::new(&configuration(receiver, "1h"));
    house.save_usage(within_budget());
    let process = house.start_ready(&house.systemd());
    process.wait_for_metric("polls_total{result=\"ok\"}", "1");
    (house, process)
}

fn told(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Who runs these tests, as the daemon names them.
fn author() -> String {
    let uid = rustix::process::getuid().as_raw();
    let name = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
    format!("{} (uid {uid})", name.trim())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_beside_a_daemon_is_the_daemons_and_says_what_came_of_it() {
    let receiver = receiver();
    let (house, process) = quiet(&receiver);
    house.save_usage(over_budget(0..2));
    let output = house.run(&["poll", "--format", "json"]);
    let answer = told(&output);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(answer["alerts"].as_array().unwrap().len(), 2);
    assert_eq!(answer["alerts"][0]["state"], "raised");
    assert_eq!(answer["deliveries"], json!({"sent": 2, "pending": 0, "dead": 0}));
    assert_eq!((&answer["records"], &answer["source"]), (&json!(2), &json!("ok")));
    assert_eq!(receiver.received().len(), 2);
    assert_eq!(process.metric("polls_total{result=\"ok\"}").as_deref(), Some("2"));
    let log = process.log();
    assert!(log.contains("asked to poll") && log.contains(&author()), "{log}");

    let text = String::from_utf8(house.run(&["poll"]).stdout).unwrap();
    assert!(
        text.starts_with(
            "2 records, 0 skipped; source read whole.\n0 new alerts raised.\nKept \
        silent: 2 alerted before"
        ),
        "{text}"
    );
    let dry = house.run(&["poll", "--dry-run"]);
    assert_eq!(dry.status.code(), Some(0), "{dry:?}");
    assert_eq!(
        process.metric("polls_total{result=\"ok\"}").as_deref(),
        Some("3"),
        "a dry run is the command's own"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_beside_a_daemon_fails_for_what_stays_owed_is_given_up_or_was_not_read() {
    let receiver = receiver();
    let (house, _process) = quiet(&receiver);
    house.save_usage(over_budget(0..1));
    receiver.fail(Fault::status(503));
    let output = house.run(&["poll", "--wait", "1s", "--format", "json"]);
    assert_eq!(
        (output.status.code(), &told(&output)["deliveries"]),
        (Some(1), &json!({"sent": 0, "pending": 1, "dead": 0}))
    );
    house.save_usage([]);
    let output = house.run(&["poll", "--wait", "0s", "--format", "json"]);
    assert_eq!((output.status.code(), &told(&output)["source"]), (Some(1), &json!("failed")));
    let output = house.run(&["poll", "--wait", "0s", "--accept-empty", "--format", "json"]);
    assert_eq!(told(&output)["source"], "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_polls_at_once_share_one() {
    let receiver = receiver();
    let gate = Gate::new(&receiver);
    let (house, process) = (&gate.house, &gate.process);
    gate.close();
    let polls =
        [house.begin(&["poll", "--format", "json"]), house.begin(&["poll", "--format", "json"])];
    wait_until_asked(process, 2);
    gate.open();
    for poll in polls {
        let output = poll.wait_with_output().unwrap();
        assert_eq!(
            (output.status.code(), &told(&output)["source"]),
            (Some(0), &json!("ok")),
            "{output:?}"
        );
    }
    assert_eq!(process.metric("polls_total{result=\"ok\"}").as_deref(), Some("2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_takes_less_for_the_truth_answers_nobody_who_asked_for_more() {
    let receiver = receiver();
    let gate = Gate::new(&receiver);
    let (house, process) = (&gate.house, &gate.process);
    gate.close();
    let plain = house.begin(&["poll"]);
    wait_until_asked(process, 1);
    let accepting = house.begin(&["poll", "--accept-empty"]);
    wait_until_asked(process, 2);
    gate.open();
    assert!(plain.wait_with_output().unwrap().status.success());
    assert!(accepting.wait_with_output().unwrap().status.success());
    assert_eq!(process.metric("polls_total{result=\"ok\"}").as_deref(), Some("3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_poll_is_answered_across_a_reload() {
    let receiver = receiver();
    let gate = Gate::new(&receiver);
    gate.close();
    let poll = gate.house.begin(&["poll", "--format", "json"]);
    eventually(SOON, "the poll to begin", || (gate.reads() == 2).then_some(()));
    gate.center.set_customers(vec![customer(150)]);
    gate.process.hang_up();
    let output = poll.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), &told(&output)["deliveries"]["sent"]),
        (Some(0), &json!(1)),
        "{output:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_wait_for_an_answer_give_way_to_nobody() {
    let receiver = receiver();
    let gate = Gate::new(&receiver);
    gate.close();
    let socket = gate.house.path("state/control.sock");
    let ask = || {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        write!(
            stream,
            "POST /api/v1/poll HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
        )
        .unwrap();
        stream
    };
    let mut waiting: Vec<UnixStream> = (0..32).map(|_| ask()).collect();
    wait_until_asked(&gate.process, 32);
    // These find all places taken.
    waiting.extend((0..8).map(|_| ask()));
    gate.open();
    for mut stream in waiting {
        let mut start = [0; 12];
        stream.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"HTTP/1.1 200");
    }
}

/// A daemon that has polled once and raised nothing, and whose source answers the next poll when it
/// is let.
struct Gate {
    pass: Arc<Semaphore>,
    process: Process,
    house: House,
    center: PartnerCenter,
}

impl Gate {
    fn new(receiver: &HttpReceiver) -> Self {
        let pass = Arc::new(Semaphore::new(0));
        let clock = Arc::new(Pass { pass: Arc::clone(&pass), clock: SystemClock::shared() });
        let center = PartnerCenter::start(clock, SignIn::default()).unwrap();
        center.set_customers(vec![customer(10)]);
        let configuration = from_partner_center(&center, receiver);
        let house =
            House::new(&configuration.replace("poll_interval = \"1s\"", "poll_interval = \"1h\""));
        let process = house.start_ready(&house.systemd());
        process.wait_for_metric("polls_total{result=\"ok\"}", "1");
        Self { pass, process, house, center }
    }

    /// The next reading lasts until it is opened.
    fn close(&self) {
        self.center.fail_once(Endpoint::UsageRecords, Fault::Slow(SOON));
    }

    fn open(&self) {
        self.pass.add_permits(1);
    }

    /// How often the collection was asked for.
    fn reads(&self) -> usize {
        self.center
            .requests()
            .iter()
            .filter(|request| request.path.contains("/customers/usagerecords"))
            .count()
    }
}

/// A clock whose waits end when somebody lets them.
struct Pass {
    pass: Arc<Semaphore>,
    clock: Arc<dyn Clock>,
}

impl Clock for Pass {
    fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    fn sleep(&self, _duration: Duration) -> Sleep<'_> {
        Box::pin(async { self.pass.acquire().await.unwrap().forget() })
    }
}

fn customer(cost: i64) -> SimCustomer {
    let as_of = "2026-10-05T12:00:00Z".parse().unwrap();
    SimCustomer::azure_plan("C1", "Contoso", "SEK", as_of)
        .with_budget(100.into())
        .with_cost(cost.into())
}

/// Waits until so many have asked for a poll.
fn wait_until_asked(process: &Process, times: usize) {
    eventually(SOON, "the polls to be asked for", || {
        (process.log().matches("asked to poll").count() == times).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_asked_to_be_left_alone_is_not_polled_for_the_asking() {
    let center = PartnerCenter::start(SystemClock::shared(), SignIn::default()).unwrap();
    center.fail_once(Endpoint::UsageRecords, Fault::Answer(Answer::throttled(3600)));
    let house = House::new(&from_partner_center(&center, &receiver()));
    let process = house.start();
    process.wait_for_metric("polls_total{result=\"failed\"}", "1");
    process.wait_for_log("poll failed");
    let output = house.run(&["poll"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.contains("polling rests for another 3")
            && said.contains("the source asked to be left alone"),
        "{said}"
    );
    assert_eq!(
        center.requests().iter().filter(|request| request.path.contains("usagerecords")).count(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_is_owed_again_and_delivered_at_once_and_the_author_is_in_the_log() {
    let receiver = receiver();
    let (house, process) = quiet(&receiver);
    receiver.fail(Fault::Answer(Answer::new(422)));
    house.save_usage(over_budget(0..2));
    let output = house.run(&["poll", "--format", "json"]);
    assert_eq!((output.status.code(), &told(&output)["deliveries"]["dead"]), (Some(1), &json!(2)));
    receiver.heal();
    let output = house.run(&["deliveries", "retry"]);
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "2 deliveries are owed again; the daemon delivers them.\n"
    );
    receiver.wait_for(2).await.unwrap();
    process.wait_for_metric("deliveries_pending{notifier=\"hook\"}", "0");
    process.wait_for_metric("operator_findings{code=\"delivery-dead\"}", "0");
    let log = process.log();
    let line = log.lines().find(|line| line.contains("deliveries are owed again")).unwrap();
    assert!(line.contains(&author()), "{line}");

    let wrong = house.run(&["deliveries", "retry", "--to", "nobody"]);
    assert_eq!(wrong.status.code(), Some(2));
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert_eq!(said, "budget-alertd: there is no notifier \"nobody\"; there are: hook\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_let_go_and_delivered_at_once_or_discarded_and_the_author_is_in_the_log() {
    let receiver = receiver();
    let house =
        House::new(&super::with_hook(&receiver.url("/hook"), "1h", "audience = \"customer\""));
    house.save_usage(within_budget());
    let process = house.start_ready(&house.systemd());
    process.wait_for_metric("polls_total{result=\"ok\"}", "1");
    house.save_usage(over_budget(0..30));
    let output = house.run(&["poll"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.ends_with(
            "Deliveries: 0 sent, 30 still owed (30 held: budget-alertd deliveries \
        release), 0 given up.\n"
        ),
        "{said}"
    );
    process.wait_for_metric("operator_findings{code=\"mass-crossing\"}", "1");
    let release = |more: &[&str]| {
        let output = house.run(&[&["deliveries", "release"], more].concat());
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let one = release(&["--customer", "customer-0003"]);
    assert_eq!(
        (one.0, one.1.as_str()),
        (
            Some(0),
            "1 held delivery is released; the daemon delivers it.\n29 deliveries still held.\n"
        )
    );
    receiver.wait_for(1).await.unwrap();
    let unknown = release(&["abcdef"]);
    assert_eq!(unknown.0, Some(2));
    assert!(unknown.2.contains("there is no delivery abcdef that is held"), "{}", unknown.2);
    let socket = house.path("state/control.sock");
    let (status, answer) =
        ask_socket(&socket, "POST", "/api/v1/deliveries/release", b"{\"customer\": \"nobody\"}");
    assert!(status == 422 && answer.contains("no customer is called"), "{status} {answer}");
    let rest = release(&["--discard", "--reason", "prices were wrong"]);
    assert_eq!(
        (rest.0, rest.1.as_str()),
        (Some(0), "29 held deliveries are discarded and will never be sent.\n")
    );
    process.wait_for_metric("operator_findings{code=\"mass-crossing\"}", "0");
    process.wait_for_metric("deliveries_pending{notifier=\"hook\"}", "0");
    let log = process.log();
    let line = log.lines().find(|line| line.contains("are discarded: prices were wrong")).unwrap();
    assert!(line.contains(&author()), "{line}");
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_sign_in_replaces_the_one_in_use_and_is_polled_with_at_once() {
    let center = PartnerCenter::start(SystemClock::shared(), SignIn::default()).unwrap();
    center.set_customers(vec![customer(10)]);
    let good = center.refresh_token();
    let configuration = from_partner_center(&center, &receiver())
        .replace(&good, "an-old-one")
        .replace("poll_interval = \"1s\"", "poll_interval = \"1h\"");
    let house = House::new(&configuration);
    let process = house.start();
    process.wait_for_metric("operator_findings{code=\"sign-in-refused\"}", "1");
    let body = json!({"refresh_token": good}).to_string();
    let (status, answer) =
        ask_socket(&house.path("state/control.sock"), "POST", "/api/v1/sign-in", body.as_bytes());
    assert_eq!((status, answer.as_str()), (200, "{\"polls\":true}"));
    process.wait_for_metric("polls_total{result=\"ok\"}", "1");
    process.wait_for_metric("operator_findings{code=\"sign-in-refused\"}", "0");
    assert_eq!(
        house.path("state/sign-in.json").metadata().unwrap().permissions().mode() & 0o777,
        0o600
    );
    let log = process.wait_for_log("a new sign-in is kept");
    assert!(log.contains(&author()) && !log.contains(&good), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_understood_is_refused_in_words() {
    let (house, process) = quiet(&receiver());
    let socket = house.path("state/control.sock");
    let ask = |method, path, body: &[u8]| {
        let (status, body) = ask_socket(&socket, method, path, body);
        (
            status,
            serde_json::from_str::<Value>(&body).unwrap()["detail"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    };
    let (status, error) = ask("POST", "/api/v1/deliveries/retry", b"{\"two\": \"ops\"}");
    assert!(status == 400 && error.contains("unknown field `two`"), "{status} {error}");
    assert_eq!(ask("POST", "/api/v1/poll", b"now").0, 400);
    assert_eq!(ask("POST", "/api/v1/sign-in", b"{}").0, 400);
    let (status, error) = ask("POST", "/api/v1/sign-in", b"{\"refresh_token\": \"abc\"}");
    assert_eq!((status, error.as_str()), (422, "the source is a file, which wants no sign-in"));
    assert_eq!(ask("POST", "/api/v1/poll", &vec![b' '; (1 << 20) + 1]).0, 413);
    assert_eq!(ask("GET", "/api/v1/poll", b"").0, 405);
    let (status, error) = ask("GET", "/metrics", b"");
    assert!(status == 404 && error.contains("knows no /metrics"), "{status} {error}");

    let (status, about) = ask_socket(&socket, "GET", "/api/v1/daemon", b"");
    let about: Value = serde_json::from_str(&about).unwrap();
    assert_eq!(
        (status, &about["pid"], &about["version"]),
        (200, &json!(process.id()), &json!(env!("CARGO_PKG_VERSION")))
    );
    assert_eq!(
        about["ledger"],
        json!(std::fs::canonicalize(house.path("state/ledger.db")).unwrap())
    );
    assert_eq!(
        about["config"],
        json!(std::fs::canonicalize(house.path("alert-rules.toml")).unwrap())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_is_for_its_owner_and_group_outlives_reloads_and_goes_with_the_daemon() {
    let receiver = receiver();
    let house = House::new(&configuration(&receiver, "1h"));
    house.save_usage(within_budget());
    let systemd = house.systemd();
    let process = house.start_ready(&systemd);
    let socket = house.path("state/control.sock");
    let first = socket.metadata().unwrap();
    assert_eq!(first.mode() & 0o777, 0o660);
    process.hang_up();
    systemd.wait_for("RELOADING=1");
    systemd.wait_for("READY=1");
    assert_eq!(socket.metadata().unwrap().ino(), first.ino());
    house.save_usage(over_budget(0..1));
    let output = house.run(&["poll", "--format", "json"]);
    assert_eq!(
        (output.status.code(), &told(&output)["records"]),
        (Some(0), &json!(1)),
        "{output:?}"
    );
    assert_eq!(process.terminate().0, Some(0));
    assert!(!socket.exists());
    assert_eq!(house.run(&["poll"]).status.code(), Some(0), "without a daemon, by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_left_by_a_killed_daemon_hinders_neither_commands_nor_the_next_daemon() {
    let (house, process) = quiet(&receiver());
    process.kill();
    let socket = house.path("state/control.sock");
    assert!(socket.exists());
    let output = house.run(&["poll"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let process = house.start();
    process.wait_for_metric("polls_total{result=\"ok\"}", "1");
    let output = house.run(&["poll"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    process.wait_for_log("asked to poll");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_of_another_ledger_is_left_alone() {
    let receiver = receiver();
    let (theirs, other) = quiet(&receiver);
    let house = House::new(&configuration(&receiver, "1h"));
    house.save_usage(over_budget(0..1));
    let output = house
        .command(&["poll", "--format", "json"])
        .env("RUNTIME_DIRECTORY", theirs.path("state"))
        .output()
        .unwrap();
    assert_eq!(
        (output.status.code(), &told(&output)["records"]),
        (Some(0), &json!(1)),
        "{output:?}"
    );
    assert!(!other.log().contains("asked to poll"));
    // Nor is its socket taken away by a daemon that was pointed at it.
    let process =
        Process::start(house.command(&["run"]).env("RUNTIME_DIRECTORY", theirs.path("state")));
    let log = process.wait_for_log("commands are taken at");
    assert!(
        log.contains("another process listens on")
            && log.contains(&house.path("state/control.sock").display().to_string()),
        "{log}"
    );
    assert_eq!(theirs.run(&["poll"]).status.code(), Some(0));
    other.wait_for_log("asked to poll");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_runtime_folder_comes_first_and_a_path_too_long_for_a_socket_is_named() {
    let house = House::new(&configuration(&receiver(), "1h"));
    house.save_usage(within_budget());
    let (short, too_long) = (house.path("run"), house.path(&"long".repeat(30)));
    std::fs::create_dir(&short).unwrap();
    std::fs::create_dir(&too_long).unwrap();
    let run = |folder: &Path| {
        Process::start(
            house
                .command(&["run"])
                .env("RUNTIME_DIRECTORY", format!("{}:/nowhere", folder.display())),
        )
    };
    let poll = |folder: &Path| {
        house.command(&["poll"]).env("RUNTIME_DIRECTORY", folder).output().unwrap().status.code()
    };
    let process = run(&short);
    process
        .wait_for_log(&format!("commands are taken at {}", short.join("control.sock").display()));
    assert_eq!(poll(&short), Some(0));
    process.wait_for_log("asked to poll");
    process.terminate();
    let process = run(&too_long);
    let log = process.wait_for_log(&format!(
        "commands are taken at {}",
        house.path("state/control.sock").display()
    ));
    assert!(log.contains("bytes, and a socket's path may have 107"), "{log}");
    assert_eq!(poll(&too_long), Some(0));
    process.wait_for_log("asked to poll");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_use_the_socket_is_told_who_may() {
    let (house, _process) = quiet(&receiver());
    let open = |path: &str| {
        std::fs::set_permissions(house.path(path), std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    ["", "state"].into_iter().for_each(open);
    let mut poll = house.command(&["poll"]);
    let root = rustix::process::getuid().is_root();
    if root {
        // Nothing is forbidden to root.
        poll.uid(65534).gid(65534);
    } else {
        std::fs::set_permissions(
            house.path("state/control.sock"),
            std::fs::Permissions::from_mode(0o000),
        )
        .unwrap();
    }
    let output = poll.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_ne!(output.status.code(), Some(0));
    let owner = author().split(' ').next().unwrap().to_owned();
    let others = if root { "root may (sudo)" } else { &*format!("so may user {owner}") };
    assert!(said.contains("state/control.sock, but not by ") && said.contains(others), "{said}");
}
