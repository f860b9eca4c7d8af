//! A group commit: what several callers want to write, in one transaction. Who belongs to a group
//! is decided by the thread.

use tokio::sync::oneshot;

use crate::ledger::sql::{Connection, Error, Result};

/// What one caller wants to write.
pub(super) trait Part: Send {
    /// Writes it, in a transaction that may still fail.
    fn work(&mut self, connection: &Connection) -> Result<()>;

    /// Tells the caller what became of the transaction.
    fn answer(self: Box<Self>, written: Result<()>);
}

/// A part whose caller waits for a value.
pub(super) struct Member<T, W> {
    work: W,
    value: Option<T>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, W> Member<T, W> {
    pub(super) fn new(work: W, reply: oneshot::Sender<Result<T>>) -> Self {
        Self { work, value: None, reply }
    }
}

impl<T: Send, W: FnMut(&Connection) -> Result<T> + Send> Part for Member<T, W> {
    fn work(&mut self, connection: &Connection) -> Result<()> {
        self.value = Some((self.work)(connection)?);
        Ok(())
    }

    fn answer(self: Box<Self>, written: Result<()>) {
        let Self { value, reply, .. } = *self;
        // Nobody waits any more: it is written all the same.
        let _gone = reply
            .send(written.and_then(|()| value.ok_or_else(|| Error::value("nothing was written"))));
    }
}

/// Writes all parts or none, and answers each once they are on disk.
pub(super) fn write(connection: &Connection, mut parts: Vec<Box<dyn Part>>) {
    let written = together(connection, &mut parts);
    for part in parts {
        part.answer(written.as_ref().copied().map_err(Error::again));
    }
}

fn together(connection: &Connection, parts: &mut [Box<dyn Part>]) -> Result<()> {
    connection.write(|connection| parts.iter_mut().try_for_each(|part| part.work(connection)))
}
