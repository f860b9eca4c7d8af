//! The unit of the package: whether this configuration is its own, and starting it.

use std::path::Path;
use std::process::Stdio;

use anyhow::Context as _;

use crate::cli::text;
use crate::config::SYSTEM_FILE;

/// The unit.
pub(super) const UNIT: &str = "budget-alertd";
/// Where systemd says that it runs this machine.
const SYSTEMD: &str = "/run/systemd/system";

/// What there is of the unit.
pub(super) enum Service {
    /// It can be started; whether it runs already.
    Startable { runs: bool },
    /// It cannot, and what a person does instead.
    Not(String),
}

/// Looks for the unit that runs the configuration at `path`.
pub(super) async fn find(path: &Path) -> Service {
    let shown = path.display();
    let by_itself = format!("`budget-alertd --config {shown} run` is the daemon");
    if !rustix::process::geteuid().is_root() {
        return Service::Not(format!(
            "not started: {by_itself}; as root, `budget-alertd init` sets up the service of the \
             package"
        ));
    }
    if !std::path::absolute(path).is_ok_and(|path| path == Path::new(SYSTEM_FILE)) {
        return Service::Not(format!(
            "not started: {by_itself}; the service of the package reads {SYSTEM_FILE}"
        ));
    }
    let is_there = Path::new(SYSTEMD).exists() && systemctl(&["cat", UNIT]).await.is_ok();
    if !is_there {
        return Service::Not(format!(
            "not started: there is no {UNIT}.service of systemd here; {by_itself}"
        ));
    }
    Service::Startable { runs: systemctl(&["is-active", UNIT]).await.is_ok() }
}

/// Starts the unit, now and at every boot; one that runs is started again, since a reload cannot
/// take over everything. Waits until it is ready.
pub(super) async fn start() -> anyhow::Result<()> {
    systemctl(&["enable", UNIT]).await?;
    text::while_waiting("starting", systemctl(&["restart", UNIT])).await
}

async fn systemctl(arguments: &[&str]) -> anyhow::Result<()> {
    let output = tokio::process::Command::new("systemctl")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .await
        .context("cannot run systemctl")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().next().unwrap_or_default();
    let command = arguments.join(" ");
    anyhow::ensure!(output.status.success(), "`systemctl {command}` has failed: {said}");
    Ok(())
}
