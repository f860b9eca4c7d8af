//! An alert as the customer it is about reads it: shares of its budget in plain words, amounts only
//! where it may see them, and nothing of the partner's own — no rules, labels, notes, commands or
//! other budgets. What a program reads is in `disclosed`.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use crate::domain::{AlertSnapshot, Ended, Metric, Occasion, PeriodSource, Severity};
use crate::notify::message::alert::{AlertText, Bar, Dated};
use crate::notify::message::brief::Figure;
use crate::notify::message::budget_status::whole_hours;
use crate::notify::message::later::{brought_up_to_date, released};
use crate::notify::message::member::Member;
use crate::notify::message::partner::Partner;
use crate::notify::message::rows::{Row, known, lateness};
use crate::notify::message::telling::AlertWording;
use crate::text::amounts::{in_subject, percent, points};
use crate::text::{capitalized, clean, times};

/// What the customer can do.
const LOOK_AND_CONTACT: &str =
    "If you did not expect this, look now at what is running and who signed in, and contact";
const CONTACT: &str = "If you did not expect this, please contact";
const NOTHING_TO_DO: &str = "There is nothing to do.";
/// So many references are named.
const REFERENCES: usize = 20;
/// Whom, where nobody says who the partner is.
const PROVIDER: &str = "your Azure provider";

/// What customers are told beside their own numbers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Disclosed<'a> {
    /// Whether they see amounts, not only percentages.
    pub show_cost: bool,
    /// Who their provider is.
    pub partner: Option<&'a Partner>,
}

/// One alert for its customer. It reads of the alert only what a customer may know.
pub(crate) struct CustomerTelling<'a> {
    telling: AlertWording<'a>,
    occasion: Occasion,
    raised_at: Timestamp,
    ended: Option<Ended>,
    disclosed: Disclosed<'a>,
    sent: Timestamp,
}

/// How the customer stands.
enum CustomerStatus {
    /// There is usage under a budget of zero.
    OverZero,
    /// So many percent of the budget are used.
    Used(Decimal),
    /// On the way to so many percent of the budget.
    Heading(Decimal),
    /// So many points ahead of the period.
    Ahead(Decimal),
    /// Rising by so many points of the budget a day.
    Rising(Decimal),
    /// Rising by more than is expected.
    RisingFast,
    /// Without new usage for so many hours.
    Stale(Decimal),
    /// A threshold in money is reached, and there is no share to speak of.
    Reached,
}

/// The alert of `snapshot` with the numbers it is told with on this occasion, without what is the
/// partner's own.
pub(crate) fn shown(
    occasion: Occasion,
    snapshot: &AlertSnapshot,
    sent: Timestamp,
) -> AlertSnapshot {
    let mut shown = match occasion {
        Occasion::New if snapshot.context.latest.is_some() => released(snapshot, sent),
        Occasion::New => snapshot.clone(),
        Occasion::Reminder | Occasion::Resolved => brought_up_to_date(snapshot),
    };
    shown.alert.customer.label = None;
    shown.alert.rule.clear();
    shown.context = crate::domain::AlertContext {
        subscription_name: shown.context.subscription_name,
        latest: shown.context.latest,
        ..crate::domain::AlertContext::default()
    };
    shown
}

impl<'a> CustomerTelling<'a> {
    /// Tells `shown`, which was first raised as in `snapshot`.
    pub(crate) fn new(
        occasion: Occasion,
        snapshot: &AlertSnapshot,
        shown: &'a AlertSnapshot,
        disclosed: Disclosed<'a>,
        zone: &'a TimeZone,
        sent: Timestamp,
    ) -> Self {
        let mut telling = AlertWording::new(shown, zone);
        telling.period.budget = telling.period.budget.replacen("its ", "your ", 1).replacen(
            "the subscription's ",
            "your ",
            1,
        );
        let ended = snapshot.context.latest.as_ref().and_then(|latest| latest.ended);
        Self { telling, occasion, raised_at: snapshot.alert.raised_at, ended, disclosed, sent }
    }

    /// The alert in words.
    pub(crate) fn text(&self) -> AlertText {
        AlertText {
            // Its scale would tell what the customer is not to read.
            chart: None,
            partner_center: None,
            links: Vec::new(),
            occasion: self.occasion,
            severity: self.telling.alert.severity,
            label: self.label().to_owned(),
            banner: (self.occasion == Occasion::Reminder)
                .then(|| format!("REMINDER · since {}", self.since())),
            subject: self.subject(),
            name: self.telling.who.clone(),
            badge: None,
            figure: self.figure(),
            brief: self.brief(),
            first: self.first(),
            second: self.second(),
            chat: String::new(),
            dated: Dated { at: self.telling.as_of(), words: String::new() },
            small: Vec::new(),
            bar: self.percent_used().map(Bar::of_share),
            rows: self.rows(),
            also: Vec::new(),
        }
    }

    /// The alert in words, with further reasons why the same customer is told of.
    pub(crate) fn text_with(&self, others: &[Self]) -> AlertText {
        let mut told = vec![self.measure()];
        for other in others.iter().map(Self::measure) {
            // Two rules may say the same of the budget.
            if !told.contains(&other) {
                told.push(other);
            }
        }
        let mut text = self.text().with_reasons(told.get(1..).unwrap_or_default());
        let references = std::iter::once(self).chain(others).take(REFERENCES);
        let references: Vec<_> = references.map(|one| one.telling.reference()).collect();
        for row in text.rows.iter_mut().filter(|row| row.label == "Ref") {
            row.text = references.join(", ");
        }
        text
    }

    /// One line of a digest.
    pub(crate) fn member(&self) -> Member {
        Member {
            severity: self.telling.alert.severity,
            label: self.label().to_owned(),
            name: self.telling.who.clone(),
            called: self.telling.name.clone(),
            about: self.telling.alert.key(),
            badge: None,
            brief: self.measure(),
            cost: String::new(),
            budget: None,
            cost_of_budget: String::new(),
            over: None,
            origin: format!("{} · {}", self.telling.period.days, self.telling.reference()),
            reference: self.telling.reference(),
            news: (self.occasion == Occasion::Resolved).then(|| self.first()),
            also: Vec::new(),
        }
    }

    /// The customer's own name.
    pub(crate) fn who(&self) -> &str {
        &self.telling.who
    }

    fn label(&self) -> &'static str {
        match (self.occasion, self.telling.alert.severity) {
            (Occasion::Resolved, _) => "RESOLVED",
            (_, Severity::Critical) => "IMPORTANT",
            (_, Severity::Warning) => "PLEASE NOTE",
            (_, Severity::Info) => "FOR INFORMATION",
        }
    }

    /// `Important: Contoso Nord AB: 120% of the Azure budget for November used`.
    fn subject(&self) -> String {
        let urgent =
            if self.telling.alert.severity == Severity::Critical { "Important: " } else { "" };
        let (who, brief) = (&self.telling.who, in_subject(&self.measure()));
        match self.occasion {
            Occasion::New => format!("{urgent}{who}: {brief}"),
            Occasion::Reminder => format!("Reminder: {who}: {brief}"),
            Occasion::Resolved => format!("Resolved: {who}: {}", in_subject(&self.end())),
        }
    }

    /// `82.5 % of the Azure budget for November used`.
    fn measure(&self) -> String {
        let budget = format!(
            "the Azure budget for {}",
            self.telling.period.name.replacen("the period ", "", 1)
        );
        let cost = self.cost().map(|cost| format!(", {cost}")).unwrap_or_default();
        let measure = match self.status() {
            CustomerStatus::OverZero => {
                format!("Azure usage {} with a budget of 0", self.telling.period.cost)
            }
            CustomerStatus::Used(used) => format!("{} of {budget} used", percent(used)),
            CustomerStatus::Heading(value) => format!("heading for {} of {budget}", percent(value)),
            CustomerStatus::Ahead(value) => {
                format!("{budget} is used faster than the time goes by, {} ahead", points(value))
            }
            CustomerStatus::Rising(value) => {
                format!("Azure usage rises by {} of the budget a day", percent(value))
            }
            CustomerStatus::RisingFast => "Azure usage rises unusually fast".to_owned(),
            CustomerStatus::Stale(hours) => {
                format!("no new Azure usage for {}", whole_hours(hours))
            }
            CustomerStatus::Reached => {
                format!("Azure usage {} has reached a threshold", self.telling.period.cost)
            }
        };
        format!("{measure}{cost}")
    }

    /// What stands below the name: the cost where it may be seen.
    fn brief(&self) -> String {
        if self.figure().is_some() {
            self.cost().unwrap_or_else(|| self.telling.period.days.clone())
        } else {
            self.measure()
        }
    }

    fn figure(&self) -> Option<Figure> {
        let of_budget = format!("of {}", self.telling.period.budget);
        let (lead, number) = match self.status() {
            CustomerStatus::Used(used) => ("", percent(used)),
            CustomerStatus::Heading(value) => ("heading for", percent(value)),
            CustomerStatus::OverZero
            | CustomerStatus::Ahead(_)
            | CustomerStatus::Rising(_)
            | CustomerStatus::RisingFast
            | CustomerStatus::Stale(_)
            | CustomerStatus::Reached => return None,
        };
        Some(Figure { lead, number, unit: of_budget })
    }

    fn first(&self) -> String {
        let cost = self.cost().map(|cost| format!(" So far: {cost}.")).unwrap_or_default();
        match self.occasion {
            Occasion::New => format!("{}{cost}", self.sentence()),
            Occasion::Reminder => format!("Reminder: {}{cost}", self.sentence()),
            Occasion::Resolved => format!("{}.", capitalized(&self.end())),
        }
    }

    /// `Your Azure usage has reached 82.5 % of your November budget.`
    fn sentence(&self) -> String {
        let (budget, used) = (&self.telling.period.budget, self.percent_used());
        let used_of_it =
            used.map(|used| format!("; {} of {budget} is used", percent(used))).unwrap_or_default();
        match self.status() {
            CustomerStatus::OverZero => {
                format!("There is Azure usage {} although {budget} is 0.", self.telling.period.cost)
            }
            CustomerStatus::Used(used) if used > Decimal::ONE_HUNDRED => {
                format!("Your Azure usage has exceeded {budget}: {} of it is used.", percent(used))
            }
            CustomerStatus::Used(used) => {
                format!("Your Azure usage has reached {} of {budget}.", percent(used))
            }
            CustomerStatus::Heading(value) => format!(
                "If it goes on as so far, your Azure usage will reach {} of {budget}.",
                percent(value)
            ),
            CustomerStatus::Ahead(value) => {
                format!(
                    "Your Azure usage is {} ahead of {}{used_of_it}.",
                    points(value),
                    self.telling.period.kind
                )
            }
            CustomerStatus::Rising(value) => {
                format!("Your Azure usage rises by {} of {budget} a day.", percent(value))
            }
            CustomerStatus::RisingFast => {
                format!("Your Azure usage rises unusually fast{used_of_it}.")
            }
            CustomerStatus::Stale(hours) => {
                format!("Azure has reported no new usage of yours for {}.", whole_hours(hours))
            }
            CustomerStatus::Reached => format!(
                "Your Azure usage {} has reached a threshold that is watched.",
                self.telling.period.cost
            ),
        }
    }

    /// How old the data is, and what to do.
    pub(crate) fn second(&self) -> String {
        let advice = match (self.occasion, self.telling.alert.severity) {
            (Occasion::Resolved, _) => NOTHING_TO_DO.to_owned(),
            (_, Severity::Critical) => format!("{LOOK_AND_CONTACT} {}.", self.provider()),
            _ => format!("{CONTACT} {}.", self.provider()),
        };
        let (at, seen) = (
            self.telling.as_of(),
            if self.occasion == Occasion::New { self.telling.alert.raised_at } else { self.sent },
        );
        let age = self.telling.age_at(seen).map(|age| format!(" ({age})")).unwrap_or_default();
        let as_of = match self.occasion {
            Occasion::New => times::as_of_and_seen(at, seen, self.telling.zone),
            Occasion::Reminder | Occasion::Resolved => times::moment(at, seen, self.telling.zone),
        };
        format!("Usage as of {as_of}{age}. {advice}")
    }

    /// The partner by its name.
    fn provider(&self) -> String {
        self.partner().unwrap_or_else(|| PROVIDER.to_owned())
    }

    fn partner(&self) -> Option<String> {
        self.disclosed
            .partner
            .map(|partner| clean(&partner.name, 80))
            .filter(|name| !name.is_empty())
    }

    /// How the partner is reached: `Contoso Cloud, +46 8 123 45 67, support@partner.example`.
    pub(crate) fn contact(&self) -> Option<String> {
        let contact = self
            .disclosed
            .partner
            .and_then(|partner| partner.contact.as_deref())
            .map(|contact| clean(contact, 200));
        let parts: Vec<_> = [self.partner(), contact]
            .into_iter()
            .flatten()
            .filter(|part| !part.is_empty())
            .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// What ended it.
    fn end(&self) -> String {
        let at = self
            .percent_used()
            .map(|used| format!(": {} of your budget was used", percent(used)))
            .unwrap_or_default();
        let now = self
            .percent_used()
            .map(|used| format!(", {} of it is used", percent(used)))
            .unwrap_or_default();
        match self.ended {
            Some(Ended::Period) => format!("{} is over{at}", self.telling.period.name),
            Some(Ended::Budget) => format!("{} was changed{now}", self.telling.period.budget),
            Some(Ended::Expected) => "the unusual spending was expected".to_owned(),
            Some(Ended::NewNormal) => "the higher spending counts as usual now".to_owned(),
            Some(Ended::NewSeries) => "your currency or plan has changed".to_owned(),
            Some(Ended::Usual) => "your spending is usual again".to_owned(),
            Some(Ended::Answered | Ended::Unlisted) | None => format!(
                "your Azure usage is below the threshold again{}",
                now.replace("of it", "of your budget")
            ),
        }
    }

    fn rows(&self) -> Vec<Row> {
        let period = &self.telling.alert.billing_period;
        let share = self.telling.elapsed_share().filter(|_| {
            period.source != PeriodSource::Assumed && self.occasion != Occasion::Resolved
        });
        let over =
            share.map(|share| format!(", {} of it over", percent(share))).unwrap_or_default();
        let assumed = (period.source == PeriodSource::Assumed)
            .then_some("The billing period is assumed.".to_owned());
        let past = (self.sent >= period.end && self.occasion != Occasion::Resolved)
            .then_some("This billing period is over.".to_owned());
        let late = lateness(self.telling.alert.raised_at, self.sent)
            .filter(|_| self.occasion == Occasion::New);
        let notes: Vec<String> = [past, assumed, late].into_iter().flatten().collect();
        known([
            ("Spent", self.cost()),
            ("Where", self.telling.place().filter(|_| self.disclosed.show_cost)),
            ("Period", Some(format!("{}{over}", self.telling.period.days))),
            ("First told", (self.occasion != Occasion::New).then(|| self.since())),
            ("Note", Some(notes.join(" "))),
            ("Contact", self.contact()),
            ("Ref", Some(self.telling.reference())),
        ])
    }

    /// `45,000 of 5,000 SEK`, where the customer may see it.
    fn cost(&self) -> Option<String> {
        self.disclosed.show_cost.then(|| self.telling.cost_of_budget())
    }

    fn since(&self) -> String {
        times::moment(self.raised_at, self.sent, self.telling.zone)
    }

    /// The share of the budget that is used, where there is one.
    fn percent_used(&self) -> Option<Decimal> {
        let alert = self.telling.alert;
        let zero = alert.budget.as_ref().is_none_or(|budget| budget.amount.is_zero());
        alert
            .number()
            .filter(|_| alert.metric == Metric::PercentUsed)
            .or(alert.computed_percent)
            .filter(|_| !zero)
    }

    fn status(&self) -> CustomerStatus {
        let alert = self.telling.alert;
        let zero = alert.budget.as_ref().is_some_and(|budget| budget.amount.is_zero());
        match (alert.metric, alert.number()) {
            (Metric::StaleHours, Some(hours)) => CustomerStatus::Stale(hours),
            _ if zero && alert.cost.amount > Decimal::ZERO => CustomerStatus::OverZero,
            (Metric::ForecastPercent, Some(value)) => {
                CustomerStatus::Heading(self.telling.about(value))
            }
            (Metric::Pace, Some(value)) => CustomerStatus::Ahead(self.telling.about(value)),
            (Metric::DailyCost | Metric::Spike, _) => CustomerStatus::RisingFast,
            (Metric::DailyPercent, Some(value)) => CustomerStatus::Rising(value),
            _ => self.percent_used().map_or(CustomerStatus::Reached, CustomerStatus::Used),
        }
    }
}
