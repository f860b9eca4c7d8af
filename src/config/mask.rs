//! Finds what must not be shown of a configuration: secrets that stand in it, and comments, which
//! may hold old ones. Where values stand, the TOML parser says; of a file that is no TOML, no
//! values are shown. When in doubt it hides.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::key_names;
use crate::secret::looks_right_for;

/// Keys whose values are secret, wherever they stand.
const SECRET: [&str; 9] = [
    "secret",
    "password",
    "token",
    "client_secret",
    "refresh_token",
    "heartbeat_url",
    "headers",
    "routing_key",
    "url",
];
/// Parts of names that make a value secret.
const TELLING: [&str; 5] = ["secret", "passw", "token", "api_key", "apikey"];
/// Parts of values that are secret whatever they are called.
const TELLTALE: [&str; 5] = ["whsec_", "hooks.slack.com", "Bearer ", "&sig=", "-----BEGIN"];
/// Keys of the places of secrets, which are no secrets where they look like a place.
const PLACES: [&str; 3] = ["env", "file", "credential"];

/// What is hidden in a text, in order.
#[derive(Debug, Default)]
pub(crate) struct Hidden {
    /// Values; `mask` takes their place.
    pub(crate) values: Vec<Range<usize>>,
    /// In place of a value.
    pub(crate) mask: &'static str,
    /// Comments; nothing takes their place.
    pub(crate) comments: Vec<Range<usize>>,
}

/// Finds what is hidden in `text`.
pub(crate) fn hidden(text: &str) -> Hidden {
    let mut known = key_names::all();
    match DeTable::parse(text) {
        Ok(document) => {
            known.retain(|name| !is_secret(name));
            let mut walk = Walk { text, known, read: Vec::new(), hidden: Vec::new() };
            walk.table(document.get_ref(), "", Trust::Shown);
            walk.finish()
        }
        Err(_) => Hidden { values: rests(text, &known), mask: "…", comments: Vec::new() },
    }
}

/// How much of a value may be shown.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Trust {
    /// All of it.
    Shown,
    /// Numbers and the like: the key is not known.
    Plain,
    /// Nothing.
    Secret,
}

/// A walk through all values.
struct Walk<'a> {
    text: &'a str,
    /// The names of all keys that are no secret.
    known: Vec<&'static str>,
    /// Where keys and values stand, those that are hidden included.
    read: Vec<Range<usize>>,
    hidden: Vec<Range<usize>>,
}

impl Walk<'_> {
    /// The table at `path`, in which so much may be shown.
    fn table(&mut self, table: &DeTable<'_>, path: &str, around: Trust) {
        for (key, value) in table {
            let name = key.get_ref();
            let path = format!("{path}.{name}");
            self.read.push(key.span());
            self.value(name, value, &path, (around, self.trust(name, &path, around)));
        }
    }

    fn trust(&self, name: &str, path: &str, around: Trust) -> Trust {
        if path == ".ledger.url" {
            Trust::Shown
        } else if is_secret(name) || (around == Trust::Secret && !PLACES.contains(&name)) {
            Trust::Secret
        } else if self.is_known(name) {
            Trust::Shown
        } else {
            Trust::Plain
        }
    }

    fn value(
        &mut self,
        name: &str,
        value: &Spanned<DeValue<'_>>,
        path: &str,
        (around, trust): (Trust, Trust),
    ) {
        match value.get_ref() {
            DeValue::Table(table) => self.table(table, path, trust),
            DeValue::Array(items) => {
                items.iter().for_each(|item| self.value(name, item, path, (around, trust)));
            }
            leaf @ (DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)) => {
                let text = self.text.get(value.span()).unwrap_or_default();
                let shown = match trust {
                    Trust::Shown => true,
                    Trust::Plain => is_plain(text),
                    Trust::Secret => false,
                };
                let telltale = TELLTALE.iter().any(|part| text.contains(part))
                    || (text.contains("://") && text.contains('@'));
                // What looks like no name of a place may be the secret itself.
                let misplaced = around == Trust::Secret
                    && PLACES.contains(&name)
                    && !looks_right_for(name, leaf.as_str().unwrap_or(text));
                if !shown || telltale || misplaced {
                    self.hidden.push(value.span());
                }
                self.read.push(value.span());
            }
        }
    }

    /// Whether it is a key that is no secret, or one misspelt.
    fn is_known(&self, name: &str) -> bool {
        self.known.contains(&name)
            || self.known.iter().any(|known| strsim::jaro_winkler(name, known) >= 0.9)
    }

    /// Comments begin with a `#` that stands in no key and no value.
    fn finish(mut self) -> Hidden {
        self.read.sort_by_key(|range| range.start);
        self.hidden.sort_by_key(|range| range.start);
        let mut comments: Vec<Range<usize>> = Vec::new();
        let (mut read, mut until) = (self.read.iter().peekable(), 0);
        for (at, _) in self.text.match_indices('#') {
            while let Some(range) = read.next_if(|range| range.start <= at) {
                until = until.max(range.end);
            }
            if at >= until {
                let rest = self.text.get(at..).unwrap_or_default();
                until = at + rest.find('\n').unwrap_or(rest.len());
                comments.push(at..until);
            }
        }
        Hidden { values: self.hidden, mask: "\"***\"", comments }
    }
}

/// Of each line what follows the names of known keys at its beginning, and the `=` behind them.
fn rests(text: &str, known: &[&str]) -> Vec<Range<usize>> {
    let mut rests = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end();
        let shown = content.len() - rest(content, known).len();
        if shown < content.len() {
            rests.push(start + shown..start + content.len());
        }
        start += line.len();
    }
    rests
}

/// The line without the names of known keys at its beginning.
fn rest<'a>(line: &'a str, known: &[&str]) -> &'a str {
    let mut rest = line;
    loop {
        let sign = |letter: char| letter.is_whitespace() || "[]{.".contains(letter);
        rest = rest.trim_start_matches(sign);
        if let Some(value) = rest.strip_prefix('=') {
            return value.trim_start();
        }
        let end = rest.find(|letter| sign(letter) || letter == '=').unwrap_or(rest.len());
        match rest.split_at_checked(end) {
            Some((word, behind)) if known.contains(&word) => rest = behind,
            _ => return rest,
        }
    }
}

/// Numbers, dates, true and false.
fn is_plain(text: &str) -> bool {
    ["true", "false"].contains(&text)
        || text.chars().all(|letter| letter.is_ascii_digit() || "+-._:".contains(letter))
}

/// Whether a key's value is secret; misspelt names count.
fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    let close = |secret: &str| strsim::damerau_levenshtein(&name, secret) <= secret.len() / 4;
    SECRET.iter().any(|secret| close(secret)) || TELLING.iter().any(|part| name.contains(part))
}
