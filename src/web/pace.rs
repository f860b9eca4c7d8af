//! How a connection gets on: whether a whole request of it is being answered, since when it has
//! none, and when its time is over. Ending it is left to [`super::connections`].

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::Version;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::web::limits::Limits;

/// A connection's pace.
pub(super) struct Pace {
    limits: Limits,
    state: Mutex<State>,
    changed: Notify,
    /// Told when the connection comes to rest.
    rested: Arc<Notify>,
}

struct State {
    /// Whole requests that are being answered.
    asked: usize,
    /// Since when there are none.
    since: Instant,
    /// When the first byte of the next one came.
    begun: Option<Instant>,
    /// Bytes may be something else than a request (HTTP/2).
    framed: bool,
    /// It gives way to another connection.
    given_up: bool,
}

impl Pace {
    /// Of a connection that was just opened.
    pub(super) fn new(limits: Limits, rested: Arc<Notify>) -> Self {
        let state =
            State { asked: 0, since: Instant::now(), begun: None, framed: false, given_up: false };
        Self { limits, state: Mutex::new(state), changed: Notify::new(), rested }
    }

    /// Bytes came.
    pub(super) fn read(&self) {
        let mut state = self.state();
        if state.asked == 0 && !state.framed && state.begun.is_none() {
            state.begun = Some(Instant::now());
            self.changed.notify_one();
        }
    }

    /// The head of a request is there; it is answered once what this returns is dropped.
    pub(super) fn head(self: Arc<Self>, version: Version) -> Asked {
        let mut state = self.state();
        state.framed = version == Version::HTTP_2;
        state.begun.get_or_insert_with(Instant::now);
        self.changed.notify_one();
        drop(state);
        Asked { pace: self, is_whole: AtomicBool::new(false) }
    }

    /// Since when the connection has no whole request; none while one is being answered.
    pub(super) fn rests_since(&self) -> Option<Instant> {
        let state = self.state();
        (state.asked == 0).then_some(state.since)
    }

    /// The connection ends in favour of another.
    pub(super) fn give_up(&self) {
        self.state().given_up = true;
        self.changed.notify_one();
    }

    /// Whether it was given up.
    pub(super) fn is_given_up(&self) -> bool {
        self.state().given_up
    }

    /// Waits until the connection's time is over.
    pub(super) async fn over(&self) {
        loop {
            let changed = self.changed.notified();
            match self.end() {
                End::Now => return,
                End::Never => changed.await,
                End::At(deadline) => tokio::select! {
                    () = changed => {}
                    () = sleep_until(deadline) => return,
                },
            }
        }
    }

    fn end(&self) -> End {
        let state = self.state();
        let idle = state.since + self.limits.idle;
        match state.begun.map(|begun| begun + self.limits.coming) {
            _ if state.given_up => End::Now,
            _ if state.asked > 0 => End::Never,
            Some(whole) => End::At(whole.min(idle)),
            None => End::At(idle),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum End {
    Now,
    At(Instant),
    Never,
}

/// A request whose head is there.
pub(super) struct Asked {
    pace: Arc<Pace>,
    is_whole: AtomicBool,
}

impl Asked {
    /// The rest of it is there too.
    pub(super) fn is_whole(&self) {
        if !self.is_whole.swap(true, Ordering::Relaxed) {
            let mut state = self.pace.state();
            state.asked += 1;
            state.begun = None;
            // It came just in time: another one gives way.
            if std::mem::take(&mut state.given_up) {
                self.pace.rested.notify_one();
            }
            self.pace.changed.notify_one();
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let mut state = self.pace.state();
        state.asked -= usize::from(*self.is_whole.get_mut());
        if state.asked == 0 {
            (state.since, state.begun) = (Instant::now(), None);
            self.pace.changed.notify_one();
            self.pace.rested.notify_one();
        }
    }
}
