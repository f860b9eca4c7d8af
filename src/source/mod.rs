//! Reads usage, from Partner Center or from a file, as a stream of records; it judges nothing and remembers nothing but
//! the sign-in.

mod auth;
mod call;
mod client;
mod config;
mod door;
mod error;
mod file;
mod links;
mod pages;
mod record;
mod report;
mod resources;
mod scan;
mod sign_in;
mod summaries;
mod walk;
mod wire;

pub use config::{BuildError, Config, PartnerCenterConfig};
pub use door::Source;
pub use error::{Place, SourceError};
pub use report::{Read, ReadReport, Settle, Sink};
pub use resources::{ResourceGroupUsage, ResourceUsage};
pub use sign_in::{BrowserPrompt, DevicePrompt, Grant, Login};
pub use summaries::{SubscriptionSummary, SubscriptionUsage};
