//! What became of each row of an import, and of the import as a whole.

use std::path::PathBuf;

use strum::{IntoStaticStr, VariantArray};

use crate::cli::budgets::changes::Raised;

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[derive(IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub(super) enum Status {
    /// It changes what is in force.
    Changed,
    /// It says what is in force already.
    Unchanged,
    /// No customer is meant.
    Unknown,
    /// Several customers may be meant.
    Ambiguous,
    /// Its currency is not the customer's.
    Clash,
    /// The customer's table has another budget, which is in force whatever the spreadsheet says.
    Overruled,
    /// Another row is about the same.
    Duplicate,
    /// Something in it cannot be read.
    Invalid,
}

impl Status {
    pub(super) const ALL: &'static [Self] = Self::VARIANTS;

    pub(super) fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether it keeps the import from being written.
    pub(super) fn is_refused(self) -> bool {
        !matches!(self, Self::Changed | Self::Unchanged)
    }
}

/// A row with what became of it.
pub(super) struct RowOutcome {
    pub(super) line: usize,
    pub(super) status: Status,
    /// The id as received, else as written.
    pub(super) customer_id: Option<String>,
    /// What people call it.
    pub(super) name: String,
    pub(super) subscription_id: Option<String>,
    /// What the customer was found by.
    pub(super) matched_by: Option<&'static str>,
    /// The budget in force before and after.
    pub(super) budgets: (String, String),
    /// What changes, or why it is refused.
    pub(super) details: Vec<String>,
    /// What is odd about it, but no reason to refuse it.
    pub(super) notes: Vec<String>,
    /// What the next poll would raise.
    pub(super) raised: Vec<Raised>,
}

/// All of it.
pub(super) struct Summary {
    /// What was read.
    pub(super) file: PathBuf,
    /// In the order of the file.
    pub(super) rows: Vec<RowOutcome>,
    /// What is wrong with the file, each with its line.
    pub(super) faults: Vec<String>,
    /// What is unwise about the result.
    pub(super) warnings: Vec<String>,
    /// Rows of the old spreadsheet that the file does not name and that stay.
    pub(super) kept: usize,
    /// Those that go.
    pub(super) dropped: Vec<String>,
    /// Where it goes.
    pub(super) output: Option<PathBuf>,
    /// Whether `[customers_csv]` names that file.
    pub(super) in_force: bool,
    pub(super) dry_run: bool,
    pub(super) written: bool,
}

impl Summary {
    /// Whether anything keeps it from being written.
    pub(super) fn is_refused(&self) -> bool {
        !self.faults.is_empty() || self.rows.iter().any(|row| row.status.is_refused())
    }

    /// How many rows came to this.
    pub(super) fn count(&self, status: Status) -> usize {
        self.rows.iter().filter(|row| row.status == status).count()
    }

    /// Whether it makes a difference.
    pub(super) fn changes_anything(&self) -> bool {
        self.count(Status::Changed) > 0 || !self.dropped.is_empty()
    }
}
