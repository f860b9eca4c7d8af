//! What connections may take of the daemon: how many are open, and how long they may hold what they
//! do not use. Holding them to it is left to [`super::connections`].

use std::time::Duration;

use rustix::process::{Resource, getrlimit};

/// How much connections may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many are open at most.
    pub open: usize,
    /// How long a request may take to come whole, from its first byte on.
    pub coming: Duration,
    /// How long a connection may stay open without a request.
    pub idle: Duration,
}

impl Limits {
    /// For `[http]`: an outsider may hold these.
    pub fn http() -> Self {
        Self::of(64)
    }

    /// For the control socket: commands that wait for a poll hold theirs until they are answered.
    pub fn control() -> Self {
        Self::of(32)
    }

    fn of(most: usize) -> Self {
        Self {
            open: within(most, getrlimit(Resource::Nofile).current),
            coming: Duration::from_secs(10),
            idle: Duration::from_mins(1),
        }
    }
}

/// At most a quarter of the descriptors that the process may open: the others are for polling, the
/// ledger and delivery.
fn within(most: usize, descriptors: Option<u64>) -> usize {
    let quarter =
        descriptors.map_or(usize::MAX, |all| usize::try_from(all / 4).unwrap_or(usize::MAX));
    most.min(quarter).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_most_descriptors_to_the_rest() {
        assert_eq!(
            [None, Some(1024), Some(128), Some(0)].map(|descriptors| within(64, descriptors)),
            [64, 64, 32, 1]
        );
    }
}
