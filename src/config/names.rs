//! The names that a configuration defines, against which every mention of them is checked.

use std::cell::RefCell;
use std::collections::HashSet;

use crate::config::reader::{Placed, Table};
use crate::config::value::{hint, short};
use crate::config::{Config, notifier_readers};

/// The names of notifiers and rules.
pub(crate) struct Names<'a> {
    notifiers: Vec<&'a str>,
    rules: Vec<&'a str>,
    /// The notifiers whose messages customers read.
    customers: Vec<&'a str>,
    told: RefCell<HashSet<&'a str>>,
}

impl<'a> Names<'a> {
    /// The names in the file, of sound and unsound tables alike, so that one mistake does not cause
    /// others.
    pub(crate) fn of(root: &Table<'a>) -> Self {
        let names = |table: &str| {
            root.table(table)
                .map(|table| table.entries())
                .unwrap_or_default()
                .iter()
                .map(|entry| entry.name)
                .collect()
        };
        let customers = root
            .named("notifiers")
            .into_iter()
            .filter(|(_, table)| notifier_readers::is_customers(table));
        Self {
            notifiers: names("notifiers"),
            rules: names("rules"),
            customers: customers.map(|(name, _)| name).collect(),
            told: RefCell::default(),
        }
    }

    /// Those of a checked configuration.
    pub(crate) fn of_config(config: &'a Config) -> Self {
        Self {
            notifiers: config.notifiers.iter().map(|notifier| &*notifier.name).collect(),
            rules: config.rules.facts().map(|rule| &*rule.name).collect(),
            customers: Vec::new(),
            told: RefCell::default(),
        }
    }

    /// Whether there is such a rule.
    pub(crate) fn has_rule(&self, name: &str) -> bool {
        self.rules.contains(&name)
    }

    /// The notifier of this name, which is told from here; else what is wrong with the name.
    pub(crate) fn notifier(&self, name: &str) -> Result<Box<str>, String> {
        self.told.borrow_mut().extend(self.notifiers.iter().find(|known| **known == name));
        known(name, "notifier", &self.notifiers)
    }

    /// The rule of this name, else what is wrong with the name.
    pub(crate) fn rule(&self, name: &str) -> Result<Box<str>, String> {
        known(name, "rule", &self.rules)
    }

    /// The notifiers that `table.key` names, each once.
    pub(crate) fn notifiers(&self, table: &Table<'a>, key: &str) -> Vec<Box<str>> {
        listed(table, &table.texts(key), |name| self.notifier(name))
    }

    /// The same, where customers must not read along: `what` is what they would read.
    pub(crate) fn own_notifiers(&self, table: &Table<'a>, key: &str, what: &str) -> Vec<Box<str>> {
        for name in table.texts(key).into_iter().filter(|name| self.is_customers(name.value)) {
            let text = format!(
                "customers read the messages of \"{}\": {what} must not go there",
                short(name.value)
            );
            table.reader.mistake(name.span, text);
        }
        self.notifiers(table, key)
    }

    /// Whether customers read the messages of this notifier.
    pub(crate) fn is_customers(&self, notifier: &str) -> bool {
        self.customers.contains(&notifier)
    }

    /// Whether anything has named the notifier so far.
    pub(crate) fn is_told(&self, notifier: &str) -> bool {
        self.told.borrow().contains(notifier)
    }

    /// The rules that `table.key` names, each once.
    pub(crate) fn rules(&self, table: &Table<'a>, key: &str) -> Vec<Box<str>> {
        listed(table, &table.texts(key), |name| self.rule(name))
    }
}

fn listed(
    table: &Table<'_>,
    mentions: &[Placed<&str>],
    known: impl Fn(&str) -> Result<Box<str>, String>,
) -> Vec<Box<str>> {
    let mut names: Vec<Box<str>> = Vec::new();
    for mention in mentions {
        if let Err(text) = known(mention.value) {
            table.reader.mistake(mention.span.clone(), text);
        }
        if !names.iter().any(|seen| **seen == *mention.value) {
            names.push(mention.value.into());
        }
    }
    names
}

fn known(name: &str, what: &str, known: &[&str]) -> Result<Box<str>, String> {
    if known.contains(&name) {
        return Ok(name.into());
    }
    Err(format!("unknown {what} \"{}\"{}", short(name), hint(name, known.iter().copied())))
}
