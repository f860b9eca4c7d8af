//! That a run of spikes is over: why, and what it came to.

use crate::domain::Ended;
use crate::domain::spike::{RunSummary, SpikeView};
use crate::notify::message::spike::long_day;
use crate::notify::message::telling::AlertWording;

/// The end of a run of spikes.
pub(super) struct RunOver<'a> {
    ended: Ended,
    run: Option<RunSummary>,
    /// The day that ended it, while no later one is known.
    last: Option<SpikeView>,
    wording: &'a AlertWording<'a>,
}

impl<'a> RunOver<'a> {
    /// None for an alert that ended for another reason.
    pub(super) fn of(wording: &'a AlertWording<'a>) -> Option<Self> {
        let latest = wording.context.latest.as_ref()?;
        let ended = latest.ended.filter(|ended| why(*ended).is_some())?;
        let over_on = latest.run.and_then(|run| run.over_on);
        let last = latest.spike.filter(|newest| over_on == Some(newest.day));
        Some(Self { ended, run: latest.run, last, wording })
    }

    /// `spending is usual again, 3,600 EUR more than usual in 3 days`.
    pub(super) fn in_brief(&self) -> String {
        let why = why(self.ended).unwrap_or_default();
        self.run.map_or_else(
            || why.to_owned(),
            |run| {
                let days = if run.days == 1 { "day" } else { "days" };
                let excess = self.wording.money(run.excess);
                format!("{why}, {excess} more than usual in {} {days}", run.days)
            },
        )
    }

    /// Who and why in a sentence, and what the run came to in another.
    pub(super) fn sentences(&self) -> String {
        let who = &self.wording.who;
        let why = match self.ended {
            Ended::Usual => {
                let day = self.last.map(|last| self.day(&last)).unwrap_or_default();
                format!("{who} spends as usual again{day}.")
            }
            Ended::Expected => format!("The spike of {who} was marked as expected."),
            Ended::NewNormal => {
                format!("What {who} has been spending for 14 days counts as usual from now on.")
            }
            Ended::NewSeries
            | Ended::Budget
            | Ended::Period
            | Ended::Answered
            | Ended::Unlisted => format!(
                "The currency or the plan of {who} has changed: what is usual is learned anew."
            ),
        };
        let total = self.run.map(|run| format!(" {}", self.total(&run))).unwrap_or_default();
        format!("{why}{total}")
    }

    /// What is left to do.
    pub(super) fn what_to_do(&self) -> &'static str {
        if self.ended == Ended::NewNormal {
            "If it is not meant to go on, act now: no further message comes unless it rises."
        } else {
            "Nothing to do."
        }
    }

    /// `: about 41 EUR on Tue 17 Nov`.
    fn day(&self, last: &SpikeView) -> String {
        format!(": about {} on {}", self.wording.money(last.rate), long_day(last.day))
    }

    /// `From Sat 14 Nov to Mon 16 Nov it spent 3,600 EUR more than usual.`
    fn total(&self, run: &RunSummary) -> String {
        let (first, last) = (long_day(run.first_day), long_day(run.last_day));
        let when = if run.first_day == run.last_day {
            format!("On {first}")
        } else {
            format!("From {first} to {last}")
        };
        format!("{when} it spent {} more than usual.", self.wording.money(run.excess))
    }
}

/// Why a run of spikes is over, in a few words; none for another end.
pub(super) fn why(ended: Ended) -> Option<&'static str> {
    match ended {
        Ended::Usual => Some("spending is usual again"),
        Ended::Expected => Some("the spike was expected"),
        Ended::NewNormal => Some("the spending counts as usual now"),
        Ended::NewSeries => Some("its currency or plan has changed"),
        Ended::Budget | Ended::Period | Ended::Answered | Ended::Unlisted => None,
    }
}
