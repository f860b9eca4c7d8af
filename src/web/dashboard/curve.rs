//! The cost over a billing period as SVG: against budget, steps and forecast, the alerts as marks
//! on it, the periods before behind it.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use crate::alerting::NewSample;
use crate::domain::{
    Alert, BillingPeriod, Currency, Metric, MetricValue, PeriodSource, Point, Severity, Verdict,
    cost_history,
};
use crate::listings::story::Story;
use crate::text::amounts::estimate;
use crate::text::{PeriodWords, money};

/// The size, in units of the picture.
pub(super) const WIDTH: i64 = 900;
pub(super) const HEIGHT: i64 = 300;
/// What stays free above and below.
const MARGIN: i64 = 14;
/// How high a line of text is, on a telephone.
const LINE: i64 = 30;
/// How many periods before are shown.
const BEFORE: usize = 2;

/// The picture and what its lines are.
pub(super) struct Curve {
    pub(super) width: i64,
    pub(super) height: i64,
    /// The same in words.
    pub(super) words: String,
    /// Paths of SVG.
    pub(super) line: String,
    pub(super) before: Vec<String>,
    pub(super) ahead: Option<String>,
    /// The height of the budget, of the steps.
    pub(super) budget: Option<i64>,
    pub(super) steps: Vec<i64>,
    pub(super) labels: Vec<Label>,
    pub(super) marks: Vec<Mark>,
    /// What each kind of line is called in the style sheet, and what it is.
    pub(super) legend: Vec<(&'static str, String)>,
    /// The first day and the last.
    pub(super) ends: (String, String),
}

/// What a step is called, beside its line.
pub(super) struct Label {
    /// How far down, in percent of the picture.
    pub(super) percent: i64,
    pub(super) words: String,
}

/// An alert on the line.
pub(super) struct Mark {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) severity: &'static str,
    pub(super) words: String,
}

/// What everything is measured by.
struct Scale {
    period: BillingPeriod,
    top: Decimal,
}

/// The picture; none where less than two dates of the period are known.
pub(super) fn curve(story: &Story) -> Option<Curve> {
    let assessed = &story.explanation.assessed;
    let (period, currency) = (assessed.period, assessed.currency);
    let points = through_alerts(points_in(&story.dates, &period), story);
    let last = *points.last().filter(|_| points.len() > 1)?;
    let budget = assessed.budget.as_ref().map(crate::domain::Budget::amount);
    let earlier = periods_before(story);
    let highest = points.iter().map(|point| point.cost).max()?;
    let over = earlier.iter().flat_map(|(_, points)| points.iter().map(|point| point.cost));
    let ahead = forecast(story).filter(|_| period.end > story.now);
    // The budget is what everything is held against. What else lies far above would press both
    // flat: it leaves the picture.
    let held_against = budget.unwrap_or_default().max(highest);
    let near = |amount: &Decimal| *amount <= held_against.saturating_mul(Decimal::from(3));
    let scale = Scale { period, top: over.chain(ahead).filter(near).chain([held_against]).max()? };
    let steps: Vec<(Decimal, i64)> = steps(story, budget)
        .into_iter()
        .filter(|(_, cost)| Some(*cost) != budget && *cost <= scale.top)
        .map(|(at, cost)| (at, scale.y(cost)))
        .collect();
    let words = PeriodWords::of(&period, story.now);
    Some(Curve {
        width: WIDTH,
        height: HEIGHT,
        words: in_words(&points, budget, currency, &words),
        line: scale.path(&points),
        before: earlier.iter().map(|(own, points)| scale.path_of(own, points)).collect(),
        ahead: ahead.map(|cost| {
            let (x, y) = (scale.x(last.at), scale.y(last.cost));
            format!("M{x} {y}L{WIDTH} {}", scale.above(cost))
        }),
        budget: budget.map(|budget| scale.y(budget)),
        labels: labels(&steps, budget.map(|budget| scale.y(budget))),
        steps: steps.into_iter().map(|(_, height)| height).collect(),
        marks: marks(story, &scale),
        legend: legend(story, budget, ahead, !earlier.is_empty()),
        ends: (words.first_day, words.last_day),
    })
}

fn in_words(
    points: &[Point],
    budget: Option<Decimal>,
    currency: Option<Currency>,
    period: &PeriodWords,
) -> String {
    let cost =
        |point: Option<&Point>| point.map(|point| money(point.cost, currency)).unwrap_or_default();
    let budget = budget.map(|budget| format!(", budget {}", money(budget, currency)));
    let (first, last) = (cost(points.first()), cost(points.last()));
    format!("Cost of {}: from {first} to {last}{}", period.name, budget.unwrap_or_default())
}

fn legend(
    story: &Story,
    budget: Option<Decimal>,
    ahead: Option<Decimal>,
    earlier: bool,
) -> Vec<(&'static str, String)> {
    let assessed = &story.explanation.assessed;
    let currency = assessed.currency;
    let unit = currency.map(|currency| format!(" {currency}")).unwrap_or_default();
    let days = PeriodWords::of(&assessed.period, story.now);
    [
        Some(("line", format!("cost {}", money(assessed.record.cost, currency)))),
        budget.map(|budget| ("budget", format!("budget {}", money(budget, currency)))),
        ahead.map(|cost| {
            let cost = estimate(cost);
            ("ahead", format!("at this pace {cost}{unit} by {}", days.last_day))
        }),
        (!story.alerts.is_empty()).then(|| ("mark", "alert".to_owned())),
        earlier.then(|| ("before", "the periods before".to_owned())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Scale {
    fn x(&self, at: Timestamp) -> i64 {
        part(&self.period, at)
    }

    /// Where a cost stands, within the picture.
    fn y(&self, cost: Decimal) -> i64 {
        self.above(cost).max(MARGIN)
    }

    /// Where a cost stands, which may be above the picture.
    fn above(&self, cost: Decimal) -> i64 {
        let most = HEIGHT.saturating_sub(2 * MARGIN);
        let share = cost.max(Decimal::ZERO).checked_div(self.top).unwrap_or_default();
        let up = share.saturating_mul(Decimal::from(most)).round().to_i64().unwrap_or(most);
        HEIGHT.saturating_sub(MARGIN).saturating_sub(up.clamp(0, 3 * most))
    }

    fn path(&self, points: &[Point]) -> String {
        self.path_of(&self.period, points)
    }

    /// The line of another period, laid over this one.
    fn path_of(&self, own: &BillingPeriod, points: &[Point]) -> String {
        let mut path = String::new();
        for (index, point) in points.iter().enumerate() {
            let letter = if index == 0 { 'M' } else { 'L' };
            // Writing to a text cannot fail.
            let _written =
                write!(path, "{letter}{} {}", part(own, point.at), self.above(point.cost));
        }
        path
    }
}

/// How far into a period an instant lies, across the picture.
fn part(period: &BillingPeriod, at: Timestamp) -> i64 {
    let whole = period.end.duration_since(period.start).as_secs().max(1);
    let passed = at.duration_since(period.start).as_secs().saturating_mul(WIDTH);
    passed.checked_div(whole).unwrap_or_default().clamp(0, WIDTH)
}

/// The dates of the data in a period, oldest first, few enough to be drawn.
fn points_in(dates: &[NewSample], period: &BillingPeriod) -> Vec<Point> {
    let own = dates.iter().rev().filter(|sample| !sample.carried_over);
    cost_history(period, own.map(|sample| Point { at: sample.usage_as_of, cost: sample.cost }))
}

/// The periods before of which dates are known, each as long as this one where that is not known
/// better.
fn periods_before(story: &Story) -> Vec<(BillingPeriod, Vec<Point>)> {
    let period = story.explanation.assessed.period;
    let calendar = period.same_span(&BillingPeriod::calendar_month(period.start, period.source));
    let mut found = Vec::new();
    let mut start = period.start;
    let length = period.end.duration_since(period.start);
    for _ in 0..BEFORE {
        let Ok(within) = start.checked_sub(SignedDuration::from_secs(1)) else { break };
        let own = if calendar {
            BillingPeriod::calendar_month(within, PeriodSource::Assumed)
        } else {
            let Ok(first) = start.checked_sub(length) else { break };
            BillingPeriod { start: first, end: start, source: PeriodSource::Assumed }
        };
        let points = points_in(&story.dates, &own);
        start = own.start;
        if points.len() > 1 {
            found.push((own, points));
        }
    }
    found
}

fn forecast(story: &Story) -> Option<Decimal> {
    let inputs = story.explanation.assessed.inputs();
    Metric::ForecastPercent.formula_inputs(&inputs)?.forecast_cost
}

/// The steps of rules about the share of the budget, with their costs: those raised or passed, and
/// the next.
fn steps(story: &Story, budget: Option<Decimal>) -> Vec<(Decimal, Decimal)> {
    let of_budget =
        |at: Decimal| Some((at, budget?.checked_mul(at)?.checked_div(Decimal::ONE_HUNDRED)?));
    let rules = &story.explanation.rules;
    let mut steps: Vec<(Decimal, Decimal)> = Vec::new();
    for account in rules.iter().filter(|account| account.rule.metric == Metric::PercentUsed) {
        let next = match &account.verdict {
            Verdict::Below { next_at, .. } => Some(*next_at),
            Verdict::Crossed { crossing, .. } => crossing.next_at,
            Verdict::NotApplicable(_) => None,
        };
        let spent = account.spent.iter().map(|step| step.at);
        steps.extend(spent.chain(next).filter_map(of_budget));
    }
    steps.sort_unstable();
    steps.dedup();
    steps
}

/// The names of steps, from the lowest on, those left out that would stand in another or in the line
/// of the budget.
fn labels(steps: &[(Decimal, i64)], budget: Option<i64>) -> Vec<Label> {
    let mut free = HEIGHT;
    let mut labels = Vec::new();
    for (at, height) in steps {
        let covers = |line: i64| (height.saturating_sub(LINE)..=*height).contains(&line);
        if *height <= free && !budget.is_some_and(covers) {
            free = height.saturating_sub(LINE);
            let percent = height.saturating_mul(100).checked_div(HEIGHT).unwrap_or_default();
            labels.push(Label { percent, words: crate::text::percent(*at) });
        }
    }
    labels
}

/// The line also goes through its alerts, whose dates may be among those that are not drawn.
fn through_alerts(mut points: Vec<Point>, story: &Story) -> Vec<Point> {
    for alert in alerts_on_it(story) {
        let at = alert.usage_as_of.instant();
        if let Err(place) = points.binary_search_by_key(&at, |point| point.at) {
            points.insert(place, Point { at, cost: alert.cost.amount });
        }
    }
    points
}

/// The alerts about the cost that is drawn.
fn alerts_on_it(story: &Story) -> impl Iterator<Item = &Alert> {
    let period = story.explanation.assessed.period;
    let own = story.alerts.iter().map(|alert| &alert.row.snapshot.alert);
    let about_it = own.filter(|alert| alert.subscription.is_none() && alert.has_usage());
    about_it.filter(move |alert| period.holds(alert.usage_as_of.instant()))
}

fn marks(story: &Story, scale: &Scale) -> Vec<Mark> {
    alerts_on_it(story)
        .map(|alert| Mark {
            x: scale.x(alert.usage_as_of.instant()),
            y: scale.y(alert.cost.amount),
            severity: alert.severity.as_str(),
            words: mark_in_words(alert.severity, &alert.reference, alert.value),
        })
        .collect()
}

fn mark_in_words(severity: Severity, reference: &str, value: Option<MetricValue>) -> String {
    let value = value.and_then(MetricValue::number);
    let value = value.map(|value| format!(" at {}", crate::text::amount(value)));
    format!("{} {reference}{}", severity.as_str(), value.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_step_is_named_within_another_name_or_the_line_of_the_budget() {
        let steps = [(80, 250), (200, 200), (300, 180), (400, 160)];
        let steps = steps.map(|(at, height)| (Decimal::from(at), height));
        let named = |budget| {
            let labels = labels(&steps, budget);
            let words: Vec<_> = labels.into_iter().map(|label| label.words).collect();
            words.join(" ")
        };
        assert_eq!(named(None), "80 % 200 % 400 %");
        assert_eq!(named(Some(230)), "200 % 400 %");
    }
}
