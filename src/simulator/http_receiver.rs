//! An HTTP receiver, for webhooks and for Slack: it keeps what it gets and answers `ok`, or what it
//! is told to.

use std::io;
use std::sync::Arc;

use crate::clock::Clock;
use crate::simulator::fault::Faults;
use crate::simulator::http_server::{self, Reply};
use crate::simulator::journal::Journal;
use crate::simulator::port::Port;
use crate::simulator::{Answer, Fault, Request, StillWaiting};

/// A request that came, and how it was answered.
#[derive(Debug, Clone)]
pub struct ReceivedRequest {
    /// The request.
    pub request: Request,
    /// The status it was answered with; none where no answer, or not all of it, was given.
    pub answer: Option<u16>,
}

impl ReceivedRequest {
    /// Whether the sender was told that it was taken in.
    pub fn accepted(&self) -> bool {
        self.answer.is_some_and(|status| (200..300).contains(&status))
    }
}

/// An HTTP server on the loopback; dropping it ends it.
pub struct HttpReceiver {
    port: Port,
    seen: Arc<Journal<ReceivedRequest>>,
    faults: Arc<Faults<Fault>>,
}

impl HttpReceiver {
    /// Starts a receiver on a free port. It answers 200 `ok`, as Slack does.
    pub fn start(clock: Arc<dyn Clock>) -> io::Result<Self> {
        let seen = Arc::new(Journal::new());
        let faults = Arc::new(Faults::none());
        let (journal, plan) = (Arc::clone(&seen), Arc::clone(&faults));
        let respond = move |request| {
            let reply = Reply {
                answer: Answer::new(200).with_header("Content-Type", "text/plain").with_body("ok"),
                fault: plan.take(),
            };
            let answer = match &reply.fault {
                None | Some(Fault::Slow(_)) => Some(reply.answer.status),
                Some(Fault::Answer(instead)) => Some(instead.status),
                Some(Fault::Cut { .. } | Fault::Reset | Fault::Hang) => None,
            };
            journal.push(ReceivedRequest { request, answer });
            reply
        };
        Ok(Self { port: Port::open(http_server::serve(clock, Arc::new(respond)))?, seen, faults })
    }

    /// The address of `path` on this receiver, for example `http://127.0.0.1:49152/hooks/budget`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.port.address())
    }

    /// The accepted requests, in order.
    pub fn received(&self) -> Vec<Request> {
        self.seen.matching(ReceivedRequest::accepted).into_iter().map(|seen| seen.request).collect()
    }

    /// Every request, accepted or not.
    pub fn attempts(&self) -> Vec<ReceivedRequest> {
        self.seen.entries()
    }

    /// Waits until at least `count` requests were accepted, and returns them.
    pub async fn wait_for(&self, count: usize) -> Result<Vec<Request>, StillWaiting> {
        let accepted = self.seen.wait_for(count, ReceivedRequest::accepted).await?;
        Ok(accepted.into_iter().map(|seen| seen.request).collect())
    }

    /// Waits until at least `count` requests came, accepted or not, and returns them.
    pub async fn wait_for_attempts(
        &self,
        count: usize,
    ) -> Result<Vec<ReceivedRequest>, StillWaiting> {
        self.seen.wait_for(count, |_| true).await
    }

    /// Answers the next request so, or fails with it so; several are taken in order.
    pub fn fail_once(&self, fault: Fault) {
        self.faults.once(fault);
    }

    /// Fails with every request so, until [`Self::heal`].
    pub fn fail(&self, fault: Fault) {
        self.faults.until_healed(fault);
    }

    /// Forgets every planned fault.
    pub fn heal(&self) {
        self.faults.heal();
    }

    /// Closes every connection and refuses new ones.
    pub async fn go_down(&self) -> io::Result<()> {
        self.port.go_down().await
    }

    /// Accepts connections again, on the same port.
    pub fn come_back(&self) -> io::Result<()> {
        self.port.come_back()
    }
}
