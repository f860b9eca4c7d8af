//! Who waits for a poll. Those who ask while one is under way share it; whoever waits when the loops change is answered by
//! the next ones.

use tokio::sync::mpsc;

use crate::pipeline::{PollRequest, Polled};

/// Requests that may wait to be seen.
const QUEUE: usize = 64;

/// The bell at the poll loop's door.
pub(super) struct Bell {
    requests: mpsc::Receiver<PollRequest>,
    waiting: Vec<PollRequest>,
}

impl Bell {
    /// A bell, and what rings it.
    pub(super) fn new() -> (mpsc::Sender<PollRequest>, Self) {
        let (ring, requests) = mpsc::channel(QUEUE);
        (ring, Self { requests, waiting: Vec::new() })
    }

    /// Waits until somebody waits for a poll.
    pub(super) async fn rung(&mut self) {
        if self.waiting.is_empty() {
            match self.requests.recv().await {
                Some(request) => self.waiting.push(request),
                None => std::future::pending().await,
            }
        }
    }

    /// Whether somebody wants an answer without items taken for the truth.
    pub(super) fn accepts_empty(&mut self) -> bool {
        self.collect();
        self.waiting.iter().any(|request| request.accept_empty)
    }

    /// Answers those who wait with a poll; those who want an answer without items taken for the truth wait for a poll that does.
    pub(super) fn answer(&mut self, accepted_empty: bool, polled: &Polled) {
        self.tell(|request| accepted_empty || !request.accept_empty, &Ok(polled.clone()));
    }

    /// Tells all who wait why there is no poll.
    pub(super) fn refuse(&mut self, why: &str) {
        self.tell(|_| true, &Err(why.to_owned()));
    }

    fn tell(&mut self, whom: impl Fn(&PollRequest) -> bool, answer: &Result<Polled, String>) {
        self.collect();
        let (told, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(whom);
        self.waiting = waiting;
        for request in told {
            // Who went away need not be told.
            drop(request.answer.send(answer.clone()));
        }
    }

    fn collect(&mut self) {
        while let Ok(request) = self.requests.try_recv() {
            self.waiting.push(request);
        }
    }
}
