//! Reads `alert-rules.toml` into a checked [`Config`], the tree of the rooms' own configurations,
//! or says everything that is wrong with it.
//!
//! A configuration that loads can run: secrets are fetched, rules are compiled. What the keys are
//! is described once, in `keys`; what rules mean is left to `rules`.

mod addresses;
mod audience;
mod case_history;
mod case_keys;
mod cases;
mod certificate;
mod check;
mod customers;
mod customers_csv;
mod environment;
mod ids;
mod key_names;
mod keys;
mod load;
mod mailboxes;
mod mask;
mod mistakes;
mod named_customers;
mod names;
mod notifier_readers;
mod notifiers;
mod oauth;
mod paths;
mod process;
mod reader;
mod report;
mod rules;
mod schema;
mod security;
mod sign_in;
mod smtp;
mod source;
mod templates;
mod url;
mod value;
mod windows_zone;

use std::path::PathBuf;
use std::time::Duration;

pub(crate) use addresses::{mailbox, people_of};
pub use cases::{Case, CasePoll, Cases, Expected};
pub use customers_csv::CustomersCsv;
pub(crate) use customers_csv::{Described, shown as shown_faults, text as spreadsheet_text};
pub use environment::{Environment, SYSTEM_FILE, SecretsFor};
pub(crate) use load::{MOST, configuration_of};
pub use load::{load, load_cases, load_criteria, load_for_sign_in, load_with, parse};
pub use mistakes::Mistakes;
pub(crate) use names::Names;
pub use paths::{Paths, load_paths};
pub use schema::schema;
pub(crate) use smtp::{is_host, is_loopback};
pub(crate) use url::endpoint;
pub(crate) use value::{duration as parse_duration, hint};

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it was read from.
    pub file: PathBuf,
    /// Where usage is read from.
    pub source: crate::source::Config,
    /// How often.
    pub poll_interval: Duration,
    /// Microsoft's security alerts; none by default.
    pub security: Option<SecurityPlan>,
    /// The folder of the ledger and of the sign-in.
    pub state_dir: PathBuf,
    /// For times in messages.
    pub time_zone: jiff::tz::TimeZone,
    /// The ledger.
    pub ledger: crate::ledger::Config,
    /// Its daily backups; none where none are wanted.
    pub backups: Option<crate::ledger::Backups>,
    /// The HTTP server; none by default.
    pub http: Option<crate::web::Config>,
    /// Who hears of trouble with the daemon itself.
    pub operator: Operator,
    /// The regular report; none by default.
    pub report: Option<ReportPlan>,
    /// What is known of customers locally, in tables and in the spreadsheet.
    pub budgets: crate::budgets::Config,
    /// What was read of the spreadsheet of customers; none by default.
    pub customers_csv: Option<CustomersCsv>,
    /// The rules, compiled.
    pub rules: crate::rules::Rules,
    /// Where alerts go.
    pub notifiers: Vec<crate::notify::Config>,
    /// What is allowed but unwise, for `check`.
    pub warnings: Vec<String>,
    /// The file and those that it names, as they were when they were read.
    pub files: crate::fs::SeenFiles,
}

impl Config {
    /// The names of the notifiers that are owed messages; the others are shown what is open.
    pub fn owed_notifiers(&self) -> Vec<Box<str>> {
        self.notifiers
            .iter()
            .map(crate::notify::Config::route)
            .filter(crate::domain::Route::is_owed)
            .map(|route| route.notifier)
            .collect()
    }
}

/// The part of a configuration that judges.
#[derive(Debug, Clone)]
pub struct Criteria {
    /// What is known of customers locally.
    pub budgets: crate::budgets::Config,
    /// The rules, compiled.
    pub rules: crate::rules::Rules,
}

/// Who hears of trouble with the daemon itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Notifiers by name.
    pub notify: Vec<Box<str>>,
    /// How long the source may fail before it is news.
    pub source_failing_after: Duration,
    /// Pinged after a cycle that read, judged and left nothing overdue.
    pub heartbeat_url: Option<crate::secret::Secret>,
}

/// Microsoft's security alerts.
#[derive(Debug, Clone)]
pub struct SecurityPlan {
    /// Which API tells of them, and where.
    pub alerts: crate::source::SecurityConfig,
    /// How often it is asked.
    pub poll_interval: Duration,
}

/// The regular report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportPlan {
    /// How often.
    pub every: crate::domain::Every,
    /// At what time of the day, in the time zone of the messages.
    pub at: jiff::civil::Time,
    /// Notifiers by name.
    pub notify: Vec<Box<str>>,
}

impl ReportPlan {
    /// When it comes unless the file says so, and what has no report goes by.
    pub const AT: jiff::civil::Time = jiff::civil::Time::constant(8, 0, 0, 0);
}
