//! Commands that only read, for people who may ask the daemon and may not open its ledger: the
//! daemon runs the same command in a process of its own, under its own rights, and passes on what
//! it prints.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser as _;
use rustix::fs::{Access, access};
use rustix::io::Errno;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::Semaphore;

use crate::actions::{ActionError, ReadAnswer, ReadRequest, RunRead};
use crate::cli::evidence::EvidenceOf;
use crate::cli::{Arguments, Command, control};
use crate::config::{self, Environment, Paths};

/// How many run at a time; others wait. They share the memory that the daemon may use.
const AT_ONCE: usize = 2;
/// The most that one may print, in bytes.
const MOST: u64 = 8 << 20;
/// How long one may take, in real time: it bounds another process.
const PATIENCE: Duration = Duration::from_mins(2);

impl Command {
    /// Whether it reads the ledger and changes nothing anywhere.
    fn only_reads(&self) -> bool {
        match self {
            Self::Status(_) | Self::Explain(_) | Self::Coverage(_) | Self::Alerts(_) => true,
            Self::Report(report) => !report.sends(),
            Self::Silence(silence) => silence.only_lists(),
            Self::Security(security) => security.only_lists(),
            Self::Deliveries(deliveries) => deliveries.only_lists(),
            Self::Evidence(evidence) => evidence.only_prints(),
            Self::Run
            | Self::Poll(_)
            | Self::Check(_)
            | Self::Test(_)
            | Self::Simulate(_)
            | Self::Calibrate(_)
            | Self::Ack(_)
            | Self::Budgets(_)
            | Self::Demo(_)
            | Self::Ledger(_)
            | Self::NotifyTest(_)
            | Self::Schema(_)
            | Self::Generate(_)
            | Self::Init(_)
            | Self::Login(_)
            | Self::Reload(_) => false,
        }
    }
}

impl Command {
    /// What writes a folder of what is read.
    fn evidence(&self) -> Option<&EvidenceOf> {
        if let Self::Evidence(evidence) = self { Some(evidence) } else { None }
    }
}

/// Lets the daemon run a command that only reads, where this user may not open the ledger or the
/// configuration; its exit code. `None` where the command runs here.
pub(super) async fn read(arguments: &Arguments, path: &Path) -> Option<anyhow::Result<u8>> {
    // Root may read everything; what a shell hands over (`--config /dev/stdin`) is read once.
    let once = path.metadata().is_ok_and(|data| !data.is_file());
    let evidence = arguments.command.evidence();
    let is_for_daemon = arguments.command.only_reads() || evidence.is_some();
    if !is_for_daemon || rustix::process::geteuid().is_root() || once {
        return None;
    }
    let paths = config::load_paths(path, &Environment::of_process());
    let ledger = paths.as_ref().map(|paths| paths.ledger.path.as_path());
    let closed = std::iter::once(path).chain(ledger).find(|path| is_closed(path))?;
    let mut own = own_arguments()?;
    // What is printed is written by this user.
    own.extend(evidence.map(|_| "--print".to_owned()));
    let request = ReadRequest { arguments: own };
    Some(
        ask(path, paths.as_ref(), &request, evidence)
            .await
            .with_context(|| format!("this user may not read {}", closed.display())),
    )
}

async fn ask(
    path: &Path,
    paths: Option<&Paths>,
    request: &ReadRequest,
    evidence: Option<&EvidenceOf>,
) -> anyhow::Result<u8> {
    let daemon = control::find_daemon(path, paths, None).await?;
    let ReadAnswer { code, out, err } = daemon.ask(request).await?;
    std::io::stderr().write_all(err.as_bytes())?;
    match evidence.filter(|_| code == 0) {
        Some(evidence) => evidence.write_printed(&out, &daemon).await?,
        None => std::io::stdout().write_all(out.as_bytes())?,
    }
    Ok(code)
}

/// Whether this user may not read what is at a path, or not even look for it.
fn is_closed(path: &Path) -> bool {
    access(path, Access::READ_OK) == Err(Errno::ACCESS)
}

/// The arguments of this process without the options of every command.
fn own_arguments() -> Option<Vec<String>> {
    let all: Result<Vec<String>, OsString> =
        std::env::args_os().skip(1).map(OsString::into_string).collect();
    let mut kept = Vec::new();
    let mut all = all.ok()?.into_iter();
    while let Some(argument) = all.next() {
        match argument.as_str() {
            "--config" | "--log" | "--log-format" => drop(all.next()),
            own if ["--config=", "--log=", "--log-format="]
                .iter()
                .any(|global| own.starts_with(global)) => {}
            _ => kept.push(argument),
        }
    }
    Some(kept)
}

/// What runs such commands in the daemon of the configuration at `config`.
pub(super) fn server(config: &Path) -> Option<RunRead> {
    let (program, config) = (std::env::current_exe().ok()?, std::path::absolute(config).ok()?);
    let places = Arc::new(Semaphore::new(AT_ONCE));
    Some(Arc::new(move |request| {
        let (program, config, places) = (program.clone(), config.clone(), Arc::clone(&places));
        Box::pin(async move {
            let _place = places.acquire().await;
            run(&program, &config, request).await
        })
    }))
}

async fn run(
    program: &PathBuf,
    config: &Path,
    request: ReadRequest,
) -> Result<ReadAnswer, ActionError> {
    let named = std::iter::once("budget-alertd".to_owned()).chain(request.arguments.clone());
    let parsed = Arguments::try_parse_from(named)
        .map_err(|error| ActionError::Invalid(error.to_string()))?;
    if parsed.config.is_some() || parsed.log.is_some() || !parsed.command.only_reads() {
        return Err(ActionError::Forbidden(
            "only commands that read may be run by the daemon".to_owned(),
        ));
    }
    let failed = |error: std::io::Error| {
        ActionError::Unavailable(format!("the daemon cannot run the command: {error}"))
    };
    let mut child = tokio::process::Command::new(program)
        .arg("--config")
        .arg(config)
        .args(request.arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let everything = async {
        let (out, err) = tokio::try_join!(text_of(out), text_of(err))?;
        // One that has more to say finds that nobody reads.
        let status = child.wait().await?;
        Ok::<_, std::io::Error>((status, out, err))
    };
    let (status, out, err) = tokio::time::timeout(PATIENCE, everything)
        .await
        .map_err(|_| ActionError::Unavailable("the command takes too long".to_owned()))?
        .map_err(failed)?;
    let (Some(out), Some(err)) = (out, err) else {
        // A part of a listing would be taken for all of it.
        return Err(ActionError::Unavailable(format!(
            "the command prints more than the {} MiB that the daemon passes on: choose less of it, \
                such as by --since or --customer, or ask as root",
            MOST >> 20
        )));
    };
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ReadAnswer { code, out, err })
}

/// All that comes; `None` where that is too much.
async fn text_of(stream: Option<impl AsyncRead + Unpin>) -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        stream.take(MOST + 1).read_to_end(&mut bytes).await?;
    }
    let is_all = u64::try_from(bytes.len()).is_ok_and(|length| length <= MOST);
    Ok(is_all.then(|| String::from_utf8_lossy(&bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_part_of_a_listing_is_never_taken_for_all_of_it() {
        let most = usize::try_from(MOST).unwrap();
        let (whole, more) = (vec![b'x'; most], vec![b'x'; most + 1]);
        assert_eq!(text_of(Some(whole.as_slice())).await.unwrap().unwrap().len(), most);
        assert_eq!(text_of(Some(more.as_slice())).await.unwrap(), None);
    }
}
