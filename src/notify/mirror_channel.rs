//! A channel whose destination mirrors what is open. What wraps every destination is `channel`'s.

use std::sync::Arc;

use crate::notify::notifier::{Accepted, Mirroring, Shown};
use crate::notify::{Channel, DeliveryError};

/// A channel to a destination that is shown what is open.
#[derive(Clone)]
pub struct MirrorChannel {
    channel: Arc<Channel>,
    mirror: Arc<dyn Mirroring>,
}

impl MirrorChannel {
    /// The channel, where its destination mirrors what is open.
    pub fn of(channel: &Arc<Channel>) -> Option<Self> {
        let mirror = channel.mirror()?;
        Some(Self { channel: Arc::clone(channel), mirror })
    }

    /// The channel itself.
    pub fn channel(&self) -> &Arc<Channel> {
        &self.channel
    }

    /// Shows how things are.
    pub async fn show(&self, open: &[Shown]) -> Result<Accepted, DeliveryError> {
        self.channel.timed(self.mirror.show(open, self.channel.now())).await
    }
}
