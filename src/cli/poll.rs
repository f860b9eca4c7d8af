//! `poll`: one cycle, then deliveries until none is owed or the wait is over; says what happened.
//! Beside a running daemon, the daemon does it.

use std::path::Path;
use std::time::Duration;

use clap::Args;

use crate::actions::{DeliveriesAnswer, PollAnswer, PollRequest, SecurityReadState, SourceState};
use crate::cli::control::{self, Daemon, Found};
use crate::cli::exit::Outcome;
use crate::cli::open::{self, CommandContext, OpenLedger};
use crate::cli::output::{self, Tone};
use crate::cli::raised::{PolledLedger, Raised};
use crate::cli::{Format, text};
use crate::clock::SystemClock;
use crate::config::{Config, SecretsFor, parse_duration};
use crate::daemon::{Assembly, Drained, assemble, drain, look_at_disk, tell_unrecorded};
use crate::delivery::{Mirror, Stopped};
use crate::ledger::{LedgerError, Owed, Reader};
use crate::poll::{Namesakes, Suppressed};
use crate::text::clean;

#[derive(Debug, Args)]
pub(super) struct Poll {
    /// Send and record nothing; say what would be raised
    #[arg(long)]
    dry_run: bool,
    /// How long to wait for deliveries
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = parse_wait)]
    wait: Duration,
    /// Take an answer without any item for the truth
    #[arg(long)]
    accept_empty: bool,
    /// How to print what happened
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Poll {
    pub(super) async fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        if self.dry_run {
            return self.preview(open::look(path, SecretsFor::Source)?).await;
        }
        let context = CommandContext::look_for(path, SecretsFor::Everything)?;
        let ledger = context.paths.ledger.clone();
        let asked;
        let mut answer = {
            let found = control::find(&context.paths).await;
            asked = found.daemon.is_some();
            if let Some(daemon) = &found.daemon {
                context.warn();
                daemon.must_lead()?;
                self.ask(daemon).await?
            } else {
                Box::pin(self.poll_here(context.whole()?, &found)).await?
            }
        };
        if answer.deliveries.pending > 0 {
            // Somebody who may ask the daemon need not be able to open its ledger.
            answer.held = match Reader::open(&ledger) {
                Ok(reader) => reader.owed()?.iter().map(|owed| owed.held).sum(),
                Err(_) if asked => 0,
                Err(error) => return Err(error.into()),
            };
        }
        // What was left out of the answer is read from there; else it only tells names apart.
        let reader = if answer.rows.is_some() {
            Some(Reader::open(&ledger)?)
        } else {
            Reader::open(&ledger).ok()
        };
        self.print(&answer, None, &PolledLedger::Place(reader)).await?;
        Ok(outcome(&answer))
    }

    /// Lets the daemon poll.
    async fn ask(&self, daemon: &Daemon) -> anyhow::Result<PollAnswer> {
        let order =
            PollRequest { accept_empty: self.accept_empty, wait_seconds: self.wait.as_secs() };
        text::while_waiting("the daemon polls", daemon.ask(&order)).await
    }

    /// Polls on a copy of the ledger; says who would be told, too.
    async fn preview(&self, config: Config) -> anyhow::Result<Outcome> {
        let opened = OpenLedger::preview(config)?;
        let Assembly { cycle, .. } =
            assemble(&opened.config, &opened.ledger, &opened.clock, &opened.metrics)?;
        let before = opened.ledger.read(Reader::owed).await?;
        let report = text::while_waiting("reading usage", cycle.run(self.accept_empty)).await?;
        let security =
            text::while_waiting("reading security alerts", cycle.read_security()).await?;
        let told = newly_owed(&before, &opened.ledger.read(Reader::owed).await?);
        let answer =
            PollAnswer::of(&report, DeliveriesAnswer::default()).with_security(security.as_ref());
        self.print(
            &answer,
            Some(&told),
            &PolledLedger::Copy(
                Box::new(opened.ledger.clone()),
                Reader::open(&opened.config.ledger).ok(),
            ),
        )
        .await?;
        opened.ledger.close().await?;
        Ok(outcome(&answer))
    }

    /// Polls in this process. Where nothing can be recorded, the ledger cannot owe it to the
    /// operator: they are told at once.
    async fn poll_here(&self, config: Config, found: &Found) -> anyhow::Result<PollAnswer> {
        let polled = match found.explain(OpenLedger::open_to_lead(config.clone())) {
            Ok(opened) => Box::pin(self.poll(opened)).await,
            Err(error) => Err(error),
        };
        let unrecorded =
            polled.as_ref().err().and_then(|error| error.downcast_ref::<LedgerError>());
        let unrecorded =
            unrecorded.filter(|error| !error.is_of_another_process() && !found.is_unsure());
        if let Some(error) = unrecorded {
            let clock = SystemClock::shared();
            let told = text::while_waiting(
                "telling the operator",
                tell_unrecorded(&config, Stopped::Poll, error, &clock, self.wait),
            )
            .await;
            // The first error is the one to end with.
            let _accepted = told.inspect_err(|error| {
                tracing::warn!("the operator is not told that nothing can be recorded: {error}");
            });
        }
        polled
    }

    /// Polls in this process, and delivers what is owed.
    async fn poll(&self, opened: OpenLedger) -> anyhow::Result<PollAnswer> {
        let Assembly { cycle, workers, mirrors, findings, heartbeat, .. } =
            assemble(&opened.config, &opened.ledger, &opened.clock, &opened.metrics)?;
        let report = text::while_waiting("reading usage", cycle.run(self.accept_empty)).await?;
        let orphans = crate::delivery::drop_undeliverable(
            opened.config.owed_notifiers(),
            &findings,
            &opened.metrics,
        )
        .await?;
        look_at_disk(&opened.config.state_dir, &findings).await?;
        let delivering = drain(workers, findings.owed().subscribe(), &opened.clock, self.wait);
        // What usage has raised does not wait for security alerts.
        let all = async { tokio::join!(delivering, show(mirrors), cycle.read_security()) };
        let (delivered, unshown, security) = text::while_waiting("delivering", all).await;
        let (Drained { mut sent, mut dead }, mut unshown) = (delivered?, unshown?);
        let security = security?;
        if security.is_some() {
            let (more, now_unshown) = self.deliver_again(&opened).await?;
            (sent, dead, unshown) = (sent + more.sent, dead + more.dead, now_unshown);
        }
        if let Some(heartbeat) = heartbeat.filter(|_| report.good) {
            heartbeat.beat(&opened.ledger, &*opened.clock).await;
        }
        let pending = opened.ledger.read(Reader::owed).await?.iter().map(|owed| owed.pending).sum();
        opened.ledger.close().await?;
        let mut answer =
            PollAnswer::of(&report, DeliveriesAnswer { sent, pending, dead: orphans + dead })
                .with_security(security.as_ref());
        answer.unshown = !unshown.is_empty();
        answer.errors.extend(unshown);
        Ok(answer)
    }

    /// Delivers what a read of security alerts has added, and shows it; says what went wrong.
    async fn deliver_again(&self, opened: &OpenLedger) -> anyhow::Result<(Drained, Vec<String>)> {
        let Assembly { workers, mirrors, findings, .. } =
            assemble(&opened.config, &opened.ledger, &opened.clock, &opened.metrics)?;
        let delivering = drain(workers, findings.owed().subscribe(), &opened.clock, self.wait);
        let all = async { tokio::join!(delivering, show(mirrors)) };
        let (delivered, unshown) = text::while_waiting("delivering", all).await;
        Ok((delivered?, unshown?))
    }

    async fn print(
        &self,
        answer: &PollAnswer,
        would_tell: Option<&str>,
        ledger: &PolledLedger,
    ) -> anyhow::Result<()> {
        match self.format {
            Format::Json => Raised::by(answer, ledger).print_json(answer).await,
            Format::Csv => Raised::by(answer, ledger).print_csv().await,
            Format::Text => {
                let namesakes = Namesakes::find(text::named_in(&answer.alerts), ledger.reader())?;
                output::page(&self.page(answer, would_tell, &namesakes))
            }
        }
    }

    fn page(&self, answer: &PollAnswer, would_tell: Option<&str>, namesakes: &Namesakes) -> String {
        let source = match answer.source {
            SourceState::Ok => Tone::Good.paint("read whole"),
            SourceState::Failed => Tone::Bad.paint("FAILED"),
        };
        let security = match answer.security {
            SecurityReadState::Ok => {
                format!("; security alerts {}", Tone::Good.paint("read whole"))
            }
            SecurityReadState::Failed => format!("; security alerts {}", Tone::Bad.paint("FAILED")),
            SecurityReadState::Off => String::new(),
        };
        let mut lines = vec![format!(
            "{}, {} skipped; source {source}{security}.",
            text::count(answer.records, "record"),
            answer.skipped
        )];
        lines.extend(
            answer
                .errors
                .iter()
                .cloned()
                .chain(answer.left_out())
                .map(|error| format!("  ! {}", clean(&error, 1000))),
        );
        let raised =
            answer.raised.unwrap_or_else(|| u64::try_from(answer.alerts.len()).unwrap_or(u64::MAX));
        let would = if self.dry_run { "would be raised" } else { "raised" };
        lines.push(format!("{} {would}.", text::count(raised, "new alert")));
        let line = if self.dry_run { text::unraised_line } else { text::alert_line };
        lines.extend(answer.alerts.iter().map(|alert| format!("  {}", line(alert, namesakes))));
        let Suppressed { duplicate, passed, silenced } = answer.suppressed;
        lines.push(format!(
            "Kept silent: {duplicate} alerted before, {passed} passed by a higher \
            step, {silenced} silenced."
        ));
        lines.extend(would_tell.map(str::to_owned));
        lines.push(if self.dry_run {
            "Nothing was recorded and nothing was sent.".to_owned()
        } else {
            let DeliveriesAnswer { sent, pending, dead } = answer.deliveries;
            let held = text::held(answer.held);
            format!("Deliveries: {sent} sent, {pending} still owed{held}, {dead} given up.")
        });
        lines.join("\n") + "\n"
    }
}

fn outcome(answer: &PollAnswer) -> Outcome {
    if answer.is_good() { Outcome::Done } else { Outcome::Failed }
}

/// Who would be told: what each notifier owes that it did not owe before.
fn newly_owed(before: &[Owed], after: &[Owed]) -> String {
    let had = |name: &str| {
        before.iter().find(|owed| owed.notifier == name).map_or(0, |owed| owed.pending)
    };
    let new = after
        .iter()
        .map(|owed| (&owed.notifier, owed.pending.saturating_sub(had(&owed.notifier))))
        .filter(|(_, new)| *new > 0);
    let told: Vec<String> = new
        .map(|(name, new)| format!("{} by {}", text::count(new, "message"), text::clean(name)))
        .collect();
    if told.is_empty() {
        "Nobody would be told anything.".to_owned()
    } else {
        format!("Would be sent: {}.", told.join(", "))
    }
}

/// Shows what is open to the notifiers that are shown it; returns what went wrong.
async fn show(mirrors: Vec<Mirror>) -> anyhow::Result<Vec<String>> {
    let mut failures = Vec::new();
    for mut mirror in mirrors {
        mirror.show(&|| false).await?;
        failures.extend(mirror.failure().map(|why| {
            format!("notifier \"{}\" cannot be shown what is open: {why}", mirror.name())
        }));
    }
    Ok(failures)
}

/// A duration, or none at all: with `0s` each notifier is tried once and nothing is waited for.
fn parse_wait(text: &str) -> Result<Duration, String> {
    if matches!(text, "0" | "0s") { Ok(Duration::ZERO) } else { parse_duration(text) }
}
