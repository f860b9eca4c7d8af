//! The options of `init` that answer its questions beforehand, and the words they take.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Where secrets are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Keeping {
    /// Each in a file of its own, which the daemon reads
    Credentials,
    /// In the configuration, which then belongs to its owner alone
    Inline,
}

/// Where alerts can go; in the order in which the questions come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// Mail from a mailbox in Microsoft 365, by Microsoft Graph
    #[value(alias = "graph")]
    GraphMail,
    /// Mail by SMTP
    #[value(aliases = ["mail", "smtp"])]
    Email,
    /// A workflow of Microsoft Teams
    Teams,
    /// An incoming webhook of Slack
    Slack,
    /// A service of PagerDuty
    #[value(name = "pagerduty")]
    PagerDuty,
    /// Any receiver of signed JSON
    Webhook,
}

impl Kind {
    /// Its word, which is the notifier's `type` too.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::GraphMail => "graph-mail",
            Self::Email => "email",
            Self::Teams => "teams",
            Self::Slack => "slack",
            Self::PagerDuty => "pagerduty",
            Self::Webhook => "webhook",
        }
    }

    /// The name of a new notifier of this kind.
    pub(super) fn usual_name(self) -> &'static str {
        if self == Self::Email { "mail" } else { self.word() }
    }
}

/// Answers that are given beforehand.
#[derive(Debug, Args)]
pub(super) struct Given {
    /// The partner's tenant: a domain such as contoso.onmicrosoft.com, or its id
    #[arg(long, value_name = "TENANT")]
    pub(super) tenant: Option<String>,
    /// The application's (client) id
    #[arg(long, value_name = "ID")]
    pub(super) client_id: Option<String>,
    /// A file with the application's secret; a public application has none
    #[arg(long, value_name = "FILE")]
    pub(super) client_secret_file: Option<PathBuf>,
    /// Where alerts go, with commas between them; options of a destination name it too
    #[arg(long, value_name = "KINDS", value_enum, value_delimiter = ',')]
    pub(super) destinations: Vec<Kind>,
    /// graph-mail: the tenant of the mailbox [default: the partner's]
    #[arg(long, value_name = "TENANT")]
    pub(super) mail_tenant: Option<String>,
    /// graph-mail: the (client) id of the application that sends
    #[arg(long, value_name = "ID")]
    pub(super) mail_client_id: Option<String>,
    /// graph-mail: a file with the secret of the application that sends
    #[arg(long, value_name = "FILE")]
    pub(super) mail_client_secret_file: Option<PathBuf>,
    /// email: the mail server, HOST or HOST:PORT
    #[arg(long, value_name = "SERVER")]
    pub(super) mail_server: Option<String>,
    /// The sender of mails; of graph-mail, the mailbox
    #[arg(long, value_name = "ADDRESS")]
    pub(super) mail_from: Option<String>,
    /// The recipients of mails, with commas between them
    #[arg(long, value_name = "ADDRESSES")]
    pub(super) mail_to: Option<String>,
    /// email: the user name that the mail server asks for
    #[arg(long, value_name = "NAME")]
    pub(super) mail_user: Option<String>,
    /// email: a file with the password that the mail server asks for
    #[arg(long, value_name = "FILE")]
    pub(super) mail_password_file: Option<PathBuf>,
    /// teams: a file with the address of a workflow
    #[arg(long, value_name = "FILE")]
    pub(super) teams_url_file: Option<PathBuf>,
    /// slack: a file with the address of an incoming webhook
    #[arg(long, value_name = "FILE")]
    pub(super) slack_url_file: Option<PathBuf>,
    /// pagerduty: a file with the routing key of an Events API v2 integration
    #[arg(long, value_name = "FILE")]
    pub(super) pagerduty_key_file: Option<PathBuf>,
    /// webhook: its address
    #[arg(long, value_name = "URL")]
    pub(super) webhook_url: Option<String>,
    /// webhook: a file with the key that signs, `whsec_…` [default: a new one, which is shown once]
    #[arg(long, value_name = "FILE")]
    pub(super) webhook_secret_file: Option<PathBuf>,
    /// The percents of the budget to tell at; the last one is critical
    #[arg(long, value_name = "PERCENTS")]
    pub(super) steps: Option<String>,
    /// For times in messages, such as Europe/Stockholm
    #[arg(long, value_name = "ZONE")]
    pub(super) time_zone: Option<String>,
    /// Where secrets are kept
    #[arg(long, value_enum)]
    pub(super) secrets: Option<Keeping>,
    /// The base of the API, in place of Microsoft's
    #[arg(long, value_name = "URL", hide = true)]
    pub(super) api_url: Option<String>,
    /// The base of the sign-in, in place of Microsoft's
    #[arg(long, value_name = "URL", hide = true)]
    pub(super) login_url: Option<String>,
    /// The base of Microsoft Graph, in place of Microsoft's
    #[arg(long, value_name = "URL", hide = true)]
    pub(super) graph_url: Option<String>,
}

impl Given {
    /// The destinations that options name.
    pub(super) fn kinds(&self) -> Vec<Kind> {
        let named = [
            (Kind::GraphMail, self.mail_client_id.is_some()),
            (Kind::Email, self.mail_server.is_some()),
            (Kind::Teams, self.teams_url_file.is_some()),
            (Kind::Slack, self.slack_url_file.is_some()),
            (Kind::PagerDuty, self.pagerduty_key_file.is_some()),
            (Kind::Webhook, self.webhook_url.is_some()),
        ];
        let is_named = |(kind, option): &(Kind, bool)| *option || self.destinations.contains(kind);
        named.into_iter().filter(is_named).map(|(kind, _)| kind).collect()
    }
}
