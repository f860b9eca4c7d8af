//! What happens when, and the words to tell it; what it does to the numbers is in `usage`.

use std::ops::Range;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::simulator::story::Story;
use crate::simulator::story::cast::{
    ATTACKED, IDLE, LATE, LEGACY_NEAR, Part, RAISED, Role, UNBUDGETED, WATCHED,
};

/// What is out of order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outages {
    /// Partner Center answers 503.
    pub source: bool,
    /// Slack refuses connections.
    pub slack: bool,
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// The story begins or ends.
    Frame,
    /// Something happens at a customer.
    Customer,
    /// Somebody changes a budget.
    Budget,
    /// A billing period is over.
    Calendar,
    /// Partner Center fails or is back.
    Source,
    /// A receiver fails or is back.
    Receiver,
}

/// One thing to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoryEvent {
    /// When it happens.
    pub at: Timestamp,
    /// What it is about.
    pub kind: EventKind,
    /// The customer it happens to, by name.
    pub customer: Option<&'static str>,
    /// A few words, for a headline.
    pub title: String,
    /// A sentence or two: what it means, and what to watch for.
    pub what: String,
}

/// When the miners run.
pub(crate) fn attack(story: Story) -> Range<Timestamp> {
    story.at(12, 1, 0)..story.at(14, 1, 0)
}

/// When the machine starts at the customer that left.
pub(crate) fn machine_starts(story: Story) -> Timestamp {
    story.at(20, 9, 0)
}

/// When many machines run at the customer without a budget.
pub(crate) fn busy_day(story: Story) -> Range<Timestamp> {
    story.at(23, 1, 0)..story.at(23, 23, 0)
}

/// From when Microsoft's security alert is there until somebody answers it.
pub(crate) fn security_alert(story: Story) -> Range<Timestamp> {
    story.at(26, 18, 40)..story.at(27, 9, 20)
}

/// The dates of the late data: in the new month, with the cost of the old.
pub(crate) fn late_data(story: Story) -> Range<Timestamp> {
    let turn = story.turn();
    turn..turn.saturating_add(jiff::SignedDuration::from_hours(12)).unwrap_or(turn)
}

/// The budget a customer has at some moment.
pub(crate) fn budget(story: Story, role: &Role, at: Timestamp) -> Option<i64> {
    match role.part {
        Part::Raised(amount) if at >= budget_raised(story) => Some(amount),
        Part::Steady
        | Part::Attacked
        | Part::Busy
        | Part::Raised(_)
        | Part::Late
        | Part::Watched
        | Part::Idle => role.budget,
    }
}

fn budget_raised(story: Story) -> Timestamp {
    story.at(16, 10, 0)
}

fn source_down(story: Story) -> Range<Timestamp> {
    story.at(9, 8, 0)..story.at(9, 13, 0)
}

fn slack_down(story: Story) -> Range<Timestamp> {
    story.at(12, 22, 0)..story.at(13, 16, 0)
}

/// When the legacy customers' period is over: 00:00 Pacific of the 14th.
fn legacy_turn(story: Story) -> Timestamp {
    let local = story.first.saturating_add(jiff::Span::new().days(13));
    let pacific = TimeZone::get("America/Los_Angeles").unwrap_or(TimeZone::UTC);
    local.to_zoned(pacific).map_or(story.at(14, 8, 0), |zoned| zoned.timestamp())
}

pub(crate) fn outages(story: Story, at: Timestamp) -> Outages {
    Outages { source: source_down(story).contains(&at), slack: slack_down(story).contains(&at) }
}

#[expect(clippy::too_many_lines, reason = "a list of events")]
pub(crate) fn events(story: Story) -> Vec<StoryEvent> {
    let last = story.first.days_in_month();
    let mut events = vec![
        event(
            story.start(),
            EventKind::Frame,
            "The daemon starts",
            "Fourteen customers, one partner, an empty ledger.",
        ),
        event(
            source_down(story).start,
            EventKind::Source,
            "Partner Center is down",
            "It answers 503. Polls fail and are tried again; nothing is concluded from silence.",
        ),
        event(
            source_down(story).end,
            EventKind::Source,
            "Partner Center is back",
            "The next poll reads everything again.",
        ),
        about(
            &ATTACKED,
            attack(story).start,
            "Miners start at Fabrikam",
            "A leaked key, in the middle of the night, in Dev/Test. Usage data is a day behind: \
                nobody can see it yet.",
        ),
        event(
            slack_down(story).start,
            EventKind::Receiver,
            "Slack is down",
            "Connections are refused. What is owed to it waits in the ledger; mail and webhooks go \
                on.",
        ),
        about(
            &ATTACKED,
            story.at(13, 2, 10),
            "The first data of the attack arrives",
            "A tenth of the budget was used up yesterday; watch it now.",
        ),
        event(
            slack_down(story).end,
            EventKind::Receiver,
            "Slack is back",
            "Everything it missed arrives now, once.",
        ),
        about(
            &ATTACKED,
            attack(story).end,
            "Fabrikam's miners are switched off",
            "The data will go on climbing for a day.",
        ),
        StoryEvent {
            kind: EventKind::Calendar,
            ..about(
                &LEGACY_NEAR,
                legacy_turn(story),
                "A legacy billing period turns over",
                "It is midnight in Redmond on the 14th: two legacy customers begin at zero, the \
                    plans go on to the end of the month.",
            )
        },
        StoryEvent {
            kind: EventKind::Budget,
            ..about(
                &RAISED,
                budget_raised(story),
                "Adventure Works raises its budget",
                "5,000 → 8,000 SEK, after 100 % was reached. The steps are armed again; it will \
                    come back to them.",
            )
        },
        about(
            &IDLE,
            machine_starts(story),
            "A machine starts at a customer that left",
            "Its budget is zero, so that any cost is too much. The data follows tomorrow.",
        ),
        about(
            &UNBUDGETED,
            busy_day(story).start,
            "Forty machines start at School of Fine Art",
            "It has no budget that could be exceeded: only the rise can give them away.",
        ),
        about(
            &WATCHED,
            security_alert(story).start,
            "Microsoft sees miners at Nordwind",
            "A security alert, a day before any usage data. A partner has 24 hours to answer it.",
        ),
        about(
            &WATCHED,
            security_alert(story).end,
            "Somebody answers Microsoft's alert",
            "Nordwind's machine is deleted, the alert answered as fraud.",
        ),
        event(
            story.turn(),
            EventKind::Calendar,
            "The calendar month turns over",
            "Data still comes in for the old month, and belongs to it.",
        ),
        event(
            story.at(last + 2, 2, 10),
            EventKind::Calendar,
            "The first data of the new month arrives",
            "Everybody begins again, and may be alerted about again.",
        ),
        about(
            &LATE,
            story.at(last + 2, 2, 10),
            "Late data of the old month",
            "Wingtip's record is dated in the new month, with the cost of the old one: no new \
                overspend, and no new alert.",
        ),
        about(
            &LATE,
            story.at(last + 2, 14, 10),
            "Wingtip's own data of the new month arrives",
            "It begins again like everybody else.",
        ),
        event(story.end(), EventKind::Frame, "The end", "A month and two days."),
    ];
    events.sort_by_key(|event| event.at);
    events
}

fn event(at: Timestamp, kind: EventKind, title: &str, what: &str) -> StoryEvent {
    StoryEvent { at, kind, customer: None, title: title.to_owned(), what: what.to_owned() }
}

fn about(role: &Role, at: Timestamp, title: &str, what: &str) -> StoryEvent {
    StoryEvent { customer: Some(role.name), ..event(at, EventKind::Customer, title, what) }
}
