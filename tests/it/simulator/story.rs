//! The month's story: data in, a table of what it comes to, out.

use budget_alertd::simulator::{HttpReceiver, Outages, PartnerCenter, SignIn, SimCustomer, Story};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::{clock, get, signed_in};
use crate::support::client;

fn october() -> Story {
    Story::new("2026-10-19T15:00:00Z".parse().unwrap())
}

/// An instant by the day of the story's month, and the hour.
fn at(story: Story, day: i64, hour: i64) -> Timestamp {
    let midnight = story.start().as_second() / 86_400 * 86_400;
    Timestamp::from_second(midnight + (day - 2) * 86_400 + hour * 3_600).unwrap()
}

fn percent(customer: &SimCustomer) -> Decimal {
    customer.percent_used()
}

fn named(story: Story, name: &str, at: Timestamp) -> SimCustomer {
    story.customers_at(at).into_iter().find(|customer| customer.name.starts_with(name)).unwrap()
}

/// Percent used at noon of each day; the cost where there is no budget, or one of zero.
fn table(story: Story, days: &[i64]) -> String {
    let shown = |customer: &SimCustomer| match customer.budget {
        Some(amount) if !amount.is_zero() => format!("{:>5}%", percent(customer).trunc()),
        _ => format!("{:>6}", customer.cost.trunc()),
    };
    let head = format!(
        "{:<27}{}",
        "day",
        days.iter().map(|day| format!("{day:>6}")).collect::<Vec<_>>().concat()
    );
    let columns: Vec<_> = days.iter().map(|day| story.customers_at(at(story, *day, 12))).collect();
    let rows = columns[0].iter().enumerate().map(|(index, customer)| {
        let values: Vec<_> = columns.iter().map(|column| shown(&column[index])).collect();
        format!("{:<27}{}", customer.name, values.concat())
    });
    [head].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

#[test]
fn fourteen_customers_go_through_the_month() {
    let expected = "
day                             2     8    12    13    14    15    16    17    21    23    26    29    31    32    33
Adventure Works Cykel AB       1%   50%   82%   89%   98%  108%   73%   78%   95%  106%  119%  134%  146%  152%    0%
Bäckerei Sommer & Söhne        0%   11%   17%   19%   21%   23%   25%   27%   33%   37%   42%   47%   51%   54%    0%
Blue Yonder Airports          53%   71%   83%   85%   88%   92%    3%    6%   17%   24%   33%   42%   49%   52%   54%
Contoso Retail                 0%   17%   29%   31%   34%   37%   40%   43%   54%   60%   68%   77%   83%   86%    0%
Fabrikam Maschinenbau GmbH     0%    7%   11%   87%  487%  902%  904%  905%  909%  912%  915%  918%  921%  922%    0%
Graphic Design Institute       0%   16%   27%   29%   32%   35%   38%   41%   50%   56%   64%   72%   78%   81%    0%
Litware Health                 0%   18%   30%   33%   37%   40%   44%   47%   59%   66%   75%   84%   90%   94%    0%
Nordwind Logistik AB           0%   14%   23%   24%   27%   30%   32%   35%   44%   48%   55%   62%   67%   69%    0%
O'Reilly & Dunne Solicitors    0%    8%   14%   15%   17%   18%   20%   21%   27%   30%   34%   39%   42%   44%    0%
School of Fine Art             27   659  1099  1176  1313  1440  1559  1686  2082  2330  3541  3853  4117  4217    13
Tailspin Toys 東京               0%   14%   23%   26%   29%   32%   34%   37%   46%   52%   59%   68%   73%   76%    0%
Trey Research (offboarded)      0     0     0     0     0     0     0     0     0   981  2482  3981  4982  5482   169
VanArsdel, Ltd.               22%   30%   35%   36%   38%   39%    1%    2%    7%   10%   13%   17%   20%   22%   23%
Wingtip Airlines               0%   19%   34%   36%   40%   44%   49%   53%   64%   72%   81%   92%   99%  102%  105%
";
    assert_eq!(
        format!(
            "\n{}\n",
            table(october(), &[2, 8, 12, 13, 14, 15, 16, 17, 21, 23, 26, 29, 31, 32, 33])
        ),
        expected
    );
}

#[test]
fn the_events_are_told_in_order() {
    let events = october().events();
    let told: Vec<String> = events
        .iter()
        .map(|event| format!("{} {:?}: {}", event.at, event.kind, event.title))
        .collect();
    let expected = "
2026-10-02T06:00:00Z Frame: The daemon starts
2026-10-09T08:00:00Z Source: Partner Center is down
2026-10-09T13:00:00Z Source: Partner Center is back
2026-10-12T01:00:00Z Customer: Miners start at Fabrikam
2026-10-12T22:00:00Z Receiver: Slack is down
2026-10-13T02:10:00Z Customer: The first data of the attack arrives
2026-10-13T16:00:00Z Receiver: Slack is back
2026-10-14T01:00:00Z Customer: Fabrikam's miners are switched off
2026-10-14T07:00:00Z Calendar: A legacy billing period turns over
2026-10-16T10:00:00Z Budget: Adventure Works raises its budget
2026-10-20T09:00:00Z Customer: A machine starts at a customer that left
2026-10-23T01:00:00Z Customer: Forty machines start at School of Fine Art
2026-10-26T18:40:00Z Customer: Microsoft sees miners at Nordwind
2026-10-27T09:20:00Z Customer: Somebody answers Microsoft's alert
2026-11-01T00:00:00Z Calendar: The calendar month turns over
2026-11-02T02:10:00Z Calendar: The first data of the new month arrives
2026-11-02T02:10:00Z Customer: Late data of the old month
2026-11-02T14:10:00Z Customer: Wingtip's own data of the new month arrives
2026-11-03T00:00:00Z Frame: The end";
    assert_eq!(format!("\n{}", told.join("\n")), expected);
    assert!(events.iter().all(|event| event.what.ends_with('.')));
}

#[test]
fn the_same_month_tells_the_same_story_to_the_last_digit() {
    let (story, again) = (october(), Story::new("2026-10-01T00:00:00Z".parse().unwrap()));
    let noon = at(story, 13, 12);
    assert_eq!(story.customers_at(noon), again.customers_at(noon));
    let attacked = named(story, "Fabrikam", noon);
    assert_eq!(
        format!(
            "{} {} {} {}",
            attacked.id,
            attacked.cost,
            attacked.usage_as_of,
            percent(&attacked)
        ),
        "3df40dce-2828-4be5-8360-c3efd14d99e3 1313.1279156859992366 2026-10-12T08:05:16.9013506Z \
            87.54"
    );
    let parts: Vec<String> =
        attacked.subscriptions.iter().map(|part| format!("{} {}", part.name, part.cost)).collect();
    assert_eq!(parts, ["Prod 143.8972040904034786", "Dev/Test 1169.2307115955957580"]);
    for customer in story.customers_at(noon) {
        assert_eq!(
            customer.subscriptions.iter().map(|part| part.cost).sum::<Decimal>(),
            customer.cost
        );
    }
}

#[test]
fn every_month_has_the_same_plot() {
    let mut month: Timestamp = "2024-01-15T00:00:00Z".parse().unwrap();
    for _ in 0..36 {
        let story = Story::new(month);
        let seen =
            |name: &str, day: i64, hour: i64| percent(&named(story, name, at(story, day, hour)));
        let last = (story.end() - SignedDuration::from_hours(48))
            .duration_since(at(story, 1, 0))
            .as_secs()
            / 86_400;
        let between = |value: Decimal, low: i64, high: i64| {
            assert!(
                Decimal::from(low) <= value && value < Decimal::from(high),
                "{value} in {month}"
            );
        };
        between(seen("Fabrikam", 13, 1), 8, 16);
        between(seen("Fabrikam", 13, 15), 100, 300);
        between(seen("Fabrikam", 15, 12), 890, 920);
        between(seen("Adventure", 16, 9), 100, 130);
        between(seen("Adventure", 16, 11), 60, 80);
        between(seen("Adventure", last, 12), 100, 160);
        between(seen("Blue Yonder", 14, 12), 80, 95);
        between(seen("Blue Yonder", 16, 1), 0, 6);
        between(seen("Nordwind", last, 12), 60, 75);
        let wingtip = |day, hour| named(story, "Wingtip", at(story, day, hour)).cost;
        let (old, late, new) = (wingtip(last + 2, 1), wingtip(last + 2, 12), wingtip(last + 2, 15));
        assert!(
            old <= late && late <= old * Decimal::new(125, 2) && new < old / Decimal::TEN,
            "{old} {late} {new} in {month}"
        );
        assert_eq!(named(story, "Trey", at(story, 20, 12)).cost, Decimal::ZERO);
        assert!(named(story, "Trey", at(story, 21, 15)).cost > Decimal::ZERO);
        month = story.end();
    }
}

#[test]
fn data_is_about_a_day_behind_and_never_goes_back() {
    let story = october();
    let (mut now, mut before) = (story.start(), story.customers_at(story.start()));
    while now < story.end() {
        now += SignedDuration::from_hours(1);
        let after = story.customers_at(now);
        for (old, new) in before.iter().zip(&after) {
            let behind = now.duration_since(new.usage_as_of).as_hours();
            assert!((24..=48).contains(&behind), "{behind} h for {} at {now}", new.name);
            assert!(old.usage_as_of <= new.usage_as_of);
            assert!(
                old.usage_as_of < new.usage_as_of || old.cost == new.cost,
                "{} changed without a new date",
                new.name
            );
        }
        before = after;
    }
}

#[tokio::test]
async fn a_moment_on_stage_shows_its_customers_and_outages() {
    let story = october();
    let (center, slack) = (
        PartnerCenter::start(clock(), SignIn::default()).unwrap(),
        HttpReceiver::start(clock()).unwrap(),
    );
    let access = signed_in(&center).await;
    let mut stages = Vec::new();
    for (day, hour) in [(9, 7), (9, 8), (9, 13), (12, 22), (13, 15), (13, 16)] {
        let Outages { source, slack: down } = story.outages_at(at(story, day, hour));
        for _ in 0..2 {
            story.play(at(story, day, hour), &center, &slack).await.unwrap();
        }
        let answered = get(&center, &access, "/v1/customers/usagerecords").await.status().as_u16();
        let refused = client().build().unwrap().post(slack.url("/")).send().await.is_err();
        assert_eq!((source, down), (answered == 503, refused));
        stages.push(format!("{answered} {}", if refused { "down" } else { "up" }));
    }
    assert_eq!(stages, ["200 up", "503 up", "200 up", "200 down", "200 down", "200 up"]);
}
