//! `init`: asks a few questions and writes a configuration that `check` accepts, new or in place of
//! the one that is there; then a person may sign in, send a test message and start the service.

mod ask;
mod checks;
mod destinations;
mod draft;
mod finish;
mod interview;
mod ladder;
mod mail;
mod options;
mod service;
mod write;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use ask::Questions;
use draft::Draft;
use finish::{Finish, Unasked};
use interview::Interview;
use options::{Given, Keeping};
use write::Target;

use crate::cli::DEFAULT_CONFIGS;
use crate::cli::exit::Outcome;
use crate::cli::output;
use crate::config::{self, Environment, SecretsFor};
use crate::fs;

/// Where the unit keeps its state.
const STATE_OF_THE_UNIT: &str = "/var/lib/budget-alertd";

#[derive(Debug, Args)]
pub(super) struct Init {
    /// Begin anew in place of a configuration that exists, and replace its secrets
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    given: Given,
    /// Where the ledger and the sign-in are kept
    /// [default: /var/lib/budget-alertd for root, else `state` beside the file]
    #[arg(long, value_name = "FOLDER")]
    state_dir: Option<PathBuf>,
    #[command(flatten)]
    unasked: Unasked,
}

/// What the questions came to.
struct Answered {
    draft: Draft,
    keeping: Keeping,
    notifiers: Vec<String>,
    made: Vec<(String, crate::secret::Secret)>,
}

impl Init {
    /// `path`: the file that was named, if one was.
    pub(super) async fn run(&self, path: Option<&Path>) -> anyhow::Result<Outcome> {
        let as_root = rustix::process::geteuid().is_root();
        let path = path.map_or_else(|| default_file(as_root), Path::to_owned);
        fs::check_makeable(&path).with_context(|| {
            let hint = "run this as root, or name another file by --config";
            format!("{} cannot be written: {hint}", path.display())
        })?;
        let former = path.exists().then(|| config::configuration_of(&path)).transpose()?;
        let draft = self.draft(&path, former.as_deref(), as_root)?;
        greet(&path, former.is_some(), draft.is_new);
        let questions = Questions::of_stdin();
        let answered = self.ask(&questions, draft, as_root);
        let Answered { draft, keeping, notifiers, made } =
            answered.inspect_err(|_| show_way_on(&questions, &path))?;
        let target = Target { path: &path, former: former.as_deref(), force: self.force };
        write::write(&draft, keeping, &target, &questions)?;
        for (what, key) in made {
            output::aside(&format!("\n{what} {}\nIt is shown only now.\n\n", key.expose()));
        }
        let finish = Finish {
            questions: &questions,
            path: &path,
            notifiers: &notifiers,
            signs_in: !draft.is_of_a_file(),
            unasked: &self.unasked,
        };
        let (outcome, next) = finish.run().await?;
        output::aside(&format!("\nNext: {next}\n"));
        Ok(outcome)
    }

    /// What the questions begin with: the file that is there, else a new one.
    fn draft(&self, path: &Path, former: Option<&str>, as_root: bool) -> anyhow::Result<Draft> {
        let mut draft = match former {
            Some(text) if !self.force => {
                let environment = Environment::of_process().with_secrets_for(SecretsFor::Nothing);
                config::parse(text, path, &environment).inspect_err(|_| {
                    let hint = "mend it first, or begin anew with --force, which keeps a copy";
                    output::aside(&format!("{} has mistakes: {hint}\n", path.display()));
                })?;
                Draft::of(text)?
            }
            _ => Draft::first(),
        };
        if draft.is_new || self.state_dir.is_some() {
            let folder =
                self.state_dir.clone().map_or_else(|| default_state_dir(path, as_root), Ok)?;
            draft.set(&["daemon", "state_dir"], folder.display().to_string());
        }
        Ok(draft)
    }

    fn ask(&self, questions: &Questions, draft: Draft, as_root: bool) -> anyhow::Result<Answered> {
        let mut interview = Interview { questions, given: &self.given, draft, made: Vec::new() };
        interview.source()?;
        let notifiers = interview.destinations()?;
        interview.steps()?;
        interview.time_zone()?;
        let usual = if as_root { Keeping::Credentials } else { Keeping::Inline };
        let keeping = interview.keeping(usual, write::credentials_usable)?;
        let Interview { draft, made, .. } = interview;
        Ok(Answered { draft, keeping, notifiers, made })
    }
}

/// Says to a person who has stopped how to go on with the answers so far.
fn show_way_on(questions: &Questions, path: &Path) {
    if let Some(options) = questions.options_so_far().filter(|_| questions.terminal) {
        let go_on = format!("budget-alertd --config {} init {options}", path.display());
        output::aside(&format!("\nNothing is written. To go on from here:\n{go_on}\n\n"));
    }
}

/// Says what is about to happen.
fn greet(path: &Path, is_there: bool, is_new: bool) {
    let path = path.display();
    let said = match (is_there, is_new) {
        (false, _) => format!("This writes {path}."),
        (true, true) => format!("This writes {path}; a copy of the one that is there is kept."),
        (true, false) => format!(
            "This changes {path}: what it says is proposed, what is not asked for stays, and a copy \
             is kept."
        ),
    };
    output::aside(&format!("{said} Enter takes what stands in brackets.\n\n"));
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
