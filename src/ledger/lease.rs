//! Keeps the lease by which one of several hosts leads: a thread and a connection of its own renew
//! it, or wait until it is free. It is 60 s long by the clock of the database.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::clock::boot_time;
use crate::ledger::column::Id;
use crate::ledger::error::LedgerError;
use crate::ledger::leadership::{Seat, Term};
use crate::ledger::server::Server;
use crate::ledger::sql::{self, Connection, Database, params};

/// How often it is renewed.
const RENEW: Duration = Duration::from_secs(15);
/// How often another host looks whether it is free, and how soon a renewal that failed is tried
/// again.
const LOOK: Duration = Duration::from_secs(3);
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

const RENEWAL: &str = "UPDATE lease SET expires_at = clock_timestamp() + interval '60 seconds'
    WHERE holder = ?1 AND EXISTS (SELECT 1 FROM file WHERE leader = ?1 AND epoch = ?2)";
const HOLDER: &str = "SELECT host, expires_at > clock_timestamp() FROM lease FOR UPDATE";
/// Waits for the transaction of the leader before, if there is one under way.
const NEXT_EPOCH: &str = "UPDATE file SET epoch = epoch + 1, leader = ?1 RETURNING epoch";
const TAKING: &str = "UPDATE lease SET holder = ?1, host = ?2,
    expires_at = clock_timestamp() + interval '60 seconds'";
const RELEASE: &str = "UPDATE lease SET expires_at = '-infinity' WHERE holder = ?1";

/// A candidature: while it lives, this process leads whenever no other one does. When it is
/// dropped, the lease is given back; drop it after the last write.
#[derive(Debug)]
pub struct Lease {
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Lease {
    /// Stands for `host`. The lease is asked for before this returns, if the server answers.
    pub(super) fn stand(
        server: &Server,
        seat: &Arc<Seat>,
        host: &str,
        path: &Path,
    ) -> Result<Self, LedgerError> {
        let database = Database::of(server, Arc::clone(seat)).patient(PATIENCE);
        let lease = Renewal {
            connection: Connection::Postgres(Box::new(database)),
            seat: Arc::clone(seat),
            host: host.to_owned(),
        };
        let (stop, stopped) = mpsc::sync_channel(0);
        let (asked, first) = mpsc::sync_channel(1);
        let work = move || lease.keep(&stopped, &asked);
        let thread = std::thread::Builder::new()
            .name("lease".into())
            .spawn(work)
            .map_err(LedgerError::io(path))?;
        // An error shows in the leadership.
        let _asked_or_ended = first.recv();
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // It ends by itself; what went wrong in it is in the log.
            let _ended = thread.join();
        }
    }
}

struct Renewal {
    connection: Connection,
    seat: Arc<Seat>,
    host: String,
}

impl Renewal {
    fn keep(&self, stop: &Receiver<()>, asked: &SyncSender<()>) {
        loop {
            let pause = self.turn();
            // Only the first one is waited for.
            let _waited_for_or_not = asked.try_send(());
            if stop.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                break;
            }
        }
        if self.seat.term().is_some() {
            self.seat.follow(None);
            let released = self.connection.execute(RELEASE, [Id(self.seat.holder)]);
            if let Err(error) = released {
                tracing::warn!(%error, "the lease is not given back: another host leads in 60 s");
            }
        }
    }

    /// Renews or takes the lease, where that can be; returns how long until the next time.
    fn turn(&self) -> Duration {
        let asked = boot_time();
        match self.lead() {
            Ok(Leads::This(epoch)) => {
                self.seat.lead(Term { epoch, renewed: asked });
                RENEW
            }
            Ok(Leads::Other(host)) => {
                self.seat.follow(host);
                LOOK
            }
            Err(error) => {
                tracing::warn!(%error, "the lease cannot be renewed or asked for");
                if self.seat.epoch(boot_time()).is_err() {
                    self.seat.follow(self.seat.leader());
                }
                LOOK
            }
        }
    }

    fn lead(&self) -> sql::Result<Leads> {
        let holder = Id(self.seat.holder);
        if let Some(Term { epoch, .. }) = self.seat.term()
            && self.connection.execute(RENEWAL, params![holder, epoch])? > 0
        {
            return Ok(Leads::This(epoch));
        }
        self.connection.transaction(|| {
            let (host, held): (Option<String>, bool) =
                self.connection.query_row(HOLDER, (), |row| Ok((row.get(0)?, row.get(1)?)))?;
            if held {
                return Ok(Leads::Other(host));
            }
            let epoch = self.connection.query_row(NEXT_EPOCH, [&holder], |row| row.get(0))?;
            self.connection.execute(TAKING, params![holder, self.host])?;
            Ok(Leads::This(epoch))
        })
    }
}

/// Who leads.
enum Leads {
    /// This process, in this epoch.
    This(i64),
    /// The process on another host.
    Other(Option<String>),
}
