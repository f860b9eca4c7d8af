//! How fast Microsoft finds that a partner answers security alerts: the security requirement that it
//! counts.

use rust_decimal::Decimal;
use serde_json::Value;

use crate::domain::{canonical, parse_wire_number, rounded};

/// The requirement's type where it tells of times, and its name.
const KIND: &str = "responseTimeSecurityRequirement";
const NAME: &str = "securityAlertsPromptlyResolved";

/// How fast Microsoft finds that alerts are answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityScore {
    /// The mean of the last 30 days, in hours.
    pub hours: Option<Decimal>,
    /// Whether that is fast enough; none where it does not say so in a word that is known.
    pub is_compliant: Option<bool>,
}

/// The requirement among all of them; `None` where it is not there.
pub(super) fn score(body: &[u8]) -> Option<SecurityScore> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let is_it = |one: &&Value| {
        let is = |name: &str, word: &str| {
            one.get(name).and_then(Value::as_str).is_some_and(|text| text.ends_with(word))
        };
        is("@odata.type", KIND) || is("requirementType", NAME)
    };
    let found = body.get("value")?.as_array()?.iter().find(is_it)?;
    let hours = found.get("averageResponseTimeInHours").and_then(|hours| {
        parse_wire_number(&hours.to_string()).ok().map(|hours| canonical(rounded(hours.value, 2)))
    });
    let status = found.get("complianceStatus").and_then(Value::as_str).unwrap_or_default();
    let is_compliant = match status.to_ascii_lowercase().as_str() {
        "compliant" => Some(true),
        // As Microsoft writes it, and as it means it.
        "noncomplaint" | "noncompliant" => Some(false),
        _ => None,
    };
    Some(SecurityScore { hours, is_compliant })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requirement_on_times_is_found_among_others() {
        let body = br##"{"value": [
            {"requirementType": "securityContactProvided", "complianceStatus": "compliant"},
            {"@odata.type": "#microsoft.graph.partner.security.responseTimeSecurityRequirement",
             "complianceStatus": "noncomplaint", "averageResponseTimeInHours": "31.5"}]}"##;
        let hours = Some(Decimal::new(315, 1));
        assert_eq!(score(body), Some(SecurityScore { hours, is_compliant: Some(false) }));
        assert_eq!(score(br#"{"value": []}"#), None);
    }
}
