//! Asks where alerts go, and what each destination has to know.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use clap::ValueEnum as _;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::cli::exit::WrongUsage;
use crate::cli::init::ask::Question;
use crate::cli::init::checks;
use crate::cli::init::interview::{Hidden, Interview};
use crate::cli::init::options::{Given, Kind};
use crate::cli::output;
use crate::secret::Secret;

/// A host, and a port where one is written.
type Server = (String, Option<u16>);

/// What was answered to where alerts go.
enum Destinations {
    These(Vec<Kind>),
    /// A mail server in place of the word for it.
    Mail(Server),
}

/// The bytes of a new key for signatures.
const KEY_BYTES: usize = 32;

impl Interview<'_> {
    /// Asks for the destinations; returns the names of their notifiers, at least one.
    pub(super) fn destinations(&mut self) -> anyhow::Result<Vec<String>> {
        let mut kinds = self.kinds_so_far();
        let is_answered = self.given.kinds().iter().any(|kind| !self.is_of_old(*kind));
        let mut server = None;
        if self.questions.terminal || !self.draft.is_new {
            if self.given.destinations.is_empty() {
                (kinds, server) = self.chosen(kinds)?;
            }
        } else if !is_answered {
            return self.in_the_order_of_old();
        }
        let mut names = Vec::new();
        for kind in Kind::value_variants().iter().filter(|kind| kinds.contains(kind)) {
            names.push(self.destination(*kind, server.take_if(|_| *kind == Kind::Email))?);
        }
        if names.is_empty() { Err(nowhere().into()) } else { Ok(names) }
    }

    /// What the file has and what options name.
    fn kinds_so_far(&self) -> Vec<Kind> {
        let given = self.given.kinds();
        let is_there = |kind: &Kind| given.contains(kind) || self.draft.notifier(*kind).is_some();
        Kind::value_variants().iter().copied().filter(is_there).collect()
    }

    /// Whether a kind is one that a program may answer by lines alone: its mail server, then the
    /// address of Slack.
    fn is_of_old(&self, kind: Kind) -> bool {
        matches!(kind, Kind::Email | Kind::Slack) && self.given.destinations.is_empty()
    }

    /// Asks a person, or for changes of a file that is there.
    fn chosen(&self, kinds: Vec<Kind>) -> anyhow::Result<(Vec<Kind>, Option<Server>)> {
        let proposal = kinds.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(", ");
        let question = Question {
            text: "Where alerts go: graph-mail, email, teams, slack, pagerduty, webhook (with commas \
                   between them)",
            proposal: Some(proposal.as_str()).filter(|words| !words.is_empty()),
            given: None,
            option: "--destinations",
            secret: false,
        };
        let stays = |chosen: &[Kind]| {
            let gone = kinds
                .iter()
                .find(|kind| !chosen.contains(kind) && self.draft.notifier(**kind).is_some());
            gone.map_or(Ok(()), |kind| {
                Err(format!("{} stays: take it out of the file by hand", kind.word()))
            })
        };
        let answer = self.questions.answer(&question, |text| {
            let answer = destinations(text)?;
            if let Destinations::These(chosen) = &answer {
                stays(chosen)?;
            }
            Ok(answer)
        })?;
        Ok(match answer {
            Destinations::These(chosen) => (chosen, None),
            Destinations::Mail(server) => {
                let more = (!kinds.contains(&Kind::Email)).then_some(Kind::Email);
                (kinds.into_iter().chain(more).collect(), Some(server))
            }
        })
    }

    /// A program's lines: the mail server or none, then the address of Slack or none. Words in
    /// place of the mail server choose as a person does.
    fn in_the_order_of_old(&mut self) -> anyhow::Result<Vec<String>> {
        let question = Question {
            text: "Mail server, such as smtp.partner.example:587, Enter for none; or where alerts go: \
                   graph-mail, email, teams, slack, pagerduty, webhook",
            proposal: None,
            given: self.given.mail_server.as_deref(),
            option: "--mail-server",
            secret: false,
        };
        let answer = self.questions.choice(&question, destinations)?;
        let mut names = Vec::new();
        match answer {
            Some(Destinations::These(kinds)) => {
                let given = self.given.kinds();
                for kind in Kind::value_variants() {
                    if kinds.contains(kind) || given.contains(kind) {
                        names.push(self.destination(*kind, None)?);
                    }
                }
                return Ok(names);
            }
            Some(Destinations::Mail(server)) => {
                names.push(self.destination(Kind::Email, Some(server))?);
            }
            None => {}
        }
        let place = ["notifiers", Kind::Slack.usual_name(), "url"];
        let slack = Hidden { otherwise: ", Enter for none", ..slack(self.given, &place) };
        if self.secret(&slack, checks::secret_url)? {
            names.push(self.draft.add_notifier(Kind::Slack));
        }
        if names.is_empty() { Err(nowhere().into()) } else { Ok(names) }
    }

    /// Asks about one destination; returns the name of its notifier.
    fn destination(&mut self, kind: Kind, server: Option<Server>) -> anyhow::Result<String> {
        let (given, former) = (self.given, self.draft.notifier(kind));
        let is_new = former.is_none();
        let name = former.unwrap_or_else(|| self.draft.add_notifier(kind));
        if !is_new && name != kind.usual_name() {
            output::aside(&format!("Of [notifiers.{name}]:\n"));
        }
        let url = ["notifiers", &name, "url"];
        match kind {
            Kind::GraphMail => self.graph_mail(&name)?,
            Kind::Email => self.email(&name, server)?,
            Kind::Teams => self.needed_secret(&teams(given, &url), checks::secret_url)?,
            Kind::Slack => self.needed_secret(&slack(given, &url), checks::secret_url)?,
            Kind::PagerDuty => {
                let key = ["notifiers", &name, "routing_key"];
                self.needed_secret(&pagerduty(given, &key), checks::routing_key)?;
            }
            Kind::Webhook => self.webhook(&name, is_new)?,
        }
        Ok(name)
    }

    /// A webhook is signed; a key is made where none is given, and shown once.
    fn webhook(&mut self, name: &str, is_new: bool) -> anyhow::Result<()> {
        let (given, of_it) = (self.given, ["notifiers", name]);
        let place = [&of_it[..], &["url"]].concat();
        let url = given.webhook_url.as_deref();
        self.text(&place, "Address of the webhook", url, "--webhook-url", checks::url)?;
        if !is_new && given.webhook_secret_file.is_none() {
            return Ok(());
        }
        let place = [&of_it[..], &["secret"]].concat();
        let hidden = Hidden {
            place: &place,
            credential: "webhook-secret",
            text: "Key that signs, whsec_…",
            otherwise: ", Enter for a new one",
            file: given.webhook_secret_file.as_ref(),
            option: "--webhook-secret-file",
        };
        let asks = self.questions.terminal || hidden.file.is_some();
        if !asks || !self.secret(&hidden, checks::signing_key)? {
            let key = new_key()?;
            self.draft.add_secret(&place, hidden.credential, key.clone());
            self.made.push((format!("{name} signs with"), key));
        }
        Ok(())
    }
}

fn teams<'q>(given: &'q Given, place: &'q [&'q str]) -> Hidden<'q> {
    Hidden {
        place,
        credential: "teams-url",
        text: "Address of the Teams workflow",
        otherwise: "",
        file: given.teams_url_file.as_ref(),
        option: "--teams-url-file",
    }
}

fn pagerduty<'q>(given: &'q Given, place: &'q [&'q str]) -> Hidden<'q> {
    Hidden {
        place,
        credential: "pagerduty-key",
        text: "Routing key of PagerDuty (Integration Key, Events API v2)",
        otherwise: "",
        file: given.pagerduty_key_file.as_ref(),
        option: "--pagerduty-key-file",
    }
}

fn slack<'q>(given: &'q Given, place: &'q [&'q str]) -> Hidden<'q> {
    Hidden {
        place,
        credential: "slack-url",
        text: "Address of a Slack webhook",
        otherwise: "",
        file: given.slack_url_file.as_ref(),
        option: "--slack-url-file",
    }
}

/// Words of destinations with commas between them, or a mail server.
fn destinations(text: &str) -> Result<Destinations, String> {
    let kinds = text.split([',', ' ']).filter(|word| !word.is_empty());
    let kinds: Result<Vec<Kind>, String> = kinds.map(|word| Kind::from_str(word, true)).collect();
    match kinds {
        Ok(kinds) => Ok(Destinations::These(kinds)),
        // A word without a dot is a misspelt one, except for this machine.
        Err(_) if text.contains(['.', ':']) || text == "localhost" => {
            checks::server(text).map(Destinations::Mail)
        }
        Err(_) => {
            let words = Kind::value_variants().iter().map(|kind| kind.word());
            Err(format!("write some of: {}", words.collect::<Vec<_>>().join(", ")))
        }
    }
}

/// A new key for signatures (Standard Webhooks, "Signature scheme").
fn new_key() -> anyhow::Result<Secret> {
    let mut bytes = [0; KEY_BYTES];
    let made = SystemRandom::new().fill(&mut bytes);
    made.map_err(|_| anyhow::anyhow!("this machine has no random numbers"))?;
    Ok(Secret::new(format!("whsec_{}", BASE64_STANDARD.encode(bytes))))
}

fn nowhere() -> WrongUsage {
    WrongUsage(
        "alerts need somewhere to go: a mail server (--mail-server), Slack (--slack-url-file) or \
         another destination (--destinations)"
            .to_owned(),
    )
}
