//! Snapshots of alerts in the ledger: what was written before is read, and written the same.

use super::*;

/// A recorded snapshot with these fields in the place of its value.
fn recorded(value: &str) -> String {
    let before = r#"{"alert":{"id":"5f0c1c3e-0000-4000-8000-000000000001","rule":"spend","metric":"percent_used","threshold":"80","passed":["50"],"#;
    let after = r#","severity":"critical","baseline":false,"ref":"5F0C1C3E","customer":{"id":"11111111-6fb9-4b05-8f15-b3d72e0596e6","name":"Modern Azure Customer SE","label":null,"plan":"azure-plan"},"budget":{"amount":"20","currency":"SEK","source":"partner-center","previous_amount":null},"cost":{"amount":"120.5682999999995904716","currency":"SEK","usd":null},"reported_percent":"602.84","computed_percent":"79228162514264337593543950335","billing_period":{"start":"2019-09-01T00:00:00Z","end":"2019-10-01T00:00:00Z","source":"subscription-summary"},"subscriptions":[{"id":"s1","name":"Azure plan","cost":"120.5682999999995904716"}],"usage_as_of":"2019-09-17T17:08:11.1433333Z","inputs":{"percent_used":"602.84","percent_elapsed":"55.71"},"raised_at":"2026-11-14T21:41:20Z","state":"raised"},"context":{"description":null,"next_at":"100","other_budget":null,"contacts":[],"previous":{"usage_as_of":"2019-09-16T17:08:11Z","cost":"12.5","value":null},"carried_over":false,"subscription_name":null,"owner":null,"latest":null}}"#;
    format!("{before}{value}{after}")
}

#[test]
fn a_value_or_over_zero_reads_from_its_two_fields_and_is_written_as_them() {
    for (fields, value) in [
        (r#""value":"602.8400","over_zero":false"#, Some(MetricValue::Number(decimal("602.8400")))),
        (r#""value":null,"over_zero":true"#, Some(MetricValue::OverZero)),
        (r#""value":null,"over_zero":false"#, None),
    ] {
        let text = recorded(fields);
        let snapshot: AlertSnapshot = serde_json::from_str(&text).unwrap();
        assert_eq!(snapshot.alert.value, value);
        assert_eq!(serde_json::to_string(&snapshot).unwrap(), text);
    }
}
