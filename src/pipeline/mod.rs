//! The order of the stages in plain code. It never spawns; who calls it decides what runs beside what.
//!
//! * One poll: [`cycle`], which takes records in ([`intake`], [`settling`], [`subscriptions`]), asks about those about to alert
//!   ([`confirm`], [`places`]), records, and looks at earlier alerts ([`life`]).
//! * Sending what the ledger owes: [`delivery`], in a [`round`] of several [`lanes`], each with a [`carrier`]; how the destination
//!   does: [`standing`], and each recipient that it defers ([`deferring`]): [`recipients`]; who is told instead where it fails:
//!   [`fallback`]. Showing what is open, in place of that: [`mirror`]. News for the operator: [`desk`], [`findings`]; the one
//!   message without a ledger: [`emergency`].
//! * What people ask for: [`action`]. What would be, or was: [`explain()`], [`past`], [`impact()`], [`Replay`], [`Simulation`],
//!   [`reach`], [`coverage`].

mod action;
mod carrier;
mod confirm;
mod coverage;
mod cycle;
mod deferring;
mod delivery;
mod desk;
mod emergency;
mod explain;
mod fallback;
mod findings;
mod guess;
mod hushed;
mod impact;
mod intake;
mod lanes;
mod life;
mod mirror;
mod namesakes;
mod orphans;
mod past;
mod places;
mod raising;
mod reach;
mod recipients;
mod replay;
mod report;
mod round;
mod settling;
mod simulation;
mod slices;
mod standing;
mod strangers;
mod subscriptions;
mod timetable;
mod turns;
mod verdicts;

pub use action::{
    AckOrder, Acknowledged, Acknowledgement, Action, ActionError, Author, DaemonLines, DeliveriesAnswer, DeliveryProgress, ExpireOrder,
    Expired, Office, PollAnswer, PollOrder, PollRequest, Polled, ReleaseOrder, Released, Retried, RetryOrder, SignInKept, SignInOrder,
    SilenceAdded, SilenceOrder, SilenceView, SourceState, Until, UntilWord, name_of,
};
pub use carrier::Unmarked;
pub use coverage::{Gap, gap, silent, silent_about};
pub use cycle::{Cycle, CycleReport, Suppressed};
pub use delivery::{Courier, Progress};
pub use desk::Desk;
pub(crate) use desk::{Ending, is_about, notifier_of};
pub use emergency::{Emergency, Occurrence, Stopped, Voice};
pub use explain::{Explanation, RuleAccount, explain};
pub use fallback::Fallback;
pub use guess::Guess;
pub use impact::{Impact, impact};
pub use mirror::Mirror;
pub use namesakes::{Named, Namesakes};
pub use orphans::bury_orphans;
pub use past::recollect;
pub use reach::{Hidden, Reach};
pub use replay::{Replay, Replayed};
pub use report::{Press, Scope, report, report_messages};
pub use simulation::{Comparison, Judge, Simulation};
pub use slices::{CrossingCustomers, SLICE};
pub use standing::backoff;
pub use strangers::Strangers;
pub use timetable::{Due, Timetable};
pub use verdicts::Time;
