//! What is served over HTTP, and to whom.

use std::io::{Read as _, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::Command;

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::HttpReceiver;

use super::{configuration, over_budget, within_budget};
use crate::support::client;
use crate::support::process::{House, Process, ask, get};

/// Every metric that is promised, each with a piece of its series where it has labels.
const METRICS: [&str; 22] = [
    "build_info{version=\"",
    "polls_total{result=\"ok\"} ",
    "polls_total{result=\"failed\"} ",
    "poll_duration_seconds_bucket{le=\"",
    "usage_records ",
    "records_skipped_total{reason=\"no-id\"} ",
    "last_successful_poll_timestamp_seconds ",
    "usage_as_of_timestamp_seconds ",
    "alerts_total{rule=\"spend\",severity=\"critical\"} ",
    "alerts_suppressed_total{reason=\"",
    "deliveries_total{notifier=\"hook\",result=\"sent\"} ",
    "delivery_attempts_total{notifier=\"hook\",outcome=\"ambiguous\"} ",
    "deliveries_pending{notifier=\"hook\"} ",
    "delivery_oldest_pending_seconds{notifier=\"hook\"} ",
    "notifier_in_backoff{notifier=\"hook\"} ",
    "partner_center_requests_total{code=\"200\",endpoint=\"usagerecords\"} ",
    "sign_in_expires_timestamp_seconds ",
    "config_last_reload_successful 1",
    "customers_without_coverage{reason=\"no-budget\"} ",
    "leader 1",
    "ledger_writable 1",
    "silences 0",
];

/// For boards of customers: off unless it is wanted, since it says who they are.
#[tokio::test(flavor = "multi_thread")]
async fn customers_have_metrics_where_that_is_wanted() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let off = configuration(&receiver, "1h");
    let on = off.replace("[http]\n", "[http]\ncustomer_metrics = true\n")
        + "[customers.c1]\nlabel = 'Contoso \"Nord\" \\ Syd'\n";
    let house = House::new(&off);
    house.save_usage([("c1".to_owned(), 150), ("c2".to_owned(), 10)]);
    let systemd = house.systemd();
    let process = house.start_ready(&systemd);
    process.wait_for_metric("polls_total{result=\"ok\"}", "1");
    assert_eq!(get(process.address(), "/metrics/customers").unwrap().0, 404);
    house.configure(&on);
    assert_eq!(house.run(&["reload"]).status.code(), Some(0));
    assert_eq!(house.run(&["poll"]).status.code(), Some(0));
    let (status, text) = get(process.address(), "/metrics/customers").unwrap();
    assert_eq!(status, 200);
    let mut lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    lines.sort_unstable();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    budget_alertd_customer_budget{customer_id="c1",customer="Contoso \"Nord\" \\ Syd",subscription_id="",currency="SEK"} 100
    budget_alertd_customer_budget{customer_id="c2",customer="c2",subscription_id="",currency="SEK"} 100
    budget_alertd_customer_cost{customer_id="c1",customer="Contoso \"Nord\" \\ Syd",subscription_id="",currency="SEK"} 150
    budget_alertd_customer_cost{customer_id="c2",customer="c2",subscription_id="",currency="SEK"} 10
    budget_alertd_customer_used_percent{customer_id="c1",customer="Contoso \"Nord\" \\ Syd",subscription_id="",currency="SEK"} 150
    budget_alertd_customer_used_percent{customer_id="c2",customer="c2",subscription_id="",currency="SEK"} 10
    "#);
    let (_, others) = get(process.address(), "/metrics").unwrap();
    assert!(!others.contains("customer_id"), "{others}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_promised_metric_is_there_from_the_first_scrape_on() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let house = House::new(&configuration(&receiver, "1h"));
    house.save_usage(within_budget());
    let process = house.start();
    let (status, text) = get(process.address(), "/metrics").unwrap();
    assert_eq!(status, 200);
    let missing: Vec<_> =
        METRICS.iter().filter(|name| !text.contains(&format!("\nbudget_alertd_{name}"))).collect();
    assert!(missing.is_empty(), "{missing:?} are missing in\n{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_get_on_known_paths_with_a_host_of_this_machine_is_answered() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let house = House::new(&configuration(&receiver, "1h"));
    house.save_usage(within_budget());
    let process = house.start();
    let address = process.address();
    let status = |method: &str, path: &str, host: &str| {
        ask(address, method, path, &[("Host", host)]).unwrap().0
    };
    let own = address.to_string();
    assert_eq!(get(address, "/healthz"), Some((200, "ok\n".to_owned())));
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    for host in [
        "localhost",
        "localhost:9187",
        "127.0.0.1",
        &own,
        "[::1]:80",
        "192.0.2.1",
        &name,
        &format!("{name}.:9187"),
    ] {
        assert_eq!(status("GET", "/metrics", host), 200, "{host}");
    }
    let other = format!("{name}.attacker.example");
    for host in [
        "attacker.example",
        "127.0.0.1.attacker.example",
        "localhost.attacker.example:80",
        "",
        "user@localhost",
        &other,
    ] {
        assert_eq!(status("GET", "/metrics", host), 421, "{host}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        assert_eq!(status(method, "/metrics", "localhost"), 405, "{method}");
    }
    for path in ["/metrics/", "/healthz/..", "/api/v1/nothing", "//metrics"] {
        assert_eq!(status("GET", path, "localhost"), 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_checks_health_may_ask_as_it_does() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let house = House::new(&configuration(&receiver, "1h"));
    house.save_usage(within_budget());
    let process = house.start();
    let address = process.address();
    for path in ["/healthz", "/readyz", "/healthz?from=probe"] {
        for (method, host) in [
            ("GET", "backend-pool"),
            ("GET", "10.1.2.3:9187"),
            ("HEAD", "checks.example"),
            ("OPTIONS", ""),
        ] {
            assert_eq!(
                ask(address, method, path, &[("Host", host)]).unwrap().0,
                200,
                "{method} {path} {host}"
            );
        }
        for line in [
            "GET {path} HTTP/1.0",
            "OPTIONS {path} HTTP/1.0",
            "GET http://elsewhere{path} HTTP/1.1\r\nConnection: close",
        ] {
            let answer = say(address, &format!("{}\r\n\r\n", line.replace("{path}", path)));
            assert!(answer.starts_with("HTTP/1.") && answer.contains(" 200 "), "{line}: {answer}");
        }
    }
    assert!(say(address, "GET /metrics HTTP/1.0\r\n\r\n").contains("budget_alertd_"));
    let client = client().no_proxy().http2_prior_knowledge().build().unwrap();
    for path in ["/healthz", "/readyz", "/metrics"] {
        let answer = client.get(format!("http://{address}{path}")).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), answer.version()),
            (200, reqwest::Version::HTTP_2),
            "{path}"
        );
    }
}

/// All that is answered to these words, after which the connection ends.
fn say(address: SocketAddr, words: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(words.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_connects_keeps_no_alert_from_being_told() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let house = House::new(&configuration(&receiver, "1h"));
    house.save_usage(within_budget());
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "ulimit -n 128 && exec \"$0\" \"$@\""])
        .arg(env!("CARGO_BIN_EXE_budget-alertd"));
    let process = Process::start(&mut house.command_as(limited, &["run"]));
    process.wait_for_metric("polls_total{result=\"ok\"}", "1");
    let (address, socket) = (process.address(), house.path("state/control.sock"));
    let half = b"POST /api/v1/poll HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{";
    let mut held: Vec<Box<dyn Write>> = Vec::new();
    for _ in 0..150 {
        held.push(Box::new(TcpStream::connect(address).unwrap()));
        held.push(Box::new(UnixStream::connect(&socket).unwrap()));
    }
    // Whose connection has given way already need not be heard.
    for stream in &mut held {
        drop(stream.write_all(half));
    }
    house.save_usage(over_budget(0..2));
    let output = house.run(&["poll", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}\n{}", process.log());
    assert_eq!(receiver.received().len(), 2);
    assert_eq!(get(address, "/healthz"), Some((200, "ok\n".to_owned())));
    assert!(!process.log().contains("Too many open files"), "{}", process.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_this_machine_the_token_in_force_opens_all_but_health() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let listening = |token: &str| {
        configuration(&receiver, "1h")
            .replace("127.0.0.1:0\"", &format!("0.0.0.0:0\"\ntoken = \"{token}\""))
    };
    let house = House::new(&listening("first-token-7f3a"));
    house.save_usage(within_budget());
    let systemd = house.systemd();
    let process = house.start_ready(&systemd);
    let address = (std::net::Ipv4Addr::LOCALHOST, process.address().port()).into();
    let status = |path: &str, authorization: &str| {
        ask(address, "GET", path, &[("Host", "192.0.2.1:9187"), ("Authorization", authorization)])
            .unwrap()
            .0
    };
    let own_name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let named = |host: &str| {
        ask(
            address,
            "GET",
            "/metrics",
            &[("Host", host), ("Authorization", "Bearer first-token-7f3a")],
        )
        .unwrap()
        .0
    };
    assert_eq!((named(&own_name), named("evil.example"), named("")), (200, 421, 421));
    assert_eq!((status("/healthz", ""), status("/readyz", "")), (200, 200));
    for wrong in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer first-token-7f3",
        "Bearer first-token-7f3a1",
        "Basic first-token-7f3a",
        "first-token-7f3a",
    ] {
        assert_eq!(status("/metrics", wrong), 401, "{wrong}");
    }
    assert_eq!(status("/", ""), 401);
    assert_eq!(status("/metrics", "Bearer first-token-7f3a"), 200);

    house.configure(&listening("second-token-9c1b"));
    process.hang_up();
    systemd.wait_for("READY=1");
    assert_eq!(
        (
            status("/metrics", "Bearer first-token-7f3a"),
            status("/metrics", "bearer second-token-9c1b")
        ),
        (401, 200)
    );
    let (_, log) = process.terminate();
    assert!(!log.contains("token-"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_owed_is_told_as_it_is_also_after_a_restart() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    receiver.go_down().await.unwrap();
    let house = House::new(&configuration(&receiver, "1h"));
    house.save_usage(over_budget(0..3));
    let process = house.start();
    process.wait_for_metric("notifier_in_backoff{notifier=\"hook\"}", "1");
    process.wait_for_metric("operator_findings{code=\"notifier-failing\"}", "1");
    assert_eq!(process.metric("deliveries_pending{notifier=\"hook\"}").as_deref(), Some("3"));
    process.kill();
    let process = house.start();
    process.wait_for_metric("notifier_in_backoff{notifier=\"hook\"}", "1");
    assert_eq!(
        process.metric("operator_findings{code=\"notifier-failing\"}").as_deref(),
        Some("1")
    );
    assert_eq!(process.metric("deliveries_pending{notifier=\"hook\"}").as_deref(), Some("3"));
    receiver.come_back().unwrap();
    receiver.wait_for(3).await.unwrap();
    process.wait_for_metric("deliveries_pending{notifier=\"hook\"}", "0");
    process.wait_for_metric("delivery_oldest_pending_seconds{notifier=\"hook\"}", "0");
    process.wait_for_metric("notifier_in_backoff{notifier=\"hook\"}", "0");
    process.wait_for_metric("operator_findings{code=\"notifier-failing\"}", "0");
}
