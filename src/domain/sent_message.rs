//! A message as it was handed to a receiver, kept so that it can be shown later word for word.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What a receiver was handed. What it was written from may have changed since: texts depend on the
/// configuration, on the time and on the version of the program.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentMessage {
    /// Of a mail: its subject.
    pub subject: Option<String>,
    /// Of a mail: what readers of plain text see.
    pub text: Option<String>,
    /// Of a mail: what all others see, without the picture.
    pub html: Option<String>,
    /// Of a request: its body, without secrets; several one after the other.
    pub body: Option<String>,
    /// Its headers in their order, without those that hold a secret.
    pub headers: Vec<(String, String)>,
    /// The SHA-256, in hex, of all that was handed over, pictures and secrets included.
    pub sha256: String,
}

impl SentMessage {
    /// Its headers by name; those of one name are one, as in HTTP (RFC 9110, section 5.3).
    pub fn headers_by_name(&self) -> BTreeMap<&str, String> {
        let mut headers: BTreeMap<&str, String> = BTreeMap::new();
        for (name, value) in &self.headers {
            let all = headers.entry(name).or_default();
            if !all.is_empty() {
                all.push_str(", ");
            }
            all.push_str(value);
        }
        headers
    }
}

/// Neither bodies nor addresses go into a log.
impl fmt::Debug for SentMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentMessage").field("sha256", &self.sha256).finish_non_exhaustive()
    }
}
