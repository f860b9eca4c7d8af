//! How a person signs in to Partner Center: by a code typed into any browser, or by a browser on
//! this machine. Whether Partner Center takes the sign-in is `login`'s, how it is renewed ever after
//! `auth`'s.

pub(super) mod browser;
pub(super) mod claims;
pub(super) mod device;
mod redirect;

pub use browser::BrowserPrompt;
pub use device::DevicePrompt;

pub(crate) use claims::was_multi_factor;

/// What a person signs in for: Partner Center as this user, further refresh tokens, and who the user
/// is.
const SCOPE: &str =
    "https://api.partnercenter.microsoft.com/user_impersonation offline_access openid profile";
