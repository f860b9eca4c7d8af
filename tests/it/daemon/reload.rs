//! Reloading: all of a new configuration, or nothing of it.

use std::io::Write as _;

use budget_alertd::clock::SystemClock;
use budget_alertd::simulator::{Answer, Endpoint, Fault, HttpReceiver, PartnerCenter, SignIn};

use super::life::from_partner_center;
use super::{configuration, over_budget, with_hook, within_budget};
use crate::support::process::{House, Process, Systemd, ask_socket, get};

/// Waits for a whole reload, and gives what was told during it.
fn reloaded(systemd: &Systemd) -> String {
    let mut told = Vec::new();
    while !told.last().is_some_and(|last: &String| last.starts_with("RELOADING=1")) {
        told = systemd.wait_for("RELOADING=1");
    }
    told.drain(..told.len() - 1);
    told.extend(systemd.wait_for("READY=1"));
    told.join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_changes_nothing_and_says_so_and_a_good_one_takes_effect_at_once() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let house = House::new(&configuration(&receiver, "1h"));
    house.save_usage(over_budget(0..1));
    let systemd = house.systemd();
    let process = house.start_ready(&systemd);
    receiver.wait_for(1).await.unwrap();
    process.wait_for_metric("polls_total{result=\"ok\"}", "1");

    house.configure(
        "[source]\ntype = \"file\"\npath = \"{dir}/usage.json\"\nsecret_thing = \"hunter2\"\n",
    );
    process.hang_up();
    let told = reloaded(&systemd);
    assert!(told.contains("MONOTONIC_USEC="), "{told}");
    assert!(told.contains("STATUS=reload refused"), "{told}");
    process.wait_for_metric("config_last_reload_successful", "0");
    process.wait_for_metric("operator_findings{code=\"reload-refused\"}", "1");
    process.wait_for_log("the configuration was not reloaded, the one before stays in force");
    let log = process.wait_for_log("alert-rules.toml:6:1");
    assert!(!log.contains("hunter2"), "{log}");
    assert_eq!(process.metric("polls_total{result=\"ok\"}").as_deref(), Some("1"));
    assert_eq!(get(process.address(), "/healthz"), Some((200, "ok\n".to_owned())));

    let cost = "[rules.cost]\nmetric = \"total_cost\"\nnotify = [\"hook\"]\nsteps = \
        [{ at = { SEK = 100 } }]\n";
    house.configure(&format!("{}{cost}", configuration(&receiver, "1h")));
    process.hang_up();
    let told = reloaded(&systemd);
    assert!(told.contains("STATUS=reloaded"), "{told}");
    let requests = receiver.wait_for(2).await.unwrap();
    assert!(requests[1].text().contains("\"rule\":\"cost\""), "{}", requests[1].text());
    process.wait_for_metric("config_last_reload_successful", "1");
    process.wait_for_metric("operator_findings{code=\"reload-refused\"}", "0");
    assert_eq!(receiver.attempts().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_configuration_loads_the_daemon_goes_on() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let house = House::new(&configuration(&receiver, "1h"));
    house.save_usage(within_budget());
    let systemd = house.systemd();
    let (input, mut customers) = std::io::pipe().unwrap();
    let process = Process::fed(house.command(&["run"]).env("NOTIFY_SOCKET", &systemd.path), input);
    systemd.wait_for("READY=1");
    process.wait_for_metric("polls_total{result=\"ok\"}", "1");
    // Reading it lasts until the other end is closed.
    house.configure(&(configuration(&receiver, "1h") + "[customers_csv]\npath = \"/dev/stdin\"\n"));
    process.hang_up();
    systemd.wait_for("RELOADING=1");
    assert_eq!(get(process.address(), "/healthz"), Some((200, "ok\n".to_owned())));
    house.save_usage(over_budget(0..1));
    assert_eq!(ask_socket(&house.path("state/control.sock"), "POST", "/api/v1/poll", b"").0, 200);
    assert_eq!(receiver.received().len(), 1);
    customers.write_all(b"customer_id\n").unwrap();
    drop(customers);
    systemd.wait_for("READY=1");
    let log = process.wait_for_log("reloaded");
    assert!(!log.contains("not reloaded"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_running_daemon_cannot_change_is_refused() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let house = House::new(&configuration(&receiver, "1h"));
    house.save_usage(within_budget());
    let systemd = house.systemd();
    let process = house.start_ready(&systemd);
    house.configure(&configuration(&receiver, "1h").replace("127.0.0.1:0", "127.0.0.1:9"));
    process.hang_up();
    reloaded(&systemd);
    let log = process.wait_for_log("[http] listen was changed, which needs a restart");
    assert!(log.contains("systemctl restart budget-alertd"), "{log}");
    process.wait_for_metric("config_last_reload_successful", "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reload_command_ends_with_the_daemons_verdict() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let house = House::new(&configuration(&receiver, "1h"));
    house.save_usage(within_budget());
    let systemd = house.systemd();
    let process = house.start_ready(&systemd);
    let pid = process.id().to_string();
    let asked = |arguments: &[&str]| {
        let output = house.run(arguments);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };

    house.configure(&configuration(&receiver, "1h").replace("poll_interval", "pol_interval"));
    for arguments in [&["reload", &pid][..], &["reload"]] {
        let (code, _, err) = asked(arguments);
        assert_eq!(code, Some(2), "{err}");
        assert!(
            err.contains("the configuration was refused, the one before stays in force")
                && err.contains("unknown key \"pol_interval\" in [source]; did you mean"),
            "{err}"
        );
        process.wait_for_metric("config_last_reload_successful", "0");
        process.wait_for_metric("operator_findings{code=\"reload-refused\"}", "1");
    }
    let said = asked(&["status"]).1;
    assert!(said.contains("reload-refused since"), "{said}");

    house.configure(&configuration(&receiver, "1h").replace("127.0.0.1:0", "127.0.0.1:9"));
    let (code, _, err) = asked(&["reload"]);
    assert!(code == Some(2) && err.contains("[http] listen was changed"), "{err}");

    house.configure(&configuration(&receiver, "2h"));
    for arguments in [&["reload", &pid][..], &["reload"]] {
        let (code, out, err) = asked(arguments);
        assert_eq!((code, err.as_str()), (Some(0), ""));
        assert!(out.ends_with("alert-rules.toml is in force.\n"), "{out}");
    }
    process.wait_for_metric("config_last_reload_successful", "1");

    for nobody in ["1", "4294967295"] {
        let (code, _, err) = asked(&["reload", nobody]);
        assert!(code == Some(1) && err.contains("is no daemon that answers here"), "{err}");
    }
}

/// "check says good, and it runs the old configuration" is said by `status`.
#[tokio::test(flavor = "multi_thread")]
async fn files_that_have_changed_since_they_were_read_are_named() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let secret = "[notifiers.more]\ntype = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\nsecret = \
        { file = \"{dir}/secret\" }\n";
    let text = format!("{}{secret}", configuration(&receiver, "1h"));
    let house = House::new(&text);
    let write = |value: &str| std::fs::write(house.path("secret"), value).unwrap();
    write("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    house.save_usage(within_budget());
    let systemd = house.systemd();
    let _process = house.start_ready(&systemd);
    let changed = || {
        let output = house.run(&["status", "--format", "json"]);
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let names = said["changed_files"].as_array().unwrap().iter();
        names
            .map(|name| name.as_str().unwrap().rsplit('/').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let none: Vec<String> = Vec::new();
    assert_eq!(changed(), none);
    // New usage is no change of the configuration.
    house.save_usage(over_budget(0..1));
    assert_eq!(changed(), none);
    write("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD0000");
    assert_eq!(changed(), ["secret"]);
    house.configure(&text.replace("\"1h\"", "\"2h\""));
    assert_eq!(changed(), ["alert-rules.toml", "secret"]);
    let page = String::from_utf8(house.run(&["status"]).stdout).unwrap();
    assert!(
        page.starts_with("DEGRADED (changed files are not reloaded")
            && page.contains("→ systemctl reload budget-alertd"),
        "{page}"
    );
    assert_eq!(house.run(&["reload"]).status.code(), Some(0));
    assert_eq!(changed(), none);
}

/// Anybody may listen in a folder that a person stands in.
#[test]
fn where_the_state_folder_is_not_known_the_present_one_is_not_asked() {
    let house = House::new("");
    let stranger = std::os::unix::net::UnixListener::bind(house.path("control.sock")).unwrap();
    stranger.set_nonblocking(true).unwrap();
    std::fs::remove_file(house.path("alert-rules.toml")).unwrap();
    let mut command = house.command(&["reload"]);
    let output = command.current_dir(house.path("")).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(stranger.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn the_reload_command_leaves_other_programs_alone() {
    let house = House::new(&with_hook("http://127.0.0.1:9/", "1h", ""));
    let mut bystander =
        std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
    let output = house.run(&["reload", &bystander.id().to_string()]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("is no daemon that answers here"),
        "{output:?}"
    );
    drop(bystander.stdin.take());
    assert!(bystander.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_in_flight_outlives_any_number_of_reloads_and_is_made_once() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    receiver.fail(Fault::Slow(std::time::Duration::from_millis(300)));
    let house = House::new(&configuration(&receiver, "1h"));
    house.save_usage(over_budget(0..3));
    let systemd = house.systemd();
    let process = house.start_ready(&systemd);
    for attempts in 1..=3 {
        receiver.wait_for_attempts(attempts).await.unwrap();
        for _ in 0..10 {
            process.hang_up();
        }
        reloaded(&systemd);
    }
    process.wait_for_metric("deliveries_pending{notifier=\"hook\"}", "0");
    assert_eq!(receiver.attempts().len(), 3);
    assert_eq!(house.number("SELECT count(*) FROM attempt"), 3);
    let (code, log) = process.terminate();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("cut off"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_owed_to_a_notifier_that_is_gone_is_given_up_and_told() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    receiver.go_down().await.unwrap();
    let house = House::new(&configuration(&receiver, "1h"));
    house.save_usage(over_budget(0..2));
    let systemd = house.systemd();
    let process = house.start_ready(&systemd);
    process.wait_for_metric("operator_findings{code=\"notifier-failing\"}", "1");
    house.configure(
        &configuration(&receiver, "1h")
            .replace("[\"hook\"]", "[\"new\"]")
            .replace("notifiers.hook", "notifiers.new"),
    );
    process.hang_up();
    reloaded(&systemd);
    let log = process
        .wait_for_log("2 deliveries were given up, because notifier \"hook\" no longer exists");
    assert!(log.contains("budget-alertd deliveries retry --notifier "), "{log}");
    process.wait_for_metric("deliveries_total{notifier=\"hook\",result=\"dead\"}", "2");
    process.wait_for_metric("deliveries_pending{notifier=\"hook\"}", "0");
    process.wait_for_metric("notifier_in_backoff{notifier=\"hook\"}", "0");
    process.wait_for_metric("operator_findings{code=\"notifier-failing\"}", "0");
    process.wait_for_metric("operator_findings{code=\"delivery-dead\"}", "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_asked_to_be_left_alone_is_left_alone_across_reloads() {
    let center = PartnerCenter::start(SystemClock::shared(), SignIn::default()).unwrap();
    center.fail_once(Endpoint::UsageRecords, Fault::Answer(Answer::throttled(3600)));
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let house = House::new(&from_partner_center(&center, &receiver));
    let systemd = house.systemd();
    let process = Process::start(
        house.command(&["run"]).env("NOTIFY_SOCKET", &systemd.path).env("WATCHDOG_USEC", "100000"),
    );
    process.wait_for_metric("polls_total{result=\"failed\"}", "1");
    for _ in 0..2 {
        process.hang_up();
        reloaded(&systemd);
        // The loops have been looked after twice since: they are waiting.
        systemd.wait_for("WATCHDOG=1");
        systemd.wait_for("WATCHDOG=1");
    }
    assert_eq!(process.metric("polls_total{result=\"failed\"}").as_deref(), Some("1"));
    assert_eq!(
        center.requests().iter().filter(|request| request.path.contains("usagerecords")).count(),
        1
    );
}
