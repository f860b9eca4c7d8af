//! Customers that go by names that look the same: messages about them say which one is meant. How names are compared is
//! `notify`'s.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use crate::domain::{CustomerKey, Report};
use crate::ledger::{Ledger, LedgerError, NewAlert, Reader, Seen};
use crate::notify::render::look_of;

/// Who goes by each look that is asked for; none where several do.
struct Looks(HashMap<String, Option<CustomerKey>>);

impl Looks {
    fn of(known: impl IntoIterator<Item = (String, CustomerKey)>) -> Self {
        let mut looks = HashMap::new();
        for (look, key) in known {
            match looks.entry(look) {
                Entry::Vacant(free) => drop(free.insert(Some(key))),
                Entry::Occupied(mut taken) if taken.get().as_ref().is_some_and(|first| *first != key) => drop(taken.insert(None)),
                Entry::Occupied(_) => {}
            }
        }
        Self(looks)
    }

    fn are_shared(&self, look: &str) -> bool {
        self.0.get(look).is_some_and(Option::is_none)
    }
}

/// Marks new alerts about customers of whom another one, known to the ledger or just `seen`, goes by the same name.
pub(super) async fn mark(ledger: &Ledger, alerts: &mut [NewAlert], seen: &[Seen]) -> Result<(), LedgerError> {
    if alerts.is_empty() {
        return Ok(());
    }
    let look = |new: &NewAlert| look_of(new.snapshot.alert.customer.label.as_deref(), &new.snapshot.alert.customer.name);
    let wanted: HashSet<String> = alerts.iter().map(look).collect();
    let recorded = ledger.alike(wanted.clone(), look_of).await?;
    let customers = seen.iter().filter(|seen| seen.subscription.is_none());
    let read = customers.map(|seen| (look_of(seen.label.as_deref(), &seen.name), seen.customer.key()));
    let looks = Looks::of(recorded.into_iter().chain(read.filter(|(look, _)| wanted.contains(look))));
    for new in alerts {
        new.snapshot.context.has_namesake = looks.are_shared(&look(new));
    }
    Ok(())
}

/// Marks the customers of a report likewise.
pub(super) fn mark_report(reader: &Reader, report: &mut Report) -> Result<(), LedgerError> {
    let over = report.over_budget.items.iter_mut().map(|one| &mut one.customer);
    let growth = report.growth.items.iter_mut().map(|one| &mut one.customer);
    let unbudgeted = report.unbudgeted.items.iter_mut().map(|one| &mut one.customer);
    let repeatedly = report.repeatedly_over.items.iter_mut().map(|one| &mut one.customer);
    let named = over.chain(growth).chain(unbudgeted).chain(repeatedly).map(|one| (&one.name, &mut one.has_namesake));
    let lost = report.budgets_lost.items.iter_mut().map(|one| (&one.name, &mut one.has_namesake));
    let named: Vec<_> = named.chain(lost).map(|(name, flag)| (look_of(None, name), flag)).collect();
    if named.is_empty() {
        return Ok(());
    }
    let wanted = named.iter().map(|(look, _)| look.clone()).collect();
    let looks = Looks::of(reader.alike(&wanted, look_of)?);
    for (look, flag) in named {
        *flag = looks.are_shared(&look);
    }
    Ok(())
}
