//! Plays the month: moves the clock from one thing to the next — a poll, a probe, a turn of the
//! story — and has told what came of it.

use std::collections::HashSet;
use std::iter::Peekable;
use std::vec::IntoIter;

use anstyle::Style;
use jiff::{SignedDuration, Timestamp};

use crate::alerting::CustomerState;
use crate::cli::demo::books::Books;
use crate::cli::demo::day::DaySummary;
use crate::cli::demo::inbox::Inbox;
use crate::cli::demo::narrator::{Narrator, Paragraph};
use crate::cli::demo::stage::Stage;
use crate::cli::demo::words::{BLUE, CYAN, GREEN, MAGENTA, YELLOW, day, harmless};
use crate::cli::demo::{block, summary};
use crate::cli::text::count;
use crate::domain::{PeriodSource, rounded};
use crate::poll::CycleReport;
use crate::simulator::{EventKind, Story, StoryEvent};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Plays a month on a stage, and tells it.
pub(super) struct Show {
    story: Story,
    stage: Stage,
    narrator: Narrator,
    events: Peekable<IntoIter<StoryEvent>>,
    /// When the server is started again; none once it was.
    reboot: Option<Timestamp>,
    books: Books,
    inbox: Inbox,
    told: Told,
}

/// What was told so far.
#[derive(Default)]
struct Told {
    /// Polls that failed in a row.
    failed_polls: u64,
    /// Messages that wait for Slack.
    waiting: usize,
    /// Alerts, from the first.
    alerts: usize,
    /// Security alerts that nobody had answered.
    open_security_alerts: u64,
    /// Customers whose late data was told.
    late: HashSet<String>,
    /// Whether a payload was shown.
    payload: bool,
}

impl Show {
    /// A story that has not begun.
    pub(super) fn new(story: Story, stage: Stage, narrator: Narrator) -> Self {
        Self {
            story,
            stage,
            narrator,
            events: story.events().into_iter().peekable(),
            // While messages wait for Slack.
            reboot: Some(story.at(13, 15, 30)),
            books: Books::default(),
            inbox: Inbox::default(),
            told: Told::default(),
        }
    }

    /// Plays the story to its end; says whether the accounts are even.
    pub(super) async fn run(&mut self) -> anyhow::Result<bool> {
        summary::open(self.narrator.screen(), &self.stage).await?;
        let (mut poll_at, mut probe_at) = (self.story.start(), None);
        loop {
            let event_at = self.events.peek().map(|event| event.at);
            let next = [Some(poll_at), probe_at, event_at, self.reboot]
                .into_iter()
                .flatten()
                .min()
                .unwrap_or(poll_at);
            if next > self.story.end() {
                break;
            }
            self.stage.advance_to(next).await?;
            self.tell_events(next).await?;
            if self.reboot.take_if(|at| *at <= next).is_some() {
                self.reboot().await?;
            }
            if poll_at <= next {
                poll_at = poll_at.saturating_add(HOUR)?;
                let report = self.poll().await?;
                self.tell_poll(&report).await?;
            }
            // What somebody has ordered on the pages meanwhile is owed, too.
            self.books.owe(self.stage.owed().await?);
            probe_at = self.stage.deliver().await?;
            self.tell_received().await?;
        }
        self.end().await
    }

    async fn end(&mut self) -> anyhow::Result<bool> {
        self.narrator.end()?;
        self.stage.pages.rest();
        self.books.owe(self.stage.owed().await?);
        self.books.raise(self.stage.raised().await?);
        self.books.given_up = self.stage.given_up().await?;
        summary::close(self.narrator.screen(), &self.books).await?;
        Ok(self.books.balance().is_even())
    }

    async fn poll(&mut self) -> anyhow::Result<CycleReport> {
        let report = self.stage.poll().await?;
        self.books.polled(&report);
        if let Some(report) = self.stage.read_security().await? {
            self.books.raise(report.alerts);
        }
        Ok(report)
    }

    async fn reboot(&mut self) -> anyhow::Result<()> {
        let waited = self.books.waiting().count();
        self.say(MAGENTA.bold(), "⟳ The server is rebooted").await?;
        self.stage.reboot().await?;
        let owed = self.stage.owed().await?.len();
        let report = self.poll().await?;
        let (known, again) = (report.suppressed.duplicate, report.alerts.len());
        self.say(
            GREEN,
            &format!(
                "✓ The ledger still owes {owed} of the {} to Slack, and knows that all {known} \
                    exceeded limits were told before: {again} told again.",
                count(waited, "message")
            ),
        )
        .await
    }

    async fn tell_events(&mut self, now: Timestamp) -> anyhow::Result<()> {
        while let Some(event) = self.events.next_if(|event| event.at <= now) {
            let style = match event.kind {
                EventKind::Frame => Style::new(),
                EventKind::Customer => MAGENTA,
                EventKind::Budget => GREEN,
                EventKind::Calendar => CYAN,
                EventKind::Source | EventKind::Receiver => BLUE,
            };
            let paragraphs = [
                Paragraph::told(style.bold(), format!("▸ {}", event.title)),
                Paragraph::told(style, format!("  {}", event.what)),
            ];
            self.narrator.tell(event.at, &paragraphs).await?;
        }
        Ok(())
    }

    async fn tell_poll(&mut self, report: &CycleReport) -> anyhow::Result<()> {
        if self.books.polls == 1 {
            let text = format!(
                "✓ First poll: signed in, {} customers read, {} exceeded.",
                report.records,
                count(report.alerts.len(), "limit")
            );
            self.say(GREEN, &text).await?;
        }
        self.tell_source(report).await?;
        let remembered = self.stage.remembered().await?;
        self.narrator.show_day(self.stage.now(), DaySummary::of(&remembered)).await?;
        self.tell_late_data(&remembered).await?;
        self.tell_answer().await
    }

    /// That the security alert is answered, once.
    async fn tell_answer(&mut self) -> anyhow::Result<()> {
        let Some(security) = self.stage.security().await? else { return Ok(()) };
        let open = std::mem::replace(&mut self.told.open_security_alerts, security.open);
        match security.answered_in_hours {
            Some(hours) if open > security.open => {
                let text = format!(
                    "✓ Answered after {} h, of 24 that Microsoft allows: nobody else is called.",
                    rounded(hours, 1)
                );
                self.say(GREEN, &text).await
            }
            _ => Ok(()),
        }
    }

    async fn tell_source(&mut self, report: &CycleReport) -> anyhow::Result<()> {
        if !report.good {
            self.told.failed_polls += 1;
            if self.told.failed_polls == 1 {
                let why = report.errors.first().map(|error| harmless(error)).unwrap_or_default();
                self.say(
                    YELLOW,
                    &format!(
                        "✗ The poll failed, retries included: {why}. The next comes in an hour."
                    ),
                )
                .await?;
            }
        } else if self.told.failed_polls > 0 {
            let failed = count(
                usize::try_from(std::mem::take(&mut self.told.failed_polls)).unwrap_or(usize::MAX),
                "poll",
            );
            let text = format!(
                "✓ {} customers read again after {failed} failed; {} raised.",
                report.records,
                count(report.alerts.len(), "alert")
            );
            self.say(GREEN, &text).await?;
        }
        Ok(())
    }

    /// Records dated in a new period that the ledger remembers in the old one. An assumed period is
    /// no news.
    async fn tell_late_data(&mut self, remembered: &[CustomerState]) -> anyhow::Result<()> {
        let carried = |seen: &&CustomerState| {
            seen.usage_as_of.instant() >= seen.period.end
                && seen.period.source != PeriodSource::Assumed
        };
        for seen in remembered.iter().filter(carried) {
            if self.told.late.insert(seen.name.clone()) {
                let text = format!(
                    "✓ {}: data dated {}, but with the cost of the month before. Recognised as \
                        carried over: no new alert.",
                    harmless(&seen.name),
                    day(seen.usage_as_of.instant())
                );
                self.say(GREEN, &text).await?;
            }
        }
        Ok(())
    }

    /// Tells what came, and what could not come.
    async fn tell_received(&mut self) -> anyhow::Result<()> {
        let new = self.inbox.collect(&self.stage);
        self.books.received.extend(new.iter().cloned());
        let fresh = std::mem::replace(&mut self.told.alerts, self.books.alerts.len());
        for block in block::blocks(&self.books, new, fresh) {
            let mut paragraphs = block.paragraphs(&self.books);
            if let Some(payload) =
                block.payload().filter(|_| !std::mem::replace(&mut self.told.payload, true))
            {
                paragraphs.push(payload);
            }
            self.narrator.tell(self.stage.now(), &paragraphs).await?;
        }
        let waiting = self.books.waiting().count();
        let waited = std::mem::replace(&mut self.told.waiting, waiting);
        if waited > 0 && waiting == 0 {
            self.say(
                GREEN,
                &format!(
                    "✓ Slack has the {} it missed: nothing lost, nothing twice.",
                    count(waited, "message")
                ),
            )
            .await?;
        }
        Ok(())
    }

    /// Says where the pages stay until somebody ends them.
    pub(super) fn tell_served(&mut self) -> anyhow::Result<()> {
        let address = self.stage.pages.address;
        Ok(summary::served(self.narrator.screen(), address)?)
    }

    /// Ends everything in order.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        Ok(self.stage.close().await?)
    }

    async fn say(&mut self, style: Style, text: &str) -> anyhow::Result<()> {
        Ok(self.narrator.tell(self.stage.now(), &[Paragraph::told(style, text)]).await?)
    }
}
