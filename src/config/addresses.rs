//! Reads mail addresses, as people write them.

use lettre::message::Mailbox;

use crate::config::reader::Table;
use crate::config::value::short;
use crate::domain::people;

/// The mail addresses of a list, each once: an address is a delivery of its own.
pub(crate) fn addresses(table: &Table<'_>, key: &str) -> Vec<Mailbox> {
    let mut addresses: Vec<Mailbox> = Vec::new();
    for text in table.texts(key) {
        for one in people_of(text.value) {
            let new = table.reader.accept(&text.span, mailbox(one));
            addresses
                .extend(new.filter(|new| !addresses.iter().any(|seen| seen.email == new.email)));
        }
    }
    addresses
}

/// A text that is no address may be a list of its own, as mail programs write it.
pub(crate) fn people_of(text: &str) -> Vec<&str> {
    let several = if mailbox(text).is_ok() || text.chars().any(char::is_control) {
        Vec::new()
    } else {
        people(text)
    };
    if several.is_empty() { vec![text] } else { several }
}

/// `name@example.com` or `Name <name@example.com>`.
pub(crate) fn mailbox(text: &str) -> Result<Mailbox, String> {
    let wrong = || {
        format!(
            "\"{}\" is no mail address: write \"name@example.com\" or \"Name <name@example.com>\"",
            short(text)
        )
    };
    if text.chars().any(char::is_control) {
        return Err(wrong());
    }
    let text = text.trim();
    text.parse().ok().or_else(|| with_a_name_of_signs(text)).ok_or_else(wrong)
}

/// `Contoso, Ltd <name@example.com>`: a name that mail would want in quotes, as people write it
/// without.
fn with_a_name_of_signs(text: &str) -> Option<Mailbox> {
    let (name, address) = text.strip_suffix('>')?.rsplit_once('<')?;
    let name = name.trim();
    let bare = !name.is_empty() && !name.contains(['"', '<', '>', '\\', '@']);
    Some(Mailbox::new(Some(name.to_owned()).filter(|_| bare)?.into(), address.trim().parse().ok()?))
}
