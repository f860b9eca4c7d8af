//! How many deliveries to one destination may be under way at once: one at first, one more with
//! each that is accepted. What is under way is not known here.

/// After so many acceptances in a row, a destination that could not take as many at once is tried
/// with more again.
const CALM: u32 = 1000;

/// The limit to one destination.
#[derive(Debug)]
pub(crate) struct ConcurrencyLimit {
    /// How many there may be at most.
    most: usize,
    /// How many it took without failing.
    ceiling: usize,
    open: usize,
    /// Acceptances since the last failure.
    calm: u32,
}

impl ConcurrencyLimit {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, ceiling: most, open: 1, calm: 0 }
    }

    /// How many deliveries may be under way now.
    pub(crate) fn open(&self) -> usize {
        self.open
    }

    /// How many there may be at most.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// One was accepted.
    pub(crate) fn accepted(&mut self) {
        self.calm = self.calm.saturating_add(1);
        if self.calm >= CALM {
            (self.ceiling, self.calm) = (self.most.min(self.ceiling * 2), 0);
        }
        self.open = self.ceiling.min(self.open + 1);
    }

    /// The destination failed. Where it took some of those that were under way with it, they may
    /// have been too many: servers limit the connections of a client, Microsoft 365 to three.
    pub(crate) fn failed(&mut self, took_some: bool) {
        if took_some && self.open > 1 {
            self.ceiling = (self.open / 2).max(1);
        }
        (self.open, self.calm) = (1, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(limit: &mut ConcurrencyLimit, accepted: u32) -> usize {
        (0..accepted).for_each(|_| limit.accepted());
        limit.open()
    }

    #[test]
    fn lanes_open_one_by_one_as_messages_are_accepted() {
        let mut limit = ConcurrencyLimit::new(4);
        assert_eq!([0, 1, 1, 1, 1].map(|more| after(&mut limit, more)), [1, 2, 3, 4, 4]);
        assert_eq!(after(&mut ConcurrencyLimit::new(1), 10), 1);
    }

    #[test]
    fn a_destination_that_is_down_is_tried_with_one_and_then_with_as_many_as_before() {
        let mut limit = ConcurrencyLimit::new(4);
        after(&mut limit, 9);
        limit.failed(false);
        assert_eq!(limit.open(), 1);
        assert_eq!(after(&mut limit, 9), 4);
    }

    #[test]
    fn a_destination_that_takes_only_some_at_once_gets_half_for_a_while() {
        let mut limit = ConcurrencyLimit::new(16);
        after(&mut limit, 20);
        limit.failed(true);
        assert_eq!(after(&mut limit, 100), 8);
        limit.failed(true);
        limit.failed(true);
        assert_eq!(after(&mut limit, 100), 4, "one at a time cannot be too many");
        assert_eq!(after(&mut limit, 950), 8);
        assert_eq!(after(&mut limit, 1000), 16);
    }
}
