//! What was known of a customer at an earlier time, put together from history. What follows from it
//! is left to [`crate::analysis::explain()`], under today's configuration.

use jiff::Timestamp;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::alerting::judging::last_seen;
use crate::alerting::judging::record;
use crate::alerting::{CustomerState, NewSample, RecordedStep, RememberedCustomer};
use crate::budgets::{self, PeriodMemory};
use crate::domain::{Assessed, Sample, UsageDate, utc_day};

/// What was remembered of a customer at `at`; none before its history begins.
///
/// `history` is everything that was read of it, oldest reading first; `raised` are the alerts that
/// had been raised by then. Its name, plan and billing cycle are those of today, which history does
/// not keep.
pub fn recollect(
    budgets: &budgets::Config,
    today: &RememberedCustomer,
    history: &[NewSample],
    raised: &[Uuid],
    at: Timestamp,
) -> Option<RememberedCustomer> {
    let read = history.iter().filter(|sample| sample.seen_at <= at);
    let seen =
        read.clone().fold(None, |before, sample| next(budgets, &today.seen, before, sample))?;
    let steps = today.steps.iter().filter(|step| raised.contains(&step.alert));
    // Since when the customer was seen below a step is not kept.
    let steps = steps.map(|step| RecordedStep { seen_below: None, ..step.clone() }).collect();
    // What a day was judged later says nothing of what was known then.
    let newest = utc_day(seen.usage_as_of.instant());
    let spikes = today.spikes.iter().filter(|spike| spike.day < newest);
    let spikes = spikes.map(|spike| spike.as_known_at(at, newest)).collect();
    let pushed = today.pushed.clone().filter(|pushed| pushed.at <= at);
    Some(RememberedCustomer { seen, steps, samples: dates(read), spikes, pushed })
}

/// The dates of the data, newest first; of each date what was read last.
fn dates<'a>(read: impl Iterator<Item = &'a NewSample>) -> Vec<Sample> {
    let mut samples: Vec<Sample> = Vec::new();
    for NewSample { usage_as_of, cost, carried_over, .. } in read {
        samples.retain(|sample| sample.usage_as_of != *usage_as_of);
        samples.push(Sample {
            usage_as_of: *usage_as_of,
            cost: *cost,
            carried_over: *carried_over,
        });
    }
    samples.sort_by_key(|sample| std::cmp::Reverse(sample.usage_as_of));
    samples
}

/// The state after a sample was read; a late correction of a closed period leaves it as it was.
fn next(
    budgets: &budgets::Config,
    today: &CustomerState,
    before: Option<CustomerState>,
    sample: &NewSample,
) -> Option<CustomerState> {
    let read = CustomerState {
        usage_as_of: UsageDate::parse(&sample.usage_as_of.to_string())
            .unwrap_or_else(|| UsageDate::at(sample.usage_as_of)),
        seen_at: sample.seen_at,
        cost: sample.cost,
        usd_cost: sample.usd_cost,
        partner_center_budget: sample.partner_center_budget,
        reported_percent: sample.reported_percent,
        asked: None,
        ..today.clone()
    };
    let assessed = place(budgets, &read, before.as_ref(), sample.carried_over);
    let closed = |before: &CustomerState| {
        sample.usage_as_of < before.usage_as_of.instant()
            && assessed.period.end <= before.period.start
    };
    if before.as_ref().is_some_and(closed) {
        return before;
    }
    let closing_cost =
        before.filter(|_| assessed.carried_over).map_or(sample.cost, |before| before.closing_cost);
    let period =
        if assessed.period.same_span(&today.period) { today.period } else { assessed.period };
    Some(CustomerState {
        period,
        closing_cost,
        budget: assessed.budget.map(|budget| budget.amount()),
        ..read
    })
}

/// The record in its billing period, as it was taken then.
fn place(
    budgets: &budgets::Config,
    read: &CustomerState,
    before: Option<&CustomerState>,
    carried_over: bool,
) -> Assessed {
    let last = before.map(last_seen);
    let joined = budgets.join(record(read));
    // Nothing is carried over from nothing: so it is the new period's.
    let fresh = last.map(|last| PeriodMemory { closing_cost: Decimal::ZERO, ..last });
    joined.place(if carried_over { last.as_ref() } else { fresh.as_ref() }, &read.named, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BillingPeriod, CustomerId, Metric, NamedPeriods, PeriodSource, Plan};

    const HISTORY: [(&str, &str, i64, bool); 5] = [
        ("2019-09-29T10:00:00Z", "2019-09-29T12:00:00Z", 80, false),
        ("2019-09-30T10:00:00Z", "2019-09-30T12:00:00Z", 95, false),
        ("2019-10-01T10:00:00Z", "2019-10-01T12:00:00Z", 96, true),
        ("2019-10-05T10:00:00Z", "2019-10-05T12:00:00Z", 20, false),
        ("2019-09-30T23:00:00Z", "2019-10-05T13:00:00Z", 97, false),
    ];

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn today() -> RememberedCustomer {
        let seen = CustomerState {
            customer: CustomerId::try_new("A").unwrap(),
            subscription: None,
            name: "Contoso".into(),
            label: None,
            plan: Plan::AzurePlan,
            usage_as_of: UsageDate::at(at("2019-10-05T10:00:00Z")),
            seen_at: at("2019-10-05T12:00:00Z"),
            cost: Decimal::from(20),
            usd_cost: None,
            currency: None,
            reported_percent: None,
            computed_percent: None,
            budget: Some(Decimal::ONE_HUNDRED),
            partner_center_budget: Some(Decimal::ONE_HUNDRED),
            period: BillingPeriod::calendar_month(
                at("2019-10-05T10:00:00Z"),
                PeriodSource::SubscriptionSummary,
            ),
            closing_cost: Decimal::from(20),
            named: NamedPeriods::NONE,
            series_since: None,
            own_currency: None,
            asked: None,
            fingerprint: 0,
            crossed: 0,
        };
        let step = RecordedStep {
            row: 1,
            rule: "spend".into(),
            metric: Metric::PercentUsed,
            at: Decimal::from(80),
            amount: Some(Decimal::ONE_HUNDRED),
            belongs_at: at("2019-09-29T10:00:00Z"),
            raised: true,
            alert: Uuid::from_u128(7),
            seen_below: None,
        };
        let (samples, spikes) = (Vec::new(), Vec::new());
        RememberedCustomer { seen, steps: vec![step], samples, spikes, pushed: None }
    }

    /// What was known then: the cost, its billing period, how many dates and steps.
    fn known(then: &str, raised: &[Uuid]) -> String {
        let history = HISTORY.map(|(usage_as_of, seen_at, cost, carried_over)| NewSample {
            customer: CustomerId::try_new("A").unwrap().key(),
            usage_as_of: at(usage_as_of),
            seen_at: at(seen_at),
            cost: Decimal::from(cost),
            usd_cost: None,
            partner_center_budget: Some(Decimal::ONE_HUNDRED),
            reported_percent: None,
            carried_over,
        });
        let Some(known) =
            recollect(&budgets::Config::default(), &today(), &history, raised, at(then))
        else {
            return "nothing".into();
        };
        let RememberedCustomer { seen, steps, samples, .. } = known;
        let period = &seen.period.start.to_string()[..7];
        format!(
            "{} of {period} {}, {} dates, {} steps",
            seen.cost,
            seen.period.source.as_str(),
            samples.len(),
            steps.len()
        )
    }

    #[test]
    fn what_was_known_then_is_the_last_that_had_been_read_by_then() {
        let raised = [Uuid::from_u128(7)];
        assert_eq!(known("2019-09-29T11:59:59Z", &raised), "nothing");
        assert_eq!(
            known("2019-09-29T12:00:00Z", &[]),
            "80 of 2019-09 calendar-month, 1 dates, 0 steps"
        );
        assert_eq!(
            known("2019-09-30T13:00:00Z", &raised),
            "95 of 2019-09 calendar-month, 2 dates, 1 steps"
        );
        assert_eq!(
            known("2019-10-02T00:00:00Z", &raised),
            "96 of 2019-09 calendar-month, 3 dates, 1 steps",
            "late data of September"
        );
        assert_eq!(
            known("2019-10-05T12:30:00Z", &raised),
            "20 of 2019-10 subscription-summary, 4 dates, 1 steps"
        );
        assert_eq!(
            known("2019-10-06T00:00:00Z", &raised),
            "20 of 2019-10 subscription-summary, 5 dates, 1 steps",
            "a late correction"
        );
    }
}
