//! Who takes the records of a collection, one by one as they are read.

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

/// What [`Sink::settle`] waits for.
pub type Settle<'a> = std::pin::Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Takes records as they are read.
pub trait Sink: Send {
    /// Takes one record.
    fn take(&mut self, read: Read);

    /// Called now and then while the reading goes on: nothing more is read before it is done, so
    /// that a sink which passes records on need not keep more than a few of them.
    fn settle(&mut self) -> Settle<'_>;
}

impl<F: FnMut(Read) + Send> Sink for F {
    fn take(&mut self, read: Read) {
        self(read);
    }

    fn settle(&mut self) -> Settle<'_> {
        Box::pin(std::future::ready(()))
    }
}
