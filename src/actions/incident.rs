//! Which incident somebody means: a spike, a security alert, or any alert of the customer, with the
//! other signs of misuse that belong to it.

use jiff::Timestamp;

use crate::actions::ActionError;
use crate::actions::resolve::meant;
use crate::alerting::{Misuse, MisuseSign, SecurityState, SignSource};
use crate::domain::{Alert, CustomerId, utc_day};
use crate::ledger::{AlertRow, Reader};
use crate::text::clean;

/// What was named.
#[derive(Debug, Clone, PartialEq)]
pub enum IncidentAbout {
    /// An alert.
    Alert(Box<AlertRow>),
    /// A security alert of which no alert was raised.
    Security(Box<SecurityState>),
}

/// An incident.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// What was named.
    pub about: IncidentAbout,
    /// Since when, and what points to it.
    pub misuse: Misuse,
}

impl Incident {
    /// The one that is meant by the reference or the id of an alert, or by Microsoft's id of a
    /// security alert, or the beginning of it.
    pub fn find(reader: &Reader, text: &str) -> Result<Self, ActionError> {
        let about = about(reader, text)?;
        let (key, day) = (about.customer().key(), about.day());
        let signs = reader.misuse_signs(&key)?;
        let is_named = |sign: &MisuseSign| about.is_sign(sign);
        // What was meant is no misuse, unless it is what is asked for.
        let signs =
            signs.into_iter().filter(|sign| !sign.is_innocent() || is_named(sign)).collect();
        let groups = Misuse::group(signs);
        let named = groups.iter().find(|group| group.signs.iter().any(is_named));
        let near = || groups.iter().find(|group| group.is_near(day));
        let misuse = named.or_else(near).cloned();
        Ok(Self { misuse: misuse.unwrap_or_else(|| Misuse::on(key, day, Vec::new())), about })
    }

    /// What people call it by.
    pub fn reference(&self) -> &str {
        match &self.about {
            IncidentAbout::Alert(row) => &row.snapshot.alert.reference,
            IncidentAbout::Security(state) => &state.alert.id,
        }
    }

    /// What the chain's event of it names.
    pub(crate) fn chained(&self) -> String {
        match &self.about {
            IncidentAbout::Alert(row) => row.snapshot.alert.id.to_string(),
            IncidentAbout::Security(_) => "security alert".to_owned(),
        }
    }
}

impl IncidentAbout {
    /// The customer.
    pub fn customer(&self) -> &CustomerId {
        match self {
            Self::Alert(row) => &row.snapshot.alert.customer.id,
            Self::Security(state) => &state.alert.customer,
        }
    }

    /// The day that it is of, in UTC.
    fn day(&self) -> jiff::civil::Date {
        utc_day(match self {
            Self::Alert(row) => of_alert(&row.snapshot.alert),
            Self::Security(state) => state.alert.began(state.first_seen).0,
        })
    }

    fn is_sign(&self, sign: &MisuseSign) -> bool {
        match (self, &sign.source) {
            (Self::Alert(row), SignSource::Spikes { key, days, .. }) => {
                let alert = &row.snapshot.alert;
                alert.key() == *key && alert.spike.is_some_and(|spike| days.contains(&spike.day))
            }
            (Self::Alert(row), SignSource::Security(key)) => {
                let security = row.snapshot.alert.security.as_ref();
                security.is_some_and(|security| security.id.eq_ignore_ascii_case(key))
            }
            (Self::Security(state), SignSource::Security(key)) => state.alert.key() == *key,
            (Self::Security(_), SignSource::Spikes { .. }) => false,
        }
    }
}

fn of_alert(alert: &Alert) -> Timestamp {
    if alert.has_usage() { alert.usage_as_of.instant() } else { alert.raised_at }
}

fn about(reader: &Reader, text: &str) -> Result<IncidentAbout, ActionError> {
    if let Some(row) = reader.find_alert(text)? {
        return Ok(IncidentAbout::Alert(Box::new(row)));
    }
    let alerts = reader.security(Timestamp::MIN)?.alerts;
    let Ok(security) = meant(&alerts, text) else { return Err(unknown(text)) };
    // An alert about it says more.
    let newest = security.references.first().map(|reference| reader.find_alert(reference));
    if let Some(row) = newest.transpose()?.flatten() {
        return Ok(IncidentAbout::Alert(Box::new(row)));
    }
    Ok(IncidentAbout::Security(Box::new(security.state.clone())))
}

fn unknown(text: &str) -> ActionError {
    ActionError::Invalid(format!(
        "there is no alert \"{}\": give the reference of a spike, of a security alert or of another \
            alert, as its messages show it, or Microsoft's id",
        clean(text, 60)
    ))
}
