//! The little that is remembered of every customer while a collection is read, in the order in which
//! the collection had them: an item whose bytes are those of the last time is passed over unread.
//! What such an item says to a poll is `poll`'s.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::fast::{FixedState, RandomState};
use hashbrown::HashTable;

use crate::alerting::known_customer::{ItemHasher, KnownCustomer, KnownItem};

/// All customers that are known, and what was read of them in this poll.
#[derive(Debug)]
pub struct KnownCustomers {
    hasher: ItemHasher,
    rows: Vec<KnownCustomer>,
    /// Of each row, when it was read last in this poll, from 1 on; 0 for one that was not.
    places: Vec<u32>,
    /// How much was read in this poll.
    read: u32,
    /// The row of the customer that comes next if the order is that of the last time.
    next: usize,
    /// Under which attempt the collection is being read, and what was read before it.
    attempt: (u32, u32),
    /// The rows by customer, once any is asked for.
    index: Option<HashTable<u32>>,
    keys: RandomState,
    /// Of rows whose records were read, what was counted as crossed before, unless it is nothing.
    counted: HashMap<usize, u16, RandomState>,
    /// Of rows that were read as something else, the fingerprint that the ledger has.
    recorded: HashMap<usize, u64, RandomState>,
    /// The patterns of rules that fit none of the customers whose items are known.
    pub idle: Option<Vec<String>>,
    /// Whether what the ledger keeps is gone, or was never there.
    must_keep: bool,
    /// The hash of all rows before the first was changed; none while they are as they were.
    before: Option<u64>,
}

/// What is known of a customer whose record was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Its row.
    pub(crate) row: usize,
    /// The record of the same customer that this poll read before.
    pub(crate) before: Option<Copied>,
    /// Whether it was judged before by an earlier poll: the rules of which it had reached a step.
    pub(crate) unchanged: Option<u16>,
    /// Whether the last good poll had no record of it.
    pub(crate) was_missing: bool,
    /// Whether the ledger has never seen the customer, nor this poll before.
    pub(crate) is_new: bool,
}

/// A record of a customer that was read before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Copied {
    /// Of what it says.
    pub(crate) fingerprint: u64,
    /// Whether it was read under the same attempt.
    pub(crate) is_of_attempt: bool,
}

impl KnownCustomers {
    /// The customers of a ledger, in the order of the last collection.
    pub fn new(hasher: ItemHasher, rows: Vec<KnownCustomer>, idle: Option<Vec<String>>) -> Self {
        Self {
            hasher,
            places: vec![0; rows.len()],
            rows,
            read: 0,
            next: 0,
            attempt: (0, 0),
            index: None,
            keys: RandomState::default(),
            counted: HashMap::default(),
            recorded: HashMap::default(),
            must_keep: idle.is_none(),
            before: None,
            idle,
        }
    }

    /// The row whose item `bytes` begin with, where that is the next of the last collection.
    pub(crate) fn recognise(&self, bytes: &[u8]) -> Option<usize> {
        let row = self.rows.get(self.next)?;
        row.is_item(bytes, self.hasher).then_some(self.next)
    }

    /// A row.
    pub(crate) fn at(&self, row: usize) -> Option<&KnownCustomer> {
        self.rows.get(row)
    }

    /// The row of a customer.
    pub(crate) fn find(&mut self, customer: u128) -> Option<usize> {
        let (rows, keys) = (&self.rows, &self.keys);
        let hash_of = |row: &u32| hash_at(rows, keys, *row);
        let index = self.index.get_or_insert_with(|| {
            let mut index = HashTable::with_capacity(rows.len());
            for row in (0..rows.len()).filter_map(|row| u32::try_from(row).ok()) {
                index.insert_unique(hash_of(&row), row, hash_of);
            }
            index
        });
        let hash = keys.hash_one(customer);
        let is_its = |row: &u32| at(rows, *row).is_some_and(|row| row.customer() == customer);
        index.find(hash, is_its).and_then(|row| usize::try_from(*row).ok())
    }

    fn add(&mut self, customer: u128, is_subscription: bool) -> usize {
        self.touch();
        let row = self.rows.len();
        self.rows.push(KnownCustomer::unrecorded(customer, is_subscription));
        self.places.push(0);
        let (rows, keys) = (&self.rows, &self.keys);
        if let (Some(index), Ok(number)) = (&mut self.index, u32::try_from(row)) {
            let hash = keys.hash_one(customer);
            index.insert_unique(hash, number, |row| hash_at(rows, keys, *row));
        }
        row
    }

    /// Notes that the item of a row was read again, under an attempt; what was read of the customer
    /// in this poll before.
    pub(crate) fn take_known(&mut self, row: usize, attempt: u32) -> Option<Copied> {
        let before = self.place(row, attempt);
        self.next = row.saturating_add(1);
        if before.is_none() {
            self.update(row, |known| known.recognise(true));
        }
        before
    }

    /// Notes that a record of a customer was read, with what it says, under an attempt.
    pub(crate) fn take(
        &mut self,
        customer: u128,
        is_subscription: bool,
        fingerprint: u64,
        attempt: u32,
    ) -> Taken {
        let found = self.find(customer);
        let row = found.unwrap_or_else(|| self.add(customer, is_subscription));
        let before = self.place(row, attempt);
        self.next = row.saturating_add(1);
        let known = self.at(row).copied();
        let is_known = known.filter(|known| !known.is_unrecorded());
        let unchanged =
            is_known.filter(|known| before.is_none() && known.fingerprint() == fingerprint);
        let is_copy = before.is_some_and(|before| before.fingerprint == fingerprint);
        if unchanged.is_none() && !is_copy {
            self.touch();
            if let Some(known) = is_known {
                self.recorded.entry(row).or_insert(known.fingerprint());
            }
            self.update(row, |known| known.read_as(fingerprint));
        }
        Taken {
            row,
            before,
            unchanged: unchanged.map(|known| known.crossed()),
            was_missing: is_known.is_some_and(|known| known.is_missing()),
            is_new: found.is_none(),
        }
    }

    fn place(&mut self, row: usize, attempt: u32) -> Option<Copied> {
        if self.attempt.0 != attempt {
            self.attempt = (attempt, self.read);
        }
        self.read = self.read.saturating_add(1);
        let place = self.places.get_mut(row)?;
        let before = std::mem::replace(place, self.read);
        let fingerprint = self.rows.get(row)?.fingerprint();
        let is_of_attempt = before > self.attempt.1;
        (before > 0).then_some(Copied { fingerprint, is_of_attempt })
    }

    /// Keeps what the item of a row came to, for when it comes again; `None` where it must be read
    /// again.
    pub(crate) fn keep_item(&mut self, row: usize, item: Option<(&[u8], KnownItem)>) {
        let Some(known) = self.at(row).copied() else { return };
        let mut now = known;
        now.keep_item(item, self.hasher);
        if now != known {
            self.touch();
            self.update(row, |known| *known = now);
        }
    }

    /// Notes that the state of a customer was recorded.
    pub(crate) fn note_recorded(&mut self, customer: u128, fingerprint: u64, crossed: u16) {
        let Some(row) = self.find(customer) else { return };
        self.must_keep = true;
        let is_last = self.at(row).is_some_and(|known| known.fingerprint() == fingerprint);
        if is_last {
            self.recorded.remove(&row);
        } else {
            self.recorded.insert(row, fingerprint);
        }
        self.update(row, |known| known.record(crossed));
    }

    /// Counts what the record in force of a row has crossed that was raised or passed before;
    /// what was counted of another record of it.
    pub(crate) fn count_crossed(&mut self, row: usize, crossed: u16) -> u16 {
        let known = self.at(row).copied();
        let of_item = known.filter(KnownCustomer::is_recognised).map(|known| known.crossed());
        let before = match crossed {
            0 => self.counted.remove(&row),
            crossed => self.counted.insert(row, crossed),
        };
        self.update(row, |known| known.recognise(false));
        of_item.or(before).unwrap_or_default()
    }

    /// The customers whose items were passed over.
    pub(crate) fn passed_over(&self) -> impl Iterator<Item = u128> {
        let known = self.rows.iter().filter(|known| known.is_recognised());
        known.map(KnownCustomer::customer)
    }

    /// The customers that were known and have no record in this collection.
    pub(crate) fn gone(&self) -> impl Iterator<Item = u128> {
        let rows = self.rows.iter().zip(&self.places);
        let gone = rows.filter(|(known, place)| {
            **place == 0 && !known.is_subscription() && !known.is_missing()
        });
        gone.map(|(known, _)| known.customer())
    }

    /// Notes that a customer is missing, or there again.
    pub(crate) fn note_missing(&mut self, customer: u128, is_missing: bool) {
        let Some(row) = self.find(customer) else { return };
        self.must_keep = true;
        self.update(row, |known| known.set_missing(is_missing));
    }

    /// Notes that a row is about to change.
    fn touch(&mut self) {
        self.before = Some(self.before.unwrap_or_else(|| hash_of_all(&self.rows)));
    }

    /// What to keep for the next poll; none where that is what the ledger has.
    pub(crate) fn news(self) -> Option<Vec<KnownCustomer>> {
        let (must_keep, before) = (self.must_keep, self.before);
        if !must_keep && before.is_none() {
            return None;
        }
        let rows = self.into_rows();
        (must_keep || before != Some(hash_of_all(&rows))).then_some(rows)
    }

    /// What is known of all, in the order of this poll's collection; those that it did not have
    /// come last.
    pub fn into_rows(self) -> Vec<KnownCustomer> {
        let Self { mut rows, mut places, recorded, .. } = self;
        for (row, known) in rows.iter_mut().enumerate() {
            *known = known.kept(recorded.get(&row).copied());
        }
        places.iter_mut().filter(|place| **place == 0).for_each(|place| *place = u32::MAX);
        // Nearly always: then all stay where they are, and take no memory a second time.
        if places.is_sorted() {
            return rows;
        }
        let mut order: Vec<(u32, KnownCustomer)> = places.into_iter().zip(rows).collect();
        order.sort_by_key(|(place, _)| *place);
        order.into_iter().map(|(_, known)| known).collect()
    }

    fn update(&mut self, row: usize, change: impl FnOnce(&mut KnownCustomer)) {
        if let Some(known) = self.rows.get_mut(row) {
            change(known);
        }
    }
}

fn hash_of_all(rows: &[KnownCustomer]) -> u64 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    for row in rows {
        hasher.write(&row.to_bytes());
    }
    hasher.finish()
}

fn at(rows: &[KnownCustomer], row: u32) -> Option<&KnownCustomer> {
    rows.get(usize::try_from(row).ok()?)
}

fn hash_at(rows: &[KnownCustomer], keys: &RandomState, row: u32) -> u64 {
    at(rows, row).map(|known| keys.hash_one(known.customer())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;

    const ITEMS: [&[u8]; 3] = [b"{\"a\":1}", b"{\"b\":22}", b"{\"c\":333}"];

    fn item() -> KnownItem {
        KnownItem {
            usage_as_of: Timestamp::UNIX_EPOCH,
            gap: None,
            is_legacy: false,
            currency_unknown: false,
            percents_disagree: false,
        }
    }

    fn reopened(rows: &[KnownCustomer]) -> KnownCustomers {
        let bytes = rows.iter().map(KnownCustomer::to_bytes);
        let rows = bytes.map(|bytes| KnownCustomer::from_bytes(&bytes).unwrap()).collect();
        KnownCustomers::new(ItemHasher::of(Uuid::nil()), rows, Some(Vec::new()))
    }

    /// Three customers that were read and recorded: 0, 1 and 2.
    fn three() -> KnownCustomers {
        let mut known = KnownCustomers::new(ItemHasher::of(Uuid::nil()), Vec::new(), None);
        for (customer, bytes) in (0..).zip(ITEMS) {
            let taken = known.take(customer, false, 7, 0);
            assert_eq!((taken.before, taken.unchanged, taken.was_missing), (None, None, false));
            known.keep_item(taken.row, Some((bytes, item())));
            known.note_recorded(customer, 7, 2);
        }
        reopened(&known.news().unwrap())
    }

    #[test]
    fn items_are_known_again_in_their_order_and_by_all_of_their_bytes() {
        let mut known = three();
        for (row, bytes) in ITEMS.into_iter().enumerate() {
            let cut = &bytes[..bytes.len() - 1];
            assert_eq!(known.recognise(cut), None, "one that is cut");
            let mut other = bytes.to_vec();
            other[3] ^= 1;
            assert_eq!(known.recognise(&other), None, "another byte");
            let mut followed = bytes.to_vec();
            followed.extend(b", {");
            assert_eq!(known.recognise(&followed), Some(row), "whatever follows");
            assert_eq!(known.take_known(row, 0), None);
        }
        assert_eq!(known.gone().count(), 0);
        assert_eq!(known.news(), None);
    }

    #[test]
    fn after_an_item_that_was_read_its_successor_is_known_again() {
        let mut known = three();
        assert_eq!(known.recognise(ITEMS[1]), None, "not in its place");
        let taken = known.take(1, false, 7, 0);
        assert_eq!(taken.unchanged, Some(2));
        assert_eq!(known.recognise(ITEMS[2]), Some(2));
        assert_eq!(known.gone().collect::<Vec<_>>(), [0, 2]);
    }

    #[test]
    fn what_was_read_and_not_recorded_is_read_again() {
        let mut known = three();
        let taken = known.take(0, false, 8, 0);
        assert_eq!(taken.unchanged, None);
        known.keep_item(taken.row, Some((b"{\"a\":2}", item())));
        let mut known = reopened(&known.into_rows());
        assert_eq!(known.recognise(b"{\"a\":2}"), None);
        assert_eq!(known.take(0, false, 8, 0).unchanged, None);
        // The others are as they were, after the one that was read.
        assert_eq!(known.recognise(ITEMS[1]), Some(1));
    }

    #[test]
    fn of_several_records_of_a_customer_the_one_that_was_recorded_counts() {
        let mut known = three();
        let first = known.take(0, false, 8, 0);
        known.keep_item(first.row, Some((b"{\"a\":2}", item())));
        let second = known.take(0, false, 9, 0);
        assert_eq!(second.before, Some(Copied { fingerprint: 8, is_of_attempt: true }));
        known.keep_item(second.row, None);
        known.note_recorded(0, 8, 1);
        let mut known = reopened(&known.into_rows());
        assert_eq!(known.recognise(b"{\"a\":2}"), None, "both are read again");
        assert_eq!(known.take(0, false, 8, 0).unchanged, Some(1));
    }

    #[test]
    fn a_page_that_is_read_again_repeats_its_customers_and_doubles_none() {
        let mut known = three();
        assert_eq!(known.take_known(0, 0), None);
        assert_eq!(known.count_crossed(0, 5), 2, "what its item had crossed");
        let again = Copied { fingerprint: 7, is_of_attempt: false };
        assert_eq!(known.take_known(0, 1), Some(again));
        assert_eq!(known.take_known(0, 1), Some(Copied { is_of_attempt: true, ..again }));
        assert_eq!(known.count_crossed(0, 0), 5);
    }

    #[test]
    fn who_is_missing_is_read_when_it_comes_back_and_stays_in_the_order_of_the_collection() {
        let mut known = three();
        known.take_known(1, 0);
        known.take_known(2, 0);
        known.note_missing(0, true);
        let mut known = reopened(&known.into_rows());
        assert_eq!(known.recognise(ITEMS[1]), Some(0), "the collection begins with it now");
        assert_eq!(known.gone().collect::<Vec<_>>(), [1, 2], "the missing one is not gone again");
        let taken = known.take(0, false, 7, 0);
        assert_eq!((taken.unchanged, taken.was_missing), (Some(2), true));
    }
}
