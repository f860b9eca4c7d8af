//! The dates of a customer's data, and what happened to it, for people.

use jiff::tz::TimeZone;

use crate::alerting::NewSample;
use crate::cli::output::Tone;
use crate::cli::table::{Column, Listing};
use crate::cli::text;
use crate::domain::EventCode;
use crate::listings::story::Story;
use crate::text::{clean, moment, money};

/// No more dates and events than these are shown.
const MOST: usize = 8;

/// The last dates of the data as a table; nothing when there is one only, which is told anyway.
pub(super) fn dates(story: &Story, zone: &TimeZone) -> Vec<String> {
    if story.dates.len() < 2 {
        return Vec::new();
    }
    let mut listing = Listing::new(&[
        Column::Whole("DATE OF THE DATA"),
        Column::Right("COST"),
        Column::Right("BUDGET THERE"),
        Column::Whole("READ"),
    ]);
    for sample in story.dates.iter().take(MOST) {
        let NewSample {
            usage_as_of,
            seen_at,
            cost,
            partner_center_budget: budget,
            carried_over,
            ..
        } = sample;
        let late = if *carried_over { ", late data of the period before" } else { "" };
        let moment = |at| text::short_moment(at, story.now, zone);
        listing.add(vec![
            moment(*usage_as_of),
            money(*cost, story.explanation.assessed.currency),
            budget.map_or_else(|| "none".to_owned(), |budget| money(budget, None)),
            format!("{}{late}", moment(*seen_at)),
        ]);
    }
    let mut lines = vec![format!("\n{}", Tone::Strong.paint("History"))];
    lines.extend(listing.lines(2));
    let more = story.dates.len().saturating_sub(MOST);
    let first = story
        .dates
        .last()
        .map(|sample| moment(sample.usage_as_of, story.now, zone))
        .unwrap_or_default();
    lines.extend(
        (more > 0)
            .then(|| format!("  … and {}, the first {first}", text::count(more, "earlier date"))),
    );
    lines
}

/// What happened to the data, the latest last.
pub(super) fn events(story: &Story, zone: &TimeZone) -> Vec<String> {
    if story.events.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![format!("\n{}", Tone::Strong.paint("What happened to its data"))];
    let hidden = story.events.len().saturating_sub(MOST);
    lines.extend((hidden > 0).then(|| format!("  … {} before …", text::count(hidden, "event"))));
    lines.extend(story.events.iter().skip(hidden).map(|event| {
        let tone = if matches!(event.code, EventCode::BudgetSet | EventCode::Returned) {
            Tone::Good
        } else {
            Tone::Uneasy
        };
        let what = tone.paint(&event.code.as_str().replace('-', " "));
        format!("  {}  {what}: {}", moment(event.at, story.now, zone), clean(&event.detail, 300))
    }));
    lines
}
