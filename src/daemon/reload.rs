//! From one configuration to the next, all or nothing, and from broken loops to new ones. What the
//! loops do is theirs.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::daemon::generation::{Ended, Generation};
use crate::daemon::reload_requests::Loaded;
use crate::daemon::signals::PollStatus;
use crate::daemon::{Assembly, Daemon, DaemonError, GRACE, loops, systemd};
use crate::delivery::FindingClosure;
use crate::domain::FindingCode;

/// How many lines of a refused configuration go to the log.
const LOGGED: usize = 300;
/// The longest that polling waits after loops broke again and again.
const LONGEST_REST: Duration = Duration::from_mins(5);

impl Daemon {
    /// Takes over a configuration that was loaded and can be built; any other changes nothing.
    /// Returns the loops in force, and why the configuration was refused, if it was.
    pub(super) async fn reload(
        &mut self,
        generation: Generation,
        loaded: Loaded,
    ) -> (Generation, Option<String>) {
        let loaded = loaded.unwrap_or_else(|error| Err(format!("loading it broke: {error}")));
        match loaded.and_then(|config| self.accept(config)) {
            Ok((config, assembly)) => {
                let generation = self.change_over(generation, config, assembly).await;
                systemd::ready("reloaded");
                (generation, None)
            }
            Err(why) => {
                self.refuse(&why).await;
                systemd::ready("reload refused, see the log");
                (generation, Some(why))
            }
        }
    }

    /// Starts the loops again after one of them broke; polling rests the longer the more often that
    /// happened.
    pub(super) async fn restart(
        &mut self,
        generation: Generation,
        why: &str,
    ) -> Result<Generation, DaemonError> {
        self.metrics.panics.inc();
        self.breaks = self.breaks.saturating_add(1);
        let rest = Duration::from_secs(2_u64.saturating_pow(self.breaks)).min(LONGEST_REST);
        tracing::error!(
            "a loop broke and all are started again, the next poll is in {} s: {why}",
            rest.as_secs()
        );
        let status = self.retire(generation).await;
        let assembly = self.assemble(&self.config)?;
        let not_before = status.not_before.max(self.clock.monotonic().saturating_add(rest));
        Ok(self.start(assembly, PollStatus { not_before, ..status }))
    }

    /// Checks what a running daemon cannot change, and builds the rest.
    fn accept(&self, config: Config) -> Result<(Config, Assembly), String> {
        let fixed = [
            ("[daemon] state_dir", config.state_dir != self.config.state_dir),
            ("[ledger] url", !config.ledger.is_at_the_place_of(&self.config.ledger)),
            (
                "[http] listen",
                config.http.as_ref().map(|http| http.listen)
                    != self.config.http.as_ref().map(|http| http.listen),
            ),
        ];
        if let Some((key, _)) = fixed.iter().find(|(_, changed)| *changed) {
            return Err(format!(
                "{key} was changed, which needs a restart: systemctl restart budget-alertd"
            ));
        }
        let assembly = self.assemble(&config).map_err(|error| error.to_string())?;
        Ok((config, assembly))
    }

    async fn change_over(
        &mut self,
        generation: Generation,
        config: Config,
        assembly: Assembly,
    ) -> Generation {
        let status = self.retire(generation).await;
        self.config = config;
        self.findings = assembly.findings.clone();
        self.customer_metrics.send_replace(super::customer_metrics(&self.config));
        self.known.send_replace(Arc::new(super::pages_know(&self.config)));
        self.certificate
            .change(self.config.http.as_ref().and_then(|http| http.certificate.clone()));
        self.breaks = 0;
        self.metrics.config_last_reload_successful.set(1);
        self.clear_refusal("the configuration was reloaded").await;
        if let Err(error) = self.ledger.note_reload(&self.config.file, self.clock.now()).await {
            tracing::warn!(%error, "the reload cannot be recorded");
        }
        self.forget_the_gone().await;
        tracing::info!(config = %self.config.file.display(), "reloaded");
        self.start(assembly, status)
    }

    /// Lets the loops finish, with the watchdog fed meanwhile.
    pub(super) async fn retire(&self, generation: Generation) -> PollStatus {
        let mut ending = pin!(generation.stop(GRACE));
        loop {
            tokio::select! {
                Ended { finished, status } = &mut ending => {
                    if !finished {
                        tracing::warn!("cut off what did not finish in {} s; it stays owed", GRACE.as_secs());
                    }
                    return status;
                }
                () = self.clock.sleep(self.tick) => drop(self.feed_watchdog().await),
            }
        }
    }

    async fn refuse(&self, why: &str) {
        self.metrics.config_last_reload_successful.set(0);
        let first = why.lines().next().unwrap_or_default();
        let finding = loops::reload_refused(first);
        tracing::error!("{}; {}", finding.summary, finding.action);
        // A line of the log each, as `check` shows them.
        let mut lines = why.lines().skip(1);
        lines.by_ref().take(LOGGED).for_each(|line| tracing::error!("{line}"));
        if lines.next().is_some() {
            tracing::error!("that is not all: budget-alertd check shows the rest");
        }
        if let Err(error) = self.findings.record(finding).await {
            tracing::warn!(%error, "the refused reload cannot be recorded");
        }
    }

    /// The configuration in force is the one in the file.
    pub(super) async fn clear_refusal(&self, what: &str) {
        if let Err(error) =
            self.findings.clear(FindingCode::ReloadRefused, "", FindingClosure::of(what)).await
        {
            tracing::warn!(%error, "the end of a refused reload cannot be recorded");
        }
    }
}
