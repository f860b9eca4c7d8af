//! What a receiver got, in order, and waiting for more of it; it does not know what it holds.

use std::time::Duration;

use tokio::sync::watch;

/// Waiting is over after this, in real time, whatever the simulated clock shows.
const DEADLINE: Duration = Duration::from_secs(30);

/// What was waited for did not come in time.
#[derive(Debug, thiserror::Error)]
#[error("waited {} s for {wanted}, {came} came", DEADLINE.as_secs())]
pub struct StillWaiting {
    /// How many were wanted.
    pub wanted: usize,
    /// How many came.
    pub came: usize,
}

/// A growing list that can be waited on.
#[derive(Debug)]
pub(crate) struct Journal<T>(watch::Sender<Vec<T>>);

impl<T: Clone> Journal<T> {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(Vec::new()))
    }

    pub(crate) fn push(&self, entry: T) {
        self.0.send_modify(|entries| entries.push(entry));
    }

    pub(crate) fn entries(&self) -> Vec<T> {
        self.0.borrow().clone()
    }

    pub(crate) fn matching(&self, wanted: impl Fn(&T) -> bool) -> Vec<T> {
        self.0.borrow().iter().filter(|entry| wanted(entry)).cloned().collect()
    }

    /// Waits until at least `count` entries match, and returns these.
    pub(crate) async fn wait_for(
        &self,
        count: usize,
        wanted: impl Fn(&T) -> bool,
    ) -> Result<Vec<T>, StillWaiting> {
        let mut changes = self.0.subscribe();
        let enough = changes
            .wait_for(|entries| entries.iter().filter(|entry| wanted(entry)).count() >= count);
        let in_time = tokio::time::timeout(DEADLINE, enough).await.is_ok();
        let came = self.matching(wanted);
        if in_time { Ok(came) } else { Err(StillWaiting { wanted: count, came: came.len() }) }
    }
}
