//! The regular report: when it is due ([`report_schedule`]), what it holds ([`build`]), and that it
//! is owed ([`scheduler`]). At the same time of the day the operator is reminded of claims that
//! must be filed ([`claims`]). What it looks like is `notify`'s.

mod budget;
mod build;
mod claims;
mod report_schedule;
mod scheduler;
mod scope;
mod survey;
mod top;

pub use build::{report, report_messages};
pub use claims::ClaimReminders;
pub use report_schedule::{Due, ReportSchedule};
pub use scheduler::ReportScheduler;
pub use scope::Scope;
