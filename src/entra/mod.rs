//! Sign-in at Microsoft Entra ID: what its token endpoint answers, and how a refresh token is kept
//! on disk. Who signs in for what is left to those that ask.

mod token_answer;
mod token_store;

pub(crate) use token_answer::{TokenAnswer, TokenRefusal, error_word, first_sentence};
pub(crate) use token_store::{StoredToken, TokenStore};
