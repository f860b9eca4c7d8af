//! A notifier with what wraps every one: pacing, the time-out, metrics, and the border at which
//! what a destination says loses the secrets it may have been sent. What a destination speaks is in
//! its own file.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::domain::{Audience, Delivery, Keeps, Recipients, Route};
use crate::metrics::Metrics;
use crate::notify::alertmanager::Alertmanager;
use crate::notify::email::Email;
use crate::notify::graph_mail::{self, GraphMail};
use crate::notify::notifier::{
    Accepted, Destination, MessageCopy, Mirroring, Notifier, SendFuture,
};
use crate::notify::pagerduty::{self, PagerDuty};
use crate::notify::secrets::redactor;
use crate::notify::slack::{self, Slack};
use crate::notify::teams::{self, Teams};
use crate::notify::webhook::Webhook;
use crate::notify::{BuildError, Config, DeliveryError, FailureReason, Kind, Verdict};
use crate::secret::Redactor;

/// A notifier with what wraps every one.
pub struct Channel {
    route: Route,
    give_up_after: Duration,
    timeout: Duration,
    pacing: Option<Pacing>,
    concurrency: usize,
    destination: Destination,
    redactor: Arc<Redactor>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

impl Channel {
    /// The notifier's name in the configuration.
    pub fn name(&self) -> &str {
        &self.route.notifier
    }

    /// Where its messages go and how they are put together.
    pub fn route(&self) -> &Route {
        &self.route
    }

    /// How long a delivery is tried before it is dead.
    pub fn give_up_after(&self) -> Duration {
        self.give_up_after
    }

    /// How many attempts may be under way at once while all goes well.
    pub fn concurrency(&self) -> usize {
        self.concurrency
    }

    /// Makes one attempt of a delivery, when the destination's pace allows it.
    pub async fn attempt(&self, delivery: &Delivery) -> Result<Accepted, DeliveryError> {
        if let Some(pacing) = &self.pacing {
            pacing.wait(&*self.clock).await;
        }
        if delivery.audience == Audience::Partner
            && self.route.readers.audience() == Audience::Customer
        {
            return Err(self.not_for_customers());
        }
        let copy = MessageCopy::default();
        let sending = self.destination.notifier().send(delivery, self.clock.now(), &copy);
        let result = self.timed(sending).await;
        let message = copy.take().map(Arc::new);
        match result {
            Ok(accepted) => Ok(Accepted { message, ..accepted }),
            Err(error) => Err(DeliveryError { message, ..error }),
        }
    }

    /// What mirrors what is open; none where messages are owed.
    pub(crate) fn mirror(&self) -> Option<Arc<dyn Mirroring>> {
        match &self.destination {
            Destination::Messages(_) => None,
            Destination::Mirror(mirror) => Some(Arc::clone(mirror)),
        }
    }

    /// The time for this channel.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// An attempt within the time-out, counted, and without secrets in what it says.
    pub(crate) async fn timed(&self, sending: SendFuture<'_>) -> Result<Accepted, DeliveryError> {
        let started = self.clock.monotonic();
        let result = tokio::time::timeout(self.timeout, sending)
            .await
            .unwrap_or_else(|_| Err(self.timed_out()));
        let result = result
            .map(|accepted| Accepted { detail: self.redactor.redact(&accepted.detail), ..accepted })
            .map_err(|error| self.cleaned(error));
        self.count(&result, self.clock.monotonic().saturating_sub(started));
        result
    }

    /// Looks whether the destination can be reached, without sending a message. Neither paced nor
    /// counted: it is no attempt.
    pub async fn probe(&self) -> Result<String, DeliveryError> {
        let too_late = |_| {
            let detail = format!("no answer within {} s", self.timeout.as_secs_f32());
            DeliveryError::new(Verdict::DESTINATION, FailureReason::TimedOut, detail)
        };
        let found = tokio::time::timeout(self.timeout, self.destination.notifier().probe())
            .await
            .unwrap_or_else(|late| Err(too_late(late)));
        found.map(|found| self.redactor.redact(&found)).map_err(|error| self.cleaned(error))
    }

    /// A failure without the secrets that the destination was sent: part of its text is the
    /// destination's.
    fn cleaned(&self, error: DeliveryError) -> DeliveryError {
        DeliveryError { detail: self.redactor.redact(&error.detail), ..error }
    }

    /// It was recorded when the partner's own people were at the other end.
    fn not_for_customers(&self) -> DeliveryError {
        let name = self.name();
        let detail = format!(
            "it is for your own people, and customers read what \"{name}\" sends now; deliveries \
                retry --to sends it elsewhere"
        );
        DeliveryError::new(Verdict::Message, FailureReason::MessageRefused, detail)
    }

    fn timed_out(&self) -> DeliveryError {
        let detail = format!(
            "no answer within {} s; the message may have arrived",
            self.timeout.as_secs_f32()
        );
        DeliveryError::new(Verdict::Ambiguous, FailureReason::TimedOut, detail)
    }

    fn count(&self, result: &Result<Accepted, DeliveryError>, took: Duration) {
        let outcome = result.as_ref().map_or_else(|error| error.verdict.as_str(), |_| "accepted");
        self.metrics.delivery_attempts.with_label_values(&[self.name(), outcome]).inc();
        self.metrics
            .delivery_attempt_duration
            .with_label_values(&[self.name()])
            .observe(took.as_secs_f64());
    }
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel").field("route", &self.route).finish_non_exhaustive()
    }
}

/// A shortest time between two attempts.
struct Pacing {
    interval: Duration,
    /// When the next attempt may start, by the monotonic clock.
    free_at: Mutex<Duration>,
}

impl Pacing {
    fn every(interval: Duration) -> Self {
        Self { interval, free_at: Mutex::new(Duration::ZERO) }
    }

    /// Waits for a turn. Turns are taken in the order of asking; one that is cancelled is not used
    /// up.
    async fn wait(&self, clock: &dyn Clock) {
        let mut free_at = self.free_at.lock().await;
        let early = free_at.saturating_sub(clock.monotonic());
        if !early.is_zero() {
            clock.sleep(early).await;
        }
        *free_at = clock.monotonic().saturating_add(self.interval);
    }
}

impl Config {
    /// Builds the notifier. Nothing is connected yet.
    pub fn build(&self, clock: Arc<dyn Clock>, metrics: Metrics) -> Result<Channel, BuildError> {
        metrics.know_notifier(&self.name);
        let redactor = Arc::new(redactor(&self.kind));
        let destination = self.receiver(&clock, &redactor)?;
        let pacing = interval(&self.kind).map(Pacing::every);
        let (give_up_after, timeout) = (self.give_up_after, self.timeout);
        let concurrency = concurrency(&self.kind);
        Ok(Channel {
            route: self.route(),
            give_up_after,
            timeout,
            pacing,
            concurrency,
            destination,
            redactor,
            clock,
            metrics,
        })
    }

    /// What its messages, or what is open, are handed to.
    fn receiver(
        &self,
        clock: &Arc<dyn Clock>,
        redactor: &Arc<Redactor>,
    ) -> Result<Destination, BuildError> {
        let notifier: Box<dyn Notifier> = match &self.kind {
            Kind::Email(email) => Box::new(Email::build(self, email, Arc::clone(clock), redactor)?),
            Kind::GraphMail(mail) => {
                Box::new(GraphMail::build(self, mail, Arc::clone(clock), redactor)?)
            }
            Kind::Slack(slack) => Box::new(Slack::build(self, slack)?),
            Kind::Webhook(webhook) => Box::new(Webhook::build(self, webhook)?),
            Kind::Teams(teams) => Box::new(Teams::build(self, teams)?),
            Kind::PagerDuty(pagerduty) => Box::new(PagerDuty::build(self, pagerduty)?),
            Kind::Alertmanager(alertmanager) => {
                let mirror = Alertmanager::build(self, alertmanager)?;
                return Ok(Destination::Mirror(Arc::new(mirror)));
            }
        };
        Ok(Destination::Messages(notifier))
    }

    /// Where its messages go and how they are put together.
    pub fn route(&self) -> Route {
        let recipients = match &self.kind {
            Kind::Email(email) => addresses(&email.to),
            Kind::GraphMail(mail) => addresses(&mail.to),
            Kind::Slack(_)
            | Kind::Webhook(_)
            | Kind::Teams(_)
            | Kind::PagerDuty(_)
            | Kind::Alertmanager(_) => Recipients::Destination,
        };
        // Slack ends at 50 blocks, Teams at 20 kB, mail clients cut mails of 100 kB, webhooks
        // should stay small.
        let digest_part = match &self.kind {
            Kind::Email(_) | Kind::GraphMail(_) => 200,
            Kind::Slack(_) | Kind::Teams(_) => 30,
            // About 1 kB each: the body stays below the 20 kB that the Standard Webhooks
            // specification recommends.
            Kind::Webhook(_) => 15,
            // An event may have 512 kB; nobody reads longer lists.
            Kind::PagerDuty(_) | Kind::Alertmanager(_) => 100,
        };
        // Nobody reads more; a program takes all of it.
        let digest_parts = match &self.kind {
            Kind::Email(_) | Kind::GraphMail(_) | Kind::Slack(_) | Kind::Teams(_) => Some(5),
            Kind::Webhook(_) | Kind::PagerDuty(_) | Kind::Alertmanager(_) => None,
        };
        let keeps = match &self.kind {
            Kind::PagerDuty(_) => Keeps::Incidents,
            Kind::Alertmanager(_) => Keeps::Mirror,
            Kind::Email(_)
            | Kind::GraphMail(_)
            | Kind::Slack(_)
            | Kind::Webhook(_)
            | Kind::Teams(_) => Keeps::Messages,
        };
        let (readers, digest_above, send_resolved) =
            (self.readers.clone(), self.digest_above, self.send_resolved);
        Route {
            notifier: self.name.clone(),
            readers,
            recipients,
            digest_above,
            digest_part,
            digest_parts,
            send_resolved,
            keeps,
        }
    }
}

fn addresses(to: &[lettre::message::Mailbox]) -> Recipients {
    Recipients::Addresses(to.iter().map(|to| to.email.to_string()).collect())
}

/// The shortest time between two attempts; none = they follow each other at once.
fn interval(kind: &Kind) -> Option<Duration> {
    match kind {
        Kind::GraphMail(_) => Some(graph_mail::INTERVAL),
        Kind::Slack(_) => Some(slack::INTERVAL),
        Kind::Teams(_) => Some(teams::INTERVAL),
        Kind::PagerDuty(_) => Some(pagerduty::INTERVAL),
        Kind::Email(_) | Kind::Webhook(_) | Kind::Alertmanager(_) => None,
    }
}

/// How many messages a destination takes at once; chats and pagers are sent one after the other.
fn concurrency(kind: &Kind) -> usize {
    if matches!(kind, Kind::Webhook(_)) {
        32
    } else if matches!(kind, Kind::Email(_)) {
        // Connections to one mail server; few, since servers limit them.
        4
    } else {
        1
    }
}
