//! The refresh tokens of one user: the first one is configured or comes of a person's sign-in, each
//! later one of the one before. The newest is kept on disk, and in memory while the disk fails.

use std::io;

use jiff::Timestamp;

use crate::entra::application::TokenError;
use crate::entra::token_store::{StoredToken, TokenStore};
use crate::secret::Secret;

/// The refresh tokens of one user.
pub(crate) struct RefreshTokens {
    store: TokenStore,
    /// What the log calls what is kept.
    called: String,
    configured: Option<Secret>,
    /// One that could not be put on disk, and why.
    pub(super) unsaved: Option<(StoredToken, String)>,
    /// When the one in force was issued, as far as known.
    pub(super) issued_at: Option<Timestamp>,
}

impl RefreshTokens {
    pub(crate) fn new(store: TokenStore, called: String, configured: Option<Secret>) -> Self {
        Self { store, called, configured, unsaved: None, issued_at: None }
    }

    /// The newest one. The disk is asked each time: another process may have put one there.
    pub(super) async fn in_force(&mut self) -> Result<StoredToken, TokenError> {
        let newest = match &self.unsaved {
            Some((unsaved, _)) => unsaved.clone(),
            None => self.look_up().await?,
        };
        self.issued_at = newest.issued_at;
        Ok(newest)
    }

    /// The kept one, unless another one has been configured since.
    async fn look_up(&self) -> Result<StoredToken, TokenError> {
        let stored = self.store.on_disk(TokenStore::load).await;
        let Some(configured) = &self.configured else {
            return stored
                .map_err(|error| TokenError::NoRefreshToken(Some(error)))?
                .ok_or(TokenError::NoRefreshToken(None));
        };
        let seed = StoredToken::seed_of(configured);
        match stored {
            Ok(Some(stored)) if stored.seed == seed => return Ok(stored),
            Ok(_) => {}
            Err(error) => tracing::error!(
                "{} cannot be read ({error}); the configured refresh token is used",
                self.called
            ),
        }
        Ok(StoredToken { token: configured.clone(), seed, issued_at: None })
    }

    /// Keeps the one that came for the `used` one, if one came. Where that fails, the access token
    /// is used all the same: the one before stays valid until it expires (Entra revokes none by
    /// use), while an overspend may be waiting to be seen or told.
    pub(super) async fn follow(&mut self, used: StoredToken, next: Option<Secret>, now: Timestamp) {
        let next = next.map(|token| StoredToken { token, seed: used.seed, issued_at: Some(now) });
        let Some(newest) = next.or_else(|| self.unsaved.take().map(|(unsaved, _)| unsaved)) else {
            return;
        };
        self.issued_at = newest.issued_at;
        let saving = newest.clone();
        let saved = self.store.on_disk(move |store| store.save(&saving)).await;
        self.unsaved = saved.err().map(|error| (newest, error.to_string()));
    }

    /// Keeps one that a person has just signed in for.
    pub(super) async fn keep(&mut self, token: Secret, now: Timestamp) -> io::Result<()> {
        // It stands for the configured one until another is configured; with none at hand, for the
        // one before.
        let seed = self.configured.as_ref().map(StoredToken::seed_of);
        let keeping = move |store: &TokenStore| {
            let seed = seed.or_else(|| Some(store.load().ok()??.seed)).unwrap_or_default();
            store.save(&StoredToken { token, seed, issued_at: Some(now) })
        };
        self.store.on_disk(keeping).await?;
        (self.unsaved, self.issued_at) = (None, Some(now));
        Ok(())
    }
}
