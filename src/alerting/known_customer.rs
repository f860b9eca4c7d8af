//! The little that is remembered of one customer while a collection is read: what its last record
//! said, and the bytes it said it in. 48 bytes, in memory and in the ledger alike.

use jiff::Timestamp;
use twox_hash::XxHash3_64;
use uuid::Uuid;

use crate::alerting::Gap;
use crate::text::sha256;

/// How many bytes a customer takes in the ledger.
pub const KNOWN_BYTES: usize = 48;

const IS_SUBSCRIPTION: u8 = 1;
const IS_MISSING: u8 = 2;
const IS_LEGACY: u8 = 4;
const CURRENCY_UNKNOWN: u8 = 8;
const PERCENTS_DISAGREE: u8 = 16;
/// Its record was read in this poll, and not recorded yet.
const IS_UNRECORDED: u8 = 32;
/// Nothing was read of it in this poll but an item that is known.
const IS_RECOGNISED: u8 = 64;
/// What is kept for the next poll.
const KEPT: u8 = !(IS_UNRECORDED | IS_RECOGNISED);

/// Tells items by their bytes: 64 bits of XXH3, seeded by the ledger's identity, so that who can
/// choose a name cannot make two items look the same. An item is only ever held against the one
/// that stood in its place before: of 10^9 items in a year, none is taken for another in 10^9 years.
#[derive(Debug, Clone, Copy)]
pub struct ItemHasher(u64);

impl ItemHasher {
    /// Of the ledger with this identity.
    pub fn of(ledger: Uuid) -> Self {
        let seed = sha256(ledger.as_bytes())
            .iter()
            .take(8)
            .fold(0, |seed, byte| (seed << 8) | u64::from(*byte));
        Self(seed)
    }

    fn hash(self, item: &[u8]) -> u64 {
        XxHash3_64::oneshot_with_seed(self.0, item)
    }
}

/// What an item came to that adds the same to what a poll counts whenever it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KnownItem {
    /// The date of the data.
    pub(crate) usage_as_of: Timestamp,
    /// Why no rule can alert about the customer, if none can.
    pub(crate) gap: Option<Gap>,
    /// Whether it is a legacy customer: one that has reached a step may have to be asked about.
    pub(crate) is_legacy: bool,
    /// Whether a local budget is used in a currency that is not known to be the customer's.
    pub(crate) currency_unknown: bool,
    /// Whether the reported percentage and that of cost and budget differ.
    pub(crate) percents_disagree: bool,
}

/// The little that is remembered of one customer, or of a subscription with a budget of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownCustomer {
    customer: [u8; 16],
    fingerprint: u64,
    /// The hash and the length of the item; a length of 0: it has to be read.
    item: u64,
    length: u32,
    crossed: u16,
    /// The place among [`Gap::ALL`], from 1 on.
    gap: u8,
    flags: u8,
    /// In nanoseconds since 1970.
    usage_as_of: i64,
}

impl KnownCustomer {
    /// A customer as the ledger has its last state; its next item has to be read.
    pub fn recorded(customer: u128, fingerprint: u64, crossed: u16) -> Self {
        Self {
            customer: customer.to_be_bytes(),
            fingerprint,
            item: 0,
            length: 0,
            crossed,
            gap: 0,
            flags: 0,
            usage_as_of: 0,
        }
    }

    /// The same as a subscription, or as one that the last good poll had no record of.
    #[must_use]
    pub fn with(self, is_subscription: bool, is_missing: bool) -> Self {
        self.flagged(IS_SUBSCRIPTION, is_subscription).flagged(IS_MISSING, is_missing)
    }

    /// A customer that was never seen before.
    pub(super) fn unrecorded(customer: u128, is_subscription: bool) -> Self {
        let known = Self::recorded(customer, 0, 0).with(is_subscription, false);
        known.flagged(IS_UNRECORDED, true)
    }

    /// The number that stands for it.
    pub fn customer(&self) -> u128 {
        u128::from_be_bytes(self.customer)
    }

    /// Of its last record: one whose fingerprint is the same was judged before, with the same
    /// result.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// The rules of which that record had reached a step.
    pub(crate) fn crossed(&self) -> u16 {
        self.crossed
    }

    /// Whether it is a subscription.
    pub(crate) fn is_subscription(&self) -> bool {
        self.has(IS_SUBSCRIPTION)
    }

    /// Whether the last good poll had no record of it.
    pub fn is_missing(&self) -> bool {
        self.has(IS_MISSING)
    }

    pub(super) fn is_unrecorded(&self) -> bool {
        self.has(IS_UNRECORDED)
    }

    pub(super) fn is_recognised(&self) -> bool {
        self.has(IS_RECOGNISED)
    }

    /// How long its item is, in bytes.
    pub(crate) fn length(&self) -> usize {
        usize::try_from(self.length).unwrap_or(usize::MAX)
    }

    /// Whether `bytes` begin with its item.
    pub(super) fn is_item(&self, bytes: &[u8], hasher: ItemHasher) -> bool {
        let item = bytes.get(..self.length()).filter(|item| !item.is_empty());
        item.is_some_and(|item| hasher.hash(item) == self.item)
    }

    /// What its item came to.
    pub(crate) fn known_item(&self) -> KnownItem {
        KnownItem {
            usage_as_of: Timestamp::from_nanosecond(self.usage_as_of.into()).unwrap_or_default(),
            gap: usize::from(self.gap).checked_sub(1).and_then(|gap| Gap::ALL.get(gap).copied()),
            is_legacy: self.has(IS_LEGACY),
            currency_unknown: self.has(CURRENCY_UNKNOWN),
            percents_disagree: self.has(PERCENTS_DISAGREE),
        }
    }

    pub(super) fn read_as(&mut self, fingerprint: u64) {
        self.fingerprint = fingerprint;
        *self = self.flagged(IS_UNRECORDED, true);
    }

    pub(super) fn record(&mut self, crossed: u16) {
        self.crossed = crossed;
        *self = self.flagged(IS_UNRECORDED, false);
    }

    pub(super) fn recognise(&mut self, is_recognised: bool) {
        *self = self.flagged(IS_RECOGNISED, is_recognised);
    }

    pub(super) fn set_missing(&mut self, is_missing: bool) {
        if is_missing {
            // That it comes back is noted: its item has to be read then.
            self.length = 0;
        }
        *self = self.flagged(IS_MISSING, is_missing);
    }

    pub(super) fn keep_item(&mut self, item: Option<(&[u8], KnownItem)>, hasher: ItemHasher) {
        self.length = 0;
        let Some((bytes, item)) = item else { return };
        let Ok(usage_as_of) = i64::try_from(item.usage_as_of.as_nanosecond()) else { return };
        let Ok(length) = u32::try_from(bytes.len()) else { return };
        self.item = hasher.hash(bytes);
        self.usage_as_of = usage_as_of;
        let gap = item.gap.and_then(|gap| Gap::ALL.iter().position(|known| *known == gap));
        self.gap = gap.and_then(|gap| u8::try_from(gap + 1).ok()).unwrap_or_default();
        self.length = length;
        *self = self
            .flagged(IS_LEGACY, item.is_legacy)
            .flagged(CURRENCY_UNKNOWN, item.currency_unknown)
            .flagged(PERCENTS_DISAGREE, item.percents_disagree);
    }

    /// As it is kept for the next poll; `recorded` is the fingerprint that the ledger has, where
    /// that is not the one of the last record that was read.
    pub(super) fn kept(mut self, recorded: Option<u64>) -> Self {
        if self.is_unrecorded() || recorded.is_some() {
            // What was not recorded is judged again.
            (self.fingerprint, self.length) = (recorded.unwrap_or_default(), 0);
        }
        self
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    fn flagged(mut self, flag: u8, is_set: bool) -> Self {
        if is_set {
            self.flags |= flag;
        } else {
            self.flags &= !flag;
        }
        self
    }

    /// As it is kept in the ledger, without what is of one poll only.
    pub fn to_bytes(&self) -> [u8; KNOWN_BYTES] {
        let mut bytes = [0; KNOWN_BYTES];
        let fields: [&[u8]; 8] = [
            &self.customer,
            &self.fingerprint.to_le_bytes(),
            &self.item.to_le_bytes(),
            &self.usage_as_of.to_le_bytes(),
            &self.length.to_le_bytes(),
            &self.crossed.to_le_bytes(),
            &[self.gap],
            &[self.flags & KEPT],
        ];
        bytes.iter_mut().zip(fields.into_iter().flatten()).for_each(|(byte, field)| *byte = *field);
        bytes
    }

    /// What [`KnownCustomer::to_bytes`] made.
    pub fn from_bytes(bytes: &[u8; KNOWN_BYTES]) -> Option<Self> {
        let (customer, rest) = bytes.split_first_chunk()?;
        let (fingerprint, rest) = rest.split_first_chunk()?;
        let (item, rest) = rest.split_first_chunk()?;
        let (usage_as_of, rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (crossed, rest) = rest.split_first_chunk()?;
        let [gap, flags] = rest else { return None };
        Some(Self {
            customer: *customer,
            fingerprint: u64::from_le_bytes(*fingerprint),
            item: u64::from_le_bytes(*item),
            usage_as_of: i64::from_le_bytes(*usage_as_of),
            length: u32::from_le_bytes(*length),
            crossed: u16::from_le_bytes(*crossed),
            gap: *gap,
            flags: *flags,
        })
    }
}
