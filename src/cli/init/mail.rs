//! Asks what mail has to know: from a mailbox in Microsoft 365, or by SMTP.

use toml_edit::Array;

use crate::cli::init::ask::Question;
use crate::cli::init::checks;
use crate::cli::init::interview::{Hidden, Interview, unless_same};
use crate::cli::output;
use crate::config;

/// Where mail is sent over TLS from the first byte.
const IMPLICIT_TLS: u16 = 465;

impl Interview<'_> {
    /// `graph-mail`: the application that sends, its mailbox, the recipients.
    pub(super) fn graph_mail(&mut self, name: &str) -> anyhow::Result<()> {
        let (given, of_it) = (self.given, ["notifiers", name]);
        let oauth = |key: &'static str| ["notifiers", name, "oauth", key];
        let tenant = self.draft.text(&oauth("tenant_id"));
        let tenant = tenant.or(self.draft.text(&["source", "tenant_id"])).map(str::to_owned);
        self.proposed(
            &oauth("tenant_id"),
            "Tenant of the mailbox",
            tenant.as_deref(),
            given.mail_tenant.as_deref(),
            "--mail-tenant",
            checks::tenant,
        )?;
        self.text(
            &oauth("client_id"),
            "Application (client) id that may send mail (docs/microsoft-365-mail.md)",
            given.mail_client_id.as_deref(),
            "--mail-client-id",
            checks::application,
        )?;
        self.mailbox_secret(name)?;
        if let Some(url) = &given.login_url {
            self.draft.set(&oauth("login_url"), url.as_str());
        }
        if let Some(url) = &given.graph_url {
            self.draft.set(&[&of_it[..], &["url"]].concat(), url.as_str());
        }
        self.people(name, "Mailbox that sends")
    }

    /// The secret of the application that sends, unless a user's sign-in does without.
    fn mailbox_secret(&mut self, name: &str) -> anyhow::Result<()> {
        let file = self.given.mail_client_secret_file.as_ref();
        if file.is_none() && self.draft.has(&["notifiers", name, "oauth", "refresh_token"]) {
            return Ok(());
        }
        let hidden = Hidden {
            place: &["notifiers", name, "oauth", "client_secret"],
            credential: "mail-secret",
            text: "Its secret",
            otherwise: "",
            file,
            option: "--mail-client-secret-file",
        };
        self.needed_secret(&hidden, checks::secret)
    }

    /// `email`: the mail server, the recipients, the sender, how one signs in.
    pub(super) fn email(
        &mut self,
        name: &str,
        server: Option<(String, Option<u16>)>,
    ) -> anyhow::Result<()> {
        let smtp = |key: &'static str| ["notifiers", name, "smtp", key];
        if self.draft.text(&smtp("auth")) == Some("xoauth2") {
            output::aside(&format!("{name} signs in by xoauth2, which stays as it is.\n"));
            return Ok(());
        }
        let former = self.server_of(name);
        let changed = match server {
            Some(server) => Some(server),
            None => self.questions.answer(
                &Question {
                    text: "Mail server, such as smtp.partner.example:587",
                    proposal: former.as_deref(),
                    given: self.given.mail_server.as_deref(),
                    option: "--mail-server",
                    secret: false,
                },
                |text| unless_same(text, former.as_deref(), checks::server),
            )?,
        };
        if let Some((host, port)) = changed {
            self.set_server(name, &host, port);
        }
        self.people(name, "Sender")?;
        self.password(name)
    }

    /// The mail server of a notifier as it is answered.
    fn server_of(&self, name: &str) -> Option<String> {
        let host = self.draft.text(&["notifiers", name, "smtp", "host"])?;
        let port = self.draft.number(&["notifiers", name, "smtp", "port"]);
        Some(port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    }

    fn set_server(&mut self, name: &str, host: &str, port: Option<u16>) {
        let smtp = |key: &'static str| ["notifiers", name, "smtp", key];
        self.draft.set(&smtp("host"), host);
        match port {
            Some(port) => self.draft.set(&smtp("port"), i64::from(port)),
            None => self.draft.remove(&smtp("port")),
        }
        let tls = match port {
            _ if config::is_loopback(host) => "none",
            Some(IMPLICIT_TLS) => "implicit",
            _ => "starttls",
        };
        self.draft.set(&smtp("tls"), tls);
    }

    /// The recipients and the sender.
    fn people(&mut self, name: &str, sender: &str) -> anyhow::Result<()> {
        let (given, place) = (self.given, ["notifiers", name, "to"]);
        let former = self.draft.texts(&place);
        let question = Question {
            text: "Recipients, with commas between them",
            proposal: former.as_deref(),
            given: given.mail_to.as_deref(),
            option: "--mail-to",
            secret: false,
        };
        let changed = self
            .questions
            .answer(&question, |text| unless_same(text, former.as_deref(), checks::mailboxes))?;
        if let Some(to) = changed {
            self.draft.set(&place, to.into_iter().collect::<Array>());
        }
        let (place, from) = (["notifiers", name, "from"], given.mail_from.as_deref());
        self.text(&place, sender, from, "--mail-from", checks::mailbox)
    }

    /// The user name and the password, or neither.
    fn password(&mut self, name: &str) -> anyhow::Result<()> {
        let (given, place) = (self.given, ["notifiers", name, "smtp", "username"]);
        let former = self.draft.text(&place).map(str::to_owned);
        let text = "User name at the mail server";
        let text = if former.is_some() { text } else { &format!("{text}, Enter for none") };
        let question = Question {
            text,
            proposal: former.as_deref(),
            given: given.mail_user.as_deref(),
            option: "--mail-user",
            secret: false,
        };
        let Some(user) = self.questions.choice(&question, checks::any)? else { return Ok(()) };
        if former.as_deref() != Some(&user) {
            self.draft.set(&place, user);
        }
        let hidden = Hidden {
            place: &["notifiers", name, "smtp", "password"],
            credential: "smtp",
            text: "Its password",
            otherwise: "",
            file: given.mail_password_file.as_ref(),
            option: "--mail-password-file",
        };
        self.needed_secret(&hidden, checks::secret)
    }
}
