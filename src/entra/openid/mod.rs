//! Signing people in by `OpenID` Connect: where they are sent, and what their code is exchanged
//! for. What they may do, and how long they stay signed in, is left to those that ask.

mod fault;
mod id_token;
mod keys;
mod metadata;
mod provider;
mod settings;
mod signature;

pub(crate) use fault::SignInFault;
pub(crate) use id_token::Person;
pub(crate) use provider::{Asked, Provider};
pub use settings::OpenIdConfig;
