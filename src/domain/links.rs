//! What somebody may do by a link of a message, and where the links of an alert lead.

use serde::Serialize;
use strum::{EnumString, IntoStaticStr, VariantArray};
use uuid::Uuid;

/// What somebody may do by a link: its word is part of the link's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[derive(IntoStaticStr, EnumString, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum LinkAction {
    /// Say that somebody knows of the alert.
    Acknowledge,
    /// Keep the rule from telling of the customer until the period's end.
    Silence,
    /// See what is known of the customer.
    Explain,
}

impl AlertLinks {
    /// They, each by what a button says.
    pub fn named(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("Acknowledge", Some(&self.acknowledge)),
            ("Silence", self.silence.as_ref()),
            ("Explain", Some(&self.explain)),
            ("Customer", self.customer.as_ref()),
        ];
        all.into_iter().filter_map(|(name, link)| Some((name, link?.as_str()))).collect()
    }
}

impl LinkAction {
    /// Every action.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Its word.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Reads its word.
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

/// The links of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlertLinks {
    /// Says that somebody knows of it.
    pub acknowledge: String,
    /// Silences its rule for the customer; none where that would hide too much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silence: Option<String>,
    /// Shows what is known of the customer.
    pub explain: String,
    /// The customer in Partner Center; none of an id that is no tenant's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
}

/// A customer's page in Partner Center, for an id that is a tenant's.
pub fn in_partner_center(customer: &str) -> Option<String> {
    let id = Uuid::try_parse(customer).ok()?;
    Some(format!(
        "https://partner.microsoft.com/commerce/customers/{}/subscriptions",
        id.hyphenated()
    ))
}
