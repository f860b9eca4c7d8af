//! What each rule makes of a customer, in the sentences of `explain`.

use crate::analysis::Explanation;
use crate::listings::rule::{Beside, lines};
use crate::listings::story::Story;
use crate::web::look::Look;

/// A rule in words.
pub(super) struct RuleLine {
    /// What it says.
    pub(super) first: String,
    /// From which numbers, what comes of it, and what would make it alert again.
    pub(super) rest: Vec<String>,
    pub(super) applies: bool,
}

/// All rules, those that apply first.
pub(super) fn rule_lines(explanation: &Explanation, story: &Story, look: &Look) -> Vec<RuleLine> {
    let beside = Beside {
        now: look.now,
        past: story.past,
        zone: look.zone(),
        paint: |_, text| text.to_owned(),
    };
    let told = explanation.rules.iter().map(|account| {
        let mut told = lines(account, &explanation.assessed, &beside).into_iter();
        RuleLine {
            first: told.next().unwrap_or_default().trim().to_owned(),
            rest: told.map(|line| line.trim().to_owned()).collect(),
            applies: !account.reason.is_not_applicable(),
        }
    });
    let mut all: Vec<RuleLine> = told.collect();
    all.sort_by_key(|rule| !rule.applies);
    all
}
