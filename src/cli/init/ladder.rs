//! The steps of the first rule: as they stand in the file, and with other percents.

use rust_decimal::Decimal;
use toml_edit::{Array, InlineTable, Value};

use crate::cli::init::draft::Draft;
use crate::domain::parse_decimal;

/// Where the steps are.
const STEPS: [&str; 3] = ["rules", "spend", "steps"];

/// The percents of the steps; `None` where the file has no such rule, or another kind of it.
pub(super) fn percents(draft: &Draft) -> Option<Vec<Decimal>> {
    let is_ours = draft.text(&["rules", "spend", "metric"]) == Some("percent_used");
    let steps = draft.list(&STEPS).filter(|_| is_ours)?;
    steps.iter().map(percent).collect()
}

/// Changes the steps to these percents: what stands at one of them stays, and a new one is a
/// warning, or critical where it is the last.
pub(super) fn change(draft: &mut Draft, percents: &[Decimal]) {
    let before = draft.list(&STEPS).filter(|_| !draft.is_new).cloned().unwrap_or_default();
    let mut steps = Array::new();
    for (index, at) in percents.iter().enumerate() {
        let same = before.iter().find(|step| percent(step).as_ref() == Some(at));
        let last = index + 1 == percents.len();
        steps.push_formatted(same.cloned().unwrap_or_else(|| step(at, last)));
    }
    // A comment behind the last step stands there.
    let trailing = before.trailing().as_str().filter(|text| text.contains('\n'));
    steps.set_trailing(trailing.unwrap_or("\n"));
    steps.set_trailing_comma(true);
    draft.set(&STEPS, steps);
}

fn percent(step: &Value) -> Option<Decimal> {
    let at = step.as_inline_table()?.get("at")?;
    let text = at.as_str().map_or_else(|| at.to_string(), str::to_owned);
    parse_decimal(text.trim()).ok().map(|number| number.value.normalize())
}

fn step(at: &Decimal, last: bool) -> Value {
    let mut step = InlineTable::new();
    // A number as it is written: the file has no floats of ours.
    let at = at.to_string().parse().unwrap_or_else(|_| Value::from(at.to_string()));
    step.insert("at", at);
    step.insert("severity", if last { "critical" } else { "warning" }.into());
    Value::from(step).decorated("\n  ", "")
}
