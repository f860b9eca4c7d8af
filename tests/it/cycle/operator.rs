//! What polls tell the operator of the daemon itself: once, after its delay, and once more when it
//! is over.

use budget_alertd::domain::{FindingCode, Message};
use budget_alertd::ledger::Reader;

use crate::support::world::{Record, SPEND, World, plan};

const DAY: &str = "2019-09-17T00:00:00Z";

/// Alerts go to `hook`, news for the operator to `oncall`.
fn rules(more: &str) -> String {
    format!(
        "{SPEND}{more}\n[operator]\nnotify = [\"oncall\"]\n\
         [notifiers.hook]\ntype = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\n\
         [notifiers.oncall]\ntype = \"slack\"\nurl = \"http://127.0.0.1:9/\"\n"
    )
}

/// What is owed to the operator, a line each, in the order of recording.
async fn told(world: &World) -> Vec<String> {
    let deliveries = world.owed("oncall").await.into_iter();
    let lines = deliveries.map(|delivery| match delivery.message {
        Message::Operator(news) if news.over => format!("over: {}", news.summary),
        Message::Operator(news) => format!("{}: {}", news.code, news.summary),
        other => panic!("{other:?}"),
    });
    lines.collect()
}

fn customers(number: usize, cost: &str, date: &str) -> Vec<Record> {
    (0..number).map(|index| plan(&format!("C{index:03}"), cost, "100", date)).collect()
}

#[tokio::test]
async fn a_source_that_fails_for_three_hours_is_told_once_and_its_recovery_says_what_is_late() {
    let world = World::new(&rules(""));
    world.poll("2019-09-17T00:00:00Z", &customers(4, "10", DAY)).await;
    world.write("nonsense");
    for now in ["2019-09-17T01:00:00Z", "2019-09-17T03:59:59Z"] {
        world.poll_source(now).await;
        assert_eq!(told(&world).await, Vec::<String>::new(), "{now}: it may pass by itself");
    }
    let mut first = Vec::new();
    for now in ["2019-09-17T04:00:00Z", "2019-09-17T05:00:00Z", "2019-09-18T00:00:00Z"] {
        world.poll_source(now).await;
        let all = told(&world).await;
        assert_eq!(all.len(), 1, "{now}");
        assert!(
            all[0].starts_with("source-failing: Usage cannot be read: ")
                && all[0].ends_with("the collection is not JSON, or not an object."),
            "{all:?}"
        );
        first = all;
    }
    world.poll("2019-09-18T00:30:00Z", &customers(4, "90", "2019-09-17T20:00:00Z")).await;
    let all = told(&world).await;
    assert_eq!(all[..1], first);
    assert_eq!(
        all[1..],
        ["over: usage is read again after 23 h 30 min; nothing was read for 24 h 30 min; 4 \
                alerts may be up to 25 h late"]
    );
    world.poll("2019-09-18T01:30:00Z", &customers(4, "90", "2019-09-17T20:00:00Z")).await;
    assert_eq!(told(&world).await.len(), 2);
}

#[tokio::test]
async fn trouble_shorter_than_its_delay_is_never_told() {
    let world = World::new(&rules(""));
    world.poll(DAY, &customers(1, "10", DAY)).await;
    world.write("nonsense");
    world.poll_source("2019-09-17T01:00:00Z").await;
    let open = Reader::open(&world.config().ledger).unwrap().findings().unwrap();
    assert_eq!(
        open.iter().map(|open| (open.finding.code, open.told)).collect::<Vec<_>>(),
        [(FindingCode::SourceFailing, false)]
    );
    world.poll("2019-09-17T03:59:00Z", &customers(1, "10", DAY)).await;
    world.write("nonsense");
    world.poll_source("2019-09-17T04:30:00Z").await;
    assert_eq!(told(&world).await, Vec::<String>::new(), "the second failure is another one");
}

#[tokio::test]
async fn without_a_notifier_nothing_is_owed_and_one_that_is_named_later_hears_of_what_is_still_open()
 {
    let mut world = World::new(
        &rules("")
            .replace("[\"oncall\"]", "[\"hook\"]")
            .replace("[operator]\nnotify = [\"hook\"]\n", ""),
    );
    world.poll(DAY, &customers(1, "10", DAY)).await;
    world.poll("2019-09-17T01:00:00Z", &[]).await;
    assert_eq!(told(&world).await, Vec::<String>::new());
    world.change_rules(&rules(""));
    world.poll("2019-09-17T02:00:00Z", &[]).await;
    assert_eq!(told(&world).await.len(), 1);
}

#[tokio::test]
async fn an_answer_without_items_is_told_at_once_and_its_end_too() {
    let world = World::new(&rules(""));
    world.poll(DAY, &customers(1, "10", DAY)).await;
    for now in ["2019-09-17T01:00:00Z", "2019-09-17T02:00:00Z"] {
        world.poll(now, &[]).await;
    }
    world.poll("2019-09-17T03:00:00Z", &customers(1, "10", DAY)).await;
    assert_eq!(
        told(&world).await,
        [
            "usage-empty: the source answered without any item where the last good poll had some; \
                nothing is concluded from that",
            "over: the source has items again after 2 h; nothing was read for 3 h, and no new \
                alert came of it",
        ]
    );
}

#[tokio::test]
async fn the_number_of_unusable_records_may_change_without_another_word() {
    let world = World::new(&rules(""));
    let bad = |number: usize| {
        customers(number, "\"a lot\"", DAY)
            .into_iter()
            .chain([plan("A", "1", "100", DAY)])
            .collect::<Vec<_>>()
    };
    world.poll(DAY, &bad(2)).await;
    world.poll(DAY, &bad(3)).await;
    assert_eq!(told(&world).await, ["records-unusable: 2 usage records could not be used"]);
    world.poll(DAY, &bad(0)).await;
    assert_eq!(
        told(&world).await[1..],
        ["over: all usage records can be used again after less than a minute"]
    );
}

#[tokio::test]
async fn data_that_stands_still_is_one_message_not_one_for_each_customer() {
    let world = World::new(&rules(""));
    world.poll("2019-09-18T12:00:00Z", &customers(9, "10", DAY)).await;
    assert_eq!(told(&world).await, Vec::<String>::new(), "36 hours are not more than 36 hours");
    world.poll("2019-09-18T13:00:00Z", &customers(9, "10", DAY)).await;
    world.poll("2019-09-18T14:00:00Z", &customers(9, "10", DAY)).await;
    world.poll("2019-09-18T15:00:00Z", &customers(9, "10", "2019-09-18T00:00:00Z")).await;
    assert_eq!(
        told(&world).await,
        [
            "usage-stale: the newest usage data is of 17 Sep 2019 00:00 UTC, more than 36 h old: \
                overspends since then are not seen",
            "over: newer usage data came after 2 h",
        ]
    );
}

#[tokio::test]
async fn suspiciously_many_crossings_in_one_poll_are_told_with_the_costliest() {
    let world = World::new(&rules(""));
    world.poll(DAY, &customers(400, "10", DAY)).await;
    let crossing = |number: usize, cost: &str| {
        let mut all = customers(400, cost, DAY);
        all.iter_mut()
            .take(number)
            .enumerate()
            .for_each(|(index, record)| record.cost = (100 + index).to_string());
        all
    };
    world.poll("2019-09-17T01:00:00Z", &crossing(20, "10")).await;
    assert_eq!(told(&world).await, Vec::<String>::new(), "20 are not more than 20");
    world.poll("2019-09-17T02:00:00Z", &crossing(41, "10")).await;
    assert_eq!(
        told(&world).await,
        ["mass-crossing: 21 of 400 customers reached a step in one poll, suspiciously many; the \
                most money: Customer C040 (140 SEK), Customer C039 (139 SEK), Customer C038 (138 \
                SEK)"]
    );
    world.poll("2019-09-17T03:00:00Z", &crossing(41, "10")).await;
    assert_eq!(
        told(&world).await[1..],
        ["over: the next poll raised no such number of alerts after 1 h"]
    );
}

#[tokio::test]
async fn a_first_poll_is_no_mass_crossing() {
    let world = World::new(&rules(""));
    world.poll(DAY, &customers(400, "90", DAY)).await;
    assert_eq!(told(&world).await, Vec::<String>::new());
}

#[tokio::test]
async fn lost_coverage_is_told_once_and_over_when_it_is_back() {
    let world = World::new(&rules("[customers.M]\nmute_rules = [\"spend\"]\n"));
    let with = |budgets: [&str; 3]| {
        let records = ["A", "B", "M"].into_iter().zip(budgets);
        records.map(|(id, budget)| plan(id, "1", budget, DAY)).collect::<Vec<_>>()
    };
    world.poll(DAY, &with(["100", "100", "100"])).await;
    world.poll("2019-09-17T01:00:00Z", &with(["100", "", "100"])).await;
    assert_eq!(
        told(&world).await,
        ["coverage-grew: 2 customers can never alert, 1 before: 1 no-budget, 1 muted"]
    );
    world.poll("2019-09-17T02:00:00Z", &with(["", "", "100"])).await;
    world.poll("2019-09-17T03:00:00Z", &with(["", "", "100"])).await;
    world.poll("2019-09-17T04:00:00Z", &with(["100", "", "100"])).await;
    assert_eq!(told(&world).await.len(), 1);
    world.poll("2019-09-17T05:00:00Z", &with(["100", "100", "100"])).await;
    assert_eq!(
        told(&world).await[1..],
        ["over: no more customers than before are without coverage after 4 h"]
    );
}

#[tokio::test]
async fn customers_that_are_missing_from_one_answer_are_no_gain_that_is_lost_later() {
    let world = World::new(&rules(""));
    let all = [plan("A", "1", "100", DAY), plan("B", "1", "", DAY)];
    world.poll(DAY, &all).await;
    world.poll("2019-09-17T01:00:00Z", &all[..1]).await;
    world.poll("2019-09-17T02:00:00Z", &all).await;
    assert_eq!(told(&world).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_steady_poll_with_open_findings_writes_none_of_them_again() {
    let world = World::new(&rules(""));
    let records =
        [plan("A", "1", "100", "2019-09-01T00:00:00Z"), plan("B", "\"a lot\"", "100", DAY)];
    world.poll(DAY, &records).await;
    assert_eq!(told(&world).await.len(), 2);
    let file = rusqlite::Connection::open(world.config().ledger.path).unwrap();
    for what in ["INSERT", "UPDATE", "DELETE"] {
        let refuse = format!(
            "CREATE TRIGGER no_{what} BEFORE {what} ON finding BEGIN SELECT RAISE(ABORT, 'a \
                finding was written'); END"
        );
        file.execute_batch(&refuse).unwrap();
    }
    world.poll("2019-09-17T01:00:00Z", &records).await;
    assert_eq!(told(&world).await.len(), 2);
}
