//! The one description of every key: its name, what it holds and what it is for.
//!
//! It drives the check for unknown keys and wrong types, the nearest-name hints, "not supported
//! yet" and the JSON Schema. What values mean is left to the readers of the tables.

use crate::domain::{Audience, Every, Metric, Plan, Severity};

/// The keys of one table.
pub(crate) type Shape = &'static [Key];

/// A key that a table may hold.
pub(crate) struct Key {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it holds.
    pub(crate) kind: Kind,
    /// What it is for, in one line.
    pub(crate) doc: &'static str,
}

/// What a key holds.
pub(crate) enum Kind {
    /// A text that is not blank.
    Text,
    /// A text; an empty one stands for nothing.
    TextOrEmpty,
    /// A list of texts, not empty.
    Texts,
    /// `true` or `false`.
    Boolean,
    /// A whole number of zero or more.
    Whole,
    /// An exact number: integer, float or text.
    Number,
    /// A list of exact numbers; may be empty.
    Numbers,
    /// A date with a time: a text, or as TOML writes it.
    Moment,
    /// A number, or numbers by currency.
    Amount,
    /// Numbers by currency.
    Amounts,
    /// A text such as `"15m"`.
    Duration,
    /// A text, or the place of a secret.
    Secret,
    /// A template: a text, or the file that holds it.
    Template,
    /// A secret, or a list of them.
    Secrets,
    /// A whole number, `false` or `"off"`.
    DigestAbove,
    /// One of several words.
    Choice(&'static Choice),
    /// A table.
    Table(Shape),
    /// A list of tables, not empty.
    Tables(Shape),
    /// A list of tables; may be empty.
    Rows(Shape),
    /// A table whose keys are names and whose values are tables.
    Named(Shape),
    /// A table whose keys depend on its `type`.
    Typed(&'static Types),
    /// A table of names, each with a table whose keys depend on its `type`.
    NamedTyped(&'static Types),
    /// A table of names, each with a secret.
    NamedSecrets,
}

/// Words to choose from.
pub(crate) struct Choice {
    /// What is chosen, for messages.
    pub(crate) what: &'static str,
    /// The words.
    pub(crate) names: &'static [&'static str],
}

/// The types of a table, each with keys of its own.
pub(crate) struct Types {
    /// The words that `type` holds.
    pub(crate) choice: &'static Choice,
    /// Keys of every type.
    pub(crate) common: Shape,
    /// Keys of one type each, in the order of the choice.
    pub(crate) own: &'static [Shape],
}

pub(crate) const fn key(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, doc }
}

const fn choice(what: &'static str, names: &'static [&'static str]) -> Choice {
    Choice { what, names }
}

/// The key that chooses among types; its word is checked where it is chosen.
pub(crate) const TYPE_KEY: Key = key("type", Kind::Text, "what it is");

/// The top level.
pub(crate) const ROOT: Shape = &[
    key("source", Kind::Typed(&SOURCE), "where usage is read from"),
    key("daemon", Kind::Table(DAEMON), "state and time zone"),
    key("ledger", Kind::Table(LEDGER), "the durable record of alerts and deliveries"),
    key("http", Kind::Table(HTTP), "pages, metrics and health; leave it out for none"),
    key("partner", Kind::Table(PARTNER), "who you are to your customers, in messages to them"),
    key("operator", Kind::Table(OPERATOR), "who hears of trouble with the daemon itself"),
    key("budgets", Kind::Table(BUDGETS), "which budget is in force where two exist"),
    key("customers", Kind::Named(CUSTOMER), "what is known of a customer locally, by id"),
    key("rules", Kind::Named(RULE), "what is worth an alert"),
    key("notifiers", Kind::NamedTyped(&NOTIFIER), "where alerts go"),
    key("customers_csv", Kind::Table(CUSTOMERS_CSV), "customers from a spreadsheet"),
    key("report", Kind::Table(REPORT), "a regular report, also when all is quiet"),
    key(
        "security_alerts",
        Kind::Table(SECURITY_ALERTS),
        "Microsoft's security alerts; leave it out for none",
    ),
];

pub(crate) const SOURCE_TYPES: Choice = choice("type of source", &["partner-center", "file"]);
pub(crate) const CLOUDS: Choice = choice("cloud", &["global", "us-government"]);

const SOURCE: Types = Types {
    choice: &SOURCE_TYPES,
    // A file source leaves those of Partner Center alone, so that a dry run changes two lines.
    common: &[
        key("poll_interval", Kind::Duration, "time between two polls, jittered by up to 10 %"),
        key("legacy_currency", Kind::Text, "the currency of legacy records, which name none"),
        key("cloud", Kind::Choice(&CLOUDS), "which Microsoft cloud"),
        key("api_url", Kind::Text, "base of the API in place of the cloud's"),
        key("login_url", Kind::Text, "base of the sign-in in place of the cloud's"),
        key("tenant_id", Kind::Text, "the partner's tenant"),
        key("client_id", Kind::Text, "the application that signs in"),
        key("client_secret", Kind::Secret, "its secret; leave it out for a public client"),
        key("refresh_token", Kind::Secret, "the first one; later ones are kept in state_dir"),
        key("timeout", Kind::Duration, "one request, end to end"),
    ],
    own: &[&[], &[key("path", Kind::Text, "the saved collection, relative to this file")]],
};

const DAEMON: Shape = &[
    key("state_dir", Kind::Text, "folder of the ledger and the sign-in"),
    key("time_zone", Kind::Text, "for times in messages"),
];

pub(crate) const SECURITY_SOURCES: Choice =
    choice("source of security alerts", &["graph", "partner-center"]);

const SECURITY_ALERTS: Shape = &[
    key("source", Kind::Choice(&SECURITY_SOURCES), "which API tells of them"),
    key("url", Kind::Text, "base of Microsoft Graph with its version, in place of the cloud's"),
    key("poll_interval", Kind::Duration, "time between two looks, jittered by up to 10 %"),
];

const LEDGER: Shape = &[
    key(
        "url",
        Kind::Secret,
        "sqlite:FILE, relative to state_dir; or postgres://USER@HOST/DATABASE for several hosts",
    ),
    key("retention", Kind::Duration, "how long history, and what is over, is kept"),
    key(
        "backups",
        Kind::TextOrEmpty,
        "folder of the daily backups, relative to state_dir; \"\" = none",
    ),
    key("keep", Kind::Whole, "how many of them stay"),
];

const HTTP: Shape = &[
    key("listen", Kind::Text, "address and port"),
    key("token", Kind::Secret, "signs in to the pages; required when listen is not loopback"),
    key("customer_metrics", Kind::Boolean, "whether /metrics/customers names every customer"),
    key("local_actions", Kind::Boolean, "whether this machine may act on pages without a token"),
    key("public_url", Kind::Text, "where people reach the pages, for links in messages"),
    key("certificate", Kind::Text, "a PEM file: TLS by the daemon itself"),
    key("key", Kind::Secret, "the PEM file of its private key: a path, a file or a credential"),
    key("sign_in", Kind::Typed(&SIGN_IN), "the partner's own accounts sign in to the pages"),
];

pub(crate) const SIGN_IN_TYPES: Choice = choice("type of sign-in", &["entra"]);

const SIGN_IN: Types = Types {
    choice: &SIGN_IN_TYPES,
    common: &[],
    own: &[&[
        key("tenant_id", Kind::Text, "the one tenant whose accounts may sign in"),
        key("client_id", Kind::Text, "the application; its roles reader, operator, admin count"),
        key("client_secret", Kind::Secret, "its secret; a new one signs everybody out"),
        key("login_url", Kind::Text, "base of the sign-in in place of the cloud's"),
    ]],
};

const PARTNER: Shape = &[
    key("name", Kind::Text, "what your customers call you"),
    key("contact", Kind::Text, "how they reach you: a telephone number, a mail address"),
];

const OPERATOR: Shape = &[
    key("notify", Kind::Texts, "notifiers by name"),
    key("source_failing_after", Kind::Duration, "how long the source may fail before it is news"),
    key(
        "heartbeat_url",
        Kind::Secret,
        "pinged after a cycle that read, judged and left nothing overdue",
    ),
];

pub(crate) const EVERY: Choice = choice("span", Every::NAMES);

const REPORT: Shape = &[
    key("every", Kind::Choice(&EVERY), "each day, each Monday or each 1st of the month"),
    key("at", Kind::Text, "the time of the day, in daemon.time_zone"),
    key("notify", Kind::Texts, "notifiers by name"),
];

pub(crate) const PREFERENCES: Choice = choice("preference", &["local", "partner-center"]);

const BUDGETS: Shape =
    &[key("prefer", Kind::Choice(&PREFERENCES), "which budget wins where two exist")];

const CUSTOMER: Shape = &[
    key("label", Kind::Text, "the name we call it by"),
    key("budget", Kind::Table(CUSTOMER_BUDGET), "a budget set here"),
    key("currency", Kind::Text, "the currency of a legacy customer"),
    key("contacts", Kind::Texts, "the customer's own mail addresses"),
    key("owner", Kind::Text, "who looks after it on our side"),
    key("tags", Kind::Texts, "words that match.tags selects by"),
    key("notify", Kind::Texts, "notifiers in addition to the rule's"),
    key("mute_rules", Kind::Texts, "rules that do not apply to it"),
];

const CUSTOMER_BUDGET: Shape = &[
    key("amount", Kind::Number, "for one billing period"),
    key("currency", Kind::Text, "a code of three letters"),
];

const CUSTOMERS_CSV: Shape =
    &[key("path", Kind::Text, "the spreadsheet as CSV, relative to this file")];

pub(crate) const METRICS: Choice = choice("metric", Metric::NAMES);
pub(crate) const REARMS: Choice = choice("rearm", &["on-raise", "never"]);
pub(crate) const SEVERITIES: Choice = choice("severity", Severity::NAMES);
pub(crate) const PLANS: Choice = choice("plan", Plan::NAMES);

const RULE: Shape = &[
    key("description", Kind::Text, "what it is for, shown in messages"),
    key("metric", Kind::Choice(&METRICS), "what it measures"),
    key("notify", Kind::Texts, "notifiers of steps that name none"),
    key("rearm", Kind::Choice(&REARMS), "what a raised budget does"),
    key("then_every", Kind::Amount, "distance of further steps beyond the last"),
    key("floor", Kind::Amounts, "of a spike: the smallest excess to tell of, by currency"),
    key("floor_percent", Kind::Number, "of a spike: likewise, in percent of the budget"),
    key("steps", Kind::Tables(STEP), "the thresholds"),
    key("match", Kind::Table(MATCH), "which customers; all parts must hold"),
    key("formerly", Kind::Text, "the name it had before"),
    key("remind_every", Kind::Duration, "for steps that don't say themselves how often to remind"),
];

const STEP: Shape = &[
    key("at", Kind::Amount, "the threshold"),
    key("severity", Kind::Choice(&SEVERITIES), "how bad"),
    key("notify", Kind::Texts, "in place of the rule's"),
    key("remind_every", Kind::Duration, "tells again what is still true, until it is acknowledged"),
];

const MATCH: Shape = &[
    key("customers", Kind::Texts, "patterns of id, name or label"),
    key("exclude", Kind::Texts, "patterns of those left out"),
    key("tags", Kind::Texts, "any of them"),
    key("plan", Kind::Choice(&PLANS), "how the customer buys"),
    key("currency", Kind::Texts, "any of them"),
    key("budget", Kind::Table(MATCH_BUDGET), "the budget's size"),
    key("usd_cost", Kind::Table(MATCH_USD), "the cost's size"),
    key("alert_type", Kind::Texts, "of security alerts: patterns of the type"),
    key("alert_severity", Kind::Texts, "of security alerts: any of them, in any case"),
    key("confidence", Kind::Texts, "of security alerts: any of them, in any case"),
];

const MATCH_BUDGET: Shape = &[
    key("currency", Kind::Text, "of the customer"),
    key("at_least", Kind::Number, "the smallest"),
    key("below", Kind::Number, "the first beyond"),
];

const MATCH_USD: Shape = &[key("at_least", Kind::Number, "the smallest")];

pub(crate) const NOTIFIER_TYPES: Choice = choice(
    "type of notifier",
    &["email", "slack", "webhook", "teams", "pagerduty", "graph-mail", "alertmanager"],
);

pub(crate) const AUDIENCES: Choice = choice("audience", Audience::NAMES);

const NOTIFIER: Types = Types {
    choice: &NOTIFIER_TYPES,
    common: &[
        key(
            "digest_above",
            Kind::DigestAbove,
            "new alerts about more customers than this in one poll become one digest",
        ),
        key("give_up_after", Kind::Duration, "how long a delivery is tried"),
        key("timeout", Kind::Duration, "one attempt, end to end"),
        key("send_resolved", Kind::Boolean, "tells when an alert is over"),
        key("fallback", Kind::Texts, "notifiers that are sent what this one does not take"),
        key("fallback_after", Kind::Duration, "how long a delivery is owed before they are"),
        key(
            "audience",
            Kind::Choice(&AUDIENCES),
            "who reads its messages; mail and webhook only: \"customer\"",
        ),
        key("show_cost", Kind::Boolean, "amounts, not only percentages, in messages to customers"),
        key(
            "to_customer_contacts",
            Kind::Boolean,
            "mail about a customer goes to its contacts, not to to",
        ),
        key("subject", Kind::Template, "a template in place of a mail's subject"),
        key(
            "body",
            Kind::Template,
            "a template in place of the message: text for a mail, mrkdwn for Slack, JSON for a \
                webhook",
        ),
    ],
    own: &[
        &[
            key("from", Kind::Text, "the sender"),
            key("to", Kind::Texts, "the recipients"),
            key("reply_to", Kind::Text, "who gets the answers, in place of the sender"),
            key("smtp", Kind::Table(SMTP), "the server"),
        ],
        &[key("url", Kind::Secret, "the address of the incoming webhook")],
        &[
            key("url", Kind::Text, "the address"),
            key("secret", Kind::Secrets, "whsec_…; two while rotating"),
            key("headers", Kind::NamedSecrets, "added to each request"),
        ],
        &[key("url", Kind::Secret, "the address of the workflow")],
        &[
            key("routing_key", Kind::Secret, "the key of an Events API v2 integration"),
            key("url", Kind::Text, "where events are taken, in place of the global service region"),
        ],
        &[
            key("from", Kind::Text, "the sender, whose mailbox it is"),
            key("to", Kind::Texts, "the recipients"),
            key("reply_to", Kind::Text, "who gets the answers, in place of the sender"),
            key("oauth", Kind::Table(OAUTH), "how the application signs in"),
            key("url", Kind::Text, "base of Microsoft Graph in place of the cloud's"),
        ],
        &[
            key("url", Kind::Text, "its address, without the path of its API"),
            key("headers", Kind::NamedSecrets, "added to each request"),
        ],
    ],
};

pub(crate) const TLS: Choice = choice("tls", &["starttls", "implicit", "none"]);
pub(crate) const AUTH: Choice = choice("auth", &["plain", "login", "xoauth2"]);

const SMTP: Shape = &[
    key("host", Kind::Text, "its name"),
    key("port", Kind::Whole, "587, with implicit TLS 465, without TLS 25"),
    key("tls", Kind::Choice(&TLS), "how the connection is protected"),
    key("hello_name", Kind::Text, "the name it is greeted by, in place of this host's"),
    key("username", Kind::Text, "where it asks for one; with xoauth2 the mailbox"),
    key("password", Kind::Secret, "where it asks for one"),
    key(
        "auth",
        Kind::Choice(&AUTH),
        "how they are given; xoauth2 takes a token in place of the password",
    ),
    key("oauth", Kind::Table(OAUTH), "where xoauth2 gets its token"),
    key("allow_plaintext", Kind::Boolean, "allows tls = \"none\" beyond this machine"),
];

const OAUTH: Shape = &[
    key("tenant_id", Kind::Text, "the mailbox's tenant"),
    key("client_id", Kind::Text, "the application that signs in"),
    key("client_secret", Kind::Secret, "its secret"),
    key(
        "refresh_token",
        Kind::Secret,
        "to sign in as a user: the first one; later ones are kept in state_dir",
    ),
    key("login_url", Kind::Text, "base of the sign-in in place of the cloud's"),
    key("scope", Kind::Text, "what the token is for, in place of the usual"),
];
