//! Writes what was answered: the secrets, a copy of the file before, the file. Nothing is written
//! that `check` would refuse.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::tz::TimeZone;

use crate::cli::exit::WrongUsage;
use crate::cli::init::ask::Questions;
use crate::cli::init::draft::{Draft, NewSecret};
use crate::cli::init::options::Keeping;
use crate::cli::output::{Tone, ticked};
use crate::cli::{open, readable};
use crate::clock::SystemClock;
use crate::config::{self, Config, Environment, SecretsFor};
use crate::fs::{self, Rights, User};
use crate::secret::{CREDENTIALS_FALLBACK, SecretEnvironment as _};

/// How many copies of one second are told apart.
const MOST_COPIES: u32 = 100;
/// The most bytes that the file of a secret has.
const MOST: u64 = 64 << 10;

/// Where it is written to.
pub(super) struct Target<'a> {
    pub(super) path: &'a Path,
    /// The text of the file that is there.
    pub(super) former: Option<&'a str>,
    /// Whether secrets are replaced without a question.
    pub(super) force: bool,
}

/// Writes the secrets and the configuration, once it is known to be right.
pub(super) fn write(
    draft: &Draft,
    keeping: Keeping,
    target: &Target<'_>,
    questions: &Questions,
) -> anyhow::Result<()> {
    let environment = Environment::of_process().with_secrets_for(SecretsFor::Nothing);
    let config = config::parse(&draft.page(Keeping::Inline), target.path, &environment)?;
    let folder = credentials_folder();
    let mut kept = Vec::new();
    for secret in draft.credentials(keeping) {
        write_secret(secret, &folder, target.force, questions)?;
        kept.push(secret.credential.as_str());
    }
    write_page(draft, keeping, target, &config)?;
    if !kept.is_empty() {
        let said =
            format!("{} in {}, which the daemon reads itself", kept.join(", "), folder.display());
        ticked(Tone::Good, "secrets", &said)?;
    }
    match open::look(target.path, SecretsFor::Everything) {
        Ok(config) => readable::warnings(&config)
            .iter()
            .try_for_each(|warning| ticked(Tone::Uneasy, "rights", warning)),
        Err(_) => {
            ticked(Tone::Uneasy, "secrets", "one is missing here: `budget-alertd check` names it")
        }
    }
}

/// The folder of credentials.
fn credentials_folder() -> PathBuf {
    let of_process = Environment::of_process().credentials();
    of_process.unwrap_or_else(|| PathBuf::from(CREDENTIALS_FALLBACK))
}

/// What keeps credentials from being written.
pub(super) fn credentials_usable() -> Result<(), String> {
    let folder = credentials_folder();
    fs::check_makeable(&folder.join("credential")).map_err(|error| {
        format!("{} cannot be written: {error}; run this as root, or say inline", folder.display())
    })
}

/// Writes one secret for the daemon alone. Another one of its name that the file does not name is
/// replaced only when somebody says so.
fn write_secret(
    secret: &NewSecret,
    folder: &Path,
    force: bool,
    questions: &Questions,
) -> anyhow::Result<()> {
    let file = folder.join(&secret.credential);
    let value = secret.value.expose();
    let is_other = file.exists() && fs::read(&file, MOST).ok().as_deref() != Some(value.as_bytes());
    if is_other && !secret.rotates && !force {
        let there = format!("{} is there already", file.display());
        if !questions.may_ask_again() {
            return Err(WrongUsage(format!("{there}; --force replaces it")).into());
        }
        if !questions.agreed(&format!("{there}, with another secret. Replace it"), true)? {
            return Ok(());
        }
    }
    put(&file, value, Rights::DaemonReads, 0o700)
}

/// Writes the file, and a copy of the one before.
fn write_page(
    draft: &Draft,
    keeping: Keeping,
    target: &Target<'_>,
    config: &Config,
) -> anyhow::Result<()> {
    let (path, page) = (target.path, draft.page(keeping));
    if target.former == Some(&page) {
        return ticked(Tone::Good, "unchanged", &path.display().to_string());
    }
    let copy = target.former.map(|_| copy(path)).transpose()?;
    // Without secrets it is for all to read: the unit's own user, and whoever runs a command.
    let rights = match (draft.is_secret(keeping), draft.is_new) {
        (false, true) => Rights::Mode(0o644),
        (false, false) => Rights::AsBefore(0o644),
        (true, _) => for_the_reader(path, config),
    };
    put(path, &page, rights, 0o755)?;
    ticked(Tone::Good, "written", &path.display().to_string())?;
    match copy {
        Some(copy) => ticked(Tone::Good, "before", &format!("kept as {}", copy.display())),
        None => Ok(()),
    }
}

/// The rights of a file with secrets in it: root writes it for whoever has read it so far, or for
/// the daemon's user.
fn for_the_reader(path: &Path, config: &Config) -> Rights {
    let is_root = rustix::process::geteuid().is_root();
    let before = User::owner_of(path).filter(|owner| owner.uid != 0);
    let reader = before.or_else(|| User::owner_of(&config.state_dir)).filter(|_| is_root);
    reader.map_or(Rights::Mode(0o600), Rights::User)
}

/// Keeps the file at `path` as it is, under a name with the time, for its owner alone.
fn copy(path: &Path) -> anyhow::Result<PathBuf> {
    let shown = path.display();
    let bytes = fs::read(path, config::MOST).with_context(|| format!("cannot read {shown}"))?;
    let now = SystemClock::shared().now().to_zoned(TimeZone::system());
    let name = |number: u32| {
        let mut name = OsString::from(path.file_name().unwrap_or_default());
        name.push(format!(".{}", now.strftime("%Y-%m-%d-%H%M%S")));
        if number > 1 {
            name.push(format!("-{number}"));
        }
        path.with_file_name(name)
    };
    for copy in (1..MOST_COPIES).map(name) {
        match fs::create(&copy, &bytes, Rights::Mode(0o600)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| copy.clone()).map_err(|error| cannot(&copy, &error)),
        }
    }
    anyhow::bail!("there are too many copies of {shown} of this second")
}

/// Puts `text` at `path`; its folder is made where there is none, with `folder_mode`, and for all to
/// enter those above it.
fn put(path: &Path, text: &str, rights: Rights, folder_mode: u32) -> anyhow::Result<()> {
    let folder = |path: &Path, mode| match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => fs::make_folder(folder, mode),
        _ => Ok(()),
    };
    folder(path.parent().unwrap_or(path), 0o755)
        .and_then(|()| folder(path, folder_mode))
        .and_then(|()| fs::replace(path, text.as_bytes(), rights))
        .map_err(|error| cannot(path, &error))
}

fn cannot(path: &Path, error: &io::Error) -> anyhow::Error {
    anyhow::anyhow!("cannot write {}: {error}", path.display())
}
