//! An alert told after it was raised: that it is still true, or that it is over. The numbers are
//! the latest ones, beside those it was raised with.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use crate::domain::{AlertSnapshot, Ended, Latest, Metric, MetricValue, Point, percent_of};
use crate::notify::message::budget_status::Margin;
use crate::notify::message::rows::{Row, known};
use crate::notify::message::run_over::RunOver;
use crate::notify::message::telling::AlertWording;
use crate::text::amounts::{amount, in_subject, money, percent, percentage};
use crate::text::{capitalized, times};

/// An alert as it was and as it is.
pub(crate) struct Later<'a> {
    raised: AlertWording<'a>,
    now: AlertWording<'a>,
    /// Whether it is known how it is; else `now` is as it was.
    known: bool,
    sent: Timestamp,
}

/// The alert with its latest numbers in the place of those it was raised with. What is not known of
/// now is left out; numbers of another billing period say nothing about this one.
pub(crate) fn brought_up_to_date(raised: &AlertSnapshot) -> AlertSnapshot {
    let mut snapshot = raised.clone();
    let AlertSnapshot { alert, context } = &mut snapshot;
    let Some(latest) = context.latest.as_ref().filter(|_| knows_latest(raised)) else {
        return snapshot;
    };
    if alert.security.is_some() {
        alert.value = latest.value.map(MetricValue::Number);
        if let (Some(now), Some(security)) = (&latest.security_now, &mut alert.security) {
            security.status.clone_from(&now.status);
        }
        if let (Some(now), Some(security)) = (&latest.security_now, &mut context.security) {
            security.last_listed = now.last_listed;
            security.reopened = now.reopened;
            // It is in the currency that the alert has.
            security.spent = now.spent.filter(|_| alert.cost.currency.is_some());
        }
        return snapshot;
    }
    context.cost_history.push(Point { at: alert.usage_as_of.instant(), cost: alert.cost.amount });
    let zero = latest.budget.as_ref().is_some_and(|budget| budget.amount.is_zero());
    alert.usage_as_of = latest.usage_as_of;
    alert.cost.amount = latest.cost;
    alert.cost.usd = latest.value.filter(|_| alert.metric == Metric::UsdTotalCost);
    let over_zero = (alert.metric.is_percent() && zero && latest.cost > Decimal::ZERO)
        || latest.spike.is_some_and(|spike| spike.times.is_none());
    let number = latest.value.map(MetricValue::Number);
    alert.value = number.or(over_zero.then_some(MetricValue::OverZero));
    alert.computed_percent = latest
        .budget
        .as_ref()
        .and_then(|budget| percent_of(latest.cost.max(Decimal::ZERO), budget.amount));
    alert.reported_percent = None;
    alert.budget.clone_from(&latest.budget);
    alert.spike = latest.spike.or(alert.spike);
    alert.subscriptions.clear();
    alert.resources.clear();
    alert.inputs = None;
    context.previous = None;
    snapshot
}

/// The same for an alert that is told for the first time, but long after it was raised: a silence
/// covered it.
pub(crate) fn released(raised: &AlertSnapshot, sent: Timestamp) -> AlertSnapshot {
    let mut snapshot = brought_up_to_date(raised);
    snapshot.alert.raised_at = sent;
    snapshot
}

/// Whether the latest numbers belong to the alert's own billing period, and are in its currency.
fn knows_latest(snapshot: &AlertSnapshot) -> bool {
    let AlertSnapshot { alert, context } = snapshot;
    let in_period = |latest: &Latest| match latest.ended {
        // They may be in another currency.
        Some(Ended::NewSeries) => false,
        Some(Ended::Period) => alert.billing_period.holds(latest.usage_as_of.instant()),
        _ => true,
    };
    context.latest.as_ref().is_some_and(in_period)
}

impl<'a> Later<'a> {
    /// Tells `raised`, which is `now` when the message is sent, with times in `zone`.
    pub(crate) fn new(
        raised: &'a AlertSnapshot,
        now: &'a AlertSnapshot,
        zone: &'a TimeZone,
        sent: Timestamp,
    ) -> Self {
        Self {
            raised: AlertWording::new(raised, zone),
            now: AlertWording::new(now, zone),
            known: knows_latest(raised),
            sent,
        }
    }

    /// `REMINDER CRITICAL Contoso Nord still 940% of budget: 47,000 of 5,000 SEK (open for 24 h)`.
    pub(crate) fn reminder_subject(&self) -> String {
        let (severity, who) =
            (self.now.alert.severity.as_str().to_ascii_uppercase(), &self.now.who);
        let (link, measure) = self.now.measure();
        // What was spent on a day is said of that day.
        let still = if self.now.alert.spike.is_some() { "" } else { " still" };
        format!("REMINDER {severity} {who}{link}{still} {measure} (open for {})", self.open_for())
    }

    /// `REMINDER · open for 24 h, not acknowledged`.
    pub(crate) fn reminder_banner(&self) -> String {
        format!("REMINDER · open for {}, not acknowledged", self.open_for())
    }

    /// `Contoso Nord is 42,000 SEK over its November budget. Open since Sat 14 Nov 22:41 CET (24 h), not acknowledged.`
    pub(crate) fn reminder_first(&self) -> String {
        let (who, predicate) = (&self.now.who, self.now.predicate());
        format!(
            "Reminder: {who} {predicate}. Open since {} ({}), not acknowledged.",
            self.since(),
            self.open_for()
        )
    }

    /// `900 % when raised, 940 % now. Usage as of Sun 15 Nov 18:08 CET (4 h 33 min old). To end the reminders: budget-alertd ack 5F0C1C3E`
    pub(crate) fn reminder_second(&self) -> String {
        if self.now.alert.security.is_some() {
            return self.now.security_second();
        }
        let (then, now) = (self.raised.short(), self.now.short());
        let change = if then == now {
            format!("{now} when raised and now")
        } else {
            format!("{then} when raised, {now} now")
        };
        let acknowledge = self
            .now
            .to_acknowledge()
            .map(|command| format!(" To end the reminders: {command}"))
            .unwrap_or_default();
        format!("{}. {}{acknowledge}", capitalized(&change), self.data())
    }

    /// The second line of a chat.
    pub(crate) fn reminder_chat(&self) -> String {
        if self.now.alert.security.is_some() {
            return self.now.security_second();
        }
        let (then, now) = (self.raised.short(), self.now.short());
        let change =
            if then == now { format!("unchanged at {now}") } else { format!("{then} → {now}") };
        format!("Open for {} since {}, {change}. {}", self.open_for(), self.since(), self.data())
    }

    /// `RESOLVED` and what ended it, in a few words.
    pub(crate) fn resolved_label(&self) -> &'static str {
        match self.ended() {
            Some(Ended::Budget) => "RESOLVED · budget changed",
            Some(Ended::Period) => "RESOLVED · billing period over",
            Some(Ended::Answered) => "RESOLVED · answered",
            Some(Ended::Unlisted) => "RESOLVED · no longer listed",
            Some(Ended::Usual) => "RESOLVED · spending usual again",
            Some(Ended::Expected) => "RESOLVED · spike expected",
            Some(Ended::NewNormal) => "RESOLVED · counts as usual now",
            Some(Ended::NewSeries) => "RESOLVED · currency or plan changed",
            None => "RESOLVED",
        }
    }

    /// `RESOLVED Contoso Nord: budget 500 → 800 SEK, 97% → 61%`.
    pub(crate) fn resolved_subject(&self) -> String {
        let who = &self.now.who;
        if let Some(run) = RunOver::of(&self.now) {
            return format!("RESOLVED {who}: {}", run.in_brief());
        }
        match self.ended() {
            Some(Ended::Budget) => format!(
                "RESOLVED {who}: budget {}{}",
                self.budgets(),
                in_subject(&self.cost_change())
            ),
            Some(Ended::Period) => {
                let used = self
                    .share_used()
                    .map(|used| format!("{}% of budget: ", percentage(used)))
                    .unwrap_or_default();
                let at = if self.known { "ended" } else { "raised" };
                format!(
                    "RESOLVED {who}: {} is over, {at} at {used}{}",
                    self.now.period.name,
                    self.now.cost_of_budget()
                )
            }
            Some(Ended::Answered | Ended::Unlisted) => {
                format!("RESOLVED {who}: {}", self.now.security_end())
            }
            _ => format!("RESOLVED {who}: {}", self.now.cost_of_budget()),
        }
    }

    /// What ended it.
    pub(crate) fn resolved_first(&self) -> String {
        let (who, step) = (&self.now.who, self.now.on_scale(self.now.alert.threshold));
        if let Some(run) = RunOver::of(&self.now) {
            return run.sentences();
        }
        match self.ended() {
            Some(Ended::Budget) => {
                let change = self.cost_change();
                format!(
                    "The budget of {who} was changed: {}{change}. The step of {step} is no longer \
                        reached.",
                    self.budgets()
                )
            }
            Some(Ended::Period) => {
                format!(
                    "{} is over for {who}. {} {}.",
                    capitalized(&self.now.period.name),
                    self.stood(),
                    self.final_cost()
                )
            }
            Some(Ended::Answered | Ended::Unlisted) => {
                format!("{}.", capitalized(&self.now.security_ended(who)))
            }
            _ => format!("{who} no longer reaches the step of {step}: {}.", self.final_cost()),
        }
    }

    /// The final numbers, and that nothing is left to do.
    pub(crate) fn resolved_second(&self) -> String {
        if let Some(second) = self.now.security_resolved_second() {
            return second;
        }
        let cost = match self.ended() {
            Some(Ended::Budget) => {
                format!("{} {}. ", self.now.cost_of_budget(), self.now.period.cost)
            }
            _ => String::new(),
        };
        let to_do = RunOver::of(&self.now).map_or("Nothing to do.", |run| run.what_to_do());
        format!("{cost}{} {to_do}", self.data())
    }

    /// What stands below a reminder.
    pub(crate) fn reminder_rows(&self) -> Vec<Row> {
        if self.now.alert.security.is_some() {
            return self.now.security_rows(self.sent);
        }
        let place = self.raised.place().map(|place| format!("{place} (when raised)"));
        known([
            ("Raised", Some(self.was())),
            ("Now", Some(self.is())),
            ("Where", place),
            ("Pace", self.now.pace(self.sent)),
            ("Budget", self.change()),
            ("Note", Some(self.now.doubts(self.sent).join(" "))),
            ("Do", self.now.commands()),
            ("Contact", self.now.contact()),
            ("Owner", self.now.owner()),
            ("Why you", Some(self.now.why())),
            ("Ref", Some(self.now.reference())),
        ])
    }

    /// What stands below a resolution.
    pub(crate) fn resolved_rows(&self) -> Vec<Row> {
        if self.now.alert.security.is_some() {
            return self.now.security_resolved_rows();
        }
        known([
            ("Raised", Some(self.was())),
            ("Now", self.known.then(|| self.is())),
            ("Budget", self.change()),
            ("Explain", self.now.to_explain()),
            ("Why you", Some(self.raised.why_alone())),
            ("Ref", Some(self.now.reference())),
        ])
    }

    /// One line of a digest: since when, and what it was.
    pub(crate) fn course_since(&self) -> String {
        format!("Raised {} ({})", self.since(), self.raised.short())
    }

    /// What ended it, in a line of a digest.
    pub(crate) fn ended_by(&self) -> String {
        if let Some(run) = RunOver::of(&self.now) {
            return capitalized(&run.in_brief());
        }
        match self.ended() {
            Some(Ended::Budget) => format!("Budget {}{}", self.budgets(), self.cost_change()),
            Some(Ended::Period) => format!("{} is over", capitalized(&self.now.period.name)),
            Some(Ended::Answered | Ended::Unlisted) => capitalized(&self.now.security_end()),
            _ => "No longer reached".to_owned(),
        }
    }

    /// Why an alert that was raised before is new to whoever reads this.
    pub(crate) fn silenced_until_now(&self) -> String {
        format!(
            "Raised {} ({}) under a silence; told now that none covers it.",
            self.since(),
            self.raised.short()
        )
    }

    /// The budget then and now, where they differ.
    pub(crate) fn change(&self) -> Option<String> {
        let amount = |telling: &AlertWording<'_>| {
            telling.alert.budget.as_ref().map(|budget| (budget.amount, budget.currency))
        };
        (amount(&self.raised) != amount(&self.now))
            .then(|| format!("{} since it was raised", self.budgets()))
    }

    fn ended(&self) -> Option<Ended> {
        self.raised.context.latest.as_ref()?.ended
    }

    /// `Sat 14 Nov 22:41 CET`.
    fn since(&self) -> String {
        times::moment(self.raised.alert.raised_at, self.sent, self.raised.zone)
    }

    fn open_for(&self) -> String {
        times::about(times::seconds_between(self.raised.alert.raised_at, self.sent))
    }

    /// `Usage as of Sun 15 Nov 18:08 CET (4 h 33 min old).`
    fn data(&self) -> String {
        if !self.now.alert.has_usage() {
            return String::new();
        }
        let age = self.now.age_at(self.sent).map(|age| format!(" ({age})")).unwrap_or_default();
        format!("Usage as of {}{age}.", times::moment(self.now.as_of(), self.sent, self.now.zone))
    }

    /// `Sat 14 Nov 22:41 CET: 900 %, 45,000 of 5,000 SEK`.
    fn was(&self) -> String {
        format!("{}: {}", self.since(), with_cost(&self.raised))
    }

    /// `940 %, 47,000 of 5,000 SEK, usage as of Sun 15 Nov 18:08 CET`.
    fn is(&self) -> String {
        let as_of = times::moment(self.now.as_of(), self.sent, self.now.zone);
        format!("{}, usage as of {as_of}", with_cost(&self.now))
    }

    /// `, 97 % → 61 %`, where both are known and differ.
    fn cost_change(&self) -> String {
        let (then, now) = (self.raised.short(), self.now.short());
        if then == now || self.now.alert.number().is_none() {
            String::new()
        } else {
            format!(", {then} → {now}")
        }
    }

    /// `500 → 800 SEK`, `500 SEK → none`.
    fn budgets(&self) -> String {
        match (&self.raised.alert.budget, &self.now.alert.budget) {
            (Some(then), Some(now)) if then.currency == now.currency => {
                format!("{} → {}", amount(then.amount), money(now.amount, now.currency))
            }
            (then, now) => {
                let shown = |budget: &Option<crate::domain::BudgetView>| {
                    budget.as_ref().map_or_else(
                        || "none".to_owned(),
                        |budget| money(budget.amount, budget.currency),
                    )
                };
                format!("{} → {}", shown(then), shown(now))
            }
        }
    }

    /// `940 %`: the share of the budget used in the end.
    fn share_used(&self) -> Option<Decimal> {
        let zero = self.now.against_budget() == Some(Margin::OverZero);
        self.now.alert.computed_percent.filter(|_| !zero)
    }

    fn stood(&self) -> &'static str {
        if self.known { "It ended at" } else { "When it was raised, it stood at" }
    }

    /// `47,000 of 5,000 SEK, 940 % of the budget`.
    fn final_cost(&self) -> String {
        let used = self
            .share_used()
            .map(|used| format!(", {} of the budget", percent(used)))
            .unwrap_or_default();
        format!("{}{used}", self.now.cost_of_budget())
    }
}

/// `900 %, 45,000 of 5,000 SEK`; the cost once where it is all there is to say.
fn with_cost(telling: &AlertWording<'_>) -> String {
    let (short, cost) = (telling.short(), telling.cost_of_budget());
    if short == cost { cost } else { format!("{short}, {cost}") }
}
