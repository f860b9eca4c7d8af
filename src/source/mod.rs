//! Reads usage, from Partner Center or from a file, as a stream of records; it judges nothing and
//! remembers nothing but the sign-in.

mod auth;
mod call;
mod client;
mod config;
mod error;
mod facade;
mod file;
mod json_span;
mod links;
mod pages;
mod record;
mod report;
mod resources;
mod scan;
mod sign_in;
mod summaries;
mod wire;

pub use config::{BuildError, Config, PartnerCenterConfig};
pub use error::{Place, SourceError};
pub use facade::Source;
pub use report::{Read, ReadReport, Settle, Sink};
pub use resources::{ResourceGroupUsage, ResourceUsage};
pub use sign_in::{BrowserPrompt, DevicePrompt, Grant, Login};
pub use summaries::{SubscriptionSummary, SubscriptionUsage};
