//! Who is alerted about: the customer's identity, kind and subscriptions.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantNames};

/// A customer's id as Partner Center wrote it: an opaque string, compared case-insensitively, shown
/// as received.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CustomerId(String);

/// The form of a [`CustomerId`] that is equal for ids that differ in case only; what maps and
/// tables are keyed by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CustomerKey(Box<str>);

/// Between the id of a customer and that of a subscription: the unit separator of ASCII.
const SEPARATOR: char = '\u{1f}';

/// One subscription of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Its id as received.
    pub id: String,
    /// Its name as received.
    pub name: String,
}

impl CustomerId {
    /// An id as received; `None` for an empty one, which identifies nobody.
    pub fn try_new(id: impl Into<String>) -> Option<Self> {
        let id = id.into();
        if id.trim().is_empty() { None } else { Some(Self(id)) }
    }

    /// The id as received.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key under which this customer is remembered.
    pub fn key(&self) -> CustomerKey {
        CustomerKey::of(&self.0)
    }
}

impl PartialEq for CustomerId {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (&*self.0, &*other.0);
        if one.is_ascii() && other.is_ascii() {
            return one.eq_ignore_ascii_case(other);
        }
        CustomerKey::of(one) == CustomerKey::of(other)
    }
}

impl Eq for CustomerId {}

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl CustomerKey {
    /// The key of an id as written by anyone, in any case.
    pub fn of(id: &str) -> Self {
        if id.is_ascii() {
            Self(id.to_ascii_lowercase().into())
        } else {
            Self(id.to_lowercase().into())
        }
    }

    /// The key of an id as people write it: with blanks around it, a GUID also in braces.
    pub fn written(id: &str) -> Self {
        let id = id.trim();
        let bare = id.strip_prefix('{').and_then(|id| id.strip_suffix('}')).map(str::trim);
        Self::of(bare.filter(|bare| is_guid(bare)).unwrap_or(id))
    }

    /// Whether it is a GUID, as the ids of Partner Center's customers are.
    pub fn is_guid(&self) -> bool {
        is_guid(&self.0)
    }

    /// The key of one subscription of a customer that has a budget of its own; no id of a customer
    /// looks like it.
    pub fn of_subscription(customer: &CustomerId, subscription: &str) -> Self {
        Self::of(&format!("{}{SEPARATOR}{subscription}", customer.as_str()))
    }

    /// Whether it is the key of a subscription.
    pub fn is_subscription(&self) -> bool {
        self.0.contains(SEPARATOR)
    }

    /// The key of the customer itself, also where this is the key of a subscription.
    #[must_use]
    pub fn of_whole(&self) -> Self {
        let end = self.0.find(SEPARATOR).unwrap_or(self.0.len());
        Self(self.0.get(..end).unwrap_or_default().into())
    }

    /// The key as text, lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Eight, four, four, four and twelve hexadecimal digits, with hyphens between.
fn is_guid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

impl std::borrow::Borrow<str> for CustomerKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// How a customer buys Azure, which decides its billing period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[derive(IntoStaticStr, EnumString, VariantNames)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Plan {
    /// An Azure plan (`isUpgraded`): billed by the UTC calendar month.
    AzurePlan,
    /// A Microsoft Azure (MS-AZR-0145P) subscription: billed from the partner's billing day,
    /// Pacific time.
    Legacy,
}

impl Plan {
    /// Every name.
    pub const NAMES: &'static [&'static str] = <Self as VariantNames>::VARIANTS;

    /// The name used in configuration and JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Reads the name used in configuration and JSON.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

/// What one subscription of a customer has cost so far, for the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionCost {
    /// The subscription's id as received.
    pub id: String,
    /// Its name as received, for example "Azure plan".
    pub name: String,
    /// Its cost in the customer's currency.
    pub cost: Decimal,
}

/// What one resource group of a customer has cost so far: where the money goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceCost {
    /// The Azure subscription: its name, else its id.
    pub subscription: Option<String>,
    /// The resource group; none for a resource that names none.
    pub resource_group: Option<String>,
    /// Its costliest resource.
    pub name: Option<String>,
    /// Its cost in the customer's currency; none where the currency of the answer is not surely
    /// that one.
    #[serde(with = "crate::domain::recorded")]
    pub cost: Option<Decimal>,
    /// Its share of all resources of the plan, in percent with two decimals.
    #[serde(with = "rust_decimal::serde::str")]
    pub percent: Decimal,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_differ_in_case_are_one_customer() {
        let upper = CustomerId::try_new("65726577-C208-40FD").unwrap();
        let lower = CustomerId::try_new("65726577-c208-40fd").unwrap();
        assert_eq!(upper, lower);
        assert_eq!(upper.as_str(), "65726577-C208-40FD");
        assert_eq!(CustomerId::try_new("ÅSA").unwrap(), CustomerId::try_new("åsa").unwrap());
        assert_eq!(CustomerId::try_new(" "), None);
        let guid = CustomerKey::of("11111111-6fb9-4b05-8f15-b3d72e0596e6");
        assert_eq!(CustomerKey::written(" {11111111-6FB9-4b05-8f15-b3d72e0596e6} "), guid);
        assert!(guid.is_guid() && !CustomerKey::of("111111116fb94b058f15b3d72e0596e6").is_guid());
        assert_eq!(CustomerKey::written("{c-1}").as_str(), "{c-1}");
    }
}
