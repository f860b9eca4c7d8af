//! Letters: the encodings that files are saved in, names in one form, and what cannot be seen. It knows nothing of what
//! the texts are about.

mod encoding;
mod name;
mod unseen;

pub(crate) use encoding::{NotText, Transcoder, decode};
pub(crate) use name::{folded, name_key, same_name};
pub(crate) use unseen::{called, is_obeyed, is_unseen, unseen};
