//! Lets others have their turn: on a runtime of one thread, whoever works through very many things
//! holds up everybody else, pages and the watchdog too.

/// How many things are done in one go: they take a few milliseconds.
const IN_ONE_GO: usize = 256;

/// Counts what is done.
#[derive(Debug, Default)]
pub(crate) struct Turns(usize);

impl Turns {
    /// One more thing is done; now and then, others go first before the next.
    pub(crate) async fn done(&mut self) {
        self.0 = self.0.wrapping_add(1);
        if self.0.is_multiple_of(IN_ONE_GO) {
            tokio::task::yield_now().await;
        }
    }
}
