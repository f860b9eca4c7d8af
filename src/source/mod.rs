//! Reads usage, from Partner Center or from a file, as a stream of records; it judges nothing and
//! remembers nothing but the sign-in.

mod audit;
mod auth;
mod budget;
mod call;
mod client;
mod config;
mod error;
mod facade;
mod file;
mod json_span;
mod links;
mod login;
mod pages;
mod record;
mod report;
mod resources;
mod scan;
mod security;
mod sign_in;
mod sink;
mod summaries;
mod wire;

pub use audit::AuditedChange;
pub use budget::{ChangeIds, SpendingBudget};
pub use config::{BuildError, Config, PartnerCenterConfig, SecurityConfig};
pub use error::{Place, SourceError};
pub use facade::Source;
pub use login::{Grant, Login};
pub use report::ReadReport;
pub use resources::{ResourceGroupUsage, ResourceUsage};
pub use security::{
    ACCESS, AnswerReason, SecurityAlerts, SecurityError, SecurityList, SecurityScore,
    SecurityWanted,
};
pub use sign_in::{BrowserPrompt, DevicePrompt};
pub use sink::{KnownRecord, Read, Settle, Sink};
pub use summaries::{SubscriptionSummary, SubscriptionUsage};
