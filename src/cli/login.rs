//! `login`: a person signs in to Partner Center; what came of it, line by line; the refresh token
//! is kept where the daemon reads it, by the daemon itself where one runs. Nothing is kept that
//! Partner Center refuses.

use std::path::Path;

use clap::Args;

use crate::cli::exit::{Outcome, WrongUsage};
use crate::cli::output::{self, Tone, ticked};
use crate::cli::{control, open, text};
use crate::clock::SystemClock;
use crate::config::{self, Environment, Paths, SecretsFor};
use crate::metrics::Metrics;
use crate::secret::Secret;
use crate::source::{self, BrowserPrompt, DevicePrompt, Grant, SourceError};
use crate::text::clean;

#[derive(Debug, Args)]
pub(super) struct Login {
    /// Sign in by a browser that reaches this machine, in place of a code: many tenants block codes
    #[arg(long)]
    browser: bool,
}

impl Login {
    pub(super) async fn run(&self, path: &Path) -> anyhow::Result<Outcome> {
        let outcome = sign_in(path, self.browser).await?;
        if outcome == Outcome::Done && open::look(path, SecretsFor::Source).is_err() {
            let said =
                format!("{} does not load yet: `budget-alertd check` says why", path.display());
            ticked(Tone::Uneasy, "file", &said)?;
        }
        Ok(outcome)
    }
}

/// Signs a person in to the source of the configuration at `path`, and says how each part came out.
pub(super) async fn sign_in(path: &Path, browser: bool) -> anyhow::Result<Outcome> {
    let config = config::load_for_sign_in(path, &Environment::of_process())?;
    let source = config.build(SystemClock::shared(), Metrics::new())?;
    let (Some(login), source::Config::PartnerCenter(partner_center)) = (source.login(), &config)
    else {
        return Err(WrongUsage("the source is a file, which needs no sign-in".to_owned()).into());
    };
    let paths = config::load_paths(path, &Environment::of_process());
    let keeper = Keeper { paths, source: &source, partner_center };
    keeper.try_out(&login).await?;
    let obtained = if browser {
        login.by_browser(show_address).await
    } else {
        login.by_device_code(show_code).await
    };
    let grant = match obtained {
        Ok(grant) => grant,
        Err(error) => {
            let hint = if browser { "" } else { hint_at_browser(&error) };
            ticked(Tone::Bad, "sign-in", &format!("{}{hint}", clean(&error.in_full(), 1000)))?;
            return nothing_kept();
        }
    };
    let answered = text::while_waiting("asking Partner Center", login.try_usage(&grant)).await;
    tell(&grant, answered.as_ref())?;
    if !is_worth_keeping(&grant, answered.as_ref()) {
        return nothing_kept();
    }
    if let Err(error) = keeper.keep(&grant.into_refresh_token()).await {
        ticked(Tone::Bad, "saved", &format!("{error:#}"))?;
        return Ok(Outcome::Failed);
    }
    Ok(if answered.is_ok() { Outcome::Done } else { Outcome::Failed })
}

/// Who keeps the token: a daemon that runs, else this command.
struct Keeper<'a> {
    /// Where a daemon may be.
    paths: Option<Paths>,
    source: &'a source::Source,
    partner_center: &'a source::PartnerCenterConfig,
}

impl Keeper<'_> {
    /// Whether the token can be kept, to know it before a person signs in for nothing.
    async fn try_out(&self, login: &source::Login<'_>) -> anyhow::Result<()> {
        let found = match &self.paths {
            Some(paths) => Some(control::find(paths).await),
            None => None,
        };
        if found.as_ref().is_some_and(|found| found.daemon.is_some()) {
            return Ok(());
        }
        let possible = login.can_keep().await.map_err(|error| self.cannot(&error));
        match found {
            Some(found) => found.explain(possible),
            None => possible,
        }
    }

    /// Keeps the token, and says where it is and when it is used.
    async fn keep(&self, refresh: &Secret) -> anyhow::Result<()> {
        let file = self.partner_center.sign_in_file();
        if let Some(paths) = &self.paths
            && let Some(kept) = control::keep_sign_in(paths, refresh).await?
        {
            let polls = if kept.polls { ", and polls with it now" } else { "" };
            return ticked(
                Tone::Good,
                "saved",
                &format!("{}; the running daemon uses it{polls}", file.display()),
            );
        }
        self.source.keep_sign_in(refresh.clone()).await.map_err(|error| self.cannot(&error))?;
        let place = file.canonicalize().unwrap_or(file);
        ticked(
            Tone::Good,
            "saved",
            &format!("{}, for its owner only; the daemon finds it there", place.display()),
        )?;
        if self.partner_center.state_dir.is_relative() {
            ticked(Tone::Uneasy, "place", PLACE_DEPENDS)?;
        }
        Ok(())
    }

    fn cannot(&self, error: &std::io::Error) -> anyhow::Error {
        let file = self.partner_center.sign_in_file();
        anyhow::anyhow!(
            "cannot write {}: {error}; run this as root, or as the user of the daemon",
            file.display()
        )
    }
}

/// A sign-in that Partner Center refuses must not replace one that works. One that it could not
/// judge may be good.
fn is_worth_keeping(grant: &Grant, answered: Result<&(), &SourceError>) -> bool {
    match answered {
        Ok(()) => true,
        Err(error) => !error.needs_operator() && grant.multi_factor != Some(false),
    }
}

/// Account, multi-factor authentication and role, a line each.
fn tell(grant: &Grant, answered: Result<&(), &SourceError>) -> anyhow::Result<()> {
    match &grant.account {
        Some(account) => ticked(Tone::Good, "account", &clean(account, 100))?,
        None => ticked(Tone::Uneasy, "account", "the sign-in names none")?,
    }
    let (tone, text) = match (grant.multi_factor, answered.is_ok()) {
        (Some(true), _) => (Tone::Good, "passed"),
        (None, true) => (Tone::Good, "not told by the sign-in, and Partner Center accepts it"),
        (None, false) => (Tone::Uneasy, "not told by the sign-in"),
        (Some(false), accepted) => (
            if accepted { Tone::Uneasy } else { Tone::Bad },
            "the sign-in was made without multi-factor authentication, which Partner Center \
                refuses (401, code 900421), if not yet everywhere. Require it for this account \
                (security defaults, or a Conditional Access policy in the Entra admin center), \
                then run `budget-alertd login` again and complete it",
        ),
    };
    ticked(tone, "MFA", text)?;
    match answered {
        Ok(()) => ticked(Tone::Good, "role", "Partner Center answers with usage records"),
        Err(error) => ticked(Tone::Bad, "role", &clean(&error.in_full(), 1000)),
    }
}

fn nothing_kept() -> anyhow::Result<Outcome> {
    ticked(Tone::Bad, "saved", "nothing; a sign-in made before stays as it is")?;
    Ok(Outcome::Failed)
}

fn hint_at_browser(error: &SourceError) -> &'static str {
    if error.may_pass_by_browser() && !error.in_full().contains("--browser") {
        " Where device codes are blocked, `budget-alertd login --browser` may pass."
    } else {
        ""
    }
}

/// Where the sign-in is kept depends on where the daemon is started.
const PLACE_DEPENDS: &str = "a daemon that is started in another folder, as by systemd, does not \
    find it there: set state_dir in [daemon] to the daemon's own, /var/lib/budget-alertd for the \
    unit, and run this again";

/// As whom to sign in.
const WHO: &str = "Sign in there as the account that this program is to use: with the role Admin \
    agent in Partner Center, and with\nmulti-factor authentication.";

fn show_code(prompt: &DevicePrompt) {
    let DevicePrompt { address, code, .. } = prompt;
    let (address, code) =
        (Tone::Strong.paint(&clean(address, 200)), Tone::Strong.paint(&clean(code, 40)));
    let minutes = prompt.good_for.as_secs() / 60;
    output::aside(&format!(
        "Open {address} in any browser and enter the code {code} within {minutes} min.\n{WHO}\n\n"
    ));
}

fn show_address(prompt: &BrowserPrompt) {
    let BrowserPrompt { address, port, good_for } = prompt;
    let minutes = good_for.as_secs() / 60;
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    output::aside(&format!(
        "Open this address in a browser on this machine within {minutes} \
            min:\n\n{address}\n\n{WHO}\nThe application has to know the redirect address \
            http://localhost (App registrations, Authentication).\nThe browser comes back to port \
            {port} of this machine. If you are here by ssh, run this beside your browser \
            first:\nssh -N -L {port}:127.0.0.1:{port} {}\n\n",
        text::clean(&host)
    ));
}
