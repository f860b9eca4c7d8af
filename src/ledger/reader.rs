//! The ledger for listings: a connection of its own that reads beside whoever writes.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use uuid::Uuid;

use crate::alerting::{
    ANSWERED_WITHIN, CustomerState, Depth, Interim, ItemHasher, KnownCustomers, MisuseSign,
    NewSample, OpenAlert, PollMemory, RememberedCustomer, RememberedSecurity, SecurityMemory,
    SecurityPoll,
};
use crate::domain::name_key;
use crate::domain::{
    Alert, CustomerEvent, CustomerKey, OpenAlerts, SecuritySummary, SentMessage, Silence,
};
use crate::ledger::Config;
use crate::ledger::entry::{AlertRows, BudgetPush, NotifierState};
use crate::ledger::error::LedgerError;
use crate::ledger::file;
use crate::ledger::listing::{
    AlertFilter, AlertRow, AttemptRow, ChainEvent, CostHistory, DeferredRecipient, DeliveryFilter,
    DeliveryRow, GivenUp, OpenFinding, Owed, PollStatus,
};
use crate::ledger::overview::{CustomerCursor, CustomerFilter, CustomerPage, CustomerTotals};
use crate::ledger::proof::{self, Proof};
use crate::ledger::sql::{self, Connection};
use crate::ledger::table::customers::{self, Steps};
use crate::ledger::table::{
    acks, budget_pushes, chain, collection, deliveries, findings, history, holds, life, listings,
    mirror, misuse, notifiers, overview, polls, recipients, reports, security, sent_messages,
    silences,
};
use crate::text::hex;

/// How many of a customer's latest dates are looked at when it is judged.
const HISTORY: Depth = Depth { samples: 400, spikes: true };

/// Reads the ledger in async code: on a thread that may block, since a ledger of very many
/// customers takes seconds.
pub async fn read<T, E>(
    config: &Config,
    work: impl FnOnce(&Reader) -> Result<T, E> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<LedgerError> + Send + 'static,
{
    let config = config.clone();
    let read = move || work(&Reader::open(&config)?);
    tokio::task::spawn_blocking(read).await.unwrap_or_else(|_| Err(LedgerError::Gone.into()))
}

/// A read-only view of the ledger. Each call sees the ledger as it is then; no call waits for the
/// writer.
pub struct Reader {
    connection: Connection,
    path: PathBuf,
}

impl Reader {
    /// Opens the ledger for reading, which blocks: async code goes through [`read`]. Fails when
    /// there is none, or when it is not a ledger of this version.
    pub fn open(config: &Config) -> Result<Self, LedgerError> {
        let connection = file::open_read_only(config)?;
        Ok(Self { connection, path: config.path.clone() })
    }

    /// A reader over a connection that may write as well.
    pub(super) fn over(connection: Connection, path: &Path) -> Self {
        Self { connection, path: path.to_owned() }
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn into_connection(self) -> Connection {
        self.connection
    }

    /// The alerts that a filter chooses, newest first.
    pub fn alerts(&self, filter: &AlertFilter) -> Result<Vec<AlertRow>, LedgerError> {
        self.read(|connection| listings::alerts(connection, filter))
    }

    /// The first of some alerts, no more than `limit`, each with its row.
    pub fn raised(&self, rows: AlertRows, limit: u32) -> Result<Vec<(i64, Alert)>, LedgerError> {
        self.read(|connection| listings::raised(connection, rows, limit))
    }

    /// The alert that somebody means by its id, or by the reference that messages show; the newest
    /// of several.
    pub fn find_alert(&self, text: &str) -> Result<Option<AlertRow>, LedgerError> {
        self.read(|connection| {
            life::find(connection, text)?.map_or(Ok(None), |id| listings::one(connection, id))
        })
    }

    /// What is remembered of security alerts: all that are open, those that ended since, and those
    /// that an alert is about that is not over.
    pub fn security(&self, ended_since: Timestamp) -> Result<SecurityMemory, LedgerError> {
        self.read(|connection| security::memory(connection, ended_since))
    }

    /// The same of those with these keys, however long ago they ended; also the alerts about them
    /// that are over.
    pub fn security_of(&self, keys: &[String]) -> Result<Vec<RememberedSecurity>, LedgerError> {
        self.read(|connection| security::of_keys(connection, keys))
    }

    /// How the last read of security alerts went; none before the first, and where none are read.
    pub fn security_poll(&self) -> Result<Option<SecurityPoll>, LedgerError> {
        self.read(security::poll)
    }

    /// How security alerts stand; none before the first read.
    pub fn security_summary(&self, now: Timestamp) -> Result<Option<SecuritySummary>, LedgerError> {
        let since = now.saturating_sub(ANSWERED_WITHIN).unwrap_or(Timestamp::MIN);
        Ok(self.security(since)?.summary(now))
    }

    /// What points to misuse of a customer's resources, its subscriptions' among them.
    pub fn misuse_signs(&self, customer: &CustomerKey) -> Result<Vec<MisuseSign>, LedgerError> {
        self.read(|connection| misuse::of_customer(connection, customer))
    }

    /// What is marked as fraud, of all customers, and is no older than this.
    pub fn fraud_since(&self, since: Timestamp) -> Result<Vec<MisuseSign>, LedgerError> {
        self.read(|connection| misuse::fraud_since(connection, since))
    }

    /// An alert and those that were told together with it, of the same customer, itself first; with
    /// `run` also those about the run of spikes that any of them is about.
    pub fn alerts_with(&self, alert: Uuid, run: bool) -> Result<Vec<AlertRow>, LedgerError> {
        self.read(|connection| {
            let mut ids = acks::told_together(connection, alert)?;
            for told in ids.clone().into_iter().filter(|_| run) {
                let others = acks::alerts_of_run(connection, told)?;
                let new: Vec<Uuid> = others.into_iter().filter(|id| !ids.contains(id)).collect();
                ids.extend(new);
            }
            let rows = ids.into_iter().map(|id| listings::one(connection, id));
            Ok(rows.collect::<sql::Result<Vec<_>>>()?.into_iter().flatten().collect())
        })
    }

    /// How many days are remembered of the run of spikes that an alert is about.
    pub fn run_length(&self, alert: Uuid) -> Result<usize, LedgerError> {
        self.read(|connection| acks::run_length(connection, alert))
    }

    /// The deliveries that a filter chooses, newest first.
    pub fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<DeliveryRow>, LedgerError> {
        self.read(|connection| listings::deliveries(connection, filter))
    }

    /// The attempts of a delivery, in their order.
    pub fn attempts(&self, delivery: Uuid) -> Result<Vec<AttemptRow>, LedgerError> {
        self.read(|connection| listings::attempts(connection, delivery))
    }

    /// The deliveries that somebody may mean by `text`: the first digits of their ids or of those
    /// of their messages, as a `webhook-id` or a Message-ID too; no more than `most`.
    pub fn find_deliveries(&self, text: &str, most: u32) -> Result<Vec<DeliveryRow>, LedgerError> {
        let Some(digits) = digits_of(text) else { return Ok(Vec::new()) };
        self.read(|connection| listings::find_deliveries(connection, &digits, most))
    }

    /// The hash of the last event, in hex.
    pub fn head(&self) -> Result<String, LedgerError> {
        self.read(|connection| chain::last(connection).map(|(_, hash)| hex(&hash)))
    }

    /// Every event of the chain in order, to `visit`.
    pub fn each_event(&self, mut visit: impl FnMut(ChainEvent)) -> Result<(), LedgerError> {
        self.read(|connection| {
            chain::each(connection, |event| {
                visit(event);
                Ok(())
            })
        })
    }

    /// Holds the chain against itself and against what it speaks of.
    pub fn prove(&self) -> Result<Proof, LedgerError> {
        self.read(|connection| proof::prove(connection, None))
    }

    /// What identities are derived from.
    pub fn identity(&self) -> Result<Uuid, LedgerError> {
        self.read(file::identity)
    }

    /// What the last attempt of a delivery handed over, and when that ended.
    pub fn sent_message(
        &self,
        delivery: Uuid,
    ) -> Result<Option<(Timestamp, SentMessage)>, LedgerError> {
        self.read(|connection| sent_messages::of(connection, delivery))
    }

    /// The worst customers first: those over their budget by how much that is in US dollars, then
    /// those over it of which that is not known and those below it by percent, then those without
    /// one by their cost; no more than `limit`.
    pub fn customers_worst_first(&self, limit: usize) -> Result<Vec<CustomerState>, LedgerError> {
        let mut worst = Vec::new();
        self.read(|connection| overview::worst(connection, limit, |seen| worst.push(seen)))?;
        Ok(worst)
    }

    /// A page of customers with what the overview shows of each, in the same order.
    pub fn customer_page(
        &self,
        filter: &CustomerFilter,
        after: Option<CustomerCursor>,
        limit: usize,
    ) -> Result<CustomerPage, LedgerError> {
        self.read(|connection| overview::page(connection, filter, after, limit))
    }

    /// What all customers come to.
    pub fn customer_totals(&self) -> Result<CustomerTotals, LedgerError> {
        self.read(overview::totals)
    }

    /// The rows of all customers by what `form` makes of their names, then by id; subscriptions are
    /// left out.
    pub fn customers_by_name(&self, form: fn(&str) -> String) -> Result<Vec<i64>, LedgerError> {
        self.read(|connection| customers::by_name(connection, form))
    }

    /// The keys of a customer's subscriptions that have budgets of their own.
    pub fn subscriptions_of(&self, key: &CustomerKey) -> Result<Vec<CustomerKey>, LedgerError> {
        self.read(|connection| customers::subscriptions_of(connection, key))
    }

    /// The last seen state in a row; none where it was deleted since.
    pub fn customer_in(&self, row: i64) -> Result<Option<CustomerState>, LedgerError> {
        self.read(|connection| customers::in_row(connection, row))
    }

    /// The customers whose names look like one of these, by what `look` makes of a label and a
    /// name.
    pub fn alike(
        &self,
        looks: &HashSet<String>,
        look: fn(Option<&str>, &str) -> String,
    ) -> Result<Vec<(String, CustomerKey)>, LedgerError> {
        self.read(|connection| customers::alike(connection, looks, look))
    }

    /// The last seen state of every customer that had a record in the last good poll, in no order,
    /// to `visit`.
    pub fn each_customer(&self, visit: impl FnMut(CustomerState)) -> Result<(), LedgerError> {
        self.read(|connection| customers::each_present(connection, visit))
    }

    /// The customers that had a record in the last good poll, and that have dates of fewer than
    /// `most` days since an instant, or days that were spikes; subscriptions are left out.
    pub fn customers_with_few_dates(
        &self,
        since: Timestamp,
        most: u32,
    ) -> Result<Vec<CustomerKey>, LedgerError> {
        self.read(|connection| history::customers_with_few_dates(connection, since, most))
    }

    /// The customers that somebody may mean by `text`: the one with this id; else those with this
    /// name or label, in any case and Unicode form; else those whose name or label contains it. One
    /// is a hit, several are ambiguous.
    pub fn find_customer(&self, text: &str) -> Result<Vec<CustomerState>, LedgerError> {
        if let Some(found) = self.current(&CustomerKey::written(text))? {
            return Ok(vec![found.seen]);
        }
        let wanted = name_key(text);
        let (mut same, mut similar) = (Vec::new(), Vec::new());
        self.read(|connection| {
            customers::each_seen(connection, |seen| {
                // A subscription with a budget of its own has the name of its customer.
                if seen.subscription.is_some() {
                    return;
                }
                let names = [Some(name_key(&seen.name)), seen.label.as_deref().map(name_key)];
                if names.iter().flatten().any(|name| *name == wanted) {
                    same.push(seen);
                } else if !wanted.is_empty()
                    && names.iter().flatten().any(|name| name.contains(&wanted))
                {
                    similar.push(seen);
                }
            })
        })?;
        Ok(if same.is_empty() { similar } else { same })
    }

    /// What is remembered of one customer, with every step that is kept.
    pub fn recollection(
        &self,
        key: &CustomerKey,
    ) -> Result<Option<RememberedCustomer>, LedgerError> {
        self.read(|connection| customers::recall(connection, key, Steps::All, HISTORY))
    }

    /// What is remembered of one customer that bears on the data last seen.
    pub fn current(&self, key: &CustomerKey) -> Result<Option<RememberedCustomer>, LedgerError> {
        self.read(|connection| customers::recall(connection, key, Steps::NearSeen, HISTORY))
    }

    /// Every last seen state, in no order, to `visit`.
    pub fn each_seen(&self, visit: impl FnMut(CustomerState)) -> Result<(), LedgerError> {
        self.read(|connection| customers::each_seen(connection, visit))
    }

    /// The cost history of every customer's cost that had a record in the last good poll, one after
    /// another, to `visit`; what it was is looked up `span` of the data's time before.
    pub fn each_cost_history(
        &self,
        span: jiff::SignedDuration,
        visit: impl FnMut(CostHistory),
    ) -> Result<(), LedgerError> {
        self.read(|connection| reports::each_cost_history(connection, span, visit))
    }

    /// How many alerts are not over, by severity.
    pub fn open_by_severity(&self) -> Result<OpenAlerts, LedgerError> {
        self.read(reports::open_alerts)
    }

    /// The occasion that was reported last.
    pub fn reported(&self) -> Result<Option<Timestamp>, LedgerError> {
        self.read(reports::reported)
    }

    /// Everything that history has of a customer, as it was read, oldest reading first.
    pub fn history(&self, key: &CustomerKey) -> Result<Vec<NewSample>, LedgerError> {
        self.read(|connection| history::of_customer(connection, key))
    }

    /// Everything that was read of all customers since an instant, one customer after another, to
    /// `visit`.
    pub fn each_sample(
        &self,
        since: Timestamp,
        visit: impl FnMut(NewSample),
    ) -> Result<(), LedgerError> {
        self.read(|connection| history::each_since(connection, since, visit))
    }

    /// What happened to a customer's data, oldest first.
    pub fn events(&self, key: &CustomerKey) -> Result<Vec<CustomerEvent>, LedgerError> {
        self.read(|connection| history::events(connection, key))
    }

    /// What happened to all customers' data since an instant, each with the customer's id and what
    /// it is called, oldest first.
    pub fn events_since(
        &self,
        since: Timestamp,
    ) -> Result<Vec<(String, String, CustomerEvent)>, LedgerError> {
        self.read(|connection| history::events_since(connection, since))
    }

    /// Since when the good polls had no record of a customer.
    pub fn missing_since(&self, key: &CustomerKey) -> Result<Option<Timestamp>, LedgerError> {
        self.read(|connection| history::missing_since(connection, key))
    }

    /// How many customers the last good poll had no record of.
    pub fn missing(&self) -> Result<u64, LedgerError> {
        self.read(history::missing)
    }

    /// What the next poll must know of those before it.
    pub fn poll_memory(&self) -> Result<PollMemory, LedgerError> {
        self.read(polls::memory)
    }

    /// How many alerts of each rule are not over, by the rule's name.
    pub fn open_by_rule(&self) -> Result<Vec<(String, u64)>, LedgerError> {
        self.read(life::open_by_rule)
    }

    /// All silences, oldest first.
    pub fn silences(&self) -> Result<Vec<Silence>, LedgerError> {
        self.read(silences::all)
    }

    /// The alerts of a customer that are not over.
    pub fn open_alerts(&self, key: &CustomerKey) -> Result<Vec<OpenAlert>, LedgerError> {
        self.read(|connection| life::open(connection, key, None))
    }

    /// The changes of budgets in Partner Center, oldest first.
    pub fn budget_pushes(&self) -> Result<Vec<BudgetPush>, LedgerError> {
        self.read(budget_pushes::all)
    }

    /// The `MS-RequestId`s and `MS-CorrelationId`s of all changes of a customer's budget that were
    /// asked for from here.
    pub fn budget_push_ids(&self, customer: &CustomerKey) -> Result<HashSet<Uuid>, LedgerError> {
        self.read(|connection| budget_pushes::ids(connection, customer))
    }

    /// The open findings, oldest first.
    pub fn findings(&self) -> Result<Vec<OpenFinding>, LedgerError> {
        self.read(findings::all_open)
    }

    /// The last poll and the last good one.
    pub fn polls(&self) -> Result<PollStatus, LedgerError> {
        self.read(|connection| {
            Ok(PollStatus {
                last: polls::result(connection, "last")?,
                last_good: polls::result(connection, "good")?,
            })
        })
    }

    /// What each notifier owes and has given up, by name.
    pub fn owed(&self) -> Result<Vec<Owed>, LedgerError> {
        self.read(deliveries::owed)
    }

    /// How the destinations of all notifiers that ever failed are doing, by name.
    pub fn notifier_states(&self) -> Result<Vec<(String, NotifierState)>, LedgerError> {
        self.read(notifiers::states)
    }

    /// The recipients for whom a destination takes no messages at the moment, by notifier and
    /// address.
    pub fn deferred_recipients(&self) -> Result<Vec<DeferredRecipient>, LedgerError> {
        self.read(recipients::deferred)
    }

    /// What is known of every customer, and of the items of the last collection what was judged
    /// under this configuration.
    pub fn known_customers(&self, configuration: u64) -> Result<KnownCustomers, LedgerError> {
        self.read(|connection| {
            let hasher = ItemHasher::of(file::identity(connection)?);
            let (customers, idle) = match collection::known(connection, configuration)? {
                Some((customers, idle)) => (customers, Some(idle)),
                None => (customers::scan(connection)?, None),
            };
            Ok(KnownCustomers::new(hasher, customers, idle))
        })
    }

    /// What `look` makes of the label and the name of each customer, in no order.
    pub fn looks(&self, look: fn(Option<&str>, &str) -> u64) -> Result<Vec<u64>, LedgerError> {
        self.read(|connection| customers::looks(connection, look))
    }

    /// How many customers have alerts that a silence hides.
    pub fn customers_silenced(&self) -> Result<u64, LedgerError> {
        self.read(life::customers_silenced)
    }

    /// What each notifier has given up, by name.
    pub fn given_up(&self) -> Result<Vec<GivenUp>, LedgerError> {
        self.read(deliveries::given_up)
    }

    /// What a poll that recorded in slices knew last, when it was broken off.
    pub fn interim(&self) -> Result<Option<Interim>, LedgerError> {
        self.read(polls::interim)
    }

    /// What a poll knows that is about to record in slices.
    pub fn new_interim(&self) -> Result<Interim, LedgerError> {
        self.read(|connection| {
            Ok(Interim { after: polls::last_delivery(connection)?, ..Interim::default() })
        })
    }

    /// The row of the last alert.
    pub fn last_alert(&self) -> Result<i64, LedgerError> {
        self.read(polls::last_alert)
    }

    /// How many deliveries are held.
    pub fn held(&self) -> Result<u64, LedgerError> {
        self.read(holds::count)
    }

    /// The rows of the alerts that are open, then of those that ended at this instant or later; the
    /// newest first each.
    pub fn alerts_open_since(&self, ended_since: Timestamp) -> Result<Vec<i64>, LedgerError> {
        self.read(|connection| mirror::open_alerts(connection, ended_since))
    }

    /// The findings that were closed at this instant or later, with when.
    pub fn closed_findings(
        &self,
        since: Timestamp,
    ) -> Result<Vec<(OpenFinding, Timestamp)>, LedgerError> {
        self.read(|connection| findings::closed_since(connection, since))
    }

    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> sql::Result<T>,
    ) -> Result<T, LedgerError> {
        work(&self.connection).map_err(|error| LedgerError::of(&self.path, error))
    }
}

/// The digits of an id, however it is written: `msg_5f0c1c3e…`, `<5f0c1c3e…@example.com>`, with
/// hyphens or in part; none where it is no id.
fn digits_of(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('<');
    let text = text.strip_prefix("msg_").unwrap_or(text);
    let text = text.split('@').next().unwrap_or_default();
    let digits = text.replace('-', "").to_ascii_lowercase();
    let is_id = (1..=32).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    is_id.then_some(digits)
}
