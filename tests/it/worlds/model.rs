//! What must be told of one customer, from the words of the promise alone: a model that remembers
//! every fact and looks through all of them each time. It shares no function with the program.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::life::{Answer, Day, Named, Person, Record};
use super::line::{Line, ascending};
use super::number::{Number, written};
use super::owed::{Owed, Raised};
use super::periods::{Period, holding};
use super::rules::{Rule, is_daily, is_money, reached, reads_budget};
use super::values::{Earlier, Facts, Value, crossed, value};

/// What holds for all customers of a world during one poll.
#[derive(Debug, Clone, Copy)]
pub(super) struct Poll<'a> {
    pub(super) number: usize,
    pub(super) now: Timestamp,
    pub(super) rules: &'a [Rule],
    /// The rules and all else that is configured, as text.
    pub(super) config: &'a str,
    /// Rules that were through a good poll.
    pub(super) settled: &'a [String],
    pub(super) legacy_currency: Option<&'static str>,
    /// Customers that are silenced, and until when.
    pub(super) silences: &'a [(String, Timestamp)],
}

/// What one poll says of a customer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// A line for each alert.
    pub(super) alerts: Vec<String>,
    pub(super) duplicates: u64,
    pub(super) passed: u64,
}

/// A step that was raised or passed.
#[derive(Debug, Clone)]
struct Spent {
    rule: String,
    at: Number,
    amount: Option<Number>,
    belongs_at: Timestamp,
    poll: usize,
    /// Passed because it was added below a raised one.
    late: bool,
}

/// That a rule had a value under a budget.
#[derive(Debug, Clone)]
struct Sighting {
    rule: String,
    value: Number,
    amount: Number,
    belongs_at: Timestamp,
    poll: usize,
}

/// How the customer stood last: late corrections of a period that is over do not count.
#[derive(Debug, Clone)]
struct Last {
    record: Record,
    belongs_at: Timestamp,
    carried: bool,
    /// The last cost dated in the period that it belongs to.
    closing: Number,
}

#[derive(Debug)]
pub(super) struct Model {
    person: Person,
    named: Vec<Named>,
    last: Option<Last>,
    earlier: Vec<Earlier>,
    spent: Vec<Spent>,
    sightings: Vec<Sighting>,
    asked_at: Option<Timestamp>,
    /// The record that was last judged, and what was configured then.
    judged: Option<(Record, String)>,
    owed: Owed,
}

/// An amount, and its currency.
type Budget = (Number, Option<&'static str>);

/// The highest amount that a step was spent under; none of a metric that reads no budget.
#[derive(Debug, Clone, Copy)]
struct Under(Option<Number>);

/// What a value is measured against: the customer's own budget, or another amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Against {
    Own,
    Amount(Option<Number>),
}

/// A record in its billing period.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed {
    pub(super) period: Period,
    pub(super) carried: bool,
    pub(super) belongs_at: Timestamp,
}

/// What one rule makes of a record.
#[derive(Debug, Default)]
struct Verdict {
    crosses: bool,
    alert: Option<String>,
    raised: Option<Raised>,
    spent: Vec<Spent>,
    sighting: Option<Sighting>,
}

impl Model {
    pub(super) fn new(person: Person) -> Self {
        let (named, earlier, spent, sightings) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self {
            person,
            named,
            last: None,
            earlier,
            spent,
            sightings,
            asked_at: None,
            judged: None,
            owed: Owed::default(),
        }
    }

    /// What was done by `before` is done by `now`.
    pub(super) fn rename_rule(&mut self, before: &str, now: &str) {
        let names = self.spent.iter_mut().map(|spent| &mut spent.rule);
        names
            .chain(self.sightings.iter_mut().map(|seen| &mut seen.rule))
            .filter(|name| *name == before)
            .for_each(|name| now.clone_into(name));
        self.owed.rename_rule(before, now);
    }

    /// A rule that is removed is new when it comes back.
    pub(super) fn forget_rules(&mut self, known: &[String]) {
        self.spent.retain(|spent| known.contains(&spent.rule));
        self.sightings.retain(|seen| known.contains(&seen.rule));
        self.owed.close_rules(known);
    }

    /// What becomes of its alerts after a poll of which the newest data has this date.
    pub(super) fn follow_up(&mut self, poll: Poll<'_>, newest: Option<Timestamp>) {
        let Some(last) = &self.last else { return };
        let placed = self.place(&last.record, None, true);
        let silenced = poll
            .silences
            .iter()
            .any(|(customer, end)| *customer == self.person.id && poll.now < *end);
        let values = |rule: &str, budget: Against| {
            let rule = poll.rules.iter().find(|one| one.name == rule)?;
            self.measured(poll, rule, &last.record, &placed, budget)
        };
        let mut owed = self.owed.clone();
        owed.follow_up(poll.now, newest, &placed, silenced, values);
        self.owed = owed;
    }

    /// How often each alert was told to whom, a line for each.
    pub(super) fn told(&self) -> impl Iterator<Item = String> {
        self.owed.told(&self.person.id)
    }

    pub(super) fn poll(&mut self, poll: Poll<'_>, day: &Day) -> Told {
        let Some(record) = day.records.iter().max_by_key(|record| (record.date, record.cost))
        else {
            return Told::default();
        };
        let (mut placed, mut confirms) = (self.place(record, None, true), None);
        let mut verdicts = self.verdicts(poll, record, &placed);
        if self.is_asked(poll, record, &placed, &verdicts) {
            self.asked_at = Some(poll.now);
            if let Answer::Named(named) = &day.answer {
                self.named.retain(|known| (known.first, known.last) != (named.first, named.last));
                self.named.insert(0, named.clone());
                self.named.truncate(14);
                confirms = Some(named);
            }
            placed = self.place(record, confirms, true);
            verdicts = self.verdicts(poll, record, &placed);
        }
        let told = Told {
            alerts: verdicts.iter().filter_map(|verdict| verdict.alert.clone()).collect(),
            duplicates: verdicts
                .iter()
                .filter(|verdict| verdict.crosses && verdict.alert.is_none())
                .count() as u64,
            passed: verdicts
                .iter()
                .map(|verdict| verdict.spent.len() - usize::from(verdict.alert.is_some()))
                .sum::<usize>() as u64,
        };
        for verdict in verdicts {
            self.spent.extend(verdict.spent);
            self.sightings.extend(verdict.sighting);
            self.owed.raise(verdict.raised);
        }
        self.remember(poll, record, &placed);
        told
    }

    fn remember(&mut self, poll: Poll<'_>, record: &Record, placed: &Placed) {
        let is_over =
            |last: &Last| record.date < last.record.date && placed.period.end <= last.belongs_at;
        if self.last.as_ref().is_some_and(is_over) {
            return;
        }
        let closing =
            self.last.as_ref().filter(|_| placed.carried).map_or(record.cost, |last| last.closing);
        let Placed { carried, belongs_at, .. } = *placed;
        self.last = Some(Last { record: record.clone(), belongs_at, carried, closing });
        self.earlier.retain(|earlier| earlier.date != record.date);
        self.earlier.push(Earlier { date: record.date, cost: record.cost, carried });
        self.judged = Some((record.clone(), poll.config.to_owned()));
    }

    /// Whether its period is asked about: where it is about to alert, or would if it were not taken
    /// for late data; a legacy customer that crosses a step in an assumed period once for each
    /// changed record, else once a day.
    fn is_asked(
        &self,
        poll: Poll<'_>,
        record: &Record,
        placed: &Placed,
        verdicts: &[Verdict],
    ) -> bool {
        let alerts = |verdicts: &[Verdict]| verdicts.iter().any(|verdict| verdict.alert.is_some());
        let late = || {
            placed.carried && alerts(&self.verdicts(poll, record, &self.place(record, None, false)))
        };
        let assumed = self.person.legacy
            && placed.period.source == "assumed"
            && verdicts.iter().any(|verdict| verdict.crosses);
        let changed = self
            .judged
            .as_ref()
            .is_none_or(|(judged, config)| judged != record || config != poll.config);
        // What is taken for late data is looked at again each time.
        let changed = changed || self.last.as_ref().is_some_and(|last| last.carried);
        let day_ago = self
            .asked_at
            .is_none_or(|asked| poll.now.duration_since(asked) >= SignedDuration::from_hours(24));
        alerts(verdicts) || late() || assumed && (changed || day_ago)
    }

    fn place(&self, record: &Record, confirms: Option<&Named>, may_be_late: bool) -> Placed {
        let period = holding(&self.person, &self.named, record.date);
        let own = Placed { period, carried: false, belongs_at: record.date };
        let Some(last) = self.last.as_ref().filter(|_| may_be_late) else { return own };
        let old = holding(&self.person, &self.named, last.belongs_at);
        let early = record.date.duration_since(period.start) <= SignedDuration::from_hours(72);
        let confirmed =
            confirms.is_some_and(|named| period.holds(named.starts) && named.total >= named.listed);
        let repeats =
            record.cost > 0 && last.closing <= record.cost && 4 * record.cost <= 5 * last.closing;
        if old.end == period.start && early && repeats && !confirmed {
            return Placed { period: old, carried: true, belongs_at: old.last_instant() };
        }
        own
    }

    /// The currency, and the budget in force; whether that is Partner Center's.
    fn joined(
        &self,
        poll: Poll<'_>,
        record: &Record,
    ) -> (Option<&'static str>, Option<Budget>, bool) {
        let person = &self.person;
        let currency = person
            .own_currency
            .or(person.local_currency)
            .or(poll.legacy_currency.filter(|_| person.legacy));
        let local = person
            .local_budget
            .filter(|(_, local)| currency.is_none_or(|currency| currency == *local));
        let budget = local
            .map(|(amount, local)| (amount, Some(local)))
            .or(record.budget.map(|amount| (amount, currency)));
        (currency, budget, local.is_none())
    }

    fn verdicts(&self, poll: Poll<'_>, record: &Record, placed: &Placed) -> Vec<Verdict> {
        poll.rules
            .iter()
            .map(|rule| self.verdict(poll, rule, record, placed).unwrap_or_default())
            .collect()
    }

    /// The value, and the budget in force; none where the rule is not for the customer. Against
    /// another amount the reported percent says nothing.
    fn measured(
        &self,
        poll: Poll<'_>,
        rule: &Rule,
        record: &Record,
        placed: &Placed,
        against: Against,
    ) -> Option<(Option<Value>, Option<Number>)> {
        let (currency, budget, reported) = self.joined(poll, record);
        if let Some(least) = rule.budget_from {
            budget.filter(|(amount, currency)| *currency == Some("SEK") && *amount >= least)?;
        }
        if is_money(rule.metric) {
            currency?;
        }
        let amount = match against {
            Against::Own => budget.map(|(amount, _)| amount),
            Against::Amount(amount) => amount,
        };
        let percent = record.percent.filter(|_| reported && against == Against::Own);
        Some((value(rule.metric, &self.facts(record, placed, amount, percent)), amount))
    }

    /// None where the rule is not for the customer.
    fn verdict(
        &self,
        poll: Poll<'_>,
        rule: &Rule,
        record: &Record,
        placed: &Placed,
    ) -> Option<Verdict> {
        let (value, amount) = self.measured(poll, rule, record, placed, Against::Own)?;
        let under = amount.filter(|_| reads_budget(rule.metric));
        let mut verdict = Verdict::default();
        let spend = |at, amount, late| Spent {
            rule: rule.name.clone(),
            at,
            amount,
            belongs_at: placed.belongs_at,
            poll: poll.number,
            late,
        };
        let steps = value.map(|value| crossed(rule, value)).unwrap_or_default();
        if let Some((highest, lower)) = steps.split_last() {
            verdict.crosses = true;
            if let Some(Under(before)) = self.may_alert(rule, highest.at, record, placed, under) {
                let passed: Vec<_> = lower
                    .iter()
                    .filter(|step| self.may_alert(rule, step.at, record, placed, under).is_some())
                    .collect();
                let value = value.map_or("over zero".to_owned(), |value| match value {
                    Value::Number(value) => written(value),
                    Value::OverZero => "over zero".to_owned(),
                });
                let passed_at: Vec<Number> = passed.iter().map(|step| step.at).collect();
                let settled = |name: &String| poll.settled.contains(name);
                let baseline = !settled(&rule.name) && !rule.formerly.as_ref().is_some_and(settled);
                let silenced = poll
                    .silences
                    .iter()
                    .any(|(customer, end)| *customer == self.person.id && poll.now < *end);
                verdict.raised =
                    Some(Raised::new(poll.now, rule, highest, &passed, placed, under, silenced));
                verdict.alert = Some(
                    Line {
                        customer: &self.person.id,
                        rule: &rule.name,
                        at: written(highest.at),
                        passed: ascending(passed_at.iter().rev().take(50).copied().collect()),
                        value,
                        budget: amount.map(written),
                        before: before.map(written),
                        period: (placed.period.start, placed.period.end, placed.period.source),
                        severity: highest.severity,
                        marks: [
                            (placed.carried, "carried over"),
                            (baseline, "baseline"),
                            (silenced, "silenced"),
                        ],
                    }
                    .to_string(),
                );
                verdict.spent.push(spend(highest.at, under, false));
                verdict.spent.extend(passed_at.into_iter().map(|at| spend(at, under, false)));
            }
        }
        let late = rule.steps.iter().filter_map(|step| {
            Some(spend(step.at, self.passed_late(rule, step.at, placed, &verdict.spent)?.0, true))
        });
        let late: Vec<Spent> = late.collect();
        verdict.spent.extend(late);
        if let (Some(Value::Number(value)), Some(amount)) = (value, under) {
            let (rule, belongs_at) = (rule.name.clone(), placed.belongs_at);
            verdict.sighting =
                Some(Sighting { rule, value, amount, belongs_at, poll: poll.number });
        }
        Some(verdict)
    }

    fn facts(
        &self,
        record: &Record,
        placed: &Placed,
        budget: Option<Number>,
        percent: Option<Number>,
    ) -> Facts<'_> {
        let Placed { period, carried, .. } = *placed;
        Facts {
            cost: record.cost,
            usd: record.usd,
            budget,
            percent,
            date: record.date,
            period,
            carried,
            earlier: &self.earlier,
        }
    }

    /// The steps of a rule that were spent where a record belongs.
    fn spent<'a>(&'a self, rule: &'a Rule, placed: &'a Placed) -> impl Iterator<Item = &'a Spent> {
        self.spent
            .iter()
            .filter(move |spent| spent.rule == rule.name && is_here(rule, placed, spent.belongs_at))
    }

    /// Whether a step may alert; if it did before, with the highest amount it did so under.
    fn may_alert(
        &self,
        rule: &Rule,
        at: Number,
        record: &Record,
        placed: &Placed,
        amount: Option<Number>,
    ) -> Option<Under> {
        // A step below one that alerted was passed by it.
        let before: Vec<&Spent> =
            self.spent(rule, placed).filter(|spent| reached(rule.metric, spent.at, at)).collect();
        if before.is_empty() {
            return Some(Under(None));
        }
        let most = before.iter().filter_map(|spent| spent.amount).max()?;
        if !rule.rearm || amount? <= most {
            return None;
        }
        let since = before
            .iter()
            .filter(|spent| !spent.late || spent.at == at)
            .map(|spent| spent.poll)
            .max()?;
        let below = |seen: &&Sighting| {
            seen.poll > since && seen.amount > most && !reached(rule.metric, seen.value, at)
        };
        let here =
            |seen: &&Sighting| seen.rule == rule.name && is_here(rule, placed, seen.belongs_at);
        // One that was added below a raised one counts as passed, unless the last cost would have
        // been below it.
        let is_added = rule.steps.iter().any(|step| step.at == at)
            && self.passed_late(rule, at, placed, &[]).is_some();
        let seen = !is_added && self.sightings.iter().filter(here).any(|seen| below(&seen));
        (seen || self.last_was_below(rule, at, record, placed, amount)).then_some(Under(Some(most)))
    }

    /// Whether the last cost would have been below the step under this amount. The same record
    /// again says nothing new, even where its percent is above what its cost comes to.
    fn last_was_below(
        &self,
        rule: &Rule,
        at: Number,
        record: &Record,
        placed: &Placed,
        amount: Option<Number>,
    ) -> bool {
        let Some(last) = self.last.as_ref().filter(|last| last.record != *record) else {
            return false;
        };
        if is_daily(rule.metric)
            || !(placed.period.holds(last.belongs_at) || placed.period.holds(last.record.date))
        {
            return false;
        }
        // What was taken for late data may have turned out to be the period's own.
        let placed = Placed { carried: !placed.period.holds(last.record.date), ..*placed };
        let facts = self.facts(&last.record, &placed, amount, None);
        matches!(value(rule.metric, &facts), Some(Value::Number(value)) if !reached(rule.metric, value, at))
    }

    /// The amount under which a step is passed that was added below a raised one; none where it was
    /// not, or is spent already.
    fn passed_late(
        &self,
        rule: &Rule,
        at: Number,
        placed: &Placed,
        now: &[Spent],
    ) -> Option<Under> {
        let own = self.spent(rule, placed).chain(now).any(|spent| spent.at == at);
        let mut beyond =
            self.spent(rule, placed).filter(|spent| reached(rule.metric, spent.at, at)).peekable();
        (!own && beyond.peek().is_some())
            .then(|| Under(beyond.filter_map(|spent| spent.amount).max()))
    }
}

/// Whether what belongs at an instant belongs to the period of a record; of daily rules to the same
/// day.
fn is_here(rule: &Rule, placed: &Placed, belongs_at: Timestamp) -> bool {
    let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
    placed.period.holds(belongs_at)
        && (!is_daily(rule.metric) || day(belongs_at) == day(placed.belongs_at))
}
