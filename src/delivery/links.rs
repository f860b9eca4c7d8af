//! Puts links to act by into a message just before it is sent, and takes what makes them valid out of
//! the copy that is kept. The same delivery has the same links on each attempt.

use std::sync::Arc;

use jiff::Timestamp;

use crate::alerting::links::{Link, LinkKey, holds_until, key_of, may_be_silenced};
use crate::domain::{
    Alert, AlertLinks, Audience, Delivery, LinkAction, Message, SentMessage, in_partner_center,
};
use crate::ledger::Ledger;
use crate::notify::{Accepted, DeliveryError};

/// What stands in a copy in the place of a link's last part.
const MASK: &str = "***";

/// Makes the links of messages to the partner's own people.
#[derive(Debug, Clone)]
pub(crate) struct Links {
    /// The address of the pages, without a slash at its end.
    base: String,
}

impl Links {
    /// Links that lead to the pages at an address.
    pub(crate) fn to(public_url: &str) -> Self {
        Self { base: public_url.trim_end_matches('/').to_owned() }
    }

    /// The delivery with its links; none where it has none. A ledger that gives no key costs the
    /// links, never the message.
    pub(crate) async fn put_into(
        &self,
        delivery: &Delivery,
        ledger: &Ledger,
        now: Timestamp,
    ) -> Option<Delivery> {
        if !has_links(delivery) {
            return None;
        }
        let keys = ledger
            .link_keys(now)
            .await
            .inspect_err(|error| tracing::warn!(%error, "a message goes out without its links"))
            .ok()?;
        let key = key_of(&keys, delivery.created_at)?;
        let mut linked = delivery.clone();
        for snapshot in linked.message.alerts_mut() {
            snapshot.context.links = self.of(&snapshot.alert, delivery, key);
        }
        Some(linked)
    }

    /// The links of an alert; none where they would have expired before the message was recorded.
    fn of(&self, alert: &Alert, delivery: &Delivery, key: &LinkKey) -> Option<AlertLinks> {
        let until = holds_until(alert);
        let address = |action: LinkAction| {
            let notifier = delivery.notifier.clone();
            let token = key.sign(&Link { action, alert: alert.id, notifier, until });
            format!("{}/link/{}/{token}", self.base, action.as_str())
        };
        (delivery.created_at < until).then(|| AlertLinks {
            acknowledge: address(LinkAction::Acknowledge),
            silence: may_be_silenced(alert).then(|| address(LinkAction::Silence)),
            explain: address(LinkAction::Explain),
            customer: in_partner_center(alert.customer.id.as_str()),
        })
    }
}

/// Whether a message is for the partner's own people and about alerts that are there.
fn has_links(delivery: &Delivery) -> bool {
    let about_alerts = match delivery.message {
        Message::Alert(_)
        | Message::Alerts(_)
        | Message::Digest(_)
        | Message::Reminder(_)
        | Message::Resolved(_) => true,
        Message::Test(_) | Message::Operator(_) | Message::Report(_) => false,
    };
    about_alerts && delivery.audience == Audience::Partner
}

/// What came of an attempt, without links that whoever may read of it could act by.
pub(crate) fn masked(
    result: Result<Accepted, DeliveryError>,
    sent: &Delivery,
) -> Result<Accepted, DeliveryError> {
    let tokens = tokens(sent);
    let without = |text: &str| {
        tokens.iter().fold(text.to_owned(), |text, token| text.replace(token.as_str(), MASK))
    };
    let copy = |message: Option<Arc<SentMessage>>| {
        message.map(|message| {
            let some = |text: &Option<String>| text.as_deref().map(without);
            Arc::new(SentMessage {
                subject: some(&message.subject),
                text: some(&message.text),
                html: some(&message.html),
                body: some(&message.body),
                ..(*message).clone()
            })
        })
    };
    match result {
        Ok(Accepted { detail, message }) => {
            Ok(Accepted { detail: without(&detail), message: copy(message) })
        }
        Err(error) => Err(DeliveryError {
            detail: without(&error.detail),
            message: copy(error.message.clone()),
            ..error
        }),
    }
}

/// The last parts of all links of a message.
fn tokens(sent: &Delivery) -> Vec<String> {
    let links = sent.message.alerts().iter().filter_map(|one| one.context.links.as_ref());
    let own = links
        .flat_map(|links| [Some(&links.acknowledge), links.silence.as_ref(), Some(&links.explain)]);
    own.flatten().filter_map(|link| Some(link.rsplit_once('/')?.1.to_owned())).collect()
}
