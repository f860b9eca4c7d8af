//! Rules as plain facts, and as the program reads them.

use std::fmt::Write as _;

use super::number::{Number, ONE, written};
use super::random::Random;

/// What a rule measures, by the name of the configuration.
pub(super) const METRICS: [&str; 10] = [
    "percent_used",
    "percent_used",
    "amount_over",
    "amount_left",
    "total_cost",
    "usd_total_cost",
    "unbudgeted_cost",
    "forecast_percent",
    "pace",
    "daily_percent",
];

#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) at: Number,
    pub(super) severity: &'static str,
    pub(super) notify: &'static [&'static str],
    /// In hours; none where it is told once.
    pub(super) remind_every: Option<i64>,
}

#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) formerly: Option<String>,
    pub(super) metric: &'static str,
    pub(super) steps: Vec<Step>,
    pub(super) then_every: Option<Number>,
    pub(super) rearm: bool,
    /// Only budgets in SEK from this amount on.
    pub(super) budget_from: Option<Number>,
}

impl Rule {
    pub(super) fn random(name: &str, random: &mut Random) -> Self {
        let metric = if random.one_in(8) { "daily_cost" } else { random.of(&METRICS) };
        let mut ats: Vec<Number> =
            (0..random.between(1, 3)).map(|_| threshold(metric, random)).collect();
        ats.sort_unstable();
        ats.dedup();
        if metric == "amount_left" {
            ats.reverse();
        }
        let step = |at| Step {
            at,
            severity: random.of(&["info", "warning", "critical"]),
            notify: random.of(&[&["ops"] as &[&str], &["oncall"], &["ops", "oncall"]]),
            remind_every: if at % (3 * ONE) == 0 { Some(random.of(&[6, 24, 48])) } else { None },
        };
        let steps = ats.into_iter().map(step).collect();
        let then_every =
            random.one_in(4).then(|| if is_money(metric) { 30 * ONE } else { 50 * ONE });
        let budget_from = random.one_in(6).then_some(100 * ONE);
        Self {
            name: name.into(),
            formerly: None,
            metric,
            steps,
            then_every,
            rearm: !random.one_in(6),
            budget_from,
        }
    }

    /// One more step, before all others or anywhere.
    pub(super) fn add_step(&mut self, random: &mut Random) {
        let at = threshold(self.metric, random);
        let beyond = |step: &Step| reached(self.metric, at, step.at);
        // Beyond the last one it would move the endless ones.
        let moves = self.then_every.is_some() && self.steps.iter().all(beyond);
        if !moves && self.steps.iter().all(|step| step.at != at) {
            self.steps.push(Step { at, severity: "warning", notify: &["ops"], remind_every: None });
            self.steps
                .sort_by_key(|step| if self.metric == "amount_left" { -step.at } else { step.at });
        }
    }

    pub(super) fn toml(&self) -> String {
        let amount = |at: Number| {
            let at = written(at);
            if is_money(self.metric) {
                format!("{{ SEK = \"{at}\", EUR = \"{at}\" }}")
            } else {
                format!("\"{at}\"")
            }
        };
        let mut toml =
            format!("[rules.{}]\nmetric = \"{}\"\nnotify = [\"ops\"]\n", self.name, self.metric);
        if let Some(formerly) = &self.formerly {
            writeln!(toml, "formerly = \"{formerly}\"").unwrap();
        }
        if let Some(every) = self.then_every {
            writeln!(toml, "then_every = {}", amount(every)).unwrap();
        }
        if !self.rearm {
            toml.push_str("rearm = \"never\"\n");
        }
        if let Some(least) = self.budget_from {
            writeln!(
                toml,
                "match = {{ budget = {{ currency = \"SEK\", at_least = {} }} }}",
                written(least)
            )
            .unwrap();
        }
        let step = |step: &Step| {
            let remind = step
                .remind_every
                .map_or(String::new(), |hours| format!(", remind_every = \"{hours}h\""));
            format!(
                "{{ at = {}, severity = \"{}\", notify = {:?}{remind} }}",
                amount(step.at),
                step.severity,
                step.notify
            )
        };
        let steps: Vec<String> = self.steps.iter().map(step).collect();
        writeln!(toml, "steps = [{}]", steps.join(", ")).unwrap();
        toml
    }
}

/// Steps that budgets of about a hundred cross now and then.
fn threshold(metric: &str, random: &mut Random) -> Number {
    let whole = match metric {
        "amount_over" => random.between(-20, 40),
        "amount_left" => random.between(-40, 60),
        "pace" => random.between(-10, 60),
        "daily_cost" | "daily_percent" => random.between(1, 30),
        _ => random.between(2, 14) * 10,
    };
    Number::from(whole) * ONE
}

/// Whether its steps are amounts in the customer's currency.
pub(super) fn is_money(metric: &str) -> bool {
    matches!(
        metric,
        "amount_over" | "amount_left" | "total_cost" | "unbudgeted_cost" | "daily_cost"
    )
}

/// Whether an alert belongs to the budget that it was raised under.
pub(super) fn reads_budget(metric: &str) -> bool {
    matches!(
        metric,
        "percent_used"
            | "amount_over"
            | "amount_left"
            | "forecast_percent"
            | "pace"
            | "daily_percent"
    )
}

/// Whether it alerts again on each day of the data.
pub(super) fn is_daily(metric: &str) -> bool {
    metric.starts_with("daily_")
}

/// Whether a value has reached a step.
pub(super) fn reached(metric: &str, value: Number, at: Number) -> bool {
    if metric == "amount_left" { value <= at } else { value >= at }
}
