//! Reads tables by key into checked values, and collects every mistake with its place.

use std::cell::RefCell;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rust_decimal::Decimal;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::Environment;
use crate::config::mistakes::Mistake;
use crate::config::url::endpoint;
use crate::config::value;
use crate::domain::Currency;
use crate::fs::SeenFiles;
use crate::secret::{CREDENTIALS_FALLBACK, Secret, SecretError, SecretSource};

/// In place of an address that is not read; nothing is at it (RFC 2606).
const UNREAD_URL: &str = "https://unread.invalid/";

/// A range of bytes of the file.
pub(crate) type Span = Range<usize>;

/// What reading needs beside the file, and what it found.
pub(crate) struct Reader<'a> {
    environment: &'a Environment,
    file: &'a Path,
    mistakes: RefCell<Vec<Mistake>>,
    warnings: RefCell<Vec<Mistake>>,
    /// The other files that it names.
    seen: RefCell<SeenFiles>,
    /// Paths of secrets in the file itself.
    inline_secrets: RefCell<Vec<Span>>,
}

/// One key of a table with its value; for an item of a list, the list's key.
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a str,
    pub(crate) key: Span,
    pub(crate) value: &'a DeValue<'a>,
    pub(crate) span: Span,
}

/// A value with its place.
#[derive(Debug, Clone)]
pub(crate) struct Placed<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

/// A table of the file; its getters are silent about wrong types, which the check has named.
#[derive(Clone)]
pub(crate) struct Table<'a> {
    pub(crate) reader: &'a Reader<'a>,
    pub(crate) span: Span,
    pub(crate) path: String,
    entries: Option<&'a DeTable<'a>>,
}

/// The entries of a table in the order of the file.
pub(crate) fn by_place<'a>(table: &'a DeTable<'a>) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry<'a>> =
        table.iter().map(|(key, value)| Entry::new(key, value)).collect();
    entries.sort_by_key(|entry| entry.key.start);
    entries
}

impl<'a> Entry<'a> {
    fn new(key: &'a Spanned<std::borrow::Cow<'a, str>>, value: &'a Spanned<DeValue<'a>>) -> Self {
        Self { name: key.get_ref(), key: key.span(), value: value.get_ref(), span: value.span() }
    }

    fn itself(&self) -> Entry<'_> {
        Entry { name: self.name, key: self.key.clone(), value: self.value, span: self.span.clone() }
    }

    /// An item of the list that this entry holds.
    pub(crate) fn item<'i>(&'i self, value: &'i Spanned<DeValue<'i>>) -> Entry<'i> {
        Entry { name: self.name, key: value.span(), value: value.get_ref(), span: value.span() }
    }
}

impl<'a> Reader<'a> {
    /// Reads what stands in `file`, to which paths in it are relative.
    pub(crate) fn new(environment: &'a Environment, file: &'a Path) -> Self {
        Self {
            environment,
            file,
            seen: RefCell::default(),
            mistakes: RefCell::default(),
            warnings: RefCell::default(),
            inline_secrets: RefCell::default(),
        }
    }

    /// Notes a mistake.
    pub(crate) fn mistake(&self, span: Span, text: impl Into<String>) {
        self.mistakes.borrow_mut().push(Mistake { span, text: text.into() });
    }

    /// Notes what is allowed but unwise.
    pub(crate) fn warning(&self, span: Span, text: impl Into<String>) {
        self.warnings.borrow_mut().push(Mistake { span, text: text.into() });
    }

    /// Warns of every secret that stands in the file itself.
    pub(crate) fn warn_of_inline_secrets(&self) {
        let text = "others can read the secret that stands here: move it to a credential, or chmod \
            600 the file";
        self.inline_secrets.borrow().iter().for_each(|span| self.warning(span.clone(), text));
    }

    /// Notes the mistake of a failed conversion.
    pub(crate) fn check<T>(&self, entry: &Entry<'_>, result: Result<T, String>) {
        if let Err(text) = result {
            self.mistake(entry.span.clone(), text);
        }
    }

    /// The value, or nothing and a mistake.
    pub(crate) fn accept<T>(&self, span: &Span, result: Result<T, impl ToString>) -> Option<T> {
        result.map_err(|error| self.mistake(span.clone(), error.to_string())).ok()
    }

    /// Everything found: mistakes, and warnings.
    pub(crate) fn finish(self) -> (Vec<Mistake>, Vec<Mistake>) {
        (self.mistakes.into_inner(), self.warnings.into_inner())
    }

    /// A path as written in the file: relative to the file's folder.
    pub(crate) fn path(&self, written: &Placed<&str>) -> PathBuf {
        self.refuse_home(written);
        self.file.parent().unwrap_or(Path::new("")).join(written.value)
    }

    /// The same of a file that is read now.
    pub(crate) fn read_path(&self, written: &Placed<&str>) -> PathBuf {
        let path = self.path(written);
        self.seen.borrow_mut().note(&path);
        path
    }

    /// The other files that it names, as they were before they were read.
    pub(crate) fn seen(&self) -> SeenFiles {
        self.seen.borrow().clone()
    }

    /// `~` is a home to shells only; a folder of that name is never meant.
    pub(crate) fn refuse_home(&self, written: &Placed<&str>) {
        if written.value == "~" || written.value.starts_with('~') && written.value.contains('/') {
            self.mistake(
                written.span.clone(),
                "\"~\" is known to shells only: write the whole path, such as \"/home/name/…\"",
            );
        }
    }

    /// The file that is read.
    pub(crate) fn file(&self) -> &'a Path {
        self.file
    }

    pub(crate) fn environment(&self) -> &'a Environment {
        self.environment
    }

    /// Notes a secret that stands in the file itself.
    fn note_inline(&self, entry: &Entry<'_>) {
        if entry.value.is_str() {
            self.inline_secrets.borrow_mut().push(entry.span.clone());
        }
    }

    /// The secret of this key, or nothing and a mistake that ends in `hint`.
    fn secret(&self, entry: &Entry<'_>, key: &str, hint: &str) -> Option<Placed<Secret>> {
        let source = self.secret_source(entry)?;
        if let SecretSource::Credential(name) = &source {
            self.seen.borrow_mut().note(&Path::new(CREDENTIALS_FALLBACK).join(name));
        }
        match source.resolve(self.environment) {
            Ok(secret) => Some(Placed { value: secret, span: entry.span.clone() }),
            Err(error) => {
                self.mistake(entry.span.clone(), format!("{}{hint}", missing(key, &error)));
                None
            }
        }
    }

    fn secret_source(&self, entry: &Entry<'_>) -> Option<SecretSource> {
        if let Some(text) = entry.value.as_str() {
            let is_blank = text.trim().is_empty();
            return (!is_blank).then(|| SecretSource::Inline(Secret::new(text)));
        }
        match by_place(entry.value.as_table()?).as_slice() {
            [place] => self.place(place),
            _ => None,
        }
    }

    fn place(&self, place: &Entry<'_>) -> Option<SecretSource> {
        let written = place.value.as_str().filter(|text| !text.trim().is_empty())?;
        match place.name {
            "env" => Some(SecretSource::Env(written.to_owned())),
            "file" => Some(SecretSource::File(
                self.read_path(&Placed { value: written, span: place.span.clone() }),
            )),
            "credential" => Some(SecretSource::Credential(written.to_owned())),
            _ => None,
        }
    }
}

fn missing(key: &str, error: &SecretError) -> String {
    if let SecretError::Unclean(_) = error {
        return error.to_string();
    }
    let cause =
        std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("the secret {key} is missing: {error}{cause}")
}

impl<'a> Table<'a> {
    /// The whole file.
    pub(crate) fn root(reader: &'a Reader<'a>, entries: &'a DeTable<'a>) -> Self {
        Self { reader, span: 0..0, path: String::new(), entries: Some(entries) }
    }

    pub(crate) fn entry(&self, name: &str) -> Option<Entry<'a>> {
        self.entries?.get_key_value(name).map(|(key, value)| Entry::new(key, value))
    }

    /// Notes a missing key.
    pub(crate) fn require(&self, name: &str) {
        if self.entry(name).is_none() {
            self.reader.mistake(self.span.clone(), format!("[{}] has no \"{name}\"", self.path));
        }
    }

    pub(crate) fn text(&self, name: &str) -> Option<Placed<&'a str>> {
        let entry = self.entry(name)?;
        let text = entry.value.as_str().filter(|text| !text.trim().is_empty())?;
        Some(Placed { value: text, span: entry.span })
    }

    /// A text that must be there.
    pub(crate) fn required_text(&self, name: &str) -> Option<Placed<&'a str>> {
        self.require(name);
        self.text(name)
    }

    /// A list of texts; empty when there is none.
    pub(crate) fn texts(&self, name: &str) -> Vec<Placed<&'a str>> {
        let items = self.entry(name).and_then(|entry| entry.value.as_array());
        let text = |item: &'a Spanned<DeValue<'a>>| {
            Some(Placed { value: item.get_ref().as_str()?, span: item.span() })
        };
        items
            .into_iter()
            .flat_map(|items| items.iter().filter_map(text))
            .filter(|text| !text.value.trim().is_empty())
            .collect()
    }

    pub(crate) fn boolean(&self, name: &str) -> Option<bool> {
        self.entry(name)?.value.as_bool()
    }

    pub(crate) fn whole(&self, name: &str) -> Option<Placed<u32>> {
        let entry = self.entry(name)?;
        let integer = entry.value.as_integer()?;
        Some(Placed {
            value: u32::from_str_radix(integer.as_str(), integer.radix()).ok()?,
            span: entry.span,
        })
    }

    pub(crate) fn number(&self, name: &str) -> Option<Placed<Decimal>> {
        let entry = self.entry(name)?;
        Some(Placed { value: value::number(entry.value).ok()?, span: entry.span })
    }

    /// A number of zero or more.
    pub(crate) fn positive(&self, name: &str) -> Option<Decimal> {
        let number = self.number(name)?;
        if number.value < Decimal::ZERO {
            self.reader.mistake(number.span, format!("\"{name}\" cannot be negative"));
            return None;
        }
        Some(number.value)
    }

    pub(crate) fn duration(&self, name: &str, default: Duration) -> Duration {
        self.text(name).and_then(|text| value::duration(text.value).ok()).unwrap_or(default)
    }

    pub(crate) fn currency(&self, name: &str) -> Option<Currency> {
        let text = self.text(name)?;
        self.reader.accept(&text.span, Currency::try_new(text.value))
    }

    pub(crate) fn secret(&self, name: &str) -> Option<Placed<Secret>> {
        self.secret_or(name, "")
    }

    /// A secret; the mistake that it is missing ends in `hint`.
    pub(crate) fn secret_or(&self, name: &str, hint: &str) -> Option<Placed<Secret>> {
        let entry = self.entry(name)?;
        self.reader.note_inline(&entry);
        self.one_secret(&entry, hint)
    }

    fn one_secret(&self, entry: &Entry<'_>, hint: &str) -> Option<Placed<Secret>> {
        if entry.value.is_str() || self.reader.environment.reads_secrets_of(&self.path) {
            return self.reader.secret(entry, &value::joined(&self.path, entry.name), hint);
        }
        self.reader.secret_source(entry)?;
        Some(Placed { value: Secret::unread(), span: entry.span.clone() })
    }

    /// A secret that is read by whoever reads any; for those who read none, `instead` where it is
    /// not there.
    pub(crate) fn secret_even_if_unread(
        &self,
        name: &str,
        instead: &str,
    ) -> Option<Placed<Secret>> {
        let entry = self.entry(name)?;
        if entry.value.is_str() || self.reader.environment.reads_secrets_of(&self.path) {
            return self.one_secret(&entry, "");
        }
        let there = self.reader.secret_source(&entry)?.resolve(self.reader.environment).ok();
        let value = there.unwrap_or_else(|| Secret::new(instead));
        Some(Placed { value, span: entry.span })
    }

    /// Notes that a secret stands in the file itself, where it does.
    pub(crate) fn note_inline(&self, name: &str) {
        if let Some(entry) = self.entry(name) {
            self.reader.note_inline(&entry);
        }
    }

    /// A secret that is no mistake when it is missing.
    pub(crate) fn secret_if_there(&self, name: &str) -> Option<Placed<Secret>> {
        let entry = self.entry(name)?;
        let value = self.reader.secret_source(&entry)?.resolve(self.reader.environment).ok()?;
        Some(Placed { value, span: entry.span })
    }

    /// A secret that is an address as a whole.
    pub(crate) fn secret_url(&self, name: &str) -> Option<Secret> {
        let url = self.secret(name)?;
        if url.value.is_unread() {
            return Some(Secret::new(UNREAD_URL));
        }
        self.reader.accept(&url.span, endpoint(url.value.expose()))?;
        Some(Secret::new(url.value.expose().trim()))
    }

    /// A secret, or a list of them.
    pub(crate) fn secrets(&self, name: &str) -> Vec<Placed<Secret>> {
        let Some(entry) = self.entry(name) else { return Vec::new() };
        let list = || {
            entry.value.as_array().map(|items| items.iter().map(|item| entry.item(item)).collect())
        };
        let entries: Vec<Entry<'_>> = list().unwrap_or_else(|| vec![entry.itself()]);
        let secret = |entry: &Entry<'_>| {
            self.reader.note_inline(entry);
            self.one_secret(entry, "")
        };
        entries.iter().filter_map(secret).collect()
    }

    /// Header values by name, in the order of the file. Those that sign in are secrets wherever
    /// they stand.
    pub(crate) fn headers(&self, name: &str) -> Vec<(Placed<&'a str>, Placed<Secret>)> {
        let Some(table) = self.table(name) else { return Vec::new() };
        let header = |entry: Entry<'a>| {
            let telling = ["authorization", "cookie", "key", "secret", "token"];
            if telling.iter().any(|part| entry.name.to_lowercase().contains(part)) {
                self.reader.note_inline(&entry);
            }
            Some((
                Placed { value: entry.name, span: entry.key.clone() },
                table.one_secret(&entry, "")?,
            ))
        };
        table.entries().into_iter().filter_map(header).collect()
    }

    /// An inner table.
    pub(crate) fn table(&self, name: &str) -> Option<Self> {
        let entry = self.entry(name)?;
        Some(self.inner(entry.value.as_table()?, entry.key, name))
    }

    /// An inner table; an empty one when there is none.
    pub(crate) fn table_or_empty(&self, name: &str) -> Self {
        self.table(name).unwrap_or_else(|| Self {
            entries: None,
            path: value::joined(&self.path, name),
            ..self.clone()
        })
    }

    /// Inner tables by name, in the order of the file.
    pub(crate) fn named(&self, name: &str) -> Vec<(&'a str, Self)> {
        let Some(outer) = self.table(name) else { return Vec::new() };
        let entries = outer.entries.map(by_place).unwrap_or_default();
        entries
            .into_iter()
            .filter_map(|entry| {
                Some((entry.name, outer.inner(entry.value.as_table()?, entry.key, entry.name)))
            })
            .collect()
    }

    /// The tables of a list; `None` in place of what is no table.
    pub(crate) fn tables(&self, name: &str) -> Vec<Option<Self>> {
        let items = self.entry(name).and_then(|entry| entry.value.as_array());
        let table = |item: &'a Spanned<DeValue<'a>>| {
            Some(self.inner(item.get_ref().as_table()?, item.span(), name))
        };
        items.into_iter().flat_map(|items| items.iter().map(table)).collect()
    }

    /// The entries of an inner table, in the order of the file.
    pub(crate) fn entries(&self) -> Vec<Entry<'a>> {
        self.entries.map(by_place).unwrap_or_default()
    }

    fn inner(&self, entries: &'a DeTable<'a>, span: Span, name: &str) -> Self {
        Self {
            reader: self.reader,
            span,
            path: value::joined(&self.path, name),
            entries: Some(entries),
        }
    }
}
