//! `reload`: asks the daemon to reload its configuration, and ends with the daemon's verdict. What
//! the file says is the daemon's to judge: it alone has the secrets.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

use crate::actions::{ReloadRequest, Reloaded};
use crate::cli::control;
use crate::cli::exit::{Outcome, WrongUsage};
use crate::cli::{output, text};
use crate::config::{self, Environment};

/// How long a daemon that says who it is may take: it may be starting, or its file be very large.
const PATIENCE: Duration = Duration::from_secs(90);

#[derive(Debug, Args)]
pub(super) struct Reload {
    /// The daemon's process id ($MAINPID in the unit); any daemon of this configuration by default
    pid: Option<u32>,
}

impl Reload {
    pub(super) async fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let environment = Environment::of_process();
        let paths = config::load_paths(path, &environment);
        let daemon = control::find_daemon(path, paths.as_ref(), self.pid)
            .await
            .context("nothing was reloaded")?;
        let asked = tokio::time::timeout(PATIENCE, daemon.ask(&ReloadRequest {}));
        let answered = text::while_waiting("the daemon reloads", asked).await;
        let Ok(answer) = answered else {
            anyhow::bail!(
                "the daemon has not reloaded within {} s; its log says more",
                PATIENCE.as_secs()
            );
        };
        match answer? {
            Reloaded { refused: None } => {
                output::page(&format!("{} is in force.\n", path.display()))?;
                Ok(Outcome::Done)
            }
            Reloaded { refused: Some(why) } => Err(WrongUsage(format!(
                "the configuration was refused, the one before stays in force:\n{why}"
            ))
            .into()),
        }
    }
}
