//! Who takes the records of a collection, one by one as they are read.

use jiff::Timestamp;

use crate::domain::UsageRecord;

/// One record, as it is handed out.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// The record.
    pub record: UsageRecord,
    /// Grows by one whenever a cut page is read again from its start: the same customer under
    /// another attempt is a repetition, under the same attempt it stands in the collection twice.
    pub attempt: u32,
}

/// An item that is known: read again, it says what it said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownRecord {
    /// How long it is, in bytes.
    pub length: usize,
    /// The number that stands for its customer.
    pub customer: u128,
    /// The date of its data.
    pub usage_as_of: Timestamp,
}

/// What [`Sink::settle`] waits for.
pub type Settle<'a> = std::pin::Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Takes records as they are read.
pub trait Sink: Send {
    /// Takes one record. `item` is what it was read from, to be known again; none where that may
    /// say something else another time, or must be counted each time.
    fn take(&mut self, read: Read, item: Option<&[u8]>);

    /// Asked before an item is read, with bytes that begin with it and may be cut: what is known of
    /// an item that they begin with, which is then passed over.
    fn recognise(&mut self, _bytes: &[u8], _attempt: u32) -> Option<KnownRecord> {
        None
    }

    /// Called now and then while the reading goes on: nothing more is read before it is done, so
    /// that a sink which passes records on need not keep more than a few of them.
    fn settle(&mut self) -> Settle<'_>;
}

impl<F: FnMut(Read) + Send> Sink for F {
    fn take(&mut self, read: Read, _item: Option<&[u8]>) {
        self(read);
    }

    fn settle(&mut self) -> Settle<'_> {
        Box::pin(std::future::ready(()))
    }
}
