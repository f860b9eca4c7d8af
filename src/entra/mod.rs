//! Sign-in at Microsoft Entra ID: asks its token endpoint, says what its refusals mean, renews
//! access tokens, keeps refresh tokens on disk, and signs people in. Who signs in for what is left
//! to those that ask.

mod access_tokens;
mod application;
mod openid;
mod refresh_tokens;
mod refusals;
mod token_answer;
mod token_store;

pub(crate) use access_tokens::AccessTokens;
pub(crate) use application::{Application, TokenError, token_url};
pub use openid::OpenIdConfig;
pub(crate) use openid::{Asked, Person, Provider, SignInFault};
pub(crate) use refresh_tokens::RefreshTokens;
pub(crate) use refusals::{Advice, NEW_REFRESH_TOKEN, advice};
pub(crate) use token_answer::{TokenAnswer, TokenRefusal, first_sentence};
pub(crate) use token_store::{TokenStore, is_token_file, put_back, token_files};
