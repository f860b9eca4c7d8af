//! Customers that go by names that look the same: messages about them, and listings, say which one
//! is meant. How names are compared is `notify`'s.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher as _;

use foldhash::quality::{FixedState, RandomState};

use crate::alerting::{CustomerState, NewAlert, RememberedCustomer};
use crate::domain::{Assessed, CustomerKey, CustomerView, Report};
use crate::ledger::{Ledger, LedgerError, Reader};
use crate::text::look_of;

/// How all customers look that are known, kept over the slices of a poll: a number for each, since
/// there may be a million.
#[derive(Debug, Default)]
pub(crate) struct AllLooks {
    known: HashSet<u64, RandomState>,
    /// Those that several customers have.
    shared: HashSet<u64, RandomState>,
}

impl AllLooks {
    /// Those that the ledger knows.
    pub(crate) async fn of(ledger: &Ledger) -> Result<Self, LedgerError> {
        let mut looks = Self::default();
        looks.add(ledger.read(|reader| reader.looks(number_of_look)).await?);
        Ok(looks)
    }

    /// Adds those of further customers.
    pub(crate) fn add(&mut self, looks: impl IntoIterator<Item = u64>) {
        for look in looks {
            if !self.known.insert(look) {
                self.shared.insert(look);
            }
        }
    }

    /// Marks new alerts about customers of whom another one goes by the same name.
    pub(crate) fn mark(&self, alerts: &mut [NewAlert]) {
        for new in alerts {
            let customer = &new.snapshot.alert.customer;
            new.snapshot.context.has_namesake =
                self.shared.contains(&number_of_look(customer.label.as_deref(), &customer.name));
        }
    }
}

/// The look of a customer that the ledger does not know by it yet; none of a subscription.
pub(crate) fn new_look(
    assessed: &Assessed,
    remembered: Option<&RememberedCustomer>,
) -> Option<u64> {
    let record = &assessed.record;
    let look = number_of_look(assessed.profile.label.as_deref(), &record.name);
    let known = remembered
        .map(|remembered| number_of_look(remembered.seen.label.as_deref(), &remembered.seen.name));
    (record.subscription.is_none() && known != Some(look)).then_some(look)
}

/// The same number for the same look, and hardly ever for another.
fn number_of_look(label: Option<&str>, name: &str) -> u64 {
    FixedState::default().hash_one(look_of(label, name))
}

/// Who goes by each look that is asked for; none where several do.
#[derive(Debug, Default)]
pub struct Namesakes(HashMap<String, Option<CustomerKey>>);

/// A customer by its label, its name and its key.
pub type Named<'a> = (Option<&'a str>, &'a str, CustomerKey);

impl Namesakes {
    /// Of customers that are listed together, beside all that the ledger knows where it can be
    /// asked.
    pub fn find<'a>(
        listed: impl IntoIterator<Item = Named<'a>>,
        reader: Option<&Reader>,
    ) -> Result<Self, LedgerError> {
        let listed: Vec<_> =
            listed.into_iter().map(|(label, name, key)| (look_of(label, name), key)).collect();
        let Some(reader) = reader.filter(|_| !listed.is_empty()) else {
            return Ok(Self::of(listed));
        };
        let wanted = listed.iter().map(|(look, _)| look.clone()).collect();
        Ok(Self::of(reader.alike(&wanted, look_of)?.into_iter().chain(listed)))
    }

    /// Whether several of them go by a name that looks like this.
    pub fn has(&self, label: Option<&str>, name: &str) -> bool {
        self.are_shared(&look_of(label, name))
    }

    /// The same of a customer as alerts name it.
    pub fn has_view(&self, customer: &CustomerView) -> bool {
        self.has(customer.label.as_deref(), &customer.name)
    }

    fn of(known: impl IntoIterator<Item = (String, CustomerKey)>) -> Self {
        let mut looks = HashMap::new();
        for (look, key) in known {
            match looks.entry(look) {
                Entry::Vacant(free) => drop(free.insert(Some(key))),
                Entry::Occupied(mut taken)
                    if taken.get().as_ref().is_some_and(|first| *first != key) =>
                {
                    drop(taken.insert(None));
                }
                Entry::Occupied(_) => {}
            }
        }
        Self(looks)
    }

    fn are_shared(&self, look: &str) -> bool {
        self.0.get(look).is_some_and(Option::is_none)
    }
}

/// Marks new alerts about customers of whom another one, known to the ledger or just `seen`, goes
/// by the same name.
pub(crate) async fn mark(
    ledger: &Ledger,
    alerts: &mut [NewAlert],
    seen: &[CustomerState],
) -> Result<(), LedgerError> {
    if alerts.is_empty() {
        return Ok(());
    }
    let look = |new: &NewAlert| {
        look_of(new.snapshot.alert.customer.label.as_deref(), &new.snapshot.alert.customer.name)
    };
    let wanted: HashSet<String> = alerts.iter().map(look).collect();
    let asked = wanted.clone();
    let recorded = ledger.read(move |reader| reader.alike(&asked, look_of)).await?;
    let customers = seen.iter().filter(|seen| seen.subscription.is_none());
    let read =
        customers.map(|seen| (look_of(seen.label.as_deref(), &seen.name), seen.customer.key()));
    let looks =
        Namesakes::of(recorded.into_iter().chain(read.filter(|(look, _)| wanted.contains(look))));
    for new in alerts {
        new.snapshot.context.has_namesake = looks.are_shared(&look(new));
    }
    Ok(())
}

/// Marks the customers of a report likewise.
pub(crate) fn mark_report(reader: &Reader, report: &mut Report) -> Result<(), LedgerError> {
    let over = report.over_budget.items.iter_mut().map(|one| &mut one.customer);
    let growth = report.growth.items.iter_mut().map(|one| &mut one.customer);
    let unbudgeted = report.unbudgeted.items.iter_mut().map(|one| &mut one.customer);
    let repeatedly = report.repeatedly_over.items.iter_mut().map(|one| &mut one.customer);
    let named = over
        .chain(growth)
        .chain(unbudgeted)
        .chain(repeatedly)
        .map(|one| (&one.name, &mut one.has_namesake));
    let lost = report.budgets_lost.items.iter_mut().map(|one| (&one.name, &mut one.has_namesake));
    let named: Vec<_> = named.chain(lost).map(|(name, flag)| (look_of(None, name), flag)).collect();
    if named.is_empty() {
        return Ok(());
    }
    let wanted = named.iter().map(|(look, _)| look.clone()).collect();
    let looks = Namesakes::of(reader.alike(&wanted, look_of)?);
    for (look, flag) in named {
        *flag = looks.are_shared(&look);
    }
    Ok(())
}
