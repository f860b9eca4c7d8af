//! What pages and metrics are made from.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use reqwest::Url;
use tokio::sync::watch;

use crate::actions::ActionContext;
use crate::budgets;
use crate::clock::Clock;
use crate::fs::SeenFiles;
use crate::ledger::{self, Ledger};
use crate::metrics::Metrics;
use crate::notify;
use crate::rules::Rules;
use crate::secret::Secret;
use crate::web::sign_in::SignIn;

/// How often the overview shows itself anew, where nothing moves faster than a daemon polls.
pub const REFRESH: Duration = Duration::from_mins(1);

/// What the server shows.
#[derive(Clone)]
pub struct Shown {
    /// The instruments.
    pub metrics: Metrics,
    /// The ledger, which knows who leads.
    pub ledger: Ledger,
    /// Its file, for reading beside it.
    pub ledger_file: ledger::Config,
    /// Whether `/metrics/customers` is served.
    pub customer_metrics: watch::Receiver<bool>,
    /// The time that pages are about.
    pub clock: Arc<dyn Clock>,
    /// The time of those who look, by which forms and sessions run out: the same, but where a
    /// story moves the other.
    pub sessions: Arc<dyn Clock>,
    /// What the configuration in force says.
    pub known: watch::Receiver<Arc<Known>>,
    /// Where people act from a page; none where nobody may.
    pub actions: Option<ActionContext>,
}

/// The part of a configuration that pages speak of.
#[derive(Debug, Clone)]
pub struct Known {
    /// For times.
    pub zone: TimeZone,
    /// What is known of customers locally.
    pub budgets: budgets::Config,
    /// The rules.
    pub rules: Rules,
    /// Where alerts go.
    pub notifiers: Vec<notify::Config>,
    /// What programs bear and people sign in with; beside `sign_in`, so that no request meets one
    /// of them gone and the other not there yet.
    pub token: Option<Secret>,
    /// Whether this machine may act without a token.
    pub local_actions: bool,
    /// Where people reach the pages from elsewhere.
    pub public_url: Option<Url>,
    /// Where people sign in with accounts of their own.
    pub sign_in: Option<Arc<SignIn>>,
    /// Whether the operator is told of findings.
    pub tells_operator: bool,
    /// How often the source is polled.
    pub poll_interval: Duration,
    /// How long it may fail.
    pub source_failing_after: Duration,
    /// How often the overview shows itself anew.
    pub refresh: Duration,
    /// The file of the configuration, and those that it names.
    pub file: PathBuf,
    /// They as they were when they were read.
    pub files: SeenFiles,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            zone: TimeZone::UTC,
            budgets: budgets::Config::default(),
            rules: Rules::default(),
            notifiers: Vec::new(),
            token: None,
            local_actions: false,
            public_url: None,
            sign_in: None,
            tells_operator: false,
            poll_interval: Duration::from_hours(1),
            source_failing_after: Duration::from_hours(3),
            refresh: REFRESH,
            file: PathBuf::new(),
            files: SeenFiles::default(),
        }
    }
}
