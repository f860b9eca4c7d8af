//! Now and waiting, as a trait: the system's clock, and a simulated one for the demonstration and
//! for tests.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Time since the machine was started, which goes on while a process is frozen and the machine
/// sleeps: for what a server on another machine holds against us.
pub fn boot_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::try_from(time).unwrap_or_default()
}

/// A wait that a clock hands out.
pub type Sleep<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Tells the time and waits. Everything that waits gets one of these.
pub trait Clock: Send + Sync {
    /// The wall clock, for dates people see. It may jump.
    fn now(&self) -> Timestamp;

    /// Time since some fixed instant, for intervals. It never goes back.
    fn monotonic(&self) -> Duration;

    /// Waits for `duration`.
    fn sleep(&self, duration: Duration) -> Sleep<'_>;
}

/// The system's clock.
#[derive(Debug)]
pub struct SystemClock {
    started: tokio::time::Instant,
}

impl SystemClock {
    /// The system's clock, shared.
    pub fn shared() -> Arc<dyn Clock> {
        Arc::new(Self { started: tokio::time::Instant::now() })
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the wall clock is read")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }

    fn sleep(&self, duration: Duration) -> Sleep<'_> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A clock that stands still until somebody waits: a wait moves it on and is over at once.
#[derive(Debug)]
pub struct SimulatedClock {
    start: Timestamp,
    elapsed: Mutex<Duration>,
}

impl SimulatedClock {
    /// A clock that shows `start`.
    pub fn starting_at(start: Timestamp) -> Arc<Self> {
        Arc::new(Self { start, elapsed: Mutex::new(Duration::ZERO) })
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        let mut elapsed = self.elapsed.lock().unwrap_or_else(PoisonError::into_inner);
        *elapsed = elapsed.saturating_add(by);
    }

    /// Moves the clock on to `instant`; it never goes back.
    pub fn advance_to(&self, instant: Timestamp) {
        let target = Duration::try_from(instant.duration_since(self.start)).unwrap_or_default();
        let mut elapsed = self.elapsed.lock().unwrap_or_else(PoisonError::into_inner);
        *elapsed = target.max(*elapsed);
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.monotonic()).unwrap_or(SignedDuration::MAX);
        self.start.saturating_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    fn monotonic(&self) -> Duration {
        *self.elapsed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep(&self, duration: Duration) -> Sleep<'_> {
        let target = self.monotonic().saturating_add(duration);
        Box::pin(async move {
            // Let others run first: what they do now happens before the wait is over.
            tokio::task::yield_now().await;
            let mut elapsed = self.elapsed.lock().unwrap_or_else(PoisonError::into_inner);
            *elapsed = target.max(*elapsed);
        })
    }
}
