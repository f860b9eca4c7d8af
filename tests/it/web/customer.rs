//! The page of one customer: the curve, the rules as `explain` tells them, the alerts with their
//! attempts.

use super::site::Site;
use crate::support::world::{Record, World, plan};

const RULES: &str = r#"
[rules.spend]
metric = "percent_used"
notify = ["hook"]
steps = [{ at = 80 }, { at = 100, severity = "critical" }, { at = 400 }]
[rules.unbudgeted]
metric = "unbudgeted_cost"
notify = ["hook"]
steps = [{ at = { SEK = 10 } }]
[customers.A]
label = "Contoso <Nord>"
tags = ["gold"]
contacts = ["it@contoso.example"]
"#;

/// A customer that has risen over its budget within two weeks of November, after an October.
async fn risen() -> World {
    let world = World::new(RULES);
    let day = |month: u32, day: u32, cost: &str| {
        let date = format!("2026-{month}-{day:02}T17:08:00Z");
        (format!("2026-{month}-{day:02}T21:41:00Z"), [plan("A", cost, "100", &date)])
    };
    let days = [
        day(10, 5, "20"),
        day(10, 20, "60"),
        day(11, 2, "5"),
        day(11, 8, "30"),
        day(11, 12, "85"),
        day(11, 14, "300"),
    ];
    for (now, records) in days {
        world.report(&now, &records).await;
    }
    world
}

#[tokio::test]
async fn a_customer_is_told_as_explain_tells_it() {
    let world = risen().await;
    let explained = String::from_utf8(world.run(&["explain", "A"]).stdout).unwrap();
    let site = Site::of(world, None).await;
    let page = site.get("/customers/a").await;
    assert_eq!(page.status, 200, "{}", page.text);
    let words = page.words();
    for piece in [
        "Contoso &#60;Nord&#62; ",
        "300 % 300 of 100 SEK Usage as of Sat 14 Nov 17:08 UTC, 4 h 33 min old",
        "Usage 300 SEK as of Sat 14 Nov 17:08 UTC (4 h 33 min old)",
        "Budget 100 SEK from Partner Center: 300 % used",
        "Tags gold",
        "spend: 300 % of the budget used; step 100 % is reached, the next one is 400 %",
        "unbudgeted does not apply",
        "critical",
        "acknowledged",
    ] {
        assert_eq!(words.contains(piece), piece != "acknowledged", "{piece}\n{words}");
    }
    let rule = explained.lines().find(|line| line.contains("spend: ")).unwrap().trim();
    assert!(words.contains(rule), "{rule}\n{words}");
    assert!(page.text.contains("href=\"/deliveries/"), "{words}");
}

#[tokio::test]
async fn the_curve_has_budget_forecast_marks_and_the_period_before() {
    let site = Site::of(risen().await, None).await;
    let text = site.get("/customers/A").await.text;
    let (_, picture) = text.split_once("<svg class=\"curve\"").unwrap();
    let picture = picture.split("</svg>").next().unwrap();
    for class in ["before", "budget", "ahead", "line"] {
        assert_eq!(picture.matches(&format!("class=\"{class}\"")).count(), 1, "{class}");
    }
    assert_eq!(picture.matches("class=\"mark ").count(), 2, "{picture}");
    assert!(text.contains("<li class=\"ahead\">at this pace 656.27 SEK by 30 Nov</li>"), "{text}");
    assert_eq!(text.matches("</text>").count(), 1, "80 % would stand in the line of the budget");
    assert!(text.contains(">400 %</text>"), "{text}");
    assert!(!picture.contains("NaN") && !picture.contains("style"), "{picture}");
}

#[tokio::test]
async fn ids_of_any_letters_lead_to_their_page_and_unknown_ones_to_none() {
    let world = World::new(RULES);
    let odd =
        Record { more: String::new(), ..plan("x/ y?<é>", "900", "100", "2026-11-14T17:08:00Z") };
    world.report("2026-11-14T21:41:00Z", &[odd]).await;
    let site = Site::of(world, None).await;
    let overview = site.get("/").await.text;
    let (_, rest) = overview.split_once("href=\"/customers/").unwrap();
    let path = format!("/customers/{}", rest.split('"').next().unwrap());
    let page = site.get(&path).await;
    assert_eq!(page.status, 200, "{path}");
    assert!(page.words().contains("x/ y?&#60;é&#62;"), "{}", page.words());
    let unknown = site.get("/customers/%3Cb%3Enobody").await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.words().contains("&#60;b&#62;nobody"), "{}", unknown.text);
}

#[tokio::test]
async fn the_curve_goes_through_its_alerts() {
    let world = World::new(RULES);
    // The last two are in one part of the month, of which the line has the later one.
    for (date, cost) in [
        ("2026-11-01T17:08:00Z", "5"),
        ("2026-11-03T00:30:00Z", "85"),
        ("2026-11-03T04:00:00Z", "90"),
    ] {
        world.report("2026-11-03T09:00:00Z", &[plan("A", cost, "100", date)]).await;
    }
    let page = Site::of(world, None).await.get("/customers/a").await.text;
    let value = |text: &str, name: &str| {
        let (_, rest) = text.split_once(&format!("{name}=\"")).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let (_, mark) = page.split_once("<path class=\"mark").unwrap();
    let (_, line) = page.split_once("<path class=\"line\"").unwrap();
    let (mark, line) = (value(mark, " d"), value(line, " d"));
    let place = mark.trim_start_matches('M').trim_end_matches("h0");
    assert!(line.contains(place), "{place} on {line}");
}
