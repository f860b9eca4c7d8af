//! The details below the first two lines: where the cost is, how the period goes on, what to do,
//! why this message came.

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::domain::{
    BillingPeriod, BudgetSource, BudgetView, Direction, PeriodSource, WrittenBudget,
    in_partner_center,
};
use crate::notify::message::budget_status::BudgetStatus;
use crate::notify::message::telling::AlertWording;
use crate::text::amounts::{amount, percent};
use crate::text::{clean, times};

/// A detail with its name.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Row {
    /// `Where`, `Pace`, …
    pub label: &'static str,
    /// One line.
    pub text: String,
}

/// A forecast from less of a period says nothing.
const FORECAST_FROM: i64 = 48 * 3600;
/// So many of a customer's people are named.
const PEOPLE: usize = 4;
/// A delivery is late from here on.
const LATE_FROM: i64 = 15 * 60;

/// Those of `rows` that have a text.
pub(crate) fn known<const N: usize>(rows: [(&'static str, Option<String>); N]) -> Vec<Row> {
    rows.into_iter()
        .filter_map(|(label, text)| {
            Some(Row { label, text: text.filter(|text| !text.is_empty())? })
        })
        .collect()
}

impl AlertWording<'_> {
    /// The details that are known, in their order.
    pub(crate) fn rows(&self, sent: Timestamp) -> Vec<Row> {
        if self.alert.security.is_some() {
            return self.security_rows(sent);
        }
        let rows = [
            ("Where", self.place()),
            ("Formula", self.formula()),
            ("Pace", self.pace(sent)),
            ("Budget", self.budget_news()),
            ("Note", Some(self.notes(sent).join(" "))),
            ("Do", self.commands()),
            ("Contact", self.contact()),
            ("Owner", self.owner()),
            ("Why you", Some(self.why())),
            ("Ref", Some(self.reference())),
        ];
        known(rows)
    }

    /// Where the money goes: by resource group where that is known, else by subscription.
    pub(super) fn place(&self) -> Option<String> {
        self.resources().or_else(|| self.subscriptions())
    }

    /// `Azure plan 43,900 SEK · others 1,100 SEK`.
    fn subscriptions(&self) -> Option<String> {
        if self.alert.subscription.is_some() {
            return None;
        }
        let (named, others) = self
            .alert
            .subscriptions
            .split_at_checked(2)
            .unwrap_or((&self.alert.subscriptions, &[]));
        let mut parts: Vec<_> = named
            .iter()
            .map(|one| {
                format!("{} {}", clean(&one.name, 60), self.money(one.cost)).trim().to_owned()
            })
            .collect();
        let rest = others.iter().fold(Decimal::ZERO, |sum, one| sum.saturating_add(one.cost));
        if !others.is_empty() {
            parts.push(format!("{} others {}", others.len(), self.money(rest)));
        }
        (!parts.is_empty()).then(|| parts.join(" · "))
    }

    /// `900 % used with 46 % of the period over; at this pace 97,800 SEK by 30 Nov`.
    pub(super) fn pace(&self, sent: Timestamp) -> Option<String> {
        let told_above =
            matches!(self.budget_status(), BudgetStatus::Heading(_) | BudgetStatus::Stale(_));
        let share = self
            .elapsed_share()
            .filter(|_| self.alert.billing_period.source != PeriodSource::Assumed && !told_above)?;
        let used = self.percent_used().or(self.alert.computed_percent);
        let used = used
            .filter(|_| self.budget_status() != BudgetStatus::OverZero)
            .map(|used| format!("{} used with ", percent(used)));
        let forecast = self.pace_forecast(sent).map(|cost| {
            format!("; at this pace {} by {}", self.estimate(cost), self.period.last_day)
        });
        Some(format!(
            "{}{} of the period over{}",
            used.unwrap_or_default(),
            percent(share),
            forecast.unwrap_or_default()
        ))
    }

    /// The cost at the end of a known period that is not over if it goes on as on average, to three
    /// digits.
    pub(super) fn pace_forecast(&self, sent: Timestamp) -> Option<Decimal> {
        let BillingPeriod { start, end, source } = self.alert.billing_period;
        let (elapsed, length) =
            (times::seconds_between(start, self.as_of()), times::seconds_between(start, end));
        self.forecast(elapsed, length)
            .filter(|_| sent < end && source != PeriodSource::Assumed && elapsed <= length)
    }

    /// The same whatever the period.
    fn forecast(&self, elapsed: i64, length: i64) -> Option<Decimal> {
        if elapsed < FORECAST_FROM || self.alert.cost.amount <= Decimal::ZERO {
            return None;
        }
        let cost = self
            .alert
            .cost
            .amount
            .checked_mul(Decimal::from(length))?
            .checked_div(Decimal::from(elapsed))?;
        cost.round_sf(3).map(|cost| cost.max(self.alert.cost.amount))
    }

    /// The budget that the step alerted under before, and the one of now, where it alerts again.
    pub(super) fn budget_change(&self) -> Option<String> {
        let budget = self.alert.budget.as_ref()?;
        let before = budget.previous_amount?;
        Some(format!("{} → {}", amount(before), self.money(budget.amount)))
    }

    /// What is special about the budget: a change, a second one, percentages that disagree.
    pub(crate) fn budget_news(&self) -> Option<String> {
        let alert = self.alert;
        let change = self
            .budget_change()
            .map(|change| format!("changed since this step was last told: {change}"));
        let other = self.context.other_budget.as_ref().map(|other| match &alert.budget {
            Some(budget) => format!("{} counts; {} does not", in_words(budget), in_words(other)),
            None => format!("{} does not count", in_words(other)),
        });
        let percents =
            alert.reported_percent.zip(alert.computed_percent).filter(|(reported, computed)| {
                reported.saturating_sub(*computed).abs() > Decimal::new(1, 2)
            });
        let percents = percents.map(|(reported, computed)| {
            format!(
                "Partner Center reports {}, cost and budget give {}; the larger counts",
                percent(reported),
                percent(computed)
            )
        });
        let pushed = self.context.pushed.as_ref().map(|pushed| self.pushed(pushed));
        let news: Vec<_> = [change, other, pushed, percents].into_iter().flatten().collect();
        (!news.is_empty()).then(|| news.join(". "))
    }

    /// `5,000 SEK pushed on Tue 10 Nov 12:00 UTC, not yet in the usage data`.
    fn pushed(&self, pushed: &WrittenBudget) -> String {
        let money = crate::text::amounts::money(pushed.amount, Some(pushed.currency));
        let at = times::moment(pushed.at, self.alert.raised_at, self.zone);
        format!("{money} pushed on {at}, not yet in the usage data")
    }

    /// What somebody must know to read the numbers right.
    pub(crate) fn notes(&self, sent: Timestamp) -> Vec<String> {
        let first_look = self
            .alert
            .baseline
            .then(|| "This was so already when the rule was first looked at.".to_owned());
        first_look
            .into_iter()
            .chain(self.doubts(sent))
            .chain(lateness(self.alert.raised_at, sent))
            .collect()
    }

    /// What is true of its billing period whenever it is told.
    pub(super) fn doubts(&self, sent: Timestamp) -> Vec<String> {
        let alert = self.alert;
        // It belongs to no billing period.
        if alert.security.is_some() {
            return Vec::new();
        }
        let mut notes = Vec::new();
        if alert.billing_period.source == PeriodSource::Assumed {
            notes.push(
                "The billing period is assumed: Partner Center has not named it yet.".to_owned(),
            );
        }
        if self.context.carried_over {
            notes.push(
                "The data is dated in the next period, but carries on the cost of this one: \
                taken for late data of it."
                    .to_owned(),
            );
        }
        if sent >= alert.billing_period.end {
            notes.push(format!(
                "This billing period is over: it ended {}.",
                times::moment(alert.billing_period.end, sent, self.zone)
            ));
        }
        notes
    }

    /// A command to run, only for an id that a shell takes as it stands.
    pub(super) fn to_explain(&self) -> Option<String> {
        let id = self.alert.customer.id.as_str();
        is_plain(id).then(|| format!("budget-alertd explain {id}"))
    }

    /// What can be done about it from a shell:
    /// `budget-alertd ack 5F0C1C3E · budget-alertd explain 1b2c…`.
    pub(super) fn commands(&self) -> Option<String> {
        let commands = match self.to_answer() {
            Some(answer) => vec![answer],
            None => [self.to_acknowledge(), self.to_explain()].into_iter().flatten().collect(),
        };
        (!commands.is_empty()).then(|| commands.join(" · "))
    }

    /// Who can be asked: `Contact it@contoso.example · Owner Anna Svensson`.
    pub(super) fn people(&self) -> Option<String> {
        let named = [("Contact", self.contact()), ("Owner", self.owner())];
        let people: Vec<_> = named
            .into_iter()
            .filter_map(|(label, people)| Some(format!("{label} {}", people?)))
            .collect();
        (!people.is_empty()).then(|| people.join(" · "))
    }

    /// The customer's page in Partner Center, for an id that is a tenant's.
    pub(super) fn in_partner_center(&self) -> Option<String> {
        in_partner_center(self.alert.customer.id.as_str())
    }

    /// The command that ends the reminders of this alert, likewise.
    pub(super) fn to_acknowledge(&self) -> Option<String> {
        let reference = self.reference();
        is_plain(&reference).then(|| format!("budget-alertd ack {reference}"))
    }

    /// `Contoso IT <it@contoso.example>, boss@contoso.example`: the customer's own people, as mail
    /// programs write them.
    pub(super) fn contact(&self) -> Option<String> {
        let people: Vec<_> = self
            .context
            .contacts
            .iter()
            .map(|one| clean(one, 120))
            .filter(|one| !one.is_empty())
            .collect();
        let more = people.len().saturating_sub(PEOPLE);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let shown: Vec<_> = people.into_iter().take(PEOPLE).collect();
        (!shown.is_empty()).then(|| format!("{}{more}", shown.join(", ")))
    }

    /// `Anna Svensson <anna@partner.example>`: who looks after the customer on our side.
    pub(super) fn owner(&self) -> Option<String> {
        self.context
            .owner
            .as_deref()
            .map(|owner| clean(owner, 200))
            .filter(|owner| !owner.is_empty())
    }

    /// `rule "spend", step 100 % (80 % passed), 1–30 Nov, budget from Partner Center. Next message at 1,000 %.`
    pub(super) fn why(&self) -> String {
        let next = self.context.next_at.filter(|_| self.budget_status() != BudgetStatus::OverZero);
        let next =
            next.map(|at| format!(" Next message at {}.", self.on_scale(at))).unwrap_or_default();
        format!("{}{next}", self.why_alone())
    }

    /// The same without what comes next.
    pub(super) fn why_alone(&self) -> String {
        let alert = self.alert;
        let description = self
            .context
            .description
            .as_deref()
            .map(|text| clean(text, 200))
            .filter(|text| !text.is_empty());
        let description = description.map(|text| format!(" ({text})")).unwrap_or_default();
        let whose =
            if alert.subscription.is_some() { "budget of the subscription" } else { "budget" };
        let budget = alert.budget.as_ref().filter(|_| alert.metric.reads_budget());
        let budget = budget
            .map(|budget| format!(", {whose} from {}", budget.source.in_words()))
            .unwrap_or_default();
        let (rule, step) = (clean(&alert.rule, 60), self.on_scale(alert.threshold));
        let passed = self.passed();
        if alert.security.is_some() {
            return format!("rule \"{rule}\"{description}, step {step}{passed}.");
        }
        format!("rule \"{rule}\"{description}, step {step}{passed}, {}{budget}.", self.period.days)
    }

    /// ` (80 % passed)`, ` (150 % to 850 % passed)`.
    fn passed(&self) -> String {
        match self.alert.passed.as_slice() {
            [] => String::new(),
            [one] => format!(" ({} passed)", self.on_scale(*one)),
            [one, two] => format!(" ({} and {} passed)", self.on_scale(*one), self.on_scale(*two)),
            [first, .., last] => {
                format!(" ({} to {} passed)", self.on_scale(*first), self.on_scale(*last))
            }
        }
    }

    /// The last line of a chat: `spend ≥ 100 % · Nov · 5F0C1C3E`.
    pub(crate) fn origin(&self) -> String {
        let sign = if self.alert.metric.direction() == Direction::Down { "≤" } else { "≥" };
        let (rule, step) = (clean(&self.alert.rule, 60), self.on_scale(self.alert.threshold));
        if self.alert.security.is_some() {
            return format!("{rule} {sign} {step} · {}", self.reference());
        }
        let assumed = if self.alert.billing_period.source == PeriodSource::Assumed {
            " (assumed)"
        } else {
            ""
        };
        format!("{rule} {sign} {step} · {}{assumed} · {}", self.period.short, self.reference())
    }
}

/// Whether a shell takes `text` as it stands.
fn is_plain(text: &str) -> bool {
    let plain = text.len() <= 64 && text.starts_with(|c: char| c.is_ascii_alphanumeric());
    plain && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// That a message comes long after what it tells was seen.
pub(crate) fn lateness(seen: Timestamp, sent: Timestamp) -> Option<String> {
    let late = times::seconds_between(seen, sent);
    (late >= LATE_FROM).then(|| format!("Delivered {} after it was seen.", times::span(late)))
}

/// `5,000 SEK from Partner Center`.
fn in_words(budget: &BudgetView) -> String {
    let place = match budget.source {
        BudgetSource::PartnerCenter => "from Partner Center",
        BudgetSource::Local => "from the local configuration",
    };
    format!("{} {place}", crate::text::amounts::money(budget.amount, budget.currency))
}
