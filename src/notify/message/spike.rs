//! How a spike is told: so many times the usual, on which day, and by which numbers.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::domain::spike::SpikeView;
use crate::notify::message::telling::AlertWording;
use crate::text::amounts::amount;

impl AlertWording<'_> {
    /// `31 times the usual`; none where nothing was spent before.
    pub(super) fn times_the_usual(spike: &SpikeView) -> Option<String> {
        spike.times.map(|times| format!("{} times the usual", amount(times)))
    }

    /// `31 times the usual: 1,240 EUR on 14 Nov (usually 40)`.
    pub(super) fn spike_measure(&self, spike: &SpikeView) -> String {
        let spent = self.spent_on_day(spike);
        Self::times_the_usual(spike)
            .map_or_else(|| spent.clone(), |times| format!("{times}: {spent}"))
    }

    /// `1,240 EUR on 14 Nov (usually 40)`.
    pub(super) fn spent_on_day(&self, spike: &SpikeView) -> String {
        let usual = if spike.usual.is_zero() { "nothing".to_owned() } else { amount(spike.usual) };
        format!("{} on {} (usually {usual})", self.money(spike.rate), short_day(spike.day))
    }

    /// `On Sat 14 Nov Fabrikam spent about 1,240 EUR; 40 is usual (median of 34 days), 1,200 more than usual.`
    pub(super) fn spike_line(&self, spike: &SpikeView) -> String {
        let (who, money) = (&self.who, self.money(spike.rate));
        format!("On {} {who} spent about {money}{}.", long_day(spike.day), beside_usual(spike))
    }

    /// `spent about 1,240 EUR on Sat 14 Nov; 40 is usual (median of 34 days), 1,200 more than usual`.
    pub(super) fn spike_predicate(&self, spike: &SpikeView) -> String {
        let (money, day) = (self.money(spike.rate), long_day(spike.day));
        format!("spent about {money} on {day}{}", beside_usual(spike))
    }

    /// `1,240 − 40 EUR = 1,200 EUR more than usual; at least 100 EUR, and more than 10 % above the
    /// highest of the days before, 16.47 EUR`.
    pub(super) fn spike_formula(&self) -> Option<String> {
        let SpikeView { rate, usual, excess, highest_earlier_excess, floor, .. } =
            self.alert.spike?;
        let (usual, excess, floor) = (self.money(usual), self.money(excess), self.money(floor));
        let highest = self.money(highest_earlier_excess);
        Some(format!(
            "{} − {usual} = {excess} more than usual; it must be {floor}, and over 10 % above the \
                highest of the days before, {highest}",
            amount(rate)
        ))
    }
}

/// `; 40 is usual (median of 34 days), 1,200 more than usual`.
fn beside_usual(spike: &SpikeView) -> String {
    let SpikeView { usual, excess, days, .. } = spike;
    if usual.is_zero() {
        return format!("; usually it is nothing (median of {days} days)");
    }
    format!(
        "; {} is usual (median of {days} days), {} more than usual",
        amount(*usual),
        amount(*excess)
    )
}

/// Where a day begins.
pub(super) fn day_start(day: Date) -> Option<Timestamp> {
    Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// `14 Nov`.
pub(super) fn short_day(day: Date) -> String {
    day.strftime("%-d %b").to_string()
}

/// `Sat 14 Nov`.
pub(super) fn long_day(day: Date) -> String {
    day.strftime("%a %-d %b").to_string()
}
