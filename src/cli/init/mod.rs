//! `init`: asks a few questions and writes a first configuration that `check` accepts; then a
//! person may sign in, and send a test message.

mod answers;
mod ask;
mod file;
mod page;

use std::path::{Path, PathBuf};

use clap::Args;

use answers::{Answers, Given, Keeping};
use ask::Questions;

use crate::cli::exit::{Outcome, WrongUsage};
use crate::cli::output::{self, Tone, tick};
use crate::cli::{DEFAULT_CONFIGS, login, notify_test, open};
use crate::config::{self, Environment, SecretsFor};
use crate::fs::Rights;
use crate::secret::SecretEnvironment as _;

/// Where the unit keeps its state.
const STATE_OF_THE_UNIT: &str = "/var/lib/budget-alertd";

#[derive(Debug, Args)]
pub(super) struct Init {
    /// Replace a configuration that exists
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    given: Given,
    /// Where the ledger and the sign-in are kept
    /// [default: /var/lib/budget-alertd for root, else `state` beside the file]
    #[arg(long, value_name = "FOLDER")]
    state_dir: Option<PathBuf>,
    /// Sign in without asking
    #[arg(long)]
    login: bool,
    /// Send a test message without asking
    #[arg(long)]
    test: bool,
}

impl Init {
    /// `path`: the file that was named, if one was.
    pub(super) async fn run(&self, path: Option<&Path>) -> anyhow::Result<Outcome> {
        let as_root = rustix::process::geteuid().is_root();
        let path = path.map_or_else(|| default_file(as_root), Path::to_owned);
        if path.exists() && !self.force {
            let next = format!("to sign in, run `budget-alertd --config {} login`", path.display());
            return Err(WrongUsage(format!(
                "{} is there already; {next}; --force replaces it",
                path.display()
            ))
            .into());
        }
        let questions = Questions::of_stdin();
        output::aside(&format!(
            "This writes {}. Enter takes what stands in brackets.\n\n",
            path.display()
        ));
        let answers = Answers::ask(&questions, &self.given, as_root)?;
        let state_dir =
            self.state_dir.clone().map_or_else(|| default_state_dir(&path, as_root), Ok)?;
        write(&answers, &path, &state_dir, self.force)?;
        let mut outcome = Outcome::Done;
        if self.login || questions.agreed("Sign in to Partner Center now")? {
            outcome = worse(outcome, Box::pin(login::sign_in(&path, false)).await?);
        }
        if self.test || questions.agreed("Send a test message now")? {
            for name in answers.notifiers() {
                outcome = worse(outcome, notify_test::NotifyTest::of(name).run(&path).await?);
            }
        }
        output::aside(&format!("\nNext: budget-alertd --config {} check --live\n", path.display()));
        Ok(outcome)
    }
}

/// Writes the secrets and the configuration, once it is known to be right.
fn write(answers: &Answers, path: &Path, state_dir: &Path, force: bool) -> anyhow::Result<()> {
    let environment = Environment::of_process();
    config::parse(&page::page(answers, state_dir, Keeping::Inline), path, &environment)?;
    let cannot = |path: &Path, error: std::io::Error| {
        anyhow::anyhow!("cannot write {}: {error}", path.display())
    };
    let credentials = environment
        .credentials()
        .unwrap_or_else(|| PathBuf::from(crate::secret::CREDENTIALS_FALLBACK));
    if answers.keeping == Keeping::Credentials {
        let files: Vec<_> = answers
            .secrets()
            .into_iter()
            .map(|(name, secret)| (name, secret, credentials.join(name)))
            .collect();
        if let Some((.., file)) = files.iter().find(|(.., file)| file.exists() && !force) {
            return Err(there_already(file).into());
        }
        for (_, secret, file) in files {
            file::write(&file, secret.expose(), Rights::Daemon, 0o700)
                .map_err(|error| cannot(&file, error))?;
        }
    }
    // The unit's own user reads it, so it belongs to its owner alone only where secrets stand in
    // it.
    let rights = if answers.keeping == Keeping::Inline && !answers.secrets().is_empty() {
        Rights::Mode(0o600)
    } else {
        Rights::Mode(0o644)
    };
    file::write(path, &page::page(answers, state_dir, answers.keeping), rights, 0o755)
        .map_err(|error| cannot(path, error))?;
    open::look(path, SecretsFor::Everything)?;
    output::page(&format!("{}\n", tick(Tone::Good, "written", &path.display().to_string())))?;
    if answers.keeping == Keeping::Credentials {
        let said = format!("{}, which the daemon reads itself", credentials.display());
        output::page(&format!("{}\n", tick(Tone::Good, "secrets", &said)))?;
    }
    Ok(())
}

fn there_already(path: &Path) -> WrongUsage {
    WrongUsage(format!("{} is there already; --force replaces it", path.display()))
}

fn default_file(as_root: bool) -> PathBuf {
    let [of_the_unit, here] = DEFAULT_CONFIGS;
    if as_root { of_the_unit.into() } else { here.into() }
}

fn default_state_dir(path: &Path, as_root: bool) -> anyhow::Result<PathBuf> {
    if as_root && path.starts_with("/etc") {
        return Ok(STATE_OF_THE_UNIT.into());
    }
    let path = std::path::absolute(path)?;
    Ok(path.parent().unwrap_or(Path::new("/")).join("state"))
}

fn worse(one: Outcome, other: Outcome) -> Outcome {
    if one == Outcome::Failed { one } else { other }
}
