//! `reload PID`: validates the file, then asks the daemon to reload it. A file that does not load
//! changes nothing.

use std::path::Path;

use clap::Args;

use crate::cli::exit::{Outcome, WrongUsage};
use crate::cli::{open, output};
use crate::fs;

#[derive(Debug, Args)]
pub(super) struct Reload {
    /// The daemon's process id ($MAINPID in the unit)
    pid: u32,
}

impl Reload {
    pub(super) fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        match open::load(path) {
            // systemd shows credentials to the daemon, but, at least in version 252, to nothing
            // that ExecReload= runs. The daemon reads them itself, and refuses those that are no
            // good.
            Err(mistakes) if mistakes.only_sealed() => {}
            loaded => drop(loaded?),
        }
        let wrong = || WrongUsage(format!("{} is no process id of the daemon", self.pid));
        let pid = i32::try_from(self.pid)
            .ok()
            .and_then(rustix::process::Pid::from_raw)
            .ok_or_else(wrong)?;
        // Many programs die of this signal.
        if let (Some(own), Some(other)) = (program("self"), program(&self.pid.to_string()))
            && own != other
        {
            return Err(wrong().into());
        }
        rustix::process::kill_process(pid, rustix::process::Signal::HUP)
            .map_err(|error| anyhow::anyhow!("cannot signal process {}: {error}", self.pid))?;
        output::page(&format!("{} is good; the daemon was asked to reload it.\n", path.display()))?;
        Ok(Outcome::Done)
    }
}

/// The name of the program that a process runs, where it can be seen.
fn program(pid: &str) -> Option<String> {
    fs::read_text(Path::new(&format!("/proc/{pid}/comm")), 1 << 10).ok()
}
