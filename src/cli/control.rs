//! Where a command acts: through the daemon of the same ledger if one runs, else by itself on the
//! ledger. Either way the same action is done. What is asked for is the commands'.

use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode};
use futures_util::future::join_all;

use crate::actions::{
    Action, ActionContext, ActionError, Author, SignInKept, SignInRequest, group_name, user_name,
};
use crate::cli::exit::WrongUsage;
use crate::cli::open::{CommandContext, OpenLedger};
use crate::config::Paths;
use crate::daemon::{Assembly, assemble};
use crate::ledger::LedgerError;
use crate::secret::Secret;
use crate::web::control::{
    About, BASE, CallError, OLDER_BASE, Refused, SUDO_UID, call, socket_paths,
};

/// Where the shipped unit's daemon listens.
const UNIT_SOCKET: &str = "/run/budget-alertd/control.sock";
/// How long a daemon may take to say who it is.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// Where the daemon of a configuration listens, the first choice first.
pub(super) fn sockets(state_dir: &Path) -> Vec<PathBuf> {
    socket_paths(std::env::var_os("RUNTIME_DIRECTORY").as_deref(), state_dir)
}

/// Where a command acts.
pub(super) enum Control {
    /// Through a daemon.
    Daemon(Box<Daemon>),
    /// By itself.
    Here(Box<Here>),
}

/// A running daemon of the same ledger.
pub(super) struct Daemon {
    socket: PathBuf,
    /// Where its addresses begin: those of an older one have others.
    base: &'static str,
    /// What it says of itself.
    pub(super) about: About,
}

impl Daemon {
    /// Fails where another host leads, which polls and delivers.
    pub(super) fn must_lead(&self) -> Result<(), LedgerError> {
        let About { leads, leader, .. } = &self.about;
        if *leads { Ok(()) } else { Err(LedgerError::NotLeading { leader: leader.clone() }) }
    }
}

/// What actions work with in this process.
pub(super) struct Here {
    opened: OpenLedger,
    context: ActionContext,
    author: Author,
}

impl Control {
    /// The daemon of this ledger, else the ledger itself, for which the configuration has to load;
    /// exit code 3 when somebody holds it who does not answer.
    pub(super) async fn open(context: CommandContext) -> anyhow::Result<Self> {
        let found = find(&context.paths).await;
        if let Some(daemon) = found.daemon {
            context.warn();
            return Ok(Self::Daemon(Box::new(daemon)));
        }
        let opened = found.explain(OpenLedger::open(context.whole()?))?;
        let Assembly { cycle, .. } =
            assemble(&opened.config, &opened.ledger, &opened.clock, &opened.metrics)?;
        let context = ActionContext::in_process(
            Arc::clone(&cycle),
            opened.config.ledger.clone(),
            opened.config.file.clone(),
        );
        Ok(Self::Here(Box::new(Here { context, author: own_author(), opened })))
    }

    /// Whether a daemon acts.
    pub(super) fn is_daemon(&self) -> bool {
        matches!(self, Self::Daemon(_))
    }

    /// Asks for an action, and closes what was opened for it.
    pub(super) async fn ask<A: Action>(self, action: A) -> anyhow::Result<A::Answer> {
        let answer = self.ask_first(action).await;
        self.close().await?;
        answer
    }

    /// Asks for an action, when there may be more.
    pub(super) async fn ask_first<A: Action>(&self, action: A) -> anyhow::Result<A::Answer> {
        match self {
            Self::Daemon(daemon) => daemon.ask(&action).await,
            Self::Here(here) => here.ask(action).await,
        }
    }

    /// Closes what was opened.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        match self {
            Self::Daemon(_) => Ok(()),
            Self::Here(here) => Ok(here.opened.ledger.close().await?),
        }
    }
}

impl Daemon {
    /// Asks the daemon for an action.
    pub(super) async fn ask<A: Action>(&self, action: &A) -> anyhow::Result<A::Answer> {
        let mut request = Request::post(format!("{}/{}", self.base, A::NAME));
        if let Some(caller) = sudo_caller() {
            request = request.header(SUDO_UID, caller);
        }
        let request = request.body(Body::from(serde_json::to_vec(action)?))?;
        let (status, body) = call(&self.socket, request)
            .await
            .with_context(|| format!("{}", self.socket.display()))?;
        answer::<A>(status, &body)
    }
}

impl Here {
    async fn ask<A: Action>(&self, action: A) -> anyhow::Result<A::Answer> {
        let done = action.run(&self.context, &self.author).await;
        done.map_err(|error| match error {
            ActionError::Invalid(text) => WrongUsage(text).into(),
            failed @ (ActionError::Forbidden(_)
            | ActionError::Unavailable(_)
            | ActionError::Ledger(_)
            | ActionError::Unsaved { .. }) => failed.into(),
        })
    }
}

/// What an answer means: a request that makes no sense is wrong usage, anything else but success
/// has failed.
fn answer<A: Action>(status: StatusCode, body: &Bytes) -> anyhow::Result<A::Answer> {
    if status.is_success() {
        return serde_json::from_slice(body)
            .context("the daemon's answer is not understood: is it of another version?");
    }
    let text = serde_json::from_slice::<Refused>(body)
        .map_or_else(|_| format!("the daemon answered {status}"), |refused| refused.detail);
    Err(if status == StatusCode::UNPROCESSABLE_ENTITY {
        WrongUsage(text).into()
    } else {
        anyhow::anyhow!(text)
    })
}

/// Who acts in this process: whoever called `sudo`, else the own user.
fn own_author() -> Author {
    sudo_caller().map_or_else(|| Author::of(rustix::process::getuid().as_raw()), Author::by_sudo)
}

/// Who called `sudo`, where this is root by it.
fn sudo_caller() -> Option<u32> {
    let caller = std::env::var("SUDO_UID").ok()?.parse().ok()?;
    rustix::process::getuid().is_root().then_some(caller)
}

/// What a look for the daemon came to.
pub(super) struct Found {
    /// The daemon of the same ledger.
    pub(super) daemon: Option<Daemon>,
    /// A socket that may not be used.
    denied: Option<PathBuf>,
    /// A socket at which somebody is, and does not answer.
    hung: Option<PathBuf>,
}

/// Looks for the daemon of the same ledger.
pub(super) async fn find(paths: &Paths) -> Found {
    let own = About::this(&paths.ledger.path, &paths.file);
    let (mut denied, mut hung) = (None, None);
    let mut sockets = sockets(&paths.state_dir);
    sockets.insert(sockets.len().saturating_sub(1), PathBuf::from(UNIT_SOCKET));
    // All at once: one that hangs must not use up the time of the others.
    let answers = join_all(sockets.iter().map(|socket| ask_who(socket))).await;
    for (socket, answer) in sockets.into_iter().zip(answers) {
        match answer {
            Ok((about, base)) if about.has_ledger_of(&own) => {
                return Found { daemon: Some(Daemon { socket, base, about }), denied, hung };
            }
            Ok((about, _)) => {
                tracing::debug!(socket = %socket.display(), ledger = %about.ledger.display(), "a daemon of another ledger");
            }
            Err(error) if error.is_denied() => denied = denied.or(Some(socket)),
            Err(CallError::Connect(error)) if error.kind() == ErrorKind::TimedOut => {
                hung = hung.or(Some(socket));
            }
            Err(error) => tracing::debug!(socket = %socket.display(), "no daemon: {error}"),
        }
    }
    Found { daemon: None, denied, hung }
}

/// The daemon of the configuration at `config`, which need not be readable: the process `pid` where
/// one is named, else the one that runs by this file, or by the ledger that the file names.
pub(super) async fn find_daemon(
    config: &Path,
    paths: Option<&Paths>,
    pid: Option<u32>,
) -> anyhow::Result<Daemon> {
    let mut places = vec![PathBuf::from(UNIT_SOCKET)];
    // Of a file that cannot be read the state folder is not known: never the present folder, where
    // anybody may listen.
    places.extend(paths.into_iter().flat_map(|paths| sockets(&paths.state_dir)));
    let ledger = paths.map_or_else(|| Path::new(""), |paths| &paths.ledger.path);
    let own = About::this(ledger, config);
    let is_meant = |about: &About| match pid {
        Some(pid) => about.pid == pid,
        None => about.config == own.config || about.has_ledger_of(&own),
    };
    let answers = join_all(places.iter().map(|socket| ask_who(socket))).await;
    let mut why = None;
    for (socket, answer) in places.into_iter().zip(answers) {
        match answer {
            Ok((about, base)) if is_meant(&about) => return Ok(Daemon { socket, base, about }),
            Err(error) if error.is_denied() => {
                why.get_or_insert_with(|| who_may(&socket));
            }
            Err(CallError::Connect(error)) if error.kind() == ErrorKind::TimedOut => {
                why = Some(format!("the daemon at {} does not answer", socket.display()));
            }
            Ok(_) | Err(_) => {}
        }
    }
    Err(anyhow::anyhow!(why.unwrap_or_else(|| match pid {
        Some(pid) => format!("process {pid} is no daemon that answers here"),
        None => format!("no daemon runs by {}", config.display()),
    })))
}

/// Who listens at a socket, and where its addresses begin; a stranger is nobody.
async fn ask_who(socket: &Path) -> Result<(About, &'static str), CallError> {
    // Real time, not a clock's: it bounds what another process takes to answer.
    let asked = tokio::time::timeout(ANSWERS_WITHIN, async {
        match ask_who_at(BASE, socket).await? {
            (StatusCode::NOT_FOUND, _) => {
                ask_who_at(OLDER_BASE, socket).await.map(|(_, body)| (OLDER_BASE, body))
            }
            (_, body) => Ok((BASE, body)),
        }
    });
    let (base, body) =
        asked.await.map_err(|_| CallError::Connect(ErrorKind::TimedOut.into()))??;
    Ok((serde_json::from_slice(&body).map_err(nobody)?, base))
}

async fn ask_who_at(base: &str, socket: &Path) -> Result<(StatusCode, Bytes), CallError> {
    let request = Request::get(format!("{base}/daemon")).body(Body::empty()).map_err(nobody)?;
    call(socket, request).await
}

fn nobody(error: impl std::fmt::Display) -> CallError {
    CallError::Connect(std::io::Error::other(error.to_string()))
}

impl Found {
    /// Whether a daemon may run that cannot be asked.
    pub(super) fn is_unsure(&self) -> bool {
        self.denied.is_some() || self.hung.is_some()
    }

    /// Why there is no daemon to speak of, in words; none where there is one.
    pub(super) fn why_none(&self) -> Option<String> {
        match (&self.daemon, &self.hung, &self.denied) {
            (Some(_), ..) => None,
            (None, Some(socket), _) => {
                Some(format!("the daemon at {} does not answer", socket.display()))
            }
            (None, None, Some(socket)) => Some(who_may(socket)),
            (None, None, None) => Some("no daemon runs".to_owned()),
        }
    }

    /// Says of a ledger that could not be opened whose daemon might have been asked.
    pub(super) fn explain<T>(&self, opened: anyhow::Result<T>) -> anyhow::Result<T> {
        let Some(socket) = &self.denied else { return opened };
        opened.map_err(|error| {
            // Who may not ask may not open the ledger either: that says nothing about the disk.
            match error.downcast_ref::<LedgerError>() {
                Some(LedgerError::Held { .. }) => error.context(who_may(socket)),
                Some(_) | None => anyhow::anyhow!(who_may(socket)),
            }
        })
    }
}

/// Who may use a socket that this user may not.
fn who_may(socket: &Path) -> String {
    let folder = socket.parent().unwrap_or(socket);
    let (place, data) = match std::fs::metadata(socket) {
        Ok(data) => (socket, Ok(data)),
        Err(_) => (folder, std::fs::metadata(folder)),
    };
    let Ok(data) = data else {
        return format!("{} may not be used by {}", socket.display(), own_author());
    };
    let me = own_author();
    let user = user_name(data.uid()).unwrap_or_else(|| format!("with uid {}", data.uid()));
    let group = group_name(data.gid()).unwrap_or_else(|| format!("with gid {}", data.gid()));
    let mut who = vec!["root may (sudo)".to_owned()];
    if data.uid() != 0 {
        who.push(format!("so may user {user}"));
    }
    if data.gid() != 0 && (data.permissions().mode() & 0o010 != 0 || place == socket) {
        let name =
            user_name(rustix::process::getuid().as_raw()).unwrap_or_else(|| "USER".to_owned());
        who.push(format!("so may members of group {group} (usermod -aG {group} {name})"));
    }
    format!("a daemon may be asked at {}, but not by {me}: {}", socket.display(), who.join(", "))
}

/// Lets the running daemon keep a refresh token that a sign-in has just brought, and poll with it.
/// None where no daemon of this ledger can be asked: the token is then the command's to keep.
pub(super) async fn keep_sign_in(
    paths: &Paths,
    token: &Secret,
) -> anyhow::Result<Option<SignInKept>> {
    let Some(daemon) = find(paths).await.daemon else { return Ok(None) };
    daemon.ask(&SignInRequest::new(token)).await.map(Some)
}
