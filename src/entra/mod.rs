//! Sign-in at Microsoft Entra ID: what its token endpoint answers, what its refusals mean, and how
//! a refresh token is kept on disk. Who signs in for what is left to those that ask.

mod refusals;
mod token_answer;
mod token_store;

pub(crate) use refusals::{Advice, NEW_REFRESH_TOKEN, advice};
pub(crate) use token_answer::{TokenAnswer, TokenRefusal, error_word, first_sentence};
pub(crate) use token_store::{StoredToken, TokenStore};
