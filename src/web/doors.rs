//! By what people may sign in, as the configuration in force has it.

use crate::secret::Secret;
use crate::web::session::Signer;
use crate::web::shown::Known;
use crate::web::sign_in::SignIn;

/// By what people may sign in.
#[derive(Clone, Copy)]
pub(super) struct Doors<'a> {
    pub(super) token: Option<&'a Secret>,
    pub(super) sign_in: Option<&'a SignIn>,
}

impl<'a> Doors<'a> {
    /// What a configuration has.
    pub(super) fn of(known: &'a Known) -> Self {
        Self { token: known.token.as_ref(), sign_in: known.sign_in.as_deref() }
    }

    /// Whether there is anything to sign in with.
    pub(super) fn are_any(self) -> bool {
        self.token.is_some() || self.sign_in.is_some()
    }

    /// What may have signed a form: of the token, of the accounts.
    pub(super) fn signers(self) -> Vec<Signer> {
        let of_token = self.token.map(Signer::of);
        of_token.into_iter().chain(self.sign_in.map(SignIn::signer)).collect()
    }
}
