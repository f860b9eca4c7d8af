//! Who waits for a poll. Those who ask while one is under way share it, unless they want a new one;
//! whoever waits when the loops change is answered by the next ones.

use tokio::sync::mpsc;

use crate::actions::{PollTicket, Polled};

/// Requests that may wait to be seen.
const QUEUE: usize = 64;

/// The requests that the poll loop answers.
pub(super) struct PollRequests {
    requests: mpsc::Receiver<PollTicket>,
    waiting: Vec<PollTicket>,
    /// How many of those who wait were there when the poll began.
    in_time: usize,
}

impl PollRequests {
    /// The requests, and where they are sent.
    pub(super) fn new() -> (mpsc::Sender<PollTicket>, Self) {
        let (sender, requests) = mpsc::channel(QUEUE);
        (sender, Self { requests, waiting: Vec::new(), in_time: 0 })
    }

    /// Waits until somebody waits for a poll.
    pub(super) async fn wait(&mut self) {
        if self.waiting.is_empty() {
            match self.requests.recv().await {
                Some(request) => self.waiting.push(request),
                None => std::future::pending().await,
            }
        }
    }

    /// A poll begins: whether somebody wants an answer without items taken for the truth.
    pub(super) fn poll_begins(&mut self) -> bool {
        self.collect();
        self.in_time = self.waiting.len();
        self.waiting.iter().any(|request| request.accept_empty)
    }

    /// Answers those who wait with a poll; those who want another one wait for it: one that takes
    /// an answer without items for the truth, or one that begins only now.
    pub(super) fn answer(&mut self, accepted_empty: bool, polled: &Polled) {
        let in_time = self.in_time;
        let fits = |place: usize, request: &PollTicket| {
            (accepted_empty || !request.accept_empty) && (place < in_time || !request.fresh)
        };
        self.tell(fits, &Ok(polled.clone()));
    }

    /// Tells all who wait why there is no poll.
    pub(super) fn refuse(&mut self, why: &str) {
        self.tell(|_, _| true, &Err(why.to_owned()));
    }

    /// Answers those who wait and are meant, by their place in the queue.
    fn tell(&mut self, whom: impl Fn(usize, &PollTicket) -> bool, answer: &Result<Polled, String>) {
        self.collect();
        self.in_time = 0;
        for (place, request) in std::mem::take(&mut self.waiting).into_iter().enumerate() {
            if whom(place, &request) {
                // Who went away need not be told.
                drop(request.answer.send(answer.clone()));
            } else {
                self.waiting.push(request);
            }
        }
    }

    fn collect(&mut self) {
        while let Ok(request) = self.requests.try_recv() {
            self.waiting.push(request);
        }
    }
}
