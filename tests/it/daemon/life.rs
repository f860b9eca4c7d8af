//! Start, stop, and what systemd is told meanwhile.

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::{Endpoint, Fault, HttpReceiver, PartnerCenter, SignIn, SimCustomer};
use rustix::process::Signal;

use super::{configuration, over_budget, with_hook, within_budget};
use crate::support::process::{House, Process, get, is_there};

fn receiver() -> HttpReceiver {
    HttpReceiver::start(SystemClock::shared()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_ready_once_configuration_and_ledger_are_open_and_tells_how_it_is() {
    let receiver = receiver();
    let house = House::new(&configuration(&receiver, "1h"));
    house.save_usage(over_budget(0..1));
    let systemd = house.systemd();
    let process = Process::start(
        house.command(&["run"]).env("NOTIFY_SOCKET", &systemd.path).env("WATCHDOG_USEC", "200000"),
    );
    assert_eq!(systemd.wait_for("READY=1"), ["READY=1\nSTATUS=first poll under way\n"]);
    assert!(is_there(&house.path("state/ledger.db")));
    assert_eq!(get(process.address(), "/readyz"), Some((200, "ready\n".to_owned())));
    receiver.wait_for(1).await.unwrap();
    process.wait_for_metric("deliveries_total{notifier=\"hook\",result=\"sent\"}", "1");
    systemd.wait_for("WATCHDOG=1");
    systemd.wait_for("WATCHDOG=1");
    let told = systemd.wait_for("WATCHDOG=1").concat();
    let status = told.lines().find_map(|line| line.strip_prefix("STATUS=")).unwrap();
    assert!(status.starts_with("1 customers read, 1 new alerts at "), "{status}");
    assert!(status.contains("; 0 owed; next poll "), "{status}");
    process.signal(Signal::TERM);
    assert!(
        systemd.wait_for("STOPPING=1").concat().contains("STATUS=finishing deliveries in flight")
    );
    let (code, log) = process.terminate();
    assert_eq!(code, Some(0), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_that_left_nothing_overdue_pings_the_watcher_and_a_failed_one_does_not() {
    let (receiver, watcher) = (receiver(), receiver());
    let heartbeat = format!("[operator]\nheartbeat_url = \"{}\"\n", watcher.url("/ping/hunter2"));
    let house = House::new(&format!("{}{heartbeat}", configuration(&receiver, "1s")));
    house.save_usage(over_budget(0..1));
    let process = house.start_ready(&house.systemd());
    let pings = watcher.wait_for(2).await.unwrap();
    assert_eq!((pings[0].method.as_str(), pings[0].path.as_str()), ("GET", "/ping/hunter2"));
    std::fs::remove_file(house.path("usage.json")).unwrap();
    process.wait_for_metric("polls_total{result=\"failed\"}", "1");
    let before = watcher.received().len();
    house.save_usage(over_budget(0..1));
    house.configure(&format!(
        "{}{heartbeat}",
        configuration(&receiver, "1s").replace("/hook", "/other")
    ));
    process.hang_up();
    watcher.wait_for(before + 1).await.unwrap();
    let (code, log) = process.terminate();
    assert_eq!(code, Some(0));
    assert!(!log.contains("hunter2"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_daemon_another_run_exits_3_and_so_does_a_poll_that_cannot_ask_it() {
    let receiver = receiver();
    let house = House::new(&configuration(&receiver, "1h"));
    house.save_usage(within_budget());
    let process = house.start_ready(&house.systemd());
    std::fs::remove_file(house.path("state/control.sock")).unwrap();
    for command in ["run", "poll"] {
        let output = house.run(&[command]);
        assert_eq!(output.status.code(), Some(3));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            said.contains(&format!("held by another budget-alertd (process {})", process.id())),
            "{said}"
        );
    }
    assert_eq!(process.terminate().0, Some(0));
    assert_eq!(house.run(&["poll"]).status.code(), Some(0));
}

#[test]
fn an_invalid_configuration_exits_2_and_makes_nothing() {
    let house =
        House::new("[source]\ntype = \"file\"\npath = \"usage.json\"\npol_interval = \"1h\"\n");
    let systemd = house.systemd();
    let output = house.command(&["run"]).env("NOTIFY_SOCKET", &systemd.path).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("alert-rules.toml:6:1: ") && said.contains("did you mean \"poll_interval\"?"),
        "{said}"
    );
    assert!(!house.path("state").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_named_and_exits_1() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let house = House::new(&configuration(&receiver(), "1h").replace("127.0.0.1:0", &address));
    house.save_usage(within_budget());
    let output = house.run(&["run"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains(&format!("cannot listen on {address}"))
            && said.contains("change [http] listen"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_lets_a_delivery_in_flight_end_and_leaves_the_rest_owed() {
    let receiver = receiver();
    receiver.fail(Fault::Hang);
    let house = House::new(&with_hook(&receiver.url("/hook"), "1h", "timeout = \"2s\""));
    house.save_usage(over_budget(0..3));
    let process = house.start();
    receiver.wait_for_attempts(1).await.unwrap();
    let (code, log) = process.terminate();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("stopped; 3 deliveries stay owed"), "{log}");
    assert_eq!(receiver.attempts().len(), 1);
    assert_eq!(house.number("SELECT count(*) FROM attempt"), 1);
    assert_eq!(house.number("SELECT clean FROM file"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_cut_off_at_the_end_is_no_attempt() {
    let receiver = receiver();
    receiver.fail(Fault::Hang);
    let house = House::new(&with_hook(&receiver.url("/hook"), "1h", "timeout = \"5m\""));
    house.save_usage(over_budget(0..1));
    let process = house.start();
    receiver.wait_for_attempts(1).await.unwrap();
    let (code, log) = process.terminate();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("cut off what did not finish in 20 s; it stays owed"), "{log}");
    assert_eq!(house.number("SELECT count(*) FROM attempt"), 0);
    assert_eq!(house.number("SELECT attempts FROM delivery"), 0);
    assert_eq!(house.number("SELECT count(*) FROM notifier WHERE failures > 0"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_hangs_does_not_keep_it_from_stopping() {
    let center = PartnerCenter::start(SystemClock::shared(), SignIn::default()).unwrap();
    center.fail(Endpoint::UsageRecords, Fault::Hang);
    let receiver = receiver();
    let house = House::new(&from_partner_center(&center, &receiver));
    let process = house.start();
    center.wait_for(2).await.unwrap();
    let (code, log) = process.terminate();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("stopped; 0 deliveries stay owed") && !log.contains("cut off"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_under_way_at_the_end_is_not_lost() {
    let center = PartnerCenter::start(
        SystemClock::shared(),
        SignIn { keeps_used: false, ..SignIn::default() },
    )
    .unwrap();
    let within =
        SimCustomer::azure_plan("within", "Within", "SEK", "2019-09-17T17:08:11Z".parse().unwrap());
    center.set_customers(vec![within.with_cost(1.into()).with_budget(100.into())]);
    let receiver = receiver();
    let house = House::new(&from_partner_center(&center, &receiver));
    center.fail_once(Endpoint::Token, Fault::Slow(std::time::Duration::from_millis(200)));
    let process = house.start();
    center.wait_for(1).await.unwrap();
    assert_eq!(process.terminate().0, Some(0));
    let process = house.start();
    process.wait_for_metric("polls_total{result=\"ok\"}", "1");
    assert_eq!(process.metric("operator_findings{code=\"sign-in-refused\"}").as_deref(), Some("0"));
}

/// The webhook's configuration with a Partner Center in place of the file.
pub(super) fn from_partner_center(center: &PartnerCenter, receiver: &HttpReceiver) -> String {
    let sign_in = SignIn::default();
    let source = format!(
        "type = \"partner-center\"\napi_url = \"{}\"\nlogin_url = \"{}\"\ntenant_id = \
            \"{}\"\nclient_id = \"{}\"\nclient_secret = \"{}\"\nrefresh_token = \"{}\"",
        center.api_url(),
        center.login_url(),
        sign_in.tenant_id,
        sign_in.client_id,
        sign_in.client_secret.unwrap_or_default(),
        center.refresh_token()
    );
    configuration(receiver, "1s").replace("type = \"file\"\npath = \"{dir}/usage.json\"", &source)
}
