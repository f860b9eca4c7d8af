//! What would be, or was: [`explain()`], [`impact()`], [`Replay`], [`Simulation`],
//! [`calibration`], the preview of a silence ([`SilencePreview`]), what
//! past billing periods came to ([`whole_periods()`]), and customers or patterns that
//! fit nobody ([`Strangers`]).

pub mod calibration;
mod explain;
mod guess;
mod history;
mod impact;
mod learning;
mod replay;
mod silence_preview;
mod simulation;
mod strangers;
mod whole_periods;

pub use explain::{Explanation, RuleAccount, explain};
pub use guess::Guess;
pub use history::recollect;
pub use impact::{Impact, impact};
pub use learning::{LearningCustomer, learning};
pub use replay::{Replay, Replayed};
pub(crate) use silence_preview::reach;
pub use silence_preview::{Hidden, SilencePreview};
pub use simulation::{Comparison, Judge, Simulation};
pub use strangers::Strangers;
pub use whole_periods::whole_periods;
