//! The one thread that owns the ledger's connection: it does what it is sent, in order.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use crate::ledger::error::LedgerError;
use crate::ledger::file;
use crate::ledger::group::{self, Member, Part};
use crate::ledger::lock::Lock;
use crate::ledger::reader::Reader;
use crate::ledger::sql::{self, Connection};

/// How many jobs may wait; a sender waits beyond that.
const QUEUE: usize = 64;

type Job = Box<dyn FnOnce(&Reader) + Send>;

enum Order {
    Do(Job),
    /// Shares its transaction with all of its kind that wait behind it.
    Share(Box<dyn Part>),
    Stop,
}

/// The sending end of the thread. Cloning shares it; when the last one is dropped, the thread
/// finishes what is queued, closes the file and ends.
#[derive(Clone)]
pub(super) struct Thread {
    orders: mpsc::Sender<Order>,
    handle: Arc<Mutex<Option<JoinHandle<sql::Result<()>>>>>,
    path: Arc<Path>,
}

impl Thread {
    /// Starts the thread over an open connection; `lock` is let go after the connection is closed.
    /// A connection without a lock is a copy that nobody will read again.
    pub(super) fn start(
        connection: Connection,
        lock: Option<Lock>,
        path: &Path,
    ) -> Result<Self, LedgerError> {
        let (orders, queue) = mpsc::channel(QUEUE);
        let reader = Reader::over(connection, path);
        let work = move || serve(reader, lock, queue);
        let handle = std::thread::Builder::new()
            .name("ledger".into())
            .spawn(work)
            .map_err(LedgerError::io(path))?;
        Ok(Self { orders, handle: Arc::new(Mutex::new(Some(handle))), path: path.into() })
    }

    /// Lets the thread do `work` and waits for what comes of it. Once sent, it is done even when
    /// nobody waits any more.
    pub(super) async fn run<T, W>(&self, work: W) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> sql::Result<T> + Send + 'static,
    {
        self.read(move |reader| reader.read(work)).await
    }

    /// The same for what only reads.
    pub(super) async fn read<T, W>(&self, work: W) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        W: FnOnce(&Reader) -> Result<T, LedgerError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = move |reader: &Reader| {
            // Nobody waits any more: the work is done all the same.
            let _gone = reply.send(work(reader));
        };
        self.orders.send(Order::Do(Box::new(job))).await.map_err(|_| LedgerError::Gone)?;
        answer.await.map_err(|_| LedgerError::Gone)?
    }

    /// Like [`Self::run`], in one transaction: all of it or nothing, on disk when it returns.
    pub(super) async fn write<T, W>(&self, work: W) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> sql::Result<T> + Send + 'static,
    {
        self.run(move |connection| connection.write(work)).await
    }

    /// Like [`Self::write`], for what a person orders, whichever host leads.
    pub(super) async fn order<T, W>(&self, work: W) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> sql::Result<T> + Send + 'static,
    {
        self.run(move |connection| connection.order(work)).await
    }

    /// Like [`Self::write`], but in one transaction with whatever of this kind waits in the queue
    /// as well: one wait for the disk serves them all. When it fails, it fails for all of them, and
    /// nothing of any is written.
    pub(super) async fn share<T, W>(&self, work: W) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        W: FnMut(&Connection) -> sql::Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.orders
            .send(Order::Share(Box::new(Member::new(work, reply))))
            .await
            .map_err(|_| LedgerError::Gone)?;
        answer
            .await
            .map_err(|_| LedgerError::Gone)?
            .map_err(|error| LedgerError::of(&self.path, error))
    }

    /// What the ledger is called.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Lets the thread finish what is queued and end, and waits for it. Other handles find it gone.
    pub(super) async fn close(&self) -> Result<(), LedgerError> {
        self.orders.send(Order::Stop).await.map_err(|_| LedgerError::Gone)?;
        self.orders.closed().await;
        let Some(handle) = self.handle.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return Ok(());
        };
        let ended = tokio::task::spawn_blocking(move || handle.join()).await;
        let closed = ended.map_err(|_| LedgerError::Gone)?.map_err(|_| LedgerError::Gone)?;
        closed.map_err(|error| LedgerError::of(&self.path, error))
    }
}

fn serve(reader: Reader, lock: Option<Lock>, mut queue: mpsc::Receiver<Order>) -> sql::Result<()> {
    let mut next = None;
    loop {
        match next.take().or_else(|| queue.blocking_recv()) {
            Some(Order::Do(job)) => job(&reader),
            Some(Order::Share(first)) => {
                let mut parts = vec![first];
                while next.is_none() {
                    match queue.try_recv() {
                        Ok(Order::Share(part)) => parts.push(part),
                        Ok(other) => next = Some(other),
                        Err(_) => break,
                    }
                }
                group::write(reader.connection(), parts);
            }
            Some(Order::Stop) | None => break,
        }
    }
    queue.close();
    let closed = match reader.into_connection() {
        Connection::Sqlite(file) if lock.is_some() => file::close(file).map_err(sql::Error::from),
        Connection::Sqlite(_) | Connection::Postgres(_) => Ok(()),
    };
    drop(lock);
    closed
}
