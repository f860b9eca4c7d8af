//! Waits in a thread for what the driver answers, within bounds.

use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

struct Call(SyncSender<()>);

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        // One call that waits is as good as any number.
        let _called_already = self.0.try_send(());
    }
}

/// What a future comes to; none when nothing is heard of it for so long.
pub(super) fn wait<F: Future>(future: F, patience: Duration) -> Option<F::Output> {
    let (call, called) = mpsc::sync_channel(1);
    let waker = Waker::from(Arc::new(Call(call)));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        called.recv_timeout(patience).ok()?;
    }
}
