//! The names that a configuration defines, against which every mention of them is checked.

use std::cell::RefCell;
use std::collections::HashSet;

use crate::config::reader::{Placed, Table};
use crate::config::value::{hint, short};

/// The names of notifiers and rules.
pub(crate) struct Names<'a> {
    notifiers: Vec<&'a str>,
    rules: Vec<&'a str>,
    told: RefCell<HashSet<&'a str>>,
}

impl<'a> Names<'a> {
    /// The names in the file, of sound and unsound tables alike, so that one mistake does not cause others.
    pub(crate) fn of(root: &Table<'a>) -> Self {
        let names =
            |table: &str| root.table(table).map(|table| table.entries()).unwrap_or_default().iter().map(|entry| entry.name).collect();
        Self { notifiers: names("notifiers"), rules: names("rules"), told: RefCell::default() }
    }

    /// Whether there is such a rule.
    pub(crate) fn has_rule(&self, name: &str) -> bool {
        self.rules.contains(&name)
    }

    /// The notifiers that `table.key` names, each once.
    pub(crate) fn notifiers(&self, table: &Table<'a>, key: &str) -> Vec<Box<str>> {
        let mentions = table.texts(key);
        self.told.borrow_mut().extend(mentions.iter().map(|mention| mention.value));
        known(table, &mentions, "notifier", &self.notifiers)
    }

    /// Whether anything has named the notifier so far.
    pub(crate) fn is_told(&self, notifier: &str) -> bool {
        self.told.borrow().contains(notifier)
    }

    /// The rules that `table.key` names, each once.
    pub(crate) fn rules(&self, table: &Table<'a>, key: &str) -> Vec<Box<str>> {
        known(table, &table.texts(key), "rule", &self.rules)
    }
}

fn known(table: &Table<'_>, mentions: &[Placed<&str>], what: &str, known: &[&str]) -> Vec<Box<str>> {
    let mut names: Vec<Box<str>> = Vec::new();
    for mention in mentions {
        if !known.contains(&mention.value) {
            let nearest = hint(mention.value, known.iter().copied());
            table.reader.mistake(mention.span.clone(), format!("unknown {what} \"{}\"{nearest}", short(mention.value)));
        }
        if !names.iter().any(|seen| **seen == *mention.value) {
            names.push(mention.value.into());
        }
    }
    names
}
