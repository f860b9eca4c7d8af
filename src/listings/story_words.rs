//! The words for a customer's usage, budget and billing period, and for where its alerts stand.

use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use crate::budgets::{BudgetOddity, Prefer};
use crate::domain::{Alert, AlertState, Assessed, Budget, PeriodSource, Plan, rounded};
use crate::ledger::AlertRow;
use crate::listings::Tone;
use crate::listings::story::Story;
use crate::text::{PeriodWords, clean, moment, money, percent, seconds_between, span};

/// Its cost, of which date and when it was read.
pub(crate) fn usage(
    story: &Story,
    zone: &TimeZone,
    paint: fn(Tone, &str) -> String,
) -> Vec<String> {
    let assessed = &story.explanation.assessed;
    let record = &assessed.record;
    let usd = record
        .usd_cost
        .filter(|usd| !usd.is_zero())
        .map(|usd| format!(", {} USD", money(usd, None)))
        .unwrap_or_default();
    let as_of = record.usage_as_of.instant();
    let age = seconds_between(as_of, story.now);
    let age = if age < 0 { "ahead of now".to_owned() } else { format!("{} old", span(age)) };
    let mut lines = vec![
        format!("{}{usd}{}", money(record.cost, assessed.currency), exactly(record.cost)),
        format!(
            "as of {} ({age}), read {}",
            moment(as_of, story.now, zone),
            moment(story.seen.seen_at, story.now, zone)
        ),
    ];
    if assessed.currency.is_none() {
        lines.push(
            "the currency is unknown: legacy records name none, and neither [customers] nor \
            legacy_currency does"
                .to_owned(),
        );
    }
    lines.extend(story.missing_since.map(|since| {
        let missing = paint(Tone::Uneasy, "no longer reported");
        format!(
            "{missing}: good polls had no record of it since {}; nothing is concluded from that",
            moment(since, story.now, zone)
        )
    }));
    lines
}

/// All digits, where people are shown fewer.
fn exactly(cost: Decimal) -> String {
    if rounded(cost, 2) == cost && cost.abs() < Decimal::ONE_THOUSAND {
        String::new()
    } else {
        format!("; exactly {cost}")
    }
}

/// The budget in force, and why another one is not.
pub(crate) fn budget(story: &Story, prefer: Prefer, zone: &TimeZone) -> Vec<String> {
    let assessed = &story.explanation.assessed;
    let mut lines = vec![match &assessed.budget {
        None => "none, in Partner Center or locally".to_owned(),
        Some(budget) => format!("{}{}", in_words(budget), used(assessed)),
    }];
    lines.extend(assessed.other_budget.as_ref().map(|other| {
        let prefer = if prefer == Prefer::Local { "local" } else { "partner-center" };
        format!("{} does not count, since prefer = \"{prefer}\"", in_words(other))
    }));
    lines.extend(story.pushed.as_ref().map(|pushed| {
        let at = moment(pushed.at, story.now, zone);
        let money = money(pushed.amount, Some(pushed.currency));
        format!("{money} pushed on {at}, not yet in the usage data")
    }));
    lines.extend(story.explanation.oddity.map(|oddity| match oddity {
        BudgetOddity::CurrencyClash { local, record } => {
            format!("the local budget is in {local} and the usage in {record}: it is not used")
        }
        BudgetOddity::CurrencyUnknown { local } => {
            format!("the local budget in {local} is held against a cost of unknown currency")
        }
    }));
    lines
}

/// `5,000 SEK from Partner Center`.
pub(crate) fn in_words(budget: &Budget) -> String {
    format!("{} from {}", money(budget.amount(), budget.currency()), budget.source().in_words())
}

/// `: 602.84 % used`, both percentages where they disagree.
fn used(assessed: &Assessed) -> String {
    match (assessed.reported_percent(), assessed.computed_percent) {
        (Some(reported), Some(computed)) if assessed.percents_disagree() => {
            let (reported, computed) = (percent(reported), percent(computed));
            format!(
                ": Partner Center reports {reported} used, cost and budget give {computed}; the \
                    larger counts"
            )
        }
        (_, Some(computed)) => format!(": {} used", percent(computed)),
        _ => String::new(),
    }
}

/// The billing period, and how it is known.
pub(crate) fn period(story: &Story, zone: &TimeZone) -> Vec<String> {
    let assessed = &story.explanation.assessed;
    let period = &assessed.period;
    let how = match (period.source, assessed.record.plan) {
        (PeriodSource::SubscriptionSummary, Plan::AzurePlan) => {
            "the calendar month in UTC, as Partner Center's usage summary confirmed"
        }
        (PeriodSource::SubscriptionSummary, Plan::Legacy) => {
            "as Partner Center's usage summary named it"
        }
        (PeriodSource::CalendarMonth, _) => "the calendar month in UTC, as for every Azure plan",
        (PeriodSource::Assumed, _) if !story.seen.named.is_empty() => {
            "assumed: the last known period, moved by whole months"
        }
        (PeriodSource::Assumed, _) => {
            "assumed: the calendar month, until Partner Center names the true one"
        }
    };
    let mut lines = vec![format!("{}, {how}", PeriodWords::of(period, story.now).days)];
    let end = moment(period.end, story.now, zone);
    lines.push(if period.end <= story.now {
        format!("over since {end}; no newer usage was read")
    } else {
        format!("ends {end}")
    });
    if assessed.carried_over {
        lines.push(
            "the data is dated in the next period, but repeats the cost of this one: taken \
            for late data of it"
                .to_owned(),
        );
    }
    lines
}

/// What was noted with an acknowledgement, unless it is said of a spike.
pub(crate) fn note(row: &AlertRow) -> String {
    let note = row.note.as_ref().filter(|_| row.marked.is_none());
    note.map(|note| format!(": {}", clean(note, 300))).unwrap_or_default()
}

/// `raised Sat 14 Nov 18:08 CET`; what became of it since, as of today.
pub(crate) fn state(alert: &Alert, raised: &str, past: bool) -> String {
    match (alert.state, past) {
        (AlertState::Raised, _) => format!("raised {raised}"),
        (state, false) => format!("raised {raised}, {}", state.as_str()),
        (state, true) => format!("raised {raised}; today {}", state.as_str()),
    }
}
