//! What one rule makes of a customer, in sentences.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use crate::analysis::RuleAccount;
use crate::domain::spike::Reading;
use crate::domain::{
    Alert, Assessed, FormulaInputs, Metric, Rearm, Reason, Silence, SpikeReading, Verdict, utc_day,
};
use crate::listings::{Scale, Tone, words};
use crate::text::{clean, moment, percent};

/// What a rule is told beside.
pub(crate) struct Beside<'a> {
    /// When it is told, or the earlier time that it is told of.
    pub(crate) now: Timestamp,
    /// Whether that is an earlier time.
    pub(crate) past: bool,
    /// For times.
    pub(crate) zone: &'a TimeZone,
    /// How a word is shown in a tone.
    pub(crate) paint: fn(Tone, &str) -> String,
}

/// The lines of one rule: what it says of the record and from which numbers, what comes of it, what
/// would make it alert again.
pub(crate) fn lines(
    account: &RuleAccount,
    assessed: &Assessed,
    beside: &Beside<'_>,
) -> Vec<String> {
    let scale = Scale { metric: account.rule.metric, currency: assessed.currency };
    let name = (beside.paint)(Tone::Strong, &words::clean(&account.rule.name));
    let mut lines = match &account.verdict {
        Verdict::NotApplicable(reason) => vec![if reason.is_not_applicable() {
            format!("  {name} does not apply: {reason}")
        } else {
            format!("  {name} is silent: {reason}")
        }],
        Verdict::Below { value, next_at } => vec![format!(
            "  {name}: {}; its first step is {}",
            scale.value(*value),
            scale.step(*next_at)
        )],
        Verdict::Crossed { value, crossing } => {
            let value = scale.value_or_over_zero(*value);
            let reached = crossing.highest().map(|step| scale.step(step.at)).unwrap_or_default();
            let next = crossing
                .next_at
                .map(|at| format!(", the next one is {}", scale.step(at)))
                .unwrap_or_default();
            vec![
                format!("  {name}: {value}; step {reached} is reached{next}"),
                format!("    {}", outcome(account, scale, beside)),
            ]
        }
    };
    let formula =
        account.inputs.as_ref().and_then(|inputs| formula(inputs, assessed, scale, beside));
    let read = account.spike.as_ref().map(|spike| read_of_day(spike, scale));
    if let Some(formula) = formula.or(read) {
        lines.insert(1, format!("    {formula}"));
    }
    lines.extend(
        account.silences.iter().map(|silence| format!("    {}", silenced(silence, beside))),
    );
    lines.extend(spent(account, scale).into_iter().map(|line| format!("    {line}")));
    lines.extend(again(account, assessed, scale).map(|line| format!("    {line}")));
    lines
}

/// What a rule about spikes has read of the day.
fn read_of_day(spike: &SpikeReading, scale: Scale) -> String {
    let Reading { day, rate, usual, days, same_weekday, highest_earlier_excess, .. } =
        &spike.reading;
    let money = |value: Decimal| scale.amount(value);
    format!(
        "{} on {}; usually {} (median of {days} days, {same_weekday} of that weekday): {} more; \
            the floor is {}, the largest earlier excess was {}",
        money(*rate),
        day.strftime("%a %-d %b %Y"),
        money(*usual),
        money(spike.reading.excess()),
        money(spike.floor.0),
        money(*highest_earlier_excess)
    )
}

/// What the value was computed from, where cost and budget alone do not say it.
fn formula(
    inputs: &FormulaInputs,
    assessed: &Assessed,
    scale: Scale,
    beside: &Beside<'_>,
) -> Option<String> {
    let FormulaInputs {
        elapsed_hours,
        period_hours,
        forecast_cost,
        percent_used,
        percent_elapsed,
        since,
        since_cost,
        hours,
        daily_cost,
    } = inputs;
    let cost = scale.amount(assessed.record.cost);
    if let (Some(elapsed), Some(period), Some(forecast)) =
        (elapsed_hours, period_hours, forecast_cost)
    {
        return Some(format!(
            "{cost} in {elapsed} of {period} hours comes to {}",
            scale.amount(*forecast)
        ));
    }
    if let (Some(used), Some(elapsed)) = (percent_used, percent_elapsed) {
        return Some(format!(
            "{} of the budget used, {} of the period over",
            percent(*used),
            percent(*elapsed)
        ));
    }
    let (since, from, hours, daily) =
        (since.as_ref()?, since_cost.as_ref()?, hours.as_ref()?, daily_cost.as_ref()?);
    let (from, daily) = (scale.amount(*from), scale.amount(*daily));
    Some(format!(
        "from {from} to {cost} in {hours} hours since {}: {daily} a day",
        moment(*since, beside.now, beside.zone)
    ))
}

/// `silenced by alice (uid 1000) until …: migration (silence 3)`.
fn silenced(silence: &Silence, beside: &Beside<'_>) -> String {
    let until = silence.ends_at.map_or_else(
        || "the end of the billing period".to_owned(),
        |end| moment(end, beside.now, beside.zone),
    );
    let unless =
        silence.unless_above.map(|limit| format!(", unless above {limit}")).unwrap_or_default();
    let (who, why) = (words::clean(&silence.author), clean(&silence.reason, 300));
    format!(
        "{} by {who} until {until}{unless}: {why} (silence {})",
        (beside.paint)(Tone::Uneasy, "silenced"),
        silence.id
    )
}

/// What comes of the steps reached.
fn outcome(account: &RuleAccount, scale: Scale, beside: &Beside<'_>) -> String {
    let why = why(account.reason, account.rule.metric);
    let Some(raise) = &account.raise else { return format!("no new alert: {why}") };
    let names: Vec<String> = raise.notify.iter().map(|name| words::clean(name)).collect();
    let when = if beside.past { "by today's configuration" } else { "at the next poll" };
    let alert = format!("a {} alert {when}", raise.severity.as_str());
    let alert = (beside.paint)(Tone::Bad, &alert);
    let change = raise
        .previous_amount
        .map(|before| format!(" (it alerted under {} before)", scale.amount(before)));
    format!("{alert}, told to {}: {why}{}", names.join(", "), change.unwrap_or_default())
}

/// The reason in words; a step of a daily metric is spent for a day of the data, not for a billing
/// period.
fn why(reason: Reason, metric: Metric) -> String {
    let why = reason.to_string();
    let spends = matches!(reason, Reason::NewStep | Reason::AlreadyRaised | Reason::AlreadyPassed);
    if spends && metric.is_daily() {
        why.replace("in this billing period", "on this day of the data")
    } else {
        why
    }
}

/// The alerts that spent steps of the rule in this period, by day where the metric is daily.
fn spent(account: &RuleAccount, scale: Scale) -> Vec<String> {
    let raised = account.spent.iter().filter(|step| step.raised);
    raised
        .map(|step| {
            let passed: Vec<String> = account
                .spent
                .iter()
                .filter(|other| !other.raised && other.alert == step.alert)
                .map(|other| scale.step(other.at))
                .collect();
            let passed = match passed.as_slice() {
                [] => String::new(),
                [first, .., last] if passed.len() > 3 => format!(", {first} to {last} passed"),
                _ => format!(", {} passed", passed.join(" and ")),
            };
            let under = step
                .amount
                .map(|amount| format!(" under a budget of {}", scale.amount(amount)))
                .unwrap_or_default();
            let below = step
                .seen_below
                .map(|amount| format!("; seen below it since, under {}", scale.amount(amount)));
            let day = scale
                .metric
                .is_daily()
                .then(|| format!(" for {}", utc_day(step.belongs_at).strftime("%-d %b %Y")));
            format!(
                "step {} was raised{}{under} ({}{passed}){}",
                scale.step(step.at),
                day.unwrap_or_default(),
                Alert::reference_of(step.alert),
                below.unwrap_or_default()
            )
        })
        .collect()
}

/// What would make a rule alert again that has alerted in this period, or on this day of the data
/// where the metric is daily.
fn again(account: &RuleAccount, assessed: &Assessed, scale: Scale) -> Option<String> {
    let (is_daily, today) = (account.rule.metric.is_daily(), utc_day(assessed.belongs_at()));
    let is_spent = account.spent.iter().any(|step| !is_daily || utc_day(step.belongs_at) == today);
    if !is_spent || account.raise.is_some() || account.reason.is_not_applicable() {
        return None;
    }
    let next = match &account.verdict {
        Verdict::Crossed { crossing, .. } => crossing.next_at,
        Verdict::NotApplicable(_) | Verdict::Below { .. } => None,
    };
    let next = next.map(|at| format!("at {}", scale.step(at)));
    let rearm =
        account.spent_under().filter(|_| account.rule.rearm == Rearm::OnRaise).map(|amount| {
            format!(
                "under a budget above {}, once it was below the step under that",
                scale.amount(amount)
            )
        });
    let otherwise = if account.rule.metric == Metric::Spike {
        "on another day, once the excess is more than 10 % above what was told"
    } else if is_daily {
        "on the next day of the data"
    } else {
        "in the next billing period"
    };
    let ways: Vec<String> = next.into_iter().chain(rearm).chain([otherwise.to_owned()]).collect();
    Some(format!("alerts again {}", ways.join(", or ")))
}
