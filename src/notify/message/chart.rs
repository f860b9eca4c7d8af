//! The chart of a billing period beside an alert: what it shows, and the words that say the same.
//! How it is drawn is in `drawing`.

use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::Serialize;

use crate::domain::{Metric, Point, Severity};
use crate::notify::message::budget_status::BudgetStatus;
use crate::notify::message::drawing::{Drawing, GRAY, HEIGHT, MARGIN, Place, Rgb, VIOLET, WIDTH};
use crate::notify::message::telling::AlertWording;
use crate::text::times;

/// The chart of a billing period, or of the days before a spike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Chart {
    #[serde(skip)]
    pub drawing: Drawing,
    /// The same in words, for whoever sees no pictures.
    pub alt: String,
    /// What its lines are.
    pub legend: Vec<Line>,
    /// What stands below its two ends: the first and the last day.
    pub ends: (String, String),
}

/// A line of the chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Line {
    /// Its color, as HTML has it.
    pub color: String,
    /// What it looks like, in a letter or two.
    pub sign: &'static str,
    /// What it is.
    pub text: String,
}

/// A projection that is more than this many times as high as all else leaves the chart through its
/// top.
const AHEAD_MOST: Decimal = Decimal::from_parts(3, 0, 0, false, 0);

impl AlertWording<'_> {
    /// The chart as of `sent`: of a spike the days before, else the period; none where less than two
    /// of its days or dates are known.
    pub(crate) fn chart(&self, sent: Timestamp) -> Option<Chart> {
        let of_days = self.alert.spike.and_then(|spike| self.daily_chart(&spike));
        of_days.or_else(|| self.chart_of_period(sent))
    }

    fn chart_of_period(&self, sent: Timestamp) -> Option<Chart> {
        let alert = self.alert;
        let last = Point { at: self.as_of(), cost: alert.cost.amount };
        let earlier = self.context.cost_history.iter().copied().filter(|point| point.at < last.at);
        let points: Vec<_> =
            earlier.chain([last]).filter(|point| alert.billing_period.holds(point.at)).collect();
        let first = *points.first().filter(|_| points.len() > 1)?;
        let budget = alert
            .budget
            .as_ref()
            .map(|budget| budget.amount)
            .filter(|amount| *amount > Decimal::ZERO);
        let step =
            self.step_in_money().filter(|step| *step > Decimal::ZERO && Some(*step) != budget);
        let ahead = self.projection(sent);
        let scale = Scale::of(
            self,
            points.iter().map(|point| point.cost).chain(budget).chain(step).max()?,
            ahead,
        );
        let color = mid_tone(alert.severity);
        let drawing = Drawing {
            color,
            line: points.iter().map(|point| scale.place(*point)).collect::<Option<_>>()?,
            ahead: ahead.and_then(|cost| Some((WIDTH.saturating_sub(MARGIN), scale.height(cost)?))),
            budget: budget.and_then(|amount| scale.height(amount)),
            step: step.and_then(|amount| scale.height(amount)),
            band: None,
        };
        let date = |at: Timestamp| times::brief_moment(at, sent, self.zone);
        let lines = [
            Some((color, "━", format!("cost {}", self.money(last.cost)))),
            ahead.map(|cost| {
                (
                    color,
                    "┅",
                    format!("at this pace {} by {}", self.estimate(cost), self.period.last_day),
                )
            }),
            budget.map(|amount| (GRAY, "━", format!("budget {}", self.money(amount)))),
            step.map(|amount| (VIOLET, "╍", format!("step {}", self.step_in_words(amount)))),
        ];
        let legend: Vec<_> = lines
            .into_iter()
            .flatten()
            .map(|(color, sign, text)| Line { color: html(color), sign, text })
            .collect();
        let rest =
            legend.iter().skip(1).map(|line| line.text.as_str()).collect::<Vec<_>>().join(", ");
        let (from, to) = (self.money(first.cost), self.money(last.cost));
        let alt = format!(
            "Chart of {}: {from} on {}, {to} on {}; {rest}.",
            self.period.name,
            date(first.at),
            date(last.at)
        );
        let first_day = self.period.first_day.clone();
        Some(Chart { drawing, alt, legend, ends: (first_day, self.period.last_day.clone()) })
    }

    /// The step as a cost, where it is one.
    fn step_in_money(&self) -> Option<Decimal> {
        let at = self.alert.threshold;
        let budget = self.alert.budget.as_ref().map(|budget| budget.amount);
        match self.alert.metric {
            Metric::PercentUsed | Metric::ForecastPercent => {
                budget?.checked_mul(at)?.checked_div(Decimal::ONE_HUNDRED)
            }
            Metric::AmountOver => budget?.checked_add(at),
            Metric::AmountLeft => budget?.checked_sub(at),
            Metric::TotalCost | Metric::UnbudgetedCost => Some(at),
            Metric::Pace
            | Metric::UsdTotalCost
            | Metric::DailyCost
            | Metric::DailyPercent
            | Metric::Spike
            | Metric::StaleHours
            | Metric::SecurityAlertHours => None,
        }
    }

    /// `80 %: 4,000 SEK`; the amount alone where the step is one.
    fn step_in_words(&self, amount: Decimal) -> String {
        let (step, cost) = (self.on_scale(self.alert.threshold), self.money(amount));
        if step == cost { cost } else { format!("{step}: {cost}") }
    }

    /// The cost at the period's end at this pace, as the rows beside the chart say it.
    #[expect(clippy::wildcard_enum_match_arm, reason = "every other cost goes on as it went")]
    fn projection(&self, sent: Timestamp) -> Option<Decimal> {
        let told = match self.budget_status() {
            BudgetStatus::Heading(_) => self.forecast_cost(),
            BudgetStatus::Stale(_) => None,
            _ => self.pace_forecast(sent),
        };
        told.filter(|cost| *cost >= self.alert.cost.amount)
    }
}

/// Where a date and a cost stand in the picture.
pub(super) struct Scale {
    start: i64,
    length: i64,
    most: Decimal,
}

impl Scale {
    fn of(telling: &AlertWording<'_>, highest: Decimal, ahead: Option<Decimal>) -> Self {
        let period = &telling.alert.billing_period;
        let most = ahead
            .filter(|ahead| *ahead <= highest.saturating_mul(AHEAD_MOST))
            .unwrap_or(highest)
            .max(highest);
        Self {
            start: period.start.as_second(),
            length: times::seconds_between(period.start, period.end),
            most,
        }
    }

    /// From one instant to another, with room for a cost of `most`.
    pub(super) fn between(first: Timestamp, last: Timestamp, most: Decimal) -> Self {
        let length = times::seconds_between(first, last);
        Self { start: first.as_second(), length, most }
    }

    pub(super) fn place(&self, point: Point) -> Option<Place> {
        let passed = Decimal::from(point.at.as_second().saturating_sub(self.start));
        let wide = Decimal::from(WIDTH.saturating_sub(2 * MARGIN));
        let x =
            passed.checked_mul(wide)?.checked_div(Decimal::from(self.length))?.round().to_i16()?;
        Some((x.saturating_add(MARGIN), self.height(point.cost)?))
    }

    /// From the top; above it for what is higher than all that the picture has room for.
    pub(super) fn height(&self, cost: Decimal) -> Option<i16> {
        let floor = HEIGHT.saturating_sub(MARGIN);
        let high = Decimal::from(floor.saturating_sub(2 * MARGIN));
        let up = cost
            .max(Decimal::ZERO)
            .checked_div(self.most)?
            .min(Decimal::TEN)
            .checked_mul(high)?
            .round()
            .to_i16()?;
        Some(floor.saturating_sub(up))
    }
}

/// A severity's color, between light and dark.
pub(super) fn mid_tone(severity: Severity) -> Rgb {
    match severity {
        Severity::Critical => Rgb(0xe5, 0x48, 0x4d),
        Severity::Warning => Rgb(0xd9, 0x77, 0x06),
        Severity::Info => Rgb(0x4b, 0x83, 0xf5),
    }
}

pub(super) fn html(Rgb(red, green, blue): Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}
