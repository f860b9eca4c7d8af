//! What a first configuration has to know, asked in the order of the file. How it is written down
//! is `page`'s.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;
use lettre::message::Mailbox;
use rust_decimal::Decimal;

use crate::cli::exit::WrongUsage;
use crate::cli::init::ask::{Question, Questions};
use crate::cli::output;
use crate::config::Environment;
use crate::domain::parse_decimal;
use crate::secret::{Secret, SecretError, SecretSource};

/// Where secrets are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Keeping {
    /// Each in a file of its own, handed to the unit by systemd
    Credentials,
    /// In the configuration, which then belongs to its owner alone
    Inline,
}

/// Answers that are given beforehand.
#[derive(Debug, Args)]
pub(super) struct Given {
    /// The partner's tenant: a domain such as contoso.onmicrosoft.com, or its id
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// The application's (client) id
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// A file with the application's secret; a public application has none
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// The mail server: HOST or HOST:PORT
    #[arg(long, value_name = "SERVER")]
    mail_server: Option<String>,
    /// The sender of mails
    #[arg(long, value_name = "ADDRESS")]
    mail_from: Option<String>,
    /// The recipients of mails, with commas between them
    #[arg(long, value_name = "ADDRESSES")]
    mail_to: Option<String>,
    /// The user name that the mail server asks for
    #[arg(long, value_name = "NAME")]
    mail_user: Option<String>,
    /// A file with the password that the mail server asks for
    #[arg(long, value_name = "FILE")]
    mail_password_file: Option<PathBuf>,
    /// A file with the address of a Slack incoming webhook
    #[arg(long, value_name = "FILE")]
    slack_url_file: Option<PathBuf>,
    /// The percents of the budget to tell at; the last one is critical
    #[arg(long, value_name = "PERCENTS")]
    steps: Option<String>,
    /// For times in messages, such as Europe/Stockholm
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Where secrets are kept
    #[arg(long, value_enum)]
    secrets: Option<Keeping>,
    /// The base of the API, in place of Microsoft's
    #[arg(long, value_name = "URL", hide = true)]
    api_url: Option<String>,
    /// The base of the sign-in, in place of Microsoft's
    #[arg(long, value_name = "URL", hide = true)]
    login_url: Option<String>,
}

/// What the configuration is made of.
pub(super) struct Answers {
    pub(super) api_url: Option<String>,
    pub(super) login_url: Option<String>,
    pub(super) tenant: String,
    pub(super) client_id: String,
    pub(super) client_secret: Option<Secret>,
    pub(super) mail: Option<Mail>,
    pub(super) slack_url: Option<Secret>,
    /// Ascending, at least one.
    pub(super) steps: Vec<Decimal>,
    pub(super) time_zone: String,
    pub(super) keeping: Keeping,
}

/// Mail, as asked.
pub(super) struct Mail {
    pub(super) host: String,
    pub(super) port: Option<u16>,
    pub(super) from: String,
    pub(super) to: Vec<String>,
    pub(super) sign_in: Option<(String, Secret)>,
}

impl Answers {
    /// Asks for what is not given. `as_root`: where secrets are proposed to be kept.
    pub(super) fn ask(questions: &Questions, given: &Given, as_root: bool) -> anyhow::Result<Self> {
        let asked = |text, proposal, given, option| Question {
            text,
            proposal,
            given,
            option,
            secret: false,
        };
        let tenant = questions.answer(
            &asked(
                "Tenant of the partner, a domain or an id",
                None,
                given.tenant.as_deref(),
                "--tenant",
            ),
            |text| {
                if text
                    .chars()
                    .all(|letter| letter.is_ascii_alphanumeric() || ".-".contains(letter))
                {
                    Ok(text.to_owned())
                } else {
                    Err("a tenant is a domain such as contoso.onmicrosoft.com, or its id"
                        .to_owned())
                }
            },
        )?;
        let client_id = questions.answer(
            &asked("Application (client) id", None, given.client_id.as_deref(), "--client-id"),
            any,
        )?;
        let text = "Its secret, Enter for a public application";
        let client_secret =
            secret(questions, text, given.client_secret_file.as_ref(), "--client-secret-file")?;
        let (mail, slack_url) = destinations(questions, given)?;
        let text = "Percents of the budget to tell at, the last one critical";
        let steps = questions
            .answer(&asked(text, Some("80, 100"), given.steps.as_deref(), "--steps"), percents)?;
        let zone = TimeZone::system();
        let zone = zone.iana_name().map_or("UTC", |name| name.trim_start_matches("Etc/"));
        let zone =
            asked("Time zone of messages", Some(zone), given.time_zone.as_deref(), "--time-zone");
        let time_zone = questions.answer(&zone, |text| match TimeZone::get(text) {
            Ok(_) => Ok(text.to_owned()),
            Err(_) => Err("there is no such time zone; write it as in Europe/Stockholm".to_owned()),
        })?;
        let keeping = match given.secrets {
            Some(keeping) => keeping,
            None if client_secret.is_none()
                && slack_url.is_none()
                && mail.as_ref().is_none_or(|mail| mail.sign_in.is_none()) =>
            {
                Keeping::Credentials
            }
            None => {
                let proposal = if as_root { "credentials" } else { "inline" };
                let text = "Secrets as systemd credentials, or inline in the configuration";
                questions.answer(&asked(text, Some(proposal), None, "--secrets"), |text| {
                    Keeping::from_str(text, true)
                })?
            }
        };
        let (api_url, login_url) = (given.api_url.clone(), given.login_url.clone());
        Ok(Self {
            api_url,
            login_url,
            tenant,
            client_id,
            client_secret,
            mail,
            slack_url,
            steps,
            time_zone,
            keeping,
        })
    }

    /// The notifiers, by name.
    pub(super) fn notifiers(&self) -> Vec<&'static str> {
        [self.mail.as_ref().map(|_| "mail"), self.slack_url.as_ref().map(|_| "slack")]
            .into_iter()
            .flatten()
            .collect()
    }

    /// The secrets, each by the name of its credential.
    pub(super) fn secrets(&self) -> Vec<(&'static str, &Secret)> {
        let smtp = self
            .mail
            .as_ref()
            .and_then(|mail| mail.sign_in.as_ref())
            .map(|(_, password)| ("smtp", password));
        let client = self.client_secret.as_ref().map(|secret| ("client-secret", secret));
        [client, smtp, self.slack_url.as_ref().map(|url| ("slack-url", url))]
            .into_iter()
            .flatten()
            .collect()
    }
}

/// Mail, Slack or both.
fn destinations(
    questions: &Questions,
    given: &Given,
) -> anyhow::Result<(Option<Mail>, Option<Secret>)> {
    let text = "Mail server, such as smtp.partner.example:587, Enter for no mail";
    let server = Question {
        text,
        proposal: None,
        given: given.mail_server.as_deref(),
        option: "--mail-server",
        secret: false,
    };
    let mail = match questions.choice(&server, host_and_port)? {
        Some(server) => Some(mail(questions, given, server)?),
        None => None,
    };
    let slack_url = secret(
        questions,
        "Address of a Slack webhook, Enter for none",
        given.slack_url_file.as_ref(),
        "--slack-url-file",
    )?;
    if mail.is_none() && slack_url.is_none() {
        return Err(WrongUsage(
            "alerts need somewhere to go: a mail server (--mail-server) or Slack \
            (--slack-url-file)"
                .to_owned(),
        )
        .into());
    }
    Ok((mail, slack_url))
}

fn mail(
    questions: &Questions,
    given: &Given,
    (host, port): (String, Option<u16>),
) -> anyhow::Result<Mail> {
    let asked =
        |text, given, option| Question { text, proposal: None, given, option, secret: false };
    let to = questions.answer(
        &asked("Recipients, with commas between them", given.mail_to.as_deref(), "--mail-to"),
        |text| {
            text.split(',').map(|address| mailbox(address.trim())).collect::<Result<Vec<_>, _>>()
        },
    )?;
    let from =
        questions.answer(&asked("Sender", given.mail_from.as_deref(), "--mail-from"), mailbox)?;
    let text = "User name at the mail server, Enter for none";
    let user = questions.choice(&asked(text, given.mail_user.as_deref(), "--mail-user"), any)?;
    let sign_in = match user {
        None => None,
        Some(user) => match secret(
            questions,
            "Its password",
            given.mail_password_file.as_ref(),
            "--mail-password-file",
        )? {
            Some(password) => Some((user, password)),
            None => {
                return Err(WrongUsage(
                    "a user name at the mail server needs a password (--mail-password-file)"
                        .to_owned(),
                )
                .into());
            }
        },
    };
    Ok(Mail { host, port, from, to, sign_in })
}

/// A secret that may be left out: typed unseen, or out of a file; read as the configuration reads
/// it.
fn secret(
    questions: &Questions,
    text: &str,
    file: Option<&PathBuf>,
    option: &str,
) -> anyhow::Result<Option<Secret>> {
    if let Some(file) = file {
        let read = match resolve(&SecretSource::File(file.clone())) {
            Err(SecretError::Empty) => None,
            read => Some(read.map_err(|error| {
                WrongUsage(format!("{option} {}: {}", file.display(), words(error)))
            })?),
        };
        output::aside(&format!("{text}: from {}\n", file.display()));
        return Ok(read);
    }
    let question = Question { text, proposal: None, given: None, option, secret: true };
    questions
        .choice(&question, |text| resolve(&SecretSource::Inline(Secret::new(text))).map_err(words))
}

fn resolve(source: &SecretSource) -> Result<Secret, SecretError> {
    source.resolve(&Environment::of_process())
}

fn words(error: SecretError) -> String {
    format!("{:#}", anyhow::Error::from(error))
}

#[expect(clippy::unnecessary_wraps, reason = "one of several checks of an answer")]
fn any(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

fn mailbox(text: &str) -> Result<String, String> {
    let wrong =
        |_| "write a mail address as in name@example.com or Name <name@example.com>".to_owned();
    text.parse::<Mailbox>().map(|_| text.to_owned()).map_err(wrong)
}

fn host_and_port(text: &str) -> Result<(String, Option<u16>), String> {
    match text.split_once(':') {
        None => Ok((text.to_owned(), None)),
        Some((host, port)) => match port.parse() {
            Ok(port) if port > 0 && !host.is_empty() => Ok((host.to_owned(), Some(port))),
            _ => Err("write a host and a port as in smtp.partner.example:587".to_owned()),
        },
    }
}

fn percents(text: &str) -> Result<Vec<Decimal>, String> {
    let wrong = || "write ascending percents as in 80, 100".to_owned();
    let number = |text: &str| {
        parse_decimal(text.trim().trim_end_matches('%').trim())
            .map(|number| number.value)
            .map_err(|_| wrong())
    };
    let steps: Vec<Decimal> = text.split(',').map(number).collect::<Result<_, _>>()?;
    let ascending = steps.iter().zip(steps.iter().skip(1)).all(|(one, next)| one < next);
    if ascending && steps.iter().all(|step| *step > Decimal::ZERO) {
        Ok(steps)
    } else {
        Err(wrong())
    }
}
