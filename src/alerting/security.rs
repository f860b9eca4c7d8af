//! Decides about security alerts: which steps are new, what is told of them, what becomes of what
//! was told before. Hours are counted by the clock, so that it goes on while nothing can be read.

use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::alerting::identity::of_security;
use crate::alerting::planning::end_of_incident;
use crate::alerting::{
    AlertChange, CustomerState, Followup, NewAlert, NewMessage, NewSecurityStep, OpenAlert,
    PollMemory, RememberedSecurity, SecurityState,
};
use crate::domain::{
    Alert, AlertContext, AlertSnapshot, AlertState, BillingPeriod, Budget, BudgetSource,
    BudgetView, CostView, CrossedStep, Crossing, CustomerView, Ended, Latest, Metric, MetricValue,
    PeriodSource, Plan, Profile, Route, RuleFacts, SecurityContext, SecurityNow, Severity, Silence,
    Silenceable, Spent, canonical, has_passed,
};
use crate::rules::{Rules, SecuritySubject, SubjectUsage};

/// What is known of a security alert when it is decided about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SecurityCase<'a> {
    /// Where it stands now.
    pub(crate) state: &'a SecurityState,
    /// What is remembered of it; none for one that is new.
    pub(crate) remembered: Option<&'a RememberedSecurity>,
    /// What is known of the customer's usage.
    pub(crate) customer: Option<&'a CustomerState>,
    /// What the local configuration says of the customer.
    pub(crate) profile: &'a Profile,
    /// What the customer has spent since it began.
    pub(crate) spent: Option<Spent>,
    /// When it was last listed, where reading fails.
    pub(crate) last_listed: Option<Timestamp>,
    /// Whether another API told of it, which is not asked any more.
    pub(crate) is_elsewhere: bool,
}

/// What surrounds the decisions of one read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SecurityUnder<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) routes: &'a [Route],
    pub(crate) silences: &'a [Silence],
    pub(crate) polls: &'a PollMemory,
    /// Whether security alerts were never read whole before.
    pub(crate) is_first: bool,
    pub(crate) ledger: Uuid,
    pub(crate) now: Timestamp,
}

/// What is new about a security alert.
#[derive(Debug, Default)]
pub(crate) struct SecurityNews {
    pub(crate) alerts: Vec<NewAlert>,
    pub(crate) steps: Vec<NewSecurityStep>,
    pub(crate) changes: Vec<AlertChange>,
    /// Alerts whose silence is over.
    pub(crate) released: Vec<(NewAlert, Latest)>,
    pub(crate) reminders: Vec<Followup>,
    pub(crate) resolved: Vec<Followup>,
    /// What ends incidents without a word to anybody else.
    pub(crate) endings: Vec<NewMessage>,
}

impl SecurityCase<'_> {
    fn hours(&self, now: Timestamp) -> Decimal {
        self.state.alert.hours(self.state.first_seen, now)
    }

    /// The customer's name; empty where nobody knows it.
    fn name(&self) -> &str {
        let own = self.customer.map(|customer| customer.name.as_str());
        own.or(self.state.alert.customer_name.as_deref()).unwrap_or_default()
    }

    fn budget(&self) -> Option<Budget> {
        let customer = self.customer?;
        let amount = customer.budget?;
        let is_own = customer.partner_center_budget == Some(amount);
        let source = if is_own { BudgetSource::PartnerCenter } else { BudgetSource::Local };
        Budget::try_new(amount, customer.currency, source)
    }

    fn usage(&self) -> Option<SubjectUsage> {
        self.customer.map(|customer| SubjectUsage {
            plan: customer.plan,
            currency: customer.currency,
            budget: self.budget(),
            usd_cost: customer.usd_cost,
        })
    }

    /// What is to be said of a security alert now.
    pub(crate) fn decide(&self, under: &SecurityUnder<'_>) -> SecurityNews {
        let mut news = SecurityNews::default();
        if self.is_elsewhere {
            self.let_go(under, &mut news);
            return news;
        }
        if self.state.ended_at.is_some() {
            self.end(under, &mut news);
            return news;
        }
        let subject = SecuritySubject {
            alert: &self.state.alert,
            hours: self.hours(under.now),
            customer: &self.state.alert.customer,
            name: self.name(),
            profile: self.profile,
            usage: self.usage(),
        };
        for (rule, crossing) in under.rules.evaluate_security(&subject) {
            self.raise(rule, &crossing, under, &mut news);
        }
        self.reopen(under, &mut news);
        self.follow_up(under, &mut news);
        news
    }

    /// The steps of a rule that it has reached before.
    fn spent_steps(&self, rule: &RuleFacts) -> Vec<Decimal> {
        let steps = self.remembered.map_or(&[][..], |remembered| &remembered.steps);
        steps.iter().filter(|step| rule.is_called(&step.rule)).map(|step| step.at).collect()
    }

    /// A jump over several steps makes one alert, at the highest, for all that any of them is owed
    /// to. A test is told once.
    fn raise(
        &self,
        rule: &RuleFacts,
        crossing: &Crossing,
        under: &SecurityUnder<'_>,
        news: &mut SecurityNews,
    ) {
        let spent = self.spent_steps(rule);
        let new: Vec<&CrossedStep> =
            crossing.steps.iter().filter(|step| !spent.contains(&canonical(step.at))).collect();
        let (Some(highest), Some((top, below))) = (crossing.highest(), new.split_last()) else {
            return;
        };
        let is_test = self.state.alert.is_test;
        let told_higher = top.at != highest.at;
        if told_higher || (is_test && !spent.is_empty()) {
            // Steps that were added below what was told are passed by it.
            let by = self.alert_of(rule);
            let late = new.iter().filter_map(|step| Some(self.step(rule, step.at, false, by?)));
            news.steps.extend(late);
            return;
        }
        let key = self.state.alert.key();
        let id = of_security(under.ledger, &key, &rule.name, top.at);
        let mut notify: Vec<Box<str>> = Vec::new();
        for name in new.iter().flat_map(|step| step.notify.iter()) {
            if !notify.contains(name) && hears(under.routes, name) {
                notify.push(name.clone());
            }
        }
        let passed = below.iter().map(|step| canonical(step.at)).collect();
        let snapshot = self.snapshot(id, rule, top, (passed, crossing.next_at), under);
        news.steps.push(self.step(rule, top.at, true, id));
        news.steps.extend(below.iter().map(|step| self.step(rule, step.at, false, id)));
        let remind_every = top.remind_every.filter(|_| !is_test);
        news.alerts.push(NewAlert { snapshot, notify, remind_every });
    }

    /// An alert of a rule that is open.
    fn alert_of(&self, rule: &RuleFacts) -> Option<Uuid> {
        let open = self.remembered?.alerts.iter().rfind(|open| rule.is_called(&open.rule))?;
        Some(open.snapshot.alert.id)
    }

    fn step(&self, rule: &RuleFacts, at: Decimal, raised: bool, alert: Uuid) -> NewSecurityStep {
        let security = self.state.alert.key();
        NewSecurityStep { security, rule: rule.name.clone(), at: canonical(at), raised, alert }
    }

    fn snapshot(
        &self,
        id: Uuid,
        rule: &RuleFacts,
        step: &CrossedStep,
        (passed, next_at): (Vec<Decimal>, Option<Decimal>),
        under: &SecurityUnder<'_>,
    ) -> AlertSnapshot {
        let (state, customer) = (self.state, self.customer);
        let (cost, billing_period, usage_as_of) = match customer {
            Some(seen) => {
                let (currency, usd) = (seen.currency, seen.usd_cost);
                (CostView { amount: seen.cost, currency, usd }, seen.period, seen.usage_as_of)
            }
            None => Alert::no_usage(),
        };
        let is_test = state.alert.is_test;
        let mut alert = Alert {
            id,
            rule: rule.name.to_string(),
            metric: Metric::SecurityAlertHours,
            threshold: canonical(step.at),
            passed,
            value: Some(MetricValue::Number(self.hours(under.now))),
            severity: if is_test { Severity::Info } else { step.severity },
            baseline: under.is_first || !under.polls.is_settled(rule),
            reference: Alert::reference_of(id),
            customer: CustomerView {
                id: customer.map_or(&state.alert.customer, |customer| &customer.customer).clone(),
                name: self.name().to_owned(),
                label: self.profile.label.clone(),
                plan: customer.map_or(Plan::AzurePlan, |customer| customer.plan),
            },
            subscription: None,
            budget: self.budget().as_ref().map(BudgetView::of),
            cost,
            reported_percent: None,
            computed_percent: customer.and_then(|customer| customer.computed_percent),
            billing_period,
            subscriptions: Vec::new(),
            resources: Vec::new(),
            usage_as_of,
            inputs: None,
            spike: None,
            security: Some(state.alert.view()),
            raised_at: under.now,
            state: AlertState::Raised,
        };
        if is_silenced(&alert, under) {
            alert.state = AlertState::Silenced;
        }
        let context = AlertContext {
            description: rule.description.clone(),
            next_at: next_at.filter(|_| !is_test),
            contacts: self.profile.contacts.clone(),
            owner: self.profile.owner.clone(),
            security: Some(self.context()),
            ..AlertContext::default()
        };
        AlertSnapshot { alert, context }
    }

    fn context(&self) -> SecurityContext {
        let alert = &self.state.alert;
        let (since, began) = alert.began(self.state.first_seen);
        SecurityContext {
            since,
            began,
            display_name: alert.display_name.clone(),
            subscription_name: alert.subscription_name.clone(),
            last_listed: self.last_listed,
            spent: self.spent,
            reopened: self.is_back(),
        }
    }

    /// Whether it was over when it was remembered, and is active again.
    pub(super) fn is_back(&self) -> bool {
        let before = self.remembered.and_then(|remembered| remembered.state.ended_at);
        before.is_some() && self.state.ended_at.is_none()
    }

    /// Alerts that a silence covered and none covers any more are told, of each rule the highest;
    /// the highest that was told is told again when that is due.
    fn follow_up(&self, under: &SecurityUnder<'_>, news: &mut SecurityNews) {
        let open = self.remembered.map_or(&[][..], |remembered| &remembered.alerts);
        for (place, alert) in open.iter().enumerate() {
            let later = open.iter().skip(place + 1).any(|other| other.rule == alert.rule);
            let newer = news.alerts.iter().any(|new| new.snapshot.alert.rule == alert.rule);
            let is_highest = !later && !newer;
            match alert.snapshot.alert.state {
                AlertState::Silenced if !self.is_still_silenced(alert, under) => {
                    let id = alert.snapshot.alert.id;
                    if is_highest {
                        news.changes.push(AlertChange::Released(id));
                        news.released.push(self.released(alert, under));
                    } else {
                        news.changes.push(AlertChange::Resolved(id));
                    }
                }
                AlertState::Raised if is_highest && is_due(alert, under.now) => {
                    news.changes.push(AlertChange::Reminded(alert.snapshot.alert.id));
                    let latest = self.latest(under.now, None);
                    news.reminders.push(followup(alert, alert.notify.clone(), latest));
                }
                AlertState::Raised
                | AlertState::Silenced
                | AlertState::Resolved
                | AlertState::Closed => {}
            }
        }
    }

    pub(super) fn is_still_silenced(&self, alert: &OpenAlert, under: &SecurityUnder<'_>) -> bool {
        let mut now = alert.snapshot.alert.clone();
        now.rule.clone_from(&alert.rule);
        now.value = Some(MetricValue::Number(self.hours(under.now)));
        is_silenced(&now, under)
    }

    fn released(&self, alert: &OpenAlert, under: &SecurityUnder<'_>) -> (NewAlert, Latest) {
        let mut snapshot = alert.snapshot.clone();
        snapshot.alert.state = AlertState::Raised;
        let (notify, remind_every) = (alert.notify.clone(), alert.remind_every);
        (NewAlert { snapshot, notify, remind_every }, self.latest(under.now, None))
    }

    /// All that was told of it is over. Who was told of any step hears so once, by the newest alert
    /// of each rule.
    fn end(&self, under: &SecurityUnder<'_>, news: &mut SecurityNews) {
        let open = self.remembered.map_or(&[][..], |remembered| &remembered.alerts);
        news.changes
            .extend(open.iter().map(|alert| AlertChange::Resolved(alert.snapshot.alert.id)));
        let ended = if self.state.unlisted { Ended::Unlisted } else { Ended::Answered };
        let told: Vec<&OpenAlert> =
            open.iter().filter(|one| one.snapshot.alert.state == AlertState::Raised).collect();
        for (place, alert) in told.iter().enumerate() {
            if told.iter().skip(place + 1).any(|other| other.rule == alert.rule) {
                continue;
            }
            let notify = told_of(told.iter().filter(|other| other.rule == alert.rule).copied());
            news.resolved.push(followup(alert, notify, self.latest(under.now, Some(ended))));
        }
    }

    /// Another API told of it, and may go on doing so: that is no news of it. Only incidents end,
    /// which nothing would end later.
    fn let_go(&self, under: &SecurityUnder<'_>, news: &mut SecurityNews) {
        let open = self.remembered.map_or(&[][..], |remembered| &remembered.alerts);
        news.changes.extend(open.iter().map(|open| AlertChange::Closed(open.snapshot.alert.id)));
        let ends = |route: &&Route| route.has_incidents() && route.send_resolved;
        for route in under.routes.iter().filter(ends) {
            let told = open.iter().rfind(|open| {
                open.snapshot.alert.state == AlertState::Raised
                    && (open.notify.contains(&route.notifier)
                        || open.fell_back.contains(&route.notifier))
            });
            news.endings.extend(told.map(|open| {
                let alert = &open.snapshot.alert;
                end_of_incident(route, alert.id, alert.severity, under.ledger)
            }));
        }
    }

    pub(super) fn latest(&self, now: Timestamp, ended: Option<Ended>) -> Latest {
        let (_, _, no_date) = Alert::no_usage();
        let at = self.state.ended_at.unwrap_or(now);
        Latest {
            usage_as_of: self.customer.map_or(no_date, |customer| customer.usage_as_of),
            cost: self.customer.map(|customer| customer.cost).unwrap_or_default(),
            value: Some(self.hours(at)),
            budget: self.budget().as_ref().map(BudgetView::of),
            ended,
            security: self.state.end(),
            security_now: Some(SecurityNow {
                status: self.state.alert.status.clone(),
                last_listed: self.last_listed,
                spent: self.spent,
                reopened: self.is_back(),
            }),
            spike: None,
            run: None,
        }
    }
}

pub(super) fn followup(alert: &OpenAlert, notify: Vec<Box<str>>, latest: Latest) -> Followup {
    Followup {
        alert: alert.snapshot.alert.clone(),
        latest,
        contacts: Vec::new(),
        notify,
        still_open_for: Vec::new(),
    }
}

/// Who was told of any of these alerts, or is told yet.
pub(super) fn told_of<'a>(alerts: impl Iterator<Item = &'a OpenAlert>) -> Vec<Box<str>> {
    let mut notify: Vec<Box<str>> = Vec::new();
    for name in alerts.flat_map(|alert| alert.notify.iter().chain(&alert.fell_back)) {
        if !notify.contains(name) {
            notify.push(name.clone());
        }
    }
    notify
}

/// Whether a reminder is due.
fn is_due(alert: &OpenAlert, now: Timestamp) -> bool {
    let every = alert.remind_every.filter(|_| !alert.acknowledged);
    every.is_some_and(|every| has_passed(every, alert.told_at, now))
}

/// Whether a notifier may be told: customers never are.
fn hears(routes: &[Route], name: &str) -> bool {
    let route = routes.iter().find(|route| *route.notifier == *name);
    route.is_none_or(|route| route.readers == crate::domain::Readers::Partner)
}

/// A silence that ends with the billing period ends with the month: a security alert has no other.
fn is_silenced(alert: &Alert, under: &SecurityUnder<'_>) -> bool {
    let period = BillingPeriod::calendar_month(under.now, PeriodSource::CalendarMonth);
    let asked = Silenceable { period, ..Silenceable::of(alert) };
    under.silences.iter().any(|silence| silence.covers(&asked, under.now))
}
