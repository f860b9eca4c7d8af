//! Budget alerts for Microsoft cloud resellers: reads Partner Center usage, judges it by rules,
//! tells the right people once.
//!
//! # The walk of one record
//!
//! 1. [`source`] streams the collection of usage records and hands each out as a
//!    [`domain::UsageRecord`], exact to the digit.
//! 2. [`budgets`] joins it with what is known of the customer (label, local budget, tags) and
//!    places it in its billing period: [`domain::Assessed`].
//! 3. [`rules`] says for each rule whether it applies, and which steps the value has reached, each
//!    with its [`domain::Reason`].
//! 4. [`alerting`] decides what is new against what was raised and passed before. For the few
//!    customers about to alert, [`poll`] first asks the source for their subscriptions and billing
//!    period, and judges again.
//! 5. New alerts, the steps they spend and the messages they owe are recorded in one transaction.
//! 6. Alerts raised before are looked at again: told when nothing silences them any more, reminded
//!    of, resolved by a changed budget or the end of their billing period.
//! 7. A [`delivery::DeliveryWorker`] for each notifier sends what the ledger owes, and nothing
//!    else, through [`notify`]; what a receiver accepted is marked before the next is sent in its
//!    place.
//!
//! [`poll::Cycle`] is steps 1 to 6 in plain code; [`daemon`] keeps both loops alive; [`cli`] is the
//! front door.
//!
//! # Rooms
//!
//! A room imports only rooms listed above it, and its files do not import each other in a circle.
//! The test `architecture` holds both against the code.
//!
//! | room | what is in it |
//! |---|---|
//! | [`domain`] | the nouns with their invariants; no I/O, no clock |
//! | [`text`] | amounts, times, names cleaned and shortened; encodings of files, letters that nobody sees |
//! | [`clock`] | now and waiting, as a trait: the system's, a simulated one |
//! | [`fs`] | the only place that opens, makes, replaces, removes and gives away files |
//! | [`secret`] | a value that never prints, and where it can come from |
//! | [`metrics`] | every Prometheus instrument, and the health of the loops |
//! | [`http`] | what every outgoing HTTP request shares |
//! | [`entra`] | sign-in at Microsoft Entra ID: asks for tokens, renews and keeps them, what refusals mean; signs people in |
//! | [`budgets`] | who the customers are to us; assesses a record |
//! | [`rules`] | compiles rules, evaluates assessed records, purely |
//! | [`alerting`] | every decision about alerts, purely: what is new, repeats, is silenced, ends; who is owed which message |
//! | [`source`] | reads usage: Partner Center or a file, as a stream |
//! | [`ledger`] | remembers durably, lists it |
//! | [`notify`] | renders and sends: one file for each destination, one attempt, one verdict |
//! | [`delivery`] | sends what is owed: workers, backoff, fallback, mirror; news for the operator |
//! | [`poll`] | one poll: read, assess, confirm, record, follow up |
//! | [`reports`] | the regular report: when it is due, what it holds |
//! | [`analysis`] | explains, replays, simulates, previews |
//! | [`actions`] | what people order, one file each |
//! | [`listings`] | what is remembered as people and programs read it: the same in commands and on pages |
//! | [`web`] | pages and the API, metrics and health over HTTP; the control socket |
//! | [`config`] | one TOML file becomes a checked tree of the rooms' own configurations |
//! | [`daemon`] | lives long: schedule, reload, drain, systemd |
//! | [`simulator`] | an embedded Partner Center and receivers, for the demonstration and for tests |
//! | [`cli`] | arguments, one file for each command, logging, exit codes |
//!
//! # Invariants
//!
//! * `domain`, `budgets`, `rules` and `alerting` do no I/O and know no clock; `now` is an argument.
//! * Tasks are spawned by `daemon` and `simulator` only, and their handles are kept. The ledger
//!   owns one thread; on a server one for each connection and one for the lease too. Only `main`
//!   ends the process.
//! * Waiting goes through the injected clock; time-outs on what others take to answer are real
//!   time.
//! * Files are opened, made, replaced, removed and given away in `fs` only: by no link of another
//!   user, never waiting.
//! * A poll without news writes nothing into the ledger but its time.
//! * Nobody but the daemon writes its files: commands act through its control socket while one
//!   runs, by the same code.
//! * Delivery reads nothing but the ledger: what was recorded is sent the same after a restart, a
//!   reload, a renamed rule.
//! * Nothing is marked delivered before the receiver accepted it; the mark is on disk before the
//!   next is sent in its place.
//! * Partner Center is changed by `actions::push` only, for a person who ordered it; what was asked
//!   for is on disk before.
//! * Stages report findings for the operator as values; only the jobs and `daemon` record and tell
//!   them.
//! * A configuration that loads can run; a reload that does not load changes nothing.
//! * Secrets have no `Display` and a masked `Debug`. Names from outside are cleaned where they are
//!   used.
//! * Money is an exact decimal with a currency; there is no float on its way.

pub mod domain;

pub(crate) mod text;

pub mod clock;
pub mod fs;
pub mod secret;

pub mod http;
pub mod metrics;

pub mod entra;

pub mod budgets;
pub mod rules;

pub mod alerting;

pub mod source;

pub mod ledger;

pub mod notify;

pub mod delivery;

pub mod poll;

pub mod reports;

pub mod analysis;

pub mod actions;

pub(crate) mod listings;

pub mod web;

pub mod config;

pub mod daemon;

pub mod simulator;

pub mod cli;
