//! Looks after the loops and says how things are: to systemd, to the log, in the gauges. It changes
//! nothing but what is owed to nobody any more, and what the operator is told.

use crate::daemon::generation::Generation;
use crate::daemon::{Daemon, DaemonError, look_at_disk, systemd};
use crate::delivery::{FindingClosure, is_about, notifier_of};
use crate::domain::{FindingCode, OperatorFinding};
use crate::ledger::{self, Leadership, LedgerError, Reader};

impl Daemon {
    /// Feeds the watchdog and brings the status line up to date. Fails when the ledger is gone,
    /// without which nothing can go on.
    pub(super) async fn look_after(&mut self, generation: &Generation) -> Result<(), LedgerError> {
        if self.feed_watchdog().await? {
            systemd::status(&self.status_line(generation).await);
        }
        self.certificate.look(self.clock.monotonic());
        if !generation.leads() {
            return Ok(());
        }
        match self.look_for_trouble().await {
            Ok(()) => self.writer.succeeded(),
            Err(error) => {
                self.writer.failed(&*self.clock, &error);
                tracing::error!(%error, "what the operator should know cannot be recorded");
            }
        }
        Ok(())
    }

    /// Trouble that no poll and no delivery decides about, or that has been open for long enough
    /// now.
    async fn look_for_trouble(&mut self) -> Result<(), LedgerError> {
        self.tell_of_certificate().await?;
        self.clock_watch.look(&self.findings).await?;
        self.findings.tell_overdue().await?;
        self.findings.forget_revived().await?;
        look_at_disk(&self.config.state_dir, &self.findings).await?;
        self.backups.tend(&self.config, &self.findings, &*self.clock).await
    }

    /// Looks at what was left before this process led.
    pub(super) async fn take_up(&mut self) {
        self.recall().await;
        if self.leads() {
            self.forget_the_gone().await;
            self.certificate.tell_again();
            self.clear_refusal("the daemon was started with a configuration that loads").await;
            self.tend_backups().await;
        }
    }

    /// Whether this host leads now.
    pub(super) fn leads(&self) -> bool {
        self.ledger.leadership().borrow().is_leading()
    }

    /// Begins to poll and to deliver when this host has begun to lead, and ends it when another one
    /// may.
    pub(super) async fn change_sides(
        &mut self,
        generation: Generation,
    ) -> Result<Generation, DaemonError> {
        if generation.leads() == self.leads() {
            return Ok(generation);
        }
        match &*self.ledger.leadership().borrow() {
            Leadership::Leading => tracing::info!("this host leads from now on"),
            Leadership::Standby { leader } => tracing::warn!(
                "this host leads no more and stands by; {} does",
                leader.as_deref().unwrap_or("whichever is next")
            ),
        }
        let status = self.retire(generation).await;
        self.take_up().await;
        let assembly = self.assemble(&self.config)?;
        Ok(self.start(assembly, status))
    }

    /// The same of the daily backups alone, at the start.
    pub(super) async fn tend_backups(&mut self) {
        if let Err(error) = self.backups.tend(&self.config, &self.findings, &*self.clock).await {
            tracing::error!(%error, "what the operator should know cannot be recorded");
        }
    }

    /// Tells the watchdog that all is well, if it is; says whether it is.
    pub(super) async fn feed_watchdog(&self) -> Result<bool, LedgerError> {
        match self.ledger.alive().await {
            Err(LedgerError::Gone) => return Err(LedgerError::Gone),
            Err(error) => {
                tracing::error!(%error, "no progress: the ledger does not answer");
                return Ok(false);
            }
            Ok(()) => {}
        }
        let overdue = self.metrics.health.overdue(self.clock.monotonic());
        if overdue.is_empty() {
            systemd::alive();
        } else {
            tracing::error!("no progress: {}", overdue.join(", "));
        }
        Ok(overdue.is_empty())
    }

    async fn status_line(&self, generation: &Generation) -> String {
        if let Some(failure) = self.metrics.writes.failure() {
            return format!("FAILING, nothing can be recorded: {}", failure.why);
        }
        if let Leadership::Standby { leader } = &*self.ledger.leadership().borrow() {
            return match leader {
                Some(leader) => format!("standing by; {leader} leads"),
                None => "standing by; no host leads now".to_owned(),
            };
        }
        let status = generation.status();
        let zone = &self.config.time_zone;
        let clock_time =
            |at: jiff::Timestamp| at.to_zoned(zone.clone()).strftime("%H:%M").to_string();
        let last = status.last.map_or_else(
            || "first poll under way".to_owned(),
            |(at, text)| format!("{text} at {}", clock_time(at)),
        );
        let owed = self.ledger.read(Reader::owed).await.map_or_else(
            |_| "?".to_owned(),
            |owed| owed.iter().map(|owed| owed.pending).sum::<u64>().to_string(),
        );
        let next =
            status.next.map_or_else(String::new, |at| format!("; next poll {}", clock_time(at)));
        format!("{last}; {owed} owed{next}")
    }

    /// Sets the gauges that speak of the time before this process.
    pub(super) async fn recall(&mut self) {
        let last_good = match ledger::read(&self.config.ledger, Reader::polls).await {
            Ok(polls) => polls.last_good,
            Err(error) => return tracing::warn!(%error, "cannot look for the last poll"),
        };
        let Some(poll) = last_good else { return };
        self.clock_watch.compare(poll.at);
        self.metrics.last_successful_poll.set(poll.at.as_duration().as_secs_f64());
        self.metrics.usage_records.set(i64::try_from(poll.records).unwrap_or(i64::MAX));
        self.metrics
            .usage_as_of
            .set(poll.newest.map_or(0.0, |newest| newest.as_duration().as_secs_f64()));
    }

    /// Gives up what is owed to notifiers that are not in the configuration, and closes their
    /// findings.
    pub(super) async fn forget_the_gone(&self) {
        if let Err(error) = self.try_to_forget_the_gone().await {
            tracing::error!(%error, "cannot look for what belongs to notifiers that no longer \
                exist");
        }
    }

    async fn try_to_forget_the_gone(&self) -> Result<(), LedgerError> {
        let known: Vec<_> =
            self.config.notifiers.iter().map(|notifier| notifier.name.clone()).collect();
        let findings = ledger::read(&self.config.ledger, Reader::findings).await?;
        for OperatorFinding { code, subject, .. } in findings.into_iter().map(|open| open.finding) {
            if code == FindingCode::NotifierFailing
                && !known.iter().any(|name| is_about(&subject, name))
            {
                let ending = FindingClosure::of(format!(
                    "notifier \"{}\" is not configured any more",
                    notifier_of(&subject)
                ));
                self.findings.clear(code, &subject, ending).await?;
                self.metrics.notifier_in_backoff.with_label_values(&[notifier_of(&subject)]).set(0);
            }
        }
        crate::delivery::drop_undeliverable(
            self.config.owed_notifiers(),
            &self.findings,
            &self.metrics,
        )
        .await?;
        Ok(())
    }

    pub(super) async fn say_what_is_left(&self) {
        if let Ok(owed) = self.ledger.read(Reader::owed).await {
            let pending: u64 = owed.iter().map(|owed| owed.pending).sum();
            tracing::info!("stopped; {pending} deliveries stay owed");
        }
    }
}
