//! Kills at random moments while alerts keep coming: nothing is lost, and what is repeated was in
//! flight.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use budget_alertd::clock::SystemClock;
use budget_alertd::ledger::Reader;
use budget_alertd::simulator::{HttpReceiver, MailOptions, MailReceiver};
use serde_json::Value;

use super::{configuration, over_budget, with_hook, within_budget};
use crate::support::process::{House, Process, SOON, eventually, within};

/// Says in each request which start of the daemon made it.
const STAMPED: &str = "headers = { \"X-Start\" = { env = \"START\" } }";

/// Numbers that repeat with their seed (`SplitMix64`).
struct Chance(u64);

impl Chance {
    /// From `$BUDGET_ALERTD_SEED`, to live through a failure again, else new; printed either way.
    fn new() -> Self {
        let given = std::env::var("BUDGET_ALERTD_SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0);
        println!("BUDGET_ALERTD_SEED={seed}");
        Self(seed)
    }

    /// A number below `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn index(&mut self, bound: u64) -> usize {
        usize::try_from(self.below(bound)).unwrap()
    }
}

/// A request as the receiver saw it.
struct Told {
    start: usize,
    identity: String,
    alert: String,
    customer: String,
}

fn told(receiver: &HttpReceiver) -> Vec<Told> {
    let told = |seen: &budget_alertd::simulator::ReceivedRequest| {
        let body: Value = serde_json::from_str(&seen.request.text()).unwrap();
        let alerts = body["data"]["alerts"].as_array().unwrap();
        assert_eq!(alerts.len(), 1);
        Told {
            start: seen.request.header("x-start").unwrap().parse().unwrap(),
            identity: seen.request.header("webhook-id").unwrap().to_owned(),
            alert: alerts[0]["id"].as_str().unwrap().to_owned(),
            customer: alerts[0]["customer"]["id"].as_str().unwrap().to_owned(),
        }
    };
    receiver.attempts().iter().map(told).collect()
}

/// Waits for a random number of further requests, but no longer than a random time.
async fn wait_for_any_moment(receiver: &HttpReceiver, chance: &mut Chance, longest_ms: u64) {
    let requests = receiver.attempts().len() + 1 + chance.index(12);
    let time = Duration::from_millis(chance.below(longest_ms));
    let _whichever_comes_first =
        tokio::time::timeout(time, receiver.wait_for_attempts(requests)).await;
}

/// Each identity belongs to one alert, each alert to one customer, and the other way round.
fn assert_one_to_one(told: &[Told]) {
    let pairs = |key: fn(&Told) -> (&str, &str)| told.iter().map(key).collect::<BTreeSet<_>>();
    for pairs in
        [pairs(|told| (&told.identity, &told.alert)), pairs(|told| (&told.alert, &told.customer))]
    {
        let (left, right): (BTreeSet<_>, BTreeSet<_>) = pairs.iter().copied().unzip();
        assert_eq!((left.len(), right.len()), (pairs.len(), pairs.len()));
    }
}

/// How many messages may be on their way to the webhook at once.
const LANES: usize = 32;

/// How many requests were repetitions: of each start of the daemon no more than were on their way
/// when it was killed.
fn assert_only_what_was_in_flight_is_repeated(told: &[Told]) -> usize {
    let mut starts: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for told in told {
        starts.entry(told.start).or_default().push(&told.identity);
    }
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    let mut repeated: BTreeMap<usize, usize> = BTreeMap::new();
    for (start, identities) in &starts {
        for identity in identities {
            if let Some(before) = known.insert(identity, *start) {
                assert!(before < *start, "{identity} was sent twice by start {start}");
                *repeated.entry(before).or_default() += 1;
            }
        }
    }
    for (start, number) in &repeated {
        assert!(*number <= LANES, "{number} of those that start {start} sent were sent again");
    }
    repeated.values().sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_a_hundred_random_moments_it_loses_nothing_and_repeats_only_what_was_in_flight() {
    const KILLS: usize = 100;
    let mut chance = Chance::new();
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let house = House::new(&with_hook(&receiver.url("/hook"), "1s", STAMPED));
    // The first account of a ledger may come as a digest; what follows it does not.
    house.save_usage(within_budget());
    assert!(house.command(&["poll"]).env("START", "first").status().unwrap().success());
    let mut customers = 0;
    for start in 0..KILLS {
        customers += 1 + chance.index(8);
        house.save_usage(over_budget(0..customers));
        let process = Process::start(house.command(&["run"]).env("START", start.to_string()));
        wait_for_any_moment(&receiver, &mut chance, 300).await;
        if chance.below(8) == 0 {
            customers += 1 + chance.index(8);
            house.save_usage(over_budget(0..customers));
            wait_for_any_moment(&receiver, &mut chance, 1500).await;
        }
        process.kill();
    }
    let process = Process::start(house.command(&["run"]).env("START", KILLS.to_string()));
    eventually(SOON, "every customer to be told of", || {
        let seen: BTreeSet<_> = told(&receiver).into_iter().map(|told| told.customer).collect();
        (seen.len() == customers).then_some(())
    });
    assert_eq!(process.terminate().0, Some(0));

    let told = told(&receiver);
    assert_one_to_one(&told);
    let repetitions = assert_only_what_was_in_flight_is_repeated(&told);
    println!(
        "{customers} alerts, {} requests, {repetitions} repetitions, {KILLS} kills",
        told.len()
    );
    assert_eq!(told.len(), customers + repetitions);
    let expected = i64::try_from(customers).unwrap();
    assert_eq!(house.number("SELECT count(*) FROM alert"), expected);
    assert_eq!(house.number("SELECT count(*) FROM attempt WHERE outcome = 'accepted'"), expected);
    assert_eq!(Reader::open(&house.ledger()).unwrap().owed().unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_makes_its_ledger_it_makes_it_again_or_finds_it_whole() {
    let mut chance = Chance::new();
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    let mut made = 0;
    for _ in 0..30 {
        let house = House::new(&configuration(&receiver, "1h"));
        house.save_usage(within_budget());
        let process = house.start();
        let time = Duration::from_millis(chance.below(60));
        let _whichever_comes_first =
            within(time, || house.path("state/ledger.db-wal").exists().then_some(()));
        process.kill();
        made += usize::from(house.path("state/ledger.db").exists());
        let output = house.run(&["poll"]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
    println!("{made} of 30 ledgers were made when their daemon was killed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_down_while_it_is_killed_and_started_again_gets_everything_once() {
    let receiver = HttpReceiver::start(SystemClock::shared()).unwrap();
    receiver.go_down().await.unwrap();
    let house = House::new(&configuration(&receiver, "1h"));
    house.save_usage(over_budget(0..5));
    let process = house.start();
    process.wait_for_metric(
        "delivery_attempts_total{notifier=\"hook\",outcome=\"destination-failed\"}",
        "1",
    );
    process.kill();
    let process = house.start();
    process.wait_for_metric("polls_total{result=\"ok\"}", "1");
    receiver.come_back().unwrap();
    receiver.wait_for(5).await.unwrap();
    process.wait_for_metric("deliveries_pending{notifier=\"hook\"}", "0");
    let identities: BTreeSet<_> = receiver
        .attempts()
        .iter()
        .map(|seen| seen.request.header("webhook-id").map(str::to_owned))
        .collect();
    assert_eq!((identities.len(), receiver.attempts().len()), (5, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_and_chat_lose_nothing_either() {
    const KILLS: usize = 12;
    let mut chance = Chance::new();
    let (chat, hook) = (
        HttpReceiver::start(SystemClock::shared()).unwrap(),
        HttpReceiver::start(SystemClock::shared()).unwrap(),
    );
    let mail = MailReceiver::start(SystemClock::shared(), MailOptions::default()).unwrap();
    let others = format!(
        r#"
[notifiers.chat]
type = "slack"
url = "{}"
[notifiers.mail]
type = "email"
from = "alerts@partner.example"
to = ["a@partner.example", "b@partner.example"]
smtp = {{ host = "{}", port = {}, tls = "none" }}
"#,
        chat.url("/services/T/B/X"),
        mail.host(),
        mail.port()
    );
    let house = House::new(
        &with_hook(&hook.url("/hook"), "1s", &others)
            .replace("notify = [\"hook\"]", "notify = [\"hook\", \"chat\", \"mail\"]"),
    );
    for customers in 1..=KILLS {
        house.save_usage(over_budget(0..customers));
        let process = house.start();
        let (mails, chats) = (mail.attempts().len(), chat.attempts().len());
        let longest = Duration::from_millis(300 + chance.below(1000));
        let _whichever_comes_first = match chance.below(4) {
            0 => tokio::time::timeout(longest, chat.wait_for_attempts(chats + 1)).await.is_ok(),
            more => tokio::time::timeout(
                longest,
                mail.wait_for_attempts(mails + usize::try_from(more).unwrap()),
            )
            .await
            .is_ok(),
        };
        process.kill();
    }
    let process = house.start();
    eventually(SOON, "every alert to be raised and sent", || {
        let all = i64::try_from(KILLS).unwrap();
        let raised = house.number("SELECT count(*) FROM alert") == all;
        let owed = house.number("SELECT count(*) FROM delivery WHERE state <> 'sent'");
        (raised && owed == 0).then_some(())
    });
    assert_eq!(process.terminate().0, Some(0));

    let accepted = house.number("SELECT count(*) FROM attempt WHERE outcome = 'accepted'");
    assert_eq!(accepted, house.number("SELECT count(*) FROM delivery"));
    let mails = mail.received();
    let distinct: BTreeSet<_> =
        mails.iter().map(|mail| (&mail.message_id, &mail.recipients)).collect();
    let messages: BTreeSet<_> = mails.iter().map(|mail| &mail.message_id).collect();
    assert_eq!(distinct.len(), 2 * messages.len(), "one identity for both recipients");
    let repetitions = mails.len() - distinct.len();
    println!(
        "{} mails in {} messages, {repetitions} repetitions, {KILLS} kills",
        mails.len(),
        messages.len()
    );
    // As many as there are connections to the mail server.
    assert!(repetitions <= 4 * KILLS);
    for (name, _) in over_budget(0..KILLS) {
        assert!(
            chat.received().iter().any(|request| request.text().contains(&name)),
            "the chat was not told of {name}"
        );
        assert!(mails.iter().any(|mail| mail.text.contains(&name)), "no mail told of {name}");
        assert!(
            hook.received().iter().any(|request| request.text().contains(&name)),
            "the webhook was not told of {name}"
        );
    }
}
