//! Every Prometheus instrument, and the health of the loops, in one struct. Labels come from closed
//! sets and exist from the first scrape on; none holds a customer.

mod health;
mod writes;

use prometheus::{
    Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec,
    IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::domain::{FindingCode, Severity, Suppression};

pub use health::Health;
pub use writes::{WriteFailure, Writes};

/// The instruments. Cloning shares them.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    /// Progress of the loops.
    pub health: Health,
    /// Whether what must be kept can be written; shown as `ledger_writable`.
    pub writes: Writes,
    /// `polls_total{result}`, result `ok` or `failed`.
    pub polls: IntCounterVec,
    /// `poll_duration_seconds`.
    pub poll_duration: Histogram,
    /// `usage_records`: records of the last poll.
    pub usage_records: IntGauge,
    /// `records_skipped_total{reason}`, reasons of [`SKIP_REASONS`].
    pub records_skipped: IntCounterVec,
    /// `record_oddities_total{kind}`, kinds of [`ODDITIES`]: counted, and used all the same.
    pub record_oddities: IntCounterVec,
    /// `last_successful_poll_timestamp_seconds`.
    pub last_successful_poll: Gauge,
    /// `usage_as_of_timestamp_seconds`: the newest date of the data.
    pub usage_as_of: Gauge,
    /// `alerts_total{rule,severity}`.
    pub alerts: IntCounterVec,
    /// `alerts_suppressed_total{reason}`.
    pub alerts_suppressed: IntCounterVec,
    /// `deliveries_total{notifier,result}`, result `sent` or `dead`.
    pub deliveries: IntCounterVec,
    /// `delivery_attempts_total{notifier,outcome}`, outcomes of [`ATTEMPT_OUTCOMES`].
    pub delivery_attempts: IntCounterVec,
    /// `delivery_attempt_duration_seconds{notifier}`.
    pub delivery_attempt_duration: HistogramVec,
    /// `deliveries_pending{notifier}`.
    pub deliveries_pending: IntGaugeVec,
    /// `delivery_oldest_pending_seconds{notifier}`.
    pub delivery_oldest_pending: GaugeVec,
    /// `notifier_in_backoff{notifier}`.
    pub notifier_in_backoff: IntGaugeVec,
    /// `partner_center_requests_total{endpoint,code}`.
    pub partner_center_requests: IntCounterVec,
    /// `sign_in_expires_timestamp_seconds`: 90 days after the refresh token was issued; 0 when
    /// unknown.
    pub sign_in_expires: Gauge,
    /// `security_alerts_open{severity}`, severities of [`SECURITY_SEVERITIES`].
    pub security_alerts_open: IntGaugeVec,
    /// `security_alert_oldest_seconds`: 0 when none is open.
    pub security_alert_oldest: IntGauge,
    /// `config_last_reload_successful`.
    pub config_last_reload_successful: IntGauge,
    /// `customers_without_coverage{reason}`.
    pub customers_without_coverage: IntGaugeVec,
    /// `leader`.
    pub leader: IntGauge,
    /// `silences`: how many are in force.
    pub silences: IntGauge,
    /// `operator_findings{code}`: open findings.
    pub operator_findings: IntGaugeVec,
    /// `panics_total`: loops that ended by a bug and were started again.
    pub panics: IntCounter,
}

/// Why a record is skipped.
pub const SKIP_REASONS: [&str; 3] = ["no-id", "bad-cost", "bad-json"];
/// What is odd about records that are used all the same.
pub const ODDITIES: [&str; 7] = [
    "rounded",
    "bad-date",
    "bad-budget",
    "bad-percent",
    "duplicate-id",
    "percents-disagree",
    "currency-clash",
];
/// How an attempt of a delivery ends.
pub const ATTEMPT_OUTCOMES: [&str; 5] =
    ["accepted", "message-refused", "recipient-deferred", "destination-failed", "ambiguous"];
/// The endpoints that are asked.
pub const ENDPOINTS: [&str; 10] = [
    "token",
    "usagerecords",
    "subscriptions",
    "usagesummary",
    "resourceusagerecords",
    "usagebudget",
    "auditrecords",
    "securityalerts",
    "securityscore",
    "fraudevents",
];
/// How bad Microsoft finds a security alert; any other word counts as the last.
pub const SECURITY_SEVERITIES: [&str; 5] = ["high", "medium", "low", "informational", "other"];

/// The label of a severity.
pub fn security_severity(word: &str) -> &'static str {
    let known = SECURITY_SEVERITIES.into_iter().find(|known| known.eq_ignore_ascii_case(word));
    known.unwrap_or("other")
}

/// Why a customer can never alert.
pub const COVERAGE_REASONS: [&str; 5] =
    ["no-budget", "no-rule", "no-floor", "currency-unknown", "muted"];

impl Metrics {
    /// All instruments, registered, with the labels that are known beforehand.
    ///
    /// # Panics
    /// Never: names and labels are constants, and each name is registered once.
    #[expect(clippy::too_many_lines, reason = "a list of instruments")]
    #[expect(clippy::expect_used, reason = "constants of this program: its message says why")]
    pub fn new() -> Self {
        let registry = Registry::new_custom(Some("budget_alertd".into()), None)
            .expect("a constant prefix is valid");
        let register = Registered(&registry);
        let build_info =
            register.gauges("build_info", "A constant 1, labelled with the version.", &["version"]);
        build_info.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let operator_findings =
            register.gauges("operator_findings", "Open findings for the operator.", &["code"]);
        let writable =
            register.gauge("ledger_writable", "1 while what must be kept can be written, else 0.");
        let metrics = Self {
            writes: Writes::new(
                writable,
                operator_findings.with_label_values(&[FindingCode::LedgerUnwritable.as_str()]),
            ),
            polls: register.counters(
                "polls_total",
                "Polls of the usage records, by result.",
                &["result"],
            ),
            poll_duration: register
                .histogram("poll_duration_seconds", "How long a poll took, reading to recording."),
            usage_records: register.gauge("usage_records", "Usage records of the last poll."),
            records_skipped: register.counters(
                "records_skipped_total",
                "Usage records that could not be used.",
                &["reason"],
            ),
            record_oddities: register.counters(
                "record_oddities_total",
                "Oddities in usage records that were used all the same.",
                &["kind"],
            ),
            last_successful_poll: register.seconds(
                "last_successful_poll_timestamp_seconds",
                "When the last good poll ended, Unix time.",
            ),
            usage_as_of: register.seconds(
                "usage_as_of_timestamp_seconds",
                "The newest date of the data, Unix time.",
            ),
            alerts: register.counters("alerts_total", "Alerts raised.", &["rule", "severity"]),
            alerts_suppressed: register.counters(
                "alerts_suppressed_total",
                "Crossings that raised no alert of their own.",
                &["reason"],
            ),
            deliveries: register.counters(
                "deliveries_total",
                "Deliveries that ended.",
                &["notifier", "result"],
            ),
            delivery_attempts: register.counters(
                "delivery_attempts_total",
                "Attempts of deliveries.",
                &["notifier", "outcome"],
            ),
            delivery_attempt_duration: register.histograms(
                "delivery_attempt_duration_seconds",
                "How long an attempt took.",
                &["notifier"],
            ),
            deliveries_pending: register.gauges(
                "deliveries_pending",
                "Deliveries owed.",
                &["notifier"],
            ),
            delivery_oldest_pending: register.seconds_by(
                "delivery_oldest_pending_seconds",
                "Age of the oldest delivery owed.",
                &["notifier"],
            ),
            notifier_in_backoff: register.gauges(
                "notifier_in_backoff",
                "1 while the notifier's destination fails.",
                &["notifier"],
            ),
            partner_center_requests: register.counters(
                "partner_center_requests_total",
                "Requests by endpoint and status code (or error).",
                &["endpoint", "code"],
            ),
            sign_in_expires: register.seconds(
                "sign_in_expires_timestamp_seconds",
                "When the refresh token expires, Unix time; 0 when unknown.",
            ),
            security_alerts_open: register.gauges(
                "security_alerts_open",
                "Security alerts of Microsoft that have not been answered, by its severity.",
                &["severity"],
            ),
            security_alert_oldest: register.gauge(
                "security_alert_oldest_seconds",
                "How long the oldest of them has not been answered; 0 when none is open.",
            ),
            config_last_reload_successful: register.gauge(
                "config_last_reload_successful",
                "1 when the configuration in the file is the one in force.",
            ),
            customers_without_coverage: register.gauges(
                "customers_without_coverage",
                "Customers of the last poll that can never alert.",
                &["reason"],
            ),
            leader: register.gauge("leader", "1 while this instance polls and delivers."),
            silences: register.gauge("silences", "Silences in force."),
            operator_findings,
            panics: register
                .counter("panics_total", "Loops that ended by a bug and were started again."),
            health: Health::default(),
            registry: registry.clone(),
        };
        for result in ["ok", "failed"] {
            metrics.polls.with_label_values(&[result]);
        }
        for reason in SKIP_REASONS {
            metrics.records_skipped.with_label_values(&[reason]);
        }
        for kind in ODDITIES {
            metrics.record_oddities.with_label_values(&[kind]);
        }
        for endpoint in ENDPOINTS {
            metrics.partner_center_requests.with_label_values(&[endpoint, "200"]);
        }
        for severity in SECURITY_SEVERITIES {
            metrics.security_alerts_open.with_label_values(&[severity]);
        }
        for reason in COVERAGE_REASONS {
            metrics.customers_without_coverage.with_label_values(&[reason]);
        }
        for reason in Suppression::ALL {
            metrics.alerts_suppressed.with_label_values(&[reason.as_str()]);
        }
        for code in FindingCode::ALL {
            metrics.operator_findings.with_label_values(&[code.as_str()]);
        }
        metrics.config_last_reload_successful.set(1);
        metrics
    }

    /// Makes the series of a rule exist.
    pub fn know_rule(&self, rule: &str) {
        for severity in Severity::ALL {
            self.alerts.with_label_values(&[rule, severity.as_str()]);
        }
    }

    /// Makes the series of a notifier exist.
    pub fn know_notifier(&self, notifier: &str) {
        for result in ["sent", "dead"] {
            self.deliveries.with_label_values(&[notifier, result]);
        }
        for outcome in ATTEMPT_OUTCOMES {
            self.delivery_attempts.with_label_values(&[notifier, outcome]);
        }
        self.delivery_attempt_duration.with_label_values(&[notifier]);
        self.deliveries_pending.with_label_values(&[notifier]);
        self.delivery_oldest_pending.with_label_values(&[notifier]);
        self.notifier_in_backoff.with_label_values(&[notifier]);
    }

    /// The text of a scrape (Prometheus text format 0.0.4).
    pub fn render(&self) -> Result<String, prometheus::Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// Makes instruments and registers them; each name stands once in the list above, so that none of
/// it can fail.
struct Registered<'a>(&'a Registry);

impl Registered<'_> {
    #[expect(clippy::expect_used, reason = "constants of this program: its message says why")]
    fn add<C: prometheus::core::Collector + Clone + 'static>(
        &self,
        made: prometheus::Result<C>,
    ) -> C {
        let collector = made.expect("names and labels are valid constants");
        self.0.register(Box::new(collector.clone())).expect("each name is registered once");
        collector
    }

    fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.add(IntCounter::new(name, help))
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.add(IntCounterVec::new(Opts::new(name, help), labels))
    }

    fn gauge(&self, name: &str, help: &str) -> IntGauge {
        self.add(IntGauge::new(name, help))
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.add(IntGaugeVec::new(Opts::new(name, help), labels))
    }

    fn seconds(&self, name: &str, help: &str) -> Gauge {
        self.add(Gauge::new(name, help))
    }

    fn seconds_by(&self, name: &str, help: &str, labels: &[&str]) -> GaugeVec {
        self.add(GaugeVec::new(Opts::new(name, help), labels))
    }

    fn histogram(&self, name: &str, help: &str) -> Histogram {
        self.add(Histogram::with_opts(
            HistogramOpts::new(name, help)
                .buckets(vec![0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0, 180.0, 600.0]),
        ))
    }

    fn histograms(&self, name: &str, help: &str, labels: &[&str]) -> HistogramVec {
        let buckets = vec![0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 20.0];
        self.add(HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets), labels))
    }
}
