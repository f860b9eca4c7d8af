//! Takes records as they are read: most are unchanged and silent, a few must be remembered, fewer
//! may alert. What may alert is kept for [`crate::poll::confirm`]; what changed is written in
//! batches while the reading goes on.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::pin::Pin;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::alerting::judging::{COLLECTION_STALE, fingerprint, is_fresh, stale_after};
use crate::alerting::{Copied, Gap, KnownCustomer, KnownCustomers, KnownItem, Taken};
use crate::budgets::{self, BudgetOddity, Joined};
use crate::domain::{Assessed, CustomerKey, Plan, UsageRecord};
use crate::ledger::{Ledger, LedgerError};
use crate::metrics::Metrics;
use crate::poll::candidate::{Candidate, Pending, Tally};
use crate::poll::recorder::{RecordedState, Recorder};
use crate::poll::unmatched::{RulePattern, fits};
use crate::rules::Rules;
use crate::source::{KnownRecord, Read, Sink};
use crate::text::{customer_hash, customer_key_hash};

/// Records that are looked up and written together.
const BATCH: usize = 4000;

/// Old records that are kept back while nothing new was read; of those beyond, the age is left to a
/// later poll.
const STALE: usize = 50_000;

/// What taking records in needs.
#[derive(Clone, Copy)]
pub(crate) struct Needs<'a> {
    pub(crate) budgets: &'a budgets::Config,
    pub(crate) rules: &'a Rules,
    pub(crate) ledger: &'a Ledger,
    pub(crate) metrics: &'a Metrics,
    /// How many candidates are recorded together when there are very many.
    pub(crate) slice: usize,
}

/// The sink that a cycle reads into.
pub(crate) struct Intake<'a> {
    pub(crate) needs: Needs<'a>,
    pub(crate) now: Timestamp,
    rules_print: u64,
    /// The age from which on a rule may be about it, in seconds.
    stale_after: Option<i64>,
    /// What is known of customers.
    pub(crate) known: KnownCustomers,
    pub(crate) batch: Vec<Pending>,
    /// Records whose age may be news, kept until the newest of all is known.
    stale: Vec<Pending>,
    /// Whether anything new was read.
    fresh: bool,
    /// Customers whose budget changed after something was raised about them.
    pub(crate) rebudgeted: Vec<CustomerKey>,
    /// Customers that were missing and are there again.
    pub(crate) returned: HashSet<u128>,
    pub(crate) candidates: HashMap<CustomerKey, Candidate>,
    /// Steps that customers were seen below, kept until all copies of their records are read.
    pub(crate) below: HashMap<CustomerKey, Vec<(i64, Option<Decimal>)>>,
    /// Customers with budgets for their subscriptions; those read so far, and whether there is news
    /// of them.
    with_subscriptions: HashSet<CustomerKey>,
    subscribed: Vec<(bool, UsageRecord)>,
    /// Patterns of rules that have fitted nobody yet, each with its rule.
    pub(crate) idle: Vec<RulePattern<'a>>,
    pub(crate) tally: Tally,
    /// Records the slices of a mass crossing.
    pub(crate) recorder: Recorder<'a>,
    pub(crate) failure: Option<LedgerError>,
}

impl<'a> Intake<'a> {
    /// Takes in records of customers of whom this much is known.
    pub(crate) fn new(
        needs: Needs<'a>,
        now: Timestamp,
        known: KnownCustomers,
        recorder: Recorder<'a>,
    ) -> Self {
        let Needs { budgets, rules, .. } = needs;
        Self {
            needs,
            now,
            rules_print: rules.fingerprint(),
            stale_after: stale_after(rules),
            known,
            batch: Vec::new(),
            stale: Vec::new(),
            fresh: false,
            rebudgeted: Vec::new(),
            returned: HashSet::new(),
            candidates: HashMap::new(),
            below: HashMap::new(),
            with_subscriptions: budgets
                .customers_with_subscription_budgets()
                .map(|(key, _)| key.clone())
                .collect(),
            subscribed: Vec::new(),
            idle: rules.patterns().collect(),
            tally: Tally::default(),
            recorder,
            failure: None,
        }
    }

    /// Settles what is left; `newest` is the newest date of the collection.
    pub(crate) async fn finish(&mut self, newest: Option<Timestamp>) {
        self.flush().await;
        let fresh = is_fresh(newest, self.now);
        for mut pending in std::mem::take(&mut self.stale) {
            pending.aged = fresh;
            // A copy of it may have been recorded meanwhile.
            pending.is_new = false;
            let latest = self.known.find(customer_key_hash(&pending.joined.record.key()));
            pending.other = latest
                .and_then(|row| self.known.at(row))
                .map(KnownCustomer::fingerprint)
                .filter(|other| *other != pending.fingerprint)
                .or(pending.other);
            self.batch.push(pending);
            if self.batch.len() >= BATCH {
                self.flush().await;
            }
        }
        self.flush().await;
    }

    /// Records a slice of the candidates once there are more than memory should hold.
    pub(crate) async fn make_room(&mut self) -> Result<(), LedgerError> {
        let most = self.needs.slice.saturating_mul(2);
        while self.candidates.len() > most {
            let keys: Vec<CustomerKey> =
                self.candidates.keys().take(self.needs.slice.max(1)).cloned().collect();
            let slice =
                keys.into_iter().filter_map(|key| self.candidates.remove_entry(&key)).collect();
            let rebudgeted = self.recorder.record_slice(slice, &mut self.tally).await?;
            self.rebudgeted.extend(rebudgeted);
            let states = std::mem::take(&mut self.recorder.recorded.states);
            self.note_recorded(states);
        }
        Ok(())
    }

    /// The customers whose subscriptions have budgets: those of `first`, then those with news.
    pub(crate) fn subscribed(&mut self, first: &BTreeSet<CustomerKey>) -> Vec<UsageRecord> {
        let mut subscribed = std::mem::take(&mut self.subscribed);
        subscribed.sort_by_cached_key(|(news, record)| (!first.contains(&record.key()), !news));
        subscribed.into_iter().map(|(_, record)| record).collect()
    }

    /// Customers that were known and are not in the collection.
    pub(crate) fn gone(&self) -> HashSet<u128> {
        self.known.gone().collect()
    }

    /// What was recorded is known from now on.
    pub(crate) fn note_recorded(&mut self, states: impl IntoIterator<Item = RecordedState>) {
        states.into_iter().for_each(|state| state.note(&mut self.known));
    }

    fn has_subscription_budgets(&self, joined: &Joined) -> bool {
        !self.with_subscriptions.is_empty()
            && self.with_subscriptions.contains(&joined.record.key())
    }

    /// Whether a rule may have something to say of the age of the data.
    fn is_stale(&self, usage_as_of: Timestamp) -> bool {
        let age = self.now.duration_since(usage_as_of).as_secs();
        self.stale_after.is_some_and(|after| age >= after)
    }

    /// Notes that the collection has new data. What is dated at this very moment may have had no
    /// date of its own.
    fn note_age(&mut self, usage_as_of: Timestamp) {
        let age = self.now.duration_since(usage_as_of);
        self.fresh |= age >= SignedDuration::from_secs(1) && age < COLLECTION_STALE;
    }

    fn note_copy(&self, before: &Copied) {
        if before.is_of_attempt {
            self.needs.metrics.record_oddities.with_label_values(&["duplicate-id"]).inc();
        }
    }

    fn keep(&mut self, mut pending: Pending) {
        if !self.is_stale(pending.joined.record.usage_as_of.instant()) {
            return self.batch.push(pending);
        }
        // Once anything new was read, the collection is not old as a whole, whatever follows.
        if self.fresh {
            pending.aged = true;
            self.batch.push(pending);
        } else if self.stale.len() < STALE {
            self.stale.push(pending);
        } else {
            self.batch.push(pending);
        }
    }

    /// A record that was judged before by the same rules says nothing new: what it crosses was
    /// raised or passed. Only a legacy customer may have to be asked about again, and only its age
    /// may have grown.
    fn take_unchanged(&mut self, row: usize, joined: Joined, fingerprint: u64, crossed: u16) {
        let legacy = crossed > 0 && joined.record.plan == Plan::Legacy;
        if legacy || self.is_stale(joined.record.usage_as_of.instant()) {
            self.keep(Pending { changed: false, ..Pending::new(joined, fingerprint) });
        } else {
            self.count_duplicates(row, crossed);
        }
    }

    /// Counts what the copy in force of a customer's record has crossed that was raised or passed
    /// before, in place of what was counted for another copy.
    pub(crate) fn count_duplicates(&mut self, row: usize, crossed: u16) {
        let counted = self.known.count_crossed(row, crossed);
        self.tally.duplicates = self
            .tally
            .duplicates
            .saturating_sub(u64::from(counted))
            .saturating_add(u64::from(crossed));
    }

    /// The same by the customer.
    pub(crate) fn count_duplicates_of(&mut self, key: &CustomerKey, crossed: u16) {
        if let Some(row) = self.known.find(customer_key_hash(key)) {
            self.count_duplicates(row, crossed);
        }
    }

    /// Counts what is said of each customer once; with what its item will come to when it is read
    /// again, if that is always the same.
    fn note(&mut self, joined: Joined) -> (Joined, Option<KnownItem>) {
        let oddity = joined.oddity;
        self.note_oddities(&joined);
        if joined.record.subscription.is_some() {
            return (joined, None);
        }
        let unplaced = joined.unplaced();
        let assessed = unplaced.assessed();
        let counts = KnownItem {
            usage_as_of: assessed.record.usage_as_of.instant(),
            gap: self.needs.rules.uncovered(assessed).map(Gap::of),
            is_legacy: assessed.record.plan == Plan::Legacy,
            currency_unknown: matches!(oddity, Some(BudgetOddity::CurrencyUnknown { .. })),
            percents_disagree: assessed.percents_disagree(),
        };
        self.note_counts(&counts);
        let clashes = matches!(oddity, Some(BudgetOddity::CurrencyClash { .. }));
        // What is looked for has to be found each time.
        let is_found = self.note_patterns(assessed);
        let joined = unplaced.rejoined();
        let is_same = !clashes && !is_found && !self.has_subscription_budgets(&joined);
        (joined, is_same.then_some(counts))
    }

    fn note_oddities(&mut self, joined: &Joined) {
        if let Some(BudgetOddity::CurrencyClash { local, record }) = joined.oddity {
            self.needs.metrics.record_oddities.with_label_values(&["currency-clash"]).inc();
            self.tally
                .clashes
                .push(format!("{} (budget in {local}, usage in {record})", joined.record.customer));
        }
    }

    /// Whether it is the first customer that a pattern fits.
    fn note_patterns(&mut self, assessed: &Assessed) -> bool {
        let before = self.idle.len();
        let (record, label) = (&assessed.record, assessed.profile.label.as_deref());
        self.idle.retain(|(_, pattern)| !fits(pattern, &record.customer, &record.name, label));
        self.idle.len() < before
    }

    fn note_counts(&mut self, item: &KnownItem) {
        self.tally.percents_disagree += u64::from(item.percents_disagree);
        self.tally.unknown_currencies += u64::from(item.currency_unknown);
        if let Some(gap) = item.gap {
            *self.tally.uncovered.entry(gap.as_str()).or_default() += 1;
        }
    }
}

impl Sink for Intake<'_> {
    fn recognise(&mut self, bytes: &[u8], attempt: u32) -> Option<KnownRecord> {
        let row = self.known.recognise(bytes)?;
        let known = *self.known.at(row)?;
        let item = known.known_item();
        // Time may have made news of these.
        if self.is_stale(item.usage_as_of) || (item.is_legacy && known.crossed() > 0) {
            return None;
        }
        if self.stale_after.is_some() {
            self.note_age(item.usage_as_of);
        }
        if let Some(before) = self.known.take_known(row, attempt) {
            self.note_copy(&before);
        } else {
            self.note_counts(&item);
            self.tally.duplicates =
                self.tally.duplicates.saturating_add(u64::from(known.crossed()));
        }
        Some(KnownRecord {
            length: known.length(),
            customer: known.customer(),
            usage_as_of: item.usage_as_of,
        })
    }

    fn take(&mut self, read: Read, item: Option<&[u8]>) {
        if self.failure.is_some() {
            return;
        }
        if self.stale_after.is_some() {
            self.note_age(read.record.usage_as_of.instant());
        }
        let joined = self.needs.budgets.join(read.record);
        let fingerprint = fingerprint(&joined, self.rules_print);
        let is_subscription = joined.record.subscription.is_some();
        let id = if is_subscription {
            customer_key_hash(&joined.record.key())
        } else {
            customer_hash(&joined.record.customer)
        };
        let Taken { row, before, unchanged, was_missing, is_new } =
            self.known.take(id, is_subscription, fingerprint, read.attempt);
        if let Some(before) = &before {
            self.note_copy(before);
        }
        if was_missing {
            self.returned.insert(id);
        }
        if before.is_none() && self.has_subscription_budgets(&joined) {
            self.subscribed.push((unchanged.is_none(), joined.record.clone()));
        }
        let Some(copy) = before else {
            let (joined, counts) = self.note(joined);
            self.known.keep_item(row, item.zip(counts));
            return match unchanged {
                Some(crossed) => self.take_unchanged(row, joined, fingerprint, crossed),
                None => self.keep(Pending { is_new, ..Pending::new(joined, fingerprint) }),
            };
        };
        if copy.fingerprint != fingerprint {
            // A copy of a record that was read before replaces what that one left.
            self.known.keep_item(row, None);
            let other = Some(copy.fingerprint);
            self.keep(Pending { other, ..Pending::new(joined, fingerprint) });
        }
    }

    fn settle(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            if self.batch.len() >= BATCH {
                self.flush().await;
            }
        })
    }
}
