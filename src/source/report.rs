//! Makes records of the items of a collection, and at the end an account of how the reading went.
//! Who takes the records is `sink`'s.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hash as _, Hasher as _};

use foldhash::fast::{FixedState, FoldHasher};
use jiff::Timestamp;

use crate::metrics::Metrics;
use crate::source::SourceError;
use crate::source::record::{Skip, Usable, usage_record};
use crate::source::scan::ItemSink;
use crate::source::sink::{KnownRecord, Read, Settle, Sink};
use crate::source::wire::{WireUsage, object, object_at_start, object_of, repaired};
use crate::text::customer_hash;

/// How many skipped records are named; the rest is a number.
const NAMED: usize = 20;

/// How the reading of a collection went.
#[derive(Debug, Default)]
pub struct ReadReport {
    /// Usable items; those of a repeated page are counted once.
    pub records: u64,
    /// Items that could not be used.
    pub skipped: u64,
    /// The newest date that came with the data.
    pub newest: Option<Timestamp>,
    /// What a person should know, a sentence each: skipped records, warnings, the failure.
    pub errors: Vec<String>,
    /// Whether the collection promised more items than it gave.
    pub short: bool,
    /// Why the reading failed, if it did. What was read before stands all the same.
    pub failure: Option<SourceError>,
}

impl ReadReport {
    /// The reading failed after all that it gave.
    pub(crate) fn fail(&mut self, error: SourceError) {
        self.errors.push(error.in_full());
        self.failure = Some(error);
    }
}

/// What one page held.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    records: u64,
    skips: BTreeMap<&'static str, u64>,
    oddities: BTreeMap<&'static str, u64>,
    named: Vec<String>,
    newest: Option<Timestamp>,
}

impl Tally {
    fn skipped(&self) -> u64 {
        self.skips.values().sum()
    }

    /// All items, usable or not.
    pub(crate) fn items(&self) -> u64 {
        self.records.saturating_add(self.skipped())
    }

    /// Adds what another page held.
    pub(crate) fn add(&mut self, page: Self) {
        let sum = |into: &mut BTreeMap<_, u64>, from| {
            for (label, count) in from {
                *into.entry(label).or_default() += count;
            }
        };
        self.records += page.records;
        sum(&mut self.skips, page.skips);
        sum(&mut self.oddities, page.oddities);
        let room = NAMED.saturating_sub(self.named.len());
        self.named.extend(page.named.into_iter().take(room));
        self.newest = self.newest.max(page.newest);
    }

    /// The account of the whole reading; counts into the metrics.
    pub(crate) fn report(self, metrics: &Metrics) -> ReadReport {
        for (label, count) in &self.skips {
            metrics.records_skipped.with_label_values(&[label]).inc_by(*count);
        }
        for (label, count) in &self.oddities {
            metrics.record_oddities.with_label_values(&[label]).inc_by(*count);
        }
        let skipped = self.skipped();
        let unnamed = skipped.saturating_sub(u64::try_from(self.named.len()).unwrap_or(u64::MAX));
        let mut errors = self.named;
        if unnamed > 0 {
            errors.push(format!("and {unnamed} more records were skipped"));
        }
        ReadReport {
            records: self.records,
            skipped,
            newest: self.newest,
            errors,
            short: false,
            failure: None,
        }
    }
}

/// Takes the items of one page: hands out the usable ones and keeps the tally.
pub(crate) struct RecordSink<'a> {
    into: &'a mut dyn Sink,
    now: Timestamp,
    attempt: u32,
    /// How many items earlier pages held, to name an item by its place.
    before: u64,
    tally: Tally,
    /// Of the customers in their order.
    customers: FoldHasher<'static>,
}

impl<'a> RecordSink<'a> {
    /// A sink for a page after `before` items, read at `now`.
    pub(crate) fn new(into: &'a mut dyn Sink, now: Timestamp, attempt: u32, before: u64) -> Self {
        Self {
            into,
            now,
            attempt,
            before,
            tally: Tally::default(),
            customers: FixedState::with_seed(0).build_hasher(),
        }
    }

    /// What tells the records of the page from those of others; none for a page without any.
    pub(crate) fn content(&self) -> Option<u64> {
        (self.tally.items() > 0).then(|| self.customers.finish())
    }

    /// What the page held so far.
    pub(crate) fn into_tally(self) -> Tally {
        self.tally
    }

    /// Takes what an item was read as. Only one that was nothing but as it should be is the same
    /// whenever it is read.
    fn take(&mut self, wire: &WireUsage<'_>, item: &[u8]) {
        let (oddities, mut odd) = (&mut self.tally.oddities, false);
        let mut note = |label| {
            *oddities.entry(label).or_default() += 1;
            odd = true;
        };
        match usage_record(wire, self.now, &mut note) {
            Ok(Usable { record, dated }) => {
                let date = dated.then(|| record.usage_as_of.instant());
                self.count(customer_hash(&record.customer), date);
                let item = Some(item).filter(|_| dated && !odd);
                self.into.take(Read { record, attempt: self.attempt }, item);
            }
            Err(skip) => self.skip(&skip),
        }
    }

    /// Passes over an item that is known; how many bytes it takes.
    fn recognise(&mut self, bytes: &[u8]) -> Option<usize> {
        let KnownRecord { length, customer, usage_as_of } =
            self.into.recognise(bytes, self.attempt)?;
        self.count(customer, Some(usage_as_of));
        Some(length)
    }

    fn count(&mut self, customer: u128, date: Option<Timestamp>) {
        self.tally.records += 1;
        self.tally.newest = self.tally.newest.max(date);
        customer.hash(&mut self.customers);
    }

    fn skip(&mut self, skip: &Skip) {
        if self.tally.named.len() < NAMED {
            let place = self.before.saturating_add(self.tally.items()).saturating_add(1);
            self.tally.named.push(format!("record {place} skipped: {skip}"));
        }
        *self.tally.skips.entry(skip.label()).or_default() += 1;
    }
}

impl ItemSink for RecordSink<'_> {
    fn settle(&mut self) -> Settle<'_> {
        self.into.settle()
    }

    fn at_start(&mut self, bytes: &[u8]) -> Option<usize> {
        if let Some(length) = self.recognise(bytes) {
            return Some(length);
        }
        let (wire, taken) = object_at_start(bytes)?;
        self.take(&wire, bytes.get(..taken).unwrap_or_default());
        Some(taken)
    }

    fn whole(&mut self, item: &[u8]) {
        if self.recognise(item).is_some() {
            return;
        }
        if let Some(wire) = object(item) {
            return self.take(&wire, item);
        }
        match object_of(&repaired(item)) {
            Some(wire) => self.take(&wire, item),
            None => self.skip(&Skip::BadJson),
        }
    }

    fn too_large(&mut self, start: &[u8]) {
        self.skip(&Skip::too_large(start));
    }
}
