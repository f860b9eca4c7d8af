//! The steps of a rule in one currency: which of them a value has reached, and which comes next.

use std::sync::Arc;
use std::time::Duration;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use crate::domain::{CrossedStep, Crossing, Direction, Severity, canonical};

/// How many steps of `then_every` a crossing names: the highest, and the 50 that an alert may name
/// as passed. The lower ones are implied.
const NAMED: u64 = 51;

/// How far `then_every` is climbed. Beyond so many steps they would no longer be exact, and no
/// budget is that wrong.
const CLIMB_LIMIT: u64 = 1_000_000_000_000_000;

/// A written step.
#[derive(Debug, Clone)]
pub(crate) struct Rung {
    /// The threshold, canonical.
    pub(crate) at: Decimal,
    /// How bad.
    pub(crate) severity: Severity,
    /// Who is told.
    pub(crate) notify: Arc<[Box<str>]>,
    /// How often it is told again.
    pub(crate) remind_every: Option<Duration>,
}

/// Written steps in the order in which they are reached, and what continues them.
#[derive(Debug, Clone)]
pub(crate) struct Ladder {
    first: Rung,
    rest: Vec<Rung>,
    then_every: Option<Decimal>,
    direction: Direction,
    /// The thresholds of all written steps, shared with whoever looks at them.
    written: Arc<[Decimal]>,
}

impl Ladder {
    /// A ladder of at least one step; the caller has checked the order.
    pub(crate) fn new(
        first: Rung,
        rest: Vec<Rung>,
        then_every: Option<Decimal>,
        direction: Direction,
    ) -> Self {
        let written = std::iter::once(&first).chain(&rest).map(|rung| rung.at).collect();
        Self { first, rest, then_every, direction, written }
    }

    /// The thresholds of all written steps.
    pub(crate) fn written(&self) -> Arc<[Decimal]> {
        Arc::clone(&self.written)
    }

    /// The threshold of the first step.
    pub(crate) fn first_at(&self) -> Decimal {
        self.first.at
    }

    /// The steps that `value` has reached; `None` when there are none. The notifiers `also` are
    /// owed each of them.
    pub(crate) fn crossing(&self, value: Decimal, also: &[Box<str>]) -> Option<Crossing> {
        self.crossing_where(value, |at| self.direction.reached(value, at), also)
    }

    /// The same for a value that is known to be near `value`: `is_reached` says which steps it has
    /// reached.
    pub(crate) fn crossing_where(
        &self,
        value: Decimal,
        is_reached: impl Fn(Decimal) -> bool,
        also: &[Box<str>],
    ) -> Option<Crossing> {
        let reached = self.rungs().take_while(|rung| is_reached(rung.at));
        let mut steps: Vec<CrossedStep> = reached.map(|rung| rung.crossed(also)).collect();
        let next_written = self.rungs().nth(steps.len()).map(|rung| rung.at);
        if next_written.is_some() {
            return (!steps.is_empty()).then_some(Crossing { steps, next_at: next_written });
        }
        let climbed = self.climbed(value, is_reached);
        let last = self.rest.last().unwrap_or(&self.first);
        let named = climbed.saturating_sub(NAMED)..climbed;
        steps.extend(named.filter_map(|below| {
            let at = self.generated(below.saturating_add(1))?;
            Some(CrossedStep { at, written: false, ..last.crossed(also) })
        }));
        let next_at =
            if climbed < CLIMB_LIMIT { self.generated(climbed.saturating_add(1)) } else { None };
        Some(Crossing { steps, next_at })
    }

    /// Every written step: what a cost over a budget of zero has reached.
    pub(crate) fn whole(&self, also: &[Box<str>]) -> Crossing {
        Crossing { steps: self.rungs().map(|rung| rung.crossed(also)).collect(), next_at: None }
    }

    fn rungs(&self) -> impl Iterator<Item = &Rung> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    /// How many steps of `then_every` a value beyond the last written step has reached.
    fn climbed(&self, value: Decimal, is_reached: impl Fn(Decimal) -> bool) -> u64 {
        let Some(every) = self.then_every else { return 0 };
        let last = self.last_at();
        let distance = match self.direction {
            Direction::Up => value.saturating_sub(last),
            Direction::Down => last.saturating_sub(value),
        };
        let count = distance
            .checked_div(every)
            .and_then(|count| count.to_u64())
            .unwrap_or(CLIMB_LIMIT)
            .min(CLIMB_LIMIT);
        // The quotient may have been rounded to a whole number that is not quite reached, or to one
        // below it.
        let has_reached = |count: u64| self.generated(count).is_none_or(&is_reached);
        let more = count.saturating_add(1);
        match (has_reached(count), more <= CLIMB_LIMIT && has_reached(more)) {
            (true, true) => more,
            (true, false) => count,
            (false, _) => count.saturating_sub(1),
        }
    }

    /// The threshold of the `count`th step of `then_every`, counted from 1.
    fn generated(&self, count: u64) -> Option<Decimal> {
        let beyond = Decimal::from(count).saturating_mul(self.then_every?);
        Some(canonical(match self.direction {
            Direction::Up => self.last_at().saturating_add(beyond),
            Direction::Down => self.last_at().saturating_sub(beyond),
        }))
    }

    fn last_at(&self) -> Decimal {
        self.rest.last().unwrap_or(&self.first).at
    }
}

impl Rung {
    fn crossed(&self, also: &[Box<str>]) -> CrossedStep {
        let (at, severity, remind_every) = (self.at, self.severity, self.remind_every);
        CrossedStep {
            at,
            written: true,
            severity,
            notify: joined(&self.notify, also),
            remind_every,
        }
    }
}

/// The step's notifiers and those of `also` that are not among them.
fn joined(notify: &Arc<[Box<str>]>, also: &[Box<str>]) -> Arc<[Box<str>]> {
    let mut more = also.iter().filter(|name| !notify.contains(name)).peekable();
    if more.peek().is_none() {
        return Arc::clone(notify);
    }
    notify.iter().chain(more).cloned().collect()
}
