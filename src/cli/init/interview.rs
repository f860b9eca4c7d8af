//! Asks what a configuration has to know, in the order of the file; what stands in a file that is
//! there is proposed. Destinations are `destinations`'.

use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use jiff::tz::TimeZone;

use crate::cli::exit::WrongUsage;
use crate::cli::init::ask::{Question, Questions};
use crate::cli::init::draft::Draft;
use crate::cli::init::options::{Given, Keeping};
use crate::cli::init::{checks, ladder};
use crate::cli::output;
use crate::config::Environment;
use crate::secret::{Secret, SecretError, SecretSource};

/// The time zone where the file names none.
const UTC: &str = "UTC";

/// One asking.
pub(super) struct Interview<'a> {
    pub(super) questions: &'a Questions,
    pub(super) given: &'a Given,
    pub(super) draft: Draft,
    /// Secrets that were made here, to be shown once: what each is for.
    pub(super) made: Vec<(String, Secret)>,
}

/// Where a secret is asked for.
pub(super) struct Hidden<'q> {
    pub(super) place: &'q [&'q str],
    /// The name of its credential.
    pub(super) credential: &'static str,
    pub(super) text: &'q str,
    /// What Enter means where none is there yet, such as `, Enter for none`.
    pub(super) otherwise: &'q str,
    pub(super) file: Option<&'q PathBuf>,
    pub(super) option: &'static str,
}

/// What an answer must look like.
pub(super) type Check<T> = fn(&str) -> Result<T, String>;

impl Interview<'_> {
    /// Asks for a text that stands at a place.
    pub(super) fn text(
        &mut self,
        place: &[&str],
        text: &str,
        given: Option<&str>,
        option: &str,
        right: Check<String>,
    ) -> anyhow::Result<()> {
        let proposal = self.draft.text(place).map(str::to_owned);
        self.proposed(place, text, proposal.as_deref(), given, option, right)
    }

    /// The same with another proposal.
    pub(super) fn proposed(
        &mut self,
        place: &[&str],
        text: &str,
        proposal: Option<&str>,
        given: Option<&str>,
        option: &str,
        right: Check<String>,
    ) -> anyhow::Result<()> {
        let question = Question { text, proposal, given, option, secret: false };
        let changed = self
            .questions
            .answer(&question, |answer| unless_same(answer, self.draft.text(place), right))?;
        if let Some(answer) = changed {
            self.draft.set(place, answer);
        }
        Ok(())
    }

    /// Asks for a secret, typed unseen or out of a file; whether there is one. One that is there
    /// stays unless another is given.
    pub(super) fn secret(
        &mut self,
        hidden: &Hidden<'_>,
        right: Check<Secret>,
    ) -> anyhow::Result<bool> {
        let Hidden { place, credential, file, option, .. } = *hidden;
        let is_there = self.draft.text(place).is_some() || !self.draft.names(place).is_empty();
        let otherwise = if is_there { "" } else { hidden.otherwise };
        let text = &format!("{}{otherwise}", hidden.text);
        let value = if let Some(file) = file {
            from_file(file, text, option, right)?
        } else {
            let proposal = is_there.then_some("the one that is there");
            let question = Question { text, proposal, given: None, option, secret: true };
            let answer = self.questions.choice(&question, |text| match proposal {
                Some(proposal) if text == proposal => Ok(None),
                _ => right(text).map(Some),
            });
            answer?.flatten()
        };
        let answered = value.is_some();
        if let Some(value) = value {
            self.draft.add_secret(place, credential, value);
        }
        Ok(answered || is_there)
    }

    /// The same for a secret that must be there.
    pub(super) fn needed_secret(
        &mut self,
        hidden: &Hidden<'_>,
        right: Check<Secret>,
    ) -> anyhow::Result<()> {
        while !self.secret(hidden, right)? {
            let wrong = format!("{}: there is no answer ({})", hidden.text, hidden.option);
            if !self.questions.may_ask_again() || hidden.file.is_some() {
                return Err(WrongUsage(wrong).into());
            }
            output::aside("  there is no answer\n");
        }
        Ok(())
    }

    /// `[source]`: nothing is asked of a source that is a file.
    pub(super) fn source(&mut self) -> anyhow::Result<()> {
        if self.draft.is_of_a_file() {
            output::aside("Usage is read from a file, which stays so.\n");
            return Ok(());
        }
        let given = self.given;
        for (key, url) in [("api_url", &given.api_url), ("login_url", &given.login_url)] {
            if let Some(url) = url {
                self.draft.set(&["source", key], url.as_str());
            }
        }
        let tenant = "Tenant of the partner, a domain or an id";
        let place = ["source", "tenant_id"];
        self.text(&place, tenant, given.tenant.as_deref(), "--tenant", checks::tenant)?;
        let (place, text) = (["source", "client_id"], "Application (client) id");
        self.text(&place, text, given.client_id.as_deref(), "--client-id", checks::application)?;
        let is_there = self.secret(
            &Hidden {
                place: &["source", "client_secret"],
                credential: "client-secret",
                text: "Its secret",
                otherwise: ", Enter for a public application",
                file: given.client_secret_file.as_ref(),
                option: "--client-secret-file",
            },
            checks::secret,
        )?;
        if !is_there {
            self.draft.remove(&["source", "client_secret"]);
        }
        Ok(())
    }

    /// The percents to tell at, where the file has the rule that `init` writes.
    pub(super) fn steps(&mut self) -> anyhow::Result<()> {
        let Some(before) = ladder::percents(&self.draft) else { return Ok(()) };
        let proposal = before.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let question = Question {
            text: "Percents of the budget to tell at, the last one critical",
            proposal: Some(&proposal),
            given: self.given.steps.as_deref(),
            option: "--steps",
            secret: false,
        };
        let steps = self.questions.answer(&question, checks::percents)?;
        if steps != before {
            ladder::change(&mut self.draft, &steps);
        }
        Ok(())
    }

    /// The time zone of messages; for a new file, this machine's is proposed.
    pub(super) fn time_zone(&mut self) -> anyhow::Result<()> {
        let place = ["daemon", "time_zone"];
        let zone = TimeZone::system();
        let zone = zone.iana_name().map_or(UTC, |name| name.trim_start_matches("Etc/"));
        let usual = if self.draft.is_new { zone } else { UTC };
        let proposal = self.draft.text(&place).unwrap_or(usual).to_owned();
        let question = Question {
            text: "Time zone of messages",
            proposal: Some(&proposal),
            given: self.given.time_zone.as_deref(),
            option: "--time-zone",
            secret: false,
        };
        let answer = self.questions.answer(&question, checks::time_zone)?;
        if self.draft.is_new || answer != proposal {
            self.draft.set(&place, answer);
        }
        Ok(())
    }

    /// Where new secrets are kept; `usable` says what is wrong with the folder of credentials.
    pub(super) fn keeping(
        &self,
        usual: Keeping,
        usable: impl Fn() -> Result<(), String>,
    ) -> anyhow::Result<Keeping> {
        if !self.draft.has_new_secrets() {
            return Ok(self.given.secrets.unwrap_or(Keeping::Credentials));
        }
        let word = |keeping: Keeping| match keeping {
            Keeping::Credentials => "credentials",
            Keeping::Inline => "inline",
        };
        let question = Question {
            text: "Secrets as credentials in files of their own, or inline in the configuration",
            proposal: Some(word(usual)),
            given: self.given.secrets.map(word),
            option: "--secrets",
            secret: false,
        };
        self.questions.answer(&question, |text| {
            let keeping = Keeping::from_str(text, true)
                .map_err(|_| "write credentials or inline".to_owned())?;
            if keeping == Keeping::Credentials { usable().map(|()| keeping) } else { Ok(keeping) }
        })
    }
}

/// A secret out of a file, read as the configuration reads it; none where the file is empty.
fn from_file(
    file: &Path,
    text: &str,
    option: &str,
    right: Check<Secret>,
) -> anyhow::Result<Option<Secret>> {
    let of_file = |wrong: String| WrongUsage(format!("{option} {}: {wrong}", file.display()));
    let read = SecretSource::File(file.to_owned()).resolve(&Environment::of_process());
    output::aside(&format!("{text}: from {}\n", file.display()));
    match read {
        Err(SecretError::Empty) => Ok(None),
        Err(error) => Err(of_file(checks::in_words(error)).into()),
        Ok(secret) => Ok(Some(right(secret.expose()).map_err(of_file)?)),
    }
}

/// What a check makes of an answer; nothing where it is what the file says, which was checked with
/// the file.
pub(super) fn unless_same<T>(
    answer: &str,
    former: Option<&str>,
    right: Check<T>,
) -> Result<Option<T>, String> {
    if former == Some(answer) { Ok(None) } else { right(answer).map(Some) }
}
