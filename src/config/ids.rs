//! Checks the ids under which customers are described: one that can be nobody's would be ignored in
//! silence, and its budget with it. Which ids have been seen is asked of the ledger, and only to
//! name the one that may be meant.

use std::cell::Cell;

use crate::analysis::Guess;
use crate::config::process;
use crate::config::reader::Table;
use crate::config::value::short;
use crate::domain::CustomerKey;
use crate::ledger::{self, Reader};
use crate::text::{called, unseen};

/// No more ids get a hint: each looks at all customers.
const HINTED: usize = 20;

/// What ids must look like.
pub(crate) struct Ids {
    /// Partner Center's customers have GUIDs; a saved collection may come from anywhere.
    guids: bool,
    ledger: Option<ledger::Config>,
    hints: Cell<usize>,
}

impl Ids {
    /// As the source of this file has them.
    pub(crate) fn of(root: &Table<'_>) -> Self {
        let guids = root.table("source").is_some_and(|source| {
            source.text("type").is_some_and(|kind| kind.value == "partner-center")
        });
        let state_dir = process::state_dir(&root.table_or_empty("daemon"));
        let ledger = process::ledger(&root.table_or_empty("ledger"), &state_dir);
        Self { guids, ledger, hints: Cell::new(HINTED) }
    }

    /// The key of an id, or what is wrong with it.
    pub(crate) fn key(&self, id: &str) -> Result<CustomerKey, String> {
        let key = CustomerKey::written(id);
        if key.is_guid() {
            return Ok(key);
        }
        if let Some((_, letter)) = unseen(id.trim()) {
            return Err(format!(
                "the id \"{}\" holds {}, which nobody sees: write it again{}",
                visible(id),
                called(letter),
                self.hint(id)
            ));
        }
        if self.guids {
            return Err(format!(
                "\"{}\" is no customer's id, which is a GUID in Partner Center{}",
                short(id),
                self.hint(id)
            ));
        }
        Ok(key)
    }

    /// The customer that may be meant.
    fn hint(&self, id: &str) -> String {
        if let Some(guid) = hyphenated(id) {
            return format!("; did you mean \"{guid}\"?");
        }
        let Some(ledger) =
            self.ledger.as_ref().filter(|ledger| self.hints.get() > 0 && ledger.path.exists())
        else {
            return String::new();
        };
        self.hints.set(self.hints.get().saturating_sub(1));
        let mut guess = Guess::of(id);
        // A ledger that cannot be read gives no hint, which is no mistake of the file.
        let read =
            Reader::open(ledger).and_then(|reader| reader.each_seen(|seen| guess.consider(&seen)));
        let meant = guess.meant().filter(|_| read.is_ok());
        meant
            .map(|(id, name)| format!("; did you mean \"{}\", {}?", short(id), short(name)))
            .unwrap_or_default()
    }
}

/// Thirty-two hexadecimal digits among other signs, as a GUID.
fn hyphenated(id: &str) -> Option<String> {
    let digits: String = id
        .chars()
        .filter(|letter| {
            !"{}-()".contains(*letter) && unseen(letter.encode_utf8(&mut [0; 4])).is_none()
        })
        .collect();
    uuid::Uuid::try_parse(digits.trim())
        .ok()
        .filter(|_| digits.trim().len() == 32)
        .map(|guid| guid.hyphenated().to_string())
}

/// A text with a sign where nobody sees anything.
fn visible(text: &str) -> String {
    let marked: String = text
        .trim()
        .chars()
        .map(|letter| if unseen(letter.encode_utf8(&mut [0; 4])).is_some() { '·' } else { letter })
        .collect();
    short(&marked)
}
