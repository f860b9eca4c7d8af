//! How a person signs in to Partner Center: by a code typed into any browser, or by a browser on
//! this machine. How the sign-in that came of it is renewed ever after is `auth`'s.

mod authority;
mod browser;
mod claims;
mod device;
mod login;
mod redirect;
mod refusals;

pub use browser::BrowserPrompt;
pub use device::DevicePrompt;
pub use login::{Grant, Login};

pub(crate) use authority::Authority;
pub(crate) use claims::was_multi_factor;
pub(crate) use refusals::{Advice, advice};
