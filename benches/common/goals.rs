//! The goals of the project, each beside the figure that was measured: printed at once, and kept
//! for the table with which `benches/run.sh` ends.

use std::path::Path;

/// What a figure is held against.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

/// The rows of one benchmark.
pub(crate) struct Goals {
    benchmark: &'static str,
    rows: String,
}

impl Goals {
    pub(crate) fn new(benchmark: &'static str) -> Self {
        Self { benchmark, rows: String::new() }
    }

    /// Prints a figure with its goal, and whether that is met; keeps the row.
    pub(crate) fn hold(&mut self, what: &str, figure: f64, unit: &str, goal: Goal) {
        let (sign, bound, met) = match goal {
            Goal::AtLeast(bound) => ("≥", bound, figure >= bound),
            Goal::AtMost(bound) => ("≤", bound, figure <= bound),
        };
        let (met, digits) =
            (if met { "met" } else { "MISSED" }, if figure < 100.0 { 2 } else { 0 });
        let row =
            format!("  {what:58} {figure:9.digits$} {unit:3}  goal {sign} {bound:5}  {met}\n");
        print!("{row}");
        self.rows.push_str(&row);
    }
}

impl Drop for Goals {
    /// Keeps what there is of them, also when the benchmark fails later.
    fn drop(&mut self) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("goals");
        let written = std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(folder.join(self.benchmark), &self.rows));
        if let Err(error) = written {
            println!("cannot keep the goals: {error}");
        }
    }
}
