//! The configuration as it is being answered: a new one, or the one that is there with everything
//! in it that nobody asks about. Where the answers come from is left to the questions.

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, TomlError, Value};

use crate::cli::init::options::{Keeping, Kind};
use crate::secret::Secret;

/// A new configuration before any answer.
const FIRST: &str = include_str!("first.toml");
/// What the configuration of the packages reads.
const SAMPLE: &str = "/usr/share/budget-alertd/sample-usage.json";

/// A configuration that is being answered.
#[derive(Clone)]
pub(super) struct Draft {
    document: DocumentMut,
    /// Whether nothing of it was there before.
    pub(super) is_new: bool,
    /// Whether its lines end as on Windows.
    has_returns: bool,
    secrets: Vec<NewSecret>,
}

/// A secret that was answered.
#[derive(Clone)]
pub(super) struct NewSecret {
    /// The keys that lead to it.
    place: Vec<String>,
    /// The name of its credential.
    pub(super) credential: String,
    pub(super) value: Secret,
    /// Whether the file names that credential already, which then gets the new value.
    pub(super) rotates: bool,
}

impl Draft {
    /// A new configuration.
    #[expect(clippy::expect_used, reason = "first.toml is a part of the program")]
    pub(super) fn first() -> Self {
        let document = FIRST.parse().expect("first.toml is TOML, which every test of init reads");
        Self { document, is_new: true, has_returns: false, secrets: Vec::new() }
    }

    /// The configuration that is there; a new one in place of the packages' sample.
    pub(super) fn of(text: &str) -> Result<Self, TomlError> {
        let has_returns = text.contains("\r\n");
        let draft =
            Self { document: text.parse()?, is_new: false, has_returns, secrets: Vec::new() };
        let is_sample = draft.text(&["source", "path"]) == Some(SAMPLE);
        Ok(if is_sample { Self::first() } else { draft })
    }

    /// Whether usage is read from a file, which needs no sign-in.
    pub(super) fn is_of_a_file(&self) -> bool {
        self.text(&["source", "type"]) == Some("file")
    }

    fn item(&self, place: &[&str]) -> Option<&Item> {
        place.iter().try_fold(self.document.as_item(), |item, name| item.get(*name))
    }

    /// Whether anything stands at a place, be it empty.
    pub(super) fn has(&self, place: &[&str]) -> bool {
        self.item(place).is_some()
    }

    /// The text at a place; none where it is empty.
    pub(super) fn text(&self, place: &[&str]) -> Option<&str> {
        self.item(place)?.as_str().filter(|text| !text.is_empty())
    }

    /// The whole number at a place.
    pub(super) fn number(&self, place: &[&str]) -> Option<i64> {
        self.item(place)?.as_integer()
    }

    /// The list at a place.
    pub(super) fn list(&self, place: &[&str]) -> Option<&Array> {
        self.item(place)?.as_array()
    }

    /// The texts of the list at a place, with commas between them.
    pub(super) fn texts(&self, place: &[&str]) -> Option<String> {
        let texts: Vec<&str> = self.list(place)?.iter().filter_map(Value::as_str).collect();
        (!texts.is_empty()).then(|| texts.join(", "))
    }

    /// The names of the tables at a place.
    pub(super) fn names(&self, place: &[&str]) -> Vec<String> {
        let table = self.item(place).and_then(Item::as_table_like);
        table
            .map(|table| table.iter().map(|(name, _)| name.to_owned()).collect())
            .unwrap_or_default()
    }

    /// The table at a place; what is missing of it is made.
    fn table(&mut self, place: &[&str]) -> Option<&mut dyn TableLike> {
        let mut item = self.document.as_item_mut();
        for (depth, name) in place.iter().enumerate() {
            let missing = || match depth {
                0 if place.len() > 1 => {
                    let mut table = Table::new();
                    table.set_implicit(true);
                    Item::Table(table)
                }
                0 | 1 => Item::Table(Table::new()),
                _ => Item::Value(InlineTable::new().into()),
            };
            item = item.as_table_like_mut()?.entry(name).or_insert_with(missing);
        }
        item.as_table_like_mut()
    }

    /// Puts a value at a place; a comment behind the one before stays.
    pub(super) fn set(&mut self, place: &[&str], value: impl Into<Value>) {
        let Some((key, above)) = place.split_last() else { return };
        let Some(table) = self.table(above) else { return };
        let mut value = value.into();
        if let Some(item) = table.get_mut(key) {
            if let Some(before) = item.as_value() {
                *value.decor_mut() = before.decor().clone();
            }
            *item = Item::Value(value);
        } else {
            close_up(table);
            table.insert(key, Item::Value(value));
        }
    }

    /// Takes out what stands at a place.
    pub(super) fn remove(&mut self, place: &[&str]) {
        if let Some((key, above)) = place.split_last()
            && let Some(table) = self.table(above)
        {
            table.remove(key);
        }
    }

    /// The first notifier of a kind that the partner's own people read.
    pub(super) fn notifier(&self, kind: Kind) -> Option<String> {
        self.names(&["notifiers"]).into_iter().find(|name| {
            self.text(&["notifiers", name, "type"]) == Some(kind.word())
                && self.text(&["notifiers", name, "audience"]) != Some("customer")
        })
    }

    /// Adds a notifier of a kind under a name that is free; every rule and the operator tell it.
    pub(super) fn add_notifier(&mut self, kind: Kind) -> String {
        let usual = kind.usual_name();
        let mut name = usual.to_owned();
        for number in 2.. {
            if !self.has(&["notifiers", &name]) {
                break;
            }
            name = format!("{usual}-{number}");
        }
        let of_it = ["notifiers", &name];
        self.set(&[&of_it[..], &["type"]].concat(), kind.word());
        if matches!(kind, Kind::Email | Kind::GraphMail) {
            self.set(&[&of_it[..], &["from"]].concat(), "");
            self.set(&[&of_it[..], &["to"]].concat(), Array::new());
        }
        self.append(&["operator", "notify"], &name);
        for rule in self.names(&["rules"]) {
            if self.has(&["rules", &rule, "notify"]) {
                self.append(&["rules", &rule, "notify"], &name);
            }
        }
        name
    }

    /// Adds a text to the end of the list at a place.
    fn append(&mut self, place: &[&str], text: &str) {
        if !self.has(place) {
            self.set(place, Array::new());
        }
        let item = place
            .split_last()
            .and_then(|(key, above)| Some((key, self.table(above)?)))
            .and_then(|(key, table)| table.get_mut(key));
        if let Some(list) = item.and_then(Item::as_array_mut) {
            list.push(text);
        }
    }

    /// Takes a secret for a place. It keeps the credential that is named there; a new one gets
    /// `usual` as its name, or one like it that nothing else uses.
    pub(super) fn add_secret(&mut self, place: &[&str], usual: &str, value: Secret) {
        let former = self.text(&[place, &["credential"]].concat()).map(str::to_owned);
        let rotates = former.is_some();
        let credential = former.unwrap_or_else(|| {
            let text = self.document.to_string();
            let is_used = |name: &str| {
                text.contains(&format!("\"{name}\"")) && !self.is_new
                    || self.secrets.iter().any(|secret| secret.credential == name)
            };
            let numbered = (2..).map(|number| format!("{usual}-{number}"));
            let mut names = std::iter::once(usual.to_owned()).chain(numbered);
            names.find(|name| !is_used(name)).unwrap_or_else(|| usual.to_owned())
        });
        let place = place.iter().map(|&name| name.to_owned()).collect();
        self.secrets.push(NewSecret { place, credential, value, rotates });
    }

    /// Whether a secret was answered whose place is still open.
    pub(super) fn has_new_secrets(&self) -> bool {
        self.secrets.iter().any(|secret| !secret.rotates)
    }

    /// The secrets that go into files of their own.
    pub(super) fn credentials(&self, keeping: Keeping) -> impl Iterator<Item = &NewSecret> {
        self.secrets.iter().filter(move |secret| secret.rotates || keeping == Keeping::Credentials)
    }

    /// Whether secrets stand in the text.
    pub(super) fn is_secret(&self, keeping: Keeping) -> bool {
        keeping == Keeping::Inline && self.has_new_secrets()
    }

    /// The file, with its secrets or with the names of their credentials.
    pub(super) fn page(&self, keeping: Keeping) -> String {
        let mut whole = self.clone();
        for NewSecret { place, credential, value, rotates } in &self.secrets {
            let place: Vec<&str> = place.iter().map(String::as_str).collect();
            match keeping {
                Keeping::Credentials if *rotates => {}
                Keeping::Credentials => {
                    whole
                        .set(&place, InlineTable::from_iter([("credential", credential.as_str())]));
                }
                Keeping::Inline => whole.set(&place, value.expose()),
            }
        }
        let page = whole.document.to_string();
        if self.has_returns { page.replace("\r\n", "\n").replace('\n', "\r\n") } else { page }
    }
}

/// Takes the blank behind the last value of an inline table, for one more to follow.
fn close_up(table: &mut dyn TableLike) {
    let last = table.iter_mut().last().and_then(|(_, item)| match item {
        Item::Value(value) => Some(value),
        Item::None | Item::Table(_) | Item::ArrayOfTables(_) => None,
    });
    if let Some(last) = last
        && last.decor().suffix().and_then(|suffix| suffix.as_str()) == Some(" ")
    {
        last.decor_mut().set_suffix("");
    }
}
