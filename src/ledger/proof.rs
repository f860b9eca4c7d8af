//! Holds the chain of events against itself and against what it speaks of.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use crate::ledger::column::{self, Id, Instant};
use crate::ledger::listing::ChainEvent;
use crate::ledger::sql::{self, Connection, Optional, params};
use crate::ledger::table::chain::{self, Hash};
use crate::text::{hex, sha256_hex};

/// What looking through the chain came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// How many events there are.
    pub events: u64,
    /// The hash of the last one, in hex.
    pub head: String,
    /// The first event that is not as it was recorded.
    pub changed: Option<ChangedEvent>,
    /// Of a head that was asked for: the number of its event, where it is in the chain.
    pub asked: Option<i64>,
}

/// An event that is not as it was recorded, or what it speaks of is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedEvent {
    /// Its number.
    pub number: i64,
    /// What happened.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// What it is about.
    pub about: String,
}

/// What is looked at of an event's content.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Content {
    sha256: String,
    kept: String,
    outcome: String,
    answer: String,
    by: Option<String>,
    taken_back: bool,
    joined: Option<Uuid>,
}

/// Looks through the whole chain, and for the event whose hash begins with `head`.
pub(super) fn prove(connection: &Connection, head: Option<&str>) -> sql::Result<Proof> {
    let (mut number, mut hash) = chain::beginning(connection)?;
    let is_asked = |hash: &Hash| head.is_some_and(|head| hex(hash).starts_with(head));
    let mut asked = is_asked(&hash).then_some(number);
    let (mut events, mut changed) = (0_u64, None);
    let mut facts = Facts::of(connection)?;
    chain::each(connection, |event| {
        number = number.saturating_add(1);
        let parts = [event.kind.as_str(), &event.about, &event.content];
        let is_chained = event.number == number
            && event.hash == chain::hash(&hash, event.number, event.at, parts);
        if !is_chained || !facts.bear_out(&event)? {
            changed = changed.take().or_else(|| Some(changed_event(&event)));
        }
        if is_asked(&event.hash) {
            asked = Some(event.number);
        }
        (number, hash, events) = (event.number, event.hash, events.saturating_add(1));
        Ok(())
    })?;
    let later = facts.changed_later()?;
    // Whichever comes first.
    let changed = [changed, later].into_iter().flatten().min_by_key(|event| event.number);
    Ok(Proof { events, head: hex(&hash), changed, asked })
}

fn changed_event(event: &ChainEvent) -> ChangedEvent {
    ChangedEvent {
        number: event.number,
        kind: event.kind.clone(),
        at: event.at,
        about: event.about.clone(),
    }
}

/// Since when somebody knows of an alert, and who; nothing where nobody does.
type Known = (Option<Timestamp>, Option<String>);

/// What the events speak of, as it is in the ledger.
struct Facts<'c> {
    connection: &'c Connection,
    /// What was recorded before may be forgotten.
    cut: Option<Timestamp>,
    /// The last message of each delivery, with the SHA-256 of what is kept of it.
    messages: HashMap<Uuid, (ChangedEvent, String)>,
    /// Who knows of each alert, and since when.
    known: HashMap<Uuid, (ChangedEvent, Known)>,
    /// Events of deliveries that are gone, and deliveries that joined others.
    gone: Vec<(Uuid, ChangedEvent)>,
    joined: HashSet<Uuid>,
}

impl<'c> Facts<'c> {
    fn of(connection: &'c Connection) -> sql::Result<Self> {
        let sql = "SELECT chain_cut FROM file";
        let cut = connection.query_row(sql, (), |row| column::instant_if_any(row, 0))?;
        let (messages, known) = (HashMap::new(), HashMap::new());
        Ok(Self { connection, cut, messages, known, gone: Vec::new(), joined: HashSet::new() })
    }

    /// Whether the ledger has what an event speaks of, as far as that is decided by this event
    /// alone.
    fn bear_out(&mut self, event: &ChainEvent) -> sql::Result<bool> {
        let Ok(content) = serde_json::from_str::<Content>(&event.content) else { return Ok(false) };
        self.joined.extend(content.joined);
        let id = Uuid::try_parse(&event.about).ok();
        let (Some(id), false) = (id, self.may_be_forgotten(event)) else { return Ok(true) };
        Ok(match event.kind.as_str() {
            "raised" | "silenced" => self.snapshot(id)?.is_some_and(|it| it == content.sha256),
            "attempt" => {
                if !self.has_delivery(id)? {
                    self.gone.push((id, changed_event(event)));
                    return Ok(true);
                }
                self.has_attempt(id, event.at, &content)?
            }
            "message" => {
                self.messages.insert(id, (changed_event(event), content.kept));
                true
            }
            "acknowledgement" => {
                let known =
                    if content.taken_back { (None, None) } else { (Some(event.at), content.by) };
                self.known.insert(id, (changed_event(event), known));
                true
            }
            _ => true,
        })
    }

    fn may_be_forgotten(&self, event: &ChainEvent) -> bool {
        self.cut.is_some_and(|cut| event.at < cut)
    }

    /// The first event that later ones leave standing, and that the ledger does not bear out.
    fn changed_later(&self) -> sql::Result<Option<ChangedEvent>> {
        let mut changed = Vec::new();
        for (delivery, (event, kept)) in &self.messages {
            let found = self.kept_message(*delivery)?;
            if found.as_ref() != Some(kept) && (found.is_some() || self.has_delivery(*delivery)?) {
                changed.push(event);
            }
        }
        for (alert, (event, known)) in &self.known {
            if self.known_by(*alert)?.is_some_and(|found| found != *known) {
                changed.push(event);
            }
        }
        let gone = self.gone.iter().filter(|(delivery, _)| !self.joined.contains(delivery));
        changed.extend(gone.map(|(_, event)| event));
        Ok(changed.into_iter().min_by_key(|event| event.number).cloned())
    }

    fn snapshot(&self, alert: Uuid) -> sql::Result<Option<String>> {
        self.connection
            .prepare_cached("SELECT snapshot FROM alert WHERE id = ?1")?
            .query_row([Id(alert)], |row| Ok(sha256_hex(row.get_ref(0)?.as_bytes()?)))
            .optional()
    }

    fn has_delivery(&self, id: Uuid) -> sql::Result<bool> {
        self.connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM delivery WHERE id = ?1)")?
            .query_row([Id(id)], |row| row.get(0))
    }

    fn has_attempt(&self, id: Uuid, at: Timestamp, content: &Content) -> sql::Result<bool> {
        self.connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM attempt JOIN delivery ON delivery.seq = attempt.delivery
                 WHERE delivery.id = ?1 AND at = ?2 AND outcome = ?3 AND detail = ?4)",
            )?
            .query_row(params![Id(id), Instant(at), content.outcome, content.answer], |row| {
                row.get(0)
            })
    }

    fn kept_message(&self, delivery: Uuid) -> sql::Result<Option<String>> {
        self.connection
            .prepare_cached(
                "SELECT sent_message.message FROM sent_message JOIN delivery ON delivery.seq = sent_message.delivery WHERE delivery.id = ?1",
            )?
            .query_row([Id(delivery)], |row| Ok(sha256_hex(row.get_ref(0)?.as_bytes()?)))
            .optional()
    }

    /// Who knows of an alert; none where the alert is forgotten.
    fn known_by(&self, alert: Uuid) -> sql::Result<Option<Known>> {
        self.connection
            .prepare_cached("SELECT acked_at, acked_by FROM alert WHERE id = ?1")?
            .query_row([Id(alert)], |row| Ok((column::instant_if_any(row, 0)?, row.get(1)?)))
            .optional()
    }
}
