//! How the notifiers stand, as `status` says it.

use crate::ledger::{LedgerError, Reader};
use crate::listings::notifiers::{self, NotifierAccount};
use crate::notify;
use crate::web::shown::Known;

/// How all notifiers stand.
pub(super) fn accounts(
    reader: &Reader,
    known: &Known,
) -> Result<Vec<NotifierAccount>, LedgerError> {
    let names: Vec<String> = known.notifiers.iter().map(|one| one.name.to_string()).collect();
    let routes: Vec<_> = known.notifiers.iter().map(notify::Config::route).collect();
    Ok(notifiers::accounts(
        &names,
        Some(&routes),
        reader.owed()?,
        &reader.notifier_states()?,
        reader.deferred_recipients()?,
    ))
}
