//! Reads a collection page by page. A page that is cut is read again from its start; what was read
//! before stands.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;

use crate::metrics::Metrics;
use crate::source::call::{Call, Endpoint};
use crate::source::client::{Client, chunk};
use crate::source::links::{self, PageLink};
use crate::source::report::{RecordSink, Tally};
use crate::source::scan::{ItemSink, Outline, ScanError, Scanner};
use crate::source::{Place, ReadReport, Sink, SourceError};

/// What one page may unpack to, in bytes. Nothing of it is kept, so that the cap only ends what
/// never ends.
const PAGE_CAP: u64 = 4 << 30;
/// More pages than any partner has customers for.
const MOST_PAGES: usize = 100_000;
/// So many pages without a record, one after another, lead nowhere.
const MOST_EMPTY: u32 = 10;
/// How long the pages may take together: what was read waits so long to be judged.
const LONGEST: Duration = Duration::from_hours(1);

type Into<'a> = &'a mut dyn Sink;

/// Reads all usage records.
pub(crate) async fn read(
    client: &Client,
    now: Timestamp,
    metrics: &Metrics,
    into: Into<'_>,
) -> ReadReport {
    let mut reading = Reading { client, now, attempt: 0, tally: Tally::default(), warning: None };
    let outcome = reading.all(into).await;
    let mut report = reading.tally.report(metrics);
    report.short = reading.warning.is_some();
    report.errors.extend(reading.warning);
    report.errors.extend(client.sign_in().unsaved().await);
    if let Err(error) = outcome {
        report.fail(error);
    }
    report
}

struct Reading<'a> {
    client: &'a Client,
    now: Timestamp,
    attempt: u32,
    tally: Tally,
    warning: Option<String>,
}

impl Reading<'_> {
    async fn all(&mut self, into: Into<'_>) -> Result<(), SourceError> {
        let mut link = PageLink::first(self.client.address(&["customers", "usagerecords"]));
        let (mut seen, mut contents, mut empty) = (HashSet::new(), HashSet::new(), 0);
        let since = self.client.clock().monotonic();
        loop {
            if !seen.insert(link.identity()) {
                return Err(SourceError::Link {
                    reason: "it leads to a page that was read before".into(),
                });
            }
            if seen.len() > MOST_PAGES {
                return Err(SourceError::Link {
                    reason: format!("there were {MOST_PAGES} pages before it"),
                });
            }
            let (outline, content) = self.page(&link, into).await?;
            let Some(next) = next(&outline)? else {
                self.warning = links::missing_items(&outline, self.tally.items());
                return Ok(());
            };
            let nowhere = |reason: String| Err(SourceError::Link { reason });
            empty = if content.is_some() { 0 } else { empty + 1 };
            if empty >= MOST_EMPTY {
                return nowhere(format!(
                    "there were {MOST_EMPTY} pages without a record before it"
                ));
            }
            if content.is_some_and(|content| !contents.insert(content)) {
                return nowhere(
                    "it stands on a page with the same records as a page before it".into(),
                );
            }
            if self.client.clock().monotonic().saturating_sub(since) >= LONGEST {
                return nowhere("reading the pages before it took an hour".into());
            }
            link = links::resolve(self.client.base(), &next)?;
        }
    }

    /// One page, with its tries, and what tells its records from those of others. The best try
    /// counts: the others held the same items, or fewer.
    async fn page(
        &mut self,
        link: &PageLink,
        into: Into<'_>,
    ) -> Result<(Outline, Option<u64>), SourceError> {
        let mut call = Call::new(Endpoint::UsageRecords);
        let mut best = Tally::default();
        loop {
            let mut sink = RecordSink::new(into, self.now, self.attempt, self.tally.items());
            let outcome = try_page(self.client, link, &mut call, PAGE_CAP, &mut sink).await;
            let content = sink.content();
            let tally = sink.into_tally();
            self.attempt += u32::from(outcome.is_err() && tally.items() > 0);
            if outcome.is_ok() || tally.items() > best.items() {
                best = tally;
            }
            let again = match &outcome {
                Ok(_) => false,
                Err(error) => self.client.wait_after(error, &mut call).await,
            };
            if !again {
                self.tally.add(best);
                return outcome.map(|outline| (outline, content));
            }
        }
    }
}

/// One try of one page.
pub(crate) async fn try_page(
    client: &Client,
    link: &PageLink,
    call: &mut Call,
    cap: u64,
    sink: &mut (dyn ItemSink + Send),
) -> Result<Outline, SourceError> {
    let mut response = client.send(link, call).await?;
    let garbled = |error: ScanError| SourceError::Garbled {
        place: Place::PartnerCenter,
        reason: format!("the answer {error}"),
    };
    let mut scanner = Scanner::new();
    let mut size: u64 = 0;
    while let Some(bytes) = chunk(&mut response).await? {
        let bytes = bytes.as_ref();
        size = size.saturating_add(bytes.len().try_into().unwrap_or(u64::MAX));
        if size > cap {
            return Err(SourceError::TooLarge { place: Place::PartnerCenter, cap });
        }
        scanner.feed(bytes, sink).map_err(garbled)?;
        sink.settle().await;
    }
    match scanner.finish() {
        // A success without a body (204, but also 200) is a collection without items.
        Err(ScanError::Empty) => Ok(Outline::default()),
        finished => finished.map_err(garbled),
    }
}

/// `links.next`, or the error that it cannot be read.
pub(crate) fn next(outline: &Outline) -> Result<Option<serde_json::Value>, SourceError> {
    links::next(outline).map_err(|_| SourceError::Link { reason: "it cannot be read".into() })
}
