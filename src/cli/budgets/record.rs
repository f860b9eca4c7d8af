//! One row of a spreadsheet that is written: what is set here for a customer or a subscription, and
//! for people what is known of the customer.

use rust_decimal::Decimal;

use crate::alerting::CustomerState;
use crate::budgets::sheet::{Cell, Column, Placed, Row, Sheet, write_money};
use crate::budgets::{LocalCustomer, SubscriptionKey};
use crate::cli::{spreadsheet, text};
use crate::domain::{Currency, CustomerKey, MetricValue, rounded};

/// What is set for a customer, or for one of its subscriptions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) customer_id: String,
    pub(super) subscription_id: Option<String>,
    pub(super) label: Option<String>,
    pub(super) budget: Option<Decimal>,
    pub(super) currency: Option<Currency>,
    pub(super) contacts: Vec<String>,
    pub(super) owner: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) notify: Vec<String>,
    pub(super) mute_rules: Vec<String>,
}

/// Whose record it is.
pub(super) type Key = (CustomerKey, Option<SubscriptionKey>);

impl Record {
    /// What a row says; where the sheet has no such column, what `old` says. The row is the
    /// customer's with this id.
    pub(super) fn of_row(
        row: &Row<'_>,
        sheet: &Sheet<'_>,
        customer_id: &str,
        old: Option<&Self>,
    ) -> Self {
        let text =
            |cell: &Option<Cell<'_>>| cell.as_ref().map(|cell| cell.value.clone().into_owned());
        let texts = |list: &[Placed<String>]| {
            list.iter().map(|item| item.value.clone()).collect::<Vec<_>>()
        };
        let mut record = old.cloned().unwrap_or_default();
        customer_id.clone_into(&mut record.customer_id);
        record.subscription_id = text(&row.subscription_id);
        let mut set = |column, set: &dyn Fn(&mut Self)| {
            if sheet.has(column) {
                set(&mut record);
            }
        };
        set(Column::Label, &|record| record.label = text(&row.label));
        set(Column::Budget, &|record| {
            record.budget = row.budget.as_ref().map(|budget| budget.value);
        });
        set(Column::Contacts, &|record| record.contacts = texts(&row.contacts));
        set(Column::Owner, &|record| record.owner = text(&row.owner));
        set(Column::Tags, &|record| record.tags = texts(&row.tags));
        set(Column::Notify, &|record| record.notify = texts(&row.notify));
        set(Column::MuteRules, &|record| record.mute_rules = texts(&row.mute_rules));
        // A budget brings its currency along, wherever that is from.
        let left =
            record.currency.filter(|_| !sheet.has(Column::Currency) || record.budget.is_some());
        record.currency = row.currency.as_ref().map(|currency| currency.value).or(left);
        record
    }

    /// What is set for a customer, then for each of its subscriptions.
    pub(super) fn of_customer(
        customer_id: &str,
        local: &LocalCustomer,
        currency: Option<Currency>,
    ) -> Vec<Self> {
        let profile = &local.profile;
        let names = |names: &[Box<str>]| names.iter().map(ToString::to_string).collect();
        let own = Self {
            customer_id: customer_id.to_owned(),
            subscription_id: None,
            label: profile.label.clone(),
            budget: local.budget.map(|budget| budget.amount),
            currency: local.budget.map(|budget| budget.currency).or(local.currency).or(currency),
            contacts: profile.contacts.clone(),
            owner: profile.owner.clone(),
            tags: profile.tags.clone(),
            notify: names(&profile.notify),
            mute_rules: names(&profile.mute_rules),
        };
        let subscriptions = local.subscriptions.iter().map(|(id, subscription)| Self {
            customer_id: customer_id.to_owned(),
            subscription_id: Some(id.as_str().to_owned()),
            label: subscription.label.clone(),
            budget: Some(subscription.budget.amount),
            currency: Some(subscription.budget.currency),
            ..Self::default()
        });
        std::iter::once(own).chain(subscriptions).collect()
    }

    pub(super) fn key(&self) -> Key {
        (
            CustomerKey::of(&self.customer_id),
            self.subscription_id.as_deref().map(SubscriptionKey::of),
        )
    }

    /// Forgets what the customer's table says too, so that a change there is not held up by a copy
    /// here.
    pub(super) fn forget_copies(&mut self, table: &LocalCustomer) {
        let profile = &table.profile;
        let same = |names: &[Box<str>], own: &[String]| {
            names.iter().map(|name| &**name).eq(own.iter().map(String::as_str))
        };
        self.label.take_if(|label| profile.label.as_ref() == Some(label));
        self.owner.take_if(|owner| profile.owner.as_ref() == Some(owner));
        if self.contacts == profile.contacts {
            self.contacts.clear();
        }
        if self.tags == profile.tags {
            self.tags.clear();
        }
        if same(&profile.notify, &self.notify) {
            self.notify.clear();
        }
        if same(&profile.mute_rules, &self.mute_rules) {
            self.mute_rules.clear();
        }
        let own = self.budget.zip(self.currency);
        if table.budget.is_some_and(|budget| own == Some((budget.amount, budget.currency))) {
            (self.budget, self.currency) = (None, None);
        }
    }

    /// What the customer's table says otherwise: there, it counts.
    pub(super) fn overruled_by(&self, table: &LocalCustomer) -> Vec<&'static str> {
        let profile = &table.profile;
        let parts = [
            ("label", self.label.is_some() && profile.label.is_some()),
            ("contacts", !self.contacts.is_empty() && !profile.contacts.is_empty()),
            ("owner", self.owner.is_some() && profile.owner.is_some()),
            ("tags", !self.tags.is_empty() && !profile.tags.is_empty()),
            ("notify", !self.notify.is_empty() && !profile.notify.is_empty()),
            ("mute_rules", !self.mute_rules.is_empty() && !profile.mute_rules.is_empty()),
        ];
        parts.into_iter().filter(|(_, overruled)| *overruled).map(|(part, _)| part).collect()
    }

    /// Whether it says nothing: a currency that is known anyway, beside no budget, is none.
    pub(super) fn is_empty(&self, known: Option<Currency>) -> bool {
        let nothing = Self {
            customer_id: self.customer_id.clone(),
            subscription_id: self.subscription_id.clone(),
            currency: self.currency.filter(|own| Some(*own) == known),
            ..Self::default()
        };
        *self == nothing
    }
}

/// How a spreadsheet is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    /// `;` between cells and a comma before decimals, as spreadsheets of most of Europe expect it.
    pub(super) decimal_comma: bool,
    /// With the columns that are for people only.
    pub(super) told: bool,
}

impl Style {
    /// What stands between cells.
    pub(super) fn separator(self) -> u8 {
        if self.decimal_comma { b';' } else { b',' }
    }
}

/// What some records need columns for that most do without.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Needs {
    subscription_id: bool,
    notify: bool,
    mute_rules: bool,
}

impl Needs {
    /// Those of some records.
    pub(super) fn of<'a>(records: impl IntoIterator<Item = &'a Record>) -> Self {
        records.into_iter().fold(Self::default(), |needs, record| Self {
            subscription_id: needs.subscription_id || record.subscription_id.is_some(),
            notify: needs.notify || !record.notify.is_empty(),
            mute_rules: needs.mute_rules || !record.mute_rules.is_empty(),
        })
    }

    /// These and those.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            subscription_id: self.subscription_id || other.subscription_id,
            notify: self.notify || other.notify,
            mute_rules: self.mute_rules || other.mute_rules,
        }
    }
}

/// The columns of a spreadsheet.
pub(super) struct Columns {
    names: Vec<&'static str>,
    /// What stands before decimals.
    point: char,
}

impl Columns {
    /// Those that records with such needs are written in.
    pub(super) fn of(needs: Needs, style: Style) -> Self {
        let columns: [(&str, bool); 16] = [
            ("customer_id", true),
            ("subscription_id", needs.subscription_id),
            ("name", true),
            ("label", true),
            ("plan", style.told),
            ("currency", true),
            ("partner_center_budget", style.told),
            ("budget", true),
            ("cost", style.told),
            ("percent_used", style.told),
            ("usage_as_of", style.told),
            ("contacts", true),
            ("owner", true),
            ("tags", true),
            ("notify", needs.notify),
            ("mute_rules", needs.mute_rules),
        ];
        let names = columns.into_iter().filter(|(_, shown)| *shown).map(|(name, _)| name).collect();
        Self { names, point: if style.decimal_comma { ',' } else { '.' } }
    }

    /// What they are called.
    pub(super) fn names(&self) -> &[&'static str] {
        &self.names
    }

    /// The cells of a record, beside what is known of the customer.
    pub(super) fn row(&self, record: &Record, seen: Option<&CustomerState>) -> Vec<String> {
        self.names.iter().map(|column| cell(column, record, seen, self.point)).collect()
    }
}

/// Writes records as a spreadsheet, each beside what is known of the customer.
pub(super) fn written(
    records: &[(Record, Option<&CustomerState>)],
    style: Style,
) -> anyhow::Result<String> {
    let columns = Columns::of(Needs::of(records.iter().map(|(record, _)| record)), style);
    let rows = records.iter().map(|(record, seen)| columns.row(record, *seen));
    spreadsheet::text(columns.names(), rows, style.separator())
}

fn cell(column: &str, record: &Record, seen: Option<&CustomerState>, point: char) -> String {
    let money = |amount: Option<Decimal>| {
        amount.map(|amount| write_money(amount, point)).unwrap_or_default()
    };
    // A subscription's row says nothing of what the customer costs.
    let told = seen.filter(|_| record.subscription_id.is_none());
    match column {
        "customer_id" => record.customer_id.clone(),
        "subscription_id" => record.subscription_id.clone().unwrap_or_default(),
        "name" => seen.map(|seen| seen.name.clone()).unwrap_or_default(),
        "label" => record.label.clone().unwrap_or_default(),
        "plan" => told.map(|seen| seen.plan.as_str().to_owned()).unwrap_or_default(),
        "currency" => text::or_nothing(record.currency),
        "partner_center_budget" => money(told.and_then(|seen| seen.partner_center_budget)),
        "budget" => money(record.budget),
        "cost" => money(told.map(|seen| rounded(seen.cost, 2))),
        "percent_used" => money(told.and_then(percent)),
        "usage_as_of" => told.map(|seen| seen.usage_as_of.to_string()).unwrap_or_default(),
        "contacts" => record.contacts.join("; "),
        "owner" => record.owner.clone().unwrap_or_default(),
        "tags" => record.tags.join("; "),
        "notify" => record.notify.join("; "),
        "mute_rules" => record.mute_rules.join("; "),
        _ => String::new(),
    }
}

/// The share of the budget in force that was used.
pub(super) fn percent(seen: &CustomerState) -> Option<Decimal> {
    seen.percent_used().and_then(MetricValue::number)
}
