//! The accounts: what the ledger raised and owed on one side, what receivers really got on the
//! other. It believes neither, it compares them.

use std::collections::HashSet;

use jiff::civil::Date;
use uuid::Uuid;

use crate::cli::demo::inbox::{Door, Received};
use crate::cli::demo::stage::{SLACK, WEBHOOK};
use crate::domain::{AlertSnapshot, AlertState, Delivery, utc_day};
use crate::poll::CycleReport;

/// Everything that happened.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) polls: u64,
    pub(super) failed_polls: u64,
    pub(super) records: u64,
    pub(super) alerts: Vec<AlertSnapshot>,
    pub(super) owed: Vec<Delivery>,
    pub(super) received: Vec<Received>,
    pub(super) given_up: u64,
}

/// How both sides compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Balance {
    /// Deliveries owed that never came, and alerts that were owed to nobody.
    pub(super) lost: usize,
    /// Messages that came more often than owed.
    pub(super) doubled: usize,
    /// Alerts about the same step of the same customer, period and budget, beyond the first.
    pub(super) raised_twice: usize,
    /// Deliveries that the ledger gave up.
    pub(super) given_up: u64,
}

impl Balance {
    /// Whether every alert reached everybody it was owed to, exactly once.
    pub(super) fn is_even(self) -> bool {
        self == Self::default()
    }
}

impl Books {
    /// Takes down what the ledger owes; what is known already is not taken twice.
    pub(super) fn owe(&mut self, owed: Vec<Delivery>) {
        let known: HashSet<Uuid> = self.owed.iter().map(|delivery| delivery.id).collect();
        self.owed.extend(owed.into_iter().filter(|delivery| !known.contains(&delivery.id)));
    }

    /// Takes down a poll.
    pub(super) fn polled(&mut self, report: &CycleReport) {
        self.polls += 1;
        self.failed_polls += u64::from(!report.good);
        self.records += report.records;
        self.raise(report.alerts.clone());
    }

    /// Takes down what was raised; what is known already is not taken twice.
    pub(super) fn raise(&mut self, alerts: Vec<AlertSnapshot>) {
        let known: HashSet<Uuid> = self.alerts.iter().map(|known| known.alert.id).collect();
        self.alerts.extend(alerts.into_iter().filter(|raised| !known.contains(&raised.alert.id)));
    }

    /// Where the first alert stands that a message is about, by the references in it; beyond the
    /// end for none.
    pub(super) fn position(&self, received: &Received) -> usize {
        self.alerts
            .iter()
            .position(|snapshot| received.text.contains(&snapshot.alert.reference))
            .unwrap_or(self.alerts.len())
    }

    /// The messages about an alert, in the order in which they came.
    pub(super) fn told(&self, snapshot: &AlertSnapshot) -> impl Iterator<Item = &Received> {
        self.received.iter().filter(|received| received.text.contains(&snapshot.alert.reference))
    }

    /// What has not come, of all that is owed.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Delivery> {
        self.owed.iter().filter(|delivery| self.arrivals(delivery) == 0)
    }

    /// How often a delivery came.
    fn arrivals(&self, delivery: &Delivery) -> usize {
        self.received.iter().filter(|received| matches(delivery, received)).count()
    }

    /// Compares both sides.
    pub(super) fn balance(&self) -> Balance {
        // Of what a visitor has silenced on the pages, nobody is to hear.
        let is_silenced = |raised: &&AlertSnapshot| raised.alert.state == AlertState::Silenced;
        let owed_to_nobody = self
            .alerts
            .iter()
            .filter(|alert| !is_silenced(alert))
            .filter(|alert| !self.owed.iter().any(|delivery| is_about(delivery, alert)))
            .count();
        let expected = self.owed.iter().filter(|delivery| self.arrivals(delivery) > 0).count();
        let keys: HashSet<_> = self.alerts.iter().map(key).collect();
        Balance {
            lost: self.waiting().count() + owed_to_nobody,
            doubled: self.received.len().saturating_sub(expected),
            raised_twice: self.alerts.len() - keys.len(),
            given_up: self.given_up,
        }
    }
}

/// Whether a message that came is this delivery: by door, and identity where there is one; always
/// by what it is about.
fn matches(delivery: &Delivery, received: &Received) -> bool {
    let door = match (&received.door, delivery.recipient.as_deref()) {
        (Door::Mail(to), Some(recipient)) => to.eq_ignore_ascii_case(recipient),
        (Door::Slack, None) => delivery.notifier == SLACK,
        (Door::Webhook, None) => delivery.notifier == WEBHOOK,
        _ => false,
    };
    let same = received
        .identity
        .as_deref()
        .is_none_or(|identity| identity == delivery.identity.simple().to_string());
    door && same
        && delivery
            .message
            .alerts()
            .iter()
            .all(|snapshot| received.text.contains(&snapshot.alert.reference))
}

/// Whether a delivery carries an alert.
pub(super) fn is_about(delivery: &Delivery, snapshot: &AlertSnapshot) -> bool {
    delivery.message.alerts().iter().any(|carried| carried.alert.id == snapshot.alert.id)
}

/// What may be told once: the customer's step in a period under a budget, or on a day.
fn key(snapshot: &AlertSnapshot) -> (String, String, String, Date, Option<String>) {
    let alert = &snapshot.alert;
    let customer = alert.customer.id.key().as_str().to_owned();
    let budget = alert.budget.as_ref().map(|budget| budget.amount.normalize().to_string());
    let since = if alert.metric.is_daily() {
        alert.usage_as_of.instant()
    } else {
        alert.billing_period.start
    };
    let step = alert.threshold.normalize().to_string();
    (customer, alert.rule.clone(), step, utc_day(since), budget)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::{Audience, Message};
    use crate::notify::sample_alert;

    /// The books of one alert that is owed to Slack, and came there so many times.
    fn books(came: usize) -> Books {
        let snapshot = sample_alert(Timestamp::UNIX_EPOCH);
        let received = Received {
            door: Door::Slack,
            at: Timestamp::UNIX_EPOCH,
            identity: None,
            lines: Vec::new(),
            notes: Vec::new(),
            text: format!("spend · {}", snapshot.alert.reference),
        };
        let delivery = Delivery {
            id: Uuid::new_v4(),
            identity: Uuid::new_v4(),
            notifier: SLACK.to_owned(),
            recipient: None,
            stands_in_for: None,
            audience: Audience::Partner,
            created_at: Timestamp::UNIX_EPOCH,
            message: Message::Alert(Box::new(snapshot.clone())),
        };
        Books {
            alerts: vec![snapshot],
            owed: vec![delivery],
            received: vec![received; came],
            ..Books::default()
        }
    }

    #[test]
    fn what_came_once_is_even() {
        assert!(books(1).balance().is_even());
    }

    #[test]
    fn what_did_not_come_is_lost() {
        assert_eq!(books(0).balance(), Balance { lost: 1, ..Balance::default() });
    }

    #[test]
    fn what_came_again_is_doubled() {
        assert_eq!(books(3).balance(), Balance { doubled: 2, ..Balance::default() });
    }

    #[test]
    fn what_nobody_owed_is_doubled_too() {
        let mut books = books(1);
        books.received.push(Received { text: "another".to_owned(), ..books.received[0].clone() });
        assert_eq!(books.balance(), Balance { doubled: 1, ..Balance::default() });
    }

    #[test]
    fn an_alert_that_is_owed_to_nobody_is_lost() {
        let unowed = Books { owed: Vec::new(), received: Vec::new(), ..books(1) };
        assert_eq!(unowed.balance(), Balance { lost: 1, ..Balance::default() });
    }

    #[test]
    fn the_same_step_of_the_same_period_and_budget_is_raised_twice() {
        let mut books = books(1);
        books.alerts.push(books.alerts[0].clone());
        assert_eq!(books.balance(), Balance { raised_twice: 1, ..Balance::default() });
    }
}
