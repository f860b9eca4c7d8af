//! Alerts as they come over the wire, of either API, in our own terms. Names and words are compared
//! without case; a word that nobody knows is kept as it came.

use jiff::Timestamp;
use serde_json::Value;

use crate::domain::{CustomerId, SecurityAlert, SecuritySource, UsageDate};
use crate::source::wire::{Raw, RawFields, given, object, text};

/// How much of a text is kept, in characters.
const TEXT: usize = 500;
/// How many resources are kept.
const RESOURCES: usize = 100;
/// Dates from here on mean that there is none.
const NO_DATE: i16 = 9999;
/// Words of Microsoft's that are kept in small letters.
const WORDS: [&str; 10] = [
    "active",
    "resolved",
    "investigating",
    "informational",
    "low",
    "medium",
    "high",
    "fraud",
    "legitimate",
    "ignore",
];

/// `partnerSecurityAlert` and a fraud event in one: what they share has two names.
#[derive(Debug, Default)]
struct WireAlert<'a> {
    id: Raw<'a>,
    customer: Raw<'a>,
    customer_name: Raw<'a>,
    kind: Raw<'a>,
    severity: Raw<'a>,
    confidence: Raw<'a>,
    status: Raw<'a>,
    is_test: Raw<'a>,
    detected: Raw<'a>,
    first_observed: Raw<'a>,
    last_observed: Raw<'a>,
    subscription: Raw<'a>,
    subscription_name: Raw<'a>,
    display_name: Raw<'a>,
    description: Raw<'a>,
    resources: Raw<'a>,
    reason: Raw<'a>,
    resolved_by: Raw<'a>,
    resolved_at: Raw<'a>,
}

impl<'a> RawFields<'a> for WireAlert<'a> {
    fn slot(&mut self, name: &str) -> Option<&mut Raw<'a>> {
        Some(match name.to_ascii_lowercase().as_str() {
            "id" | "eventid" => &mut self.id,
            "customertenantid" => &mut self.customer,
            "customerfriendlyname" => &mut self.customer_name,
            "alerttype" | "eventtype" => &mut self.kind,
            "severity" => &mut self.severity,
            "confidencelevel" => &mut self.confidence,
            "status" | "eventstatus" => &mut self.status,
            "istest" => &mut self.is_test,
            "detecteddatetime" | "eventtime" => &mut self.detected,
            "firstobserveddatetime" | "firstobserved" => &mut self.first_observed,
            "lastobserveddatetime" | "lastobserved" => &mut self.last_observed,
            "subscriptionid" => &mut self.subscription,
            "subscriptionname" => &mut self.subscription_name,
            "displayname" => &mut self.display_name,
            "description" => &mut self.description,
            "affectedresources" => &mut self.resources,
            "resolvedreason" => &mut self.reason,
            "resolvedby" => &mut self.resolved_by,
            "resolvedondatetime" | "resolvedon" => &mut self.resolved_at,
            _ => return None,
        })
    }
}

/// An alert as it came; `None` for what is no JSON, no object, or has no id: nobody can say what it
/// is.
pub(super) fn alert(item: &[u8], source: SecuritySource) -> Option<SecurityAlert> {
    let wire: WireAlert<'_> = object(item)?;
    let some = |raw| Some(kept(raw)).filter(|text| !text.is_empty());
    let id = some(wire.id)?;
    // An alert without a customer is still one.
    let customer = CustomerId::try_new(kept(wire.customer))
        .or_else(|| CustomerId::try_new("unknown customer"))?;
    Some(SecurityAlert {
        id,
        source,
        customer,
        customer_name: some(wire.customer_name),
        kind: kept(wire.kind),
        severity: word(wire.severity),
        confidence: word(wire.confidence),
        status: word(wire.status),
        is_test: is_true(wire.is_test),
        detected_at: date(wire.detected),
        first_observed: date(wire.first_observed),
        last_observed: date(wire.last_observed),
        subscription: some(wire.subscription),
        subscription_name: some(wire.subscription_name),
        display_name: kept(wire.display_name),
        description: kept(wire.description),
        resources: resources(wire.resources),
        reason: Some(word(wire.reason)).filter(|word| !matches!(&**word, "" | "None" | "none")),
        resolved_by: some(wire.resolved_by),
        resolved_at: date(wire.resolved_at),
    })
}

/// A text, no longer than is kept; empty where there is none.
fn kept(raw: Raw<'_>) -> String {
    text(raw).map(|text| text.trim().chars().take(TEXT).collect()).unwrap_or_default()
}

fn word(raw: Raw<'_>) -> String {
    let word = kept(raw);
    let known = WORDS.iter().find(|known| known.eq_ignore_ascii_case(&word));
    known.map_or(word, |known| (*known).to_owned())
}

/// `true`, or the text of it.
fn is_true(raw: Raw<'_>) -> bool {
    let json = given(raw).unwrap_or_default();
    json.trim_matches('"').trim().eq_ignore_ascii_case("true")
}

/// A date; one without an offset is UTC, and one of the year 9999 is none.
fn date(raw: Raw<'_>) -> Option<UsageDate> {
    let date = UsageDate::parse(&text(raw)?)?;
    let year = date.instant().to_zoned(jiff::tz::TimeZone::UTC).year();
    (year < NO_DATE && date.instant() > Timestamp::UNIX_EPOCH).then_some(date)
}

/// The ids of the resources; what is no list has none.
fn resources(raw: Raw<'_>) -> Vec<String> {
    let Some(Ok(Value::Array(list))) = given(raw).map(serde_json::from_str) else {
        return Vec::new();
    };
    let id = |resource: &Value| {
        let mut ids = ["resourceId", "azureResourceId"].into_iter();
        let id = ids.find_map(|name| resource.get(name)?.as_str())?;
        Some(id.trim().chars().take(TEXT).collect::<String>()).filter(|id| !id.is_empty())
    };
    list.iter().filter_map(id).take(RESOURCES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<SecurityAlert> {
        alert(text.as_bytes(), SecuritySource::Graph)
    }

    #[test]
    fn odd_fields_cost_nothing_but_themselves() {
        let odd = r#"{"ID": "A-1", "isTest": "True", "status": "unknownFutureValue",
            "severity": "HIGH", "subscriptionId": "", "affectedResources": {"a": 1},
            "detectedDateTime": "2026-11-14T09:41:12.05", "lastObserved": "9999-12-31T23:59:59Z",
            "resolvedReason": "None", "resolvedBy": 7, "customerTenantId": null, "x": [1]}"#;
        let alert = read(odd).unwrap();
        assert_eq!((alert.id.as_str(), alert.is_test), ("A-1", true));
        assert_eq!((alert.status.as_str(), &*alert.severity), ("unknownFutureValue", "high"));
        assert_eq!((alert.subscription, alert.reason, alert.resolved_by), (None, None, None));
        assert_eq!(alert.last_observed, None);
        let detected = alert.detected_at.map(|at| at.to_string());
        assert_eq!(detected.as_deref(), Some("2026-11-14T09:41:12.05Z"));
        assert_eq!(alert.customer.as_str(), "unknown customer");
    }

    #[test]
    fn what_is_no_alert_is_none() {
        for text in
            [r#"{"id": ""}"#, r#"{"status": "active"}"#, "{{}}", "7", r#"{"id": "a" "b": 1}"#]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
