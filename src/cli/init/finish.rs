//! What follows once the file is written: signing in, a test message, the service. A step that
//! fails keeps none of the others from being tried; it may be tried again.

use std::path::Path;

use clap::Args;

use crate::cli::exit::Outcome;
use crate::cli::init::ask::Questions;
use crate::cli::init::service::{self, Service, UNIT};
use crate::cli::output::{Tone, ticked};
use crate::cli::{login, notify_test};
use crate::config::{self, Environment, SYSTEM_FILE};
use crate::source;

/// Steps that are taken without a question.
#[derive(Debug, Args)]
pub(super) struct Unasked {
    /// Sign in without asking
    #[arg(long)]
    login: bool,
    /// Send a test message without asking
    #[arg(long)]
    test: bool,
    /// Start the service of the package without asking, now and at every boot
    #[arg(long)]
    start: bool,
}

/// The steps.
pub(super) struct Finish<'a> {
    pub(super) questions: &'a Questions,
    pub(super) path: &'a Path,
    /// The notifiers that were asked about.
    pub(super) notifiers: &'a [String],
    /// Whether the source is one that a person signs in to.
    pub(super) signs_in: bool,
    pub(super) unasked: &'a Unasked,
}

/// How a step ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Done,
    /// Nobody wanted it now.
    Open,
    Failed,
}

impl Finish<'_> {
    /// Takes the steps; returns how they ended together, and the one next command.
    pub(super) async fn run(&self) -> anyhow::Result<(Outcome, String)> {
        let signed_in = self.sign_in().await?;
        let tested = self.test().await?;
        let (started, start) = self.start().await?;
        let failed = [signed_in, tested, started].contains(&Step::Failed);
        let next = match (signed_in, tested, started) {
            (Step::Open | Step::Failed, ..) => self.command("login"),
            (_, Step::Failed, _) => self.command("check --live"),
            (_, _, Step::Done) => self.command("status"),
            (_, _, Step::Failed) => format!("journalctl --unit {UNIT}"),
            (_, _, Step::Open) => start.unwrap_or_else(|| self.command("check --live")),
        };
        Ok((if failed { Outcome::Failed } else { Outcome::Done }, next))
    }

    /// A command for this configuration.
    fn command(&self, command: &str) -> String {
        if self.path == Path::new(SYSTEM_FILE) {
            return format!("budget-alertd {command}");
        }
        format!("budget-alertd --config {} {command}", self.path.display())
    }

    async fn sign_in(&self) -> anyhow::Result<Step> {
        if !self.signs_in {
            return Ok(Step::Done);
        }
        let is_there = matches!(
            config::load_for_sign_in(self.path, &Environment::of_process()),
            Ok(source::Config::PartnerCenter(partner_center)) if partner_center.has_sign_in()
        );
        let again = if is_there { "again" } else { "now" };
        let text = &format!("Sign in to Partner Center {again}");
        if !self.unasked.login && !self.questions.agreed(text, !is_there)? {
            if is_there {
                return Ok(Step::Done);
            }
            ticked(Tone::Uneasy, "sign-in", &format!("not yet: {}", self.command("login")))?;
            return Ok(Step::Open);
        }
        let mut browser = false;
        loop {
            match Box::pin(login::sign_in(self.path, browser)).await {
                Ok(Outcome::Done) => return Ok(Step::Done),
                Ok(Outcome::Failed) => {}
                Err(error) => ticked(Tone::Bad, "sign-in", &format!("{error:#}"))?,
            }
            if !self.questions.may_ask_again() {
                return Ok(Step::Failed);
            }
            let text = "Sign in again: by a code, in a browser on this machine, or go on without";
            match self.questions.pick(text, &["code", "browser", "without"], "without")? {
                "without" => return Ok(Step::Failed),
                how => browser = how == "browser",
            }
        }
    }

    async fn test(&self) -> anyhow::Result<Step> {
        if !self.unasked.test && !self.questions.agreed("Send a test message now", true)? {
            return Ok(Step::Open);
        }
        let mut failed = Vec::new();
        for name in self.notifiers {
            while !self.accepts(name).await? {
                if !self.questions.may_ask_again() || !self.questions.agreed("Try again", false)? {
                    failed.push(name.as_str());
                    break;
                }
            }
        }
        if failed.is_empty() {
            ticked(Tone::Good, "test", &format!("accepted by {}", self.notifiers.join(", ")))?;
            return Ok(Step::Done);
        }
        let said =
            format!("not accepted by {}; `init` again changes its answers", failed.join(", "));
        ticked(Tone::Bad, "test", &said)?;
        Ok(Step::Failed)
    }

    /// Whether a notifier takes a test message.
    async fn accepts(&self, name: &str) -> anyhow::Result<bool> {
        match notify_test::NotifyTest::of(name).run(self.path).await {
            Ok(outcome) => Ok(outcome == Outcome::Done),
            Err(error) => {
                ticked(Tone::Bad, "test", &format!("{name}: {error:#}"))?;
                Ok(false)
            }
        }
    }

    /// Starts the service; where that is left open, the command that starts it comes along.
    async fn start(&self) -> anyhow::Result<(Step, Option<String>)> {
        let runs = match service::find(self.path).await {
            Service::Startable { runs } => runs,
            Service::Not(why) => {
                let wanted = self.unasked.start;
                ticked(if wanted { Tone::Bad } else { Tone::Uneasy }, "service", &why)?;
                return Ok((if wanted { Step::Failed } else { Step::Open }, None));
            }
        };
        let (text, command) = if runs {
            ("Restart the service with this configuration", format!("systemctl restart {UNIT}"))
        } else {
            ("Start the service, now and at every boot", format!("systemctl enable --now {UNIT}"))
        };
        if !self.unasked.start && !self.questions.agreed(text, true)? {
            ticked(Tone::Uneasy, "service", &format!("not started with this file: {command}"))?;
            return Ok((Step::Open, Some(command)));
        }
        match service::start().await {
            Ok(()) => {
                ticked(Tone::Good, "service", "running, now and from every boot on")?;
                Ok((Step::Done, None))
            }
            Err(error) => {
                ticked(Tone::Bad, "service", &format!("{error:#}"))?;
                Ok((Step::Failed, None))
            }
        }
    }
}
