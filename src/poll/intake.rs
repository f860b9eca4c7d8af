//! Takes records as they are read: most are unchanged and silent, a few must be remembered, fewer
//! may alert. What may alert is kept for [`crate::poll::confirm`]; what changed is written in
//! batches while the reading goes on.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::future::Future;
use std::pin::Pin;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::alerting::Gap;
use crate::alerting::KnownCustomers;
use crate::alerting::judging::{COLLECTION_STALE, fingerprint, is_fresh, stale_after};
use crate::budgets::{self, BudgetOddity, Joined};
use crate::domain::{Assessed, CustomerId, CustomerKey, Glob, Plan, UsageRecord};
use crate::ledger::{Ledger, LedgerError, Reader, customer_hash, customer_key_hash};
use crate::metrics::Metrics;
use crate::poll::candidate::{Candidate, Pending, Tally};
use crate::poll::recorder::Recorder;
use crate::rules::Rules;
use crate::source::{Read, Sink};

/// Records that are looked up and written together.
const BATCH: usize = 4000;

/// Records that are kept back while the ledger is still being scanned.
const EARLY: usize = 16_384;

/// Old records that are kept back while nothing new was read; of those beyond, the age is left to a
/// later poll.
const STALE: usize = 50_000;

/// What this poll has read of a customer so far.
#[derive(Debug, Clone, Copy)]
struct Copied {
    attempt: u32,
    /// Crossings of the copy in force that were counted as raised or passed before.
    duplicates: u16,
    fingerprint: u64,
}

/// The scan of the ledger, under way.
type Scan = Pin<Box<dyn Future<Output = Result<KnownCustomers, LedgerError>> + Send>>;

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
    /// What is known of customers; none while the ledger is still being scanned.
    known: Option<KnownCustomers>,
    scan: Option<Scan>,
    /// What was read before the scan was over.
    early: Vec<Read>,
    /// The customers read in this poll.
    read: HashMap<u128, Copied, foldhash::fast::RandomState>,
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
    idle: Vec<(&'a str, &'a Glob)>,
    pub(crate) tally: Tally,
    /// Records the slices of a mass crossing.
    pub(crate) recorder: Recorder<'a>,
    pub(crate) failure: Option<LedgerError>,
}

impl<'a> Intake<'a> {
    /// Starts to scan the ledger, so that it goes on beside the sign-in and the first records.
    pub(crate) fn new(needs: Needs<'a>, now: Timestamp, recorder: Recorder<'a>) -> Self {
        let Needs { budgets, rules, .. } = needs;
        let ledger = needs.ledger.clone();
        let mut intake = Self {
            needs,
            now,
            rules_print: rules.fingerprint(),
            stale_after: stale_after(rules),
            known: None,
            scan: Some(Box::pin(async move { ledger.read(Reader::scan).await })),
            early: Vec::new(),
            read: HashMap::default(),
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
        };
        intake.look_at_scan();
        intake
    }

    /// Settles what is left; `newest` is the newest date of the collection.
    pub(crate) async fn finish(&mut self, newest: Option<Timestamp>) {
        self.wait_for_scan().await;
        self.flush().await;
        let fresh = is_fresh(newest, self.now);
        for mut pending in std::mem::take(&mut self.stale) {
            pending.aged = fresh;
            let latest = self.read.get(&customer_key_hash(&pending.joined.record.key()));
            pending.other = latest
                .map(|copy| copy.fingerprint)
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
        }
        Ok(())
    }

    /// The customers whose subscriptions have budgets: those of `first`, then those with news.
    pub(crate) async fn subscribed(&mut self, first: &BTreeSet<CustomerKey>) -> Vec<UsageRecord> {
        self.wait_for_scan().await;
        let mut subscribed = std::mem::take(&mut self.subscribed);
        subscribed.sort_by_cached_key(|(news, record)| (!first.contains(&record.key()), !news));
        subscribed.into_iter().map(|(_, record)| record).collect()
    }

    /// Subscriptions with budgets of which no usage was ever found, by customers that were answered
    /// about.
    pub(crate) fn never_seen(&self, unread: &BTreeSet<CustomerKey>) -> Vec<String> {
        let Some(known) = &self.known else { return Vec::new() };
        let seen = |key: &CustomerKey| {
            known.contains_key(&customer_key_hash(key))
                || self.read.contains_key(&customer_key_hash(key))
        };
        let mut never = Vec::new();
        for (customer, local) in self
            .needs
            .budgets
            .customers_with_subscription_budgets()
            .filter(|(key, _)| !unread.contains(*key))
        {
            let Some(id) = CustomerId::try_new(customer.as_str()) else { continue };
            let unseen = local
                .subscriptions
                .keys()
                .filter(|own| !seen(&CustomerKey::of_subscription(&id, own.as_str())));
            never.extend(
                unseen.map(|own| format!("{} of customer {}", own.as_str(), customer.as_str())),
            );
        }
        never.sort_unstable();
        never
    }

    /// Customers that are described here and of whom no usage was ever found.
    pub(crate) fn unknown(&self) -> Vec<String> {
        let Some(known) = &self.known else { return Vec::new() };
        let seen = |key: &CustomerKey| {
            known.contains_key(&customer_key_hash(key))
                || self.read.contains_key(&customer_key_hash(key))
        };
        let mut unknown: Vec<&CustomerKey> =
            self.needs.budgets.customers.keys().filter(|key| !seen(key)).collect();
        unknown.sort_unstable();
        unknown.iter().map(|key| key.as_str().to_owned()).collect()
    }

    /// Patterns that fit no customer of the collection.
    pub(crate) fn idle(&self) -> Vec<String> {
        self.idle
            .iter()
            .map(|(rule, pattern)| format!("\"{}\" of rule \"{rule}\"", pattern.as_str()))
            .collect()
    }

    /// Customers that were known and are not in the collection.
    pub(crate) fn gone(&self) -> HashSet<u128> {
        let known = self.known.iter().flatten();
        let gone = known.filter(|(id, known)| {
            !known.subscription && !known.missing && !self.read.contains_key(*id)
        });
        gone.map(|(id, _)| *id).collect()
    }

    fn has_subscription_budgets(&self, joined: &Joined) -> bool {
        !self.with_subscriptions.is_empty()
            && self.with_subscriptions.contains(&joined.record.key())
    }

    /// Whether a rule may have something to say of the age of the data.
    fn is_stale(&self, joined: &Joined) -> bool {
        let age = self.now.duration_since(joined.record.usage_as_of.instant()).as_secs();
        self.stale_after.is_some_and(|after| age >= after)
    }

    /// Notes that the collection has new data. What is dated at this very moment may have had no
    /// date of its own.
    fn note_age(&mut self, record: &UsageRecord) {
        let age = self.now.duration_since(record.usage_as_of.instant());
        self.fresh |= age >= SignedDuration::from_secs(1) && age < COLLECTION_STALE;
    }

    fn keep(&mut self, mut pending: Pending) {
        if !self.is_stale(&pending.joined) {
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

    /// Takes the result of the scan if it is there.
    fn look_at_scan(&mut self) {
        if let Some(result) = self.scan.as_mut().and_then(futures_util::FutureExt::now_or_never) {
            self.learn(result);
        }
    }

    async fn wait_for_scan(&mut self) {
        if let Some(scan) = self.scan.as_mut() {
            let result = scan.await;
            self.learn(result);
        }
    }

    fn learn(&mut self, result: Result<KnownCustomers, LedgerError>) {
        self.scan = None;
        match result {
            Ok(known) => {
                self.read.reserve(known.len());
                self.known = Some(known);
                for read in std::mem::take(&mut self.early) {
                    self.take(read);
                }
            }
            Err(error) => self.failure = Some(error),
        }
    }

    /// A record that was judged before by the same rules says nothing new: what it crosses was
    /// raised or passed. Only a legacy customer may have to be asked about again, and only its age
    /// may have grown.
    fn take_unchanged(&mut self, id: u128, joined: Joined, fingerprint: u64, crossed: u16) {
        let legacy = crossed > 0 && joined.record.plan == Plan::Legacy;
        if legacy || self.is_stale(&joined) {
            self.keep(Pending { joined, fingerprint, changed: false, other: None, aged: false });
        } else {
            self.count_duplicates(id, crossed);
        }
    }

    /// Counts what the copy in force of a customer's record has crossed that was raised or passed
    /// before, in place of what was counted for another copy.
    pub(crate) fn count_duplicates(&mut self, id: u128, crossed: u16) {
        let counted = self
            .read
            .get_mut(&id)
            .map_or(0, |copy| std::mem::replace(&mut copy.duplicates, crossed));
        self.tally.duplicates = self
            .tally
            .duplicates
            .saturating_sub(u64::from(counted))
            .saturating_add(u64::from(crossed));
    }

    /// Counts what is said of each customer once.
    fn note(&mut self, joined: Joined) -> Joined {
        self.note_oddities(&joined);
        if joined.record.subscription.is_some() {
            return joined;
        }
        let unplaced = joined.unplaced();
        self.note_customer(unplaced.assessed());
        unplaced.rejoined()
    }

    fn note_oddities(&mut self, joined: &Joined) {
        match joined.oddity {
            Some(BudgetOddity::CurrencyClash { local, record }) => {
                self.needs.metrics.record_oddities.with_label_values(&["currency-clash"]).inc();
                self.tally.clashes.push(format!(
                    "{} (budget in {local}, usage in {record})",
                    joined.record.customer
                ));
            }
            Some(BudgetOddity::CurrencyUnknown { .. }) => self.tally.unknown_currencies += 1,
            None => {}
        }
    }

    fn note_customer(&mut self, assessed: &Assessed) {
        if assessed.percents_disagree() {
            self.needs.metrics.record_oddities.with_label_values(&["percents-disagree"]).inc();
        }
        if !self.idle.is_empty() {
            self.idle.retain(|(_, pattern)| !fits(pattern, assessed));
        }
        if let Some(reason) = self.needs.rules.uncovered(assessed) {
            *self.tally.uncovered.entry(Gap::of(reason).as_str()).or_default() += 1;
        }
    }
}

impl Sink for Intake<'_> {
    fn take(&mut self, read: Read) {
        if self.failure.is_some() {
            return;
        }
        if self.known.is_none() {
            return self.early.push(read);
        }
        if self.stale_after.is_some() {
            self.note_age(&read.record);
        }
        let Some(known) = &self.known else { return };
        let joined = self.needs.budgets.join(read.record);
        let fingerprint = fingerprint(&joined, self.rules_print);
        let id = match joined.record.subscription {
            Some(_) => customer_key_hash(&joined.record.key()),
            None => customer_hash(&joined.record.customer),
        };
        let before = self.read.get(&id).copied();
        let duplicates = before.map_or(0, |copy| copy.duplicates);
        self.read.insert(id, Copied { attempt: read.attempt, duplicates, fingerprint });
        if before.is_some_and(|copy| copy.attempt == read.attempt) {
            self.needs.metrics.record_oddities.with_label_values(&["duplicate-id"]).inc();
        }
        let known = known.get(&id).copied();
        if known.is_some_and(|known| known.missing) {
            self.returned.insert(id);
        }
        let unchanged = known.filter(|known| known.fingerprint == fingerprint);
        if before.is_none() && self.has_subscription_budgets(&joined) {
            self.subscribed.push((unchanged.is_none(), joined.record.clone()));
        }
        match (before, unchanged) {
            (Some(copy), _) if copy.fingerprint == fingerprint => {}
            (None, Some(known)) => {
                let joined = self.note(joined);
                self.take_unchanged(id, joined, fingerprint, known.crossed);
            }
            (None, None) => {
                let joined = self.note(joined);
                self.keep(Pending { joined, fingerprint, changed: true, other: None, aged: false });
            }
            // A copy of a record that was read before replaces what that one left.
            (Some(copy), _) => self.keep(Pending {
                joined,
                fingerprint,
                changed: true,
                other: Some(copy.fingerprint),
                aged: false,
            }),
        }
    }

    fn settle(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            if self.early.len() < EARLY {
                self.look_at_scan();
            } else {
                self.wait_for_scan().await;
            }
            if self.batch.len() >= BATCH {
                self.flush().await;
            }
        })
    }
}

/// Whether a pattern fits the customer's id, name or label.
fn fits(pattern: &Glob, assessed: &Assessed) -> bool {
    let record = &assessed.record;
    pattern.fits_any([
        Some(record.customer.as_str()),
        Some(record.name.as_str()),
        assessed.profile.label.as_deref(),
    ])
}
