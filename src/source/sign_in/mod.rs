//! How a person signs in to Partner Center: by a code typed into any browser, or by a browser on
//! this machine. Whether Partner Center takes the sign-in is `login`'s, how it is renewed ever after
//! `auth`'s.

mod authority;
pub(super) mod browser;
pub(super) mod claims;
pub(super) mod device;
mod redirect;

pub use browser::BrowserPrompt;
pub use device::DevicePrompt;

pub(crate) use authority::Authority;
pub(crate) use claims::was_multi_factor;
