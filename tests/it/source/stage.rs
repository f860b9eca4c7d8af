//! What the tests of reading share: a Partner Center that answers what it is told, and readings as
//! text.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use budget_alertd::clock::{Clock, SimulatedClock};
use budget_alertd::metrics::Metrics;
use budget_alertd::secret::Secret;
use budget_alertd::source::{Config, PartnerCenterConfig, Read, ReadReport, Source};
use mockito::{Matcher, Mock, ServerGuard};

use super::script::{Answer, Script};

/// The seed's own answer.
pub(crate) const SEED: &str = include_str!("../../fixtures/customers_usagerecords.json");
/// What the seed's answer reads as.
pub(crate) const SEED_RECORDS: &str = "\
11111111-1843-4b3b-872f-206e08a08e51 | LEGACY AZURE CUSTOMER SE | legacy | 0 - | usd 0 | budget - | reported 0 | 2019-08-01T23:00:16.57Z
11111111-6fb9-4b05-8f15-b3d72e0596e6 | Modern Azure Customer SE | azure-plan | 120.5682999999995904716 SEK | usd 12.39999999999999985235 | budget 20 | reported 602.84 | 2019-09-17T17:08:11.1433333Z
11111111-5892-4326-8541-9da1fdb233fb | Test_Test_MA20190829_14 | azure-plan | 0 GBP | usd 0 | budget - | reported 0 | 2019-09-17T17:08:11.1433333Z
11111111-641b-4c53-b7fc-0f2bfca8a581 | Modern Azure Customer UK | azure-plan | 27.23292827625710931604 GBP | usd 33.280000000000001044 | budget 97 | reported 28.08 | 2019-09-17T17:08:11.1433333Z";
/// The seed's `totalCount` promises more than its items.
pub(crate) const SEED_WARNING: &str = "totalCount says 25 but only 4 items came; customers that \
    are missing from the answer were not judged";

/// A reading.
pub(crate) struct Reading {
    pub(crate) reads: Vec<Read>,
    pub(crate) report: ReadReport,
}

impl Reading {
    /// The records, a line each.
    pub(crate) fn records(&self) -> String {
        self.reads.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// The customers' ids in order, each with its attempt.
    pub(crate) fn ids(&self) -> String {
        self.reads
            .iter()
            .map(|read| format!("{}@{}", read.record.customer, read.attempt))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Counts, and whether it failed.
    pub(crate) fn account(&self) -> String {
        let Reading { report, .. } = self;
        let state = if report.failure.is_some() { "failed" } else { "ok" };
        format!("{} records, {} skipped, {state}", report.records, report.skipped)
    }
}

fn line(read: &Read) -> String {
    fn or_dash(value: Option<impl ToString>) -> String {
        value.map_or_else(|| "-".into(), |value| value.to_string())
    }
    let record = &read.record;
    format!(
        "{} | {} | {} | {} {} | usd {} | budget {} | reported {} | {}",
        record.customer,
        record.name,
        record.plan.as_str(),
        record.cost,
        or_dash(record.currency),
        or_dash(record.usd_cost),
        or_dash(record.budget),
        or_dash(record.reported_percent),
        record.usage_as_of
    )
}

/// Everything a test of reading needs.
pub(crate) struct Stage {
    pub(crate) server: ServerGuard,
    pub(crate) clock: Arc<SimulatedClock>,
    pub(crate) metrics: Metrics,
    pub(crate) state: tempfile::TempDir,
    pub(crate) config: PartnerCenterConfig,
}

/// The time of all readings: some hours after the seed's answer.
pub(crate) const NOW: &str = "2019-09-17T20:31:45Z";

pub(crate) fn now() -> jiff::Timestamp {
    NOW.parse().unwrap()
}

pub(crate) fn clock() -> Arc<SimulatedClock> {
    SimulatedClock::starting_at(NOW.parse().unwrap())
}

impl Stage {
    /// A Partner Center that nobody has told anything yet.
    pub(crate) async fn bare() -> Self {
        let server = mockito::Server::new_async().await;
        let state = tempfile::tempdir().unwrap();
        let config = config(&server.url(), state.path());
        Self { server, clock: clock(), metrics: Metrics::new(), state, config }
    }

    /// One that signs in whoever asks.
    pub(crate) async fn new() -> Self {
        let mut stage = Self::bare().await;
        stage.token(r#"{"access_token":"access-1","expires_in":3600}"#).create_async().await;
        stage
    }

    /// One that signs in whoever asks, and whose API answers by a script.
    pub(crate) async fn scripted(answers: Vec<Answer>) -> (Self, Script) {
        let mut stage = Self::new().await;
        let script = Script::serve(answers).await;
        stage.config.api_url = script.url.parse().unwrap();
        (stage, script)
    }

    pub(crate) fn token(&mut self, body: &str) -> Mock {
        self.server
            .mock("POST", "/contoso/oauth2/v2.0/token")
            .with_header("content-type", "application/json")
            .with_body(body)
    }

    pub(crate) fn usage(&mut self) -> Mock {
        self.server.mock("GET", "/v1/customers/usagerecords")
    }

    pub(crate) fn source(&self) -> Source {
        let clock: Arc<dyn Clock> = self.clock.clone();
        Config::PartnerCenter(Box::new(self.config.clone()))
            .build(clock, self.metrics.clone())
            .unwrap()
    }

    pub(crate) async fn read(&self) -> Reading {
        read(&self.source()).await
    }

    /// The lines of the metrics that begin with `name` and are not zero, without the prefix.
    pub(crate) fn counted(&self, name: &str) -> String {
        let text = self.metrics.render().unwrap();
        let lines = text.lines().filter_map(|line| line.strip_prefix("budget_alertd_"));
        lines
            .filter(|line| line.starts_with(name) && !line.ends_with(" 0"))
            .collect::<Vec<_>>()
            .join("\n")
    }
}

pub(crate) fn config(url: &str, state: &Path) -> PartnerCenterConfig {
    PartnerCenterConfig {
        api_url: url.parse().unwrap(),
        login_url: url.parse().unwrap(),
        tenant_id: "contoso".into(),
        client_id: "11111111-2222-3333-4444-555555555555".into(),
        client_secret: Some(Secret::new("client-secret-1")),
        refresh_token: Some(Secret::new("refresh-seed")),
        timeout: Duration::from_secs(20),
        state_dir: state.to_owned(),
    }
}

pub(crate) async fn read(source: &Source) -> Reading {
    let mut reads = Vec::new();
    let report = source.read(now(), &mut |read| reads.push(read)).await;
    Reading { reads, report }
}

/// A form field with exactly this value.
pub(crate) fn field(name: &str, value: &str) -> Matcher {
    Matcher::UrlEncoded(name.into(), value.into())
}

fn items(ids: &str) -> String {
    let item = |id| {
        format!(
            r#"{{"resourceId":"{id}","totalCost":1,"lastModifiedDate":"2019-09-17T17:08:11Z"}}"#
        )
    };
    ids.split_whitespace().map(item).collect::<Vec<_>>().join(",")
}

/// A last page with these customers.
pub(crate) fn page(ids: &str) -> String {
    format!(
        r#"{{"items":[{}],"links":{{"self":{{"uri":"/customers/usagerecords"}}}}}}"#,
        items(ids)
    )
}

/// A page with these customers and a link to a next one.
pub(crate) fn page_with_next(ids: &str, next: &str) -> String {
    format!(r#"{{"links":{{"next":{next}}},"totalCount":99,"items":[{}]}}"#, items(ids))
}
