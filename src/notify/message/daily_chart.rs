//! The chart beside a spike: what each of the days before has cost, over the band of what is usual.

use rust_decimal::Decimal;

use crate::domain::Point;
use crate::domain::spike::SpikeView;
use crate::notify::message::chart::{Chart, Line, Scale, html, mid_tone};
use crate::notify::message::drawing::{Drawing, GRAY, HEIGHT, MARGIN};
use crate::notify::message::spike::{day_start, long_day, short_day};
use crate::notify::message::telling::AlertWording;

/// A band is at least so high in pixels, to be seen where all days have cost the same.
const THINNEST: i16 = 26;

/// The costs a day that half of the days before lie between, and the usual one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Band {
    low: Decimal,
    high: Decimal,
}

impl AlertWording<'_> {
    /// The chart of the days before a spike; none where less than two of them are known.
    pub(super) fn daily_chart(&self, spike: &SpikeView) -> Option<Chart> {
        let last = Point { at: day_start(spike.day)?, cost: spike.rate };
        let before: Vec<Point> =
            self.context.days.iter().copied().filter(|day| day.at < last.at).collect();
        let first = *before.first().filter(|_| before.len() > 1)?;
        let band = Band::of(&before, spike.usual);
        let days: Vec<Point> = before.into_iter().chain([last]).collect();
        let most = days.iter().map(|day| day.cost).max()?.max(band.high);
        let scale = Scale::between(first.at, last.at, most);
        let color = mid_tone(self.alert.severity);
        let drawing = Drawing {
            color,
            line: days.iter().map(|day| scale.place(*day)).collect::<Option<_>>()?,
            ahead: None,
            budget: None,
            step: None,
            band: Some(thickened(scale.height(band.high)?, scale.height(band.low)?)),
        };
        let usual = format!("usual {} a day", self.range(band));
        let cost = format!("cost a day, {} on {}", self.money(spike.rate), long_day(spike.day));
        let from = short_day(first.at.to_zoned(jiff::tz::TimeZone::UTC).date());
        let alt = format!("Chart of the days since {from}: {cost}; {usual}.");
        let line = |color, sign, text| Line { color: html(color), sign, text };
        let legend = vec![line(color, "━", cost), line(GRAY, "▒", usual)];
        Some(Chart { drawing, alt, legend, ends: (from, short_day(spike.day)) })
    }

    /// `40 EUR`, `35 to 45 EUR`.
    fn range(&self, band: Band) -> String {
        if band.low == band.high {
            return self.money(band.low);
        }
        format!("{} to {}", crate::text::amounts::amount(band.low), self.money(band.high))
    }
}

impl Band {
    /// Of at least one day.
    fn of(days: &[Point], usual: Decimal) -> Self {
        let mut rates: Vec<Decimal> = days.iter().map(|day| day.cost).collect();
        rates.sort_unstable();
        let at = |place: usize| rates.get(place).copied().unwrap_or(usual);
        let quarter = rates.len() / 4;
        let last = rates.len().saturating_sub(1);
        Self { low: at(quarter).min(usual), high: at(last.saturating_sub(quarter)).max(usual) }
    }
}

/// From the top to the foot of a band in pixels; it stays above the floor of the picture.
fn thickened(top: i16, foot: i16) -> (i16, i16) {
    let missing = THINNEST.saturating_sub(foot.saturating_sub(top)).max(0);
    let foot = foot.saturating_add(missing / 2).min(HEIGHT.saturating_sub(MARGIN));
    (top.min(foot.saturating_sub(THINNEST)), foot)
}
