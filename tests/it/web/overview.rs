//! The overview: what it says first, the customers worst first, and what is chosen of them.

use super::site::{Answer, Site};
use crate::support::world::{Record, SPEND, World, legacy, plan};

const NOW: &str = "2026-11-14T21:41:00Z";
const DATE: &str = "2026-11-14T17:08:00Z";

fn usd(record: Record, usd: &str) -> Record {
    Record { more: format!(", \"usdTotalCost\": {usd}"), ..record }
}

/// Customers of every kind, with a day before.
async fn every_kind() -> World {
    let rules = format!("{SPEND}\n[customers.C]\nlabel = \"Label of C\"\ntags = [\"Gold\"]\n");
    let world = World::new(&rules);
    let records = |date: &str, cost: &str| {
        [
            usd(plan("A", cost, "100", date), "90"),
            legacy("B", "250", "100", date),
            plan("C", "10", "100", date),
            usd(plan("D", "5000", "", date), "480"),
            usd(plan("E", "110", "100", date), "1000"),
        ]
    };
    world.report("2026-11-13T17:30:00Z", &records("2026-11-13T17:00:00Z", "12")).await;
    world.report(NOW, &records(DATE, "900")).await;
    world
}

/// The ids of the customers that a page lists, in its order.
fn listed(page: &Answer) -> String {
    let links = page.text.split("href=\"/customers/").skip(1);
    links.map(|rest| rest.split('"').next().unwrap()).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn the_overview_says_whether_it_can_be_trusted_then_who_is_worst() {
    let site = Site::of(every_kind().await, None).await;
    let page = site.get("/").await;
    assert_eq!((page.status, page.header("refresh")), (200, "60"));
    let words = page.words();
    for piece in [
        "newest data 14 Nov 17:08, 4 h 33 min old",
        "last good poll less than a minute ago, 5 records",
        "3 critical, not acknowledged",
        "170.91 USD over in total, 3 at or over budget; 1 without USD not counted",
        "5 customers. This page shows itself anew every minute. Times in UTC.",
        "900 % 900 of 100 SEK +888 SEK",
        "1 customer can never alert: 1 no budget.",
    ] {
        assert!(words.contains(piece), "{piece}\n{words}");
    }
    assert_eq!(listed(&page), "E A B C D", "by US dollars, then percent, then without a budget");
}

#[tokio::test]
async fn customers_are_chosen_by_what_the_form_says_and_the_page_stands_still() {
    let site = Site::of(every_kind().await, None).await;
    for (query, expected) in [
        ("q=label+OF+c", "C"),
        ("q=customer", "E A B C D"),
        ("plan=legacy", "B"),
        ("currency=sek&plan=azure-plan&budget=yes", "E A C"),
        ("currency=unknown", "B"),
        ("tag=gold", "C"),
        ("tag=silver", ""),
        ("severity=critical", "E A B"),
        ("budget=no", "D"),
        ("acknowledged=no", "E A B"),
        ("acknowledged=yes", ""),
    ] {
        let page = site.get(&format!("/?{query}")).await;
        assert_eq!((page.status, page.header("refresh")), (200, ""), "{query}");
        assert_eq!(listed(&page), expected, "{query}");
    }
    let page = site.get("/?q=%22%3E%3Cscript%3E").await;
    assert!(page.words().contains("No customer fits."), "{}", page.words());
    assert!(!page.text.contains("<script"), "{}", page.text);
    for wrong in ["plan=gold", "severity=grave", "budget=maybe", "cursor=x"] {
        assert_eq!(site.get(&format!("/?{wrong}")).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn many_customers_are_paged_and_each_is_there_once() {
    let world = World::new(SPEND);
    let records: Vec<Record> = (0..230)
        .map(|number| plan(&format!("C{number:03}"), &format!("{}", number % 60), "100", DATE))
        .collect();
    world.report(NOW, &records).await;
    let site = Site::of(world, None).await;
    for start in ["/", "/?q=c"] {
        let (mut path, mut seen) = (start.to_owned(), Vec::new());
        loop {
            let page = site.get(&path).await;
            seen.extend(listed(&page).split(' ').map(ToOwned::to_owned));
            let Some((_, rest)) = page.text.split_once("rel=\"next\" href=\"") else { break };
            path = rest.split('"').next().unwrap().replace("&#38;", "&");
        }
        assert_eq!(seen.len(), 230, "{start}");
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 230, "{start}");
    }
}

#[tokio::test]
async fn before_the_first_poll_nothing_is_claimed() {
    let site = Site::of(World::new(SPEND), None).await;
    let words = site.get("/").await.words();
    for piece in [
        "failing no good poll yet",
        "nothing was polled yet",
        "No customer was read yet.",
        "Customers that can never alert are counted by the next poll.",
    ] {
        assert!(words.contains(piece), "{piece}\n{words}");
    }
}
