//! The body of a request, which tells when it is there whole. Its cap is the routes'.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};

use crate::web::pace::Asked;

/// A body that is still coming.
pub(super) struct Coming {
    body: Incoming,
    asked: Arc<Asked>,
}

impl Coming {
    /// The body of what was asked.
    pub(super) fn new(body: Incoming, asked: Arc<Asked>) -> Self {
        let coming = Self { body, asked };
        coming.look();
        coming
    }

    fn look(&self) {
        if self.body.is_end_stream() {
            self.asked.is_whole();
        }
    }
}

impl HttpBody for Coming {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if matches!(frame, Poll::Ready(None)) {
            self.asked.is_whole();
        } else {
            self.look();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
