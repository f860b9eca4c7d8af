//! Sends what the ledger owes, and nothing else: a [`worker`] for each notifier, with several
//! deliveries at once ([`in_flight_batch`], [`concurrency_limit`]), each an [`attempt`]; how the
//! destination does is [`notifier_health`], and each recipient that it defers ([`deferring`]) is
//! one of [`deferred_recipients`]; [`links`] to act by are put in here; who is told where it fails is [`fallback`]. What is open is shown by
//! [`mirror`]. News for the operator: [`operator_findings`]; the one message without a ledger:
//! [`emergency`].

pub(crate) mod attempt;
mod concurrency_limit;
mod deferred_recipients;
mod deferring;
mod emergency;
mod fallback;
mod in_flight_batch;
mod links;
mod mirror;
pub(crate) mod notifier_health;
pub(crate) mod operator_findings;
mod undeliverable;
mod worker;

pub use attempt::UnconfirmedDeliveries;
pub use emergency::{Emergency, Occurrence, Stopped, Voice};
pub use fallback::Fallback;
pub use mirror::Mirror;
pub use notifier_health::backoff;
pub use operator_findings::OperatorFindings;
pub(crate) use operator_findings::{FindingClosure, is_about, notifier_of};
pub use undeliverable::drop_undeliverable;
pub use worker::{DeliveryWorker, Progress};
