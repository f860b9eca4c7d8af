//! Finds what must not be shown of a configuration: secrets that stand in it, and comments, which
//! may hold old ones.
//!
//! It reads letters, not TOML, so that a text with mistakes is masked as well as one without. When
//! in doubt it hides.

use std::ops::Range;

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
const TELLTALE: [&str; 4] = ["whsec_", "hooks.slack.com", "Bearer ", "&sig="];
/// Keys of the places of secrets, which are no secrets where they look like a place.
const PLACES: [&str; 3] = ["env", "file", "credential"];

/// What is hidden in a text, in order.
#[derive(Debug, Default)]
pub(crate) struct Hidden {
    /// Values; a mask takes their place.
    pub(crate) values: Vec<Range<usize>>,
    /// Comments; nothing takes their place.
    pub(crate) comments: Vec<Range<usize>>,
}

/// Finds what is hidden in `text`.
pub(crate) fn hidden(text: &str) -> Hidden {
    let known = key_names::all().into_iter().filter(|name| !is_secret(name)).collect();
    let mut scan = Scan { text, known, fresh: true, ..Scan::default() };
    while let Some(letter) = scan.rest().chars().next() {
        scan.take(letter);
    }
    scan.hidden
}

/// How much of a value may be shown.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Trust {
    /// All of it.
    #[default]
    Shown,
    /// Numbers and the like: the key is not known.
    Plain,
    /// Nothing.
    Secret,
}

#[derive(Default)]
struct Scan<'a> {
    text: &'a str,
    at: usize,
    hidden: Hidden,
    /// The names of all keys that are no secret.
    known: Vec<&'static str>,
    /// The last word, which is a key when `=` follows.
    word: &'a str,
    /// Whether a key may begin here.
    fresh: bool,
    /// Whether what comes next is a value, and how much of it may be shown.
    in_value: bool,
    trust: Trust,
    /// The name of the last header, and how much of its table may be shown.
    table: (&'a str, Trust),
    /// The open brackets: whether it is an inline table, and how much of what is in it may be
    /// shown.
    open: Vec<(bool, Trust)>,
}

impl<'a> Scan<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, letter: char) {
        match letter {
            '\n' => self.end_line(),
            '#' => {
                let end = self.at + self.rest().find('\n').unwrap_or(self.rest().len());
                self.hidden.comments.push(self.at..end);
                self.at = end;
            }
            '=' => self.begin_value(),
            '[' if self.open.is_empty() && !self.in_value => self.header(),
            '[' | '{' => self.open(letter == '{'),
            ']' | '}' => self.close(),
            ',' => {
                self.begin_item(!matches!(self.open.last(), Some((true, _))));
                self.at += 1;
            }
            letter if letter.is_whitespace() => self.at += letter.len_utf8(),
            '"' | '\'' => self.string(letter),
            _ => self.bare(),
        }
    }

    /// How much of what is in these brackets, or in this table, may be shown.
    fn around(&self) -> Trust {
        self.open.last().map_or(self.table.1, |(_, trust)| *trust)
    }

    fn begin_item(&mut self, value: bool) {
        self.in_value = value;
        self.fresh = true;
        self.trust = self.around();
    }

    fn end_line(&mut self) {
        self.word = "";
        self.begin_item(matches!(self.open.last(), Some((false, _))));
        self.at += 1;
    }

    fn begin_value(&mut self) {
        self.trust = match self.word {
            "url" if self.table.0 == "ledger" => Trust::Shown,
            word if is_secret(word) => Trust::Secret,
            word if self.around() == Trust::Secret && !PLACES.contains(&word) => Trust::Secret,
            word if self.is_known(word) => Trust::Shown,
            _ => Trust::Plain,
        };
        self.in_value = true;
        self.at += 1;
    }

    /// The header of a table; what only begins like one is read as a key.
    fn header(&mut self) {
        let line = self.rest().split('\n').next().unwrap_or_default();
        let Some(end) = line.find(']') else {
            self.at += 1;
            return;
        };
        let name = line
            .get(..end)
            .unwrap_or_default()
            .trim_matches(|letter: char| letter.is_whitespace() || letter == '[');
        let last = name.rsplit('.').next().unwrap_or_default().trim().trim_matches(['"', '\'']);
        self.table = (name, if is_secret(last) { Trust::Secret } else { Trust::Shown });
        let rest = line.get(end..).unwrap_or_default();
        self.at += line.len() - rest.trim_start_matches(']').len();
        self.fresh = false;
    }

    fn open(&mut self, table: bool) {
        self.open.push((table, self.trust));
        self.begin_item(!table);
        self.at += 1;
    }

    fn close(&mut self) {
        self.open.pop();
        self.in_value = true;
        // Nothing may follow before the next item: what does is the rest of something broken, and
        // may be a secret.
        self.trust = Trust::Secret;
        self.at += 1;
    }

    fn string(&mut self, quote: char) {
        let length = string_length(self.rest(), quote);
        let text = self.rest().get(..length).unwrap_or_default();
        self.piece(text, text.trim_matches(quote));
    }

    fn bare(&mut self) {
        let ends = |letter: char| letter.is_whitespace() || "=,[]{}#\"'".contains(letter);
        let text = self.rest().split(ends).next().unwrap_or_default();
        self.piece(text, text.rsplit('.').next().unwrap_or_default());
    }

    /// A string or a bare word, which is `word` where it is a key.
    fn piece(&mut self, text: &'a str, word: &'a str) {
        let end = self.at + text.len().max(1);
        let is_key = self
            .text
            .get(end..)
            .unwrap_or_default()
            .trim_start_matches([' ', '\t'])
            .starts_with(['=', '.'])
            || text.ends_with('.');
        let shown = match (self.in_value, self.trust) {
            (true, Trust::Shown) => true,
            (true, Trust::Plain) => is_plain(text),
            (true, Trust::Secret) => false,
            // A key, or what was meant to be one; anything else may be the rest of a broken value.
            (false, _) => (self.fresh || text.starts_with('.')) && (is_key || self.is_known(word)),
        };
        let telltale = TELLTALE.iter().any(|part| text.contains(part))
            || (text.contains("://") && text.contains('@'));
        // What looks like no name of a place may be the secret itself.
        let is_place =
            self.in_value && self.around() == Trust::Secret && PLACES.contains(&self.word);
        let misplaced = is_place && !looks_right_for(self.word, word);
        if !shown || telltale || misplaced {
            self.hidden.values.push(self.at..end);
        }
        self.fresh = text.ends_with('.');
        self.word = word;
        self.at = end;
    }

    /// Whether it is a key that is no secret, or one misspelt.
    fn is_known(&self, word: &str) -> bool {
        !is_secret(word)
            && (self.known.contains(&word)
                || self.known.iter().any(|known| strsim::jaro_winkler(word, known) >= 0.9))
    }
}

/// Numbers, dates, true and false.
fn is_plain(text: &str) -> bool {
    ["true", "false"].contains(&text)
        || text.chars().all(|letter| letter.is_ascii_digit() || "+-._:".contains(letter))
}

/// The length of the string that `text` begins with; one that is not closed ends with the line, or
/// the text.
fn string_length(text: &str, quote: char) -> usize {
    let triple: String = [quote; 3].iter().collect();
    let many = text.starts_with(&triple);
    let end = if many { triple.as_str() } else { text.get(..1).unwrap_or_default() };
    let mut letters = text.char_indices().skip(end.len());
    while let Some((at, letter)) = letters.next() {
        if letter == '\\' && quote == '"' {
            letters.next();
        } else if letter == '\n' && !many {
            return at;
        } else if text.get(at..).is_some_and(|rest| rest.starts_with(end)) {
            // A multi-line string may end with quotes of its own.
            let quotes = text.get(at..).map_or(0, |rest| {
                rest.chars().take(if many { 5 } else { 1 }).take_while(|l| *l == quote).count()
            });
            return at + quotes;
        }
    }
    text.len()
}

/// Whether a key's value is secret; misspelt names count.
fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    let close = |secret: &str| strsim::damerau_levenshtein(&name, secret) <= secret.len() / 4;
    SECRET.iter().any(|secret| close(secret)) || TELLING.iter().any(|part| name.contains(part))
}
