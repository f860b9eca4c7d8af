//! A saved collection in the same form as Partner Center's answer: imports, dry runs, air-gapped
//! use. No sign-in, no paging, no second try.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tokio::io::AsyncReadExt;

use crate::fs;
use crate::metrics::Metrics;
use crate::source::report::RecordSink;
use crate::source::scan::{ItemSink, Outline, Scanner};
use crate::source::{ReadReport, Sink, SourceError, links};
use crate::text::Transcoder;

/// How much is read at a time, in bytes.
const CHUNK: usize = 256 * 1024;

/// A source that is a file.
#[derive(Debug)]
pub(crate) struct FileSource {
    path: PathBuf,
}

impl FileSource {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Reads the file; what was read before a failure stands.
    pub(crate) async fn read(
        &self,
        now: Timestamp,
        metrics: &Metrics,
        into: &mut dyn Sink,
    ) -> ReadReport {
        let mut sink = RecordSink::new(into, now, 0, 0);
        let outcome = self.scan(&mut sink).await;
        let tally = sink.into_tally();
        let items = tally.items();
        let mut report = tally.report(metrics);
        match outcome {
            Ok(outline) => {
                let missing = links::missing_items(&outline, items);
                report.short = missing.is_some();
                report.errors.extend(missing);
                if !matches!(links::next(&outline), Ok(None)) {
                    report
                        .errors
                        .push("the file has a link to a next page, which is not in it".into());
                }
            }
            Err(reason) => report.fail(SourceError::File { path: self.path.clone(), reason }),
        }
        report
    }

    /// Whether it can be opened and begins as a collection does.
    pub(crate) async fn probe(&self) -> Result<(), SourceError> {
        let failed = |reason: String| SourceError::File { path: self.path.clone(), reason };
        let mut file =
            fs::open_streaming(&self.path).await.map_err(|error| failed(error.to_string()))?;
        let mut start = Vec::with_capacity(1024);
        file.read_buf(&mut start).await.map_err(|error| failed(error.to_string()))?;
        let mut transcoder = Transcoder::default();
        let text = transcoder.feed(&start);
        if text.trim_ascii_start().first() == Some(&b'{') {
            Ok(())
        } else {
            Err(failed("it is no collection of usage records".into()))
        }
    }

    async fn scan(&self, sink: &mut RecordSink<'_>) -> Result<Outline, String> {
        let mut file = fs::open_streaming(&self.path).await.map_err(|error| error.to_string())?;
        let whole = |error| format!("the collection {error}");
        let mut scanner = Scanner::new();
        let mut chunk = Vec::with_capacity(CHUNK);
        let mut transcoder = Transcoder::default();
        while file.read_buf(&mut chunk).await.map_err(|error| error.to_string())? > 0 {
            scanner.feed(&transcoder.feed(&chunk), sink).map_err(whole)?;
            ItemSink::settle(sink).await;
            chunk.clear();
        }
        if transcoder.ends_within_a_letter() {
            return Err("the collection is cut off".to_owned());
        }
        scanner.finish().map_err(whole)
    }
}
