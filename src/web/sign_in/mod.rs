//! Signing in with Microsoft accounts: `/sign-in` sends a browser to the sign-in service, and
//! `/sign-in/callback` takes what it brings back. What the service says is checked in `entra`.

mod answers;
mod attempt;
mod service;

pub(super) use answers::{answer, is_door};
pub use service::SignIn;
