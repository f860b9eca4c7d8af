//! What `calibrate` prints.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::alerting::CustomerState;
use crate::cli::calibrate::proposal::{Proposal, share};
use crate::cli::calibrate::sample::Sample;
use crate::cli::calibrate::{AllTried, Tried};
use crate::cli::table::{Column, Listing};
use crate::cli::text;
use crate::domain::percent_of;

/// For people.
pub(super) fn text(
    sample: &Sample,
    tried: &AllTried,
    proposal: &Proposal,
    rule: &str,
    without_budget: usize,
) -> String {
    let AllTried { list, replayed } = tried;
    let mut lines = vec![
        format!(
            "Tried {} rules about spikes on what {} of {} used from {} to {}.",
            list.len(),
            sample.customers.len(),
            text::count(sample.of_customers, "customer"),
            sample.first,
            sample.last
        ),
        format!(
            "Chosen by the time before {}; what came after is held out to try the choice on. {} \
                were added there: five times the usual day, at least 250 USD more.",
            sample.held_out.strftime("%-d %B %Y"),
            text::count(replayed.attacks, "attack")
        ),
        String::new(),
    ];
    lines.extend(table(tried, proposal.chosen));
    lines.push(String::new());
    lines.push(if proposal.is_bearable {
        format!("The one that finds most with at most {} false alarms a week:", proposal.bearable)
    } else {
        format!(
            "None of them stays below {} false alarms a week; this one raises the fewest:",
            proposal.bearable
        )
    });
    lines.push(String::new());
    lines.push(rule.trim_end().to_owned());
    lines.push(String::new());
    if without_budget > 0 {
        lines.push(format!(
            "{} without a budget could have one: the dearest of its last three periods and 25 % \
                more.",
            text::count(u64::try_from(without_budget).unwrap_or(u64::MAX), "customer")
        ));
    }
    lines.join("\n") + "\n"
}

fn table(AllTried { list, replayed }: &AllTried, chosen: usize) -> Vec<String> {
    let mut table = Listing::new(&[
        Column::Right("FROM"),
        Column::Right("FLOOR"),
        Column::Right("ALARMS A WEEK"),
        Column::Right("HELD OUT"),
        Column::Right("FOUND ON 1ST DATE"),
        Column::Right("BY THE 2ND"),
        Column::Left(""),
    ]);
    for (place, one) in list.iter().enumerate() {
        let Tried { candidate, tally, .. } = one;
        table.add(vec![
            format!("{} ×", candidate.times),
            format!("{} USD", candidate.floor_usd),
            one.alarms_per_week.to_string(),
            one.held_out_per_week.to_string(),
            share(tally.on_first_date, replayed.attacks),
            share(tally.by_second_date, replayed.attacks),
            if place == chosen { "proposed".to_owned() } else { String::new() },
        ]);
    }
    table.lines(0)
}

/// For programs. Numbers that are counted in parts are strings.
pub(super) fn document(
    sample: &Sample,
    tried: &AllTried,
    proposal: &Proposal,
    rule: &str,
    budgets: &[(CustomerState, Decimal)],
) -> Value {
    let attacks = tried.replayed.attacks;
    let percent = |part: u64| percent_of(part.into(), attacks.into()).map(|it| it.to_string());
    let candidate = |(place, one): (usize, &Tried)| {
        json!({
            "at": one.candidate.times.to_string(),
            "floor_usd": one.candidate.floor_usd.to_string(),
            "alarms_per_week": one.alarms_per_week.to_string(),
            "held_out_alarms_per_week": one.held_out_per_week.to_string(),
            "found_on_first_date_percent": percent(one.tally.on_first_date),
            "found_by_second_date_percent": percent(one.tally.by_second_date),
            "proposed": place == proposal.chosen,
        })
    };
    let budget = |(seen, budget): &(CustomerState, Decimal)| {
        json!({
            "customer_id": seen.customer.as_str(),
            "name": seen.name,
            "budget": budget.to_string(),
            "currency": seen.currency.map(|currency| currency.to_string()),
        })
    };
    json!({
        "customers": sample.of_customers,
        "replayed_customers": tried.replayed.customers,
        "first_day": sample.first,
        "last_day": sample.last,
        "held_out_from": sample.held_out,
        "attacks": attacks,
        "alarms_per_week": proposal.bearable.to_string(),
        "bearable": proposal.is_bearable,
        "candidates": tried.list.iter().enumerate().map(candidate).collect::<Vec<_>>(),
        "rule": rule,
        "budgets": budgets.iter().map(budget).collect::<Vec<_>>(),
    })
}
