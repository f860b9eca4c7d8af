//! Several hosts on one ledger, on Debian's PostgreSQL: nothing is lost, and nothing told under two
//! identities, whatever becomes of the leader, of the way to the server, and of the server.

pub(crate) mod cluster;
pub(crate) mod fleet;
mod pushing;
mod wire;

use std::path::Path;
use std::time::Duration;

use budget_alertd::clock::SystemClock;
use budget_alertd::ledger::{Config, Leadership, Ledger, LedgerError, NotifierState, verify};
use budget_alertd::metrics::Metrics;
use budget_alertd::simulator::{Fault, HttpReceiver};
use jiff::Timestamp;
use uuid::Uuid;

use crate::authority::Authority;
use crate::hosts::cluster::Cluster;
use crate::hosts::fleet::{Fleet, IN_FLIGHT, SOON};
use crate::hosts::wire::Wire;
use crate::process::said;

/// A standby leads within so long after the leader is gone.
const TAKE_OVER: Duration = Duration::from_secs(90);
/// What the clock of the database would do in 60 s.
const LEASE_IS_OVER: &str = "UPDATE lease SET expires_at = clock_timestamp() - interval '1 second'";

fn url(addresses: &str) -> String {
    format!("postgres://budget@{addresses}/postgres")
}

/// Answers take a while, so that some are under way whenever something happens.
fn be_slow(receiver: &HttpReceiver) {
    receiver.fail(Fault::Slow(Duration::from_millis(100)));
}

/// What a host with version 7 makes when it starts.
const VERSION_7: &str = include_str!("../../../src/ledger/schema-postgres.sql");

#[test]
fn the_tables_of_an_older_version_become_those_of_this_one_with_what_is_in_them() {
    let cluster = Cluster::start();
    cluster.ask(VERSION_7);
    cluster.ask(
        "INSERT INTO file (\"only\", created_at, clean, identity) VALUES (1, 5, 1, decode(repeat('07', 16), 'hex'))",
    );
    let fleet = Fleet::of(&[url(&cluster.address())]);
    fleet.customers_over(1);
    let refused = fleet.command(0, &["alerts"]);
    assert!(
        said(&refused).contains("the next `poll` or `run` brings it up to date"),
        "{}",
        said(&refused)
    );
    fleet.succeed(0, &["poll"]);
    let file = cluster.ask("SELECT version >= 8, created_at, encode(identity, 'hex') FROM file");
    assert_eq!(file, format!("t|5|{}", "07".repeat(16)));
    fleet.succeed(0, &["ledger", "verify"]);
    fleet.receiver_has(1);
}

#[test]
fn a_leader_that_is_killed_or_frozen_is_followed_by_another_host() {
    let cluster = Cluster::start();
    let mut fleet =
        Fleet::of(&[url(&cluster.address()), url(&cluster.address()), url(&cluster.address())]);
    be_slow(&fleet.receiver);
    fleet.customers_over(0);
    fleet.start_all();
    let first = fleet.leader(&[0, 1, 2], SOON);
    let others: Vec<usize> = (0..3).filter(|host| *host != first).collect();
    // Orders are taken by any host, polls by the leader.
    fleet.succeed(
        others[0],
        &["silence", "add", "--customer", "nobody", "--for", "1h", "--reason", "x", "--yes"],
    );
    let output = fleet.command(others[0], &["poll"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("leads"), "{}", said(&output));

    fleet.customers_over(60);
    fleet.receiver_has(10);
    fleet.kill(first);
    cluster.ask(LEASE_IS_OVER);
    let second = fleet.leader(&others, SOON);
    fleet.told(60, SOON);
    fleet.assert_told_once(IN_FLIGHT);

    // One that is frozen does not know that another one has taken over, until it thaws.
    let third = *others.iter().find(|host| **host != second).unwrap();
    fleet.signal(second, "STOP");
    fleet.customers_over(90);
    fleet.leader(&[third], TAKE_OVER);
    fleet.told(90, SOON);
    fleet.signal(second, "CONT");
    fleet.stands_by(second);
    fleet.customers_over(100);
    fleet.told(100, SOON);
    fleet.assert_told_once(2 * IN_FLIGHT);
    fleet.succeed(third, &["ledger", "verify"]);
}

#[test]
fn a_leader_that_is_cut_from_the_server_stops_and_the_server_may_fail_over() {
    let primary = Cluster::start();
    let replica = primary.replica();
    let (near, far) = (Wire::to(primary.address()), Wire::to(replica.address()));
    let both = format!("{},{}", primary.address(), replica.address());
    let mut fleet = Fleet::of(&[url(&format!("{},{}", near.address, far.address)), url(&both)]);
    be_slow(&fleet.receiver);
    fleet.customers_over(0);
    fleet.start(0);
    fleet.leader(&[0], SOON);
    fleet.start(1);
    fleet.stands_by(1);

    fleet.customers_over(40);
    fleet.receiver_has(10);
    near.cut();
    far.cut();
    primary.ask(LEASE_IS_OVER);
    fleet.leader(&[1], SOON);
    fleet.told(40, SOON);
    near.mend();
    far.mend();
    fleet.stands_by(0);
    fleet.assert_told_once(IN_FLIGHT);

    primary.kill();
    primary.run();
    fleet.customers_over(50);
    fleet.told(50, TAKE_OVER);

    let written = primary.ask("SELECT pg_current_wal_lsn()");
    let replayed = format!("SELECT pg_last_wal_replay_lsn() >= '{written}'");
    crate::process::eventually(SOON, "the replica", || {
        (replica.ask(&replayed) == "t").then_some(())
    });
    primary.kill();
    replica.promote();
    fleet.customers_over(60);
    fleet.told(60, TAKE_OVER);
    fleet.assert_alive();
    fleet.assert_told_once(3 * IN_FLIGHT);
    assert_eq!(replica.ask("SELECT count(*), count(DISTINCT customer) FROM alert"), "60|60");
}

#[test]
fn an_installation_moves_to_a_server_and_back_and_tells_nothing_twice() {
    let cluster = Cluster::start();
    let mut fleet = Fleet::of(&["sqlite:ledger.db".into(), url(&cluster.address())]);
    fleet.customers_over(5);
    fleet.succeed(0, &["poll"]);
    fleet.told(5, SOON);
    let head = fleet.succeed(0, &["ledger", "verify"]);
    let (file, server) =
        (format!("sqlite:{}", fleet.path("0/state/ledger.db").display()), url(&cluster.address()));
    fleet.succeed(0, &["ledger", "copy", "--from", &file, "--to", &server]);
    let again = fleet.command(0, &["ledger", "copy", "--from", &file, "--to", &server]);
    assert_eq!(again.status.code(), Some(1), "{}", said(&again));
    assert!(said(&again).contains("name another"), "{}", said(&again));
    let moved = fleet.succeed(1, &["ledger", "verify"]);
    assert_eq!(head.lines().nth(1), moved.lines().nth(1));

    fleet.customers_over(6);
    fleet.succeed(1, &["poll"]);
    fleet.told(6, SOON);
    fleet.assert_told_once(0);
    // A backup is the same file as of an SQLite ledger.
    let backup = fleet.path("backup").display().to_string();
    fleet.succeed(1, &["ledger", "backup", &backup]);
    let kept = fleet.succeed(1, &["ledger", "verify", &backup]);
    assert_eq!(kept.lines().nth(1), fleet.succeed(1, &["ledger", "verify"]).lines().nth(1));
    let restored = fleet.command(1, &["ledger", "restore", &backup]);
    assert!(said(&restored).contains("ledger copy"), "{}", said(&restored));
    // A database that was lost is not taken for a new one.
    cluster.ask("ALTER SCHEMA public RENAME TO away; CREATE SCHEMA public");
    let lost = fleet.command(1, &["poll"]);
    assert_eq!(lost.status.code(), Some(1), "{}", said(&lost));
    assert!(said(&lost).contains("ledger new"), "{}", said(&lost));
    cluster.ask("DROP SCHEMA public; ALTER SCHEMA away RENAME TO public");
    // The server is away when the daemon starts: it waits.
    cluster.kill();
    fleet.start(1);
    cluster.run();
    fleet.customers_over(7);
    fleet.told(7, SOON);
    let beside = fleet.command(0, &["ledger", "copy", "--from", &server, "--to", "sqlite:back.db"]);
    assert_eq!(beside.status.code(), Some(3), "{}", said(&beside));
    fleet.end(1);
    let head = fleet.succeed(1, &["ledger", "verify"]);
    fleet.succeed(0, &["ledger", "copy", "--from", &server, "--to", "sqlite:back.db"]);
    fleet.configure(0, "sqlite:back.db");
    assert_eq!(head.lines().nth(1), fleet.succeed(0, &["ledger", "verify"]).lines().nth(1));
    fleet.succeed(0, &["poll"]);
    fleet.assert_told_once(0);
}

#[test]
fn a_server_is_trusted_by_its_certificate_and_its_password_is_never_shown() {
    let (authority, password) = (Authority::new(), "correct-horse-battery");
    let cluster = Cluster::guarded(&authority, password);
    let fleet = Fleet::of(&["sqlite:unused.db".into()]);
    fleet.customers_over(1);
    let trust = format!("sslrootcert={}", authority.trust().display());
    let url = |password: &str, options: &str| {
        let url =
            format!("postgres://budget:{password}@localhost:{}/postgres?{options}", cluster.port);
        std::fs::write(fleet.path("url"), url).unwrap();
        fleet.configure_secret(0, &format!("{{ file = \"{}\" }}", fleet.path("url").display()));
    };
    url(password, &trust);
    fleet.succeed(0, &["poll"]);
    let status = fleet.command(0, &["status"]);
    assert!(said(&status).contains("last good poll"), "{}", said(&status));
    for (given, options, expected) in [
        ("not-the-password", trust.as_str(), "authentication failed"),
        (password, "sslmode=verify-full", "UnknownIssuer"),
    ] {
        url(given, options);
        let output = fleet.command(0, &["poll"]);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(said(&output).contains(expected), "{}", said(&output));
        assert!(!said(&output).contains(given), "{}", said(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_leads_no_more_writes_nothing_but_orders() {
    let cluster = Cluster::start();
    let folder = tempfile::TempDir::new().unwrap();
    let config =
        Config::at(&url(&cluster.address()), folder.path(), Duration::from_hours(9600)).unwrap();
    let open = || Ledger::open(&config, Metrics::new(), SystemClock::shared()).unwrap();
    let (one, other) = (open(), open());
    one.stand("one").unwrap();
    other.stand("other").unwrap();
    assert_eq!(*one.leadership().borrow(), Leadership::Leading);
    let standby = Leadership::Standby { leader: Some("one".into()) };
    assert_eq!(*other.leadership().borrow(), standby);
    let state = NotifierState::default;
    one.set_notifier_state("hook", state()).await.unwrap();
    let refused = other.set_notifier_state("hook", state()).await.unwrap_err();
    assert_eq!(refused.to_string(), "one leads: it polls and delivers, and this host stands by");

    // As when the first one was frozen for longer than the lease: it does not know yet.
    cluster.ask(LEASE_IS_OVER);
    let mut leadership = other.leadership();
    leadership.wait_for(Leadership::is_leading).await.unwrap();
    let late = one.set_notifier_state("hook", state()).await.unwrap_err();
    assert!(matches!(late, LedgerError::NotLeading { .. }), "{late}");
    let late = one.claim(Uuid::nil()).await.unwrap_err();
    assert!(matches!(late, LedgerError::NotLeading { .. }), "{late}");
    assert!(!other.claim(Uuid::nil()).await.unwrap());
    one.note_reload(Path::new("alert-rules.toml"), Timestamp::UNIX_EPOCH).await.unwrap();

    // What ends in order gives the lease back at once.
    one.close().await.unwrap();
    let third = open();
    third.stand("third").unwrap();
    let mut leadership = third.leadership();
    other.close().await.unwrap();
    leadership.wait_for(Leadership::is_leading).await.unwrap();
    third.close().await.unwrap();
    let proof = verify(&config, None).unwrap().proof.unwrap();
    assert_eq!((proof.events, proof.changed), (1, None));
}
