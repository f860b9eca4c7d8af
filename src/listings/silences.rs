//! A silence as JSON, and in the words that listings have for it.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::actions::{SilenceView, Until};
use crate::analysis::Hidden;
use crate::domain::{Alert, BillingPeriod, PeriodSource, Silence, Silenceable};
use crate::ledger::AlertRow;
use crate::listings::{Scale, words};
use crate::text::{clean, moment};

/// A silence in JSON.
#[derive(Serialize)]
pub(crate) struct SilenceRow {
    #[serde(flatten)]
    pub(crate) silence: SilenceView,
    /// Whether it covers anything now.
    pub(crate) in_force: bool,
    /// How many alerts it has hidden that are still silenced.
    pub(crate) silenced: usize,
}

impl SilenceRow {
    /// A silence; `hidden` are the alerts that are still silenced.
    pub(crate) fn of(silence: &Silence, hidden: &[AlertRow], now: Timestamp) -> Self {
        let hid = |row: &&AlertRow| {
            let alert = &row.snapshot.alert;
            silence.created_at <= alert.raised_at
                && silence.covers(&Silenceable::of(alert), alert.raised_at)
        };
        Self {
            silence: SilenceView::of(silence),
            in_force: silence.is_in_force(now),
            silenced: hidden.iter().filter(hid).count(),
        }
    }
}

/// `customers Contoso*, rules spend and pace`: whom and what it is about, and above which value it
/// is not.
pub(crate) fn scope(silence: &SilenceView) -> String {
    let named = |what: &str, globs: &[String]| match globs {
        [] => format!("all {what}s"),
        [one] => format!("{what} {}", clean(one, 80)),
        _ => format!(
            "{what}s {}",
            globs.iter().map(|glob| clean(glob, 80)).collect::<Vec<_>>().join(", ")
        ),
    };
    let unless =
        silence.unless_above.map(|limit| format!(", unless above {limit}")).unwrap_or_default();
    format!("{}, {}{unless}", named("customer", &silence.customers), named("rule", &silence.rules))
}

/// When it ends: a moment, or the end of a billing period, with that of Azure plans.
pub(crate) fn until(silence: &SilenceView, now: Timestamp, zone: &TimeZone) -> String {
    match (silence.expired_at, silence.until) {
        (Some(ended), _) => format!("{}, ended early", moment(ended, now, zone)),
        (None, Until::At(end)) => moment(end, now, zone),
        (None, Until::Word(_)) => {
            let month = BillingPeriod::calendar_month(silence.as_of, PeriodSource::CalendarMonth);
            format!(
                "the end of each customer's billing period ({} for Azure plans)",
                moment(month.end, now, zone)
            )
        }
    }
}

/// What a silence keeps silent of one customer and rule, in words.
pub(crate) struct HiddenLine {
    pub(crate) severity: &'static str,
    pub(crate) who: String,
    pub(crate) rule: String,
    pub(crate) value: String,
    pub(crate) step: String,
    /// Of its latest alert; empty where there is none.
    pub(crate) reference: String,
    /// Whether it was told, and what stops then.
    pub(crate) told: &'static str,
}

/// The same in words.
pub(crate) fn hidden(hidden: &Hidden) -> HiddenLine {
    let scale = Scale { metric: hidden.metric, currency: hidden.currency };
    let over_zero = || "cost over a budget of zero".to_owned();
    HiddenLine {
        severity: hidden.severity.as_str(),
        who: words::clean(&hidden.customer),
        rule: words::clean(&hidden.rule),
        value: hidden.value.map_or_else(over_zero, |value| scale.step(value)),
        step: scale.step(hidden.threshold),
        reference: hidden.alert.map(Alert::reference_of).unwrap_or_default(),
        told: match (hidden.told, hidden.reminds) {
            (true, true) => "already told: only reminders stop",
            (true, false) => "already told",
            (false, true) => "without reminders",
            (false, false) => "",
        },
    }
}
