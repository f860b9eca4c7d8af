//! Asks a source several questions at once, in their order, until all are answered or the time is
//! over.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

/// Requests at once.
const AT_ONCE: usize = 4;

/// Questions under way, and those that wait for them.
pub(crate) struct FanOut<Questions, Ask, Asked> {
    waiting: Questions,
    ask: Ask,
    asked: FuturesUnordered<Asked>,
    deadline: Pin<Box<tokio::time::Sleep>>,
}

/// What comes next.
pub(crate) enum Next<Answer> {
    /// An answer.
    Answer(Answer),
    /// Every question is answered.
    Done,
    /// The time is over; what is not answered yet never will be.
    TimeOver,
}

impl<Questions, Ask, Asked> FanOut<Questions, Ask, Asked>
where
    Questions: Iterator,
    Ask: Fn(Questions::Item) -> Asked,
    Asked: Future,
{
    /// Nothing is asked yet. `time` is real time, not the clock's: it bounds what others take to
    /// answer.
    pub(crate) fn new(
        questions: impl IntoIterator<IntoIter = Questions>,
        time: Duration,
        ask: Ask,
    ) -> Self {
        let deadline = Box::pin(tokio::time::sleep(time));
        Self { waiting: questions.into_iter(), ask, asked: FuturesUnordered::new(), deadline }
    }

    /// Keeps as many questions under way as may be, and waits for the next answer. To stop, drop
    /// this.
    pub(crate) async fn next(&mut self) -> Next<Asked::Output> {
        while self.asked.len() < AT_ONCE
            && let Some(question) = self.waiting.next()
        {
            self.asked.push((self.ask)(question));
        }
        tokio::select! {
            biased;
            next = self.asked.next() => next.map_or(Next::Done, Next::Answer),
            () = &mut self.deadline => Next::TimeOver,
        }
    }
}
