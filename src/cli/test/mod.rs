//! `test FILE…`: runs rule tests: records over time in, expected alerts out; for the CI of whoever
//! writes the rules. Nothing is fetched, sent or written, and no secret is needed.

mod compare;

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use crate::analysis::Replay;
use crate::cli::exit::Outcome;
use crate::cli::explain::Form;
use crate::cli::output::{self, Tone};
use crate::config::{self, Case, Cases, Criteria, Mistakes};
use crate::text::clean;

use compare::Difference;

#[derive(Debug, Args)]
pub(super) struct Test {
    /// Files of rule tests
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Form,
}

/// A file that could be read, with the rules that it is about.
struct Suite {
    file: PathBuf,
    cases: Cases,
    criteria: Criteria,
}

/// What came of one test.
struct Tested<'a> {
    case: &'a Case,
    differences: Vec<Difference>,
}

impl Test {
    /// Runs every test of every file; `default` is the configuration for files that name none.
    pub(super) fn run(
        &self,
        default: impl Fn() -> anyhow::Result<PathBuf>,
    ) -> anyhow::Result<Outcome> {
        let suites = self.read(default)?;
        let tested: Vec<(&Path, Vec<Tested<'_>>)> =
            suites.iter().map(|suite| (suite.file.as_path(), suite.run())).collect();
        let all = || tested.iter().flat_map(|(_, tested)| tested);
        let (number, failed) =
            (all().count(), all().filter(|tested| !tested.differences.is_empty()).count());
        match self.format {
            Form::Text => output::page(&page(&tested, number, failed))?,
            Form::Json => output::json(&document(&tested, number, failed))?,
        }
        Ok(if failed == 0 { Outcome::Done } else { Outcome::Failed })
    }

    /// Every file, or everything that is wrong with any of them.
    fn read(&self, default: impl Fn() -> anyhow::Result<PathBuf>) -> anyhow::Result<Vec<Suite>> {
        let (mut suites, mut wrong) = (Vec::new(), None::<Mistakes>);
        for file in &self.files {
            let read = match config::load_cases(file) {
                Ok(cases) => {
                    let rules = cases.rules.clone().map_or_else(&default, Ok)?;
                    config::load_criteria(&rules).map(|criteria| Suite {
                        file: file.clone(),
                        cases,
                        criteria,
                    })
                }
                Err(mistakes) => Err(mistakes),
            };
            match (read, &mut wrong) {
                (Ok(suite), _) => suites.push(suite),
                (Err(mistakes), Some(wrong)) => wrong.add(mistakes),
                (Err(mistakes), None) => wrong = Some(mistakes),
            }
        }
        wrong.map_or(Ok(suites), |mistakes| Err(mistakes.into()))
    }
}

impl Suite {
    fn run(&self) -> Vec<Tested<'_>> {
        self.cases
            .tests
            .iter()
            .map(|case| Tested { case, differences: self.differences(case) })
            .collect()
    }

    /// How the alerts of one test differ from the expected ones.
    fn differences(&self, case: &Case) -> Vec<Difference> {
        let mut replay = Replay::new(&self.criteria.budgets, &self.criteria.rules);
        for (at, records) in &case.history {
            replay.poll(*at, records.iter().cloned());
        }
        let mut differences = Vec::new();
        for (number, poll) in (1_usize..).zip(&case.polls) {
            poll.cycles.iter().for_each(|(customer, cycle)| replay.know_cycle(customer, *cycle));
            let raised = replay.poll(poll.at, poll.records.iter().cloned()).raised;
            if let Some(expected) = &poll.expect {
                differences.extend(compare::compare(
                    (number, poll.at),
                    expected,
                    raised,
                    &self.criteria.rules,
                ));
            }
        }
        differences
    }
}

fn page(tested: &[(&Path, Vec<Tested<'_>>)], number: usize, failed: usize) -> String {
    let mut lines = Vec::new();
    for (file, tested) in tested {
        lines.push(file.display().to_string());
        for Tested { case, differences } in tested {
            let mark = if differences.is_empty() {
                Tone::Good.paint("ok    ")
            } else {
                Tone::Bad.paint("FAILED")
            };
            lines.push(format!("  {mark} {}", clean(&case.name, 200)));
            let mut poll = 0;
            for difference in differences {
                if difference.poll != poll {
                    lines.push(format!("    poll {} at {}", difference.poll, difference.at));
                    poll = difference.poll;
                }
                lines.push(format!("      {:<10} {}", difference.kind.as_str(), difference.text));
            }
        }
    }
    lines.push(match failed {
        0 if number == 1 => Tone::Good.paint("The test passed."),
        0 => Tone::Good.paint(&format!("All {number} tests passed.")),
        _ if number == 1 => Tone::Bad.paint("The test failed."),
        failed => Tone::Bad.paint(&format!("{failed} of {number} tests failed.")),
    });
    lines.join("\n") + "\n"
}

fn document(tested: &[(&Path, Vec<Tested<'_>>)], number: usize, failed: usize) -> Value {
    let test = |tested: &Tested<'_>| json!({ "name": tested.case.name, "passed": tested.differences.is_empty(), "differences": tested.differences });
    let file = |(file, tested): &(&Path, Vec<Tested<'_>>)| json!({ "file": file, "tests": tested.iter().map(test).collect::<Vec<_>>() });
    json!({ "passed": number.saturating_sub(failed), "failed": failed, "files": tested.iter().map(file).collect::<Vec<_>>() })
}
