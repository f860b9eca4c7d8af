//! Gathers all that is told of a customer: what is known now, or was known at an earlier time.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::alerting::AsOf;
use crate::alerting::{CustomerState, NewSample, RememberedCustomer};
use crate::analysis::Explanation;
use crate::budgets;
use crate::domain::{
    Alert, BillingPeriod, CustomerEvent, CustomerKey, DeliveryState, EventCode, Silence,
    WrittenBudget,
};
use crate::ledger::{
    AlertFilter, AlertRow, AttemptRow, DeliveryFilter, DeliveryRow, LedgerError, NotifierState,
    Reader,
};
use crate::listings::words;
use crate::rules::Rules;
use crate::text::moment;

/// From this age on, history keeps one sample a day.
const THINNED_AFTER: SignedDuration = SignedDuration::from_hours(8 * 24);

/// Why nothing can be told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoryError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Nothing was known yet at the time that is asked about.
    #[error("{0}")]
    BeforeHistory(String),
}

/// Everything that is told.
pub(crate) struct Story {
    /// When it is told, or the earlier time that it is told of.
    pub(crate) now: Timestamp,
    /// Whether that is an earlier time.
    pub(crate) past: bool,
    /// Whether history may have forgotten what was read within a day by then.
    pub(crate) thinned: bool,
    pub(crate) seen: CustomerState,
    pub(crate) explanation: Explanation,
    /// What was written to Partner Center and is not in the usage data yet.
    pub(crate) pushed: Option<WrittenBudget>,
    /// The dates of its data, newest first, of each what was read last.
    pub(crate) dates: Vec<NewSample>,
    /// What happened to its data, oldest first.
    pub(crate) events: Vec<CustomerEvent>,
    /// Since when good polls had no record of it.
    pub(crate) missing_since: Option<Timestamp>,
    /// What is told of each of its subscriptions that has a budget of its own.
    pub(crate) subscriptions: Vec<(CustomerState, Explanation)>,
    /// The alerts of the billing period, newest first.
    pub(crate) alerts: Vec<AlertStory>,
    /// How many alerts it had in other periods.
    pub(crate) other_alerts: usize,
}

/// An alert with what became of it.
pub(crate) struct AlertStory {
    pub(crate) row: AlertRow,
    pub(crate) deliveries: Vec<DeliveryStory>,
}

/// A delivery with its attempts.
pub(crate) struct DeliveryStory {
    pub(crate) row: DeliveryRow,
    pub(crate) attempts: Vec<AttemptRow>,
    /// How the notifier does; none at an earlier time, of which that is not kept.
    pub(crate) notifier: Option<NotifierState>,
}

/// What everything is gathered from.
pub(crate) struct Books<'a> {
    /// What is known of customers locally.
    pub(crate) budgets: &'a budgets::Config,
    /// The rules in force.
    pub(crate) rules: &'a Rules,
    /// For times.
    pub(crate) zone: &'a TimeZone,
    pub(crate) reader: &'a Reader,
    /// The time that it is told of.
    pub(crate) now: Timestamp,
    /// Whether that is an earlier time.
    pub(crate) past: bool,
    /// When it is told.
    pub(crate) today: Timestamp,
    /// The newest date of all data, as of today.
    pub(crate) newest: Option<Timestamp>,
}

impl Books<'_> {
    /// Everything about a customer, from what is remembered of it today.
    pub(crate) fn gather(&self, today: &RememberedCustomer) -> Result<Story, StoryError> {
        let key = today.seen.key();
        let silences = self.reader.silences()?;
        let history = self.reader.history(&key)?;
        let rows = self.alerts(&key)?;
        let remembered = self.recollected(today, &history, &rows)?;
        let explanation = self.explain(&remembered, &silences);
        let period = explanation.assessed.period;
        let (own, others): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| belongs(&row.snapshot.alert, &period, &remembered));
        let deliveries = self.reader.deliveries(&DeliveryFilter {
            customer: Some(key.clone()),
            ..DeliveryFilter::default()
        })?;
        let states = self.reader.notifier_states()?;
        let mut events = self.reader.events(&key)?;
        events.retain(|event| event.at <= self.now);
        Ok(Story {
            now: self.now,
            past: self.past,
            thinned: self.past && self.today.duration_since(self.now) > THINNED_AFTER,
            pushed: remembered
                .pushed
                .filter(|pushed| pushed.is_awaited(explanation.assessed.record.budget)),
            seen: remembered.seen,
            dates: dates(&history, self.now),
            missing_since: if self.past {
                missing_since(&events)
            } else {
                self.reader.missing_since(&key)?
            },
            events,
            subscriptions: self.subscriptions(&key, &silences)?,
            alerts: own
                .into_iter()
                .map(|row| self.follow(row, &deliveries, &states))
                .collect::<Result<_, _>>()?,
            other_alerts: others.len(),
            explanation,
        })
    }

    fn explain(&self, remembered: &RememberedCustomer, silences: &[Silence]) -> Explanation {
        // What was read of the others at an earlier time is not known: that is taken for new.
        let newest = if self.past { Some(self.now) } else { self.newest };
        let time = AsOf { now: self.now, newest };
        crate::analysis::explain(self.budgets, self.rules, remembered, silences, time)
    }

    /// The alerts that were there, newest first, with who knew of them.
    fn alerts(&self, key: &CustomerKey) -> Result<Vec<AlertRow>, LedgerError> {
        let mut rows = self
            .reader
            .alerts(&AlertFilter { customer: Some(key.clone()), ..AlertFilter::default() })?;
        rows.retain(|row| row.snapshot.alert.raised_at <= self.now);
        for row in &mut rows {
            row.acknowledged.take_if(|(at, _)| *at > self.now);
            row.note.take_if(|_| row.acknowledged.is_none());
            row.marked.take_if(|note| note.at > self.now);
        }
        Ok(rows)
    }

    /// What was remembered, today's or what history says.
    fn recollected(
        &self,
        today: &RememberedCustomer,
        history: &[NewSample],
        rows: &[AlertRow],
    ) -> Result<RememberedCustomer, StoryError> {
        if !self.past {
            return Ok(today.clone());
        }
        let raised: Vec<_> = rows.iter().map(|row| row.snapshot.alert.id).collect();
        let found = crate::analysis::recollect(self.budgets, today, history, &raised, self.now);
        found.ok_or_else(|| self.before_history(today, history))
    }

    fn before_history(&self, today: &RememberedCustomer, history: &[NewSample]) -> StoryError {
        let moment = |at| moment(at, self.today, self.zone);
        let who = words::clean(today.seen.label.as_deref().unwrap_or(&today.seen.name));
        let begins =
            history.first().map(|sample| format!("its history begins {}", moment(sample.seen_at)));
        let begins = begins.unwrap_or_else(|| "it has no history yet".to_owned());
        StoryError::BeforeHistory(format!(
            "nothing is known of {who} at {}: {begins}",
            moment(self.now)
        ))
    }

    fn subscriptions(
        &self,
        key: &CustomerKey,
        silences: &[Silence],
    ) -> Result<Vec<(CustomerState, Explanation)>, LedgerError> {
        let mut found = Vec::new();
        for key in self.reader.subscriptions_of(key)? {
            let Some(today) = self.reader.recollection(&key)? else { continue };
            let (history, rows) = (self.reader.history(&key)?, self.alerts(&key)?);
            // One that was not known then is left out.
            if let Ok(remembered) = self.recollected(&today, &history, &rows) {
                found.push((remembered.seen.clone(), self.explain(&remembered, silences)));
            }
        }
        Ok(found)
    }

    fn follow(
        &self,
        row: AlertRow,
        deliveries: &[DeliveryRow],
        states: &[(String, NotifierState)],
    ) -> Result<AlertStory, LedgerError> {
        let mut stories = Vec::new();
        let of_alert = |delivery: &&DeliveryRow| {
            delivery.alerts.contains(&row.snapshot.alert.id) && delivery.created_at <= self.now
        };
        for delivery in deliveries.iter().rev().filter(of_alert) {
            let mut attempts = self.reader.attempts(delivery.id)?;
            attempts.retain(|attempt| attempt.at <= self.now);
            let notifier = states
                .iter()
                .find(|(name, _)| *name == delivery.notifier)
                .map(|(_, state)| state.clone());
            let notifier = if self.past { None } else { Some(notifier.unwrap_or_default()) };
            stories.push(DeliveryStory {
                row: self.as_then(delivery.clone(), &attempts),
                attempts,
                notifier,
            });
        }
        Ok(AlertStory { row, deliveries: stories })
    }

    /// A delivery as it stood: what ended later was owed then.
    fn as_then(&self, row: DeliveryRow, attempts: &[AttemptRow]) -> DeliveryRow {
        if row.ended_at.is_none_or(|ended| ended <= self.now) {
            return row;
        }
        let (attempts, last_detail) = (
            u64::try_from(attempts.len()).unwrap_or(u64::MAX),
            attempts.last().map(|last| last.detail.clone()),
        );
        DeliveryRow { state: DeliveryState::Pending, ended_at: None, attempts, last_detail, ..row }
    }
}

/// The dates that had been read by `at`, newest first; of each what was read last.
fn dates(history: &[NewSample], at: Timestamp) -> Vec<NewSample> {
    let mut dates: Vec<NewSample> = Vec::new();
    for sample in history.iter().filter(|sample| sample.seen_at <= at) {
        dates.retain(|other| other.usage_as_of != sample.usage_as_of);
        dates.push(sample.clone());
    }
    dates.sort_by_key(|sample| std::cmp::Reverse(sample.usage_as_of));
    dates
}

/// Since when it had disappeared, by what had happened.
fn missing_since(events: &[CustomerEvent]) -> Option<Timestamp> {
    let last = events
        .iter()
        .rev()
        .find(|event| matches!(event.code, EventCode::Disappeared | EventCode::Returned))?;
    (last.code == EventCode::Disappeared).then_some(last.at)
}

/// Whether an alert belongs to the period by what is known of it today.
fn belongs(alert: &Alert, period: &BillingPeriod, remembered: &RememberedCustomer) -> bool {
    let spends = |step: &crate::alerting::RecordedStep| {
        step.alert == alert.id && period.holds(step.belongs_at)
    };
    alert.billing_period.same_span(period) || remembered.steps.iter().any(spends)
}

/// Why an owed delivery is still owed.
pub(crate) fn waiting(story: &DeliveryStory, now: Timestamp) -> String {
    let Some(notifier) =
        story.notifier.as_ref().filter(|_| story.row.state == DeliveryState::Pending)
    else {
        return String::new();
    };
    if story.row.held {
        return ": suspiciously many customers reached a step at once; budget-alertd deliveries \
            release sends it"
            .to_owned();
    }
    if notifier.failures == 0
        && let Some(next) = story.row.deferred_until
    {
        let next = if next > now { words::until(next, now) } else { "is due".to_owned() };
        return format!(
            ", its mail server takes nothing for this recipient at the moment; next try {next}"
        );
    }
    if notifier.failures == 0 {
        return ", will be sent by run or the next poll".to_owned();
    }
    let next = notifier.next_probe_at.filter(|next| *next > now);
    format!(
        ", the notifier fails; next try {}",
        next.map_or_else(|| "is due".to_owned(), |next| words::until(next, now))
    )
}
